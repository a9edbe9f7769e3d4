"""The inputs of PulumiDeploymentsOidc: which stacks may assume the role, and what their settings must contain."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, Final

from ..claims import OPERATIONS, DeploymentSubject, Subject, deployment_audience, deployment_subject
from ..trust import Trust
from . import values
from .parsing import Parsed, given, parse
from .role import DECIDES, ROLE_RULES, RolePlan, upper_case
from .violations import Problem, Violation, listed, nearest

ANY_STACK_IN_PROJECT: Final = "dangerously_allow_any_stack_in_project"
MANAGE_SETTINGS: Final = "manage_deployment_settings"


@dataclass(frozen=True, kw_only=True)
class DeploymentPlan(RolePlan):
    """The inputs of PulumiDeploymentsOidc, and what follows. PulumiDeploymentsOidcArgs says what each means."""

    project: str = given(values.iac_project)
    stacks: tuple[str, ...] = given(values.stack, default=(), narrows=True)
    operations: tuple[str, ...] = given(values.operation, default=OPERATIONS, narrows=True)
    dangerously_allow_any_stack_in_project: bool = given(default=False)
    session_name: str = given(values.deployment_session_name, default="pulumi-deploy")
    manage_deployment_settings: bool = given(default=False, plain=DECIDES)

    @cached_property
    def audience(self) -> str:
        """The one audience that the role admits."""
        return deployment_audience(self.organization)

    @cached_property
    def declared(self) -> Trust:
        """What the role admits for good: stacks x operations, or every stack of the project."""
        wide = self.dangerously_allow_any_stack_in_project
        return Trust(
            self.issuer,
            self.audience,
            subjects=() if wide else tuple(self.subjects_of(self.operations)),
            patterns=tuple(self._any_stack()) if wide else (),
        )

    def subjects_of(self, operations: tuple[str, ...]) -> Iterator[str]:
        """The subjects of the named stacks in these operations."""
        for stack, operation in product(self.stacks, operations):
            yield deployment_subject(self.organization, self.project, stack, operation)

    def _any_stack(self) -> Iterator[str]:
        if "operations" in self.names:
            for operation in self.operations:
                yield deployment_subject(self.organization, self.project, "*", operation)
        else:
            # As Pulumi's guide writes it: https://www.pulumi.com/docs/deployments/guides/oidc/aws/
            yield f"{DeploymentSubject(self.organization, (('project', self.project),))}:*"

    def problem_in_transition(self, subject: Subject | None) -> Problem | None:
        """Why a transitional subject, read, can't be admitted."""
        if isinstance(subject, DeploymentSubject) and subject.is_well_formed:
            return None
        rule = "this is not the subject of an operation of Pulumi Deployments on one stack, as Pulumi Cloud writes it."
        return Problem(rule, "Take it from the output `subjects`, or from `esc-oidc claims`.")

    @property
    def names_in_subjects(self) -> Mapping[str, tuple[str, ...]]:
        """The names that stand in subjects, by the input that gives them; only inputs that were given."""
        found = {"organization": (self.organization,), "project": (self.project,)}
        return found | ({"stacks": self.stacks} if "stacks" in self.names else {})

    def operation_context(self, role_arn: str) -> dict[str, Any]:
        """The deployment settings' ``operationContext``, with the names that every Pulumi language puts on the wire.

        Source: https://www.pulumi.com/registry/packages/pulumiservice/api-docs/deploymentsettings/
        """
        session = {
            "roleARN": role_arn,
            "sessionName": self.session_name,
            "duration": self.duration,
            "policyARNs": list(self.session_policy_arns),
        }
        return {"oidc": {"aws": {key: value for key, value in session.items() if value}}}

    def admission_warnings(self) -> Iterable[Iterator[str]]:
        """What should be known of who gets in, and of the settings of the stacks."""
        return (warning(self) for warning in _WARNINGS)


def _upper_case(plan: DeploymentPlan) -> Iterator[str]:
    names = {name: plan.known(name, "") for name in ("organization", "project")}
    yield from upper_case(names | {f"stacks[{index}]": stack for index, stack in enumerate(plan.known("stacks", ()))})


