"""What the engine tests rest on, tried without an engine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pulumi.automation import EngineEvent
from pulumi_esc_sdk.exceptions import ApiException

from esc_oidc.sandbox.deploy import Clouds, deploy, load_stack
from esc_oidc.tokens import Opener
from tests.engine import workspaces

ROLE = "urn:pulumi:sandbox::esc-oidc::esc-oidc:index:PulumiEscOidc$aws:iam/role:Role::esc-oidc-role"

FAKE = '''#!{python}
"""Answers as the pulumi command does, as far as the Automation API asks, and keeps what it was asked."""
import json, os, sys
asked = sys.argv[1:]
with open({record!r}, "a") as record:
    ours = {{name: value for name, value in os.environ.items() if name.startswith(("AWS_", "PULUMI_"))}}
    record.write(json.dumps([os.getcwd(), asked, ours]) + "\\n")
command = [each for each in asked if not each.startswith("-")]
if command[0] == "version":
    print("v3.200.0")
elif command[:2] == ["stack", "select"]:
    sys.exit("error: no stack named 'sandbox' found")
elif command[:2] == ["stack", "output"]:
    print("{{}}")
elif command[:2] == ["stack", "history"]:
    print(json.dumps([{{"kind": command[0], "startTime": "2026-01-01T00:00:00.000Z", "message": "", "environment": {{}},
        "config": {{}}, "result": "succeeded", "endTime": "2026-01-01T00:00:00.000Z", "version": 1,
        "resourceChanges": {{}}}}]))
elif command[0] in ("up", "destroy"):
    with open(asked[asked.index("--event-log") + 1], "w") as log:
        for event in ({event!r}, {{"sequence": 2, "timestamp": 2, "cancelEvent": {{}}}}):
            log.write(json.dumps(event) + "\\n")
'''


def event(urn, op, **others):
    """An engine's event as it stands in its log."""
    metadata = {"op": op, "urn": urn, "type": urn.split("::")[2], "provider": ""}
    return {"sequence": 1, "timestamp": 1, "resourcePreEvent": {"metadata": metadata}, **others}


