"""This project's metadata, and commands that see neither the checkout nor the caller's environment."""

import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
STEM = f"esc_oidc-{PROJECT['version']}"
BUILD = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"
"""What `pip wheel` and `python -m build` call, with the setuptools that is here: their own they would download."""


def run(*command: str | Path, cwd: Path, check: bool = True) -> str:
    """What a command prints, away from the checkout and from the caller's Python variables."""
    done = subprocess.run(  # noqa: S603 - our own commands
        [str(part) for part in command],
        cwd=cwd,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(cwd),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 or not check, done.stdout + done.stderr
    return done.stdout
