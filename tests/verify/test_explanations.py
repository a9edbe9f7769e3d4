"""Why a caller is refused: what differs, the likely mistake, and the way out."""

import json
import re
from types import SimpleNamespace

import pytest

from esc_oidc.trust import Trust, provider_arn, trust_policy
from esc_oidc.verify import Request, UndefinedBehaviour, decide
from tests.support.decision_cases import CLAIMS, DEV, ISSUER, LOGIN, OURS, STATEMENT, TOKEN, cases

EXPLAINED = [
    case
    for table in ("decisions.yaml", "operators.yaml", "explanations.yaml")
    for case in cases(table)
    if case.explained
]
DECIDED = [case for case in EXPLAINED if case.expect != "UndefinedBehaviour"]
OPEN = [case for case in EXPLAINED if case.expect == "UndefinedBehaviour"]


@pytest.mark.parametrize("case", OPEN, ids=lambda case: case.name)
def test_what_aws_leaves_open_is_named(case):
    """The error names the part of the policy that has no documented answer."""
    with pytest.raises(UndefinedBehaviour) as undefined:
        decide(case.policy, Request(**case.request))
    assert case.explained["says"] in str(undefined.value)


@pytest.mark.parametrize("case", DECIDED, ids=lambda case: case.name)
def test_the_explanation_names_what_differs_and_the_likely_mistake(case):
    """It has the key or attribute, what was wanted, the mistake and the fix; the reason has all of them."""
    expected = case.explained
    decision = decide(case.policy, Request(**case.request))
    assert expected.get("says", "") in decision.reason
    if "differs" not in expected:
        return
    name, *wanted = expected["differs"]
    found = {each.attribute or each.key: each for each in decision.differences}
    difference = found[CLAIMS[name] if name not in found and name in CLAIMS else name]
    assert list(difference.attribute_wanted) == wanted
    assert expected.get("mistake", "") in (difference.mistake or "")
    assert expected.get("fix", "") in (difference.fix or "")
    assert bool(difference.command) == expected.get("command", False)
    for said in (difference.attribute_got, difference.mistake, difference.fix, difference.command):
        assert (said or "") in decision.reason


def refused(subjects, got, **more):
    """The one difference between the policy's subjects and the token's."""
    condition = {"StringEquals": {CLAIMS["aud"]: TOKEN["aud"], CLAIMS["sub"]: subjects}}
    policy = {**OURS, "Statement": [{**STATEMENT, "Condition": condition}]}
    (difference,) = decide(policy, Request({**TOKEN, "sub": got}, ISSUER, **more)).differences
    return difference


def test_wanted_values_come_from_the_subjects_that_otherwise_match():
    """Of three users, only the two of the token's own environment are wanted."""
    users = [f"{DEV}:pulumi.user.login:alice", f"{DEV}:pulumi.user.login:bob"]
    elsewhere = f"{LOGIN}:currentEnvironment.name:aws/prod:pulumi.user.login:carol"
    difference = refused([elsewhere, *users], f"{DEV}:pulumi.user.login:mallory")
    assert difference.attribute == "pulumi.user.login"
    assert difference.attribute_wanted == ("alice", "bob")
    assert difference.attribute_got == "mallory"
    assert difference.fix == "If mallory may assume this role, add the user to allowed_users."
    assert set(difference.wanted) == {elsewhere, *users}
    assert difference.wanted[0] in users


def test_two_attributes_that_differ_are_parts_of_the_difference():
    """Neither of them is the one attribute."""
    difference = refused(
        f"{DEV}:rootEnvironment.name:aws/dev", f"{LOGIN}:currentEnvironment.name:x/y:rootEnvironment.name:x/y"
    )
    assert difference.attribute is None
    assert list(difference.parts) == [
        ("currentEnvironment.name", "aws/dev", "x/y"),
        ("rootEnvironment.name", "aws/dev", "x/y"),
    ]


@pytest.mark.parametrize("aud", ["aws:contoso-stranger", "contoso-stranger", "azure:contoso-stranger"])
@pytest.mark.parametrize("client_ids", [None, ["aws:contoso"], ["contoso", "aws:contoso"]])
@pytest.mark.parametrize("sub", [DEV, f"{DEV}:pulumi.user.login:alice", "pulumi:environments:org:contoso:env:<yaml>"])
def test_no_advice_lets_another_organization_in(aud, client_ids, sub):
    """Its token is refused with a hint where to find the right organization, and no command to paste."""
    claims = {**TOKEN, "aud": aud, "sub": sub.replace("contoso", "contoso-stranger")}
    decision = decide(OURS, Request(claims, ISSUER, client_ids=client_ids))
    assert not decision.allowed
    assert {each.mistake for each in decision.differences} == {
        "The token is of another organization: 'contoso-stranger', not 'contoso'."
    }
    assert not any(difference.command for difference in decision.differences)
    assert "https://app.pulumi.com/ORGANIZATION" in decision.reason


