"""`decide`: AWS's documented answers, and what callers may rely on besides."""

import dataclasses
import json
import pickle

import pytest

from esc_oidc.trust import provider_arn
from esc_oidc.verify import Decision, Request, UndefinedBehaviour, compile_policy, decide
from tests.support.decision_cases import DEV, ISSUER, LOGIN, OURS, PROVIDER, STATEMENT, TOKEN, cases

CASES = [*cases("decisions.yaml"), *cases("operators.yaml"), *cases("explanations.yaml")]
OPEN = {**OURS, "Statement": {**STATEMENT, "Condition": {}}}
TELLING = [case for case in CASES if case.expect not in {"allow", "UndefinedBehaviour"}]
BOB = {**TOKEN, "sub": f"{LOGIN}:currentEnvironment.name:aws/prod"}


def answer(decide_it):
    """AWS's answer in the tables' words."""
    try:
        decision = decide_it()
        return f"depends on {', '.join(decision.depends_on)}" if decision.depends_on else decision.error or "allow"
    except UndefinedBehaviour:
        return "UndefinedBehaviour"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_request_gets_the_documented_answer(case):
    """It is AWS's, for a policy as mapping or text, with or without the account."""
    request = Request(**case.request)
    text = case.policy if isinstance(case.policy, str) else json.dumps(case.policy)
    in_account = request if request.account else dataclasses.replace(request, account="123456789012")
    assert answer(lambda: decide(case.policy, request)) == case.expect
    assert answer(lambda: compile_policy(text).decide(in_account)) == case.expect


def test_every_case_has_a_name_of_its_own_and_a_source():
    """The source is the page, or the class here, that the answer follows from."""
    assert len({case.name for case in CASES}) == len(CASES)
    assert all(case.source.startswith(("https://", "Request, in ", "CLOCK_GRACE, in ")) for case in CASES)


def test_requests_and_decisions_are_immutable():
    """Both are values."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Request({}, ISSUER).account = "1"
    with pytest.raises(dataclasses.FrozenInstanceError):
        decide(OURS, Request({}, ISSUER)).allowed = True


@pytest.mark.parametrize("case", TELLING, ids=lambda case: case.name)
def test_a_pickled_decision_is_the_same_decision(case):
    """Equal questions have equal decisions, with the same hash, text and reason, even across processes."""
    decision, again = (decide(case.policy, Request(**case.request)) for _ in range(2))
    there = pickle.loads(pickle.dumps(again))  # noqa: S301 - our own bytes
    assert decision == again == there
    assert hash(decision) == hash(there)
    assert repr(decision) == repr(there)
    assert decision.reason == there.reason


def test_decisions_for_different_reasons_are_different():
    """Two refusals with the same error code are equal only if everything else is."""
    one, other = (decide(OURS, Request({**TOKEN, "aud": aud}, ISSUER)) for aud in ("a", "b"))
    assert one != other
    assert one != "AccessDenied"


def test_a_decision_is_explained_only_on_request_and_once():
    """Until then a refusal costs little."""
    made = []
    decision = Decision(False, "AccessDenied", lambda: made.append(1) or decide(OURS, Request({}, ISSUER)).explanation)
    assert not made
    assert (decision.reason, decision.statement, made) == (decision.reason, 0, [1])


def test_a_decision_has_a_json_form():
    """It has every field and a version."""
    document = decide(OURS, Request(BOB, ISSUER)).to_json()
    assert json.loads(json.dumps(document)) == document
    assert document == {
        "version": 1,
        "allowed": False,
        "error": "AccessDenied",
        "statement": 0,
        "sid": None,
        "effect": "Allow",
        "candidates": 1,
        "depends_on": [],
        "reason": document["reason"],
        "differences": [
            {
                "key": "api.pulumi.com/oidc:sub",
                "operator": "StringEquals",
                "wanted": [DEV],
                "got": BOB["sub"],
                "attribute": "currentEnvironment.name",
                "attribute_wanted": ["aws/dev"],
                "attribute_got": "aws/prod",
                "mistake": "This is another environment of the right project.",
                "fix": "Open the right one; or, if aws/prod may assume this role, add it to allowed_environments.",
                "command": None,
            }
        ],
    }


def test_a_compiled_policy_can_be_pickled():
    """A worker process can use it, with its patterns and variables."""
    like = {"StringLike": {"api.pulumi.com/oidc:sub": [f"{LOGIN}:*", "${aws:x, 'y'}"]}, "Null": {"aws:x": "true"}}
    policy = compile_policy({**OURS, "Statement": [{**STATEMENT, "Condition": like}]})
    there = pickle.loads(pickle.dumps(policy))  # noqa: S301 - our own bytes
    assert there.decide(Request(TOKEN, ISSUER)) == policy.decide(Request(TOKEN, ISSUER))


def test_undefined_behaviour_can_be_pickled():
    """A worker process can pass it on."""
    assert str(pickle.loads(pickle.dumps(UndefinedBehaviour("why")))) == "why"  # noqa: S301 - our own bytes


@pytest.mark.parametrize(("partition", "account"), [("aws", "999999999999"), ("aws-cn", "123456789012")])
def test_the_account_defaults_to_the_providers(partition, account):
    """A correct policy admits its token in any account and partition."""
    policy = json.loads(json.dumps(OURS).replace(PROVIDER, provider_arn(ISSUER, account, partition)))
    assert decide(policy, Request(TOKEN, ISSUER)).allowed
    assert decide(policy, Request(TOKEN, ISSUER, account=account, partition=partition)).allowed
    assert not decide(policy, Request(TOKEN, ISSUER, account="000000000001", partition=partition)).allowed


def test_providers_in_several_accounts_need_an_explicit_account():
    """The policy doesn't say which account the role is in."""
    other = PROVIDER.replace("123456789012", "999999999999")
    policy = {**OURS, "Statement": [STATEMENT, {**STATEMENT, "Principal": {"Federated": [other, PROVIDER]}}]}
    with pytest.raises(UndefinedBehaviour, match=r"several accounts.*Request\.account"):
        decide(policy, Request(TOKEN, ISSUER))
    assert decide(policy, Request(TOKEN, ISSUER, account="999999999999")).allowed


