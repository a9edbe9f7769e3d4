"""The shortest token of some form that matches some patterns and none of some others.

A pattern is its own automaton: what may follow a character is again a pattern, or several, its partial derivatives
(Antimirov, Theoretical Computer Science 155, 1996). What a token must match is followed one pattern at a time, what it
must not match all at once. A path ends where a pattern that must not match admits whatever can still follow, and where
another path came as far with fewer such patterns (antichains: De Wulf, Doyen, Henzinger and Raskin, CAV 2006). So equal
patterns cost nothing, and patterns with many wildcards little.
"""

import heapq
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import count, product
from typing import Final, NamedTuple

from ..trust import MAX_SUBJECT

# What a token is made of.


@dataclass(frozen=True)
class Some:
    """One or more of these characters, or any number. Where several would do, examples have the first."""

    characters: str
    may_be_empty: bool = False


@dataclass(frozen=True)
class OneOf:
    """One of these."""

    alternatives: tuple["Items", ...]


@dataclass(frozen=True)
class AnyOf:
    """Any of these in any order, or none: each at most once, or as often as you like."""

    choices: tuple["Items", ...]
    repeatable: bool


Items = tuple[str | Some | OneOf | AnyOf, ...]
"""Text and values, one after the other."""


@dataclass(frozen=True, eq=False)
class Form:
    """A form of tokens. The organization is the same in both claims.

    A form remembers what has been made of it: keep it for the next search.

    Attributes:
        cloud: What stands before the organization in the audience.
        head: What stands before it in the subject.
        organization: The organization, which ends the audience.
        rest: What stands behind it in the subject.
    """

    cloud: Items
    head: Items
    organization: Items
    rest: Items
    _places: dict[tuple[int, Items], "_Place"] = field(default_factory=dict, init=False, repr=False)

    def place(self, part: int, items: Items | None = None) -> "_Place":
        """The place in a part of it, with these items still to come of that part; by default all."""
        if items is None:
            items = (self.cloud, self.head, self.organization, self.rest, ())[part]
        return self._places.setdefault((part, items), _Place(self, part, items))


@dataclass(frozen=True, eq=False)
class _Place:
    """How far a token has been read: the part of its form, and what is still to come of that part."""

    form: Form
    part: int
    items: Items

    @cached_property
    def moves(self) -> tuple[tuple[str | Some | None, "_Place"], ...]:
        """The next text or characters and where they lead; nothing where a part of the form ends."""
        return tuple(
            (first, self.form.place(self.part + 1) if first is None else self.form.place(self.part, rest))
            for first, rest in _beginnings(self.items)
        )


def _beginnings(items: Items) -> Iterator[tuple[str | Some | None, Items]]:
    """Which text or which characters may come first, and what follows; nothing at the end."""
    if not items:
        yield None, ()
        return
    first, rest = items[0], items[1:]
    if isinstance(first, str):
        yield first, rest
    elif isinstance(first, Some):
        yield first, (Some(first.characters, may_be_empty=True), *rest)
        if first.may_be_empty:
            yield from _beginnings(rest)
    elif isinstance(first, OneOf):
        for alternative in first.alternatives:
            yield from _beginnings((*alternative, *rest))
    else:
        yield from _beginnings(rest)
        for choice in first.choices:
            others = tuple(other for other in first.choices if first.repeatable or other != choice)
            yield from _beginnings((*choice, AnyOf(others, first.repeatable), *rest))


# Patterns: `*` is any run of characters, `?` exactly one, as StringLike has them.


def canonical(pattern: str) -> str:
    """The same pattern with runs of wildcards in one order, so that equal ones are equal text."""
    text, stars, questions = "", False, 0
    for character in f"{pattern}\0":
        if character == "*":
            stars = True
        elif character == "?":
            questions += 1
        else:
            text += "?" * questions + "*" * stars + character
            stars, questions = False, 0
    return text[:-1]


@lru_cache(maxsize=1 << 16)
def _after(pattern: str, character: str) -> tuple[str, ...]:
    """What may follow a character, without what another of them includes."""
    if pattern.startswith("*"):
        later = _after(pattern[1:], character)
        return later if any(_includes(wide, pattern) for wide in later) else (pattern, *later)
    return (pattern[1:],) if pattern[:1] in {character, "?"} else ()


@lru_cache(maxsize=1 << 16)
def _includes(wide: str, narrow: str) -> bool:
    """Whether a wildcard pattern matches all that another does, as far as their letters show."""
    if not wide.startswith("*"):
        return wide == narrow
    place = star = resumed = 0
    reached = 0
    while reached < len(narrow):
        if wide[place : place + 1] == "*":
            star, resumed, place = place, reached, place + 1
        elif place < len(wide) and (wide[place] == narrow[reached] or (wide[place] == "?" and narrow[reached] != "*")):
            place, reached = place + 1, reached + 1
        else:
            resumed += 1
            place, reached = star + 1, resumed
    return not wide[place:].strip("*")


