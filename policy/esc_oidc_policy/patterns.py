"""Whether a text can be two things at once: what a login may ask with, and what a trust policy admits."""

from collections import deque
from enum import Enum
from typing import Final


class Wild(Enum):
    """What stands for more than one text."""

    ONE = "?"
    RUN = "*"
    VALUE = "any value of an attribute: a run of characters without a colon"


Pattern = tuple[str | Wild, ...]
"""Characters, each standing for itself, and wildcards."""

OPEN: Final = "\0"
"""Marks, in a text, a value that anybody may fill; no subject has this character."""

# Any character that no value is forbidden to have; only shown when nothing narrows it down.
_FILLER: Final = "x"


def opened(text: str) -> Pattern:
    """A text in which `OPEN` stands for any value of an attribute."""
    return tuple(Wild.VALUE if character == OPEN else character for character in text)


def glob(text: str) -> Pattern:
    """A value of StringLike."""
    wild = {"*": Wild.RUN, "?": Wild.ONE}
    return tuple(wild.get(character, character) for character in text)


def meet(left: Pattern, right: Pattern) -> str | None:
    """The shortest text that both patterns match; None when there is none."""
    start, end = (0, 0), (len(left), len(right))
    # How each pair of places was reached: from where, over which character.
    came: dict[tuple[int, int], tuple[tuple[int, int], str]] = {start: (start, "")}
    waiting = deque([start])
    while waiting and end not in came:
        place = waiting.popleft()
        for following, character in _steps(left, right, *place):
            if following not in came:
                came[following] = (place, character)
                # A step without a character costs nothing and is taken first.
                (waiting.append if character else waiting.appendleft)(following)
    if end not in came:
        return None
    text, place = "", end
    while place != start:
        place, character = came[place]
        text = character + text
    return text


def _steps(left: Pattern, right: Pattern, i: int, j: int) -> list[tuple[tuple[int, int], str]]:
    one, other = left[i : i + 1], right[j : j + 1]
    steps = []
    if _may_repeat(one):
        steps.append(((i + 1, j), ""))
    if _may_repeat(other):
        steps.append(((i, j + 1), ""))
    if one and other:
        fixed = [item for item in (*one, *other) if isinstance(item, str)]
        character = fixed[0] if fixed else _FILLER
        if _takes(one[0], character) and _takes(other[0], character):
            steps.append(((i + (not _may_repeat(one)), j + (not _may_repeat(other))), character))
    return steps


def _may_repeat(item: Pattern) -> bool:
    return item in ((Wild.RUN,), (Wild.VALUE,))


def _takes(item: str | Wild, character: str) -> bool:
    if isinstance(item, str):
        return item == character
    return item is not Wild.VALUE or character != ":"
