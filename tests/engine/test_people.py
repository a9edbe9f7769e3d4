"""Who the real engine is in the sandbox, and where it goes: nowhere else."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.command import SANDBOX
from tests.support.listening import leading_to, listening
from tests.support.workspaces import NEEDS_ENGINE, ROOT, copied, edit

pytestmark = NEEDS_ENGINE

EVERYTHING = """
pulumi whoami -v
pulumi stack init sandbox
pulumi preview
pulumi up --yes
pulumi env open contoso/aws/dev
pulumi stack output
pulumi stack history
pulumi logout
pulumi login
pulumi destroy --yes
pulumi stack rm --yes
"""


def shell(commands, folder, *options, **variables):
    """What commands print in a new sandbox; each has to succeed."""
    ran = subprocess.run(  # noqa: S603 - our own
        [*SANDBOX, *options, "--", "sh", "-ec", commands],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_nothing_leads_out_of_the_sandbox(tmp_path):
    """Variables, files, a login and a project's own backend all lead to somebody who hears nothing."""
    program = copied(ROOT, tmp_path / "program")
    plugins = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi", "plugins").resolve()
    with listening() as (url, heard):
        edit(program / "Pulumi.yaml", backend={"url": url})
        printed = shell(EVERYTHING, program, **leading_to(url, tmp_path / "home", plugins))
    assert heard == []
    assert "alice" in printed


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("bob", ["User: bob", "Organizations: contoso, fabrikam", "Token type: personal"]),
        ("team:platform", ["User: contoso", "Organizations: contoso", "Token type: team: platform"]),
        ("organization", ["User: contoso", "Organizations: contoso", "Token type: organization: contoso"]),
    ],
)
def test_whoami_says_the_truth(tmp_path, who, said):
    """For each kind of token, at once and after logging in again; nobody is asked to log in."""
    commands = "pulumi whoami -v; pulumi logout; pulumi login; pulumi whoami -v"
    printed = shell(commands, tmp_path, "--organization", "contoso", "--organization", "fabrikam", "--as", who)
    assert [line for line in printed.splitlines() if line in said] == said * 2
    assert printed.startswith("User: ")
