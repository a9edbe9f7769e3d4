"""The parser of ESC texts; tests/sandbox/esc/test_evaluation.py compares it with Pulumi's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esc_oidc.interpolation import Reference, escape, parse


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("plain", ["plain"]),
        ("${a}", [Reference(("a",))]),
        ('${a.b["c d"][0]}', [Reference(("a", "b", "c d", 0))]),
        ('${["a b"].c}', [Reference(("a b", "c"))]),
        (r'${a["\"q\" \n"]}', [Reference(("a", r'"q" \n'))]),
        ('${a["}"]}', [Reference(("a", "}"))]),
        ("one ${a} two ${b}${c}", ["one ", Reference(("a",)), " two ", Reference(("b",)), Reference(("c",))]),
        ("${a}!", [Reference(("a",)), "!"]),
        ("${.a}", [Reference(("a",))]),
        ("${a[-1]}", [Reference(("a", -1))]),
        ("${a[+01]}", [Reference(("a", 1))]),
        ("${a[9223372036854775807]}", [Reference(("a", 2**63 - 1))]),
        ("${}", [Reference(("",))]),
        ("é ${é}", ["é ", Reference(("é",))]),
        ('${["à"]}', [Reference(("à",))]),
    ],
)
def test_a_text_is_literals_and_references(text, parts):
    """They keep their order, and there are no empty literals."""
    assert parse(text) == (parts, [])


@pytest.mark.parametrize(
    ("text", "literal"),
    [("$$", "$"), ("$${a}", "${a}"), ("$", "$"), ("$5", "$5"), ("$$$", "$$"), ("a$$$$b", "a$$b")],
)
def test_two_dollars_are_one(text, literal):
    """Two dollars are a literal dollar; a single one that begins nothing is itself."""
    assert parse(text) == ([literal], [])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("${", "missing closing brace"),
        ("${a", "missing closing brace"),
        ("${a b}", "missing closing brace"),
        ("${a\u00a0}", "missing closing brace"),
        ("${a.}", "an empty name"),
        ("${a..b}", "an empty name"),
        ("${a[", "a bad subscript"),
        ("${a[0}", "a bad subscript"),
        ('${a["b"}', "a bad subscript"),
        ('${a["b', "a bad subscript"),
        (r'${a["b\"]}', "a bad subscript"),
        ('${a[""]}', "a bad subscript"),
        ("${a[]}", "a bad subscript"),
        ("${a[b]}", "a bad subscript"),
        ("${a[1_0]}", "a bad subscript"),
        ("${a[٣]}", "a bad subscript"),
        (f"${{a[{'9' * 5000}]}}", "a bad subscript"),
        ("${a[9223372036854775808]}", "a list index has more than 64 bits"),
        ("${[0]}", "a list index comes first"),
    ],
)
def test_the_first_error_is_named(text, problem):
    """The message has the reference that is wrong."""
    _, (error,) = parse(f"fine ${{x}} {text}")
    assert error.startswith(problem)
    assert "in the reference '${" in error


def test_a_letter_whose_second_byte_is_a_space_to_go_ends_a_reference():
    """Pulumi's parser reads single bytes, and stops at the second one of "à"."""
    assert parse("${à}")[1] == ["missing closing brace '}' in the reference '${à}'"]


@pytest.mark.parametrize(
    ("literal", "text"),
    [("$", "$"), ("$5 a$b", "$5 a$b"), ("${a}", "$${a}"), ("$$", "$$$"), ("$${", "$$$${"), ("{}", "{}")],
)
def test_only_what_would_be_misread_is_escaped(literal, text):
    """A dollar is doubled only before another dollar or a brace."""
    assert escape(literal) == text


@given(st.text(st.sampled_from("${}a[]\"'.é \n") | st.characters(exclude_categories=["Cs"])))
def test_escaped_text_is_read_as_it_was(literal):
    """This holds for any text."""
    assert parse(escape(literal)) == ([literal] if literal else [], [])
