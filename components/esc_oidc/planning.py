"""From the inputs of a component, some of them Outputs, to its plan; and outputs that are made when they are read."""

import asyncio
import dataclasses
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar, cast

import pulumi
from pulumi.output import Unknown

from .errors import InvalidInputs
from .inputs import (
    LATER,
    TOO_DEEP,
    UNREADABLE,
    NotKnownYetError,
    Parsed,
    RolePlan,
    Secrets,
    Violation,
    recorded,
    shown,
    written,
)
from .spelling import spelled, spelled_violation

P = TypeVar("P", bound=RolePlan)
T = TypeVar("T")
A = TypeVar("A")

DECIDING: Final = ("oidc_provider_arn",)
"""Inputs whose presence decides which resources exist."""

READABLE: Final = ("environment_variables", "pulumi_config")
"""Inputs that stand in the environment's definition, where its readers see them."""

_DEEPEST: Final = 12
"""How many dicts and lists an input may be nested in: IAM's policy documents, the deepest of them, need eight."""

if TYPE_CHECKING:
    from types import TracebackType

    class StrictOutput(pulumi.Output[T]):
        """An Output of which a misspelled attribute is an error: Pulumi's own lets every name pass."""

        __getattr__: None  # type: ignore[assignment, misc] # hides the method that lifts any name

    PolicyDocument = str | Mapping[str, Any]
else:
    StrictOutput = pulumi.Output
    # In Python a policy may be a dict, too; the schema, which is made from the types at run time, has no unions.
    PolicyDocument = str


class OutputsOnDemand(pulumi.ComponentResource):
    """A component some of whose outputs are only made when they are read.

    Most programs read few of them, and each costs about as much as a small resource.
    """

    _on_demand: Mapping[str, Callable[[], pulumi.Output[Any]]]

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """An output that nobody has read yet."""
            make = self.__dict__.get("_on_demand", {}).get(name)
            if make is None:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
            output = make()
            setattr(self, name, output)
            return output


class Parse(Protocol[P]):
    """`parse_environment` or `parse_deployments`."""

    def __call__(
        self, arguments: type, component: str, raw: Mapping[str, Any], later: frozenset[str] = frozenset()
    ) -> Parsed[P]:
        """Judge the inputs of the component of this name."""


@dataclass(frozen=True)
class _Reading(Generic[T]):
    """What was read from a plan, and what it derives from."""

    resources: set[pulumi.Resource]
    value: T | None
    is_known: bool
    is_secret: bool


