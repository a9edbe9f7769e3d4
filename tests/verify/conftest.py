"""Prints the seed of the property tests, so that any run can be had again."""

import os


def pytest_terminal_summary(terminalreporter):
    """Say how to repeat this run's random examples."""
    if seed := os.environ.get("ESC_OIDC_SEED"):
        terminalreporter.write_line(f"property tests: ESC_OIDC_SEED={seed}")
