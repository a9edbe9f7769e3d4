"""Paths into values: what a reference such as ``${aws.login.accessKeyId}`` finds."""

import difflib
from collections.abc import Iterable, Sequence

from .values import Value, quote

Path = Sequence[str | int]


class DanglingReference(Exception):  # noqa: N818 - a message about a definition, not a mistake in the program
    """A reference leads nowhere. The message becomes a diagnostic where it stands."""


def follow(value: Value, path: Path) -> Value:
    """The value at a path inside a value.

    Raises:
        DanglingReference: There is nothing.
    """
    for position, step in enumerate(path):
        if isinstance(value.content, list):
            value = value.content[list_index(step, len(value.content))]
        elif isinstance(value.content, dict):
            key = map_key(step)
            if key not in value.content:
                return inherited(value.base, key, path[position:], value.content)
            value = value.content[key]
        elif value.unknown and value.may_be_map:
            value = value.member(map_key(step) if value.kind == "object" else str(step))
        else:
            raise DanglingReference("receiver must be an array or an object")
    return value


def inherited(base: Value | None, key: str, path: Path, own: Iterable[str]) -> Value:
    """The value at a path that begins with a key which a map does not have: what it is merged over may.

    Raises:
        DanglingReference: That neither.
    """
    if base is not None and base.may_be_map:
        return follow(base, path)
    nearest = difflib.get_close_matches(key, own, n=1, cutoff=0.5)
    hint = f"; did you mean {quote(nearest[0])}?" if nearest else ""
    raise DanglingReference(f"unknown property {quote(key)}{hint}")


def list_index(step: str | int, length: int) -> int:
    """A step as the index of a list.

    Raises:
        DanglingReference: It is none.
    """
    if isinstance(step, str):
        raise DanglingReference("cannot access an array element using a property name")
    if step < 0:
        raise DanglingReference("array indices must not be negative")
    if step >= length:
        raise DanglingReference(f"array index {step} out-of-bounds for array of length {length}")
    return step


def map_key(step: str | int) -> str:
    """A step as the key of a map.

    Raises:
        DanglingReference: It is none.
    """
    if isinstance(step, int):
        raise DanglingReference("cannot access an object property using an integer index")
    return step
