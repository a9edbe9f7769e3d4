"""README.md and docs/: what a reader copies works as it stands."""

import json
import re
import shlex
from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from typer.main import get_command

from esc_oidc.cli.application import app
from tests.support.command import esc_oidc
from tests.support.deploying import deploy

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
EXAMPLES = ROOT / "examples"
PAGES = [*ROOT.glob("*.md"), *DOCS.glob("*.md"), ROOT / "policy" / "README.md", *EXAMPLES.rglob("README.md")]
COMMANDS = get_command(app).commands


def called(value):
    """A page by its path in this repository; anything else by pytest's own rules."""
    return str(value.relative_to(ROOT)) if isinstance(value, Path) else None


def blocks(page, language):
    """The page's code blocks in this language."""
    return [dedent(block) for block in re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), re.DOTALL)]


def commands(page):
    """The words of each `esc-oidc` command on a page, in a block or in a sentence."""
    found = re.findall(r"`esc-oidc ([^`\n]+)`", page.read_text("utf-8"))
    for block in (*blocks(page, "sh"), *(block.replace("$ ", "") for block in blocks(page, "console"))):
        found += re.findall(r"^esc-oidc ([^#\n]+)", block, re.MULTILINE)
    return [words.split() for words in found]


PROGRAMS = [
    *[("PulumiEscOidc", program) for program in blocks(ROOT / "README.md", "python")],
    *[("PulumiEscOidc", program) for program in blocks(DOCS / "accounts.md", "python")],
    *[("PulumiEscOidc", program) for program in blocks(DOCS / "policies.md", "python")],
    *[("PulumiEscOidc", program) for program in blocks(DOCS / "adopting.md", "python")],
    # The second block passes on an output of the first.
    ("PulumiDeploymentsOidc", "\n".join(blocks(DOCS / "deployments.md", "python"))),
]


NAMES = ["README", "from created to adopted", "several environments", "two providers", "policies"]
NAMES += ["the split", "import by a transform", "alias by a transform", "deployments"]


@pytest.mark.parametrize(("component", "program"), PROGRAMS, ids=NAMES)
def test_the_programs_run(component, program):
    """Each program deploys its component without a warning."""
    deployed = deploy(lambda: exec(program, {"__name__": "__main__"}))  # noqa: S102 - our own pages
    assert deployed.error is None
    assert deployed.of(component)
    assert deployed.warnings == []


def test_deployment_settings_name_the_role():
    """The settings on the page about Deployments log in to the role that the page declares."""
    deployed = deploy(lambda: exec(PROGRAMS[-1][1], {}))  # noqa: S102 - our own page
    context = deployed.one("DeploymentSettings").inputs["operationContext"]
    assert ":role/updates-role" in context["oidc"]["aws"]["roleARN"]


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=called)
def test_commands_exist(page):
    """Every `esc-oidc` command on a page exists, and so does every option."""
    for name, *words in commands(page):
        options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        given = words[: words.index("--")] if "--" in words else words
        assert {word for word in given if word.startswith("--")} <= options, (name, words)


TRANSCRIPTS = [block.split("\n", 1) for block in blocks(DOCS / "trust.md", "console")]
TRANSCRIPTS = [(command.removeprefix("$ esc-oidc "), printed) for command, printed in TRANSCRIPTS]


@pytest.mark.parametrize(("command", "printed"), TRANSCRIPTS, ids=[command for command, _ in TRANSCRIPTS])
def test_the_transcripts_are_real(command, printed, monkeypatch):
    """Each command prints exactly what the page shows."""
    monkeypatch.chdir(DOCS / "refusals")
    result = esc_oidc(*shlex.split(command))
    assert result.stdout == printed
    assert result.exit_code == 1


def test_there_are_three_refusals():
    """The page shows three transcripts of `explain`, each with a different mistake."""
    explained = [printed for command, printed in TRANSCRIPTS if command.startswith("explain")]
    assert len({tuple(line[10:].strip() for line in printed.splitlines()[1:4]) for printed in explained}) == 3


def test_the_program_about_decisions_runs(monkeypatch, capsys):
    """The Python program on the same page decides and lints."""
    monkeypatch.chdir(DOCS / "refusals")
    (program,) = blocks(DOCS / "trust.md", "python")
    exec(program, {})  # noqa: S102 - our own page
    assert capsys.readouterr().out == "True ['admits-strangers', 'organization-wide']\n"


@pytest.mark.parametrize("seed", blocks(DOCS / "sandbox.md", "yaml"))
def test_the_seeds_are_accepted(tmp_path, seed):
    """The sandbox starts with each seed on its page and runs a command."""
    file = tmp_path / "sandbox.yaml"
    file.write_text(seed, "utf-8")
    result = esc_oidc("sandbox", "--seed", file, "true")
    assert result.exit_code == 0, result.output


def test_the_stack_takes_the_configuration_on_its_page():
    """The page sets every key that the stack requires, and only keys that are inputs."""
    text = (DOCS / "stack.md").read_text("utf-8")
    keys = set(re.findall(r"`pulumi config set (?:--path ')?(\w+)[\[ ]", text))
    schema = json.loads((ROOT / "tests" / "plugin" / "schema.json").read_text("utf-8"))
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text("utf-8"))["config"]
    assert keys <= set(schema["resources"]["esc-oidc:index:PulumiEscOidc"]["inputProperties"])
    assert {key for key, value in declared.items() if "default" not in value} <= keys


@pytest.mark.parametrize("page", PAGES, ids=called)
def test_links_lead_somewhere(page):
    """Every relative link names a file of this repository, and a heading in it."""
    for target, heading in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text("utf-8")):
        file = page.parent / target if target else page
        assert file.exists(), target
        assert not heading or heading in headings(file), f"{target}#{heading}"


def headings(page):
    """The headings of a page, as GitHub turns them into anchors."""
    found = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_the_indexes_are_complete():
    """docs/README.md lists every page, and examples/README.md every example."""
    pages = {page.name for page in DOCS.glob("*.md")} - {"README.md"}
    examples = {project.parent.name for project in EXAMPLES.glob("*/Pulumi.yaml")}
    for folder, names in ((DOCS, pages), (EXAMPLES, examples)):
        index = (folder / "README.md").read_text("utf-8")
        assert {name for name in names if f"]({name})" not in index} == set()


def test_the_readme_is_short():
    """A newcomer reads it in five minutes; everything else has a page in docs/."""
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 170
