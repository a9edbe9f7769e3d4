"""What is allowed and should be known all the same."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ..claims import CURRENT_ENVIRONMENT, ISSUER, LEGACY_PROJECT, TEAM
from ..sessions import seconds
from ..trust import POLICY_QUOTA, Trust, size, trust_policy
from ..verify.rules import RULES
from .environment_relations import ANY, ANY_IN_PROJECT, ANY_STACK, OMIT
from .relations import longest_session
from .subjects import attributes, everyone

_LONG_SESSION: Final = 4 * 3600
_POLICY_QUOTA: Final = 10


def provider_warnings(inputs: Mapping[str, Any]) -> Iterator[str]:
    """Warnings on the identity provider."""
    issuer, organization = inputs.get("issuer", ISSUER), inputs["organization"]
    if issuer != ISSUER:
        yield _says("issuer", "self-hosted", issuer=issuer, host=issuer.split("/")[2])
    for name in inputs.get("additional_audiences", ()):
        if name.removeprefix("aws:") != organization:
            yield f"additional_audiences: {name!r} is another organization's audience, not {organization!r}'s."


def role_warnings(inputs: Mapping[str, Any]) -> Iterator[str]:
    """Warnings on the role and what it may do."""
    maximum = longest_session(inputs)
    if seconds(maximum) > _LONG_SESSION:
        yield (
            f"max_session_duration: sessions of up to {maximum} cannot be taken back before they end; 4h and less is "
            "what short-lived means."
        )
    policies = inputs.get("policy_arns", ())
    if "permissions_boundary_arn" not in inputs and any(
        arn.endswith(":policy/AdministratorAccess") for arn in policies
    ):
        yield (
            "policy_arns: whoever gets in is an administrator of the account. Set `permissions_boundary_arn`, or "
            "attach a narrower policy."
        )
    if len(policies) > _POLICY_QUOTA:
        yield f"policy_arns: {len(policies)} policies are over AWS's default quota of {_POLICY_QUOTA} for a role."


def size_warning(trust: Trust, provider: str) -> Iterator[str]:
    """A trust policy that needs a raised quota."""
    taken = size(trust_policy(trust, provider))
    if taken > POLICY_QUOTA:
        yield _advises("subjects", "over-quota", size=taken, quota=POLICY_QUOTA)


def upper_case(names: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Names, each with its input, that differ from how they may be written elsewhere."""
    for source, name in names:
        if name != name.lower():
            yield _advises(source, "upper-case", value=name)


def environment_warnings(inputs: Mapping[str, Any]) -> Iterator[str]:
    """Warnings on who gets in to the role of an ESC environment."""
    organization, project = inputs["organization"], inputs["project"]
    yield from upper_case((name, inputs[name]) for name in ("organization", "project", "environment"))
    if project == LEGACY_PROJECT:
        yield _advises("project", "legacy-audience", organization=organization)
    listed = attributes(inputs)
    if CURRENT_ENVIRONMENT in listed[1:]:
        yield _says("subject_attributes", "attribute-order")
    if TEAM in listed and any(opener.team == "" for opener in everyone(inputs)):
        yield _advises("subject_attributes", "empty-team")
    yield from _dangers(inputs)


def _dangers(inputs: Mapping[str, Any]) -> Iterator[str]:
    organization, project = inputs["organization"], inputs["project"]
    if inputs.get(ANY):
        yield _says(ANY, "organization-wide", organization=organization)
    if inputs.get(ANY_IN_PROJECT):
        yield _says(ANY_IN_PROJECT, "project-wide", project=project)
    if inputs.get(OMIT):
        yield _says(OMIT, "current-environment-missing", organization=organization)
    if inputs.get(ANY_STACK):
        yield _says(ANY_STACK, "yaml-subject", organization=organization)


def _says(source: str, rule: str, **values: object) -> str:
    """What `lint` says of the same thing; where it was asked for by name there is nothing to advise."""
    return f"{source}: {RULES[rule].says.format(**values)}"


def _advises(source: str, rule: str, **values: object) -> str:
    return f"{_says(source, rule, **values)} {RULES[rule].fix}"
