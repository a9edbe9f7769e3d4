"""No fix of `lint`, followed, admits more than the statement asked for."""

import re
from itertools import product

import pytest

from esc_oidc.claims import OPERATIONS
from esc_oidc.verify import RULES, Request, decide, lint
from tests.support.policies import AUD, BAD, DEPLOY, DEV, LOGIN, SUB, conditions, example

ISSUER = "https://api.pulumi.com/oidc"
ENVIRONMENTS = f"{LOGIN}:currentEnvironment.name:aws/*"
NARROWED = [
    ":pulumi.user.login:alice",
    ":pulumi.token.type:personal",
    ":pulumi.token.team:ops",
    ":rootEnvironment.name:aws/prod",
    ":pulumi.user.login:alice:pulumi.token.type:personal",
]
WIDE = [
    ENVIRONMENTS,
    f"{LOGIN}:currentEnvironment.name:*",
    f"{LOGIN}:*",
    f"{LOGIN}:*:currentEnvironment.name:aws/dev",
    f"{DEV}*",
    f"{DEV}:*",
    "*",
    "*:currentEnvironment.name:aws/dev",
    "pulumi:environments:*",
    "pulumi:environments:pulumi.organization.login:*",
    f"{LOGIN}*",
    "pulumi:environments:org:contoso:env:aws/*",
]


def fixes(elements):
    """What lint advises."""
    return [finding.fix for finding in lint(example(elements))]


def subjects(elements):
    """The subjects that lint advises to write."""
    found = (re.search(r"(pulumi:[^, ']+)'?, with StringEquals", fix) for fix in fixes(elements))
    return [match[1] for match in found if match]


def admits(elements, sub, aud="aws:contoso"):
    """Whether such a token gets in."""
    return decide(example(elements), Request({"aud": aud, "sub": sub}, ISSUER)).allowed


@pytest.mark.parametrize(("wide", "narrowed"), list(product(WIDE, NARROWED)))
def test_a_suggested_subject_keeps_every_fixed_attribute(wide, narrowed):
    """The user, team or other attribute that a wide pattern names stays in what lint says to write in its place."""
    suggested = subjects(conditions(like=wide + narrowed))
    assert suggested
    for each in suggested:
        assert narrowed in each
        assert ("aws/dev" in each) >= ("aws/dev:" in wide)
        assert ("contoso" in each) >= ("contoso:" in wide)


def test_an_open_attribute_stays_in_the_suggested_subject():
    """Whoever asked for some user gets a placeholder for one; a wildcard between attributes is one more."""
    for wide, suggested in (
        (f"{LOGIN}:pulumi.user.login:*:currentEnvironment.name:aws/dev",
         f"{LOGIN}:pulumi.user.login:USER:currentEnvironment.name:aws/dev"),
        (f"{DEV}:*:pulumi.user.login:alice", f"{DEV}:ATTRIBUTE:VALUE:pulumi.user.login:alice"),
        (f"{ENVIRONMENTS}:pulumi.user.*:alice", f"{LOGIN}:currentEnvironment.name:aws/ENV:pulumi.user.login:alice"),
        (f"{ENVIRONMENTS}:pulumi.*:alice", f"{LOGIN}:currentEnvironment.name:aws/ENV:ATTRIBUTE:alice"),
        (f"{ENVIRONMENTS}:user:a*", f"{LOGIN}:currentEnvironment.name:aws/ENV:user:VALUE"),
    ):  # fmt: skip
        assert set(subjects(conditions(like=wide))) == {suggested}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    "wide",
    [f"{DEPLOY}:project:Core:stack:*", f"{DEPLOY}:project:*:stack:dev", f"{DEPLOY}:*", "*", "pulumi:deploy:org:*",
     f"{DEPLOY}:stack:dev:project:Core", "deploy:org:contoso:project:Core:stack:dev", "pulumi:org:contoso:stack:dev"],
)  # fmt: skip
def test_a_suggested_deployment_keeps_the_operation(wide, operation):
    """Who asked for previews is not told to admit updates."""
    for end in (f":operation:{operation}:scope:write", f":operation:{operation}:*", f":operation:{operation}"):
        suggested = subjects(conditions(like=wide + end, aud="contoso"))
        assert suggested
        assert all(f":operation:{operation}:scope:write" in each for each in suggested), suggested
        assert all("pulumi:deploy:" in each for each in suggested)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("up", "update"), ("down", "destroy"), ("plan", "preview"), ("Update", "update"), ("refesh", "refresh"),
        ("destory", "destroy"), ("prewiev", "preview"), ("detect_drift", "detect-drift"), ("fly", "OPERATION"),
        ("read", "OPERATION"), ("", "OPERATION"), ("pre*", "preview"), ("*", "OPERATION"), ("re*", "OPERATION"),
    ],
)  # fmt: skip
def test_an_operation_is_corrected_to_the_nearest_or_left_open(written, expected):
    """A guess would admit an operation that nobody asked for."""
    sub = f"{DEPLOY}:stack:dev:project:Core:operation:{written}:scope:write"
    form = {"like": sub} if "*" in written else {"sub": sub}
    (suggested,) = set(subjects(conditions(aud="contoso", **form)))
    assert f":operation:{expected}:" in suggested


