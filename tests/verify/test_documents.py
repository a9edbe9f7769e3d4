"""Trust policies are found in what tools write, with their place and the role's ARN."""
# ruff: noqa: E501 - a table of cases, one a line

import json
from urllib.parse import quote

import pytest

from esc_oidc.verify import Located, find_trust_policies, is_permission_policy, is_recognised
from tests.support.policies import example

POLICY = example({})
TEXT = json.dumps(POLICY)
ARN = "arn:aws:iam::123456789012:role/esc"
URN = "urn:pulumi:dev::esc::aws:iam/role:Role::esc-role"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}


def terraform(values, address="aws_iam_role.esc"):
    """A role as it is in a plan, both as a change and as a planned value."""
    return {"address": address, "type": "aws_iam_role", "values": values, "change": {"after": values}}


def pulumi(inputs, outputs=None, **more):
    """A role as it is in a stack's state."""
    return {"urn": URN, "type": "aws:iam/role:Role", "inputs": inputs, "outputs": outputs or {}, **more}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (POLICY, [Located("", POLICY, None)]),
        ({"Role": {"RoleName": "esc", "Arn": ARN, "AssumeRolePolicyDocument": POLICY}}, [Located("esc", POLICY, ARN)]),
        ({"Role": {"RoleName": "esc", "AssumeRolePolicyDocument": quote(TEXT)}}, [Located("esc", TEXT, None)]),
        ({"Roles": [{"RoleName": "esc", "Arn": ARN, "AssumeRolePolicyDocument": POLICY}] * 2}, [Located("esc", POLICY, ARN)] * 2),
        ({"RoleDetailList": [{"Arn": ARN, "AssumeRolePolicyDocument": POLICY}]}, [Located(ARN, POLICY, ARN)]),
        (
            {"resource_changes": [terraform({"assume_role_policy": TEXT, "arn": ARN}), {"type": "aws_s3_bucket"}],
             "planned_values": {"root_module": {"resources": [terraform({"assume_role_policy": TEXT})]}}},
            [Located("aws_iam_role.esc", TEXT, ARN)],
        ),
        ({"resource_changes": [terraform(None)]}, []),
        ({"resource_changes": [terraform({"name": "esc"})]}, [Located("aws_iam_role.esc", None, None)]),
        (
            {"values": {"root_module": {"child_modules": [{"resources": [terraform({"assume_role_policy": TEXT}, "module.m.aws_iam_role.esc")]}]}}},
            [Located("module.m.aws_iam_role.esc", TEXT, None)],
        ),
        ({"version": 3, "deployment": {"resources": [pulumi({"assumeRolePolicy": TEXT}, {"arn": ARN}), {"type": "pulumi:pulumi:Stack", "urn": "u"}]}}, [Located(URN, TEXT, ARN)]),
        ({"deployment": {"resources": [pulumi({"assumeRolePolicy": TEXT}, delete=True)]}}, []),
        ({"deployment": {"resources": [pulumi({"assumeRolePolicy": {**SECRET, "plaintext": json.dumps(TEXT)}})]}}, [Located(URN, TEXT, None)]),
        ({"deployment": {"resources": [pulumi({"assumeRolePolicy": {**SECRET, "ciphertext": "AAAA"}})]}}, [Located(URN, None, None)]),
        ({"steps": [{"op": "create", "newState": pulumi({"assumeRolePolicy": TEXT}, {"arn": UNKNOWN})}, {"op": "delete"}]}, [Located(URN, TEXT, None)]),
        ({"steps": [{"op": "create", "newState": pulumi({"assumeRolePolicy": UNKNOWN})}]}, [Located(URN, None, None)]),
        ({"steps": [{"newState": pulumi({"assumeRolePolicy": TEXT})}] * 2}, [Located(URN, TEXT, None)]),
        (
            {"deployment": {"resources": [{"urn": URN, "type": "aws-native:iam:Role", "inputs": {"assumeRolePolicyDocument": POLICY}}]}},
            [Located(URN, POLICY, None)],
        ),
        ({}, []),
        ({"Role": None, "Roles": "x", "resource_changes": [7], "planned_values": [], "deployment": 7, "steps": [None]}, []),
        ({"deployment": {"resources": [pulumi({"assumeRolePolicy": {**SECRET, "plaintext": "{"}})]}}, [Located(URN, None, None)]),
    ],
)  # fmt: skip
def test_policies_are_found_in_each_format(document, expected):
    """With the role's ARN if it is known, and None for a policy that isn't known yet."""
    assert find_trust_policies(document) == expected


@pytest.mark.parametrize(
    ("statement", "permission"),
    [
        ({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, True),
        ([{"Effect": "Allow", "Action": "s3:*", "NotResource": "a"}], True),
        ([{"Effect": "Allow", "Action": "sts:*", "Principal": "*"}], False),
        ([{"Action": "s3:*", "Resource": "*"}, {"Action": "sts:*", "Principal": "*"}], False),
        ([{"Action": "s3:*", "Resource": "*", "NotPrincipal": "*"}], False),
        ("text", False),
    ],
)
def test_a_permission_policy_is_no_trust_policy(statement, permission):
    """Its statements have resources and no principal: they say what may be done, not who may do it."""
    assert is_permission_policy({"Statement": statement}) is permission


@pytest.mark.parametrize("key", ["Role", "Roles", "resource_changes", "values", "deployment", "steps"])
def test_a_document_without_roles_is_recognised(key):
    """An empty plan, state or answer could have had roles."""
    assert is_recognised({key: None})
    assert not is_recognised({"name": key})


@pytest.mark.parametrize(
    ("document", "places"),
    [
        ({"RoleName": "a", "AssumeRolePolicyDocument": {"Statement": []}}, ["a"]),
        ({"values": {"root_module": {"resources": [{"type": "aws_s3_bucket", "address": "b"}]}}}, []),
    ],
)
def test_a_role_alone_is_read_and_other_resources_are_not(document, places):
    """A role needs no envelope of `get-role`; a bucket has no trust policy."""
    assert [located.place for located in find_trust_policies(document)] == places
