"""The parser of ESC texts; tests/sandbox/test_evaluator.py compares it with Pulumi's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esc_oidc.interpolation import Reference, escape, parse

CLOSING_BRACE = "missing closing brace '}' in interpolation"
CLOSING_BRACKET = "subscript is missing closing bracket ']'"
CLOSING_QUOTE = "key subscript is missing closing quote '\"'"
EMPTY_NAME = "property name must not be empty"
NOT_AN_INDEX = "numeric subscript must be a positive base-10 integer"


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
def test_reads_texts_and_references(text: str, parts: list[str | Reference]) -> None:
    """A text is literals and references, in their order, without empty literals."""
    assert parse(text) == (parts, [])


@pytest.mark.parametrize(
    ("text", "literal"),
    [("$$", "$"), ("$${a}", "${a}"), ("$", "$"), ("$5", "$5"), ("$$$", "$$"), ("a$$$$b", "a$$b")],
)
def test_two_dollars_are_one(text: str, literal: str) -> None:
    """Two dollars are one literal dollar, and one that begins nothing is itself."""
    assert parse(text) == ([literal], [])


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("${", [CLOSING_BRACE]),
        ("${a", [CLOSING_BRACE]),
        ("${a b}", [CLOSING_BRACE]),
        ("${a\u00a0}", [CLOSING_BRACE]),
        ("${a.}", [EMPTY_NAME]),
        ("${a..b}", [EMPTY_NAME]),
        ("${a[", [CLOSING_BRACKET, CLOSING_BRACE]),
        ("${a[0}", [CLOSING_BRACKET]),
        ('${a["b"}', [CLOSING_BRACKET]),
        ('${a["b', [CLOSING_QUOTE, CLOSING_BRACKET, CLOSING_BRACE]),
        ('${a[""]}', ["key subscript must not be empty"]),
        ("${a[]}", [NOT_AN_INDEX]),
        ("${a[b]}", [NOT_AN_INDEX]),
        ("${a[1_0]}", [NOT_AN_INDEX]),
        ("${a[٣]}", [NOT_AN_INDEX]),
        ("${a[9223372036854775808]}", [NOT_AN_INDEX]),
        (f"${{a[{'9' * 5000}]}}", [NOT_AN_INDEX]),
        (
            "${[0]}",
            ["the first accessor must be a property name or key subscript, not a numeric subscript"],
        ),
    ],
)
def test_says_what_is_wrong(text: str, errors: list[str]) -> None:
    """Everything wrong with a text is reported, in Pulumi's words."""
    assert parse(text)[1] == errors


def test_a_letter_whose_second_byte_is_a_space_to_go_ends_a_reference() -> None:
    """Pulumi's parser looks at single bytes, and stops at the second one of "à"."""
    assert parse("${à}") == ([Reference(("\ufffd",)), "\ufffd}"], [CLOSING_BRACE])


@pytest.mark.parametrize(
    ("literal", "text"),
    [("$", "$"), ("$5 a$b", "$5 a$b"), ("${a}", "$${a}"), ("$$", "$$$"), ("$${", "$$$${"), ("{}", "{}")],
)
def test_escapes_only_what_would_be_read_otherwise(literal: str, text: str) -> None:
    """A dollar is doubled only in front of another one or of a brace."""
    assert escape(literal) == text


@given(st.text(st.sampled_from("${}a[]\"'.é \n") | st.characters(exclude_categories=["Cs"])))
def test_what_is_escaped_reads_as_it_was(literal: str) -> None:
    """Any literal text, escaped, is read as exactly that text."""
    assert parse(escape(literal)) == ([literal] if literal else [], [])
