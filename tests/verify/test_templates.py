"""CloudFormation's functions are resolved as far as the template says; the rest is named."""

import pytest

from esc_oidc.verify import find_trust_policies, lint_located
from tests.support.policies import STATEMENT

PROVIDER = {"Type": "AWS::IAM::OIDCProvider", "Properties": {"Url": "https://api.pulumi.com/oidc"}}
ARN = "arn:⟦AWS::Partition⟧:iam::⟦AWS::AccountId⟧:oidc-provider/api.pulumi.com/oidc"


def found(principal, **resources):
    """The one role of a template in which this stands for the provider."""
    statement = {**STATEMENT, "Principal": {"Federated": principal}}
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": [statement]}}}
    (role,) = find_trust_policies({"Resources": {"Role": role, **resources}})
    return role


@pytest.mark.parametrize(
    ("function", "text"),
    [
        ("plain", "plain"),
        (7, 7),
        ({"Ref": "Provider"}, ARN),
        ({"Fn::GetAtt": ["Provider", "Arn"]}, ARN),
        ({"Fn::GetAtt": "Provider.Arn"}, ARN),
        ({"Fn::GetAtt": "Provider.Url"}, "⟦Provider.Url⟧"),
        ({"Fn::GetAtt": 7}, "⟦7⟧"),
        ({"Ref": "Custom"}, ARN),
        ({"Ref": "Odd"}, "⟦Odd⟧"),
        ({"Ref": "Empty"}, "⟦Empty⟧"),
        ({"Ref": "Parameter"}, "⟦Parameter⟧"),
        ({"Fn::Sub": "a${Provider}b"}, f"a{ARN}b"),
        ({"Fn::Sub": "${Provider.Arn}"}, ARN),
        ({"Fn::Sub": "${!aws:username}/${ Name }"}, "${aws:username}/⟦Name⟧"),
        ({"Fn::Sub": ["${a}-${b}-${c}", {"a": "x", "b": {"Ref": "B"}, "c": ["y"]}]}, "x-⟦B⟧-⟦c⟧"),
        ({"Fn::Sub": ["${a}"]}, "⟦Fn::Sub⟧"),
        ({"Fn::Join": ["", ["a", {"Ref": "B"}]]}, "a⟦B⟧"),
        ({"Fn::Join": ["", {"Ref": "List"}]}, "⟦Fn::Join⟧"),
        ({"Fn::Join": "odd"}, "⟦Fn::Join odd⟧"),
        ({"Fn::ImportValue": "shared"}, "⟦Fn::ImportValue shared⟧"),
        ({"Fn::If": ["ForPeople", "a", "b"]}, "⟦Fn::If ForPeople⟧"),
        ({"Fn::FindInMap": [{"Ref": "Map"}, "a", "b"]}, "⟦Fn::FindInMap⟧"),
        ({"Fn::If": []}, "⟦Fn::If⟧"),
        ({"Fn::ToJsonString": {"a": {"Ref": "B"}}}, {"a": "⟦B⟧"}),
        ([{"Fn::If": ["Is", "a", {"Ref": "AWS::NoValue"}]}], ["a"]),
        ([{"Fn::If": ["Is", {"Fn::If": ["Not", "b", "c"]}, "d"]}, "e"], ["b", "c", "d", "e"]),
        ([{"Fn::If": "odd"}], ["⟦Fn::If odd⟧"]),
        ({"a": {"Ref": "AWS::NoValue"}, "b": "c"}, {"b": "c"}),
    ],
)  # fmt: skip  # one case a line
def test_functions_give_text_or_placeholders(function, text):
    """An identity provider of the same template has an ARN that can be foretold; parameters and imports have none."""
    resources = {
        "Provider": PROVIDER,
        "Custom": {**PROVIDER, "Type": "Custom::AWSCDKOpenIdConnectProvider"},
        "Odd": {"Type": "AWS::IAM::OIDCProvider"},
        "Empty": {"Type": "AWS::IAM::OIDCProvider", "Properties": {"Url": 7}},
    }
    assert found(function, **resources).policy["Statement"][0]["Principal"]["Federated"] == text


@pytest.mark.parametrize("policy", [{"Ref": "Policy"}, {"Fn::Transform": {"Name": "AWS::Include"}}, 7])
def test_a_policy_that_is_open_as_a_whole_is_unknown(policy):
    """What it depends on is named all the same."""
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": policy}}
    (found,) = find_trust_policies({"Resources": {"Role": role}})
    assert found.policy is None
    assert found.placeholders


