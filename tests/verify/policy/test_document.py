"""Reading a trust policy: what is none is refused, and never a crash."""

import pytest

from esc_oidc.verify import UndefinedBehaviour, compile_policy
from tests.support.decision_cases import OURS, STATEMENT


def test_a_policy_nested_without_end_is_not_a_policy():
    """JSON nested deeper than Python reads is refused."""
    with pytest.raises(UndefinedBehaviour, match="not JSON"):
        compile_policy("[" * 100_000)


@pytest.mark.parametrize(
    "policy",
    [
        [],
        7,
        {"Version": ["2012-10-17"], "Statement": [STATEMENT]},
        {"Statement": "x"},
        {"Statement": [7]},
        {"Statement": {**STATEMENT, "Sid": 7}},
        {"Statement": {**STATEMENT, "Effect": ["Allow"]}},
        {"Statement": {**STATEMENT, "Condition": {7: {}}}},
        {"Statement": {**STATEMENT, "Condition": {"StringEquals": {7: "x"}}}},
        {"Statement": {**STATEMENT, "Condition": {"StringEquals": {"a:b": 1.5}}}},
    ],
)
def test_what_is_no_policy_is_refused(policy):
    """A value of the wrong type is no policy, wherever it stands."""
    with pytest.raises(UndefinedBehaviour):
        compile_policy(policy)


def test_the_component_s_own_policy_is_read():
    """The yardstick of the tests above: what they change is otherwise a policy."""
    assert compile_policy(OURS).allows
