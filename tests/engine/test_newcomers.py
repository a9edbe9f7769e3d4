"""What newcomers do first, with the real engine: the template, the examples of a clone, and hints that are followed."""

import importlib.metadata
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from pulumi import automation

from tests.support.command import esc_oidc
from tests.support.workspaces import (
    NEEDS_ENGINE,
    ROOT,
    RUNTIME,
    STACK,
    configure,
    copied,
    edit,
    opened,
    repository,
    stack_of,
    up,
)

VERSION = importlib.metadata.version("esc-oidc")

pytestmark = NEEDS_ENGINE


def run(command: str, folder: Path, answer: str | None = None) -> str:
    """What a command prints, given this answer to what it asks; it has to succeed."""
    words = shlex.split(command)
    ran = subprocess.run(words, cwd=folder, input=answer, capture_output=True, text=True, check=False)  # noqa: S603 - our pages' own
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def refusal_of(program: Path) -> str:
    """Why a preview fails; nothing if it does not."""
    try:
        stack_of(program).preview()
    except automation.CommandError as error:
        return str(error)
    return ""


def warnings_of(program: Path) -> list[str]:
    """The warnings of a preview, and what a language host prints as one."""
    events = []
    stack_of(program).preview(on_event=events.append)
    said = [event.diagnostic_event for event in events if event.diagnostic_event]
    warned = [each.message for each in said if each.severity == "warning" or "warning" in each.message.lower()]
    # Whether a plugin is older than its package asks for is the machine's affair.
    return [message for message in warned if "is expected to have version" not in message]


@pytest.mark.parametrize(
    "command",
    [
        "pulumi config set allowedUsers alice",
        "pulumi config set allowedUsers 'alice, bob'",
        "pulumi config set allowedUsers 007",
        "pulumi config set allowedUsers[0] alice",
        "pulumi config set tags x",
        "pulumi config set colour blue",
        "pulumi config set --secret allowedUsers hunter2",
        "pulumi config set --secret allowedUsers[0] hunter2",
        "pulumi config set --secret tags hunter2",
        "pulumi config set --secret thumbprints hunter2",
        "pulumi config set --secret sessionName hunter2",
    ],
)
@pytest.mark.usefixtures("sandbox")
def test_following_a_hint_works(tmp_path, command):
    """Whoever runs the commands of a refusal is rid of it, and no refusal has the secret.

    The engine itself refuses a boolean of another type, without its value.
    """
    program = copied(ROOT, tmp_path / "program")
    stack_of(program)
    configure(program, allowedUsers=None)
    run(command, program)
    refusal = refusal_of(program)
    assert "Stack configuration: 1 invalid input\n" in refusal
    assert "hunter2" not in refusal
    hints = re.findall("`(pulumi config [^`]+)`", refusal)
    assert hints
    for hint in hints:
        run(hint, program, "alice")
    assert "Stack configuration" not in refusal_of(program)


def test_the_template_works_under_a_name_of_ones_own(sandbox, tmp_path):
    """`pulumi new` makes a project of any name, whose stack for the sandbox works in the engine and in `try`."""
    template, program = tmp_path / "template", tmp_path / "my-own-login"
    shutil.copytree(ROOT / "examples" / "one-environment", template)
    (template / "requirements.txt").write_text("")  # this Python has the package
    program.mkdir()
    configuration = "--config organization=contoso --config users=alice"
    run(f"pulumi new {template} --yes --name my-own-login --stack dev {configuration}", program)
    edit(program / "Pulumi.yaml", runtime=RUNTIME)
    tried = esc_oidc("try", program)
    assert tried.exit_code == 0, tried.output
    assert warnings_of(program) == []
    up(program)
    assert opened(sandbox, "bob", "contoso/aws/dev")


@pytest.mark.usefixtures("sandbox")
def test_the_template_needs_the_organization(tmp_path):
    """Without one the engine names the key: nobody's role trusts the organization of a guess."""
    program = copied(ROOT / "examples" / "one-environment", tmp_path / "program")
    configure(program, organization=None)
    assert "missing configuration value 'organization'" in refusal_of(program)


def test_the_yaml_example_runs_without_warnings(sandbox, tmp_path):
    """In a clone, what its README says works, and nothing warns."""
    program = followed(repository(tmp_path / "repository") / "examples" / "yaml")
    assert warnings_of(program) == []
    up(program)
    assert opened(sandbox, "alice", "contoso/aws/dev")


def test_the_typescript_example_compiles_and_runs(sandbox, tmp_path):
    """In a clone, what its README says works: the generated package has the name that the program imports."""
    if not all(map(shutil.which, ("npm", "pulumi-language-nodejs"))):
        pytest.skip("there is no npm, or no language host for Node.js")
    program = followed(repository(tmp_path / "repository") / "examples" / "typescript")
    assert json.loads((program / "sdks" / "pulumi-esc-oidc" / "package.json").read_text())["version"] == VERSION
    run("npx tsc", program)
    assert warnings_of(program) == []
    up(program)
    assert opened(sandbox, "alice", "contoso/aws/dev")


def test_a_python_example_installs_from_its_clone(sandbox, tmp_path):
    """In a clone, `pulumi install` makes a virtual environment with the package of that clone."""
    program = repository(tmp_path / "repository") / "examples" / "people-and-pipeline"
    run("pulumi install", program)
    assert warnings_of(program) == []
    up(program)
    assert opened(sandbox, "alice", "contoso/aws/prod")


def followed(example: Path) -> Path:
    """Runs the commands of an example's README but the last, `pulumi up`."""
    (block,) = re.findall(r"```sh\n(.*?)```", (example / "README.md").read_text(), re.DOTALL)
    *commands, last = [line.partition("#")[0] for line in block.splitlines()]
    assert last == "pulumi up"
    for command in commands:
        run(command.replace("stack init dev", f"stack init {STACK}"), example)
    return example
