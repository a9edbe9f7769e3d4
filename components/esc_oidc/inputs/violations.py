"""What is wrong with an input: which one, its value, the rule, and the way out."""

import difflib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from ..claims import LEGACY_PROJECT

_LONGEST_VALUE: Final = 120
_SHORTEST_MASKED: Final = 3
"""Masking shorter texts within words would tell what they are."""
_LONGEST_SENTENCE: Final = 1500


class _StandIn:
    def __init__(self, shown: str) -> None:
        self._shown = shown

    def __repr__(self) -> str:
        return self._shown


TOO_DEEP: Final = _StandIn("...")
"""Stands for what is nested deeper than any input is."""

UNREADABLE: Final = _StandIn("(a value that can't be read)")
"""Stands for a value that raises an exception when it is looked at."""

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
        place = _cut(self.input, _LONGEST_VALUE)
        sentences = (_cut(text, _LONGEST_SENTENCE) for text in (self.rule, self.fix))
        return printable(f"{place} = {shown(self.value)}: {' '.join(sentences)}")


def shown(value: object) -> str:
    """A value as a message shows it, cut if it is long."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - whatever a value's own code raises, the rule that it breaks is worth saying
        text = f"(a value of type {type(value).__name__})"
    return _cut(text, _LONGEST_VALUE)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}... ({len(text)} characters)"


def printable(text: str) -> str:
    """The text on one line that every terminal and log can show: whatever else is in it is escaped, as in `repr`."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


@dataclass(frozen=True)
class Secrets:
    """What no message may show.

    Attributes:
        names: The inputs that are secrets.
        texts: Every text in them.
    """

    names: frozenset[str] = frozenset()
    texts: frozenset[str] = field(default=frozenset(), repr=False)

    def redacted(self, violation: Violation) -> Violation:
        """The violation without any secret in it, the value's own or another input's."""
        value, rule, fix = self._shown(violation.value), self.masked(violation.rule), self.masked(violation.fix)
        if violation.name in self.names:
            # A rule says the same of every value; the way out may quote pieces of this one.
            hidden = "Correct the value; it is a secret and not shown here."
            return Violation(violation.input, SECRET, rule, hidden if self._has_pieces(fix) else fix)
        return Violation(violation.input, value, rule, fix)

    def masked(self, text: str) -> str:
        """The text with every secret masked, or a stand-in for the whole text if a secret is too short for that."""
        for secret in sorted(self._spellings, key=len, reverse=True):
            if len(secret) >= _SHORTEST_MASKED:
                text = text.replace(secret, repr(SECRET))
            elif re.search(rf"(?<![A-Za-z0-9]){re.escape(secret)}(?![A-Za-z0-9])", text):
                return "(This is not shown: it would reveal a secret.)"
        return text

    def _has_pieces(self, text: str) -> bool:
        """Whether a word of a secret, or any four of its characters, stand in the text."""
        words = {word for secret in self.texts for word in re.findall(r"\w+", secret)}
        runs = {secret[start : start + 4] for secret in self.texts for start in range(len(secret) - 3)}
        return not words.isdisjoint(re.findall(r"\w+", text)) or any(run in text for run in runs)

    @cached_property
    def _spellings(self) -> frozenset[str]:
        """The secrets as messages may spell them: plain, quoted in Python or JSON, in a subject."""
        plain = self.texts | {text.removeprefix(f"{LEGACY_PROJECT}/") for text in self.texts}
        quoted = {quote(text)[1:-1] for text in plain for quote in (repr, json.dumps)}
        return (plain | quoted) - {""}

    def _shown(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.masked(value)
        return [self._shown(item) for item in value] if isinstance(value, list) else value


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was most likely meant, whatever its case."""
    word = word[:_LONGEST_VALUE]
    by_folded = {candidate.casefold(): candidate for candidate in known}
    matches = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[matches[0]] if matches else None


def listed(words: Iterable[str]) -> str:
    """Words as a sentence lists them: `a`, `b` and `c`."""
    quoted = [f"`{word}`" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
