"""The search for tokens, against every word of a short alphabet, and with patterns that make automata large."""

import random
import re
from itertools import product

import pytest

from esc_oidc.verify.automata import AnyOf, Case, Form, OneOf, Some, TooMuchWork, Work, canonical, shortest
from tests.support.policies import by_recursion

ANY = Form((), (), (Some("ab"),), (OneOf(((), (":", Some("ab", may_be_empty=True), AnyOf(((":", "b"),), True)))),))
ANY_WORDS = re.compile(r"([ab]+)(?::[ab]*(?::b)*)?")
ONCE = Form((OneOf(((), ("a",))),), ("a",), (Some("ab"),), (AnyOf(((":a",), (":b", Some("a"))), False),))
ONCE_WORDS = re.compile(r"a([ab]+)(?:(?::a)?(?::ba+)?|:ba+:a)")
PATTERN_LETTERS = "ab:**??"


def words(form, longest):
    """Every token of a form up to a length, the shortest first."""
    expression, clouds, skipped = (ANY_WORDS, [""], 0) if form is ANY else (ONCE_WORDS, ["", "a"], 1)
    for length in range(1, longest + 1):
        for letters in product("ab:", repeat=length):
            word = "".join(letters)
            if expression.fullmatch(word):
                organization = word[skipped:].partition(":")[0]
                yield from ((f"{cloud}{organization}", word) for cloud in clouds)


TOKENS = {form: list(words(form, 7)) for form in (ANY, ONCE)}


def is_meant(case, audience, subject):
    """Whether a token meets a case, by the definition of wildcards."""
    return (
        all(by_recursion(pattern, audience) for pattern in case.audience)
        and all(by_recursion(pattern, subject) for pattern in case.subject)
        and not any(
            any(by_recursion(each, audience) for each in audiences)
            and any(by_recursion(each, subject) for each in subjects)
            for audiences, subjects in case.never
        )
    )


def random_case(chance):
    """Patterns of a few letters for both claims, and some that must not match."""

    def some(most, least=1, length=5):
        return [
            canonical("".join(chance.choices(PATTERN_LETTERS, k=chance.randint(1, length))))
            for _ in range(chance.randint(least, most))
        ]

    never = [
        (frozenset([*some(2), *"*" * chance.randint(0, 1)]), frozenset(some(4))) for _ in range(chance.randint(0, 3))
    ]
    return Case(tuple(sorted({"*", *some(1, 0)})), tuple(sorted({"*", *some(2, 0)})), frozenset(never))


@pytest.mark.parametrize("seed", range(4))
def test_the_shortest_token_is_found_if_there_is_one(seed):
    """Of 250 random cases: what is found is meant, nothing meant is shorter, and nothing is found where nothing is."""
    chance = random.Random(seed)
    for _ in range(250):
        case, form = random_case(chance), chance.choice([ANY, ONCE])
        found = shortest([case], [form], Work(100_000))
        brute = next((token for token in TOKENS[form] if is_meant(case, *token)), None)
        if brute:
            assert found is not None, case
            assert len(found[1]) == len(brute[1]), case
        if found:
            assert is_meant(case, *found), case
            assert found in TOKENS[form] or len(found[1]) > 7, case


def test_equal_patterns_have_one_text():
    """Wildcards in a row say only how many characters there are at least."""
    assert canonical("a*?**?b*") == "a??*b*"
    assert canonical("?*") == canonical("*?") == "?*"
    assert canonical("") == ""


def test_a_token_longer_than_aws_takes_is_not_looked_for():
    """AWS refuses a subject over 255 characters, whatever the policy says."""
    for length, found in ((255, True), (256, False)):
        assert bool(shortest([Case(("*",), ("?" * length,), frozenset())], [ANY], Work(100_000))) is found


def test_a_search_ends_at_its_limit():
    """It says so, whether it has too many places to look at or too many cases."""
    case = Case(("*",), ("*" + "a?" * 9,), frozenset())
    with pytest.raises(TooMuchWork):
        shortest([case], [ANY], Work(50))
    with pytest.raises(TooMuchWork):
        shortest([Case(("b",), ("a",), frozenset())] * 9, [ONCE], Work(50))


MULTI = ["*a*b*c*d*e*", "*b*a*c*d*e*", "*e*d*c*b*a*", "*c*c*c*c*c*", "*x*y*z*x*y*"]
LONG = [f"*a{'?' * count}" for count in (12, 16, 24)]


@pytest.mark.parametrize(
    ("wanted", "never", "is_found"),
    [
        (MULTI, MULTI, False),
        (MULTI, MULTI[:4], True),
        (MULTI, [*MULTI[:4], "*x*y*z*y*x*"], True),
        *(([long], [long], False) for long in LONG),
        *(([long], [f"{long}?"], True) for long in LONG),
        *(([long], [long.replace("a", "b")], True) for long in LONG),
        *(([f"{long}b*"], [f"{long}b*a*", f"{long}b*b*"], True) for long in LONG),
        ([f"*a{'?' * count}" for count in range(1, 12)], [f"*b{'?' * count}" for count in range(12)], True),
    ],
)
def test_many_wildcards_cost_little(wanted, never, is_found):
    """Equal patterns cost nothing; different ones, however many characters they count, little."""
    form = Form((), (), (Some("abcdexyz"),), ())
    cases = [Case(("*",), (pattern,), frozenset([(frozenset("*"), frozenset(never))])) for pattern in wanted]
    assert bool(shortest(cases, [form], Work(600_000))) is is_found
