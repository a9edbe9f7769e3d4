"""The hook and the action that other repositories use."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from esc_oidc.cli.application import app
from tests.support.command import esc_oidc
from tests.support.judged import POLICY, WIDE

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())


def test_the_hook_runs_a_command_that_exists():
    """On everything, once, when a file changes that may hold a policy, or the settings."""
    name, command = shlex.split(HOOK["entry"])
    assert name == "esc-oidc"
    assert command in get_command(app).commands
    assert HOOK["pass_filenames"] is False
    files = re.compile(HOOK["files"])
    assert all(
        files.search(name)
        for name in ("a/b.json", "t.yaml", "t.yml", "t.template", "esc-oidc.toml", "a/pyproject.toml")
    )
    assert not any(files.search(name) for name in ("main.py", "json", "notoml", "my-esc-oidc.toml"))


def lint(tmp_path, inputs):
    """The status and the output of the action's last step with these inputs."""
    step = ACTION["runs"]["steps"][-1]
    names = {name: re.fullmatch(r"\${{ inputs\.([a-z-]+) }}", value)[1] for name, value in step["env"].items()}
    variables = {name: inputs.get(given, ACTION["inputs"][given]["default"]) for name, given in names.items()}
    binaries = tmp_path / "temp" / "esc-oidc" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "esc-oidc").symlink_to(Path(sys.executable).with_name("esc-oidc"))
    return subprocess.run(  # noqa: S603 - our own action
        ["/bin/bash", "-e", "-o", "pipefail", "-c", step["run"]],
        env={**os.environ, **variables, "RUNNER_TEMP": str(tmp_path / "temp")},
        cwd=tmp_path / "repository", capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def repository(tmp_path):
    """A repository with a sound policy and a wide one."""
    (tmp_path / "repository" / "in it").mkdir(parents=True)
    (tmp_path / "repository" / "good.json").write_text(json.dumps(POLICY))
    (tmp_path / "repository" / "wide.json").write_text(json.dumps(WIDE))
    return tmp_path


@pytest.mark.parametrize(
    ("inputs", "status"),
    [
        ({}, 1),
        ({"paths": "good.json"}, 0),
        ({"paths": "good.json wide.json", "severity": "error"}, 1),
        ({"paths": "wide.json; true"}, 2),
        ({"paths": "$(touch hacked)"}, 2),
        ({"baseline": "missing.json"}, 2),
        ({"paths": "*.nothing", "fail-on-nothing": "true", "fail-on-unknown": "true"}, 2),
    ],
)
def test_the_action_lints(repository, inputs, status):
    """Its inputs become options, and never commands; its status is that of the command."""
    result = lint(repository, inputs)
    assert result.returncode == status, result.stderr
    assert ("::error file=wide.json,line=" in result.stdout) == (status == 1)
    assert not (repository / "repository" / "hacked").exists()


def test_the_action_writes_sarif(repository):
    """Whatever it finds; the annotations come as well."""
    result = lint(repository, {"sarif-file": "log.sarif"})
    assert result.returncode == 1
    assert '"version": "2.1.0"' in (repository / "repository" / "log.sarif").read_text()


def test_the_action_installs_itself():
    """From the checkout that GitHub made of it, so that the tag of the action is the version of the command."""
    steps = ACTION["runs"]["steps"]
    assert '"$GITHUB_ACTION_PATH[cli]"' in steps[1]["run"]
    assert not any("${{" in step.get("run", "") for step in steps)


PAGE = (ROOT / "docs" / "pipelines.md").read_text()


def blocks(language):
    """The page's blocks in a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_workflow_on_the_page_uses_the_action():
    """With inputs that it has, and the file that it writes."""
    (workflow,) = [yaml.safe_load(block) for block in blocks("yaml") if "runs-on" in block]
    _, action, upload = workflow["jobs"]["lint"]["steps"]
    assert set(action["with"]) <= set(ACTION["inputs"])
    assert upload["with"]["sarif_file"] == action["with"]["sarif-file"]


def test_the_hook_on_the_page_exists():
    """By its id, with options that the command has."""
    (config,) = [yaml.safe_load(block) for block in blocks("yaml") if "hooks:" in block]
    (hook,) = config["repos"][0]["hooks"]
    options = {name for parameter in get_command(app).commands["lint"].params for name in parameter.opts}
    assert hook["id"] == HOOK["id"]
    assert {word for word in hook["args"] if word.startswith("--")} <= options


def test_the_settings_on_the_page_are_valid(repository, monkeypatch):
    """`lint` takes them as they stand."""
    (settings,) = blocks("toml")
    monkeypatch.chdir(repository / "repository")
    Path("esc-oidc.toml").write_text(settings)
    Path("baseline.json").write_text('{"version": 1, "findings": []}')
    assert esc_oidc("lint", "good.json").exit_code == 0
    assert esc_oidc("lint", "wide.json").exit_code == 1


def test_the_comment_on_the_page_is_read(repository):
    """It accepts the finding of its rule, for its reason."""
    (role,) = [block for block in blocks("yaml") if "esc-oidc: ignore" in block]
    policy = json.dumps(WIDE).replace(
        "currentEnvironment.name:*:pulumi.user.login:alice", "currentEnvironment.name:aws/*"
    )
    source = repository / "t.yaml"
    source.write_text(f"Resources:\n{role}      AssumeRolePolicyDocument: {policy}\n")
    document = json.loads(esc_oidc("lint", source, "--format", "json").stdout)
    assert [each["rule"] for each in document["suppressed"]] == ["project-wide"]
    assert [each["reason"] for each in document["suppressed"]] == ["every environment of this project is ours"]
