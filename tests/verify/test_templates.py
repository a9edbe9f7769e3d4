"""CloudFormation's functions are resolved as far as the template says; the rest is named."""

import pytest

from esc_oidc.verify import find_trust_policies
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
