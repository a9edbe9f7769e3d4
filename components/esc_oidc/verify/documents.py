"""Finds trust policies inside the documents that tools write: IAM's answers, templates, plans, states and stacks.

Sources: https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html,
https://docs.aws.amazon.com/config/latest/developerguide/config-item-table.html,
https://developer.hashicorp.com/terraform/internals/json-format,
https://developer.hashicorp.com/terraform/language/syntax/json,
https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document,
https://github.com/hashicorp/terraform/blob/main/internal/states/statefile/version4.go and
https://github.com/pulumi/pulumi/blob/master/sdk/go/common/apitype/core.go
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import unquote

from .templates import OIDC_PROVIDER, POLICY_DOCUMENT, Template, TerraformFile, placeholders_in

# What stands in a preview for a value that is not known yet, and what marks a secret.
# https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/plugin/rpc.go and .../resource/properties.go
_UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"

_PULUMI_ROLES: Final = {"aws:iam/role:Role": "assumeRolePolicy", "aws-native:iam:Role": "assumeRolePolicyDocument"}
_TERRAFORM_ROLES: Final = {"aws_iam_role": "assume_role_policy", "awscc_iam_role": "assume_role_policy_document"}

_ELEMENTS: Final = (
    "AssumeRolePolicyDocument",
    "assumeRolePolicyDocument",
    "assume_role_policy_document",
    "assumeRolePolicy",
    "assume_role_policy",
)
"""What a role calls its trust policy: IAM and CloudFormation; Config and ACK; Ansible; Crossplane; Terraform."""

WORDS: Final = (*_ELEMENTS, "Statement")
"""A document in which none of these words stands has no trust policy."""

Path = tuple[str | int, ...]
"""Keys and indexes that lead to something inside a document."""


@dataclass(frozen=True)
class Located:
    """A trust policy, and where it stands.

    Attributes:
        place: Where, as the tool names it: a role's name, an address, a URN; empty for a document that is a policy.
        policy: The policy as text or mapping; None when the tool does not know it yet, or has it encrypted.
        role_arn: The role's ARN if it is known.
        max_session_seconds: The longest session that the role allows, if it is known.
        path: Where, as keys and indexes inside the document.
        placeholders: What its values depend on, where the document does not say them: `lint_located` judges it.
        ignored: The rules that the document itself says to ignore for this role, each with the reason; without one,
            which is empty then, nothing is to be ignored. What has no form of it is a rule without a name.
    """

    place: str
    policy: str | Mapping[str, object] | None
    role_arn: str | None
    max_session_seconds: int | None = None
    path: Path = ()
    placeholders: tuple[str, ...] = ()
    ignored: Mapping[str, str] = field(default_factory=dict)


# What the documents that can have trust policies hold on their top level.
_OF_IAM: Final = {"AssumeRolePolicyDocument", "Role", "RoleDetailList", "Roles"}
_OF_CONFIG: Final = {"baseConfigurationItems", "configurationItem", "configurationItems"}
_OF_TEMPLATES: Final = {"AWSTemplateFormatVersion", "Resources"}
_OF_TERRAFORM: Final = {"planned_values", "resource_changes", "terraform_version"}
_OF_PULUMI: Final = {"checkpoint", "deployment", "steps"}
_OF_TOOLS: Final = _OF_TERRAFORM | _OF_PULUMI | {"resource", "values"}


def is_recognised(document: object) -> bool:
    """Whether a document is of a kind that can have trust policies, even if it has none now."""
    kinds = _OF_IAM | _OF_CONFIG | _OF_TEMPLATES | _OF_TOOLS
    return isinstance(document, Mapping) and not kinds.isdisjoint(document)


def other_policy(document: Mapping[str, object]) -> str | None:
    """What a policy document is, if it is no trust policy: a permission policy, or one of another service."""
    statements = [each for each in _listed(document.get("Statement")) if isinstance(each, Mapping)]
    if not statements or len(statements) < len(_listed(document.get("Statement"))):
        return None
    resources = [not {"Resource", "NotResource"}.isdisjoint(each) for each in statements]
    if all(resources) and not any({"Principal", "NotPrincipal"} & set(each) for each in statements):
        return "a permission policy"
    services = {action.partition(":")[0].lower() for action in _actions(statements)}
    if not services & {"sts", "*", ""} and all(":" in action for action in _actions(statements)):
        return f"a policy of another service ({', '.join(sorted(services))})"
    # A trust policy has no resource, and lets somebody in.
    if all(resources) and ("sts" not in services or all(each.get("Effect") == "Deny" for each in statements)):
        return "a resource policy or a resource control policy"
    return None


def find_trust_policies(document: object) -> list[Located]:
    """Every trust policy in a document.

    Reads policies themselves and lists of them; `aws iam get-role`, `list-roles` and
    `get-account-authorization-details`; items of AWS Config; CloudFormation, SAM and CDK templates; `terraform show
    -json` of a plan or a state, `terraform.tfstate` and `.tf.json`; `pulumi stack export`, `pulumi preview --json` and
    the stacks of a self-managed backend; and whatever else has a role's trust policy under one of its usual names.

    Raises:
        RecursionError: The document is nested too deeply.
    """
    if isinstance(document, list):
        return [
            replace(each, place=each.place or f"[{index}]", path=(index, *each.path))
            for index, item in enumerate(document)
            for each in find_trust_policies(item)
        ]
    if not isinstance(document, Mapping):
        return []
    if "Statement" in document:
        return [] if other_policy(document) else [Located("", document, None)]
    if _is_of_tools(document):
        return [*_terraform(document), *_terraform_json(document), *_terraform_state(document), *_pulumi(document)]
    # A CDK application's `tree.json` repeats its templates.
    if str(document.get("version")).startswith("tree-"):
        return []
    return list(_anywhere(document, ()))


def _is_of_tools(document: Mapping[str, object]) -> bool:
    if not (_OF_TERRAFORM | _OF_PULUMI).isdisjoint(document):
        return True
    return "root_module" in _mapping(document.get("values")) or bool(
        _terraform_blocks(document, "resource", _TERRAFORM_ROLES)
    )


def _anywhere(value: object, path: Path) -> Iterator[Located]:
    """The roles in a document of any other shape: whatever has a policy under a role's name for it."""
    if isinstance(value, Mapping):
        if isinstance(value.get("Resources"), Mapping):
            yield from _template(value, path)
        for element in _ELEMENTS:
            if _looks_like_a_policy(policy := _policy(value.get(element))):
                place = next((str(value[name]) for name in _NAMES if isinstance(value.get(name), str)), "")
                arn = next((_text(value[name]) for name in ("Arn", "arn") if name in value), None)
                maximum = _seconds(value.get("MaxSessionDuration", value.get("maxSessionDuration")))
                place = place or arn or ".".join(map(str, path)) or "role"
                yield Located(place, policy, arn, maximum, (*path, element))
                # A role's instance profiles repeat the role.
                return
        for key, inner in value.items():
            if isinstance(inner, Mapping | list | str) and key != "Resources":
                yield from _anywhere(inner, (*path, str(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _anywhere(inner, (*path, index))
    elif isinstance(value, str) and value[:1] == "{" and any(element in value for element in _ELEMENTS):
        # AWS Config has the configuration of an item as text.
        yield from (replace(each, path=path) for each in _anywhere(_parsed(value), path))


_NAMES: Final = ("RoleName", "roleName", "role_name", "name")


def _looks_like_a_policy(value: object) -> bool:
    return "Statement" in value if isinstance(value, Mapping) else isinstance(value, str) and "Statement" in value


def _template(document: Mapping[str, object], path: Path) -> Iterator[Located]:
    """The roles of a CloudFormation template, and what SAM makes roles of."""
    template = Template(document)
    for name, resource in _mapping(document["Resources"]).items():
        properties = _mapping(_mapping(resource).get("Properties"))
        if "AssumeRolePolicyDocument" in properties and isinstance(_mapping(resource).get("Type"), str):
            value = template.resolve(properties["AssumeRolePolicyDocument"])
            named = value if isinstance(value, Mapping | str) else None
            policy = named if _looks_like_a_policy(named) else None
            yield Located(
                str(name),
                policy,
                None,
                _seconds(properties.get("MaxSessionDuration")),
                (*path, "Resources", str(name), "Properties", "AssumeRolePolicyDocument"),
                placeholders_in(named) or (() if policy else ("AssumeRolePolicyDocument",)),
                _ignored(_mapping(resource).get("Metadata")),
            )


def _ignored(metadata: object) -> Mapping[str, str]:
    """What `{"esc-oidc": {"ignore": {RULE: REASON}}}` says; the reason is empty where there is none.

    What has another form is a rule without a name.
    """
    if "esc-oidc" not in _mapping(metadata):
        return {}
    said = _mapping(_mapping(metadata)["esc-oidc"]).get("ignore")
    if said is None or isinstance(said, bool):
        return {"": ""}
    rules = said if isinstance(said, Mapping) else dict.fromkeys(map(str, _listed(said)))
    return {str(rule): reason.strip() if isinstance(reason, str) else "" for rule, reason in rules.items()}


def _terraform(document: Mapping[str, object]) -> Iterator[Located]:
    """The roles in what `terraform show -json` prints of a plan or a state."""
    found: list[tuple[Path, Mapping[str, object], object]] = []
    for index, change in enumerate(_list(document.get("resource_changes"))):
        # What is destroyed has no `after`.
        after = _mapping(_mapping(change).get("change")).get("after")
        found.append((("resource_changes", index, "change", "after"), _mapping(change), after))
    if not found:
        for name in ("planned_values", "values"):
            root = _mapping(_mapping(document.get(name)).get("root_module"))
            for path, resource in _resources(root, (name, "root_module")):
                found.append(((*path, "values"), resource, resource.get("values")))
    for path, resource, values in found:
        element = _TERRAFORM_ROLES.get(str(resource.get("type")))
        if element and values and resource.get("mode") != "data":
            yield _terraform_role(str(resource.get("address")), _mapping(values), (*path, element))


def _terraform_role(address: str, values: Mapping[str, object], path: Path) -> Located:
    policy, maximum = _policy(values.get(str(path[-1]))), _seconds(values.get("max_session_duration"))
    return Located(address, policy, _text(values.get("arn")), maximum, path)


def _resources(module: Mapping[str, object], path: Path) -> Iterator[tuple[Path, Mapping[str, object]]]:
    for index, resource in enumerate(_list(module.get("resources"))):
        yield (*path, "resources", index), _mapping(resource)
    for index, child in enumerate(_list(module.get("child_modules"))):
        yield from _resources(_mapping(child), (*path, "child_modules", index))


def _terraform_state(document: Mapping[str, object]) -> Iterator[Located]:
    """The roles in `terraform.tfstate`, version 4."""
    for index, resource in enumerate(map(_mapping, _list(document.get("resources")))):
        element = _TERRAFORM_ROLES.get(str(resource.get("type")))
        for place, instance in enumerate(map(_mapping, _list(resource.get("instances")) if element else [])):
            # What is deposed is to be destroyed.
            if resource.get("mode") != "data" and "deposed" not in instance:
                module = f"{resource['module']}." if "module" in resource else ""
                key = f"[{json.dumps(instance['index_key'])}]" if "index_key" in instance else ""
                address = f"{module}{resource.get('type')}.{resource.get('name')}{key}"
                path = ("resources", index, "instances", place, "attributes", str(element))
                yield _terraform_role(address, _mapping(instance.get("attributes")), path)


def _terraform_json(document: Mapping[str, object]) -> Iterator[Located]:
    """The roles in a `.tf.json` file, in which `${...}` is an expression and `$${` a plain `${`."""
    file = TerraformFile(
        {name: block for _, _, name, block in _terraform_blocks(document, "data", [POLICY_DOCUMENT])},
        {name: block for _, _, name, block in _terraform_blocks(document, "resource", [OIDC_PROVIDER])},
    )
    for path, kind, name, block in _terraform_blocks(document, "resource", _TERRAFORM_ROLES):
        element = _TERRAFORM_ROLES[kind]
        policy = _policy(file.resolve(block.get(element)))
        placeholders = placeholders_in(policy)
        known = policy if _looks_like_a_policy(policy) else None
        maximum, ignored = _seconds(block.get("max_session_duration")), _ignored(block.get("//"))
        where = (*path, element)
        yield Located(f"{kind}.{name}", known, None, maximum, where, placeholders, ignored)


def _terraform_blocks(
    document: Mapping[str, object], section: str, wanted: Iterable[str]
) -> list[tuple[Path, str, str, Mapping[str, object]]]:
    """Each block of these kinds, which may stand in lists on every level."""
    return [
        ((*path, *more, *label, *rest), kind, str(name), _mapping(block))
        for path, kinds in _each(document.get(section), (section,))
        for kind in wanted
        for more, names in _each(_mapping(kinds).get(kind), (kind,))
        for name, blocks in _mapping(names).items()
        for label in [(str(name),)]
        for rest, block in _each(blocks, ())
    ]


def _each(value: object, path: Path) -> Iterable[tuple[Path, object]]:
    return [((*path, index), each) for index, each in enumerate(value)] if isinstance(value, list) else [(path, value)]


def _pulumi(document: Mapping[str, object]) -> Iterator[Located]:
    """The roles in a stack, exported or in a self-managed backend, and in a preview."""
    found: list[tuple[Path, object]] = []
    steps: dict[Path, object] = {}
    checkpoint = _mapping(document.get("checkpoint"))
    found += _each(_list(_mapping(document.get("deployment")).get("resources")), ("deployment", "resources"))
    found += _each(_list(_mapping(checkpoint.get("latest")).get("resources")), ("checkpoint", "latest", "resources"))
    for path, step in _each(_list(document.get("steps")), ("steps",)):
        found.append(((*path, "newState"), _mapping(step).get("newState")))
        steps[*path, "newState"] = _mapping(step).get("urn")
    seen = set()
    for where, resource in ((where, _mapping(each)) for where, each in found):
        name = _PULUMI_ROLES.get(str(resource.get("type")))
        urn = str(resource.get("urn") or steps.get(where) or ".".join(map(str, where)))
        # A resource that is to be deleted is on its way out; a replacement stands in a preview more than once.
        if name is None or resource.get("delete") or urn in seen:
            continue
        seen.add(urn)
        inputs, outputs = _mapping(resource.get("inputs")), _mapping(resource.get("outputs"))
        known = {**outputs, **inputs}
        maximum = _seconds(known.get("maxSessionDuration"))
        path = (*where, "inputs" if name in inputs else "outputs", name)
        yield Located(urn, _policy(known.get(name)), _text(outputs.get("arn")), maximum, path)


def _policy(value: object) -> str | Mapping[str, object] | None:
    if isinstance(value, Mapping) and _SIGNATURE in value:
        plaintext = value.get("plaintext")
        value = _parsed(plaintext) if isinstance(plaintext, str) else None
    if isinstance(value, str):
        # IAM's API has it URL-encoded; the command line decodes it.
        text = unquote(value) if value[:3].lower() == "%7b" else value
        return None if text == _UNKNOWN else text
    return value if isinstance(value, Mapping) else None


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _actions(statements: Iterable[Mapping[str, object]]) -> list[str]:
    """What may be done; `NotAction` is everything, or nearly so."""
    return [
        str(action) for each in statements for action in _listed(each.get("Action", "*" if "NotAction" in each else []))
    ]


def _seconds(value: object) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
        return int(value)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value != _UNKNOWN else None


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
