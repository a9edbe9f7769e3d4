"""`lint`: every rule, wherever in the document it is broken, and silence about what is right."""

import json
import pickle
from copy import deepcopy

import pytest

from esc_oidc.trust import provider_arn, trust_policy
from esc_oidc.verify import RULES, Finding, lint
from tests.support.inputs import plan
from tests.support.policies import AUD, BAD, DEV, LOGIN, PROVIDER, STATEMENT, SUB, conditions, example
from tests.support.shapes import ANY, ANY_IN_PROJECT, ANY_STACK, OMIT, ROOT, USER, shapes

ROLE = "arn:aws:iam::123456789012:role/esc"
BASE = {"organization": "contoso", "project": "aws", "environment": "dev"}
GITHUB = {
    **STATEMENT,
    "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},
    "Condition": {
        "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
        "StringLike": {"token.actions.githubusercontent.com:sub": "*"},
    },
}


def rules(policy, role=ROLE):
    """The ids of what was found."""
    return {finding.rule for finding in lint(policy, role)}


def errors(policy):
    """The errors that were found."""
    return [finding for finding in lint(policy, ROLE) if finding.severity == "error"]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_each_rule_has_a_bad_and_a_good_example(rule):
    """The bad example breaks the rule, with the rule's severity; the good one does not."""
    found = [finding for finding in lint(example(rule.bad), ROLE) if finding.rule == rule.id]
    assert found
    assert {finding.severity for finding in found} == {rule.severity}
    assert rule.id not in rules(example(rule.good))


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_good_examples_are_good(rule):
    """A good example breaks no rule that is an error."""
    assert errors(example(rule.good)) == []


@pytest.mark.parametrize(("elements", "rule"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_policy_is_found_in_any_position(elements, rule):
    """Alone, as the second statement, and as text, the error has the rule and the statement."""
    policy = example(elements)
    assert rule in {finding.rule for finding in errors(policy)}
    second = {**policy, "Statement": [STATEMENT, *policy["Statement"]]}
    assert 1 in {finding.statement for finding in errors(second) if finding.rule == rule}
    assert lint(json.dumps(second), ROLE) == lint(second, ROLE)


@pytest.mark.parametrize(
    ("elements", "rule"),
    [case[1:] for case in BAD if RULES[case[2]].id.startswith(("subject-", "organization-", "project-", "partial-"))],
)
def test_a_bad_subject_is_found_among_good_ones(elements, rule):
    """The value of `sub` is a list then."""
    condition = deepcopy(elements["Condition"])
    for keys in condition.values():
        if SUB in keys:
            keys[SUB] = [DEV, keys[SUB], f"{DEV}:pulumi.user.login:alice"]
    assert rule in {finding.rule for finding in errors(example({"Condition": condition}))}


def test_a_bad_audience_is_found_among_good_ones():
    """It has a wildcard or is for another cloud."""
    assert "audience-cloud" in rules(example(conditions(aud=["aws:contoso", "azure:contoso"])))
    like = {"StringEquals": {SUB: DEV}, "StringLike": {AUD: ["aws:contoso", "aws:*"]}}
    assert "audience-wildcard" in rules(example({"Condition": like}))


@pytest.mark.parametrize("operator", ["StringLike", "StringLikeIfExists", "ForAllValues:StringLike"])
@pytest.mark.parametrize(
    ("claim", "value", "rule"),
    [
        (SUB, "pulumi:environments:org:contoso:env:*", "organization-wide"),
        (SUB, f"{LOGIN}:currentEnvironment.name:aws/*", "project-wide"),
        (SUB, "pulumi:deploy:org:contoso:project:core:*", "stacks-wide"),
        (SUB, "pulumi:environments:*", "organization-open"),
        (SUB, "*", "subject-any"),
        (AUD, "aws:*", "audience-wildcard"),
    ],
)
def test_a_wildcard_is_one_under_every_form_of_stringlike(operator, claim, value, rule):
    """Set operators and IfExists do not turn a pattern into a literal."""
    condition = {"StringEquals": {AUD: "aws:contoso", SUB: DEV}, operator: {claim: value}}
    del condition["StringEquals"][claim]
    found = {finding.rule for finding in lint(example({"Condition": condition}))}
    assert rule in found
    assert "wildcard-literal" not in found


def test_what_the_component_emits_has_no_error():
    """No shape without a `dangerously_` input has a finding of severity error."""
    for inputs in shapes():
        policy = trust_policy(plan(inputs).trust, PROVIDER)
        assert [finding for finding in errors(policy) if finding.rule != "too-long"] == [], inputs


def test_the_default_has_no_findings():
    """The same holds with named users, teams and environments."""
    for more in ({}, {"allowed_users": ["alice"]}, {"allowed_teams": ["ops"], "allowed_environments": ["gcp/dev"]}):
        assert lint(trust_policy(plan(BASE | more).trust, PROVIDER), ROLE) == []


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({ANY: True}, {"organization-wide", "admits-strangers"}),
        ({ANY: True, "project": "default"}, {"organization-wide", "admits-strangers", "legacy-audience"}),
        ({ANY_IN_PROJECT: True}, {"project-wide"}),
        ({ANY_IN_PROJECT: True, "allowed_environments": ["gcp/dev"]}, {"project-wide"}),
        ({ANY_IN_PROJECT: True, "allowed_users": ["alice"]}, {"project-wide", "middle-wildcard"}),
        ({OMIT: True, "subject_attributes": [ROOT]}, {"current-environment-missing"}),
        (
            {OMIT: True, "subject_attributes": [USER], "allowed_users": ["alice"]},
            {"current-environment-missing"},
        ),
        ({OMIT: True, "subject_attributes": []}, {"without-attributes"}),
        ({OMIT: True, ANY_STACK: True, "subject_attributes": []}, {"without-attributes", "yaml-subject"}),
    ],
    ids=lambda value: str(sorted(value)) if isinstance(value, set) else str(value),
)
def test_each_dangerous_input_is_found(inputs, expected):
    """The findings say who gets in because of it, and there are no others."""
    assert rules(trust_policy(plan(BASE | inputs).trust, PROVIDER)) == expected


