"""PulumiDeploymentsOidc: its inputs and its wiring. What the inputs come to is in `inputs`, who gets in in `trust`."""

# No `from __future__ import annotations` here: Pulumi's analyzer reads the annotations themselves. Nor a common base
# of the argument types: inherited fields lose their docstrings, which become the schema's descriptions.
import inspect
from typing import Any, NotRequired, TypedDict, Unpack, cast, overload

import pulumi
import pulumi_pulumiservice as pulumiservice

from .inputs import DeploymentPlan, parse_deployments
from .planning import OutputsOnDemand, Planned, StrictOutput, planned, strict
from .role import declare_role


class PulumiDeploymentsOidcArgs(TypedDict):
    """The inputs of PulumiDeploymentsOidc."""

    organization: pulumi.Input[str]
    """The organization's login, as in the console's address `https://app.pulumi.com/LOGIN`; not its display name."""

    project: pulumi.Input[str]
    """The Pulumi project of the stacks, as in its Pulumi.yaml; up to 100 letters, digits, `.`, `_` and `-`."""

    stacks: NotRequired[list[pulumi.Input[str]]]
    """The names of the stacks that may assume the role, each without its organization and project.
    Required unless `dangerouslyAllowAnyStackInProject` is set. A stack that nobody has created yet lets in whoever
    creates it."""

    operations: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """The operations in which they may: `preview`, `update`, `refresh`, `destroy`. Default: all four.
    A preview runs the program as well: where it may run what is not reviewed yet, give it a role that only reads."""

    dangerously_allow_any_stack_in_project: NotRequired[bool]
    """Admit every stack of the project, also those that somebody creates later, in place of `stacks`.
    Default: false."""

    oidc_provider_arn: NotRequired[pulumi.Input[str]]
    """The ARN of an existing IAM OIDC provider to adopt, that of a PulumiEscOidc for instance, whose
    `additionalAudiences` then have the organization's login. There can be one per account and issuer.
    Default: the component creates it."""

    issuer: NotRequired[str]
    """The issuer that signs the tokens, `https://HOST/oidc`. Default: Pulumi Cloud, `https://api.pulumi.com/oidc`."""

    thumbprints: NotRequired[list[str]]
    """SHA-1 thumbprints of the issuer's certificate authority, up to 5 of 40 hexadecimal digits.
    Default: none; AWS checks the certificate against its own store."""

    additional_audiences: NotRequired[list[str]]
    """Further client IDs of the provider that the component creates, each `NAME` or `aws:NAME`; `aws:NAME` is that of
    the ESC environments of organization NAME. Default: none."""

    retain_oidc_provider: NotRequired[bool]
    """Leave the provider in AWS when this stack is destroyed, since others in the account may use it.
    Default: false."""

    role_name: NotRequired[str]
    """The role's name, 1 to 64 characters. Default: the component's name, `-role-` and seven random characters."""

    role_path: NotRequired[str]
    """The role's path, `/` or `/.../`. Default: `/`."""

    role_description: NotRequired[pulumi.Input[str]]
    """The role's description, up to 1000 characters. Default: none."""

    permissions_boundary_arn: NotRequired[pulumi.Input[str]]
    """The ARN of the managed policy that bounds what the role may do. Default: none."""

    policy_arns: NotRequired[list[pulumi.Input[str]]]
    """The ARNs of the managed policies to attach, at most 20. Default: none, and the role may do nothing.
    The attachment of an ARN that is an output is named after its place in the list instead of the policy:
    reordering then replaces it."""

    inline_policies: NotRequired[dict[str, pulumi.Input[str]]]
    """Inline policies of the role: name to policy document, as JSON. Default: none."""

    force_detach_policies: NotRequired[bool]
    """Destroy the role even when somebody else attached policies to it. Default: false."""

    max_session_duration: NotRequired[str]
    """The longest session that the role allows, 1h to 12h. Default: the larger of `duration` and 1h."""

    duration: NotRequired[str]
    """How long the credentials are good for, 15m to 12h, written like `1h30m`; a deployment that takes longer fails.
    Default: 1h."""

    session_name: NotRequired[str]
    """The session's name, as CloudTrail shows it: 2 to 64 characters. Pulumi Deployments replaces
    `${organization.name}`, `${project.name}`, `${stack.name}`, `${deployment.operation}`, `${deployment.version}` and
    `${deployment.id}` in it, and trims the first three to fit. Default: `pulumi-deploy`."""

    session_policy_arns: NotRequired[list[pulumi.Input[str]]]
    """Managed policies that narrow the session further, at most 10. They stand in the deployment settings, so whoever
    may change those can remove them: a boundary is `permissionsBoundaryArn`. Default: none."""

    manage_deployment_settings: NotRequired[bool]
    """Whether to declare the deployment settings of each of the `stacks`, which must exist, with this login and nothing
    else. This replaces whatever settings a stack has, and destroying it removes them. The settings of a stack whose
    name is an output are named after its place in the list. Default: false; then pass the output `operationContext` to
    your own DeploymentSettings."""

    tags: NotRequired[dict[str, pulumi.Input[str]]]
    """Tags of the provider and the role, at most 50, their keys unique in any case. Default: none."""


