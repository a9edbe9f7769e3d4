"""What the policies read of a resource's properties, as Pulumi gives them.

A property that is unknown in a preview raises UnknownValueError when it is read.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pulumi
from pulumi_policy import PolicyResource
from pulumi_policy.proxy import UnknownValueError

from esc_oidc.trust import read_iam_arn

from .refusals import DEFAULT_MAXIMUM, Environment, Role

TRUST_POLICIES: Final[Mapping[str, str]] = {
    "aws:iam/role:Role": "assumeRolePolicy",
    "aws-native:iam:Role": "assumeRolePolicyDocument",
}
"""The kinds of roles, and the property that holds the trust policy of each."""

PROVIDER_TYPE: Final = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
ENVIRONMENT_TYPE: Final = "pulumiservice:index:Environment"


def read_trust_policy(kind: str, properties: Mapping[str, Any]) -> str | None:
    """The trust policy of a role of this kind, as JSON; None if it has none."""
    value = _plain(properties.get(TRUST_POLICIES[kind]))
    return value if isinstance(value, str) or value is None else json.dumps(value)


def read_role(resource: PolicyResource) -> Role | None:
    """The role that a resource is; None if it is none, or not all of it is known yet."""
    if resource.resource_type not in TRUST_POLICIES:
        return None
    try:
        trust_policy = read_trust_policy(resource.resource_type, resource.props)
        arn = resource.props.get("arn")
        # Numbers come through protobuf as floats.
        seconds = int(resource.props.get("maxSessionDuration") or DEFAULT_MAXIMUM)
    except UnknownValueError:
        return None
    named = read_iam_arn(arn) if arn else None
    # A stand-in for AWS may answer with something that is no role's ARN.
    if not trust_policy or not named or named.kind != "role" or not named.is_of_an_account:
        return None
    return Role(str(named), trust_policy, seconds)


def read_environment(resource: PolicyResource) -> tuple[Environment, str] | None:
    """The environment that a resource is, and its definition; None if it is none, or not all of it is known."""
    if resource.resource_type != ENVIRONMENT_TYPE:
        return None
    try:
        organization, name = resource.props.get("organization"), resource.props.get("name")
        # The provider's own default.
        project = resource.props.get("project") or "default"
        definition = _text(resource.props.get("yaml"))
    except UnknownValueError:
        return None
    if not organization or not name or definition is None:
        return None
    return Environment(organization, project, name), definition


def read_client_ids(resources: Iterable[PolicyResource]) -> dict[str, list[str]]:
    """The client IDs of the stack's OIDC providers, by ARN, as far as both are known."""
    known = {}
    for resource in resources:
        if resource.resource_type == PROVIDER_TYPE:
            try:
                arn, client_ids = resource.props.get("arn"), _plain(resource.props.get("clientIdLists"))
            except UnknownValueError:
                continue
            if arn and client_ids:
                known[arn] = client_ids
    return known


def _text(definition: object) -> str | None:
    # The program gives an asset. Pulumi's provider makes a string of it, in `check` already.
    if isinstance(definition, str):
        return definition
    if isinstance(definition, pulumi.StringAsset):
        return definition.text
    if isinstance(definition, pulumi.FileAsset):
        try:
            return Path(definition.path).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            return None
    # Pulumi Cloud has what a remote asset says, and this machine perhaps not.
    return None


def _plain(value: Any) -> Any:
    """A property without the proxies that look for unknown values, all of which are looked at now."""
    if isinstance(value, Mapping):
        return {key: _plain(value[key]) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(inner) for inner in value]
    return value
