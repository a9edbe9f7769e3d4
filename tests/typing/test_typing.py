"""What type checkers know of the components: good.py has programs to accept, bad.py mistakes to find."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import esc_oidc

HERE = Path(__file__).parent
# The two providers' own types take minutes and gigabytes to read, and no signature of this package has any of them.
CONFIGURATION = """
[mypy]
strict = true
[mypy-pulumi_aws.*,pulumi_pulumiservice.*]
follow_imports = skip
"""


@pytest.fixture(scope="module")
def errors(tmp_path_factory):
    """What mypy says of each line that it refuses, for both files."""
    folder = tmp_path_factory.mktemp("typing")
    (folder / "mypy.ini").write_text(CONFIGURATION, encoding="utf-8")
    files = [str(HERE / name) for name in ("good.py", "bad.py")]
    command = [sys.executable, "-m", "mypy", f"--config-file={folder / 'mypy.ini'}", f"--cache-dir={folder / 'cache'}"]
    ran = subprocess.run(  # noqa: S603 - this Python, with files of our own
        [*command, *files],
        cwd=folder,
        env={**os.environ, "MYPYPATH": str(Path(esc_oidc.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    # 1 is "there are errors"; a mypy that crashed or was killed found none.
    assert ran.returncode == 1, ran.stdout + ran.stderr
    found = {"good.py": {}, "bad.py": {}}
    for path, line, said in re.findall(r"^(\S+):(\d+): error: (.+)$", ran.stdout, re.MULTILINE):
        found.setdefault(Path(path).name, {}).setdefault(int(line), []).append(said)
    return found


def test_good_programs_are_accepted(errors):
    """Inputs may be one argument or keywords, plain or outputs; outputs have their declared types."""
    assert {name: found for name, found in errors.items() if name != "bad.py"} == {"good.py": {}}


def test_every_mistake_is_found(errors):
    """Each misspelled, mistyped or missing input and each misused output is an error on its own line."""
    lines = (HERE / "bad.py").read_text(encoding="utf-8").splitlines()
    assert set(errors["bad.py"]) == {number for number, line in enumerate(lines, 1) if "  # " in line}
