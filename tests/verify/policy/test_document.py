"""Reading a trust policy: what is none is refused, and never a crash."""

import pytest

from esc_oidc.verify import UndefinedBehaviour, compile_policy
from tests.support.decision_cases import OURS, STATEMENT


def test_a_policy_nested_too_deeply_is_refused():
    """Python can't read the JSON."""
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
def test_a_value_of_the_wrong_type_is_refused(policy):
    """It makes the document no policy, wherever it is."""
    with pytest.raises(UndefinedBehaviour):
        compile_policy(policy)


def test_the_components_own_policy_is_read():
    """The control for the tests above, which change it."""
    assert compile_policy(OURS).allows
