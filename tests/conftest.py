"""Settings of the property tests: reproducible, and never a matter of how busy the machine is."""

import os
import random

from hypothesis import HealthCheck, settings

settings.register_profile("esc-oidc", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("esc-oidc")

# Workers inherit the environment, so all of them use this seed.
SEED = os.environ.setdefault("ESC_OIDC_SEED", str(random.SystemRandom().randrange(2**32)))


def pytest_terminal_summary(terminalreporter):
    """Say how to repeat the random examples of a run that failed."""
    if terminalreporter.stats.get("failed"):
        terminalreporter.write_line(f"property tests: ESC_OIDC_SEED={SEED}")
