"""Broken set-ups: doctor says what is wrong, and what it says to do repairs it, for nobody else."""

import os
from unittest import mock

import pytest

from esc_oidc.live.repairs import NOBODY, TOO_MANY
from esc_oidc.sandbox import Sandbox, surroundings
from esc_oidc.tokens import Opener
from esc_oidc.verify import RULES
from tests.support.set_ups import SET_UPS, STRANGER, SetUp


@pytest.fixture(scope="module")
def sandbox():
    """One sandbox for all, with AWS's variables around."""
    with Sandbox() as running:
        token = running.access_token(Opener("reader"), ["contoso"])
        with surroundings(running, token, {}) as around, mock.patch.dict(os.environ, around.variables):
            yield running


@pytest.fixture(params=SET_UPS, ids=lambda case: case["name"])
def set_up(request, sandbox):
    """A set-up of the table, alone in the sandbox."""
    made = SetUp(sandbox, request.param)
    yield made
    made.clear()


def test_doctor_says_what_is_wrong_and_its_repairs_repair_it(set_up):
    """The verdict is what really happens; the commands are those that repair it; they let in nobody else."""
    case, found = set_up.case, set_up.examined()
    who = case.get("as", "alice")
    by_name, for_stack = (
        [each.verdict for each in found.diagnoses if each.way.for_stack is way] for way in (False, True)
    )
    assert [by_name, for_stack] == [[verdict] for verdict in case["verdicts"]]
    for verdict, way in zip(case["verdicts"], (False, True), strict=True):
        if verdict != "unknown":
            assert set_up.opens(who, for_stack=way) is (verdict == "admitted")
    reasons = [each.reason for each in (*found.diagnoses, *found.obstacles)]
    findings = [f"{finding.rule}: {finding.message}" for role in found.roles for finding in role.findings]
    assert case.get("says", "") in "\n".join([*reasons, *findings])

    commands = [repair.command for repair in found.repairs]
    assert [
        " ".join(command)[: len(wanted)] for command, wanted in zip(commands, case.get("repairs", ()), strict=True)
    ] == case.get("repairs", [])
    narrowing = [role.narrowing.command for role in found.roles if role.narrowing]
    assert bool(narrowing) is case.get("narrows", False)
    for command in (*commands, *narrowing):
        set_up.apply(command)

    after = case.get("after", {})
    refused = after.get("refused", [])
    for each in after.get("admitted", [] if who in refused else [who]):
        assert set_up.opens(each, for_stack=False), each
        assert set_up.opens(each, for_stack=True) is ("stacks" not in after), each
    for each in refused:
        assert not set_up.opens(each, for_stack=False), each
        assert not set_up.opens(each, for_stack=True), each
    for environment in case.get("opens", ()):
        assert set_up.opens(who, for_stack=False, environment=environment)
    # Nobody else: the same login in another environment.
    if after.get("strangers"):
        return
    assert not set_up.opens(who, for_stack=False, environment=STRANGER)
    assert not set_up.opens(who, for_stack=True, environment=STRANGER)


def test_every_error_of_lint_lets_in_nobody_or_too_many():
    """A new rule has to say which; the rest is about the document as a whole."""
    errors = {rule.id for rule in RULES.values() if rule.severity == "error"}
    assert errors == NOBODY | TOO_MANY | {"unreadable", "too-long", "duplicate-sid"}
    assert not NOBODY & TOO_MANY


def test_the_table_is_long_enough():
    """Each case has a name of its own, and says who broke it how."""
    assert len({case["name"] for case in SET_UPS}) == len(SET_UPS) >= 40
    assert all(case["cause"] for case in SET_UPS)
