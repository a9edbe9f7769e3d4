"""Automata for the values of a policy, over one alphabet, stepped together.

interegular makes an automaton of every pattern; their product is never built but explored as far as needed, because
interegular's own product compares each state with all others.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from interegular.fsm import FSM

_MINTED: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/@+<>:"
"""Every character that stands in a token's subject or audience."""


@dataclass(frozen=True)
class Letters:
    """The alphabet: characters that no value distinguishes are one letter.

    Attributes:
        groups: The characters of each letter; the first stands for all.
        of: The letter of a character.
        alphabet: The same for interegular.
    """

    groups: tuple[str, ...]
    of: Mapping[str, int]
    alphabet: Any = field(repr=False)


def letters(texts: Iterable[str]) -> Letters:
    """The alphabet for values that hold these texts.

    Raises:
        ModuleNotFoundError: interegular is missing: install ``esc-oidc[cli]``.
    """
    alphabet_type, _ = _interegular()
    distinguished = {character for text in texts for character in text}
    # What the values of subjects distinguish: lower-case letters, names, and each of the other characters.
    groups: dict[str, str] = {}
    for character in _MINTED:
        alike = character not in distinguished and character.isalnum()
        group = ("lower" if character.islower() else "upper or digit") if alike else character
        groups[group] = groups.get(group, "") + character
    ordered = tuple(sorted(groups.values(), key=lambda group: (not group[0].islower(), group)))
    return Letters(
        ordered,
        {character: number for number, group in enumerate(ordered) for character in group},
        alphabet_type.from_groups(*ordered),
    )


@dataclass(frozen=True)
class Automaton:
    """Reads one pattern. A state is a number; None is the state that nothing leads out of.

    Attributes:
        steps: The next state by state and letter.
        finals: The states in which the pattern is matched.
        absorbing: The states that match whatever follows.
    """

    steps: Mapping[int, Mapping[int, int]]
    finals: frozenset[int]
    absorbing: frozenset[int]
    initial: int


def automaton(expression: str, alphabet: Letters) -> Automaton:
    """The automaton of a regular expression."""
    _, parse = _interegular()
    fsm: FSM = parse(expression).to_fsm(alphabet.alphabet)
    # interegular numbers the letters anew.
    letter_of = {
        number: {alphabet.of[character] for character in characters}
        for number, characters in fsm.alphabet.by_transition.items()
    }
    # In the order of the letters: interegular's own differs from run to run, and the counterexample with it.
    steps: dict[int, Mapping[int, int]] = {
        int(state): dict(
            sorted(
                (letter, target) for number, target in fsm.map.get(state, {}).items() for letter in letter_of[number]
            )
        )
        for state in fsm.states
    }
    every = len(alphabet.groups)
    absorbing = {
        int(state) for state in fsm.finals if len(steps[state]) == every and set(steps[state].values()) == {state}
    }
    return Automaton(steps, frozenset(fsm.finals), frozenset(absorbing), int(fsm.initial))


def exact_automaton(value: str, alphabet: Letters) -> Automaton:
    """The automaton of one exact value: a chain."""
    return Automaton(_chain(value, alphabet), frozenset({len(value)}), frozenset(), 0)


def pattern_automaton(pattern: str, alphabet: Letters) -> Automaton:
    """The automaton of a value of StringLike: ``*`` is any run, ``?`` any one character.

    The text before the first wildcard is a chain, made here: most of every pattern is such text.
    """
    head = re.split(r"[*?]", pattern, maxsplit=1)[0]
    parts = re.findall(r"\*+|.", pattern[len(head) :], re.DOTALL)
    if any(part[0] not in "*?" and part not in alphabet.of for part in parts):
        # No token has such a character.
        return Automaton({0: {}}, frozenset(), frozenset(), 0)
    wildcards = {"*": "(.*)", "?": "."}
    behind = automaton("".join(wildcards.get(part[0], re.escape(part)) for part in parts), alphabet)
    # The chain's states are 0 to its length, where the rest begins; the rest's other states follow.
    number = {state: len(head) + 1 + state for state in behind.steps} | {behind.initial: len(head)}
    steps = _chain(head, alphabet)
    for state, targets in behind.steps.items():
        steps[number[state]] = {letter: number[target] for letter, target in targets.items()}
    return Automaton(
        steps,
        frozenset(number[state] for state in behind.finals),
        frozenset(number[state] for state in behind.absorbing),
        0,
    )


def _chain(text: str, alphabet: Letters) -> dict[int, Mapping[int, int]]:
    """The states along some text, the one at its end included; a character that no token has leads nowhere."""
    steps: dict[int, Mapping[int, int]] = {
        place: {alphabet.of[character]: place + 1} if character in alphabet.of else {}
        for place, character in enumerate(text)
    }
    return {**steps, len(text): {}}


class AnyOf:
    """Reads several patterns at once and matches what one of them matches; its states are made when first reached.

    Attributes:
        initial: Where reading begins.
        finals: The states reached so far in which one of the patterns is matched.
        absorbing: The states reached so far that match whatever follows.
    """

    def __init__(self, automata: Iterable[Automaton]) -> None:
        self._automata = tuple(automata)
        self._numbers: dict[tuple[int | None, ...], int] = {}
        self._members: list[tuple[int | None, ...]] = []
        self._memory: dict[tuple[int, int], int | None] = {}
        self.finals: set[int] = set()
        self.absorbing: set[int] = set()
        self.initial = self._number(tuple(machine.initial for machine in self._automata))

    def step(self, state: int, letter: int) -> int | None:
        """The state after one more letter; None when nothing can match any more."""
        key = state, letter
        if key not in self._memory:
            members = tuple(
                None if member is None else machine.steps[member].get(letter)
                for member, machine in zip(self._members[state], self._automata, strict=True)
            )
            self._memory[key] = None if all(member is None for member in members) else self._number(members)
        return self._memory[key]

    def read(self, state: int | None, word: Iterable[int]) -> int | None:
        """The state after some letters."""
        for letter in word:
            if state is None:
                return None
            state = self.step(state, letter)
        return state

    def _number(self, members: tuple[int | None, ...]) -> int:
        if members not in self._numbers:
            number = self._numbers[members] = len(self._members)
            self._members.append(members)
            pairs = list(zip(members, self._automata, strict=True))
            if any(member in machine.finals for member, machine in pairs):
                self.finals.add(number)
            if any(member in machine.absorbing for member, machine in pairs):
                self.absorbing.add(number)
        return self._numbers[members]


class Words:
    """Which of some exact words has been read so far."""

    def __init__(self, words: Iterable[str]) -> None:
        self._next: dict[tuple[int, str], int] = {}
        self.ends: set[int] = set()
        for word in words:
            node = 0
            for character in word:
                node = self._next.setdefault((node, character), len(self._next) + 1)
            self.ends.add(node)

    def read(self, node: int | None, text: str) -> int | None:
        """The node after some text; None when no word begins so."""
        for character in text:
            if node is None:
                return None
            node = self._next.get((node, character))
        return node


def _interegular() -> tuple[Any, Any]:
    try:
        from interegular import parse_pattern  # noqa: PLC0415 - in the extra esc-oidc[cli], which the base install lacks
        from interegular.fsm import Alphabet  # noqa: PLC0415 - the same
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "prove needs interegular, which the base install leaves out: pip install 'esc-oidc[cli]'"
        ) from error
    return Alphabet, parse_pattern