class Planned(Generic[P]):
    """The plan of a component's inputs. All messages about them come from here, so that none shows a secret.

    Attributes:
        given: The inputs as they were passed: they decide which resources exist.
        now: The plan as far as it is known now: it raises NotKnownYetError for what depends on an Output.
        seen: The plan as resources take it: hand its attributes on as they are. If any input is an Output, what follows
            from the inputs is one too: it waits for the check of all of them, and derives from the inputs that it
            needs, from no others. Each resource takes one of those, so that nothing is sent before the check.
            All else are plain values: Outputs cost the most.
    """

    seen: P

    def __init__(
        self, title: str, given: Mapping[str, Any], now: P, parse: Callable[[Mapping[str, Any]], Parsed[P]]
    ) -> None:
        self.given = given
        self.now = now
        self.seen = cast("P", _Behind(self)) if now.later else now
        self._title = title
        self._parse = parse
        self._secrets = Secrets()
        self._failed: TracebackType | None = None
        self._resources: dict[str, set[pulumi.Resource]] = {}
        self._items = {
            name: {key: _item(item) for key, item in given[name].items()}
            for name in now.later
            if isinstance(given[name], Mapping)
        }
        self._outputs = {name: pulumi.Output.from_input(self._items.get(name, given[name])) for name in now.later}
        self._checked = asyncio.ensure_future(self._check()) if now.later else None

    async def _check(self) -> P:
        """The plan with the Outputs' values; what they raise keeps its traceback, which asyncio shows to one reader."""
        try:
            return await self._resolved()
        except Exception as error:
            self._failed = error.__traceback__
            raise

    async def _resolved(self) -> P:
        """The plan with the Outputs' values. In a preview some may be unknown, and what depends on them with it."""
        values, secret = dict(self.given), set()
        for name, output in self._outputs.items():
            known = await output.is_known()
            values[name] = _copied(await output.future()) if known else _marked(values[name])
            self._resources[name] = await output.resources()
            if await output.is_secret():
                secret.add(name)
        self._secrets = Secrets(frozenset(secret), frozenset(text for name in secret for text in _texts(values[name])))
        parsed = self._parse(values)
        violations = list(parsed.violations)
        violations += [_readable(name) for name in READABLE if name in secret]
        violations += [_decided(name) for name in DECIDING if name in self._outputs and values[name] is None]
        self.refuse(*violations)
        return parsed.plan

    def refuse(self, *violations: Violation) -> None:
        """Raise InvalidInputs if there are violations."""
        if violations:
            raise InvalidInputs(self._title, violations, self._secrets)

    def warn(self, resource: pulumi.Resource) -> None:
        """Log the plan's warnings under the component, before anything is sent."""
        if self._checked is None:
            self.log(resource, *self.now.warnings)
            return

        async def warned(checked: Awaitable[P]) -> P:
            plan = await checked
            self.log(resource, *plan.warnings)
            return plan

        self._checked = asyncio.ensure_future(warned(self._checked))

    def log(self, resource: pulumi.Resource, *warnings: str) -> None:
        """Log warnings under the component."""
        for warning in warnings:
            pulumi.log.warn(spelled(self._secrets.masked(warning)), resource=resource)

    def doubt(self, resource: pulumi.Resource, violation: Violation, why: str) -> None:
        """Log a violation as a warning, and why it is no more than that yet."""
        shown = spelled_violation(self._secrets.redacted(violation))
        pulumi.log.warn(f"{shown} {why}", resource=resource)

    def explain(self, resource: pulumi.Resource, error: str) -> None:
        """Log, under the component, what an error of a cloud comes from and what to do."""
        pulumi.log.error(spelled(self._secrets.masked(error)), resource=resource)

    def read(self, read: Callable[[P], T]) -> pulumi.Input[T]:
        """What `read` finds in the plan, as `seen` has it."""
        return read(self.now) if self._checked is None else self._output(self._reading(self._checked, read))

    def item(self, name: str, key: str) -> pulumi.Input[str]:
        """One value of an input that is a dict, as `seen` has it: it derives from no other value of the dict."""
        if self._checked is None or name not in self._items:
            return self.read(lambda plan: getattr(plan, name)[key])
        return self._output(self._item_reading(self._checked, self._items[name][key]))

    def combine(self, other: pulumi.Output[T], join: Callable[[P, T], Any]) -> pulumi.Output[Any]:
        """What comes of the plan and of something that a cloud answers."""
        return other.apply(lambda value: self.read(lambda plan: join(plan, value)))

    def gated(
        self, value: pulumi.Input[T], against: pulumi.Input[A], check: Callable[[P, T, A], None]
    ) -> pulumi.Output[T]:
        """The value, once it has passed a check against something that a cloud answers.

        It derives from itself alone: in a preview it is known without the answer, and nothing is checked.
        """

        def passed(found: T, answered: A) -> T:
            check(self.now, found, answered)
            return found

        # One apply does where it comes to the same, and costs half as much.
        if self._checked is None and not isinstance(against, pulumi.Output):
            return pulumi.Output.from_input(value).apply(lambda found: passed(found, cast("A", against)))
        if self._checked is None and not isinstance(value, pulumi.Output) and not pulumi.runtime.is_dry_run():
            return pulumi.Output.from_input(against).apply(lambda answered: passed(cast("T", value), answered))
        return self._output(self._gated(pulumi.Output.from_input(value), pulumi.Output.from_input(against), check))

    def is_from_resource(self, name: str) -> bool:
        """Whether an input comes from a resource of this program, which this very run may change."""
        return any(not isinstance(each, pulumi.StackReference) for each in self._resources.get(name, ()))

    def _output(self, reading: Coroutine[Any, Any, _Reading[T]]) -> pulumi.Output[T]:
        """The Output of a reading."""
        task = asyncio.ensure_future(reading)
        parts: dict[str, asyncio.Future[Any]] = {
            each.name: task.get_loop().create_future() for each in dataclasses.fields(_Reading)
        }

        def done(task: asyncio.Task[_Reading[T]]) -> None:
            for name, part in parts.items():
                if task.cancelled():
                    part.cancel()
                elif error := task.exception():
                    part.set_exception(error.with_traceback(self._failed or error.__traceback__))
                    part.exception()  # Pulumi awaits the first one that fails; asyncio would complain of the others.
                else:
                    part.set_result(getattr(task.result(), name))

        task.add_done_callback(done)
        return pulumi.Output(parts["resources"], parts["value"], parts["is_known"], parts["is_secret"])

    async def _reading(self, checked: Awaitable[P], read: Callable[[P], T]) -> _Reading[T]:
        plan, names = recorded(await checked)
        try:
            value, is_known = read(plan), True
        except NotKnownYetError:
            value, is_known = None, False
        resources = set().union(*(self._resources.get(name, set()) for name in names))
        return _Reading(resources, value, is_known, not names.isdisjoint(self._secrets.names))

    async def _item_reading(self, checked: Awaitable[P], item: pulumi.Output[str]) -> _Reading[str]:
        await checked
        return await _read(item)

    async def _gated(
        self, value: pulumi.Output[T], answer: pulumi.Output[A], check: Callable[[P, T, A], None]
    ) -> _Reading[T]:
        plan = self.now if self._checked is None else await self._checked
        found, answered = await _read(value), await _read(answer)
        if found.is_known and answered.is_known:
            check(plan, cast("T", found.value), cast("A", answered.value))
        return found


