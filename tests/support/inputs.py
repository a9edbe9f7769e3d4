"""The inputs of both components, judged without Pulumi's engine."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from esc_oidc import PulumiDeploymentsOidcArgs, PulumiEscOidcArgs
from esc_oidc.inputs import (
    DeploymentPlan,
    EnvironmentPlan,
    RolePlan,
    Violation,
    arguments_of,
    parse_deployments,
    parse_environment,
)


def check(name: str, given: Mapping[str, Any]) -> list[Violation]:
    """Everything wrong with the inputs of the PulumiEscOidc of this name."""
    return list(parse_environment(PulumiEscOidcArgs, name, given).violations)


def plan(given: Mapping[str, Any]) -> EnvironmentPlan:
    """The plan of a PulumiEscOidc's valid inputs."""
    return parse_environment(PulumiEscOidcArgs, "esc", given).plan


def check_deployment(name: str, given: Mapping[str, Any]) -> list[Violation]:
    """Everything wrong with the inputs of the PulumiDeploymentsOidc of this name."""
    return list(parse_deployments(PulumiDeploymentsOidcArgs, name, given).violations)


def plan_deployment(given: Mapping[str, Any]) -> DeploymentPlan:
    """The plan of a PulumiDeploymentsOidc's valid inputs."""
    return parse_deployments(PulumiDeploymentsOidcArgs, "deploy", given).plan


ARGUMENTS = {EnvironmentPlan: arguments_of(PulumiEscOidcArgs), DeploymentPlan: arguments_of(PulumiDeploymentsOidcArgs)}
"""What the argument types say of each input."""

SHARED = frozenset(RolePlan.formats())
"""The inputs that both components take."""


def defaults(component: type[RolePlan]) -> dict[str, Any]:
    """The inputs with a default of their own, in the types of the arguments."""
    found = {each.name: each.default for each in fields(component) if "format" in each.metadata}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in found.items()
        if value not in (None, MISSING, ())
    }


def camel_case(name: str) -> str:
    """A Python name as configuration, the schema and other languages spell it."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