@pytest.mark.parametrize("account", ["123456789012", "999999999999"])
def test_the_roles_arn_reveals_another_account_or_partition(account):
    """Without the role's ARN nothing is compared."""
    policy = trust_policy(plan(BASE).trust, provider_arn("https://api.pulumi.com/oidc", account))
    assert rules(policy, None) == set()
    assert rules(policy) == (set() if account == "123456789012" else {"principal-account"})
    assert "principal-partition" in rules(policy, ROLE.replace("arn:aws:", "arn:aws-cn:"))


def test_a_malformed_role_arn_is_the_callers_mistake():
    """It is refused, not ignored."""
    with pytest.raises(ValueError, match="not the ARN of a role"):
        lint(example({}), "esc")


def test_other_issuers_get_only_a_note():
    """The linter doesn't judge a GitHub policy, however wide, and says so."""
    (note,) = lint({"Version": "2012-10-17", "Statement": GITHUB}, ROLE)
    assert (note.rule, note.severity) == ("other-issuer", "warning")
    both = lint({"Version": "2012-10-17", "Statement": [GITHUB, STATEMENT]}, ROLE)
    assert [(finding.rule, finding.statement) for finding in both] == [("other-issuer", 0)]


def test_a_service_role_is_not_judged():
    """It has nothing to do with tokens."""
    statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    assert rules({"Version": "2012-10-17", "Statement": statement}) == {"other-issuer"}


def test_a_deny_narrows_and_may_use_any_operator():
    """A Deny of everything else is fine; one with a key that never exists is a finding."""
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRoleWithWebIdentity"}
    narrow = {**deny, "Condition": {"StringNotEquals": {SUB: DEV}}}
    assert lint({"Version": "2012-10-17", "Statement": [STATEMENT, narrow]}, ROLE) == []
    wrong = {**deny, "Condition": {"StringNotEquals": {f"https://{SUB}": DEV}}}
    assert rules({"Version": "2012-10-17", "Statement": [STATEMENT, wrong]}) == {"key-scheme"}
    assert rules({"Version": "2012-10-17", "Statement": [STATEMENT, deny]}) == {"never-matches"}


