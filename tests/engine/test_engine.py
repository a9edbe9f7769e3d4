"""The real engine, with the sandbox in place of AWS and Pulumi Cloud."""

import subprocess

import boto3
import pytest
from pulumi import automation
from pulumi_esc_sdk.exceptions import ApiException

from esc_oidc.verify import lint
from tests.support.workspaces import (
    NEEDS_ENGINE,
    ROOT,
    configure,
    copied,
    destroy,
    left,
    opened,
    operations,
    repository,
    stack_of,
    up,
    violations,
    written,
)

pytestmark = NEEDS_ENGINE

PROVIDER = "arn:aws:iam::123456789012:oidc-provider/api.pulumi.com/oidc"
RESOURCES = {
    "esc-oidc-sandbox",
    "esc-oidc",
    "esc-oidc-provider",
    "esc-oidc-role",
    "esc-oidc-policy-ReadOnlyAccess-2a3bda39",
    "esc-oidc-environment",
}
NOTHING = {"roles": [], "providers": [], "environments": []}
OPEN_ROLE = """
import json
import pulumi_aws as aws

aws.iam.Role("open", assume_role_policy=json.dumps(POLICY))
"""
OPEN_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": PROVIDER},
            "Condition": {
                "StringEquals": {"api.pulumi.com/oidc:aud": "aws:contoso"},
                "StringLike": {"api.pulumi.com/oidc:sub": "*"},
            },
        }
    ],
}


@pytest.fixture
def program(tmp_path):
    """This repository's stack, configured as `make try` has it: alice and bob open contoso/aws/dev."""
    return copied(ROOT, tmp_path / "program")


@pytest.fixture
def deployed(sandbox, program):
    """The same, deployed."""
    assert up(program) == everything("create")
    return sandbox


def everything(operation):
    """This operation on each resource of this repository's stack, and on the stack."""
    return {name: {operation} for name in RESOURCES}


def refused(sandbox, login, reference="contoso/aws/dev"):
    """Why somebody does not get credentials."""
    with pytest.raises(ApiException) as raised:
        opened(sandbox, login, reference)
    return str(raised.value)


def test_what_up_deploys_opens_for_alice_and_not_for_mallory(deployed):
    """Everything is created, and only a listed user gets in."""
    for login in ("alice", "bob"):
        role, session = opened(deployed, login, "contoso/aws/dev").split("/")[1:]
        assert role.startswith("esc-oidc-role-")
        assert session == "pulumi-esc"
    assert "pulumi.user.login is 'mallory'" in refused(deployed, "mallory")


@pytest.mark.usefixtures("deployed")
def test_the_stacks_outputs_are_what_was_deployed(program):
    """All nine of the component and the stack's own page are known."""
    outputs = {name: output.value for name, output in stack_of(program).outputs().items()}
    assert outputs["oidcProviderArn"] == PROVIDER
    assert outputs["environmentRef"] == "contoso/aws/dev"
    assert outputs["audience"] == "aws:contoso"
    assert outputs["openCommand"] == "pulumi env open contoso/aws/dev"
    assert outputs["roleArn"].endswith(f"role/{outputs['roleName']}")
    assert outputs["roleArn"] in outputs["environmentDefinition"]
    assert len(outputs["subjects"]) == 2
    assert outputs["readme"].startswith("# Short-lived AWS credentials")


@pytest.mark.usefixtures("deployed")
def test_a_second_update_changes_nothing(program):
    """Nothing that the component writes differs from one run to the next."""
    assert up(program, expect_no_changes=True) == everything("same")


def test_a_preview_creates_nothing(sandbox, program):
    """It passes while every value is unknown, and sends nothing to a cloud."""
    events = []
    stack_of(program).preview(on_event=events.append)
    assert operations(events) == everything("create")
    assert left(sandbox) == NOTHING


def test_other_users_change_the_role_in_place(deployed, program):
    """With carol instead of bob only the trust policy changes, and nothing is replaced."""
    configure(program, allowedUsers=["alice", "carol"])
    assert up(program) == {**everything("same"), "esc-oidc-role": {"update"}}
    assert opened(deployed, "carol", "contoso/aws/dev")
    assert "pulumi.user.login is 'bob'" in refused(deployed, "bob")


def test_another_attribute_changes_role_and_environment_in_place(deployed, program):
    """One run updates both sides, so they don't drift apart, and replaces nothing."""
    configure(program, allowedUsers=None)
    updated = {name: {"update"} for name in ("esc-oidc-role", "esc-oidc-environment")}
    assert up(program) == {**everything("same"), **updated}
    assert opened(deployed, "mallory", "contoso/aws/dev")
    configure(program, allowedUsers=["alice"], allowedRootEnvironments=["aws/dev"])
    assert up(program) == {**everything("same"), **updated}
    assert opened(deployed, "alice", "contoso/aws/dev")
    assert refused(deployed, "mallory")