async def _read(output: pulumi.Output[T]) -> _Reading[T]:
    """All that an Output holds."""
    return _Reading(await output.resources(), await output.future(), await output.is_known(), await output.is_secret())


class _Behind(Generic[P]):
    """The attributes of a plan, behind its check; but inputs that are known now stay the plain values that they are."""

    def __init__(self, planned: Planned[P]) -> None:
        self._planned = planned

    def __getattr__(self, name: str) -> object:
        now = self._planned.now
        if name in now.formats() and (value := now.known(name, LATER)) is not LATER:
            return value
        return self._planned.read(attrgetter(name))


def planned(  # noqa: PLR0913, PLR0917 - what a component's class and its constructor know
    parse: Parse[P], arguments: type, component: type[pulumi.ComponentResource], name: str, args: Any, inputs: Any
) -> Planned[P]:
    """The plan of a component's inputs, whether they were passed as one argument or by keyword.

    Plain inputs are checked here, before anything is registered. Outputs are checked once all of them are there, and
    every resource has an input that waits for that: nothing is sent to a cloud before.

    Raises:
        InvalidInputs: With everything that is wrong; out of the plan's Outputs if inputs are Outputs.
    """
    name = _key(name)
    title = f"{component.__name__} {shown(name)}"
    given = _given(title, args, inputs)
    parsed = parse(arguments, name, {key: _marked(value) for key, value in given.items()})
    if parsed.violations:
        raise InvalidInputs(title, parsed.violations, Secrets())
    return Planned(title, given, parsed.plan, partial(parse, arguments, name, later=parsed.plan.later))


def _given(title: str, args: Any, keywords: Mapping[str, Any]) -> Mapping[str, Any]:
    """The inputs as they are now: Outputs are checked later, and must still be what was passed by then."""
    if args is None:
        return cast("Mapping[str, Any]", _copied(keywords))
    if keywords:
        rule = "inputs are passed as `args` or by keyword, not both."
        raise InvalidInputs(title, [Violation("args", sorted(keywords), rule, "Put all of them in one.")], Secrets())
    copied = _copied(args)
    if not isinstance(copied, dict):
        rule = f"the inputs are a dict, not a {type(args).__name__}."
        fix = f"Pass {title.partition(' ')[0]}Args, or keywords."
        raise InvalidInputs(title, [Violation("args", copied, rule, fix)], Secrets())
    return copied


def _item(value: Any) -> pulumi.Output[Any]:
    """A value of a dict. One that is, or comes to be, a dict itself is a document, and handed on as JSON."""
    if isinstance(value, str):
        return pulumi.Output.from_input(value)
    return pulumi.Output.from_input(value).apply(lambda known: written(known) if isinstance(known, Mapping) else known)


def _marked(value: Any) -> Any:
    """The value with LATER in the place of every Output: the core knows nothing of Pulumi."""
    # Unknown is what the plugin hands on in a preview where a caller said nothing else of an Output.
    if isinstance(value, pulumi.Output | Unknown) or inspect.isawaitable(value):
        return LATER
    if isinstance(value, Mapping):
        return {key: _marked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_marked(item) for item in value]
    return value


_PLAINLY: Final[Mapping[type, Callable[[Any], Any]]] = {str: str.__str__, int: int.__int__, float: float.__float__}
"""How a member of an enumeration, or of a subclass, becomes a value of Python's own type."""


def _copied(value: Any, *within: int) -> Any:
    """A copy of the value in Python's own types: a text may be a member of an enumeration in a provider's package.

    What is nested too deeply, or raises an exception when it is read, is replaced by a stand-in, which is refused.
    `within` are the identities of what the value stands in.
    """
    try:
        for kind, plainly in _PLAINLY.items():
            if isinstance(value, kind) and not isinstance(value, bool):
                return plainly(value)
        if isinstance(value, Mapping | list | tuple) and (id(value) in within or len(within) == _DEEPEST):
            return TOO_DEEP
        if isinstance(value, Mapping):
            return {_key(key): _copied(item, *within, id(value)) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [_copied(item, *within, id(value)) for item in value]
    except Exception:  # noqa: BLE001 - a subclass of the caller's may raise anything
        return UNREADABLE
    return value


def _key(key: Any) -> Any:
    return str.__str__(key) if isinstance(key, str) else key


def _texts(value: Any, *, keys: bool = False) -> Iterator[str]:
    """Every text and number in a value. The keys of an input itself are plain, those further inside are not."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts([key, item] if keys else [item], keys=True)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, keys=True)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)


def _decided(name: str) -> Violation:
    rule = "the Output resolved to None, after it was decided to adopt and not to create."
    return Violation(name, None, rule, "If there is nothing to adopt, leave the input out.")


def _readable(name: str) -> Violation:
    return Violation(
        name,
        None,
        "whoever may read the environment's definition would see this.",
        "Put the secret into another environment and name that in `imports`.",
    )
