"""`lint` about statements that silently do nothing: guards that guard nothing, and what a Deny outweighs."""

import pytest

from esc_oidc.trust import Trust
from esc_oidc.verify import UndefinedBehaviour, compile_policy, lint, prove
from tests.support.policies import AUD, DEV, LOGIN, PROVIDER, STATEMENT, SUB, conditions, example

ROLE = "arn:aws:iam::123456789012:role/esc"
DENY = {**STATEMENT, "Effect": "Deny", "Condition": {"StringNotEquals": {SUB: DEV}}}
GITHUB = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
ALICE = f"{DEV}:pulumi.user.login:alice"


def found(*statements, role=ROLE):
    """Rule and statement of what was found."""
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    return {(finding.rule, finding.statement) for finding in lint(policy, role)}


@pytest.mark.parametrize(
    ("elements", "rules"),
    [
        ({}, set()),
        ({"Principal": "*", "Action": "*"}, set()),
        ({"Action": ["sts:*", "sts:TagSession", "sts:AssumeRole"]}, set()),
        ({"Action": "sts:AssumeRoleWithWebIdentiy"}, {"action-unknown"}),
        ({"Action": "sts:AsumeRole*"}, {"action-unknown"}),
        ({"Principal": {"Federated": PROVIDER.replace("1234", "4321")}}, {"principal-account"}),
        ({"Principal": {"Federated": PROVIDER.replace("arn:aws:", "arn:aws-cn:")}}, {"principal-partition"}),
        ({"Principal": {"Federated": f"{PROVIDER}/v2"}}, {"principal-issuer"}),
        ({"Principal": {"Federated": GITHUB}}, {"principal-not-provider"}),
        ({"Principal": {"Federated": PROVIDER.replace("123456789012", "*")}}, {"principal-not-provider"}),
    ],
    ids=str,
)
def test_a_deny_that_does_nothing_is_found(elements, rules):
    """It has a misspelled action or a provider that isn't the role's; a wide Deny is fine."""
    assert found(STATEMENT, {**DENY, **elements}) == {(rule, 1) for rule in rules}


@pytest.mark.parametrize("account", ["*", "12345", "", "12345678901x", "1234567890123"])
def test_a_provider_needs_an_account_of_12_digits(account):
    """With or without the role's ARN, another ARN names no provider."""
    statement = {**STATEMENT, "Principal": {"Federated": PROVIDER.replace("123456789012", account)}}
    for role in (ROLE, None):
        assert found(statement, role=role) == {("principal-not-provider", 0)}


@pytest.mark.parametrize("partition", ["amazon", "", "aws-", "AWS", "*"])
def test_a_provider_needs_a_real_partition(partition):
    """Partitions are named aws and aws-something."""
    statement = {**STATEMENT, "Principal": {"Federated": PROVIDER.replace("arn:aws:", f"arn:{partition}:")}}
    assert found(statement) == {("principal-not-provider", 0)}
    other = {**STATEMENT, "Principal": {"Federated": PROVIDER.replace("arn:aws:", "arn:aws-us-gov:")}}
    assert found(other, role=None) == set()


