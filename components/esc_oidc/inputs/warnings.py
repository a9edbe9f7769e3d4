"""What is allowed and should be known all the same."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ..claims import CURRENT_ENVIRONMENT, ISSUER, LEGACY_PROJECT, TEAM
from ..sessions import seconds
from ..trust import POLICY_QUOTA, Trust, size, trust_policy
from .environment_relations import ANY, ANY_IN_PROJECT, ANY_STACK, OMIT
from .relations import longest_session
from .subjects import attributes, everyone

_LONG_SESSION: Final = 4 * 3600
_POLICY_QUOTA: Final = 10
_OR_CREATE: Final = "may assume this role, and so may whoever can create one"


def provider_warnings(inputs: Mapping[str, Any]) -> Iterator[str]:
    """Warnings on the identity provider."""
    issuer, organization = inputs.get("issuer", ISSUER), inputs["organization"]
    if issuer != ISSUER:
        host = issuer.split("/")[2]
        yield f"issuer: {issuer} signs the tokens, not Pulumi Cloud: whoever runs {host} can assume this role."
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
        yield (
            f"subjects: the trust policy has {taken} characters, over AWS's default quota of {POLICY_QUOTA}. Have "
            "'Role trust policy length' raised, or name fewer subjects."
        )


def upper_case(names: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Names, each with its input, that differ from how they may be written elsewhere."""
    for source, name in names:
        if name != name.lower():
            yield (
                f"{source}: {name!r} has upper case, and AWS compares case-sensitively. Check how Pulumi Cloud writes "
                "it."
            )


def environment_warnings(inputs: Mapping[str, Any]) -> Iterator[str]:
    """Warnings on who gets in to the role of an ESC environment."""
    organization, project = inputs["organization"], inputs["project"]
    yield from upper_case((name, inputs[name]) for name in ("organization", "project", "environment"))
    if project == LEGACY_PROJECT:
        yield (
            f"project: the audience of the legacy project `default` is {organization!r}, as it is for Pulumi "
            "Deployments and for other clouds' logins in that project: a token handed to those can be replayed here. "
            "Move the environment to another project."
        )
    listed = attributes(inputs)
    if CURRENT_ENVIRONMENT in listed[1:]:
        yield "subject_attributes: list `currentEnvironment.name` first, as is usual; the order is part of the subject."
    if TEAM in listed and any(opener.team == "" for opener in everyone(inputs)):
        yield (
            "subject_attributes: the subject of users, and of tokens other than team tokens, has an empty "
            "`pulumi.token.team`; that Pulumi Cloud writes it like this is inferred from its source code, never "
            "observed. Test it before you rely on it."
        )
    yield from _dangers(inputs)


def _dangers(inputs: Mapping[str, Any]) -> Iterator[str]:
    organization, project = inputs["organization"], inputs["project"]
    if inputs.get(ANY):
        yield f"{ANY}: every environment of {organization} {_OR_CREATE} in any project."
    if inputs.get(ANY_IN_PROJECT):
        yield f"{ANY_IN_PROJECT}: every environment of project {project} {_OR_CREATE} in the project."
    if inputs.get(OMIT):
        yield (
            f"{OMIT}: whoever may edit any environment of {organization} can name this role in it and wait for the "
            "right person to open it."
        )
    if inputs.get(ANY_STACK):
        yield (
            f"{ANY_STACK}: every environment of {organization} may assume this role when a stack's `environment:` list "
            "opens it, and so may whoever can create one in any project."
        )
