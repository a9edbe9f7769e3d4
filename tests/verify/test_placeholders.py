"""A policy with placeholders is judged as far as it can be, and never passes for sound."""

import json
import re

import pytest

from esc_oidc.verify import Located, lint, lint_located
from tests.support.policies import DEV, LOGIN, PROVIDER, STATEMENT, conditions, example

ACCOUNT = PROVIDER.replace("123456789012", "⟦AWS::AccountId⟧")
GITHUB = "token.actions.githubusercontent.com"
ISSUER = "api.pulumi.com/oidc"


def located(elements, *names):
    """A role's policy with these placeholders."""
    return Located("role", example(elements), None, placeholders=names)


def rules(judged):
    """The rules that were broken for certain."""
    return {finding.rule for finding in judged.findings}


@pytest.mark.parametrize(
    "principal",
    [
        ACCOUNT,
        ACCOUNT.replace("arn:aws:", "arn:⟦AWS::Partition⟧:"),
        ACCOUNT.replace("AWS::AccountId", "Account").replace("arn:aws:", "arn:⟦Partition⟧:"),
    ],
)
def test_an_open_account_does_not_matter(principal):
    """Who gets in is the same in every account and partition, so the policy is judged in full."""
    sound = lint_located(located({"Principal": {"Federated": principal}}, "AWS::AccountId"))
    assert (sound.findings, sound.placeholders) == ([], ())
    wide = lint_located(located({"Principal": {"Federated": principal}, **conditions(like="*")}, "AWS::AccountId"))
    assert "subject-any" in rules(wide)
    assert wide.placeholders == ()


@pytest.mark.parametrize(
    ("elements", "name"),
    [
        (conditions("⟦Subject⟧"), "Subject"),
        (conditions(DEV.replace("contoso", "⟦Org⟧"), "aws:⟦Org⟧"), "Org"),
        (conditions(aud="⟦Audience⟧"), "Audience"),
        (conditions(aud="aws:⟦Org⟧"), "Org"),
        ({"Principal": {"Federated": "⟦Provider⟧"}}, "Provider"),
        ({"Principal": {"Federated": ["⟦Provider⟧"]}}, "Provider"),
        ({"Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/⟦Issuer⟧"}}, "Issuer"),
        ({"Action": "⟦Action⟧"}, "Action"),
        (
            {
                "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/⟦Issuer⟧"},
                "Condition": {"StringEquals": {"⟦Issuer⟧:aud": "aws:contoso", "⟦Issuer⟧:sub": DEV}},
            },
            "Issuer",
        ),
    ],
)
def test_what_matters_makes_the_policy_unknown(elements, name):
    """It may be sound, so nothing is wrong for certain; and it may not, so it does not pass."""
    judged = lint_located(located(elements, name))
    assert judged.findings == []
    assert judged.placeholders == (name,)


def test_what_is_wrong_for_any_value_is_found():
    """The whole organization is the whole organization, whatever its name; the finding names the placeholder."""
    judged = lint_located(located(conditions(like=f"{LOGIN.replace('contoso', '⟦Org⟧')}:*", aud="aws:⟦Org⟧"), "Org"))
    assert "organization-wide" in rules(judged)
    assert judged.placeholders == ("Org",)
    assert any("${Org}" in finding.message for finding in judged.findings)
    assert not any("placeholder" in finding.message for finding in judged.findings)


@pytest.mark.parametrize(
    "elements",
    [
        {"Principal": {"AWS": "⟦Admin⟧"}, "Action": "sts:AssumeRole", "Condition": {}},
        {"Principal": {"Service": "ec2.⟦AWS::URLSuffix⟧"}, "Action": "sts:AssumeRole", "Condition": {}},
        {"Principal": {"Federated": "⟦GitHub⟧"}, "Condition": {"StringLike": {f"{GITHUB}:sub": "repo:contoso/*"}}},
        {
            "Principal": {"Federated": "arn:aws:iam::⟦AWS::AccountId⟧:oidc-provider/⟦Cluster⟧"},
            "Condition": {"StringEquals": {"⟦Cluster⟧:sub": "system:serviceaccount:default:app"}},
        },
    ],
)
def test_roles_of_others_are_no_concern(elements):
    """They are left alone with the same note as without placeholders."""
    judged = lint_located(located(elements, "AWS::AccountId"))
    assert (rules(judged), judged.placeholders) == ({"other-issuer"}, ())


def test_statements_of_others_do_not_matter():
    """Nor do names: the statement about Pulumi Cloud is judged in full."""
    other = {"Effect": "Allow", "Principal": {"AWS": "⟦Admin⟧"}, "Action": "sts:AssumeRole"}
    policy = example({"Statement": [{**STATEMENT, "Sid": "⟦Name⟧"}, other]})
    judged = lint_located(Located("role", policy, None, placeholders=("Admin", "Name")))
    assert (rules(judged), judged.placeholders) == ({"other-issuer"}, ())


def test_a_single_statement_needs_no_list():
    """AWS takes both forms."""
    policy = example({"Statement": {**STATEMENT, **conditions("⟦Subject⟧")}})
    assert lint_located(Located("role", policy, None, placeholders=("Subject",))).placeholders == ("Subject",)


def test_a_statement_that_is_open_as_a_whole_is_unknown():
    """Whatever it says, it counts."""
    policy = example({"Statement": [STATEMENT, "⟦Statement⟧"]})
    judged = lint_located(Located("role", policy, None, placeholders=("Statement",)))
    assert (judged.findings, judged.placeholders) == ([], ("Statement",))


@pytest.mark.parametrize("policy", [None, '{"Statement": ⟦Statement⟧}', '["⟦Statement⟧"]'])
def test_a_policy_that_cannot_be_read_yet_is_unknown(policy):
    """No finding is made up about it."""
    judged = lint_located(Located("role", policy, None, placeholders=("Statement",)))
    assert (judged.findings, judged.placeholders) == ([], ("Statement",))


def test_text_is_judged_like_a_mapping():
    """A template may hold the policy as the text of `!Sub`."""
    policy = json.dumps(example(conditions(like="⟦Subject⟧", aud="aws:contoso")), ensure_ascii=False)
    assert lint_located(Located("role", policy, None, placeholders=("Subject",))).placeholders == ("Subject",)


@pytest.mark.parametrize("arn", ["arn:aws:iam::210987654321:role/esc", None, "unknown"])
def test_without_placeholders_it_is_lint(arn):
    """With the role's ARN, if it is one."""
    policy = example(conditions(like="*"))
    expected = lint(policy, arn if arn != "unknown" else None)
    assert lint_located(Located("role", policy, arn)).findings == expected


@pytest.mark.parametrize("provider", ["⟦Fn::ImportValue Provider⟧", "arn:aws:iam::123456789012:oidc-provider/⟦Issuer⟧"])
def test_a_role_without_any_condition_is_wrong_whoever_the_provider_is(provider):
    """That is known, though the provider is open; with a condition, nothing is."""
    (name,) = re.findall("⟦(.*)⟧", provider)
    bare = {"Principal": {"Federated": provider}, "Condition": {}}
    judged = lint_located(located(bare, name))
    assert rules(judged) == {"condition-missing"}
    assert judged.placeholders == (name,)
    worker = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    judged = lint_located(located({"Statement": [worker, {**STATEMENT, **bare}]}, name))
    assert [(each.rule, each.statement) for each in judged.findings] == [("condition-missing", 1)]
    asking = {"Principal": {"Federated": provider}, "Condition": {"StringEquals": {f"{GITHUB}:aud": "a"}}}
    assert rules(lint_located(located(asking, name))) == {"other-issuer"}
