"""The inputs of PulumiDeploymentsOidc. The docstrings become the schema's descriptions, for all languages."""

# No `from __future__ import annotations` here: Pulumi's analyzer reads the annotations themselves. There is no base
# in common with PulumiEscOidcArgs either: inherited fields lose their docstrings.
from typing import NotRequired, TypedDict

import pulumi


class PulumiDeploymentsOidcArgs(TypedDict):
    """The inputs of PulumiDeploymentsOidc."""

    organization: pulumi.Input[str]
    """The organization's login, as in its console address `https://app.pulumi.com/LOGIN`; not its display name."""

    project: pulumi.Input[str]
    """The stacks' Pulumi project, as in its Pulumi.yaml: up to 100 letters, digits, `.`, `_` and `-`."""

    stacks: NotRequired[list[pulumi.Input[str]]]
    """Names of the stacks that may assume the role, without organization and project.
    Required unless `dangerouslyAllowAnyStackInProject` is set. If a stack does not exist yet, whoever creates it gets
    in."""

    operations: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """The operations in which the stacks may assume the role: `preview`, `update`, `refresh`, `destroy`. Default: all
    four. A preview runs the program too: if it may run unreviewed code, give it a role that can only read."""

    dangerously_allow_any_stack_in_project: NotRequired[bool]
    """Instead of `stacks`, admit every stack of the project, including any created later. Default: false."""

    oidc_provider_arn: NotRequired[pulumi.Input[str]]
    """The ARN of an existing IAM OIDC provider to adopt. The component never changes it, and refuses one that lacks
    the audience. To adopt the provider of a PulumiEscOidc, add the organization's login to that component's
    `additionalAudiences`. AWS allows one provider per account and issuer. Default: the component creates it."""

    issuer: NotRequired[str]
    """The issuer that signs the tokens: `https://HOST/oidc` for a self-hosted Pulumi Cloud. Default: Pulumi Cloud,
    `https://api.pulumi.com/oidc`."""

    thumbprints: NotRequired[list[str]]
    """SHA-1 thumbprints of the issuer's certificate authority, at most 5, each 40 hexadecimal digits. Default: none;
    AWS checks the certificate against its own trust store."""

    additional_audiences: NotRequired[list[str]]
    """Further client IDs for the provider that the component creates, each `NAME` or `aws:NAME`. `aws:NAME` is the
    audience of the ESC environments of organization NAME. Default: none."""

    retain_oidc_provider: NotRequired[bool]
    """Keep the provider when this stack is destroyed, because other roles in the account may trust it.
    Default: false."""

    role_name: NotRequired[str]
    """The role's name, 1 to 64 characters. Default: the component's name, `-role-` and seven random characters."""

    role_path: NotRequired[str]
    """The role's path, `/` or `/.../`. Default: `/`."""

    role_description: NotRequired[pulumi.Input[str]]
    """The role's description, up to 1000 characters. Default: none."""

    permissions_boundary_arn: NotRequired[pulumi.Input[str]]
    """The ARN of the managed policy that limits what the role may do, whatever else is attached. Default: none."""

    policy_arns: NotRequired[list[pulumi.Input[str]]]
    """ARNs of the managed policies to attach, at most 20. Default: none; a role without policies may do nothing. Each
    attachment is named after its policy. If the ARN is an output, the attachment is named after its position in the
    list instead, and reordering the list replaces it."""

    inline_policies: NotRequired[dict[str, pulumi.Input[str]]]
    """The role's inline policies, a map from name to policy document as JSON. Default: none."""

    force_detach_policies: NotRequired[bool]
    """Destroy the role even if someone else attached policies to it. Default: false."""

    max_session_duration: NotRequired[str]
    """The longest session the role allows, 1h to 12h. Default: the longer of `duration` and 1h."""

    duration: NotRequired[str]
    """How long the credentials stay valid, 15m to 12h, written like `1h30m`; a deployment that runs longer fails.
    Default: 1h."""

    session_name: NotRequired[str]
    """The session's name, shown in CloudTrail: 2 to 64 characters. Pulumi Deployments replaces `${organization.name}`,
    `${project.name}`, `${stack.name}`, `${deployment.operation}`, `${deployment.version}` and `${deployment.id}` in
    it, and trims the first three to fit. Default: `pulumi-deploy`."""

    session_policy_arns: NotRequired[list[pulumi.Input[str]]]
    """ARNs of managed policies that narrow the session further, at most 10. They are part of the deployment settings,
    so anyone who may change those can remove them; for a boundary, use `permissionsBoundaryArn`. Default: none."""

    manage_deployment_settings: NotRequired[bool]
    """Whether to declare the deployment settings of each of the `stacks`, which must exist. The settings contain this
    login and nothing else: they replace all settings the stack has, and destroying them removes its settings. If a
    stack's name is an output, its settings are named after its position in the list. Default: false; pass the output
    `operationContext` to your own DeploymentSettings instead."""

    tags: NotRequired[dict[str, pulumi.Input[str]]]
    """Tags for the provider and the role, at most 50. No two keys may differ only in case. Default: none."""
