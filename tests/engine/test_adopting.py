"""What `esc-oidc adopt` writes, with the real engine: imported, then previewed as it was announced."""

import json
import subprocess

import pytest

from tests.support.adopting import all_of, case_of, existing, sow
from tests.support.command import esc_oidc
from tests.support.workspaces import NEEDS_ENGINE, RUNTIME, edit, opened, preview, stack_of, up, written

pytestmark = NEEDS_ENGINE

# What the first preview announces besides what stays the same.
SET_UPS = {
    "pulumi env setup aws, as it is today": {},
    "pulumi env setup aws, first version": {"login-role": {"update"}, "login-environment": {"update"}},
    "Pulumi's guide, without subject attributes": {},
    "Pulumi's guide, with <yaml> for pulumi up": {},
    "the console's template, any subject of the organization": {"login-role": {"update"}},
    "every environment of a project": {},
    "several statements, a Sid, lists of one, and the version of 2008": {"login-role": {"update"}},
    "everything that a role and an environment can have": {"login-environment": {"update"}},
    "no duration, no session name, no variables": {"login-environment": {"update"}},
    "more than the login, with secrets": {},
    "the provider comes, too": {},
}

NOT_OPENED = {"no duration, no session name, no variables", "more than the login, with secrets"}
"""They export nothing, or hold a ciphertext that nobody made."""


def imported(folder):
    """Import all that the file lists into the program's stack."""
    edit(folder / "Pulumi.yaml", runtime=RUNTIME)
    stack_of(folder)
    command = ["pulumi", "import", "--file", "import.json", "--generate-code=false", "--protect=false", "--yes"]
    done = subprocess.run(  # noqa: S603 - the one on PATH
        command, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def changed(operations):
    """What does not stay the same."""
    return {name: each for name, each in operations.items() if each != {"same"}}


@pytest.mark.parametrize("name", SET_UPS)
def test_a_set_up_is_imported_and_previewed_as_announced(sandbox, tmp_path, name):
    """The import changes nothing, the preview shows what was said, and after the first update there is no more."""
    case, folder = case_of(name), tmp_path / "adopted"
    sow(sandbox, existing(case))
    before = all_of(sandbox)
    wishes = [f"--{wish.replace('_', '-')}" for wish in case.get("wishes", {})]
    said = esc_oidc("adopt", "contoso/aws/dev", "--out", folder, *wishes)
    assert said.exit_code == 0, said.output
    imported(folder)
    assert all_of(sandbox) == before
    assert changed(preview(folder, expect_no_changes=not SET_UPS[name])) == SET_UPS[name]
    assert all_of(sandbox) == before
    assert changed(up(folder)) == SET_UPS[name]
    assert changed(preview(folder, expect_no_changes=True)) == {}
    if name not in NOT_OPENED:
        assert opened(sandbox, "alice", "contoso/aws/dev")


def test_the_placeholders_of_a_program_are_filled_in(sandbox, tmp_path):
    """`pulumi preview --import-file` writes the file; filled in, it imports everything that exists."""
    case = case_of("pulumi env setup aws, as it is today")
    sow(sandbox, existing(case))
    folder = tmp_path / "program"
    assert esc_oidc("adopt", "contoso/aws/dev", "--out", tmp_path / "model").exit_code == 0
    written(folder, (tmp_path / "model" / "__main__.py").read_text())
    preview(folder, import_file=str(folder / "import.json"))
    said = esc_oidc("adopt", "contoso/aws/dev", "--import-file", folder / "import.json", "--format", "json")
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout)["absent"] == []
    imported(folder)
    assert changed(preview(folder, expect_no_changes=True)) == {}
