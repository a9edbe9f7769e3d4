"""A sandbox, with its variables around this process."""

import os
import sys
from pathlib import Path
from unittest import mock

import pytest

from esc_oidc.sandbox import Sandbox, surroundings
from esc_oidc.tokens import Opener


@pytest.fixture
def sandbox():
    """A sandbox of the test's own; whatever it starts, above all an engine, finds nothing else."""
    with Sandbox() as running:
        token = running.access_token(Opener("alice"), ["contoso", "fabrikam"])
        with surroundings(running, token, os.environ) as around:
            variables = around.around(os.environ)
            # Where a plugin names no virtual environment, the engine takes the first `python3` that it finds.
            variables["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{variables['PATH']}"
            with mock.patch.dict(os.environ, variables, clear=True):
                yield running
