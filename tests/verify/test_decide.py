"""`decide` against vectors: each a policy, a request and AWS's documented answer."""

import json
from pathlib import Path

import pytest

from esc_oidc.verify import Request, UndefinedBehaviour, compile_policy, decide

VECTORS = json.loads(Path(__file__).with_name("decide.json").read_text("utf-8"))


def outcome(policy, request):
    """What `decide` answers, and why, in the vectors' words."""
    try:
        decision = decide(policy, Request(**request))
    except UndefinedBehaviour as undefined:
        return "UndefinedBehaviour", str(undefined)
    return "allow" if decision.allowed else decision.error, decision.reason


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_vector(vector):
    """A request gets AWS's documented answer, and its reason says what the vector wants it to say."""
    answer, reason = outcome(vector["policy"], vector["request"])
    assert answer == vector["expected"], reason
    assert vector.get("reason", "") in reason


def test_vectors_are_many_and_each_has_a_source():
    """The vectors are at least 150, have names of their own, and each names where its rule stands."""
    assert len(VECTORS) >= 150
    assert len({vector["name"] for vector in VECTORS}) == len(VECTORS)
    assert all(vector["source"].startswith(("https://", "Request, in ", "CLOCK_GRACE, in ")) for vector in VECTORS)


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_text_and_mapping_are_one(vector):
    """A policy as JSON text gets the answer that it gets as a mapping, compiled or not."""
    policy = vector["policy"]
    text = policy if isinstance(policy, str) else json.dumps(policy)
    assert outcome(text, vector["request"])[0] == vector["expected"]
    if vector["expected"] != "UndefinedBehaviour":
        decision = compile_policy(text).decide(Request(**vector["request"]))
        assert (decision.error or "allow") == vector["expected"]