@pytest.mark.parametrize(
    ("deny", "is_outweighed"),
    [
        ({"Condition": {}}, True),
        ({"Condition": {}, "Action": "sts:Assume*"}, True),
        ({"Condition": {}, "Action": "sts:TagSession"}, False),
        ({"Condition": {}, "Principal": "*"}, True),
        ({"Condition": {}, "Principal": {"Federated": GITHUB}}, False),
        (conditions([DEV, ALICE]), True),
        ({"Condition": {"StringLike": {SUB: "pulumi:*"}}}, True),
        ({"Condition": {"StringNotEquals": {AUD: "aws:fabrikam"}}}, True),
        (conditions(DEV), False),
        ({"Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}}, False),
        ({"Condition": {"Bool": {SUB: "yes"}}}, False),
    ],
    ids=str,
)
def test_an_allow_that_a_deny_outweighs_never_matches(deny, is_outweighed):
    """If its provider, or its every audience and subject, is denied, it lets nobody in."""
    allow = {**STATEMENT, **conditions([DEV, ALICE])}
    assert (("never-matches", 0) in found(allow, {**DENY, **deny})) is is_outweighed


@pytest.mark.parametrize(
    "allow",
    [
        conditions(like=f"{DEV}:*"),
        conditions(f"{DEV}${{aws:username}}"),
        {"Condition": {"StringEquals": {SUB: DEV}}},
        {"Principal": "*"},
        conditions([f"{DEV}{number}" for number in range(1001)]),
    ],
    ids=lambda allow: str(allow)[:90],
)
def test_only_exact_values_are_compared_with_a_deny(allow):
    """Patterns, variables, everybody, and more values than AWS accepts are not."""
    deny = {**DENY, "Condition": {"StringLike": {SUB: "pulumi:*"}}}
    assert ("never-matches", 0) not in found({**STATEMENT, **allow}, deny)


def test_amr_beside_exact_claims_only_narrows():
    """A condition on amr is a warning beside exact aud and sub; elsewhere, and in a Deny, it is an error."""
    amr = {"api.pulumi.com/oidc:amr": "x"}
    exact = {"StringEquals": {AUD: "aws:contoso", SUB: DEV, **amr}}
    (finding,) = lint(example({"Condition": exact}))
    assert (finding.rule, finding.severity) == ("key-amr", "warning")
    open_end = {"StringEquals": {AUD: "aws:contoso", **amr}, "StringLike": {SUB: f"{DEV}:*"}}
    assert ("key-claim", 0) in found({**STATEMENT, "Condition": open_end})
    assert found(STATEMENT, {**DENY, "Condition": exact}) == {("key-claim", 1)}


def test_an_empty_principal_is_unreadable():
    """`Principal: {}` names nobody, and IAM doesn't store it."""
    policy = example({"Principal": {}})
    with pytest.raises(UndefinedBehaviour, match="Principal of statement 0 is empty"):
        compile_policy(policy)
    assert [finding.rule for finding in lint(policy)] == ["unreadable"]


@pytest.mark.parametrize(("length", "is_long"), [(255, False), (256, True)])
def test_a_subject_over_255_characters_is_found(length, is_long):
    """AWS's limit is 255; the wildcards of a pattern may stand for nothing."""
    sub = DEV + "x" * (length - len(DEV))
    assert (("subject-long", 0) in found({**STATEMENT, **conditions(sub)})) is is_long
    assert (("subject-long", 0) in found({**STATEMENT, **conditions(like=f"{sub}*")})) is is_long


@pytest.mark.parametrize(
    ("operator", "condition"),
    [
        ("IpAddress", {"aws:SourceIp": "203.0.113.0/24"}),
        ("Bool", {"aws:SecureTransport": "true"}),
        ("DateLessThan", {"aws:CurrentTime": "2030-01-01T00:00:00Z"}),
        ("StringLike", {"sts:RoleSessionName": "pulumi-*"}),
    ],
)
def test_conditions_on_the_call_narrow_and_excuse_nothing(operator, condition):
    """Beside exact claims they are fine, in an Allow or a Deny; beside a wide subject strangers get in all the same."""
    exact = {"StringEquals": {AUD: "aws:contoso", SUB: DEV}}
    assert found({**STATEMENT, "Condition": {**exact, operator: condition}}) == set()
    assert found(STATEMENT, {**DENY, "Condition": {operator: condition}}) == set()
    wide = {"StringEquals": {AUD: "aws:contoso"}, "StringLike": {SUB: "pulumi:*"}}
    wide = {**wide, operator: {**wide.get(operator, {}), **condition}}
    assert ("admits-strangers", None) in found({**STATEMENT, "Condition": wide})


WIDE = f"{LOGIN}:currentEnvironment.name:aws/*"
ONLY = {**DENY, "Principal": "*"}
STRICT = Trust("https://api.pulumi.com/oidc", "aws:contoso", (DEV,))


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([{"StringEquals": {AUD: "aws:contoso", SUB: DEV}, "StringNotLike": {SUB: "*prod*"}}], set()),
        ([{"StringEquals": {AUD: "aws:contoso", SUB: DEV}, "StringLike": {SUB: WIDE}}], {"two-operators"}),
        ([{"StringEquals": {AUD: "aws:contoso", SUB: DEV}, "StringLike": {AUD: "aws:*"}}], {"two-operators"}),
        ([{"StringEquals": {AUD: "aws:contoso"}, "StringLike": {SUB: WIDE}}, DENY], set()),
        ([{"StringEquals": {AUD: "aws:contoso"}, "StringLike": {SUB: "*"}}, ONLY], set()),
        ([{"StringEquals": {AUD: "aws:contoso"}}, ONLY], set()),
        ([{"StringLike": {AUD: "aws:*"}, "StringEquals": {SUB: DEV}},
          {**DENY, "Condition": {"StringNotEquals": {AUD: "aws:contoso"}}}], set()),
        ([{"StringEquals": {SUB: DEV}},
          {**DENY, "Condition": {"StringNotEqualsIfExists": {AUD: "aws:contoso"}}}], set()),
        ([{"StringEquals": {AUD: "aws:contoso"}, "Null": {SUB: "false"}}, ONLY], {"null-operator"}),
    ],
)  # fmt: skip
def test_what_another_operator_or_a_deny_narrows_is_not_wide(statements, expected):
    """Only the named environment gets in, as `prove` confirms, so no rule says that more do."""
    allow, *denies = statements
    policy = example({"Statement": [{**STATEMENT, "Condition": allow}, *denies]})
    assert prove(policy, STRICT).holds
    assert {finding.rule for finding in lint(policy)} == expected


@pytest.mark.parametrize(
    "deny",
    [
        {"Condition": {"StringNotEquals": {SUB: DEV}, "StringEquals": {AUD: "contoso"}}},
        {"Condition": {"StringNotLike": {SUB: WIDE}}},
        {"Condition": {"StringEquals": {SUB: DEV}}},
        {"Action": "sts:TagSession"},
        {"Principal": {"Federated": GITHUB}},
        {"Condition": {"StringNotEquals": {SUB: f"{DEV}${{aws:username}}"}}},
        {"Condition": {"StringNotEquals": {AUD: "aws:contoso"}}},
    ],
    ids=str,
)
def test_another_deny_leaves_it_wide(deny):
    """If the Deny is about other calls, other tokens or other values, the pattern lets in what it did."""
    allow = {**STATEMENT, **conditions(like=WIDE)}
    assert ("project-wide", 0) in found(allow, {**DENY, **deny})


def test_what_a_deny_leaves_is_judged():
    """As if the Allow listed it."""
    left = {**DENY, "Condition": {"StringNotEquals": {SUB: f"{LOGIN}:pulumi.user.login:alice"}}}
    assert ("current-environment-missing", 0) in found({**STATEMENT, **conditions(like=f"{LOGIN}:*")}, left)
