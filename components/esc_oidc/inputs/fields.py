"""Every input of the components: its type, its form, whether leaving it empty would widen who gets in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from . import deployment_formats, formats
from .formats import Format, matching

Type = Literal["str", "bool", "list", "dict"]


@dataclass(frozen=True)
class Field:
    """One input.

    Args:
        type: What it is.
        form: The form of its value, of a list's items, or of a dict's values.
        keys: The form of a dict's keys.
        required: Whether it must be given.
        narrows: Whether it narrows who gets in or what they may do: then None and an empty one are refused,
            because they would silently mean "everyone".
        may_be_empty: Whether an empty one has a meaning of its own all the same.
        outputs: Where a Pulumi Output may stand: the whole input, the items only, or nowhere.
        most: How many items it may have, and who says so.
    """

    type: Type
    form: Format | None = None
    keys: Format | None = None
    required: bool = False
    narrows: bool = False
    may_be_empty: bool = False
    outputs: Literal["anywhere", "items", "nowhere"] = "nowhere"
    most: tuple[int, str] | None = None


_USER_OR_TEAM = matching(
    r"[A-Za-z0-9._@+-]+",
    "a user's or team's name has letters, digits and `._@+-`.",
    "Give the login or the team's name, as in its address in the console.",
)
_POLICY_NAME = matching(
    r"[\w+=,.@-]{1,128}", "a policy's name has 1 to 128 letters, digits and `_+=,.@-`.", "Choose such a name."
)
_TAG = r"[A-Za-z0-9 _.:/=+@-]"


def _narrowing_list(form: Format) -> Field:
    return Field("list", form, narrows=True, outputs="anywhere")


_FLAG: Final = Field("bool")

PROVIDER_FIELDS: Final[Mapping[str, Field]] = {
    "oidc_provider_arn": Field("str", formats.oidc_provider_arn, outputs="anywhere"),
    "issuer": Field("str", formats.issuer),
    "thumbprints": Field(
        "list",
        matching("[0-9A-Fa-f]{40}", "a thumbprint has 40 hexadecimal digits.", "Leave it out: AWS needs none."),
        most=(5, "AWS takes at most 5 thumbprints."),
    ),
    "additional_audiences": Field(
        "list",
        matching(
            r"(?:aws:)?[A-Za-z0-9._-]{1,80}",
            "an audience of Pulumi Cloud is NAME or aws:NAME, NAME an organization's login.",
            "Leave the others out.",
        ),
        most=(99, "AWS takes at most 100 client IDs, this component's own one among them."),
    ),
    "retain_oidc_provider": _FLAG,
}

ROLE_FIELDS: Final[Mapping[str, Field]] = {
    "role_name": Field(
        "str",
        matching(
            r"[\w+=,.@-]{1,64}",
            "a role's name has 1 to 64 letters, digits and `_+=,.@-`.",
            "Choose such a name.",
        ),
    ),
    "role_path": Field(
        "str",
        matching(
            r"/|/[\x21-\x7e]{1,510}/",
            "a role's path is `/` or begins and ends with `/`, up to 512 printable ASCII characters.",
            "Write it like `/pulumi/esc/`.",
        ),
    ),
    "role_description": Field(
        "str",
        matching(
            r"[\t\n\r\x20-\x7e\xa1-\xff]{1,1000}",
            "a role's description has up to 1000 printable Latin-1 characters.",
            "Shorten it, and keep to these characters.",
        ),
        outputs="anywhere",
    ),
    "permissions_boundary_arn": Field("str", formats.managed_policy_arn, narrows=True, outputs="anywhere"),
    "policy_arns": Field(
        "list",
        formats.managed_policy_arn,
        outputs="items",
        most=(20, "AWS attaches at most 20 managed policies to a role."),
    ),
    "inline_policies": Field("dict", formats.inline_policy, keys=_POLICY_NAME, outputs="items"),
    "force_detach_policies": _FLAG,
    "max_session_duration": Field("str", formats.max_session_duration),
    "tags": Field(
        "dict",
        matching(
            _TAG + "{1,256}",
            "a tag's value has up to 256 letters, digits, spaces and `_.:/=+-@`.",
            "Change it so.",
        ),
        keys=matching(
            r"(?![Aa][Ww][Ss]:)" + _TAG + "{1,128}",
            "a tag's key has 1 to 128 letters, digits, spaces and `_.:/=+-@`, and does not begin with `aws:`.",
            "Choose such a key.",
        ),
        outputs="items",
        most=(50, "AWS takes at most 50 tags."),
    ),
}

SESSION_FIELDS: Final[Mapping[str, Field]] = {
    "duration": Field("str", formats.duration),
    "session_policy_arns": Field(
        "list",
        formats.managed_policy_arn,
        narrows=True,
        outputs="items",
        most=(10, "AWS takes at most 10 session policies."),
    ),
}

ENVIRONMENT_FIELDS: Final[Mapping[str, Field]] = {
    "organization": Field("str", formats.organization, required=True, outputs="anywhere"),
    "project": Field("str", formats.project, required=True, outputs="anywhere"),
    "environment": Field("str", formats.environment_part, required=True, outputs="anywhere"),
    "subject_attributes": Field("list", formats.subject_attribute, narrows=True, may_be_empty=True, outputs="anywhere"),
    "allowed_environments": _narrowing_list(formats.environment_reference),
    "allowed_root_environments": _narrowing_list(formats.environment_reference),
    "allowed_users": _narrowing_list(_USER_OR_TEAM),
    "allowed_teams": _narrowing_list(_USER_OR_TEAM),
    "allowed_token_types": _narrowing_list(formats.token_type),
    "dangerously_allow_any_environment_in_project": _FLAG,
    "dangerously_allow_any_environment": _FLAG,
    "dangerously_omit_current_environment": _FLAG,
    "dangerously_allow_any_stack_configuration": _FLAG,
    **PROVIDER_FIELDS,
    **ROLE_FIELDS,
    **SESSION_FIELDS,
    "session_name": Field("str", formats.session_name),
    "create_environment": _FLAG,
    "export_environment_variables": _FLAG,
    "region": Field(
        "str",
        matching(r"[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}", "a region is written like us-east-1.", "Give its code."),
        outputs="anywhere",
    ),
    "environment_variables": Field(
        "dict",
        formats.esc_text,
        keys=matching(
            r"[A-Za-z_][A-Za-z0-9_]*",
            "an environment variable's name has letters, digits and `_`, and does not begin with a digit.",
            "Choose such a name.",
        ),
        outputs="items",
    ),
    "pulumi_config": Field(
        "dict",
        formats.esc_text,
        keys=matching(
            r"[A-Za-z0-9._-]+(?::[A-Za-z0-9._-]+)*",
            "a configuration key is NAMESPACE:NAME or NAME.",
            "Write it so.",
        ),
        outputs="items",
    ),
    "imports": Field("list", formats.environment_reference),
}
"""The inputs of PulumiEscOidc. A test holds them equal to its argument type."""

DEPLOYMENT_FIELDS: Final[Mapping[str, Field]] = {
    "organization": ENVIRONMENT_FIELDS["organization"],
    "project": Field("str", deployment_formats.project, required=True, outputs="anywhere"),
    "stacks": Field("list", deployment_formats.stack, narrows=True, outputs="items"),
    "operations": _narrowing_list(deployment_formats.operation),
    "dangerously_allow_any_stack_in_project": _FLAG,
    **PROVIDER_FIELDS,
    **ROLE_FIELDS,
    **SESSION_FIELDS,
    "session_name": Field("str", deployment_formats.session_name),
    "manage_deployment_settings": _FLAG,
}
"""The inputs of PulumiDeploymentsOidc. A test holds them equal to its argument type."""
