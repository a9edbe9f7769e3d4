"""Which statements `lint` takes for ones about tokens of Pulumi Cloud, and odd documents."""

import pytest

from esc_oidc.verify import lint
from tests.support.policies import AUD, LOGIN, STATEMENT, SUB, conditions


def rules(**elements):
    statement = {**STATEMENT, **elements}
    statement = {name: value for name, value in statement.items() if value is not None}
    return {finding.rule for finding in lint({"Version": "2012-10-17", "Statement": [statement]})}


def test_a_wildcard_in_an_audience_under_string_equals_is_literal():
    """No token has such an audience."""
    assert rules(**conditions(aud="aws:*")) == {"wildcard-literal"}


def test_not_action_allows_everything_else():
    """An Allow with NotAction permits everything except what it lists."""
    assert rules(Action=None, NotAction="sts:AssumeRole") == {"action-wide"}


def test_a_document_nested_too_deeply_is_a_finding():
    """A hostile document causes no crash."""
    deep = []
    for _ in range(50_000):
        deep = [deep]
    for policy in (
        '{"Statement":' + "[" * 100_000,
        *({"Statement": [{**STATEMENT, name: deep}]} for name in STATEMENT),
    ):
        assert [finding.rule for finding in lint(policy)] == ["unreadable"]


def test_an_impossible_name_is_found_beside_a_wildcard():
    """The fixed part of a pattern has to be a valid name."""
    found = rules(**conditions(like=f"{LOGIN}:currentEnvironment.name:na me:pulumi.user.login:*"))
    assert "subject-form" in found


def test_undefined_behaviour_does_not_hide_broken_rules():
    """Both are reported."""
    undecided = {"ForAnyValue:StringEqualsIfExists": {"api.pulumi.com/oidc:amr": "a"}}
    condition = {"StringEquals": {AUD: "aws:contoso"}, "StringLike": {SUB: "*"}, **undecided}
    assert {"undefined", "subject-any"} <= rules(Condition=condition)


@pytest.mark.parametrize("action", ["sts:AssumeRole", ["sts:AssumeRole", "sts:TagSession"]])
@pytest.mark.parametrize("principal", [{"AWS": "arn:aws:iam::123456789012:role/pulumi-deployer"}, {"AWS": "*"}])
def test_callers_without_a_token_are_not_judged(action, principal):
    """A role named after Pulumi, or everybody in an AWS organization, isn't about tokens."""
    condition = {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3"}}
    assert rules(Principal=principal, Action=action, Condition=condition) == {"other-issuer"}


def test_names_that_only_sound_like_pulumi_are_not_judged():
    """An external ID, a tag or a SAML provider can have such a name."""
    account = {"AWS": "arn:aws:iam::123456789012:root"}
    for condition in ({"sts:ExternalId": "pulumi:contoso"}, {"aws:PrincipalTag/pulumi-project": "x"}):
        found = rules(Principal=account, Action="sts:AssumeRole", Condition={"StringEquals": condition})
        assert found == {"other-issuer"}
    saml = {"Federated": "arn:aws:iam::123456789012:saml-provider/pulumi"}
    condition = {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}
    assert rules(Principal=saml, Action="sts:AssumeRoleWithSAML", Condition=condition) == {"other-issuer"}


def test_a_role_for_everybody_is_found_whatever_the_action():
    """Without a condition, anyone in AWS gets in."""
    found = rules(Principal={"AWS": "*"}, Action="sts:AssumeRole", Condition=None)
    assert "principal-wide" in found
