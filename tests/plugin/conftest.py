"""A running plugin."""

import pytest

from tests.support.plugin import running


@pytest.fixture(scope="session")
def plugin():
    """One process for all constructs, as the engine keeps one for a program."""
    with running() as started:
        yield started
