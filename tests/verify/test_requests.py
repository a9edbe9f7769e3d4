"""What a caller of `decide` may rely on besides the answers."""

import dataclasses
import json
import pickle
from pathlib import Path

import pytest

from esc_oidc.verify import Decision, Request, UndefinedBehaviour, compile_policy, decide

VECTORS = json.loads(Path(__file__).with_name("decide.json").read_text("utf-8"))
OURS = next(vector["policy"] for vector in VECTORS if vector["name"].startswith("the component's own"))
ISSUER = "https://api.pulumi.com/oidc"


def test_requests_and_decisions_cannot_be_changed():
    """A request and a decision are values."""
    request = Request({}, ISSUER)
    with pytest.raises(dataclasses.FrozenInstanceError):
        request.account = "1"
    with pytest.raises(dataclasses.FrozenInstanceError):
        decide(OURS, request).allowed = True


def test_a_reason_is_made_when_it_is_read_and_only_once():
    """Refusals cost nothing until somebody asks why."""
    made = []
    decision = Decision(allowed=False, error="AccessDenied", explain=lambda: made.append(1) or "because")
    assert not made
    assert (decision.reason, decision.reason, made) == ("because", "because", [1])


def test_decisions_with_one_answer_are_equal():
    """Two refusals with one error code are equal, whatever their reasons."""
    refused = [decide(OURS, Request({"aud": aud}, ISSUER)) for aud in ("a", "b")]
    assert refused[0] == refused[1]
    assert refused[0].reason != refused[1].reason


def test_undefined_behaviour_can_be_pickled():
    """A worker process can hand it on."""
    assert str(pickle.loads(pickle.dumps(UndefinedBehaviour("why")))) == "why"  # noqa: S301 - our own bytes


@pytest.mark.parametrize("issuer", ["http://api.pulumi.com/oidc", "api.pulumi.com/oidc", "https://", ""])
def test_an_issuer_is_an_https_url(issuer):
    """An issuer for which IAM can have no provider is the caller's mistake."""
    with pytest.raises(ValueError, match="https://HOST/PATH"):
        decide(OURS, Request({}, issuer))


def test_a_role_maximum_in_another_form_is_the_callers_mistake():
    """A maximum that is no duration is not AWS's answer but a wrong question."""
    policy = {**OURS, "Statement": [{**OURS["Statement"][0], "Condition": {}}]}
    with pytest.raises(ValueError, match="1h30m"):
        decide(policy, Request({}, ISSUER, max_session_duration="3600"))


@pytest.mark.parametrize("context", [{"aws:EpochTime": "soon"}, {"aws:CurrentTime": "soon"}])
def test_a_time_that_cannot_be_read_is_not_guessed(context):
    """A token with times is not judged by a time that is none."""
    with pytest.raises(UndefinedBehaviour, match="cannot be read"):
        decide(OURS, Request({"exp": 1}, ISSUER, context=context))


def test_a_time_without_a_zone_is_utc():
    """`aws:CurrentTime` without a zone is read as UTC, whatever the machine's zone."""
    for now, allowed in (("2023-11-14T22:13:20", True), ("2023-11-14T22:18:21", False)):
        claims = {"exp": 1_700_000_000, "aud": "a"}
        policy = {**OURS, "Statement": {**OURS["Statement"][0], "Condition": {}}}
        assert decide(policy, Request(claims, ISSUER, context={"aws:CurrentTime": now})).allowed is allowed


def test_a_policy_nested_without_end_is_not_a_policy():
    """JSON nested deeper than Python reads is refused, not a crash."""
    with pytest.raises(UndefinedBehaviour, match="not JSON"):
        compile_policy("[" * 100_000)


@pytest.mark.parametrize(
    "policy",
    [
        [],
        7,
        {"Version": ["2012-10-17"], "Statement": OURS["Statement"]},
        {"Statement": "x"},
        {"Statement": [7]},
        {"Statement": {**OURS["Statement"][0], "Sid": 7}},
        {"Statement": {**OURS["Statement"][0], "Effect": ["Allow"]}},
        {"Statement": {**OURS["Statement"][0], "Condition": {7: {}}}},
        {"Statement": {**OURS["Statement"][0], "Condition": {"StringEquals": {7: "x"}}}},
        {"Statement": {**OURS["Statement"][0], "Condition": {"StringEquals": {"a:b": 1.5}}}},
    ],
)
def test_what_is_no_policy_is_refused(policy):
    """A value of the wrong type anywhere is no policy, and never a crash."""
    with pytest.raises(UndefinedBehaviour):
        compile_policy(policy)


def test_the_same_sid_twice_does_not_matter():
    """IAM wants unique Sids, but they decide nothing: `lint` is who complains."""
    statement = {**OURS["Statement"][0], "Sid": "Twice", "Condition": {}}
    assert decide({**OURS, "Statement": [statement, statement]}, Request({}, ISSUER)).allowed


def test_a_hostile_subject_has_a_reason_all_the_same():
    """The reason for a token with a subject of 20,000 characters is made, and says which key did not match."""
    decision = decide(OURS, Request({"aud": "aws:contoso", "sub": "pulumi:" * 2800}, ISSUER))
    assert "`api.pulumi.com/oidc:sub`" in decision.reason