@pytest.mark.parametrize(
    ("asked", "subject", "blamed"),
    [("2h", DEV, True), ("7200s", DEV, True), ("1h1s", DEV, False), ("3h", DEV, False), ("2h", "user-7", False)],
)
def test_escs_default_is_blamed_only_for_two_hours(asked, subject, blamed):
    """Somebody asked for a session of any other length."""
    request = Request({**TOKEN, "sub": subject}, ISSUER, duration=asked, max_session_duration="1h")
    (difference,) = decide({**OURS, "Statement": {**STATEMENT, "Condition": {}}}, request).differences
    assert difference.key == "MaxSessionDuration"
    assert bool(difference.mistake) is blamed
    assert difference.wanted == ("at most 1h",)


def test_a_hostile_subject_still_has_a_reason():
    """Even with 20,000 characters, which get nobody in, it is short."""
    decision = decide(OURS, Request({**TOKEN, "sub": "pulumi:" * 2800}, ISSUER))
    assert "19600 characters" in decision.reason
    assert len(decision.reason) < 300


def test_a_time_beyond_every_calendar_is_shown_as_a_number():
    """A token's `nbf` may be any number."""
    (difference,) = decide(OURS, Request({**TOKEN, "nbf": 1e30}, ISSUER)).differences
    assert difference.got == "1e+30"


@pytest.mark.parametrize(
    ("client_ids", "said"),
    [
        ([], "no client ID at all"),
        (["one of no form"], "never registered"),
        (["contoso", "gcp:contoso"], "the one for ESC"),
        (["gcp:contoso"], "another cloud"),
    ],
)
def test_an_unknown_audience_is_explained_by_the_registered_ones(client_ids, said):
    """Only the same organization's other audience gets a command that registers it."""
    (difference,) = decide(OURS, Request(TOKEN, ISSUER, client_ids=client_ids)).differences
    assert said in difference.mistake
    assert bool(difference.command) is ("contoso" in client_ids)


def test_a_repeated_attribute_is_the_mistake():
    """No attribute is missing, and none is added."""
    difference = refused(f"{DEV}:currentEnvironment.name:aws/dev", DEV)
    assert difference.mistake == "The login or the policy has one attribute twice."


