"""What is wrong with an input: which one, its value, the rule, and the way out."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

_LONGEST_VALUE: Final = 120


class _StandIn:
    def __init__(self, shown: str) -> None:
        self._shown = shown

    def __repr__(self) -> str:
        return self._shown


LATER: Final = _StandIn("(an Output)")
"""Stands for what Pulumi does not know yet: an Output, in the place of the value it will have."""

SECRET: Final = _StandIn("(a secret)")
"""Stands for a value that must not appear in a message."""


@dataclass(frozen=True)
class Problem:
    """A rule that a value breaks, and what to do instead."""

    rule: str
    fix: str


@dataclass(frozen=True)
class Violation:
    """One rule that one input breaks.

    Args:
        input: The input's name, with the place in it: `allowed_users[1]`.
        value: What was given.
        rule: What is allowed.
        fix: What to do.
    """

    input: str
    value: Any
    rule: str
    fix: str

    @property
    def name(self) -> str:
        """The input's name, without the place in it."""
        return self.input.partition("[")[0].partition(" ")[0]

    def __str__(self) -> str:
        return f"{self.input} = {_shown(self.value)}: {self.rule} {self.fix}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}... ({len(text)} characters)"


def without(secrets: Iterable[str], text: str) -> str:
    """The text with every secret masked. Secrets of one or two characters stay: masking them would reveal more."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) > 2:  # noqa: PLR2004 - said above
            text = text.replace(secret, repr(SECRET))
    return text


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was most likely meant, whatever its case."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    matches = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[matches[0]] if matches else None


def listed(words: Iterable[str]) -> str:
    """Words as a sentence lists them: `a`, `b` and `c`."""
    quoted = [f"`{word}`" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