@pytest.fixture
def pulumi(tmp_path, monkeypatch):
    """A command `pulumi` that answers, and what it was asked: folder, arguments, variables."""
    record = tmp_path / "record"
    folder = tmp_path / "bin"
    folder.mkdir()
    script = FAKE.format(python=sys.executable, record=str(record), event=event(ROLE, "update"))
    (folder / "pulumi").write_text(script)
    (folder / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return lambda: [json.loads(line) for line in record.read_text().splitlines()]


@pytest.mark.parametrize("source", [".", "examples/one-environment", "examples/adopted-provider", "policy"])
def test_a_copy_is_the_same_program_with_this_python(tmp_path, source):
    """Its files are there, and its project file differs in nothing but the runtime."""
    original = workspaces.ROOT / source
    copy = workspaces.copied(original, tmp_path / "copy")
    name = "PulumiPolicy.yaml" if source == "policy" else "Pulumi.yaml"
    before, after = (yaml.safe_load((folder / name).read_text()) for folder in (original, copy))
    assert after == {**before, "runtime": workspaces.RUNTIME}
    assert (copy / "__main__.py").read_text() == (original / "__main__.py").read_text()
    assert not (copy / "components").exists()
    assert (copy / "esc_oidc_policy").is_dir() is (source == "policy")


def test_the_runtime_has_what_the_programs_need():
    """The folder that the engine is given is an environment with a Python that imports the component."""
    python = Path(workspaces.RUNTIME["options"]["virtualenv"], "bin", "python")
    program = "import esc_oidc, pulumi_aws, pulumi_pulumiservice; print(esc_oidc.__file__)"
    ran = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - this Python
    assert Path(ran.stdout.strip()).parent == workspaces.ROOT / "components" / "esc_oidc"


def test_configuration_is_set_and_removed_and_the_rest_stays(tmp_path):
    """As an editor does it: under the project's name, with the salt that the engine has written."""
    program = workspaces.copied(workspaces.ROOT, tmp_path / "copy")
    path = program / "Pulumi.sandbox.yaml"
    workspaces.edit(path, encryptionsalt="v1:salt")
    workspaces.configure(program, allowedUsers=None, duration="2h")
    content = yaml.safe_load(path.read_text())
    assert content["encryptionsalt"] == "v1:salt"
    assert content["config"]["esc-oidc:duration"] == "2h"
    assert content["config"]["esc-oidc:environment"] == "dev"
    assert "esc-oidc:allowedUsers" not in content["config"]


def test_a_copy_deploys_and_opens_for_alice_alone(sandbox, tmp_path):
    """Everything about the engine tests but the engine: the program, the variables, who gets in, what is left."""
    program = load_stack(workspaces.copied(workspaces.ROOT, tmp_path / "copy"), "sandbox", {})
    clouds = Clouds(sandbox.aws_url, sandbox.cloud_url, lambda org: sandbox.access_token(Opener("alice"), [org]))
    deploy(program, clouds, "contoso")
    assert workspaces.opened(sandbox, "alice", "contoso/aws/dev").endswith("/pulumi-esc")
    with pytest.raises(ApiException, match=r"pulumi\.user\.login is 'mallory'"):
        workspaces.opened(sandbox, "mallory", "contoso/aws/dev")
    assert workspaces.left(sandbox) == {
        "roles": ["esc-oidc-role-0sandbx"],
        "providers": ["arn:aws:iam::123456789012:oidc-provider/api.pulumi.com/oidc"],
        "environments": ["contoso/aws/dev"],
    }


def test_the_copied_plugin_starts(tmp_path):
    """Beside the YAML example, where its `packages` finds it, and with the sources that it was copied with."""
    repository = workspaces.repository(tmp_path / "repository")
    program = repository / "examples" / "yaml"
    package = yaml.safe_load((program / "Pulumi.yaml").read_text())["packages"]["esc-oidc"]
    plugin = (program / package).resolve()
    assert (plugin / "PulumiPlugin.yaml").exists()
    requirement = (plugin / "requirements.txt").read_text().removeprefix("-e ").strip()
    assert (plugin / requirement / "pyproject.toml").exists()
    arguments = [sys.executable, str(plugin), "127.0.0.1:1"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - this Python
        try:
            assert int(process.stdout.readline()) > 0
        finally:
            process.kill()


def test_the_yaml_example_uses_inputs_and_outputs_that_there_are():
    """What only the engine would notice: a misspelled property of the component."""
    program = yaml.safe_load((workspaces.ROOT / "examples" / "yaml" / "Pulumi.yaml").read_text())
    login = program["resources"]["login"]
    component = json.loads((workspaces.ROOT / "tests" / "plugin" / "schema.json").read_text())["resources"][
        login["type"]
    ]
    assert set(component["requiredInputs"]) <= login["properties"].keys() <= component["inputProperties"].keys()
    outputs = {value.removeprefix("${login.").removesuffix("}") for value in program["outputs"].values()}
    assert outputs <= component["properties"].keys()


def test_operations_are_by_name():
    """Each resource has all its steps; what the program does not declare is passed over."""
    replaced = ROLE.replace("esc-oidc-role", "other")
    default = "urn:pulumi:sandbox::esc-oidc::pulumi:providers:aws::default_7_0_0"
    log = [
        event(ROLE, "same"),
        event(default, "create"),
        event(replaced, "create-replacement"),
        event(replaced, "replace"),
        {"sequence": 3, "timestamp": 3, "preludeEvent": {"config": {}}},
    ]
    found = workspaces.operations(EngineEvent.from_json(each) for each in log)
    assert found == {"esc-oidc-role": {"same"}, "other": {"create-replacement", "replace"}}


def test_violations_are_by_level():
    """The names of the policies, without those of another level."""
    log = [
        {"sequence": 1, "timestamp": 1, "policyEvent": {"policyName": name, "enforcementLevel": level}}
        for name, level in (("subject-any", "mandatory"), ("self-hosted", "advisory"))
    ]
    events = [EngineEvent.from_json(each) for each in log]
    assert workspaces.violations(events, "mandatory") == {"subject-any"}


def test_the_automation_api_runs_pulumi_in_the_sandbox(sandbox, pulumi, tmp_path):
    """In the program's folder, as a new stack, with the sandbox's variables; its events tell what became of what."""
    program = workspaces.written(tmp_path / "program", "")
    assert workspaces.up(program) == {"esc-oidc-role": {"update"}}
    assert workspaces.destroy(program) == {"esc-oidc-role": {"update"}}
    asked = pulumi()
    assert {Path(folder).resolve() for folder, arguments, _ in asked if "version" not in arguments} == {program}
    assert any({"stack", "init", "sandbox"} <= set(arguments) for _, arguments, _ in asked)
    assert any("up" in arguments and "--yes" in arguments for _, arguments, _ in asked)
    for _, _, variables in asked:
        assert variables["PULUMI_API"] == sandbox.cloud_url
        assert variables["AWS_ENDPOINT_URL"] == sandbox.aws_url
        assert "PULUMI_BACKEND_URL" not in variables
