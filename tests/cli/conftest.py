"""What the tests of the commands share."""

import contextlib
import json
import os
import signal
import subprocess

import pytest

from tests.support.command import NASTY, PATIENCE, SANDBOX


@pytest.fixture
def file(tmp_path):
    """Writes a file and gives its path as text."""

    def write(content, name="file.json"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    return write


@pytest.fixture
def environment(tmp_path):
    """A user's variables, with temporary folders in a place of the test's own, so that leftovers are seen."""
    (tmp_path / "tmp").mkdir()
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PULUMI_", "ESC_OIDC_"))}
    return {**own, **NASTY, "TMPDIR": str(tmp_path / "tmp")}


@pytest.fixture
def left(tmp_path):
    """What was left in the folder for temporary files."""
    return lambda: list((tmp_path / "tmp").iterdir())


@pytest.fixture
def run(environment):
    """The command, as a shell runs it, to its end."""

    def run(*arguments):
        return subprocess.run(  # noqa: S603 - our own command
            [*SANDBOX, *map(str, arguments)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    return run


@pytest.fixture
def start(environment):
    """Starts the command and lets it run; it never outlives the test."""
    started = []

    def start(*arguments, wrapper=()):
        process = subprocess.Popen(  # noqa: S603 - our own command
            [*wrapper, *SANDBOX, *map(str, arguments)],
            env=environment,
            # Under nohup these tests inherit that SIGHUP is ignored, and a shell can't trap it then.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # noqa: PLW1509 - no threads yet
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        # The command too, which would outlive us and hold our pipes. It is gone already when all is well.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
