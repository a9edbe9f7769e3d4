"""What the pack says of a role alone."""

import json

import pytest
from pulumi.runtime.proto import analyzer_pb2

from esc_oidc import PulumiEscOidc
from tests.support.deploying import deploy
from tests.support.pack import (
    ROLE_ARN,
    ROLE_TYPE,
    ROLE_URN,
    SECRET,
    SIGNATURE,
    SOUND,
    UNKNOWN,
    analyze,
    broken,
    configure,
    reports,
    resource,
    role,
)
from tests.support.policies import STATEMENT, conditions, example

ANY_SUBJECT = json.dumps(example(conditions(like="*")))


def test_a_role_that_admits_too_much_is_refused(pack):
    """The violation has the rule, the place, the problem and the fix, and stops the deployment."""
    answer = analyze(pack, {"assumeRolePolicy": ANY_SUBJECT})
    (diagnostic,) = [each for each in answer.diagnostics if each.policyName == "subject-any"]
    assert diagnostic.enforcementLevel == analyzer_pb2.MANDATORY
    assert diagnostic.urn == ROLE_URN
    assert "Statement 0: " in diagnostic.message
    assert "Name the environment" in diagnostic.message


def test_a_warning_is_advice(pack):
    """It is printed and stops nothing."""
    policy = json.dumps(example(conditions("pulumi:environments:org:contoso:env:aws/dev")))
    assert broken(pack, policy) == {"without-attributes": analyzer_pb2.ADVISORY}


def test_a_sound_role_passes(pack):
    """A role for one environment violates nothing."""
    assert broken(pack, SOUND) == {}


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("own", ["aws/dev", "aws/other"])
def test_what_the_component_declares_passes(pack, preview, own):
    """Its role and environment pass as they are sent; with another environment, the role doesn't."""
    project, name = own.split("/")
    deployed = deploy(
        lambda: (
            PulumiEscOidc("esc", organization="contoso", project=project, environment=name, role_name="esc") and None
        ),
        preview=preview,
    )
    declared, opened = deployed.one("Role"), deployed.one("Environment")
    assert list(analyze(pack, declared.inputs).diagnostics) == []
    arn = UNKNOWN if preview else ROLE_ARN
    stack = [resource(each.type, each.name, each.inputs | {"arn": arn}) for each in (declared, opened)]
    assert reports(pack, *stack) == []
    found = reports(pack, stack[1], role())
    assert [each[0] for each in found] == (["login-refused"] if own == "aws/other" and not preview else [])


@pytest.mark.parametrize("wrap", [dict, lambda policy: {SIGNATURE: SECRET, "value": json.dumps(policy)}])
def test_a_policy_is_read_in_every_form(pack, wrap):
    """It may be an object, as the AWS provider allows, or a secret."""
    assert "subject-any" in broken(pack, wrap(json.loads(ANY_SUBJECT)))


def test_aws_native_roles_are_read(pack):
    """Their property has another name and may be an object."""
    answer = analyze(pack, {"assumeRolePolicyDocument": json.loads(ANY_SUBJECT)}, "aws-native:iam:Role")
    assert "subject-any" in {diagnostic.policyName for diagnostic in answer.diagnostics}


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("aws:s3/bucket:Bucket", {"assumeRolePolicy": ANY_SUBJECT}),
        (ROLE_TYPE, {"assumeRolePolicy": UNKNOWN}),
        (ROLE_TYPE, {"assumeRolePolicy": {"Statement": [{**STATEMENT, "Principal": {"Federated": UNKNOWN}}]}}),
        (ROLE_TYPE, {}),
    ],
    ids=["no role", "unknown", "partly unknown", "missing"],
)
def test_unknown_policies_are_left_for_the_update(pack, kind, properties):
    """In the preview of a new stack nothing fails and nothing is printed."""
    answer = analyze(pack, properties, kind)
    assert list(answer.diagnostics) == []
    if properties:
        assert {each.policy_name for each in answer.not_applicable} >= {"subject-any", "admits-strangers"}


@pytest.mark.parametrize(
    ("pattern", "excluded"),
    [("esc-role", True), (ROLE_URN, True), ("esc-*", True), ("*::esc-role", True), ("esc", False), ("esc.role", False)],
)
def test_a_role_is_excluded_from_one_rule(pack, pattern, excluded):
    """By its whole name or URN, with `*` for any characters; the other rules still apply."""
    configure(pack, {"subject-any": (analyzer_pb2.MANDATORY, {"excludeRoles": ["other", pattern]})})
    found = broken(pack, ANY_SUBJECT)
    assert ("subject-any" not in found) is excluded
    assert "admits-strangers" in found


def test_each_rule_has_its_own_enforcement_level(pack):
    """A rule can be advisory or disabled."""
    levels = {"subject-any": (analyzer_pb2.ADVISORY, {}), "admits-strangers": (analyzer_pb2.DISABLED, {})}
    configure(pack, levels)
    found = broken(pack, ANY_SUBJECT)
    assert found["subject-any"] == analyzer_pb2.ADVISORY
    assert "admits-strangers" not in found
