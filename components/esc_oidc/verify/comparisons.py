"""Whether one value of a request matches any of the values that a condition lists."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from .model import UndefinedBehaviour
from .variables import (
    Character,
    Template,
    Text,
    Value,
    Variable,
    expression,
    is_pattern,
    literal,
    parse,
    resolve,
)

_ASCII_UPPER: Final = {ord(upper): upper.lower() for upper in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_LAST_OF_BASIC_PLANE: Final = "\uffff"

Matcher = Callable[[str], bool | str]
"""Judges one value: matched, not matched, or in words why AWS leaves it undefined."""


@dataclass(frozen=True)
class Comparison:
    """The values of one condition, ready to compare: all those without variables at once, the others each time."""

    fixed: Matcher
    variables: tuple[Template, ...]
    of: Callable[[tuple[Template, ...]], Matcher] = field(repr=False)

    def __call__(self, value: str, context: Mapping[str, Value]) -> bool | str:
        """Whether the value matches any of the listed ones; unresolvable variables match nothing."""
        matched = self.fixed(value)
        if matched is not False or not self.variables:
            return matched
        try:
            resolved = [resolve(template, context) for template in self.variables]
        except UndefinedBehaviour as error:
            return str(error)
        return self.of(tuple(template for template in resolved if template is not None))(value)

    def unresolved(self, context: Mapping[str, Value]) -> str | None:
        """Which variable the request has no value for, in words."""
        for template in self.variables:
            for part in template:
                if isinstance(part, Variable) and part.default is None and part.key not in context:
                    return f"the policy variable ${{{part.key}}} has no value in this request"
        return None


def comparison(name: str, values: tuple[str, ...], *, has_variables: bool) -> Comparison:
    """Prepare the values for an operator, named in its positive form.

    Raises:
        UndefinedBehaviour: A variable that AWS does not define for this operator.
    """
    templates = [parse(value, has_variables=has_variables) for value in values]
    if name != "StringLike":
        for template in templates:
            # Outside a pattern these characters are ordinary, so nothing says what escaping them gives.
            if any(isinstance(part, Character) and part.character != "$" for part in template):
                raise UndefinedBehaviour(f"AWS does not say what ${{*}} and ${{?}} are under {name}.")
    of = {"StringLike": _like, "StringEqualsIgnoreCase": _ignore_case}.get(name, _equals)
    fixed = tuple(t for t in templates if not any(isinstance(part, Variable) for part in t))
    variables = tuple(t for t in templates if any(isinstance(part, Variable) for part in t))
    return Comparison(_boolean(of(fixed)) if name == "Bool" else of(fixed), variables, of)


def _boolean(equals: Matcher) -> Matcher:
    def match(value: str) -> bool | str:
        if value not in {"true", "false"}:
            return f"Bool compares true and false, and the request has {value!r}"
        return equals(value)

    return match


def _equals(templates: tuple[Template, ...]) -> Matcher:
    return frozenset(literal(template) for template in templates).__contains__


def _ignore_case(templates: tuple[Template, ...]) -> Matcher:
    values = [literal(template) for template in templates]
    ascii_only = frozenset(value.translate(_ASCII_UPPER) for value in values)
    folded = frozenset(value.casefold() for value in values)

    def match(value: str) -> bool | str:
        matched = value.translate(_ASCII_UPPER) in ascii_only
        if matched is not (value.casefold() in folded):
            return f"AWS does not say which letters outside ASCII IgnoreCase takes as one ({value!r})"
        return matched

    return match


def _like(templates: tuple[Template, ...]) -> Matcher:
    exact = frozenset(literal(template) for template in templates if not is_pattern(template))
    patterns = [expression(template) for template in templates if is_pattern(template)]
    if not patterns:
        return exact.__contains__
    fullmatch = re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.DOTALL).fullmatch
    counts = any(isinstance(part, Text) and "?" in part.text for t in templates for part in t)

    def match(value: str) -> bool | str:
        if counts and not value.isascii() and max(value) > _LAST_OF_BASIC_PLANE:
            return f"AWS does not say whether ? is a character or half of one ({value!r})"
        return value in exact or fullmatch(value) is not None

    return match
