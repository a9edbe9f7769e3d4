r"""The text of ESC definitions: ``$$`` is a dollar, ``${a.b["c d"][0]}`` a reference.

A port of ast/interpolation.go and ast/property.go of github.com/pulumi/esc v0.26.0, with its error messages.
"""

import re
from dataclasses import dataclass
from typing import Final

_MUST_ESCAPE: Final = re.compile(r"\$(?=[${])")

# Pulumi's parser walks over bytes and asks Go's unicode.IsSpace about each: two of these are the second half
# of letters such as "à" (C3 A0), which therefore cannot stand in an unquoted name.
_SPACES: Final = "\t\n\v\f\r \x85\xa0"
_ENDS_NAME: Final = re.compile(f"[.\\[}}{_SPACES}]")
_ENDS_INDEX: Final = re.compile(f"[\\].\\[}}{_SPACES}]")

_INTEGER: Final = re.compile(r"([+-]?)0*([0-9]{1,19})")
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

    Empty literals are left out: a text that is one whole reference gives one part, an empty text none.
    """
    # One character for each byte of UTF-8, because Pulumi's parser walks over bytes.
    text = text.encode("utf-8", "surrogatepass").decode("latin-1")
    parts: list[str | Reference] = []
    errors: list[str] = []
    literal: list[str] = []
    position = 0
    while position < len(text):
        if text.startswith("$$", position):
            literal.append("$")
            position += 2
        elif text.startswith("${", position):
            if literal:
                parts.append(_characters("".join(literal)))
                literal.clear()
            reference = _ReferenceParser(text, position + 2, errors)
            parts.append(reference.parse())
            position = reference.position
        else:
            literal.append(text[position])
            position += 1
    if literal:
        parts.append(_characters("".join(literal)))
    return parts, errors


def _characters(text: str) -> str:
    """The characters whose bytes these are; an error may have cut one in two."""
    return text.encode("latin-1").decode("utf-8", "replace")


class _ReferenceParser:
    """Reads one reference, from behind its ``${`` to behind its ``}``."""

    def __init__(self, text: str, position: int, errors: list[str]) -> None:
        self.position = position
        self._text = text
        self._errors = errors
        self._path: list[str | int] = []

    def parse(self) -> Reference:
        while True:
            following = self._peek()
            if following == "}":
                self.position += 1
                break
            if following == "" or following in _SPACES:
                self._errors.append("missing closing brace '}' in interpolation")
                break
            if following == "[":
                self.position += 1
                self._path.append(self._subscript())
            else:
                self.position += following == "."
                self._path.append(self._name())
        # `${}` is a reference to the property with the empty name.
        return Reference(tuple(self._path) or ("",))

    def _peek(self) -> str:
        return self._text[self.position : self.position + 1]

    def _until(self, end: re.Pattern[str]) -> str:
        start = self.position
        found = end.search(self._text, start)
        self.position = found.start() if found else len(self._text)
        return _characters(self._text[start : self.position])

    def _name(self) -> str:
        name = self._until(_ENDS_NAME)
        if not name:
            self._errors.append("property name must not be empty")
        return name

    def _subscript(self) -> str | int:
        if not self._peek():
            self._errors.append("subscript is missing closing bracket ']'")
            return ""
        index: str | int
        if self._peek() == '"':
            self.position += 1
            index = self._key()
        else:
            index = self._index()
        if self._peek() == "]":
            self.position += 1
        else:
            self._errors.append("subscript is missing closing bracket ']'")
        return index

    def _key(self) -> str:
        key: list[str] = []
        while character := self._peek():
            self.position += 1
            if character == '"':
                if not key:
                    self._errors.append("key subscript must not be empty")
                return _characters("".join(key))
            if character == "\\" and self._peek() == '"':
                self.position += 1
                character = '"'
            key.append(character)
        self._errors.append("key subscript is missing closing quote '\"'")
        return _characters("".join(key))

    def _index(self) -> str | int:
        index = self._until(_ENDS_INDEX)
        integer = _INTEGER.fullmatch(index)
        if not integer or (number := int(integer[1] + integer[2])) not in _INT64:
            self._errors.append("numeric subscript must be a positive base-10 integer")
            return index
        if not self._path:
            self._errors.append("the first accessor must be a property name or key subscript, not a numeric subscript")
        return number
