"""Finds trust policies inside the documents that tools write: IAM's answers, Terraform plans, Pulumi stacks.

Sources: https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html,
https://developer.hashicorp.com/terraform/internals/json-format and
https://github.com/pulumi/pulumi/blob/master/sdk/go/common/apitype/core.go
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import unquote

# What stands in a preview for a value that is not known yet, and what marks a secret.
# https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/plugin/rpc.go and .../resource/properties.go
_UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"

_PULUMI_ROLES: Final = {"aws:iam/role:Role": "assumeRolePolicy", "aws-native:iam:Role": "assumeRolePolicyDocument"}


@dataclass(frozen=True)
class Located:
    """A trust policy, and where it stands.

    Attributes:
        place: Where, as the tool names it: a role's name, an address, a URN; empty for a document that is a policy.
        policy: The policy as text or mapping; None when the tool does not know it yet, or has it encrypted.
        role_arn: The role's ARN if it is known.
        max_session_seconds: The longest session that the role allows, if it is known.
    """

    place: str
    policy: str | Mapping[str, object] | None
    role_arn: str | None
    max_session_seconds: int | None = None


# What the documents that have trust policies hold on their top level.
_OF_IAM: Final = {"AssumeRolePolicyDocument", "Role", "RoleDetailList", "Roles"}
_OF_TOOLS: Final = {"deployment", "planned_values", "resource_changes", "steps", "values"}


def is_recognised(document: Mapping[str, object]) -> bool:
    """Whether a document is of a kind that can have trust policies, even if it has none now."""
    return not (_OF_IAM | _OF_TOOLS).isdisjoint(document)


def is_permission_policy(document: Mapping[str, object]) -> bool:
    """Whether a policy says what may be done, not who may do it: it has resources and no principal."""
    statements = document.get("Statement")
    listed = statements if isinstance(statements, list) else [statements]
    return all(
        isinstance(each, Mapping)
        and not {"Resource", "NotResource"}.isdisjoint(each)
        and {"Principal", "NotPrincipal"}.isdisjoint(each)
        for each in listed
    )


def find_trust_policies(document: Mapping[str, object]) -> list[Located]:
    """Every trust policy in a document.

    Reads policies themselves; `aws iam get-role`, `list-roles` and `get-account-authorization-details`;
    `terraform show -json` of a plan or a state; `pulumi stack export` and `pulumi preview --json`.
    """
    if "Statement" in document:
        return [Located("", document, None)]
    roles = (*_iam(document), *_terraform(document), *_pulumi(document))
    return [Located(role.place, _policy(role.policy), _text(role.arn), _seconds(role.maximum)) for role in roles]


class _Role(NamedTuple):
    """A role as a tool writes it."""

    place: str
    policy: object
    arn: object
    maximum: object


def _iam(document: Mapping[str, object]) -> Iterator[_Role]:
    roles = [document.get("Role"), *_list(document.get("Roles")), *_list(document.get("RoleDetailList")), document]
    for role in map(_mapping, roles):
        if "AssumeRolePolicyDocument" in role:
            place, arn = role.get("RoleName") or role.get("Arn") or "role", role.get("Arn")
            yield _Role(str(place), role["AssumeRolePolicyDocument"], arn, role.get("MaxSessionDuration"))


def _terraform(document: Mapping[str, object]) -> Iterator[_Role]:
    changes = list(map(_mapping, _list(document.get("resource_changes"))))
    # What is destroyed has no `after`.
    found = [(change, _mapping(_mapping(change.get("change")).get("after"))) for change in changes]
    if not changes:
        roots = (_mapping(document.get(name)).get("root_module") for name in ("planned_values", "values"))
        found = [(resource, _mapping(resource.get("values"))) for root in roots for resource in _resources(root)]
    for resource, values in found:
        if values and resource.get("type") == "aws_iam_role":
            policy, maximum = values.get("assume_role_policy"), values.get("max_session_duration")
            yield _Role(str(resource.get("address")), policy, values.get("arn"), maximum)


def _resources(module: object) -> Iterator[Mapping[str, object]]:
    yield from map(_mapping, _list(_mapping(module).get("resources")))
    for child in _list(_mapping(module).get("child_modules")):
        yield from _resources(child)


def _pulumi(document: Mapping[str, object]) -> Iterator[_Role]:
    resources = list(_list(_mapping(document.get("deployment")).get("resources")))
    resources += [_mapping(step).get("newState") for step in _list(document.get("steps"))]
    seen = set()
    for resource in map(_mapping, resources):
        name = _PULUMI_ROLES.get(str(resource.get("type")))
        urn = str(resource.get("urn"))
        # A resource that is to be deleted is on its way out; a replacement stands in a preview more than once.
        if name is None or resource.get("delete") or urn in seen:
            continue
        seen.add(urn)
        outputs = _mapping(resource.get("outputs"))
        known = {**outputs, **_mapping(resource.get("inputs"))}
        yield _Role(urn, known.get(name), outputs.get("arn"), known.get("maxSessionDuration"))


def _policy(value: object) -> str | Mapping[str, object] | None:
    if isinstance(value, Mapping) and _SIGNATURE in value:
        plaintext = value.get("plaintext")
        try:
            value = json.loads(plaintext) if isinstance(plaintext, str) else None
        except ValueError:
            return None
    if isinstance(value, str):
        # IAM's API has it URL-encoded; the command line decodes it.
        text = unquote(value) if value.lower().startswith("%7b") else value
        return None if text == _UNKNOWN else text
    return value if isinstance(value, Mapping) else None


def _seconds(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value != _UNKNOWN else None


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
