"""Policy variables and wildcards in the values of a condition.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .model import UndefinedBehaviour

Value = str | tuple[str, ...]
"""What a condition key holds in a request: one string, or the strings of a multivalued key."""

_VARIABLE: Final = re.compile(r"\$\{(?:(?P<character>[*?$])|(?P<key>[^{}',*?$\s]+)(?:, '(?P<default>[^']*)')?)\}")


@dataclass(frozen=True)
class Text:
    """Characters as written; under a Like operator ``*`` and ``?`` in them are wildcards."""

    text: str


@dataclass(frozen=True)
class Character:
    """``${*}``, ``${?}`` or ``${$}``: that character, never a wildcard."""

    character: str


@dataclass(frozen=True)
class Variable:
    """``${key}`` or ``${key, 'default'}``: what the request has under the key (in lower case here), literally."""

    key: str
    default: str | None


Template = tuple[Text | Character | Variable, ...]


def parse(value: str, *, has_variables: bool) -> Template:
    """Split a value at its variables; in documents before 2012-10-17 ``${...}`` is plain text.

    Raises:
        UndefinedBehaviour: A ``${`` begins something that is none of the documented forms.
    """
    if not has_variables or "${" not in value:
        return (Text(value),)
    parts: list[Text | Character | Variable] = []
    end = 0
    for found in _VARIABLE.finditer(value):
        parts.append(Text(value[end : found.start()]))
        character, key, default = found["character"], found["key"], found["default"]
        parts.append(Character(character) if character else Variable(key.lower(), default))
        end = found.end()
    parts.append(Text(value[end:]))
    if any(isinstance(part, Text) and "${" in part.text for part in parts):
        raise UndefinedBehaviour(
            f"{value!r} holds a ${{ that is no policy variable; AWS documents ${{key}}, ${{key, 'default'}}, "
            "${*}, ${?} and ${$}."
        )
    return tuple(part for part in parts if part != Text(""))


def resolve(template: Template, context: Mapping[str, Value]) -> Template | None:
    """Put the request's values in place of the variables; None when one of them cannot be resolved.

    Raises:
        UndefinedBehaviour: The key is multivalued, which AWS does not allow in a variable, or empty.
    """
    parts: list[Text | Character | Variable] = []
    for part in template:
        if not isinstance(part, Variable):
            parts.append(part)
            continue
        value = context.get(part.key, part.default)
        if value is None:
            return None
        if not isinstance(value, str):
            raise UndefinedBehaviour(f"${{{part.key}}} names a key with several values.")
        if not value and part.key in context:
            raise UndefinedBehaviour(f"${{{part.key}}} names a key whose value is empty.")
        # A substituted value is literal: a `*` in it is a character, not a wildcard.
        parts.append(Character(value))
    return tuple(parts)


def literal(template: Template) -> str:
    """The string that a template without variables stands for when nothing in it is a wildcard."""
    return "".join(
        part.text if isinstance(part, Text) else part.character for part in template if not isinstance(part, Variable)
    )


def is_pattern(template: Template) -> bool:
    """Whether a wildcard is in it."""
    return any(isinstance(part, Text) and ("*" in part.text or "?" in part.text) for part in template)


def expression(template: Template) -> str:
    """The regular expression of a pattern: ``*`` is any run of characters, ``?`` exactly one.

    Both cross ``:`` and ``/``. Between two ``*`` the leftmost match is always good enough, so each is an atomic
    group and no pattern, however hostile, makes matching slow.
    """
    pieces: list[str] = [""]
    for part in template:
        if isinstance(part, Text):
            first, *rest = re.split(r"\*+", part.text)
            pieces[-1] += _escape(first)
            pieces.extend(_escape(piece) for piece in rest)
        else:
            pieces[-1] += re.escape(literal((part,)))
    if len(pieces) == 1:
        return pieces[0]
    middle = "".join(f"(?>.*?{piece})" for piece in pieces[1:-1] if piece)
    return f"{pieces[0]}{middle}.*{pieces[-1]}"


def matches(pattern: str, value: str) -> bool:
    """Whether a pattern without variables matches a value, as StringLike does."""
    return re.fullmatch(expression((Text(pattern),)), value, re.DOTALL) is not None


def _escape(text: str) -> str:
    return ".".join(re.escape(piece) for piece in text.split("?"))
