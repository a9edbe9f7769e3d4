"""Parse once: a component's raw inputs come to either all violations, or one frozen, typed plan.

A plan is a dataclass. Its fields are the inputs, each with its default and the form of its values; what follows from
them (who gets in, the warnings, the definition) are its properties. The type of an input, whether it is required and
where an Output may stand are read from the component's argument type.
"""

import re
from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import lru_cache
from typing import Any, Final, Generic, Literal, NotRequired, TypeVar, Union, cast, get_args, get_origin

from .policies import unwritten, written
from .values import Form, component_name, generated_role_name, not_text
from .violations import LATER, TOO_DEEP, UNREADABLE, Problem, Violation, listed, nearest, shown

T = TypeVar("T")

Kind = Literal["str", "bool", "list", "dict"]

_TYPES: Final[Mapping[Kind, Any]] = {"str": str, "bool": bool, "list": (list, tuple), "dict": dict}
_WRITTEN: Final[Mapping[Kind, str]] = {
    "str": "a string",
    "bool": "a boolean, True or False",
    "list": "a list of strings",
    "dict": "a dict of strings",
}
_HUGE: Final = 10**12


@dataclass(frozen=True)
class Argument:
    """What the argument type says of one input.

    Attributes:
        kind: Its type.
        required: Whether it must be given.
        may_be_output: Whether it may be a Pulumi Output as a whole.
        items_may_be_outputs: Whether the items of a list, or the values of a dict, may.
    """

    kind: Kind
    required: bool
    may_be_output: bool
    items_may_be_outputs: bool


@lru_cache
def arguments_of(arguments: type) -> Mapping[str, Argument]:
    """What a component's argument type, a TypedDict, says of each input."""
    return {name: _argument(annotation) for name, annotation in arguments.__annotations__.items()}


def _argument(annotation: Any) -> Argument:
    required = get_origin(annotation) is not NotRequired
    if not required:
        (annotation,) = get_args(annotation)
    plain, may_be_output = _without_outputs(annotation)
    kind = get_origin(plain) or plain
    items = get_args(plain)[-1] if get_origin(plain) else None
    return Argument(kind.__name__, required, may_be_output, _without_outputs(items)[1])


def _without_outputs(annotation: Any) -> tuple[Any, bool]:
    """A type without pulumi.Input around it, and whether that was there: it is T, Awaitable[T] or Output[T]."""
    members = get_args(annotation) if get_origin(annotation) is Union else ()
    awaitable = any(get_origin(member) is Awaitable for member in members)
    return (members[0], True) if awaitable else (annotation, False)


KNOWN_NOW: Final = "Pass a value that is known when the program runs, from configuration for instance."

CHECKED: Final = Problem("it is checked before anything is deployed.", KNOWN_NOW)
"""Why most of the inputs that can't be Outputs can't."""


@dataclass(frozen=True)
class InputFormat:
    """What an input's values must look like.

    Attributes:
        values: The form of its value, of a list's items, or of a dict's values.
        keys: The form of a dict's keys.
        narrows: Whether it narrows who gets in or what they may do: then None and an empty one are refused,
            because they would silently mean "everyone".
        may_be_empty: Whether an empty one, or in a dict an empty value, has a meaning of its own all the same.
        most: How many items it may have, and who says so.
        plain: Why it can't be an Output, where it can't, and what to do instead.
        documents: Whether its values are JSON, which may be given as dicts.
    """

    values: Form | None = None
    keys: Form | None = None
    narrows: bool = False
    may_be_empty: bool = False
    most: tuple[int, str] | None = None
    plain: Problem = CHECKED
    documents: bool = False


def given(  # noqa: PLR0913 - the attributes of InputFormat
    values: Form | None = None,
    *,
    default: Any = MISSING,
    keys: Form | None = None,
    narrows: bool = False,
    may_be_empty: bool = False,
    most: tuple[int, str] | None = None,
    plain: Problem = CHECKED,
    documents: bool = False,
) -> Any:
    """A field of a plan that is an input: its default when it is not given, and the attributes of its InputFormat."""
    metadata = {"format": InputFormat(values, keys, narrows, may_be_empty, most, plain, documents)}
    if default is dict:
        return field(default_factory=dict, metadata=metadata)
    return field(metadata=metadata) if default is MISSING else field(default=default, metadata=metadata)


class NotKnownYetError(Exception):
    """An input is bad, or an Output whose value is not known yet: whatever reads it can't be judged."""


