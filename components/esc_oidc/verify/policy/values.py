"""Values in a policy: wildcards, and policy variables.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from ..undefined import Undefined, UndefinedBehaviour

ContextValue = str | tuple[str, ...]
"""What a condition key holds in a request: one string, or the strings of a multivalued key."""

Context = Mapping[str, ContextValue | None]
"""The condition keys of a request, in lower case. None says that the request has no such key."""

_OF_EVERY_CALL: Final = ("aws:", "sts:")
"""How the keys begin that AWS adds to a request, whatever its token."""

_VARIABLE: Final = re.compile(r"\$\{(?:(?P<character>[*?$])|(?P<key>[^{}',*?$\s]+)(?:, '(?P<default>[^']*)')?)\}")


@dataclass(frozen=True)
class Text:
    """Characters as written; under a Like operator ``*`` and ``?`` are wildcards."""

    text: str

    @property
    def has_wildcard(self) -> bool:
        """Whether a Like operator finds a wildcard in it."""
        return "*" in self.text or "?" in self.text


@dataclass(frozen=True)
class Literal:
    """Characters that are never wildcards: ``${*}``, ``${?}``, ``${$}``, and what a variable stands for."""

    text: str


@dataclass(frozen=True)
class Variable:
    """``${key}`` or ``${key, 'default'}``: what the request has under the key, here in lower case."""

    key: str
    default: str | None


Resolved = tuple[Text | Literal, ...]
"""A value without variables."""

Template = tuple[Text | Literal | Variable, ...]
"""A value as the policy has it."""


def is_unknown(key: str, context: Context) -> bool:
    """Whether nobody says if the request has this key, in lower case.

    A token's claims are given whole, and a request has no other issuer's keys. But whatever the token, AWS may add keys
    of its own: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    return key.startswith(_OF_EVERY_CALL) and key not in context


def parse(value: str, *, has_variables: bool) -> Template:
    """Split a value at its variables; in documents before 2012-10-17 ``${...}`` is plain text.

    Raises:
        UndefinedBehaviour: A ``${`` begins something that is none of the documented forms.
    """
    if not has_variables or "${" not in value:
        return (Text(value),)
    parts: list[Text | Literal | Variable] = []
    end = 0
    for found in _VARIABLE.finditer(value):
        parts.append(Text(value[end : found.start()]))
        character, key, default = found["character"], found["key"], found["default"]
        parts.append(Literal(character) if character else Variable(key.lower(), default))
        end = found.end()
    parts.append(Text(value[end:]))
    if any(isinstance(part, Text) and "${" in part.text for part in parts):
        raise UndefinedBehaviour(
            f"{value!r} has a ${{ that begins no policy variable; AWS documents ${{key}}, ${{key, 'default'}}, "
            "${*}, ${?} and ${$}."
        )
    return tuple(part for part in parts if part != Text(""))


def resolve(templates: Iterable[Template], context: Context) -> list[Resolved] | Undefined:
    """Put the request's values in place of the variables; leave out what cannot be resolved, which matches nothing."""
    resolved = []
    for template in templates:
        parts: list[Text | Literal] = []
        for part in template:
            if not isinstance(part, Variable):
                parts.append(part)
                continue
            value = context.get(part.key)
            if value is None and not is_unknown(part.key, context):
                value = part.default
            if value is None:
                break
            if not isinstance(value, str):
                return Undefined(f"${{{part.key}}} names a key with several values")
            if not value and context.get(part.key) is not None:
                return Undefined(f"${{{part.key}}} names a key whose value is empty")
            # What replaces a variable is literal: a `*` in it is a character, not a wildcard.
            parts.append(Literal(value))
        else:
            resolved.append(tuple(parts))
    return resolved


def literal(value: Resolved) -> str:
    """The string that a value stands for where nothing in it is a wildcard."""
    return value[0].text if len(value) == 1 else "".join(part.text for part in value)


def is_pattern(value: Resolved) -> bool:
    """Whether a wildcard is in it."""
    return any(isinstance(part, Text) and part.has_wildcard for part in value)


def expression(value: Resolved) -> str:
    """The regular expression of a pattern: ``*`` is any run of characters, ``?`` exactly one.

    Both cross ``:`` and ``/``. Between two ``*`` the leftmost match is always good enough, so each is an atomic
    group and no pattern, however hostile, makes matching slow.
    """
    pieces: list[str] = [""]
    for part in value:
        if isinstance(part, Text):
            first, *rest = re.split(r"\*+", part.text)
            pieces[-1] += _escape(first)
            pieces.extend(_escape(piece) for piece in rest)
        else:
            pieces[-1] += re.escape(part.text)
    if len(pieces) == 1:
        return pieces[0]
    middle = "".join(f"(?>.*?{piece})" for piece in pieces[1:-1] if piece)
    return f"{pieces[0]}{middle}.*{pieces[-1]}"


def matches(pattern: str, value: str) -> bool:
    """Whether a pattern without variables matches a value, as StringLike does."""
    if pattern == value:
        return True
    text = Text(pattern)
    return text.has_wildcard and re.fullmatch(expression((text,)), value, re.DOTALL) is not None


def _escape(text: str) -> str:
    return ".".join(re.escape(piece) for piece in text.split("?"))
