"""From inputs to what must be admitted: stacks x operations, or every stack of the project."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Final

from ..claims import ISSUER, OPERATIONS, deployment_audience, deployment_subject
from ..trust import Trust

ANY_STACK_IN_PROJECT: Final = "dangerously_allow_any_stack_in_project"

Inputs = Mapping[str, Any]
"""Inputs by name, each good on its own; those not given are absent."""


def operations(inputs: Inputs) -> tuple[str, ...]:
    """The operations that may assume the role."""
    return tuple(inputs.get("operations", OPERATIONS))


def declared_deployment_trust(inputs: Inputs) -> Trust:
    """The audience and the subjects that must be admitted."""
    wide = inputs.get(ANY_STACK_IN_PROJECT)
    return Trust(
        issuer=inputs.get("issuer", ISSUER),
        audience=deployment_audience(inputs["organization"]),
        subjects=() if wide else tuple(_subjects(inputs, inputs["stacks"], operations(inputs))),
        patterns=tuple(_any_stack(inputs)) if wide else (),
    )


def longest_subjects(inputs: Inputs) -> Iterator[str]:
    """The longest subject of each stack that the inputs name: if AWS takes that, it takes the others."""
    return _subjects(inputs, inputs.get("stacks", ()), [max(operations(inputs), key=len)])


def _subjects(inputs: Inputs, stacks: Sequence[str], listed: Sequence[str]) -> Iterator[str]:
    for stack, operation in product(stacks, listed):
        yield deployment_subject(inputs["organization"], inputs["project"], stack, operation)


def _any_stack(inputs: Inputs) -> Iterator[str]:
    if "operations" in inputs:
        yield from _subjects(inputs, ["*"], inputs["operations"])
    else:
        # As Pulumi's guide writes it: https://www.pulumi.com/docs/deployments/guides/oidc/aws/
        yield f"pulumi:deploy:org:{inputs['organization']}:project:{inputs['project']}:*"
