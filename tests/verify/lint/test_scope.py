"""Which statements `lint` takes for ones about tokens of Pulumi Cloud, and odd documents."""

import pytest

from esc_oidc.verify import lint
from tests.support.policies import AUD, LOGIN, STATEMENT, SUB, conditions


def rules(**elements):
    statement = {**STATEMENT, **elements}
    statement = {name: value for name, value in statement.items() if value is not None}
    return {finding.rule for finding in lint({"Version": "2012-10-17", "Statement": [statement]})}


def test_a_wildcard_in_an_audience_under_string_equals_is_literal():
    """`*` is no wildcard there: nobody has such an audience."""
    assert rules(**conditions(aud="aws:*")) == {"wildcard-literal"}


def test_not_action_allows_everything_else():
    """An Allow with NotAction lets the token do all but what it lists."""
    assert rules(Action=None, NotAction="sts:AssumeRole") == {"action-wide"}


def test_a_document_that_is_nested_too_deep_is_a_finding():
    """A hostile document is not read, and brings nothing down."""
    deep = []
    for _ in range(50_000):
        deep = [deep]
    for policy in (
        '{"Statement":' + "[" * 100_000,
        *({"Statement": [{**STATEMENT, name: deep}]} for name in STATEMENT),
    ):
        assert [finding.rule for finding in lint(policy)] == ["unreadable"]


def test_a_name_that_no_environment_has_is_found_beside_a_wildcard():
    """The part of a pattern that is fixed has to be a name, too."""
    found = rules(**conditions(like=f"{LOGIN}:currentEnvironment.name:na me:pulumi.user.login:*"))
    assert "subject-form" in found


def test_what_aws_leaves_open_is_said_beside_what_is_wrong():
    """A condition that cannot be decided does not hide the rules that are broken."""
    undecided = {"ForAnyValue:StringEqualsIfExists": {"aws:x": "a"}}
    condition = {"StringEquals": {AUD: "aws:contoso"}, "StringLike": {SUB: "*"}, **undecided}
    assert {"undefined", "subject-any"} <= rules(Condition=condition)


@pytest.mark.parametrize("action", ["sts:AssumeRole", ["sts:AssumeRole", "sts:TagSession"]])
@pytest.mark.parametrize("principal", [{"AWS": "arn:aws:iam::123456789012:role/pulumi-deployer"}, {"AWS": "*"}])
def test_who_assumes_a_role_without_a_token_is_left_alone(action, principal):
    """A role that is called after Pulumi, or anybody of an organization: not about tokens, so not judged."""
    condition = {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3"}}
    assert rules(Principal=principal, Action=action, Condition=condition) == {"other-issuer"}


def test_what_only_sounds_like_pulumi_is_left_alone():
    """An external ID, a tag or a SAML provider of that name: nothing that tokens of Pulumi Cloud have."""
    account = {"AWS": "arn:aws:iam::123456789012:root"}
    for condition in ({"sts:ExternalId": "pulumi:contoso"}, {"aws:PrincipalTag/pulumi-project": "x"}):
        found = rules(Principal=account, Action="sts:AssumeRole", Condition={"StringEquals": condition})
        assert found == {"other-issuer"}
    saml = {"Federated": "arn:aws:iam::123456789012:saml-provider/pulumi"}
    condition = {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}
    assert rules(Principal=saml, Action="sts:AssumeRoleWithSAML", Condition=condition) == {"other-issuer"}


def test_a_role_for_everybody_is_found_whatever_the_action():
    """Without any condition anyone in AWS gets in."""
    found = rules(Principal={"AWS": "*"}, Action="sts:AssumeRole", Condition=None)
    assert "principal-wide" in found