def test_text_in_the_policy_is_resolved():
    """A policy may be the text of `!Sub`, with placeholders in it."""
    role = {"AssumeRolePolicyDocument": {"Fn::Sub": '{"Statement": ["${Name}"]}'}}
    (found,) = find_trust_policies({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": role}}})
    assert (found.policy, found.placeholders) == ('{"Statement": ["⟦Name⟧"]}', ("Name",))


KEY = "api.pulumi.com/oidc"
SUBJECT = "pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name:aws/dev"
BLOCK = {
    "sid": "Esc",
    "actions": ["sts:AssumeRoleWithWebIdentity"],
    "principals": {"type": "Federated", "identifiers": ["${aws_iam_openid_connect_provider.pulumi.arn}"]},
    "condition": [
        {"test": "StringEquals", "variable": f"{KEY}:aud", "values": ["aws:contoso"]},
        {"test": "StringEquals", "variable": f"{KEY}:sub", "values": [SUBJECT]},
        {"test": "StringEquals", "variable": f"{KEY}:sub", "values": [f"{SUBJECT}:pulumi.user.login:${{var.user}}"]},
    ],
}


def of_terraform(document, reference="${data.aws_iam_policy_document.assume.json}"):
    """The one role of a `.tf.json` file that refers to this policy document."""
    (role,) = find_trust_policies({
        "data": [{"aws_iam_policy_document": {"assume": document}}],
        "resource": {
            "aws_iam_role": {"r": {"assume_role_policy": reference}},
            "aws_iam_openid_connect_provider": {"pulumi": {"url": f"https://{KEY}"}},
        },
    })  # fmt: skip
    return role


@pytest.mark.parametrize(
    "reference",
    [
        "${data.aws_iam_policy_document.assume.json}",
        "${ data.aws_iam_policy_document.assume.minified_json }",
        "${data.aws_iam_policy_document.assume[0].json}",
        '${data.aws_iam_policy_document.assume["dev"].json}',
    ],
)
def test_a_policy_document_of_terraform_is_resolved(reference):
    """Its blocks become statements; an identity provider of the same file is known, other expressions are named."""
    role = of_terraform({"statement": [BLOCK]}, reference)
    assert role.policy == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Esc",
                "Effect": "Allow",
                "Principal": {"Federated": [ARN]},
                "Action": ["sts:AssumeRoleWithWebIdentity"],
                "Condition": {
                    "StringEquals": {
                        f"{KEY}:aud": ["aws:contoso"],
                        f"{KEY}:sub": [SUBJECT, f"{SUBJECT}:pulumi.user.login:⟦var.user⟧"],
                    }
                },
            }
        ],
    }
    assert role.placeholders == ("AWS::Partition", "AWS::AccountId", "var.user")


def test_a_policy_document_of_terraform_is_judged():
    """A wide one is found, in whichever of Terraform's forms its blocks stand."""
    wide = {**BLOCK, "effect": "Allow", "condition": {**BLOCK["condition"][0], "values": "aws:contoso"}}
    for document in ({"statement": wide}, {"statement": [wide], "version": "2012-10-17"}):
        judged = lint_located(of_terraform(document))
        assert "subject-missing" in {finding.rule for finding in judged.findings}
        assert judged.placeholders == ()
    deny = {"effect": "Deny", "not_actions": ["sts:TagSession"], "principals": [{"type": "*", "identifiers": ["*"]}]}
    policy = of_terraform({"statement": [BLOCK, deny]}).policy
    assert policy["Statement"][1] == {"Effect": "Deny", "Principal": "*", "NotAction": ["sts:TagSession"]}
    variable = {**BLOCK, "condition": [{**BLOCK["condition"][1], "values": ["a&{aws:username}$${x}"]}]}
    condition = of_terraform({"statement": variable}).policy["Statement"][0]["Condition"]
    assert condition["StringEquals"][f"{KEY}:sub"] == ["a${aws:username}${x}"]


@pytest.mark.parametrize(
    "document",
    [
        {"statement": [BLOCK], "source_policy_documents": ["${local.base}"]},
        {"statement": [BLOCK], "override_policy_documents": []},
        {"statement": ["${local.statement}"]},
        {"statement": "${local.statements}"},
        {"statement": [{**BLOCK, "principals": "${local.who}"}]},
        {"statement": [{**BLOCK, "condition": ["${local.when}"]}]},
        {"statement": [{**BLOCK, "dynamic": {"condition": {}}}]},
        {"dynamic": {"statement": {}}},
    ],
)
def test_a_policy_document_that_is_made_elsewhere_is_a_placeholder(document):
    """What else goes into it only a plan knows."""
    role = of_terraform(document)
    assert (role.policy, role.placeholders) == (None, ("data.aws_iam_policy_document.assume.json",))
    other = of_terraform({"statement": [BLOCK]}, "${data.aws_iam_policy_document.other.json}")
    assert other.placeholders == ("data.aws_iam_policy_document.other.json",)