def _dangerously_any_stack(plan: DeploymentPlan) -> Iterator[str]:
    if plan.dangerously_allow_any_stack_in_project:
        when = f" in operations {listed(plan.operations)}" if "operations" in plan.names else ""
        yield (
            f"{ANY_STACK_IN_PROJECT}: every stack of project {plan.project} may assume this role{when}, and so may "
            f"whoever can create one in the project, in {plan.organization}."
        )


def _unknown_templates(plan: DeploymentPlan) -> Iterator[str]:
    for name in values.unknown_templates(plan.session_name):
        guess = nearest(name, values.DEPLOYMENT_TEMPLATES)
        fix = f"did you mean `${{{guess}}}`?" if guess else f"those are {listed(values.DEPLOYMENT_TEMPLATES)}."
        yield (
            f"session_name: `${{{name}}}` is not one of the templates that Pulumi documents, and AWS refuses a name in "
            f"which it is left as it is: {fix}"
        )


def _managed_settings(plan: DeploymentPlan) -> Iterator[str]:
    if not plan.manage_deployment_settings:
        return
    yield (
        f"{MANAGE_SETTINGS}: replaces the whole deployment settings of {listed(plan.stacks)}: source, executor, "
        "environment variables and whatever else somebody set there are lost, and destroying this removes them. To "
        "keep them, pass `operation_context` to your own DeploymentSettings."
    )
    if refused := [operation for operation in OPERATIONS if operation not in plan.operations]:
        yield (
            f"{MANAGE_SETTINGS}: a stack's settings name one role for all operations, and this one refuses "
            f"{listed(refused)}: such deployments will fail when they log in to AWS."
        )


_WARNINGS: Final = (_upper_case, _dangerously_any_stack, _unknown_templates, _managed_settings)


def _some_stacks_or_any(plan: DeploymentPlan) -> Iterator[Violation]:
    named, any_stack = plan.stacks, plan.dangerously_allow_any_stack_in_project
    if named and any_stack:
        yield Violation(
            ANY_STACK_IN_PROJECT,
            True,
            "it admits every stack of the project, and `stacks` names some of them.",
            f"Leave out one of the two, `{ANY_STACK_IN_PROJECT}` if you can.",
        )
    elif not named and not any_stack:
        yield Violation(
            "stacks",
            None,
            "nothing says which stacks may assume the role.",
            f"Name them, or set `{ANY_STACK_IN_PROJECT}` if every stack of the project may.",
        )


def _settings_of_named_stacks(plan: DeploymentPlan) -> Iterator[Violation]:
    if plan.manage_deployment_settings and "stacks" in plan.later:
        yield Violation(
            MANAGE_SETTINGS,
            True,
            "the settings of each stack are named after it, and one of the `stacks` is an Output.",
            "Name the stacks in plain text, or pass the output `operation_context` to your own DeploymentSettings.",
        )
    if plan.manage_deployment_settings and plan.dangerously_allow_any_stack_in_project:
        yield Violation(
            MANAGE_SETTINGS,
            True,
            "it changes nothing: settings are written for the stacks in `stacks`, and none is named.",
            "Name the stacks, or leave this out.",
        )


def _aws_limits(plan: DeploymentPlan) -> Iterator[Violation]:
    if not any(_some_stacks_or_any(plan)):
        # If AWS takes the longest subject of each stack, it takes the others.
        longest = plan.subjects_of((max(plan.operations, key=len),))
        yield from plan.subject_limit(longest, "Shorten the names that stand in it.")
        yield from plan.policy_limit(plan.longest_provider_arn)


_RULES: Final = (*ROLE_RULES, _some_stacks_or_any, _settings_of_named_stacks, _aws_limits)


def parse_deployments(
    arguments: type, component: str, raw: Mapping[str, Any], later: frozenset[str] = frozenset()
) -> Parsed[DeploymentPlan]:
    """Judge the inputs of the PulumiDeploymentsOidc of this name; see `parsing.parse`."""
    return parse(DeploymentPlan, _RULES, arguments, component, raw, later)
