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
    """The pack finds what `lint` finds in the bad example of every rule."""
    text = json.dumps(example(elements))
    assert judge(text, ROLE) == tuple(finding for finding in lint(text, ROLE) if finding.rule != NOTE)
    assert judge(text, ROLE)


@pytest.mark.parametrize(("elements", "rule"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_every_bad_policy_is_found(elements, rule):
    """The finding has the rule that the policy breaks."""
    assert rule in rules(example(elements), ROLE)


def test_a_sound_policy_breaks_no_rule():
    """A statement that admits one environment is fine."""
    assert judge(json.dumps(document(STATEMENT)), ROLE) == ()


@pytest.mark.parametrize("statement", OTHERS.values(), ids=OTHERS)
def test_roles_that_do_not_trust_pulumi_cloud_pass(statement):
    """The pack ignores other issuers, services and callers, whatever their names."""
    assert judge(json.dumps(document(statement)), ROLE) == ()


@pytest.mark.parametrize("statement", OTHERS.values(), ids=OTHERS)
def test_other_statements_of_a_role_pass(statement):
    """They are ignored beside a statement about Pulumi Cloud, which is judged."""
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
def test_statements_about_tokens_are_judged(statement):
    """The principal, the action or a condition can show that tokens of Pulumi Cloud are meant."""
    assert judge(json.dumps(document(statement)), ROLE)


def test_unreadable_documents_are_judged_if_they_name_pulumi():
    """A broken document is an error only if it is about Pulumi Cloud."""
    assert {finding.rule for finding in judge(f'{{"Statement": ["{PROVIDER}"')} == {"unreadable"}
    assert judge('{"Statement": ["arn:aws:iam::123456789012:role/pulumi-deployer"') == ()


def test_the_roles_arn_reveals_providers_of_other_accounts():
    """Without it, accounts aren't compared."""
    text = json.dumps(document(STATEMENT))
    assert judge(text) == ()
    elsewhere = judge(text, "arn:aws:iam::210987654321:role/esc")
    assert [finding.rule for finding in elsewhere] == ["principal-account"]
