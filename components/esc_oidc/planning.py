"""From the inputs of a component, some of them Outputs, to its plan; and outputs that are made when they are read."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar, cast

import pulumi
from pulumi.output import Unknown

from .errors import InvalidInputs
from .inputs import LATER, SECRET, NotKnownYetError, Parsed, RolePlan, Violation, without

P = TypeVar("P", bound=RolePlan)
T = TypeVar("T")

DECIDING: Final = ("oidc_provider_arn",)
"""Inputs whose presence decides which resources exist."""

READABLE: Final = ("environment_variables", "pulumi_config")
"""Inputs that stand in the environment's definition, where its readers see them."""

if TYPE_CHECKING:

    class StrictOutput(pulumi.Output[T]):
        """An Output of which a misspelled attribute is an error: Pulumi's own lets every name pass."""

        __getattr__: None  # type: ignore[assignment, misc] # hides the method that lifts any name

else:
    StrictOutput = pulumi.Output


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
        self, arguments: type, component: str, raw: Mapping[str, Any], secrets: tuple[str, ...] = ()
    ) -> Parsed[P]:
        """Judge the inputs of the component of this name."""


class Planned(Generic[P]):
    """The plan of a component's inputs.

    Attributes:
        title: How messages name the component.
        given: Its inputs as they were passed: they decide which resources exist.
        now: The plan as far as it is known now: it raises NotKnownYetError for what depends on an Output.
        seen: The plan as resources take it: hand its attributes on as they are. If an input is an Output, so is it
            here, behind the check, and so is everything that follows from the inputs; each resource takes one of
            those, so that nothing is sent before the check. All else are plain values: Outputs cost the most.
    """

    seen: P

    def __init__(self, title: str, given: Mapping[str, Any], now: P, checked: pulumi.Output[P] | None) -> None:
        self.title = title
        self.given = given
        self.now = now
        self._watch(checked)

    def _watch(self, checked: pulumi.Output[P] | None) -> None:
        self._checked = checked
        self.seen = self.now if checked is None else cast("P", _Behind(self.now, checked))

    def combine(self, other: pulumi.Output[T], join: Callable[[P, T], Any]) -> pulumi.Output[Any]:
        """What comes of the plan and of something that a cloud answers."""
        if self._checked is None:
            return other.apply(lambda value: join(self.now, value))
        return pulumi.Output.all(self._checked, other).apply(lambda both: join(both[0], both[1]))

    def warn(self, resource: pulumi.Resource) -> None:
        """Log the plan's warnings under the component, before anything is sent."""

        def log(plan: P) -> P:
            for warning in plan.warnings:
                pulumi.log.warn(without(plan.secrets, warning), resource=resource)
            return plan

        if self._checked is None:
            log(self.now)
        else:
            self._watch(self._checked.apply(log))


class _Behind(Generic[P]):
    """The attributes of a plan, behind its check; but inputs that are known now stay the plain values that they are."""

    def __init__(self, now: P, checked: pulumi.Output[P]) -> None:
        self._now = now
        self._checked = checked

    def __getattr__(self, name: str) -> object:
        if name in self._now.formats():
            try:
                return getattr(self._now, name)
            except NotKnownYetError:
                pass
        return self._checked.apply(attrgetter(name))


def planned(  # noqa: PLR0913, PLR0917 - what a component's class and its constructor know
    parse: Parse[P], arguments: type, component: type[pulumi.ComponentResource], name: str, args: Any, inputs: Any
) -> Planned[P]:
    """The plan of a component's inputs, whether they were passed as one argument or by keyword.

    Plain inputs are checked here, before anything is registered. Outputs are checked in one apply, and every
    resource has an input that derives from it: nothing is sent to a cloud before.

    Raises:
        InvalidInputs: With everything that is wrong; out of the apply if Outputs are.
    """
    title = f"{component.__name__} {name!r}"
    given = _given(title, args, inputs)
    marked = {key: _marked(value) for key, value in given.items()}
    parsed = parse(arguments, name, marked)
    if parsed.violations:
        raise InvalidInputs(title, parsed.violations)
    later = {key: given[key] for key in parsed.later}
    if not later:
        return Planned(title, given, parsed.plan, None)

    def resolve(resolved: Mapping[str, Any]) -> P:
        values = {**given, **{key: _copied(value) for key, value in resolved["values"].items()}}
        secret = {key for key, is_secret in resolved["secrets"].items() if is_secret}
        texts = tuple(text for key in secret for text in _texts(values[key]))
        final = parse(arguments, name, values, texts)
        violations = [_redacted(violation, secret, texts) for violation in final.violations]
        violations += [_readable(key) for key in READABLE if key in secret]
        violations += [_decided(key) for key in DECIDING if key in later and values[key] is None]
        if violations:
            raise InvalidInputs(title, violations)
        return final.plan

    outputs = {key: pulumi.Output.from_input(value) for key, value in later.items()}
    secrets: dict[str, pulumi.Output[bool]] = {
        key: pulumi.Output.from_input(output.is_secret()) for key, output in outputs.items()
    }
    both = pulumi.Output.all(values=pulumi.Output.all(**outputs), secrets=pulumi.Output.all(**secrets))
    return Planned(title, given, parsed.plan, both.apply(resolve))


def _given(title: str, args: Any, keywords: Mapping[str, Any]) -> Mapping[str, Any]:
    """The inputs as they are now: Outputs are checked later, and must still be what was passed by then."""
    if args is None:
        return {key: _copied(value) for key, value in keywords.items()}
    if keywords:
        rule = "inputs are passed as `args` or by keyword, not both."
        raise InvalidInputs(title, [Violation("args", sorted(keywords), rule, "Put all of them in one.")])
    if not isinstance(args, Mapping):
        rule = f"the inputs are a dict, not a {type(args).__name__}."
        fix = f"Pass {title.partition(' ')[0]}Args, or keywords."
        raise InvalidInputs(title, [Violation("args", args, rule, fix)])
    return {key: _copied(value) for key, value in args.items()}


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


def _copied(value: Any) -> Any:
    """A copy of the value in Python's own types: a text may be a member of an enumeration in a provider's package."""
    if isinstance(value, Mapping):
        return {_copied(key): _copied(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_copied(item) for item in value]
    return str.__str__(value) if isinstance(value, str) else value


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value


def _redacted(violation: Violation, secret: set[str], texts: tuple[str, ...]) -> Violation:
    """The violation without any secret in it, the value's own or another input's."""
    rule = without(texts, violation.rule)
    if violation.name not in secret:
        return replace(violation, rule=rule, fix=without(texts, violation.fix))
    return replace(violation, value=SECRET, rule=rule, fix="Correct the value; it is a secret and not shown here.")


def _decided(name: str) -> Violation:
    rule = "the Output resolved to None, after it was decided to adopt and not to create."
    return Violation(name, None, rule, "If there is nothing to adopt, leave the input out.")


def _readable(name: str) -> Violation:
    return Violation(
        name,
        SECRET,
        "whoever may read the environment's definition would see this.",
        "Put the secret into another environment and name that in `imports`.",
    )
