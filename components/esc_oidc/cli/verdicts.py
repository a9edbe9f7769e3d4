"""How a decision is shown to people: the difference first, one fact a line, at the width of the terminal."""

from __future__ import annotations  # `lint` does without decisions, so they are imported for the types alone

import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from ..verify import Decision, Difference

_INDENT: Final = 10
_REMARK: Final = 50
"""The column of a remark, if the title is short enough."""
_WORD: Final = 8
"""Columns for `wanted` and `got`."""
_NARROWEST: Final = 24
"""Columns that a value gets beside its label; with fewer it goes below."""

_SHOWN: Final = 6
"""How many of the values that an attribute may have are named."""

_STYLES: Final = {"wanted": "green", "got": "red"}

Fact = tuple[str, str, str]
"""What it is about, one word such as `wanted` or `got`, and the value."""


@dataclass(frozen=True)
class Verdicts:
    """Prints verdicts. Only on a terminal are lines wrapped: elsewhere they are searched and copied.

    Attributes:
        out: Where to.
        verbose: Whether to add whole subjects and conditions.
    """

    out: Console
    verbose: bool = False

    def show(
        self, verdict: str, title: str, why: Decision | tuple[str, str] | None = None, remark: str = "", style: str = ""
    ) -> None:
        """Print who tried what and, if it was refused, why.

        Args:
            verdict: One word of at most nine letters, such as ``admitted`` or ``refused``.
            title: Who tried what.
            why: The decision; or AWS's error code and the reason, where nothing else is known.
            remark: What there is to know about the title, in a few words.
            style: The verdict's colour.
        """
        head, lines = f"{verdict:<{_INDENT}}", self._wrapped(title, _INDENT)
        for line in lines[:-1]:
            self.out.print(Text.assemble((head, style), line))
            head = " " * _INDENT
        gap = " " * max(_REMARK - _INDENT - len(lines[-1]), 2)
        fits = not self.out.is_terminal or _INDENT + len(lines[-1] + gap + remark) <= self.out.width
        beside, below = (remark, "") if fits else ("", remark)
        self.out.print(Text.assemble((head, style), lines[-1], (gap + beside if beside else "", "dim")))
        self.say(below, "dim")
        if isinstance(why, tuple):
            self.say(": ".join(part for part in why if part))
        elif why is not None and not why.allowed:
            self._explain(why)

    def _explain(self, decision: Decision) -> None:
        differences = decision.differences
        if not differences or decision.explanation.effect == "Deny":
            self.say(decision.reason)
        else:
            self.facts([fact for each in differences for fact in _differing(each)])
            for text in dict.fromkeys(text for each in differences for text in (each.mistake, each.fix) if text):
                self.say(text)
            for each in differences:
                if each.command:
                    self.out.print(Text(" " * _INDENT + each.command, "cyan"))  # whole, to be pasted
        for each in differences if self.verbose else ():
            if each.operator:
                self.say(f"{each.operator} {each.key}", "dim")
                self.facts([*_each("wanted", each.wanted), *_each("got", _values(each))])

    def facts(self, facts: Sequence[Fact]) -> None:
        """Print facts in columns; labels stand above where the terminal is too narrow."""
        label_width = max((len(label) + 4 for label, _, _ in facts if label), default=0)
        if self.out.is_terminal and self.out.width - _INDENT - label_width - _WORD < _NARROWEST:
            label_width = 0
        for label, word, value in facts:
            if label and not label_width:
                self.say(label)
            column, style = f"{'':{_INDENT}}{label if label_width else '':<{label_width}}", _STYLES.get(word, "")
            for line in self._wrapped(value, _INDENT + label_width + _WORD):
                self.out.print(Text(column).append(f"{word:<{_WORD}}", "dim").append(line, style))
                column, word = " " * len(column), " " * _WORD  # noqa: PLW2901 - only the first line has them

    def line(self, text: str, style: str = "", hang: int = 6) -> None:
        """Print a line as it is; where it is wrapped, what follows stands `hang` columns in. Values stay whole."""
        indent = len(text) - len(text.lstrip())
        first, *rest = self._filled(text.lstrip(), indent)
        self.out.print(Text(" " * indent + first, style))
        for line in self._filled(" ".join(rest), hang) if rest else ():
            self.out.print(Text(" " * hang + line, style))

    def say(self, text: str, style: str = "") -> None:
        """Print a sentence below a title. Values in it stay whole."""
        for line in self._filled(text, _INDENT) if text else ():
            self.out.print(Text(" " * _INDENT + line, style))

    def _wrapped(self, text: str, indent: int) -> list[str]:
        """A text's lines: broken at spaces, and a word that is longer than a line behind one of ``:/,=``."""
        if not self.out.is_terminal:
            return [text]
        width, lines = max(self.out.width - indent, 1), []
        for line in self._filled(text, indent):
            rest = line
            while len(rest) > width:
                at = max(rest.rfind(sign, 0, width) for sign in ":/,=") + 1 or width
                lines.append(rest[:at])
                rest = rest[at:]
            lines.append(rest)
        return lines

    def _filled(self, text: str, indent: int) -> list[str]:
        """A text's lines, broken at spaces alone: a longer word can be copied, since the terminal breaks it."""
        if not self.out.is_terminal:
            return [text]
        width = max(self.out.width - indent, 1)
        return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [text]


def _differing(difference: Difference) -> Iterable[Fact]:
    """What differs: of a subject the parts, else the whole."""
    if difference.attribute:
        listed = [value or "(empty)" for value in difference.attribute_wanted]
        more = [f"{len(listed) - _SHOWN} more"] if len(listed) > _SHOWN else []
        wanted = " or ".join([*listed[:_SHOWN], *more])
        parts = [(difference.attribute, wanted, difference.attribute_got or "")]
    elif not (parts := list(difference.parts)):
        claim = re.search(r"[./].*:(aud|sub|amr)$", difference.key) if difference.got is not None else None
        if claim and claim[1] == "sub" and difference.mistake:
            return  # two forms of subjects: the mistake says more than both in full, which `verbose` shows
        parts = [(claim[1] if claim else difference.key, difference.wanted_text, ", ".join(_values(difference)))]
    for name, wanted, got in parts:
        yield name, "wanted", wanted or "(empty)"
        yield "", "got", got or "(empty)"


def _values(difference: Difference) -> tuple[str, ...]:
    got = difference.got
    return ("no such key",) if got is None else (got,) if isinstance(got, str) else got


def _each(word: str, values: Iterable[str]) -> Iterable[Fact]:
    """One value a line, of which the first says what they are."""
    return [("", "" if index else word, value) for index, value in enumerate(values)]