def test_refused_inputs_stop_the_engine_before_anything_is_sent(sandbox, program):
    """There is one clean error without a traceback, and nothing is created."""
    configure(program, duration="13h")
    with pytest.raises(automation.CommandError) as raised:
        up(program)
    assert "duration = '13h': AWS allows a session of 15m to 12h." in str(raised.value)
    assert "Traceback" not in str(raised.value)
    assert left(sandbox) == NOTHING


def test_a_renamed_environment_is_replaced_and_the_role_follows(sandbox, tmp_path):
    """If the component keeps its name, so do role and provider: only the environment is replaced."""
    program = copied(ROOT / "examples" / "one-environment", tmp_path / "program")
    up(program)
    roles = left(sandbox)["roles"]
    configure(program, escEnvironment="prod")
    done = up(program)
    assert done["login-provider"] == {"same"}
    assert done["login-role"] == {"update"}
    assert done["login-environment"] >= {"create-replacement", "delete-replaced"}
    assert left(sandbox) == {"roles": roles, "providers": [PROVIDER], "environments": ["contoso/aws/prod"]}
    assert opened(sandbox, "alice", "contoso/aws/prod")
    assert "pulumi.user.login is 'mallory'" in refused(sandbox, "mallory", "contoso/aws/prod")


def test_an_adopted_provider_is_trusted_and_left_alone(sandbox, tmp_path):
    """The real look-up finds the audience; the provider is not part of the stack and outlives it."""
    example = ROOT / "examples" / "adopted-provider"
    sandbox.sow(example / "sandbox.yaml")
    program = copied(example, tmp_path / "program")
    done = up(program)
    assert done["login-role"] == {"create"}
    assert "login-provider" not in done
    assert opened(sandbox, "alice", "contoso/aws/dev")
    destroy(program)
    assert left(sandbox) == {**NOTHING, "providers": [PROVIDER]}


def test_an_adopted_provider_without_the_audience_is_refused(sandbox, tmp_path):
    """The error has the command that helps, and neither role nor environment exists yet."""
    provider = boto3.Session().client("iam")
    provider.create_open_id_connect_provider(Url="https://api.pulumi.com/oidc", ClientIDList=["aws:fabrikam"])
    program = copied(ROOT / "examples" / "adopted-provider", tmp_path / "program")
    with pytest.raises(automation.CommandError, match="add-client-id-to-open-id-connect-provider"):
        up(program)
    assert left(sandbox) == {**NOTHING, "providers": [PROVIDER]}


def test_destroy_leaves_nothing(deployed, program):
    """Every resource goes, on both sides."""
    assert destroy(program) == everything("delete")
    assert left(deployed) == NOTHING


def test_another_language_uses_the_plugin(sandbox, tmp_path):
    """The YAML example finds components/ beside it; the engine installs it with pip."""
    program = repository(tmp_path / "repository") / "examples" / "yaml"
    configure(program, organization="contoso", users=["alice"])
    installed = subprocess.run(["pulumi", "install"], cwd=program, capture_output=True, text=True, check=False)  # noqa: S607 - the one on PATH
    assert installed.returncode == 0, installed.stdout + installed.stderr
    done = up(program)
    assert {"login", "login-provider", "login-role", "login-environment"} <= done.keys()
    assert opened(sandbox, "alice", "contoso/aws/dev")
    assert "pulumi.user.login is 'mallory'" in refused(sandbox, "mallory")
    assert set().union(*up(program).values()) == {"same"}
    destroy(program)
    assert left(sandbox) == NOTHING


@pytest.fixture
def pack(tmp_path):
    """The policy pack of this repository."""
    pytest.importorskip("pulumi_policy", reason="pulumi-policy is not installed")
    return str(copied(ROOT / "policy", tmp_path / "policy"))


def test_the_policy_pack_accepts_this_repositorys_stack(sandbox, program, pack):
    """What the component declares breaks no rule, in the preview and in the update."""
    events = []
    stack_of(program).preview(policy_packs=[pack], on_event=events.append)
    stack_of(program).up(policy_packs=[pack], on_event=events.append)
    assert violations(events, "mandatory") == set()
    assert opened(sandbox, "alice", "contoso/aws/dev")


def test_the_policy_pack_stops_a_role_that_admits_the_organization(sandbox, tmp_path, pack):
    """The preview stops at the rules that `lint` names, and nothing is created."""
    program = written(tmp_path / "open-role", f"POLICY = {OPEN_POLICY!r}\n{OPEN_ROLE}")
    events = []
    with pytest.raises(automation.CommandError):
        stack_of(program).preview(policy_packs=[pack], on_event=events.append)
    errors = {finding.rule for finding in lint(OPEN_POLICY) if finding.severity == "error"}
    assert errors
    assert violations(events, "mandatory") == errors
    assert left(sandbox) == NOTHING