class PulumiDeploymentsOidc(OutputsOnDemand):
    """Short-lived AWS credentials for Pulumi Deployments, over OpenID Connect.

    Declares the IAM OIDC provider (or adopts one) and the IAM role whose trust policy admits exactly the named stacks
    in the named operations, and says what their deployment settings must contain. Inputs that it refuses raise
    InvalidInputs, all at once, before anything is registered.
    """

    # Before Python 3.13 a docstring keeps its indentation, which the schema would show as a block of code.
    __doc__ = inspect.cleandoc(__doc__)

    oidc_provider_arn: StrictOutput[str]
    """The ARN of the IAM OIDC provider, created or adopted."""

    role_arn: StrictOutput[str]
    """The ARN of the IAM role."""

    role_name: StrictOutput[str]
    """The name of the IAM role, to attach further policies to."""

    audience: StrictOutput[str]
    """The audience, `aud`, that the role admits: the organization's login. ESC's legacy project `default` has the same
    one; the subjects keep the two apart."""

    subjects: StrictOutput[list[str]]
    """The subjects, `sub`, that the role admits; `*` in one stands for any run of characters."""

    trust_policy: StrictOutput[str]
    """The role's trust policy, as JSON."""

    operation_context: StrictOutput[dict[str, Any]]
    """What the `operationContext` of the stacks' DeploymentSettings must contain: the login to AWS."""

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
        self.operation_context = strict(plan.combine(self.role_arn, DeploymentPlan.operation_context))
        if plan.now.manage_deployment_settings:
            self._deployment_settings(name, plan)
        self._on_demand = {
            "audience": lambda: plan.output(lambda plan: plan.audience),
            "subjects": lambda: plan.output(lambda plan: plan.trust.all_subjects),
        }
        # The policy stands in the role's state already.
        self.register_outputs(
            {
                "oidcProviderArn": self.oidc_provider_arn,
                "roleArn": self.role_arn,
                "roleName": self.role_name,
                "audience": plan.take(lambda plan: plan.audience),
                "subjects": plan.take(lambda plan: plan.trust.all_subjects),
                "operationContext": self.operation_context,
            }
        )

    def _deployment_settings(self, name: str, plan: Planned[DeploymentPlan]) -> None:
        """Declares the settings of each named stack, with the login to AWS and nothing else."""
        child = pulumi.ResourceOptions(parent=self)
        for index, stack in enumerate(plan.given["stacks"]):
            pulumiservice.DeploymentSettings(
                f"{name}-settings-{stack if isinstance(stack, str) else index}",
                organization=plan.take(lambda plan: plan.organization),
                project=plan.take(lambda plan: plan.project),
                stack=plan.item(lambda plan: plan.stacks, index),
                operation_context=self.operation_context,  # type: ignore[arg-type] # a dict with the wire's own names
                opts=child,
            )
