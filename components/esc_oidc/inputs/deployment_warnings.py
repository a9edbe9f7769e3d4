"""What is allowed in PulumiDeploymentsOidc and should be known all the same."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..claims import OPERATIONS
from .deployment_formats import SESSION_NAME_TEMPLATES, unknown_templates
from .deployment_relations import MANAGE_SETTINGS
from .deployment_subjects import ANY_STACK_IN_PROJECT, operations
from .violations import listed, nearest
from .warnings import upper_case


def deployment_warnings(inputs: Mapping[str, Any]) -> Iterator[str]:
    """Warnings on who gets in to the role of Pulumi Deployments, and on the settings of the stacks."""
    stacks = inputs.get("stacks", ())
    yield from upper_case((name, inputs[name]) for name in ("organization", "project"))
    yield from upper_case((f"stacks[{index}]", stack) for index, stack in enumerate(stacks))
    if inputs[ANY_STACK_IN_PROJECT]:
        when = f" in operations {listed(inputs['operations'])}" if "operations" in inputs else ""
        yield (
            f"{ANY_STACK_IN_PROJECT}: every stack of project {inputs['project']} may assume this role{when}, and so "
            f"may whoever can create one in the project, in {inputs['organization']}."
        )
    for name in unknown_templates(inputs["session_name"]):
        guess = nearest(name, SESSION_NAME_TEMPLATES)
        fix = f"did you mean `${{{guess}}}`?" if guess else f"these are {listed(SESSION_NAME_TEMPLATES)}."
        yield (
            f"session_name: `${{{name}}}` is none of the templates that Pulumi documents, and AWS refuses a name in "
            f"which it is left as it is: {fix}"
        )
    if inputs[MANAGE_SETTINGS]:
        yield from _settings_warnings(inputs)


def _settings_warnings(inputs: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"{MANAGE_SETTINGS}: replaces the whole deployment settings of {listed(inputs['stacks'])}: source, executor, "
        "environment variables and whatever else somebody set there is lost, and destroying this removes them. To keep "
        "them, pass `operation_context` to your own DeploymentSettings."
    )
    if refused := [operation for operation in OPERATIONS if operation not in operations(inputs)]:
        yield (
            f"{MANAGE_SETTINGS}: a stack's settings name one role for all operations, and this one refuses "
            f"{listed(refused)}: such deployments will fail when they log in to AWS."
        )
