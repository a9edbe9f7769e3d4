"""The form of every input on its own: name, type, emptiness, and the form of each value in it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from .fields import Field
from .formats import Format
from .violations import LATER, Violation, listed, nearest

_TYPES: Final[Mapping[str, Any]] = {"str": str, "bool": bool, "list": (list, tuple), "dict": dict}
_WRITTEN: Final = {
    "str": "a string",
    "bool": "a boolean, True or False",
    "list": "a list of strings",
    "dict": "a dict of strings",
}


def depends_on_output(value: Any) -> bool:
    """Whether an Output is anywhere in a value."""
    if isinstance(value, Mapping):
        return any(depends_on_output(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(depends_on_output(item) for item in value)
    return value is LATER


def examine(fields: Mapping[str, Field], given: Mapping[str, Any]) -> Iterator[Violation]:
    """What is wrong with the inputs one by one; LATER stands in the place of an Output."""
    for name in given:
        if name not in fields:
            yield _unknown(fields, name, given[name])
    for name, field in fields.items():
        if given.get(name) is None:
            yield from _absent(name, field, is_given=name in given)
        else:
            yield from _present(name, field, given[name])


def _unknown(fields: Mapping[str, Field], name: Any, value: Any) -> Violation:
    snake_case = re.sub(r"([A-Z])", r"_\1", str(name)).lower()
    guess = nearest(snake_case, fields)
    fix = f"Did you mean `{guess}`?" if guess else f"The inputs are {listed(fields)}."
    return Violation(str(name), value, "there is no such input.", fix)


def _absent(name: str, field: Field, *, is_given: bool) -> Iterator[Violation]:
    if field.required:
        yield Violation(name, None, "this input is required.", "Give it.")
    elif is_given and field.narrows:
        yield Violation(
            name,
            None,
            "None would leave out what narrows this role without a word.",
            "Leave the input out where that is meant; otherwise find out why there is no value.",
        )


def _present(name: str, field: Field, value: Any) -> Iterator[Violation]:
    if value is LATER:
        if field.outputs != "anywhere":
            place = "its items may be Outputs, the whole not" if field.outputs == "items" else "it cannot be an Output"
            yield Violation(
                name,
                value,
                f"this input decides which resources there are or how they are named: {place}.",
                "Pass a value that is known when the program runs, from configuration for instance.",
            )
        return
    if not isinstance(value, _TYPES[field.type]):
        example = f" Pass [{value!r}]." if field.type == "list" and isinstance(value, str) else " Pass one."
        yield Violation(
            name, value, f"this input is {_WRITTEN[field.type]}, not a {type(value).__name__}.", example[1:]
        )
    elif field.type == "str":
        yield from _text(name, field.form, value)
    elif field.type == "list":
        yield from _list(name, field, list(value))
    elif field.type == "dict":
        yield from _dict(name, field, value)


def _text(place: str, form: Format | None, value: Any, *, output: bool = True) -> Iterator[Violation]:
    if value is LATER:
        if not output:
            yield Violation(
                place, value, "this cannot be an Output.", "Pass a value that is known when the program runs."
            )
    elif not isinstance(value, str):
        yield Violation(place, value, f"this is a string, not a {type(value).__name__}.", "Pass one.")
    elif not value:
        yield Violation(place, value, "an empty string is no value.", "Leave it out where nothing is meant.")
    elif form and (problem := form(value)):
        yield Violation(place, value, problem.rule, problem.fix)


def _list(name: str, field: Field, values: list[Any]) -> Iterator[Violation]:
    if not values and field.narrows and not field.may_be_empty:
        yield Violation(
            name,
            values,
            "an empty list would leave out what narrows this role without a word.",
            "Leave the input out where that is meant; otherwise find out why the list is empty.",
        )
    yield from _most(name, field, values)
    for index, value in enumerate(values):
        yield from _text(f"{name}[{index}]", field.form, value, output=field.outputs != "nowhere")
    yield from _twice(name, values)


def _twice(name: str, values: Iterable[Any]) -> Iterator[Violation]:
    seen = set()
    for index, value in enumerate(values):
        if isinstance(value, str):
            if value in seen:
                yield Violation(f"{name}[{index}]", value, "it is in the list twice.", "Leave one out.")
            seen.add(value)


def _dict(name: str, field: Field, values: dict[Any, Any]) -> Iterator[Violation]:
    yield from _most(name, field, values)
    for key, value in values.items():
        yield from _text(f"{name} (a key)", field.keys, key)
        yield from _text(f"{name}[{key!r}]", field.form, value)


def _most(name: str, field: Field, values: Any) -> Iterator[Violation]:
    if field.most and len(values) > field.most[0]:
        yield Violation(name, values, field.most[1], f"Leave out {len(values) - field.most[0]} of {len(values)}.")