def _is_met(pattern: str) -> bool:
    return pattern in {"", "*"}


# The search.

Never = frozenset[tuple[frozenset[str], frozenset[str]]]
"""Patterns for the audience, and patterns for the subject: no token may match one of each."""


class Case(NamedTuple):
    """What a search looks for.

    Attributes:
        audience: The patterns that its audience must match, all of them.
        subject: The same of its subject.
        never: What it must not match.
    """

    audience: tuple[str, ...]
    subject: tuple[str, ...]
    never: Never


class TooMuchWork(Exception):  # noqa: N818 - a result, which the caller words
    """The search has a limit, and reached it."""


_Patterns = frozenset[str]


class Work:
    """What searches may cost together, and what they have found out that serves the next.

    A unit is about a microsecond: a pattern followed by one character, two sets of patterns compared, or two short
    patterns twice.

    Attributes:
        left: The units that are left.
    """

    def __init__(self, units: int) -> None:
        self.left = units
        self._after: dict[tuple[_Patterns, str], _Patterns] = {}
        self._ways: dict[tuple[tuple[str, ...], str], list[tuple[str, ...]]] = {}
        self._covers: dict[tuple[_Patterns, tuple[str, ...]], bool] = {}

    def spend(self, units: int) -> None:
        """Take some of what is left.

        Raises:
            TooMuchWork: It is not enough.
        """
        self.left -= units
        if self.left < 0:
            raise TooMuchWork

    def all_after(self, patterns: _Patterns, text: str) -> _Patterns:
        """What may follow a text in any of these patterns, without what another of them includes."""
        if (known := self._after.get((patterns, text))) is not None:
            return known
        after = patterns
        for character in text:
            after = self._after_one(after, character)
        self._after[patterns, text] = after
        return after

    def _after_one(self, patterns: _Patterns, character: str) -> _Patterns:
        if (known := self._after.get((patterns, character))) is not None:
            return known
        self.spend(2 * len(patterns))
        following = {each for pattern in patterns for each in _after(pattern, character)}
        wide = [each for each in following if each.startswith("*")]
        self.spend(self._cost(following, wide))
        after = frozenset(
            each for each in following if not any(other != each and _includes(other, each) for other in wide)
        )
        self._after[patterns, character] = after
        return after

    def ways_after(self, patterns: tuple[str, ...], text: str) -> list[tuple[str, ...]]:
        """The ways to follow all of these patterns at once."""
        if (known := self._ways.get((patterns, text))) is not None:
            return known
        ways = [patterns]
        for character in text:
            self.spend(sum(map(len, ways)))
            ways = [way for each in ways for way in product(*(_after(pattern, character) for pattern in each))]
            ways = list(dict.fromkeys(ways))
        self._ways[patterns, text] = ways
        return ways

    def covers(self, patterns: _Patterns, wanted: tuple[str, ...]) -> bool:
        """Whether one of the patterns includes one of those that must all match."""
        if (known := self._covers.get((patterns, wanted))) is not None:
            return known
        wide = [pattern for pattern in patterns if pattern.startswith("*")]
        self.spend(self._cost(wanted, wide))
        covers = any(each in patterns for each in wanted) or any(
            _includes(pattern, each) for pattern in wide for each in wanted
        )
        self._covers[patterns, wanted] = covers
        return covers

    @staticmethod
    def _cost(patterns: Collection[str], wide: list[str]) -> int:
        """What it costs to compare these patterns with those."""
        return len(wide) * (16 * len(patterns) + sum(map(len, patterns))) // 100


_READS_AUDIENCE: Final = (True, False, True, False)
_READS_SUBJECT: Final = (False, True, True, True)
_ORGANIZATION, _REST, _END = 2, 3, 4

_COMPARED: Final = 32
"""How many paths to one place the next ones are compared with: the first, which leave most open."""


class _Node(NamedTuple):
    place: _Place
    case: Case


