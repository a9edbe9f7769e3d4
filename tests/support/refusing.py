"""What every refusal has to be, whichever component refuses: clear, at once, before anything is sent."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pulumi

from esc_oidc import InvalidInputs
from esc_oidc.inputs import Argument, Violation
from tests.support.deploying import deploy

Inputs = Mapping[str, Any]
Component = Callable[..., pulumi.ComponentResource]


def is_one_clear_violation(violations: Sequence[Violation], place: str, said: str) -> None:
    """Each broken rule is reported once, with the input's name, its value, the rule and the way out."""
    assert [violation.input for violation in violations] == [place]
    (text,) = map(str, violations)
    assert said in text
    assert text.startswith(f"{place} = ")
    assert violations[0].rule.endswith(".")
    assert violations[0].fix.endswith((".", "?", "`."))


def is_refused_plain(component: Component, inputs: Inputs, place: str, said: str) -> None:
    """Plain inputs are checked in the constructor: not even the component is registered."""
    deployed = deploy(lambda: component("esc", **inputs) and None)
    assert isinstance(deployed.error, InvalidInputs)
    assert place in str(deployed.error)
    assert said in str(deployed.error)
    assert deployed.resources == []
    assert deployed.invokes == []


def is_refused_as_outputs(component: Component, arguments: Mapping[str, Argument], inputs: Inputs, *said: str) -> None:
    """Outputs are checked in one apply, and nothing is sent to a cloud before it."""
    deployed = deploy(lambda: component("esc", **dict(as_outputs(arguments, inputs))) and None)
    assert isinstance(deployed.error, InvalidInputs), deployed.error
    for text in said:
        assert text in str(deployed.error)
    assert [resource.type for resource in deployed.resources if resource.request.custom] == []
    assert deployed.invokes == []


def as_outputs(arguments: Mapping[str, Argument], inputs: Inputs) -> Iterator[tuple[str, Any]]:
    """The inputs, with an Output wherever one is allowed."""
    for name, value in inputs.items():
        argument = arguments.get(name)
        if argument and argument.may_be_output:
            yield name, pulumi.Output.from_input(value)
        elif argument and argument.items_may_be_outputs and isinstance(value, list):
            yield name, [pulumi.Output.from_input(item) for item in value]
        elif argument and argument.items_may_be_outputs and isinstance(value, dict):
            yield name, {key: pulumi.Output.from_input(item) for key, item in value.items()}
        else:
            yield name, value
