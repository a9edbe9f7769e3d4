"""Trust policies are found in what tools write, with their place and the role's ARN."""
# ruff: noqa: E501 - a table of cases, one a line

import json
from dataclasses import replace
from urllib.parse import quote

import pytest

from esc_oidc.verify import Located, find_trust_policies, is_recognised, other_policy
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
        ({"Role": {"RoleName": "esc", "AssumeRolePolicyDocument": POLICY, "MaxSessionDuration": "7200"}}, [Located("esc", POLICY, None, 7200)]),
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
        ({"steps": [{"urn": URN, "newState": pulumi({"assumeRolePolicy": TEXT}, urn=None)}]}, [Located(URN, TEXT, None)]),
        ({"steps": [{"newState": pulumi({"assumeRolePolicy": TEXT}, urn=None)}] * 2},
         [Located("steps.0.newState", TEXT, None), Located("steps.1.newState", TEXT, None)]),
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
    found = find_trust_policies(document)
    assert [replace(each, path=()) for each in found] == expected
    for each in found:
        assert each.policy is None or isinstance(at(document, each.path), str | dict)


def at(document, path):
    """What stands at a place of a document."""
    return at(document[path[0]], path[1:]) if path else document


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"Roles": [{}, {"RoleName": "a", "AssumeRolePolicyDocument": POLICY}]}, ("Roles", 1, "AssumeRolePolicyDocument")),
        ([{"x": 1}, POLICY], (1,)),
        ({"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": POLICY}}}}, ("Resources", "R", "Properties", "AssumeRolePolicyDocument")),
        ({"resource": [{"aws_iam_role": [{"r": [{"assume_role_policy": TEXT}]}]}]}, ("resource", 0, "aws_iam_role", 0, "r", 0, "assume_role_policy")),
        ({"checkpoint": {"latest": {"resources": [pulumi({}, {"assumeRolePolicy": TEXT})]}}}, ("checkpoint", "latest", "resources", 0, "outputs", "assumeRolePolicy")),
        ({"configurationItems": [{"configuration": json.dumps({"roleName": "r", "assumeRolePolicyDocument": quote(TEXT)})}]}, ("configurationItems", 0, "configuration")),
        ({"spec": {"name": "r", "assumeRolePolicyDocument": TEXT}}, ("spec", "assumeRolePolicyDocument")),
    ],
)  # fmt: skip
def test_each_policy_has_its_path(document, path):
    """Keys and indexes lead to it in the document, or to the text that holds it."""
    (found,) = find_trust_policies(document)
    assert found.path == path
    assert at(document, path)
    assert found.policy in (POLICY, TEXT)


def state(**more):
    """A role as it is in `terraform.tfstate`."""
    instance = {"attributes": {"assume_role_policy": TEXT, "arn": ARN}, **more.pop("instance", {})}
    resource = {"mode": "managed", "type": "aws_iam_role", "name": "esc", "instances": [instance], **more}
    return {"version": 4, "terraform_version": "1.9.5", "resources": [resource, {"type": "aws_s3_bucket"}]}


@pytest.mark.parametrize(
    ("document", "places"),
    [
        (state(), ["aws_iam_role.esc"]),
        (state(module="module.m", instance={"index_key": 0}), ["module.m.aws_iam_role.esc[0]"]),
        (state(mode="data"), []),
        (state(instance={"deposed": "1234"}), []),
    ],
)
def test_a_state_file_has_addresses(document, places):
    """They are Terraform's own; what is only read, or is to be destroyed, is not judged."""
    assert [located.place for located in find_trust_policies(document)] == places


@pytest.mark.parametrize(
    ("value", "placeholders", "known"),
    [
        (TEXT, (), True),
        (TEXT.replace("contoso", "${var.org}"), ("var.org",), True),
        (TEXT.replace("aws:contoso", '${var.audiences["dev"]}'), ("var.audiences[dev]",), True),
        (TEXT.replace("contoso", "$${aws:username}"), (), True),
        ("${jsonencode({Statement = []})}", ("jsonencode({Statement = []})",), True),
        ("${data.aws_iam_policy_document.a.json}", ("data.aws_iam_policy_document.a.json",), False),
        (None, (), False),
    ],
)
def test_an_expression_of_terraform_is_a_placeholder(value, placeholders, known):
    """`${...}` in a .tf.json file is named; `$${` is a plain `${`."""
    (found,) = find_trust_policies({"resource": {"aws_iam_role": {"r": {"assume_role_policy": value}}}})
    assert found.placeholders == placeholders
    assert (found.policy is not None) is known
    assert "$${" not in str(found.policy)