@pytest.mark.parametrize(
    ("principal", "arn"),
    [
        ({"Federated": PROVIDER.replace("/oidc", "/oidc/v2")}, PROVIDER),
        ({"Federated": PROVIDER.replace("123456789012", "*")}, PROVIDER.replace("123456789012", "ACCOUNT")),
        ({"AWS": "arn:aws:iam::123456789012:root"}, PROVIDER.replace("123456789012", "ACCOUNT")),
    ],
)
def test_a_policy_without_the_issuers_provider_refuses_its_tokens(principal, arn):
    """The refusal names the provider that the policy would have to trust."""
    policy = {**OURS, "Statement": {**STATEMENT, "Principal": principal}}
    (difference,) = decide(policy, Request(TOKEN, ISSUER)).differences
    assert (difference.key, difference.got) == ("Principal", arn)


@pytest.mark.parametrize("account", [None, "123456789012"])
@pytest.mark.parametrize("issuer", ["http://api.pulumi.com/oidc", "api.pulumi.com/oidc", "https://", ""])
def test_an_issuer_is_an_https_url(issuer, account):
    """IAM can't have a provider for any other, so it is the caller's mistake."""
    with pytest.raises(ValueError, match="https://HOST/PATH"):
        decide(OURS, Request({}, issuer, account=account))


def test_a_malformed_role_maximum_is_the_callers_mistake():
    """The question is wrong, so AWS has no answer to it."""
    with pytest.raises(ValueError, match="1h30m"):
        decide(OPEN, Request({}, ISSUER, max_session_duration="3600"))


def test_what_depends_is_not_admitted():
    """Whoever asks only for `allowed` or `error` refuses; `depends_on` and the JSON say on what it depends."""
    policy = {**OURS, "Statement": {**STATEMENT, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}}
    decision = decide(policy, Request(TOKEN, ISSUER))
    assert (decision.allowed, decision.error) == (False, "AccessDenied")
    assert decision.to_json()["depends_on"] == ["aws:SecureTransport"]
    for said, allowed in {"true": True, "false": False, None: False}.items():
        assert decide(policy, Request(TOKEN, ISSUER, context={"aws:SecureTransport": said})).allowed is allowed


@pytest.mark.parametrize(
    "context",
    [{"aws:EpochTime": "soon"}, {"aws:CurrentTime": "soon"}, {"aws:CurrentTime": "2026"}, {"aws:EpochTime": "1e300"}],
)
def test_an_unreadable_time_is_not_guessed(context):
    """A token with times can't be judged by it."""
    with pytest.raises(UndefinedBehaviour, match="cannot be read"):
        decide(OURS, Request({"exp": 1}, ISSUER, context=context))


def test_a_time_without_a_zone_is_utc():
    """The machine's own time zone doesn't matter for `aws:CurrentTime`."""
    for now, allowed in (("2023-11-14T22:13:20", True), ("2023-11-14T22:18:21", False)):
        claims = {"exp": 1_700_000_000, "aud": "a"}
        assert decide(OPEN, Request(claims, ISSUER, context={"aws:CurrentTime": now})).allowed is allowed


def test_the_same_sid_twice_does_not_matter():
    """IAM wants unique Sids, but they decide nothing; `lint` reports them."""
    statement = {**STATEMENT, "Sid": "Twice", "Condition": {}}
    assert decide({**OURS, "Statement": [statement, statement]}, Request({}, ISSUER)).allowed