def test_a_field_that_tokens_lack_leaves_the_stack_open():
    """It was meant to narrow, so that stack is not suggested without it."""
    for more in (":extra:x", ":project:Core"):
        sub = f"{DEPLOY}:project:Core:stack:dev:operation:update:scope:write{more}"
        (suggested,) = set(subjects(conditions(sub, aud="contoso")))
        assert suggested == f"{DEPLOY}:project:PROJECT:stack:STACK:operation:update:scope:write"


OTHER = f"{LOGIN}:currentEnvironment.name:gcp/dev"
ALICE = f"{DEV}:pulumi.user.login:alice"
PATTERNS = [ENVIRONMENTS, f"{DEV}*", f"{LOGIN}:*", f"{LOGIN}:currentEnvironment.name:gcp/*", f"{DEV}:*", "*"]


@pytest.mark.parametrize("listed", [[DEV], [DEV, OTHER], [DEV, ALICE], [OTHER]], ids=len)
@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("operator", ["StringLike", "StringLikeIfExists", "ForAnyValue:StringLike"])
def test_two_operators_become_what_satisfies_both(listed, pattern, operator):
    """Only the values that both admit are kept, whatever else a pattern alone would admit."""
    both = {"Condition": {"StringEquals": {AUD: "aws:contoso", SUB: listed}, operator: {SUB: pattern}}}
    (fix,) = [finding.fix for finding in lint(example(both)) if finding.rule == "two-operators"]
    kept = re.findall(r"'(pulumi:[^']*)'", fix) or (listed if fix.startswith("Leave out") else [])
    assert kept or "nobody gets in" in fix
    after = conditions(kept) if kept else both
    for sub in (DEV, OTHER, ALICE, f"{LOGIN}:currentEnvironment.name:aws/prod", f"{OTHER}:pulumi.user.login:eve"):
        assert admits(after, sub) == admits(both, sub), (fix, sub)


def test_two_operators_on_the_audience_become_what_satisfies_both():
    """As on the subject."""
    both = {"Condition": {"StringEquals": {AUD: ["aws:contoso", "contoso"], SUB: DEV}, "StringLike": {AUD: "aws:*"}}}
    (fix,) = [finding.fix for finding in lint(example(both)) if finding.rule == "two-operators"]
    assert fix == "Write only 'aws:contoso', with StringEquals: no other value satisfies both."
    patterns = {"Condition": {"StringLike": {SUB: f"{DEV}:*"}, "StringLikeIfExists": {SUB: "*alice"}}}
    assert RULES["two-operators"].fix in fixes(patterns)


def test_letters_of_either_case_satisfy_both_if_the_operator_says_so():
    """What StringEqualsIgnoreCase admits beside StringEquals is compared as AWS does."""
    for wanted, fix in ((DEV.upper(), "Leave out"), (OTHER, "No value satisfies both")):
        both = {"Condition": {"StringEquals": {AUD: "aws:contoso", SUB: DEV}, "StringEqualsIgnoreCase": {SUB: wanted}}}
        assert any(each.startswith(fix) for each in fixes(both))
        assert admits(both, DEV) is (fix == "Leave out")


@pytest.mark.parametrize(
    "operator",
    ["StringNotEquals", "StringNotLike", "StringNotEqualsIfExists", "ForAllValues:StringNotEquals", "StringNotEqual",
     "StringNotEqualsIgnoreCase", "ArnNotLike", "NumericNotEquals", "stringnotequals"],
)  # fmt: skip
@pytest.mark.parametrize("claim", [AUD, SUB])
def test_what_is_shut_out_is_not_let_in(operator, claim):
    """Nobody is told to write StringEquals with the values of a negated operator."""
    keys = {AUD: "aws:contoso", SUB: DEV}
    negated = {"Condition": {"StringEquals": {key: keys[key] for key in keys if key != claim}, operator: {claim: "x"}}}
    found = [finding for finding in lint(example(negated)) if operator in finding.message]
    assert found
    for finding in found:
        assert "ame who may get in, with StringEquals" in finding.fix


@pytest.mark.parametrize("elements", [case[1] for case in BAD], ids=[case[0] for case in BAD])
def test_no_fix_gives_up_a_further_condition(elements):
    """Whatever is wrong, a fix leaves a condition on the call alone."""
    condition = elements.get("Condition", conditions()["Condition"])
    narrowed = {**condition, "IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    for finding in lint(example({**elements, "Condition": narrowed})):
        assert "instead" not in finding.fix
        assert "one Allow" not in finding.fix