@pytest.mark.parametrize(
    "metadata", [{"Metadata": {"esc-oidc": {"ignore": {"rule": "because", "other": " ", "third": 3}}}}, {}]
)
def test_a_template_can_ignore_rules(metadata):
    """It names them in the role's metadata, each with its reason, which is empty where there is none."""
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": POLICY}, **metadata}
    (found,) = find_trust_policies({"Resources": {"Role": role, "Odd": 7, "Bucket": {"Type": "AWS::S3::Bucket"}}})
    assert found.ignored == ({"rule": "because", "other": "", "third": ""} if metadata else {})


@pytest.mark.parametrize(
    "element",
    [
        "AssumeRolePolicyDocument",
        "assumeRolePolicyDocument",
        "assume_role_policy_document",
        "assumeRolePolicy",
        "assume_role_policy",
    ],
)
def test_roles_are_found_in_any_other_document(element):
    """Whatever calls a policy as roles do: an operator's manifest, a playbook, an audit event."""
    document = {"spec": [{"deep": {element: TEXT, "tags": [1]}}, {"Statement": 1}]}
    assert find_trust_policies(document) == [Located("spec.0.deep", TEXT, None, path=("spec", 0, "deep", element))]


@pytest.mark.parametrize(
    "document",
    [
        {"version": "tree-0.1", "tree": {"assumeRolePolicyDocument": POLICY}},
        {"definitions": {"AssumeRolePolicyDocument": {"type": "object"}, "text": '{"AssumeRolePolicyDocument"'}},
        {"Resources": {"R": {"Properties": {"AssumeRolePolicyDocument": POLICY}}}},
        {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]},
        [1, "text", None, []],
        "text",
    ],
)
def test_what_only_looks_like_a_role_is_left_alone(document):
    """CDK's tree repeats the templates, a schema has no policies, a resource has a type."""
    assert find_trust_policies(document) == []


PERMISSION = "a permission policy"
RESOURCE = "a resource policy or a resource control policy"


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, PERMISSION),
        ([{"Effect": "Allow", "Action": "s3:*", "NotResource": "a"}], PERMISSION),
        ({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}, PERMISSION),
        ([{"Effect": "Allow", "Action": "sts:*", "Principal": "*"}], None),
        ([{"Action": "s3:*", "Resource": "*"}, {"Action": "sts:*", "Principal": "*"}], None),
        ({"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:List*"], "Resource": "*"}, "a policy of another service (s3)"),
        ([{"Action": "s3:*", "Resource": "*", "NotPrincipal": "*"}], "a policy of another service (s3)"),
        ([{"Principal": "*", "Action": "kms:*", "Resource": "*"}, {"Principal": "*", "Action": "sqs:SendMessage"}], "a policy of another service (kms, sqs)"),
        ({"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}, "a policy of another service (ecr)"),
        ({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}, RESOURCE),
        ({"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRoleWithWebIdentity", "Resource": "*"}, RESOURCE),
        ({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRoleWithWebIdentity", "Resource": "*"}, None),
        ({"Effect": "Allow", "Principal": "*", "Action": "AssumeRoleWithWebIdentity"}, None),
        ({"Effect": "Allow", "Principal": "*", "NotAction": "s3:*"}, None),
        ("text", None),
        ([{"Action": "s3:*", "Resource": "*"}, "text"], None),
        ([], None),
    ],
)  # fmt: skip
def test_policies_of_other_kinds_are_told_apart(statement, kind):
    """Permission policies, and policies of other services' resources: they don't say who may assume a role."""
    assert other_policy({"Statement": statement}) == kind
    assert find_trust_policies({"Statement": statement}) == [] or kind is None


@pytest.mark.parametrize(
    "key",
    [
        "Role",
        "Roles",
        "resource_changes",
        "values",
        "deployment",
        "steps",
        "Resources",
        "configurationItems",
        "resource",
        "checkpoint",
    ],
)
def test_a_document_without_roles_is_recognised(key):
    """An empty plan, state or answer could have had roles."""
    assert is_recognised({key: None})
    assert not is_recognised({"name": key})
    assert not is_recognised([key])


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


@pytest.mark.parametrize(
    ("metadata", "ignored"),
    [
        ({}, {}),
        ({"esc-oidc": {"ignore": {"open-end": " ours "}}}, {"open-end": "ours"}),
        ({"esc-oidc": {"ignore": ["open-end"]}}, {"open-end": ""}),
        ({"esc-oidc": "ignore"}, {"": ""}),
        ({"esc-oidc": {"ignore": True}}, {"": ""}),
        ({"esc-oidc": None}, {"": ""}),
    ],
)
def test_metadata_says_what_to_ignore(metadata, ignored):
    """What has another form is a rule without a name, so that somebody can say so."""
    role = {"Type": "AWS::IAM::Role", "Metadata": metadata}
    role["Properties"] = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}
    (located,) = find_trust_policies({"Resources": {"R": role}})
    assert located.ignored == ignored