def test_a_difference_outside_the_conditions_has_no_parts():
    """Only subjects have attributes to compare; a provider that is not trusted has none."""
    policy = {**OURS, "Statement": {**STATEMENT, "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}}
    (difference,) = decide(policy, Request(TOKEN, ISSUER)).differences
    assert difference.key == "Principal"
    assert tuple(difference.parts) == ()


@pytest.mark.parametrize("extra", ["", ":rootEnvironment.name:aws/dev"])
def test_no_advice_leaves_an_attribute_out_of_the_policy(extra):
    """Whatever the login lists besides, a subject without the user would let every user in."""
    lacks = refused(f"{DEV}:pulumi.user.login:alice", f"{DEV}{extra}")
    assert "compose the policy's subject" not in lacks.fix
    more = refused(DEV, f"{DEV}:pulumi.user.login:alice")
    assert "compose the policy's subject" in more.fix


def test_no_advice_turns_a_value_into_a_pattern():
    """What StringEquals takes literally was perhaps meant as a pattern, but this caller alone was refused."""
    assert "StringLike" not in refused(f"{LOGIN}:*", DEV).fix


STRANGERS = [
    {"aud": aud, "sub": sub}
    for organization in ("contoso", "fabrikam")
    for aud in (f"aws:{organization}", organization, f"azure:{organization}", "sts.amazonaws.com")
    for sub in (
        f"{LOGIN.replace('contoso', organization)}:currentEnvironment.name:other/other",
        f"{LOGIN.replace('contoso', organization)}:currentEnvironment.name:other/other:pulumi.user.login:eve",
        f"{LOGIN.replace('contoso', organization)}:pulumi.user.login:eve",
        f"pulumi:environments:org:{organization}:env:other/other",
        f"pulumi:environments:org:{organization}:env:<yaml>",
        f"pulumi:deploy:org:{organization}:project:Other:stack:other:operation:update:scope:write",
        f"pulumi:cmk:pulumi.organization.login:{organization}",
    )
]
"""Tokens that nobody asked to admit."""


def corrected(case):
    """The policies that follow from the fixes of a refusal, where a fix says what to write in place of what."""
    decision = decide(case.policy, Request(**case.request))
    policy = json.loads(case.policy) if isinstance(case.policy, str) else case.policy
    for each in decision.differences:
        said = re.search(
            r"Write (?:\{'Federated': )?'?(arn:[^'}]+?|[^' ]+)'?(?: instead of|[,.}]| in the policy| to)",
            each.fix or "",
        )
        if not said or each.key in {"DurationSeconds", "MaxSessionDuration", "Action"} or not each.wanted:
            continue
        text = json.dumps(policy)
        wanted = (each.attribute_wanted or each.wanted)[0]
        if each.operator and said[1].endswith((":sub", ":aud")):
            wanted = each.key
        changed = text.replace(json.dumps(wanted)[1:-1], json.dumps(said[1])[1:-1])
        if changed != text:
            yield json.loads(changed), each.fix


REFUSED = [case for case in DECIDED if case.expect != "allow" and not case.expect.startswith("depends")]
CORRECTABLE = [case for case in REFUSED if any(corrected(case))]


def test_many_fixes_can_be_applied():
    """Else the next test would say nothing."""
    assert len(CORRECTABLE) > 20


@pytest.mark.parametrize("case", CORRECTABLE, ids=lambda case: case.name)
def test_a_fix_that_is_applied_admits_nobody_else(case):
    """Whom nobody asked for is still refused, unless the policy admitted them before, or the fix says what to add."""
    for policy, fix in corrected(case):
        if "as well, with StringEquals on" in fix:
            continue
        for claims in STRANGERS:
            request = Request({"iss": ISSUER, **claims}, ISSUER, account=case.request.get("account"))
            if request.claims["sub"] == case.request["claims"].get("sub"):
                continue
            before, after = (decide(each, request).allowed for each in (case.policy, policy))
            assert before or not after, (fix, claims)


def test_another_products_provider_is_named():
    """Where the policy trusts GitHub's provider, its issuer is the one that is asked; the fix keeps the two apart."""
    request = Request({**TOKEN, "iss": ISSUER}, "https://token.actions.githubusercontent.com")
    (difference,) = decide(OURS, request).differences
    assert difference.mistake.startswith("The role trusts the provider of GitHub Actions")
    assert difference.fix.startswith("Leave it.")


ASKED = [
    *(f"{head}{end}" for head in (LOGIN, LOGIN.upper(), f"{LOGIN}:currentEnvironment.name:aws/*", f"{DEV}*", DEV)
      for end in (":pulumi.user.login:alice", ":pulumi.token.team:ops", ":pulumi.user.login:Bob", ":", "")),
    *(f"pulumi:deploy:org{sign}contoso:project:Core:stack:{stack}:operation:{operation}{end}"
      for sign in ":=" for stack in ("dev", "*") for operation in ("up", "preview", "re*")
      for end in ("", ":scope:write")),
]  # fmt: skip
OFFERED = [
    DEV,
    *(f"{DEV}:{more}" for more in ("pulumi.user.login:alice", "pulumi.user.login:bob", "pulumi.token.team:ops")),
    *(
        f"pulumi:deploy:org:contoso:project:Core:stack:dev:operation:{each}:scope:write"
        for each in ("update", "preview")
    ),
]


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("aud", ["aws:contoso", "contoso", "sts.amazonaws.com"])
@pytest.mark.parametrize("operator", ["StringEquals", "StringLike"])
def test_a_fix_of_any_shape_admits_this_caller_alone(asked, aud, operator):
    """Whatever the policy names, putting right the one thing that differs admits no token but the refused one."""
    condition = {"StringEquals": {CLAIMS["aud"]: aud}}
    condition[operator] = condition.get(operator, {}) | {CLAIMS["sub"]: asked}
    policy = {**OURS, "Statement": [{**STATEMENT, "Condition": condition}]}
    tokens = [{**TOKEN, "aud": each, "sub": sub} for each in ("aws:contoso", "contoso") for sub in OFFERED]
    for refused_token in tokens:
        case = SimpleNamespace(policy=policy, request={"claims": refused_token, "issuer": ISSUER})
        # Of two differences the fixes belong together.
        is_one = len(decide(policy, Request(**case.request)).differences) == 1
        for changed, fix in corrected(case) if is_one else ():
            for claims in (*STRANGERS, *tokens):
                request = Request({"iss": ISSUER, **claims}, ISSUER)
                if (claims["aud"], claims["sub"]) == (refused_token["aud"], refused_token["sub"]):
                    continue
                before, after = (decide(each, request).allowed for each in (policy, changed))
                # The audience of a pattern is that of every subject that it matches.
                is_a_patterns = operator == "StringLike" and "*" in asked
                assert before or not after or is_a_patterns, (fix, claims)


def test_an_audience_that_is_put_right_admits_no_others_of_a_pattern():
    """A subject that is a pattern names others, too: the advice names this token's."""
    pattern = "pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name:aws/*"
    policy = trust_policy(Trust(ISSUER, "contoso", (), (pattern,)), provider_arn(ISSUER, "123456789012"))
    decision = decide(policy, Request({"aud": "aws:contoso", "sub": pattern.replace("*", "dev")}, ISSUER))
    assert decision.reason.endswith(
        "Name this token's subject as well, with StringEquals on `api.pulumi.com/oidc:sub`."
    )
