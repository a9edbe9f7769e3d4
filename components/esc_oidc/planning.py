"""From the inputs of a component, some of them Outputs, to its plan."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

import pulumi
from pulumi.output import Unknown

from .errors import InvalidInputs
from .inputs import LATER, SECRET, RolePlan, Violation, depends_on_output, without

P = TypeVar("P", bound=RolePlan)
T = TypeVar("T")

DECIDING: Final = ("oidc_provider_arn",)
"""Inputs that decide by being given which resources there are."""

READABLE: Final = ("environment_variables", "pulumi_config")
"""Inputs that stand in the environment's definition, where its readers see them."""


@dataclass(frozen=True)
class Rules(Generic[P]):
    """What a component knows of its inputs: how to check them and what they come to."""

    check: Callable[[str, Mapping[str, Any]], list[Violation]]
    plan: Callable[[Mapping[str, Any]], P]


class Planned(Generic[P]):
    """A plan, or the Output of one where inputs are Outputs.

    What is known is handed on as plain values: an Output for each would make up most of the component's cost.
    """

    def __init__(self, plan: P | pulumi.Output[P]) -> None:
        self._plan = plan

    def take(self, read: Callable[[P], T]) -> pulumi.Input[T]:
        """What `read` finds in the plan; an Output if the plan is one."""
        return self._plan.apply(read) if isinstance(self._plan, pulumi.Output) else read(self._plan)

    def item(self, key: str, place: Any) -> pulumi.Input[Any]:
        """One item of an input that is a list or a dict."""
        return self.take(lambda plan: plan.inputs[key][place])

    def output(self, read: Callable[[P], T]) -> pulumi.Output[T]:
        """What `read` finds in the plan, as an Output."""
        return pulumi.Output.from_input(self.take(read))

    def warned(self, resource: pulumi.Resource) -> "Planned[P]":
        """The same plan, once its warnings are logged under the component."""

        def warn(plan: P) -> P:
            for warning in plan.warnings:
                pulumi.log.warn(without(plan.secrets, warning), resource=resource)
            return plan

        return Planned(self.take(warn))  # type: ignore[arg-type] # an Input of P is P or its Output here

    def combine(self, other: pulumi.Output[T], join: Callable[[P, T], Any]) -> pulumi.Output[Any]:
        """What comes of the plan and of something that a cloud answers."""
        plan = self._plan
        if isinstance(plan, pulumi.Output):
            return pulumi.Output.all(plan, other).apply(lambda both: join(both[0], both[1]))
        return other.apply(lambda value: join(plan, value))


def title(component: type[pulumi.ComponentResource], name: str) -> str:
    """How messages name a component."""
    return f"{component.__name__} {name!r}"


def given_inputs(component: str, args: Any, keywords: Mapping[str, Any]) -> Mapping[str, Any]:
    """The inputs, whether they were passed as one argument or by keyword, as they are now.

    They are copied: Outputs are checked later, and what was checked by then must still be what was passed.

    Raises:
        InvalidInputs: When both were, or the argument is no mapping.
    """
    if args is None:
        return {key: _copied(value) for key, value in keywords.items()}
    if keywords:
        rule = "inputs are passed as `args` or by keyword, not both."
        raise InvalidInputs(component, [Violation("args", sorted(keywords), rule, "Put all of them in one.")])
    if not isinstance(args, Mapping):
        rule = f"the inputs are a dict, not a {type(args).__name__}."
        fix = f"Pass {component.partition(' ')[0]}Args, or keywords."
        raise InvalidInputs(component, [Violation("args", args, rule, fix)])
    return {key: _copied(value) for key, value in args.items()}


def planned(component: str, name: str, given: Mapping[str, Any], rules: Rules[P]) -> Planned[P]:
    """The plan of a component's inputs.

    Plain inputs are checked here, before anything is registered. Outputs are checked in one apply, and every
    resource has an input that derives from it: nothing is sent to a cloud before.

    Raises:
        InvalidInputs: With everything that is wrong; out of the apply if Outputs are.
    """
    marked = {key: _marked(value) for key, value in given.items()}
    later = {key: given[key] for key, value in marked.items() if depends_on_output(value)}
    violations = rules.check(name, marked)
    if violations:
        raise InvalidInputs(component, violations)
    if not later:
        return Planned(rules.plan(given))

    def resolve(resolved: Mapping[str, Any]) -> P:
        values = {**given, **{key: _copied(value) for key, value in resolved["values"].items()}}
        secret = {key for key, is_secret in resolved["secrets"].items() if is_secret}
        texts = tuple(text for key in secret for text in _texts(values[key]))
        violations = [_redacted(violation, secret, texts) for violation in rules.check(name, values)]
        violations += [_readable(key) for key in READABLE if key in secret]
        violations += [_decided(key) for key in DECIDING if key in later and values[key] is None]
        if violations:
            raise InvalidInputs(component, violations)
        return replace(rules.plan(values), secrets=texts)

    outputs = {key: pulumi.Output.from_input(value) for key, value in later.items()}
    secrets: dict[str, pulumi.Output[bool]] = {
        key: pulumi.Output.from_input(output.is_secret()) for key, output in outputs.items()
    }
    both = pulumi.Output.all(values=pulumi.Output.all(**outputs), secrets=pulumi.Output.all(**secrets))
    return Planned(both.apply(resolve))


def _is_output(value: Any) -> bool:
    # Unknown is what the plugin hands on in a preview where a caller said nothing else of an Output.
    return isinstance(value, pulumi.Output | Unknown) or inspect.isawaitable(value)


def _marked(value: Any) -> Any:
    """The value with LATER in the place of every Output: the core knows nothing of Pulumi."""
    if _is_output(value):
        return LATER
    if isinstance(value, Mapping):
        return {key: _marked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_marked(item) for item in value]
    return value


def _copied(value: Any) -> Any:
    """The value as it is now, in Python's own types: texts may be members of an enumeration of a provider's package."""
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
    rule = "it is an Output that turned out None, and whether to create or to adopt was decided before."
    return Violation(name, None, rule, "Leave the input out where there is nothing to adopt.")


def _readable(name: str) -> Violation:
    return Violation(
        name,
        SECRET,
        "whoever may read the environment's definition would see this.",
        "Put the secret into another environment and name that in `imports`.",
    )