class _Search:
    """One search: what has been seen, and what is to be looked at next, the shortest subject first."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._exactly: set[_Node] = set()
        self._seen: dict[tuple[_Place, tuple[str, ...], tuple[str, ...]], list[Never]] = {}
        self._queue: list[tuple[int, int, int, int, str, str, _Node]] = []
        self._order = count()

    def add(self, audience: str, subject: str, node: _Node) -> None:
        """Look at this node later, unless nothing that is looked for can follow."""
        self._work.spend(4 + 2 * len(node.case.never))
        if len(subject) <= MAX_SUBJECT and not self._is_hopeless(node.case):
            # What must not match less comes first: it makes the others superfluous.
            weight = sum(len(subjects) for _, subjects in node.case.never)
            entry = (len(subject), len(audience), weight, next(self._order), audience, subject, node)
            heapq.heappush(self._queue, entry)

    def run(self) -> tuple[str, str] | None:
        """Audience and subject of the shortest token.

        Raises:
            TooMuchWork: There is none within the limit, and more to look at.
        """
        while self._queue:
            *_, audience, subject, node = heapq.heappop(self._queue)
            if node.place.part == _END:
                return audience, subject
            if self._is_superfluous(node):
                continue
            self._follow(audience, subject, node)
        return None

    def _is_superfluous(self, node: _Node) -> bool:
        """Whether another path came here that leads wherever this one does."""
        audience, subject, never = node.case
        seen = self._seen.setdefault((node.place, audience, subject), [])
        self._work.spend(1 + len(seen) * (1 + len(never) ** 2 // 2))
        if any(_is_less(other, never) for other in seen):
            return True
        if len(seen) < _COMPARED:
            seen.append(never)
        if node in self._exactly:
            return True
        self._exactly.add(node)
        return False

    def _follow(self, audience: str, subject: str, node: _Node) -> None:
        part = node.place.part
        for first, target in node.place.moves:
            if first is None:
                if (case := _at_the_end(part, node.case)) is not None:
                    self.add(audience, subject, _Node(target, case))
                continue
            for text in [first] if isinstance(first, str) else _told_apart(first.characters, node.case, part):
                for case in self._cases_after(node.case, text, part):
                    self.add(
                        audience + text * _READS_AUDIENCE[part],
                        subject + text * _READS_SUBJECT[part],
                        _Node(target, case),
                    )

    def _cases_after(self, case: Case, text: str, part: int) -> Iterator[Case]:
        """What is looked for after some text."""
        self._work.spend(3 + 3 * len(case.never))
        reads_audience, reads_subject = _READS_AUDIENCE[part], _READS_SUBJECT[part]
        audiences = self._work.ways_after(case.audience, text) if reads_audience else [case.audience]
        subjects = self._work.ways_after(case.subject, text) if reads_subject else [case.subject]
        if not audiences or not subjects:
            return
        never = frozenset(
            (left, right)
            for audience, subject in case.never
            if (left := self._work.all_after(audience, text) if reads_audience else audience)
            and (right := self._work.all_after(subject, text) if reads_subject else subject)
        )
        for audience in audiences:
            for subject in subjects:
                yield Case(audience, subject, never)

    def _is_hopeless(self, case: Case) -> bool:
        """Whether all that can follow matches what must not match."""
        covers = self._work.covers
        return any(
            covers(audience, case.audience) and covers(subject, case.subject) for audience, subject in case.never
        )


def shortest(cases: Iterable[Case], forms: Iterable[Form], work: Work) -> tuple[str, str] | None:
    """Audience and subject of the token with the shortest subject that meets one of these cases; None if there is none.

    Args:
        cases: What is looked for, in canonical patterns.
        forms: Where.
        work: What it may cost.

    Raises:
        TooMuchWork: There is none within the limit, and more to look at.
    """
    search, forms = _Search(work), tuple(forms)
    for case in cases:
        for form in forms:
            search.add("", "", _Node(form.place(0), case))
    return search.run()


def _is_less(never: Never, other: Never) -> bool:
    """Whether whatever must not match in the first must not match in the second either."""
    for audience, subject in never:
        for audiences, subjects in other:
            if audience <= audiences and subject <= subjects:
                break
        else:
            return False
    return True


def _told_apart(characters: str, case: Case, part: int) -> Iterator[str]:
    """The characters that some pattern names, and one that stands for all others."""
    groups: list[Iterable[str]] = []
    for audience, subject in ((case.audience, case.subject), *case.never):
        groups += [audience] * _READS_AUDIENCE[part] + [subject] * _READS_SUBJECT[part]
    named = {pattern[1:2] if pattern[:1] == "*" else pattern[:1] for group in groups for pattern in group}
    has_other = False
    for character in characters:
        if character in named or not has_other:
            has_other = has_other or character not in named
            yield character


def _at_the_end(part: int, case: Case) -> Case | None:
    """What is still looked for where a part of the form ends; None if nothing is."""
    if part == _ORGANIZATION:
        # The audience ends here: it matches, or it doesn't.
        if not all(map(_is_met, case.audience)):
            return None
        subjects = [subject for audience, subject in case.never if any(map(_is_met, audience))]
        return Case(
            ("",), case.subject, frozenset([(frozenset([""]), frozenset().union(*subjects))] if subjects else [])
        )
    if part == _REST:
        missed = any(map(_is_met, [pattern for _, patterns in case.never for pattern in patterns]))
        return case if all(map(_is_met, case.subject)) and not missed else None
    return case
