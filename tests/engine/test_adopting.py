"""What `esc-oidc adopt` writes, with the real engine: imported, then previewed as it was announced."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.adopting import CASES, ROLE_ARN, all_of, case_of, definition, existing, sow
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

LOGIN = [{"sessionName": "pulumi-esc"}, {"duration": "1h"}, {"subjectAttributes": ["currentEnvironment.name"]}]
DEFINITION = definition(ROLE_ARN, LOGIN)
NOT_OPENED = {"no duration, no session name, no variables", "more than the login, with secrets"}
"""They export nothing, or hold a ciphertext that nobody made."""

DOCS = Path(__file__).parents[2] / "docs" / "adopting.md"
BY_IMPORT, BY_ALIAS = re.findall(r"```python\n(import pulumi\n.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
RAW = f"""
import json

import pulumi_aws as aws
import pulumi_pulumiservice as pulumiservice
import pulumi

role = aws.iam.Role("esc", assume_role_policy=json.dumps({CASES[0]["policy"]!r}), max_session_duration=3600)
pulumiservice.Environment(
    "dev",
    organization="contoso",
    project="aws",
    name="dev",
    yaml=role.arn.apply(lambda arn: pulumi.StringAsset({DEFINITION!r}.replace("{ROLE_ARN}", arn))),
)
"""


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


def test_a_transform_imports_in_one_update(sandbox, tmp_path):
    """The page's program takes role and environment over, without any file."""
    sow(sandbox, existing({**CASES[0], "role": {}, "login": LOGIN}))
    before = all_of(sandbox)
    folder = written(tmp_path / "login", BY_IMPORT.replace("esc-dev", "esc"))
    done = up(folder)
    assert {name: done[name] for name in ("login-role", "login-environment")} == {
        "login-role": {"import"},
        "login-environment": {"import"},
    }
    assert all_of(sandbox) == before
    (folder / "__main__.py").write_text(BY_IMPORT.replace("esc-dev", "esc").replace("IDS.get(args.name)", "None"))
    assert changed(preview(folder, expect_no_changes=True)) == {}


def test_an_alias_takes_over_what_the_program_made(sandbox, tmp_path):
    """Role and environment change hands, and nobody notices; afterwards the transform can go."""
    sow(sandbox, existing(CASES[0]))
    sandbox.store.delete(sandbox.store.list(["contoso"])[0].ref)
    folder = written(tmp_path / "login", RAW)
    up(folder)
    before = all_of(sandbox)
    (folder / "__main__.py").write_text(BY_ALIAS)
    done = changed(up(folder))
    assert done == {"login": {"create"}}
    assert all_of(sandbox) == before
    (folder / "__main__.py").write_text(BY_ALIAS.replace("OLD_NAMES.get(args.name)", "None"))
    assert changed(preview(folder, expect_no_changes=True)) == {}
