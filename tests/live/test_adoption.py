"""What can be recovered from what exists, and why the rest can't."""

import re

import pytest

from esc_oidc.live import NotAdoptable
from tests.support.adopting import CASES, PROVIDER_ARN, adopted

ADOPTED = [case for case in CASES if "inputs" in case]
REFUSED = [case for case in CASES if "refused" in case]


def named(case):
    return case["name"] if case["name"] not in {"the same, narrowed", "the same, with consent"} else None


@pytest.mark.parametrize("case", ADOPTED, ids=named)
def test_a_set_up_is_said_with_the_inputs_of_the_component(case):
    """Those that a person would write, and what the first update changes for whom."""
    found = adopted(case)
    project, environment = case.get("environment", "aws/dev").split("/")
    base = {"organization": "contoso", "project": project, "environment": environment, "role_name": "esc"}
    expected = {**base, "oidc_provider_arn": PROVIDER_ARN, **case["inputs"]}
    assert found.inputs == {name: value for name, value in expected.items() if value is not None}
    environment = found.environment
    changes = {
        "role": found.rewrites_policy,
        "layout": environment.new_layout and not environment.changes,
        "login": bool(environment.changes),
    }
    assert [name for name, changed in changes.items() if changed] == case.get("next", [])
    assert environment.comments == case.get("comments", 0)
    assert list(environment.more) == case.get("left", [])
    for name in ("gained", "respelled", "lost"):
        subjects, patterns = getattr(found, name), case.get(name, [])
        assert len(subjects) == len(patterns), (name, subjects)
        for subject, pattern in zip(subjects, patterns, strict=True):
            assert re.fullmatch(pattern, subject)
    assert set(case.get("rules", [])) <= set(found.rules)


@pytest.mark.parametrize("case", REFUSED, ids=named)
def test_what_can_not_be_said_is_refused_with_every_reason(case):
    """In the order in which they were found, each with what to do instead."""
    with pytest.raises(NotAdoptable) as raised:
        adopted(case)
    whats = [each.what for each in raised.value.reasons]
    for pattern in case["refused"]:
        assert any(re.search(pattern, what) for what in whats), (pattern, whats)
    assert len(whats) == len(case["refused"]), whats
    assert all(each.offer.endswith((".", "contoso")) for each in raised.value.reasons)


def test_the_table_is_long_enough():
    """Twenty set-ups and more, each with where it comes from."""
    assert len(CASES) >= 20
    assert all(case["source"] for case in CASES)
