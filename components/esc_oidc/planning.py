"""From the inputs of a component, some of them Outputs, to its plan."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

import pulumi

from .errors import InvalidInputs
from .inputs import LATER, SECRET, RolePlan, Violation

P = TypeVar("P", bound=RolePlan)
T = TypeVar("T")

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
                pulumi.log.warn(warning, resource=resource)
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
    """The inputs, whether they were passed as one argument or by keyword.

    Raises:
        InvalidInputs: When both were, or the argument is no mapping.
    """
    if args is None:
        return keywords
    if keywords:
        rule = "inputs are passed as `args` or by keyword, not both."
        raise InvalidInputs(component, [Violation("args", sorted(keywords), rule, "Put all of them in one.")])
    if not isinstance(args, Mapping):
        rule = f"the inputs are a dict, not a {type(args).__name__}."
        fix = f"Pass {component.partition(' ')[0]}Args, or keywords."
        raise InvalidInputs(component, [Violation("args", args, rule, fix)])
    return args


def planned(component: str, name: str, given: Mapping[str, Any], rules: Rules[P]) -> Planned[P]:
    """The plan of a component's inputs.

    Plain inputs are checked here, before anything is registered. Outputs are checked in one apply, and every
    resource has an input that derives from it: nothing is sent to a cloud before.

    Raises:
        InvalidInputs: With everything that is wrong; out of the apply if Outputs are.
    """
    later = {key: value for key, value in given.items() if _has_output(value)}
    violations = rules.check(name, {key: _marked(value) for key, value in given.items()})
    if violations:
        raise InvalidInputs(component, violations)
    if not later:
        return Planned(rules.plan(given))

    def resolve(resolved: Mapping[str, Any]) -> P:
        values = {**given, **resolved["values"]}
        secrets = {key for key, is_secret in resolved["secrets"].items() if is_secret}
        violations = [_redacted(violation, secrets) for violation in rules.check(name, values)]
        violations += [_readable(key) for key in READABLE if key in secrets]
        if violations:
            raise InvalidInputs(component, violations)
        return rules.plan(values)

    outputs = {key: pulumi.Output.from_input(value) for key, value in later.items()}
    secrets: dict[str, pulumi.Output[bool]] = {
        key: pulumi.Output.from_input(output.is_secret()) for key, output in outputs.items()
    }
    both = pulumi.Output.all(values=pulumi.Output.all(**outputs), secrets=pulumi.Output.all(**secrets))
    return Planned(both.apply(resolve))


def _is_output(value: Any) -> bool:
    return isinstance(value, pulumi.Output) or inspect.isawaitable(value)


def _has_output(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_has_output(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(_has_output(item) for item in value)
    return _is_output(value)


def _marked(value: Any) -> Any:
    """The value with LATER in the place of every Output: the core knows nothing of Pulumi."""
    if _is_output(value):
        return LATER
    if isinstance(value, Mapping):
        return {key: _marked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_marked(item) for item in value]
    return value


def _redacted(violation: Violation, secrets: set[str]) -> Violation:
    if violation.name not in secrets:
        return violation
    return replace(violation, value=SECRET, fix="Correct the value; it is a secret and not shown here.")


def _readable(name: str) -> Violation:
    return Violation(
        name,
        SECRET,
        "whoever may read the environment's definition would see this.",
        "Put the secret into another environment and name that in `imports`.",
    )
