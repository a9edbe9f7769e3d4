"""PulumiDeploymentsOidc: its inputs and its wiring. What the inputs come to is in `inputs`, who gets in in `trust`."""

# No `from __future__ import annotations` here: Pulumi's analyzer reads the annotations themselves. Nor a common base
# of the argument types: inherited fields lose their docstrings, which become the schema's descriptions.
import inspect
from typing import Any, NotRequired, TypedDict, Unpack, cast, overload

import pulumi
import pulumi_pulumiservice as pulumiservice

from .inputs import DeploymentPlan, parse_deployments
from .planning import OutputsOnDemand, Planned, PolicyDocument, StrictOutput, planned
from .role import declare_role


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

    transitional_subjects: NotRequired[list[str]]
    """Exact subjects to admit as well while you change who gets in, at most 20, so that no login is refused meanwhile:
    first those that are to come, then those that were. They must be of this organization and of Deployments. It
    warns as long as they are listed. Default: none."""

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

    policy_arns: NotRequired[list[str]]
    """ARNs of the managed policies to attach; with those in `namedPolicyArns`, at most 20. Default: none; a role
    without policies may do nothing. Each attachment is named after its policy, so no ARN may be an output: pass those
    in `namedPolicyArns`."""

    named_policy_arns: NotRequired[dict[str, pulumi.Input[str]]]
    """ARNs of further managed policies to attach, which may be outputs: a map from a key of your choice, after which
    the attachment is named, to the ARN. Run `pulumi state rename` on the attachment before you rename a key: otherwise
    Pulumi attaches the policy under the new name, and then detaches it under the old one. Default: none."""

    inline_policies: NotRequired[dict[str, pulumi.Input[PolicyDocument]]]
    """The role's inline policies, a map from name to policy document, as JSON; in Python a dict will do. Together they
    may have 10,240 characters without white space. Default: none."""

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
    login and nothing else: they replace all settings the stack has, and destroying them removes its settings. They
    are named after the stack, so no name in `stacks` may be an output then. Default: false; pass the output
    `operationContext` to your own DeploymentSettings instead."""

    tags: NotRequired[dict[str, pulumi.Input[str]]]
    """Tags for the provider and the role, at most 50. No two keys may differ only in case. Default: none."""


class PulumiDeploymentsOidc(OutputsOnDemand):
    """Short-lived AWS credentials for Pulumi Deployments, over OpenID Connect.

    Creates or adopts the IAM OIDC provider, and creates the IAM role whose trust policy admits exactly the stacks and
    operations you name. The output `operationContext` is what the stacks' deployment settings need. Invalid inputs
    raise InvalidInputs, which lists every violation, before anything is registered.
    """

    # Before Python 3.13 a docstring keeps its indentation, which the schema would show as a block of code.
    __doc__ = inspect.cleandoc(__doc__)

    oidc_provider_arn: StrictOutput[str]
    """The ARN of the IAM OIDC provider, created or adopted."""

    role_arn: StrictOutput[str]
    """The ARN of the IAM role."""

    role_name: StrictOutput[str]
    """The name of the IAM role, for attaching further policies."""

    audience: StrictOutput[str]
    """The audience, `aud`, that the role admits: the organization's login. ESC's legacy project `default` has
    the same audience; the subjects tell the two apart."""

    subjects: StrictOutput[list[str]]
    """The subjects, `sub`, that the inputs declare; `*` stands for any run of characters. The role admits them once
    `pulumi up` has updated it."""

    trust_policy: StrictOutput[str]
    """The role's trust policy, as JSON: what AWS has, also if `pulumi up --target` left the role alone."""

    operation_context: StrictOutput[dict[str, Any]]
    """The login to AWS, for the `operationContext` of the stacks' DeploymentSettings."""

    @overload
    def __init__(
        self, name: str, args: PulumiDeploymentsOidcArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None: ...
    @overload
    def __init__(
        self, name: str, *, opts: pulumi.ResourceOptions | None = None, **inputs: Unpack[PulumiDeploymentsOidcArgs]
    ) -> None: ...
    # Pulumi's analyzer reads the inputs from the annotation of `args`, and does not take Optional there.
    def __init__(
        self,
        name: str,
        args: PulumiDeploymentsOidcArgs = cast("PulumiDeploymentsOidcArgs", None),  # noqa: B008 - a cast does nothing
        opts: pulumi.ResourceOptions | None = None,
        **inputs: Any,
    ) -> None:
        plan = planned(parse_deployments, PulumiDeploymentsOidcArgs, type(self), name, args, inputs)
        super().__init__("esc-oidc:index:PulumiDeploymentsOidc", name, None, opts)
        plan.warn(self)

        role = declare_role(self, name, plan)
        self.oidc_provider_arn = role.provider_arn
        self.trust_policy = role.trust_policy
        self.role_name = role.name
        self.role_arn = role.arn
        self.operation_context = cast(
            "StrictOutput[dict[str, Any]]", plan.combine(self.role_arn, DeploymentPlan.operation_context)
        )
        if plan.now.manage_deployment_settings:
            self._deployment_settings(name, plan)
        seen = plan.seen
        self._on_demand = {
            "audience": lambda: pulumi.Output.from_input(seen.audience),
            "subjects": lambda: pulumi.Output.from_input(seen.subjects),
        }
        # The policy stands in the role's state already.
        self.register_outputs(
            {
                "oidcProviderArn": self.oidc_provider_arn,
                "roleArn": self.role_arn,
                "roleName": self.role_name,
                "audience": seen.audience,
                "subjects": seen.subjects,
                "operationContext": self.operation_context,
            }
        )

    def _deployment_settings(self, name: str, plan: Planned[DeploymentPlan]) -> None:
        """Declares the settings of each named stack, with the login to AWS and nothing else."""
        child = pulumi.ResourceOptions(parent=self)
        for stack in plan.given["stacks"]:
            pulumiservice.DeploymentSettings(
                f"{name}-settings-{stack}",
                organization=plan.seen.organization,
                project=plan.seen.project,
                stack=stack,
                operation_context=self.operation_context,  # type: ignore[arg-type] # a dict with the wire's own names
                opts=child,
            )
