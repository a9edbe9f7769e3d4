"""Rules between the inputs of PulumiDeploymentsOidc: which stacks get in."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

from ..claims import deployment_audience
from ..trust import provider_arn
from .deployment_subjects import ANY_STACK_IN_PROJECT, declared_deployment_trust, longest_subjects
from .limits import policy_limit, subject_limit
from .relations import SHARED_RELATIONS, further_audiences, needs
from .violations import Violation

MANAGE_SETTINGS: Final = "manage_deployment_settings"


@needs("stacks", ANY_STACK_IN_PROJECT)
def _some_stacks_or_any(known: Mapping[str, Any], _given: AbstractSet[str]) -> Iterator[Violation]:
    if "stacks" in known and known.get(ANY_STACK_IN_PROJECT):
        yield Violation(
            ANY_STACK_IN_PROJECT,
            True,
            "it admits every stack of the project, and `stacks` names some of them.",
            f"Leave out one of the two, `{ANY_STACK_IN_PROJECT}` if you can.",
        )
    elif "stacks" not in known and not known.get(ANY_STACK_IN_PROJECT):
        yield Violation(
            "stacks",
            None,
            "nothing says which stacks may assume the role.",
            f"Name them, or set `{ANY_STACK_IN_PROJECT}` if every stack of the project may.",
        )


@needs(MANAGE_SETTINGS, ANY_STACK_IN_PROJECT)
def _settings_of_named_stacks(known: Mapping[str, Any], _given: AbstractSet[str]) -> Iterator[Violation]:
    if known.get(MANAGE_SETTINGS) and known.get(ANY_STACK_IN_PROJECT):
        yield Violation(
            MANAGE_SETTINGS,
            True,
            "it changes nothing: settings are written for the stacks in `stacks`, and none is named.",
            "Name the stacks, or leave this out.",
        )


@needs("issuer", "organization", "project", "stacks", "operations", ANY_STACK_IN_PROJECT)
def _aws_limits(known: Mapping[str, Any], _given: AbstractSet[str]) -> Iterator[Violation]:
    if ("stacks" in known) != bool(known.get(ANY_STACK_IN_PROJECT)):
        trust = declared_deployment_trust(known)
        yield from subject_limit(known, longest_subjects(known), "Shorten the names that stand in it.")
        yield from policy_limit(known, trust, provider_arn(trust.issuer))


DEPLOYMENT_RELATIONS: Final = (
    *SHARED_RELATIONS,
    _some_stacks_or_any,
    _settings_of_named_stacks,
    further_audiences(lambda known: deployment_audience(known["organization"]), "organization"),
    _aws_limits,
)
"""Every rule between the inputs of PulumiDeploymentsOidc."""
