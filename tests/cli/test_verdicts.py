"""What a verdict looks like: the difference first, one fact a line, at the width of the terminal."""

import io

import pytest
from rich.console import Console

from esc_oidc.cli.verdicts import Verdicts
from esc_oidc.trust import provider_arn, trust_policy
from esc_oidc.verify import Decision, Request, Trust, compile_policy, decide
from tests.support.decision_cases import CLAIMS, DEV, ISSUER, LOGIN, OURS, STATEMENT, TOKEN

USERS = compile_policy(
    {
        **OURS,
        "Statement": {
            **STATEMENT,
            "Condition": {
                "StringEquals": {
                    CLAIMS["aud"]: TOKEN["aud"],
                    CLAIMS["sub"]: [f"{DEV}:pulumi.user.login:{who}" for who in ("alice", "bob")],
                }
            },
        },
    }
)


def refused(sub):
    """The decision about somebody who is not in the policy."""
    decision = USERS.decide(Request({**TOKEN, "sub": sub}, ISSUER))
    assert not decision.allowed
    return decision


MALLORY = refused(f"{DEV}:pulumi.user.login:mallory")


def shown(*what, width=None, verbose=False, **style):
    """What a verdict prints: on a terminal of this width, or into a file."""
    out = Console(file=io.StringIO(), width=width, force_terminal=width is not None, soft_wrap=True, highlight=False,
                  markup=False, color_system=style.pop("color_system", None))  # fmt: skip
    Verdicts(out, verbose).show(*what, **style)
    return out.file.getvalue().splitlines()


def test_the_difference_comes_first_in_aligned_columns():
    """It shows who tried, what was wanted, what they had, and what to do."""
    assert shown("refused", "mallory opens contoso/aws/dev", MALLORY, "a user who is not listed", width=80) == [
        "refused   mallory opens contoso/aws/dev           a user who is not listed",
        "          pulumi.user.login    wanted  alice or bob",
        "                               got     mallory",
        "          If mallory may assume this role, add the user to allowed_users.",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_is_longer_than_the_terminal(width):
    """Lines have hanging indents, and subjects in columns break after their colons; in a sentence they stay whole."""
    everything = shown("refused", "mallory opens contoso/aws/dev", MALLORY, "not listed", width=width, verbose=True)
    everything += shown("refused", "mallory", ("AccessDenied", MALLORY.reason), "x" * 30, width=width)
    assert all(len(line) <= width or len(line.split()) == 1 for line in everything)
    assert all(line.startswith(" " * 10) for line in everything if not line.startswith("refused"))


def test_a_file_gets_whole_lines():
    """Text to search and copy is not wrapped."""
    lines = shown("refused", "mallory", ("AccessDenied", MALLORY.reason))
    assert lines[1] == f"          AccessDenied: {MALLORY.reason}"


def test_a_command_is_never_wrapped():
    """A command can be pasted as it is."""
    policy = trust_policy(Trust(ISSUER, "contoso", ("x",)), provider_arn(ISSUER, "123456789012"))
    decision = decide(policy, Request({"aud": "contoso"}, ISSUER, client_ids=["aws:contoso"]))
    (difference,) = decision.differences
    assert shown("refused", "legacy", decision, width=60)[-1].strip() == difference.command


def test_all_parts_of_a_subject_that_differ_are_shown():
    """Each has lines of its own."""
    lines = shown("refused", "x", refused(f"{LOGIN}:currentEnvironment.name:x/y:pulumi.user.login:eve"))
    assert [line.split()[0] for line in lines if "wanted" in line] == ["currentEnvironment.name", "pulumi.user.login"]


def test_subjects_of_two_forms_are_shown_only_with_verbose():
    """The mistake says what is wrong; the subjects are long."""
    decision = refused("pulumi:environments:org:contoso:env:aws/dev")
    assert not any("wanted" in line for line in shown("refused", "x", decision))
    assert any("wanted" in line for line in shown("refused", "x", decision, verbose=True))


def test_a_deny_is_explained_in_words():
    """There is no difference to show: the Deny applies."""
    policy = compile_policy({**OURS, "Statement": [STATEMENT, {**STATEMENT, "Effect": "Deny", "Sid": "No"}]})
    decision = policy.decide(Request(TOKEN, ISSUER))
    assert shown("refused", "x", decision)[1] == f"          {decision.reason}"


def test_a_missing_key_and_an_empty_value_are_named():
    """Neither is shown as a blank."""
    policy = compile_policy({**OURS, "Statement": {**STATEMENT, "Condition": {"StringEquals": {"aws:x": "y"}}}})
    assert "got     no such key" in shown("refused", "x", policy.decide(Request(TOKEN, ISSUER)))[2]
    team = refused(f"{DEV}:pulumi.user.login:")
    assert "got     (empty)" in shown("refused", "x", team)[2]


def test_an_admission_needs_no_reason():
    """It is one line."""
    assert shown("admitted", "alice", Decision(True, None, MALLORY.explanation)) == ["admitted  alice"]


def test_long_lists_are_cut():
    """Fifty users do not hide the one who was refused."""
    names = [f"{DEV}:pulumi.user.login:user-{number}" for number in range(50)]
    policy = compile_policy({**OURS, "Statement": {**STATEMENT, "Condition": {"StringEquals": {CLAIMS["sub"]: names}}}})
    decision = policy.decide(Request({**TOKEN, "sub": f"{DEV}:pulumi.user.login:eve"}, ISSUER))
    assert shown("refused", "x", decision)[1].endswith("or 44 more")


def test_only_terminals_get_colour():
    """Neither a file nor a terminal with NO_COLOR gets any."""
    assert any("\x1b[3" in line for line in shown("refused", "x", MALLORY, width=80, color_system="standard"))
    assert not any("\x1b" in line for line in shown("refused", "x", MALLORY, style="red"))


def test_a_value_in_a_line_or_a_sentence_stays_whole():
    """It can be copied, since the terminal breaks it; words around it are wrapped, and stay indented."""
    out = Console(file=io.StringIO(), width=20, force_terminal=True, soft_wrap=True, color_system=None)
    Verdicts(out).line(f"    {'word:' * 6} is the end of it", "", 4)
    Verdicts(out).say(f"Write {'word:' * 6}.")
    assert out.file.getvalue().splitlines() == [
        f"    {'word:' * 6}", "    is the end of it", f"{'':10}Write", f"{'':10}{'word:' * 6}.",
    ]  # fmt: skip
