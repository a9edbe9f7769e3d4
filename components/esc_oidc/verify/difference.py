"""The shortest token that stands nowhere literally and on which policy and declaration disagree."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from ..trust import Trust
from .admission import Admission, Ask
from .automata import AnyOf, Letters, Words, automaton, exact_automaton, letters, pattern_automaton
from .minted import FORMS, START, VALUES, Form, Place

States = tuple[int | None, ...]
"""The state of every automaton, in the order of `_Search.automata`."""


@dataclass(frozen=True)
class _Terms:
    """A clause as numbers of automata, all of which must match."""

    allows: bool
    audience: tuple[int, ...]
    subject: tuple[int, ...]


def shortest_difference(admission: Admission, trust: Trust, below: int | None) -> tuple[str, str, bool] | None:
    """Audience, subject, and whether the policy admits it; None when there is none shorter than `below`.

    Only patterns and missing conditions admit what stands nowhere literally: without them nothing is to be searched.
    """
    if not trust.patterns and not any(clause.allows and clause.is_open for clause in admission.clauses):
        return None
    search = _Search(admission, trust)
    best: tuple[str, str, bool] | None = None
    for form in FORMS:
        for cloud in form.clouds:
            found = search.run(form, cloud, below)
            if found and (best is None or (len(found[1]), found[1]) < (len(best[1]), best[1])):
                best, below = found, len(found[1])
    return best


class _Search:
    """Everything that does not depend on the form of the subject."""

    def __init__(self, admission: Admission, trust: Trust) -> None:
        asked = [ask for clause in admission.clauses for ask in clause.asks]
        declared = (Ask("aud", (trust.audience,), ()), Ask("sub", (), trust.patterns))
        texts = [text for ask in (*asked, *declared) for text in (*ask.exact, *ask.patterns)]
        self._letters: Letters = letters([*texts, *admission.exact, *(form.tail for form in FORMS)])
        self._numbers: dict[Ask, int] = {}
        self._automata: list[AnyOf] = []
        self._clauses = [
            _Terms(clause.allows, self._ask(clause.asks, "aud"), self._ask(clause.asks, "sub"))
            for clause in admission.clauses
            if clause.is_open
        ]
        self._declared = _Terms(True, self._ask(declared, "aud"), self._ask(declared, "sub"))
        self._is_audience = [ask.claim == "aud" for ask in self._numbers]
        self._values = {name: automaton(expression, self._letters) for name, expression in VALUES.items()}
        self._words = Words(admission.exact)

    def _ask(self, asks: Sequence[Ask], claim: str) -> tuple[int, ...]:
        """The automata of what is asked of a claim; the same values asked twice are one automaton."""
        numbers = []
        for ask in asks:
            if ask.claim != claim:
                continue
            # A subject that stands nowhere literally is none of the exact ones.
            alike = Ask(claim, tuple(sorted(ask.exact)) if claim == "aud" else (), tuple(sorted(ask.patterns)))
            if alike not in self._numbers:
                self._numbers[alike] = len(self._automata)
                exact = [exact_automaton(value, self._letters) for value in alike.exact]
                patterns = [pattern_automaton(value, self._letters) for value in alike.patterns]
                self._automata.append(AnyOf([*exact, *patterns]))
            numbers.append(self._numbers[alike])
        return tuple(numbers)

    def run(self, form: Form, cloud: str, below: int | None) -> tuple[str, str, bool] | None:
        """Explore the subjects of one form under one audience, the shortest first."""
        start = self._read(tuple(machine.initial for machine in self._automata), cloud, audience=True)
        states = self._read(start, form.head, audience=False)
        word, value = self._words.read(0, form.head), self._values[START.value].initial
        queue = [(len(form.head), 0, form.head, "", _Node(START, value, states, word))]
        seen: set[_Node] = set()
        pushed = 0
        while queue:
            length, _, text, organization, node = heapq.heappop(queue)
            if below is not None and length >= below:
                return None
            if node.value == _END:
                return f"{cloud}{organization}", text, self._admits(node.states)
            if node in seen:
                continue
            seen.add(node)
            for added, following in self._following(form, node):
                if following not in seen:
                    pushed += 1
                    owner = organization + added if following.place is START else organization
                    heapq.heappush(queue, (length + len(added), pushed, text + added, owner, following))
        return None

    def _following(self, form: Form, node: "_Node") -> Iterator[tuple[str, "_Node"]]:
        place, value, states, word = node
        machine = self._values[place.value]
        in_organization = place is START
        for letter, target in machine.steps[value].items():
            character = self._letters.groups[letter][0]
            after = self._step(states, letter, in_organization)
            if not self._is_settled(after, in_organization):
                yield character, _Node(place, target, after, self._words.read(word, character))
        if value not in machine.finals:
            return
        if form.may_end(place):
            last, end = self._read(states, form.tail, audience=False), self._words.read(word, form.tail)
            if end not in self._words.ends and self._admits(last) != self._applies(self._declared, last):
                yield form.tail, _Node(place, _END, last, end)
        for text, following in form.after(place):
            after = self._read(states, text, audience=False)
            if not self._is_settled(after, in_organization=False):
                initial = self._values[following.value].initial
                yield text, _Node(following, initial, after, self._words.read(word, text))

    def _step(self, states: States, letter: int, in_organization: bool) -> States:
        # The audience is the cloud and the organization: its automata read these and nothing of what follows.
        return tuple(
            state if state is None or (is_audience and not in_organization) else machine.step(state, letter)
            for state, machine, is_audience in zip(states, self._automata, self._is_audience, strict=True)
        )

    def _read(self, states: States, text: str, *, audience: bool) -> States:
        word = [self._letters.of[character] for character in text]
        return tuple(
            machine.read(state, word) if is_audience is audience else state
            for state, machine, is_audience in zip(states, self._automata, self._is_audience, strict=True)
        )

    def _is_settled(self, states: States, in_organization: bool) -> bool:
        """Whether nothing that follows can make policy and declaration disagree."""
        terms = (*self._clauses, self._declared)
        if not any(one.allows and self._is_possible(one, states, in_organization) for one in terms):
            return True
        sure = not in_organization and all(
            is_audience or state is None or state in machine.absorbing
            for state, machine, is_audience in zip(states, self._automata, self._is_audience, strict=True)
        )
        return sure and self._admits(states) == self._applies(self._declared, states)

    def _is_possible(self, terms: _Terms, states: States, in_organization: bool) -> bool:
        audience = (
            all(states[number] is not None for number in terms.audience)
            if in_organization
            else self._match(terms.audience, states)
        )
        return audience and all(states[number] is not None for number in terms.subject)

    def _match(self, numbers: tuple[int, ...], states: States) -> bool:
        return all(states[number] in self._automata[number].finals for number in numbers)

    def _applies(self, terms: _Terms, states: States) -> bool:
        return self._match(terms.audience, states) and self._match(terms.subject, states)

    def _admits(self, states: States) -> bool:
        """Deny over Allow, and without an Allow nothing is allowed."""
        applying = [terms.allows for terms in self._clauses if self._applies(terms, states)]
        return bool(applying) and all(applying)


class _Node(NamedTuple):
    """Where a search stands: in which value, in which state of each automaton, how far in the exact subjects."""

    place: Place
    value: int
    states: States
    word: int | None


_END: Final = -1
"""The `value` of a node at which a subject ends on which policy and declaration disagree."""