@pytest.mark.parametrize(
    "policy",
    ["", "{}", "[]", "nonsense", None, 7, [], {}, {"Statement": "x"}, {"Statement": [None]}, "[" * 100_000,
     {"Statement": [{**STATEMENT, "Condition": {"StringEquals": {SUB: {"a": 1}}}}]},
     {"Statement": [{**STATEMENT, "NotPrincipal": "*"}]}, '{"Statement": [], "Statement": []}'],
    ids=lambda policy: str(policy)[:30],
)  # fmt: skip
def test_an_unreadable_document_is_a_finding(policy):
    """It is one finding, `unreadable`, and never an exception."""
    (finding,) = lint(policy, ROLE)
    assert (finding.rule, finding.severity, finding.statement) == ("unreadable", "error", None)


@pytest.mark.parametrize(
    "elements",
    [
        {},
        {"Principal": {"Federated": [PROVIDER]}},
        {"Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]},
        conditions([DEV, f"{DEV}:pulumi.user.login:alice"]),
        conditions(like=[DEV]),
        conditions(f"{LOGIN}:currentEnvironment.name:dev", "contoso"),
        conditions("pulumi:deploy:org:contoso:project:Core:stack:dev:operation:update:scope:write", "contoso"),
        conditions("pulumi:environments:org:contoso:env:aws/dev"),
        conditions(aud="contoso", like="pulumi:deploy:org:contoso:project:Core:stack:dev:*"),
        conditions(aud="contoso", like="pulumi:deploy:org:contoso:project:Core:stack:dev:operation:update:*"),
        conditions("pulumi:environments:org:contoso:env:development", "contoso"),
        conditions(f"{LOGIN}:currentEnvironment.name:project/development:pulumi.user.login:personA"),
        {"Condition": {**conditions()["Condition"], "IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}},
        {"Condition": {"StringEquals": {AUD.upper(): "aws:contoso", SUB.upper(): DEV}}},
    ],
    ids=str,
)
def test_a_good_policy_has_no_error(elements):
    """Named environments and stacks of one organization pass in every documented form."""
    assert errors(example(elements)) == []


def test_a_self_hosted_issuer_is_judged_if_its_tokens_look_like_pulumis():
    """HOST/oidc counts as Pulumi if audiences or subjects do, or if there are no conditions."""
    path = "login.example.com/oidc"
    principal = {"Federated": f"arn:aws:iam::123456789012:oidc-provider/{path}"}
    wide = {"StringEquals": {f"{path}:aud": "aws:contoso"}}
    assert {"self-hosted", "subject-missing"} <= rules(example({"Principal": principal, "Condition": wide}))
    assert {"self-hosted", "condition-missing"} <= rules(example({"Principal": principal, "Condition": {}}))
    other = {"StringEquals": {f"{path}:aud": "sts.amazonaws.com"}}
    assert rules(example({"Principal": principal, "Condition": other})) == {"other-issuer"}


def test_upper_case_in_an_organization_is_a_warning():
    """In a subject as in a pattern."""
    sub = "pulumi:environments:pulumi.organization.login:Contoso:currentEnvironment.name:aws/dev"
    assert rules(example(conditions(sub, "aws:Contoso"))) == {"upper-case"}
    assert rules(example(conditions(aud="aws:Contoso", like=f"{sub}:*"))) == {"upper-case", "open-end"}


def test_a_wide_principal_for_another_issuer_is_not_judged():
    """Its conditions are on another issuer's keys, so it isn't about Pulumi Cloud."""
    assert rules({"Version": "2012-10-17", "Statement": {**GITHUB, "Principal": "*"}}) == {"other-issuer"}


def test_a_finding_reads_as_one_line():
    """As text it has severity, rule, place, message and fix."""
    (finding,) = lint(example({"Condition": {"StringEquals": {SUB: DEV}}}))
    assert isinstance(finding, Finding)
    assert str(finding) == (
        'error audience-missing: statement 0: nothing limits `aud`. Add "api.pulumi.com/oidc:aud": '
        '"aws:contoso" under StringEquals.'
    )


def test_a_finding_is_data():
    """Findings compare by content and can be pickled."""
    (finding,) = lint(example(conditions(aud="azure:contoso")))
    assert pickle.loads(pickle.dumps(finding)) == finding  # noqa: S301 - our own bytes
    assert lint(example({"Condition": {}})) == lint(json.dumps(example({"Condition": {}})))