def as_far_as_known(found: Iterable[T]) -> Iterator[T]:
    """What is found before an input is read that is bad or not known yet."""
    try:
        yield from found
    except NotKnownYetError:
        return


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the inputs of a component come to.

    Attributes:
        names: The inputs that were given, also those whose value is not known yet.
        later: Those of them that were given as Outputs, or with Outputs in them.
    """

    names: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()

    def shown(self, name: str) -> Any:
        """The value of an input that was given, as a message shows it."""
        value = self.known(name, LATER)
        return list(value) if isinstance(value, tuple) else value

    def known(self, name: str, otherwise: Any = None) -> Any:
        """The value of an input, or something else if it is bad or not known yet."""
        try:
            return getattr(self, name)
        except NotKnownYetError:
            return otherwise

    @classmethod
    def formats(cls) -> Mapping[str, InputFormat]:
        """The format of each input."""
        return {each.name: each.metadata["format"] for each in fields(cls) if "format" in each.metadata}


P = TypeVar("P", bound=Plan)

Rule = Callable[[P], Iterator[Violation]]
"""What must hold between inputs. A rule is run as far as it reads inputs that are good and known."""


@dataclass(frozen=True)
class Parsed(Generic[P]):
    """What inputs come to.

    Attributes:
        violations: Everything that is wrong.
        plan: The plan. Without violations and without Outputs it is complete; else it raises NotKnownYetError for
            whatever depends on an input that is bad or not known yet.
    """

    violations: tuple[Violation, ...]
    plan: P


def parse(  # noqa: PLR0913, PLR0917 - each says another part of the question
    plan: type[P],
    rules: Iterable[Rule[P]],
    arguments: type,
    component: str,
    raw: Mapping[str, Any],
    later: frozenset[str],
) -> Parsed[P]:
    """Judge a component's inputs, all of them at once.

    Args:
        plan: What they come to.
        rules: What must hold between them.
        arguments: The component's argument type.
        component: The component's name.
        raw: The inputs; LATER stands in the place of an Output. None means "not given".
        later: The inputs that were Outputs and are known now.
    """
    formats, shapes = plan.formats(), arguments_of(arguments)
    raw = {name: _written(formats.get(name), value) for name, value in raw.items()}
    violations = [*_unknown(shapes, raw), *_examined(formats, shapes, component, raw)]
    bad = {violation.name for violation in violations}
    present = {name: value for name, value in raw.items() if value is not None and name in formats}
    unresolved = {name for name, value in present.items() if _depends_on_output(value)}
    unknown = frozenset((bad | unresolved) & formats.keys())
    known = {name: _frozen(value) for name, value in present.items() if name not in unknown}
    known |= {"names": frozenset(present), "later": later | unresolved}
    judged = _partial(plan, known, unknown) if unknown else plan(**known)
    for rule in rules:
        violations.extend(as_far_as_known(rule(judged)))
    return Parsed(tuple(violations), judged)


def _depends_on_output(value: Any) -> bool:
    """Whether an Output is anywhere in a value."""
    if isinstance(value, Mapping):
        return any(_depends_on_output(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(_depends_on_output(item) for item in value)
    return value is LATER


def _written(form: InputFormat | None, value: Any) -> Any:
    """The input with JSON in the place of every document that was given as a dict, as far as there is any."""
    if not form or not form.documents or not isinstance(value, Mapping):
        return value
    return {
        key: written(item) if isinstance(item, Mapping) and not _depends_on_output(item) else item
        for key, item in value.items()
    }


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def recorded(plan: P) -> tuple[P, set[str]]:
    """The same plan, and the inputs that are read from it from now on, also those that follow from others."""
    values = object.__getattribute__(plan, "__dict__")
    known = {each.name: values[each.name] for each in fields(plan)}
    reads: set[str] = set()
    return _partial(values.get("_type", type(plan)), known, values.get("_unknown", frozenset()), reads), reads


def _partial(plan: type[P], known: Mapping[str, Any], unknown: frozenset[str], reads: set[str] | None = None) -> P:
    """A plan that says NotKnownYetError to whoever reads what is unknown, and notes what is read."""
    partial: P = object.__new__(_partial_type(cast("Hashable", plan)))
    defaults = {
        each.name: each.default if each.default_factory is MISSING else each.default_factory() for each in fields(plan)
    }
    values = object.__getattribute__(partial, "__dict__")
    values.update(defaults | dict(known), _type=plan, _unknown=unknown, _reads=set() if reads is None else reads)
    return partial


@lru_cache
def _partial_type(plan: Any) -> Any:
    inputs = plan.formats().keys()

    def get(self: object, name: str) -> Any:
        if name in inputs:
            values = object.__getattribute__(self, "__dict__")
            values["_reads"].add(name)
            if name in values["_unknown"]:
                raise NotKnownYetError(name)
        return object.__getattribute__(self, name)

    return type(f"Partial{plan.__name__}", (plan,), {"__getattribute__": get})


def _unknown(shapes: Mapping[str, Argument], raw: Mapping[Any, Any]) -> Iterator[Violation]:
    for name, value in raw.items():
        if name not in shapes:
            written = name if isinstance(name, str) and name else shown(name)
            guess = nearest(re.sub(r"([A-Z])", r"_\1", written).lower(), shapes)
            fix = f"Did you mean `{guess}`?" if guess else f"The inputs are {listed(shapes)}."
            yield Violation(written, value, "there is no such input.", fix)


def _examined(
    formats: Mapping[str, InputFormat], shapes: Mapping[str, Argument], component: str, raw: Mapping[str, Any]
) -> Iterator[Violation]:
    """What is wrong with the inputs one by one."""
    for name, shape in shapes.items():
        form = formats[name]
        if raw.get(name) is not None:
            yield from _present(name, shape, form, raw[name])
        elif shape.required:
            yield Violation(name, None, "this input is required.", "Give it.")
        elif name in raw and form.narrows:
            rule = "None would silently drop a restriction."
            yield Violation(
                name, None, rule, "If that is meant, leave the input out; if not, find out why there is no value."
            )
    problem = component_name(component)
    if raw.get("role_name") is None:
        problem = problem or generated_role_name(component)
    if problem:
        yield Violation("the component's name", component, problem.rule, problem.fix)


def _present(name: str, shape: Argument, form: InputFormat, value: Any) -> Iterator[Violation]:
    if value is LATER:
        if not shape.may_be_output:
            what = "it can't be an Output"
            if shape.items_may_be_outputs:
                what = f"its items may be Outputs; the {shape.kind} itself may not"
            yield _not_later(name, what, form)
    elif not isinstance(value, _TYPES[shape.kind]):
        fix = f"Pass [{shown(value)}]." if shape.kind == "list" and isinstance(value, str) else "Pass one."
        fix = _as_text(form.values, value) if shape.kind == "str" else fix
        yield _of_another_type(name, f"this input is {_WRITTEN[shape.kind]}", value, fix)
    elif shape.kind == "str":
        yield from _text(name, form, form.values, value)
    elif shape.kind == "list":
        yield from _list(name, shape, form, list(value))
    elif shape.kind == "dict":
        yield from _dict(name, shape, form, value)


def _dict(name: str, shape: Argument, form: InputFormat, values: Mapping[Any, Any]) -> Iterator[Violation]:
    yield from _most(name, form, values)
    for key, value in values.items():
        yield from _text(f"{name} (a key)", form, form.keys, key)
        place = f"{name}[{shown(key)}]"
        if form.documents and isinstance(value, Mapping):
            # With Outputs in it, it is judged when they are known.
            if not _depends_on_output(value):
                yield Violation(place, value, *unwritten(value))
        elif not (form.may_be_empty and isinstance(value, str) and not value):
            yield from _text(place, form, form.values, value, may_be_output=shape.items_may_be_outputs)


def _text(
    place: str, form: InputFormat, judge: Form | None, value: Any, *, may_be_output: bool = True
) -> Iterator[Violation]:
    if value is LATER:
        if not may_be_output:
            yield _not_later(place, "this can't be an Output", form)
    elif not isinstance(value, str):
        yield _of_another_type(place, "this is a string", value, _as_text(judge, value))
    elif not value:
        yield Violation(place, value, "it can't be an empty string.", "If nothing is meant, leave it out.")
    elif problem := not_text(value) or (judge and judge(value)):
        yield Violation(place, value, problem.rule, problem.fix)


def _not_later(place: str, what: str, form: InputFormat) -> Violation:
    return Violation(place, LATER, f"{what}: {form.plain.rule}", form.plain.fix)


def _of_another_type(place: str, wanted: str, value: object, fix: str) -> Violation:
    if value is TOO_DEEP:
        return Violation(place, value, f"{wanted}, not one inside so many others, or inside itself.", fix)
    if value is UNREADABLE:
        return Violation(place, value, f"{wanted}, and looking at this value raises an exception.", fix)
    return Violation(place, value, f"{wanted}, not {_a(value)}.", fix)


def _as_text(judge: Form | None, value: object) -> str:
    """The way out for whoever gave something else than a text: a number may be meant as one."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < _HUGE:
        return "Pass one."
    text = str(int(value) if value == int(value) else value)
    problem = judge(text) if judge else None
    return problem.fix if problem else f"Pass {text!r}."


def _list(name: str, shape: Argument, form: InputFormat, values: list[Any]) -> Iterator[Violation]:
    if not values and form.narrows and not form.may_be_empty:
        yield Violation(
            name,
            values,
            "an empty list would silently drop a restriction.",
            "If that is meant, leave the input out; if not, find out why the list is empty.",
        )
    yield from _most(name, form, values)
    for index, value in enumerate(values):
        yield from _text(f"{name}[{index}]", form, form.values, value, may_be_output=shape.items_may_be_outputs)
    seen: set[str] = set()
    for index, value in enumerate(values):
        if isinstance(value, str):
            if value in seen:
                yield Violation(f"{name}[{index}]", value, "the list has it twice.", "Leave one out.")
            seen.add(value)


def _a(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _most(name: str, form: InputFormat, values: Any) -> Iterator[Violation]:
    if form.most and len(values) > form.most[0]:
        yield Violation(name, values, form.most[1], f"Leave out {len(values) - form.most[0]} of {len(values)}.")
