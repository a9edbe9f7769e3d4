r"""The text of ESC definitions: ``$$`` is a dollar, ``${a.b["c d"][0]}`` a reference.

It accepts what ast/interpolation.go and ast/property.go of github.com/pulumi/esc v0.26.0 accept.
"""

import re
from dataclasses import dataclass
from typing import Final

_MUST_ESCAPE: Final = re.compile(r"\$(?=[${])")
_LITERAL: Final = re.compile(r"(?:[^$]|\$(?![${])|\$\$)+")

# Pulumi's parser walks over bytes and asks Go's unicode.IsSpace about each: \x85 and \xa0 are the second half
# of letters such as "à" (C3 A0), which therefore can't stand in an unquoted name.
_ACCESSOR: Final = re.compile(
    r"""
      \.?(?P<name>[^.\[}\t\n\v\f\r\x20\x85\xa0]+)
    | \["(?P<key>(?:[^"\\]|\\"|\\(?!"))+)"\]
    | \[(?P<index>[+-]?0*[0-9]{1,19})\]
    """,
    re.VERBOSE,
)
_INT64: Final = range(-(2**63), 2**63)


@dataclass(frozen=True)
class Reference:
    """A property of this environment, of ``imports`` or of ``context``: property names and list indices."""

    path: tuple[str | int, ...]


def escape(text: str) -> str:
    """The text that ESC reads as this literal text."""
    return _MUST_ESCAPE.sub("$$", text)


def parse(text: str) -> tuple[list[str | Reference], list[str]]:
    """The literal texts and references that a text consists of, and what is wrong with it.

    Empty literals are left out: a text that is one whole reference gives one part, an empty text none. Parsing stops
    at the first error.
    """
    # One character for each byte of UTF-8, because Pulumi's parser walks over bytes.
    text = text.encode("utf-8", "surrogatepass").decode("latin-1")
    parts: list[str | Reference] = []
    position = 0
    while position < len(text):
        if literal := _LITERAL.match(text, position):
            parts.append(_characters(literal[0].replace("$$", "$")))
            position = literal.end()
            continue
        begin, path = position, []
        position += len("${")
        while accessor := _ACCESSOR.match(text, position):
            path.append(_step(accessor))
            position = accessor.end()
        if problem := _problem(text, position, path):
            return parts, [f"{problem} in the reference {_characters(text[begin : begin + 40])!r}"]
        # `${}` is a reference to the property with the empty name.
        parts.append(Reference(tuple(path) or ("",)))
        position += len("}")
    return parts, []


def _step(accessor: re.Match[str]) -> str | int:
    if accessor["index"]:
        return int(accessor["index"])
    return _characters(accessor["name"] or accessor["key"].replace('\\"', '"'))


def _problem(text: str, position: int, path: list[str | int]) -> str:
    """What is wrong with a reference that was read up to a position; empty if nothing is."""
    if path and isinstance(path[0], int):
        return "a list index comes first: begin with a name"
    if any(isinstance(step, int) and step not in _INT64 for step in path):
        return "a list index has more than 64 bits"
    if text.startswith("}", position):
        return ""
    if text.startswith("[", position):
        return 'a bad subscript: use ["name"] or [0]'
    if text.startswith(".", position):
        return "an empty name"
    return "missing closing brace '}'"


def _characters(text: str) -> str:
    """The characters whose bytes these are; an error may have cut one in two."""
    return text.encode("latin-1").decode("utf-8", "replace")
