"""Which roles the pack judges, and that it says of them what `lint` says."""

import json

import pytest
from policy.esc_oidc_policy.roles import NOTE, judge

from esc_oidc.verify import RULES, lint
from tests.support.policies import BAD, DEV, PROVIDER, STATEMENT, SUB, conditions, example

ROLE = "arn:aws:iam::123456789012:role/esc"
DEPLOYER = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::123456789012:role/pulumi-deployer"},
    "Action": "sts:AssumeRole",
}
EVERYBODY = {
    "Effect": "Allow",
    "Principal": {"AWS": "*"},
    "Action": "sts:AssumeRole",
    "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}},
}
LAMBDA = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
GITHUB = {
    **STATEMENT,
    "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},
    "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "*"}},
}
OTHERS = {
    "a role named pulumi": DEPLOYER,
    "everybody of an organization": EVERYBODY,
    "lambda": LAMBDA,
    "github": GITHUB,
}


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def rules(policy, role=None):
    """The ids of what was found."""
    return {finding.rule for finding in judge(json.dumps(policy), role)}


@pytest.mark.parametrize("elements", [rule.bad for rule in RULES.values() if rule.id != NOTE], ids=str)
def test_a_broken_rule_is_found(elements):
    """What `lint` finds in the bad example of every rule, the pack finds."""
    text = json.dumps(example(elements))
    assert judge(text, ROLE) == tuple(finding for finding in lint(text, ROLE) if finding.rule != NOTE)
    assert judge(text, ROLE)


@pytest.mark.parametrize(("elements", "rule"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_what_is_bad_is_found(elements, rule):
    """Every policy that must not pass is found, under the rule that says so."""
    assert rule in rules(example(elements), ROLE)


def test_a_sound_policy_breaks_no_rule():
    """A statement that admits one environment is nothing to report."""
    assert judge(json.dumps(document(STATEMENT)), ROLE) == ()


@pytest.mark.parametrize("statement", OTHERS.values(), ids=OTHERS)
def test_roles_that_do_not_trust_pulumi_cloud_pass(statement):
    """Other issuers, services and callers are none of the pack's business, whatever they are named."""
    assert judge(json.dumps(document(statement)), ROLE) == ()


@pytest.mark.parametrize("statement", OTHERS.values(), ids=OTHERS)
def test_other_statements_of_a_role_pass(statement):
    """Beside a statement about Pulumi Cloud they are not judged either, but it is."""
    assert judge(json.dumps(document(STATEMENT, statement)), ROLE) == ()
    bad = {**STATEMENT, **conditions(like="*")}
    assert {finding.statement for finding in judge(json.dumps(document(statement, bad)), ROLE)} <= {None, 1}
    assert "subject-any" in rules(document(statement, bad))


@pytest.mark.parametrize(
    "statement",
    [
        {**EVERYBODY, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {}},
        {**EVERYBODY, "Action": "*", "Condition": {}},
        {"Effect": "Allow", "Principal": "*", "NotAction": "sts:AssumeRole"},
        {**STATEMENT, "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/api.pulumi.com"}},
        {**STATEMENT, "Principal": {"AWS": "123456789012"}},
        {**STATEMENT, "Principal": {"Federated": PROVIDER.replace("api.pulumi.com", "pulumi.contoso.net")}},
        {**DEPLOYER, "Action": "sts:AssumeRoleWithWebIdentity"},
        {**DEPLOYER, "Condition": {"StringEquals": {SUB: DEV}}},
    ],
    ids=[
        "everybody",
        "every action",
        "every action but one",
        "provider without path",
        "account",
        "self-hosted",
        "action",
        "condition",
    ],
)
def test_what_concerns_tokens_is_judged(statement):
    """A principal, an action or a condition that only tokens of Pulumi Cloud can be meant by brings a statement in."""
    assert judge(json.dumps(document(statement)), ROLE)


def test_documents_that_cannot_be_read_are_judged_when_they_name_pulumi():
    """A broken document is an error only where it says that it is about Pulumi Cloud."""
    assert {finding.rule for finding in judge(f'{{"Statement": ["{PROVIDER}"')} == {"unreadable"}
    assert judge('{"Statement": ["arn:aws:iam::123456789012:role/pulumi-deployer"') == ()


def test_the_roles_own_arn_shows_providers_of_other_accounts():
    """Without the role's ARN nothing is said about accounts."""
    text = json.dumps(document(STATEMENT))
    assert judge(text) == ()
    elsewhere = judge(text, "arn:aws:iam::210987654321:role/esc")
    assert [finding.rule for finding in elsewhere] == ["principal-account"]
