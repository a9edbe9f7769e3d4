"""PulumiEscOidc: its inputs and its wiring. What the inputs come to is in `inputs`, who gets in is in `trust`."""

# No `from __future__ import annotations` here: Pulumi's analyzer reads the annotations themselves. The docstrings under
# inputs and outputs become the descriptions of the schema, for every Pulumi language.
import inspect
from typing import Any, NotRequired, TypedDict, Unpack, cast, overload

import pulumi
import pulumi_pulumiservice as pulumiservice

from .environment import environment_definition
from .errors import InvalidInputs
from .inputs import EnvironmentPlan, Violation, parse_environment
from .planning import OutputsOnDemand, Planned, StrictOutput, planned, strict
from .role import declare_role


class PulumiEscOidcArgs(TypedDict):
    """The inputs of PulumiEscOidc."""

    organization: pulumi.Input[str]
    """The organization's login, as in the console's address `https://app.pulumi.com/LOGIN`; not its display name."""

    project: pulumi.Input[str]
    """The ESC project of the environment. There is no default: the legacy project `default` changes the token."""

    environment: pulumi.Input[str]
    """The name of the environment, without its project."""

    subject_attributes: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """The attributes that make up the token's subject, in this order: `currentEnvironment.name`,
    `rootEnvironment.name`, `pulumi.user.login`, `pulumi.token.type`, `pulumi.token.team`.
    Default: `currentEnvironment.name` and each attribute that an `allowed` input asks for.
    An empty list is the subject without attributes; it needs `dangerouslyOmitCurrentEnvironment`."""

    allowed_environments: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """Further environments of the organization, each `PROJECT/ENV`, whose login blocks may assume the role.
    Default: this environment alone. None of them may be in the legacy project `default` unless this one is."""

    allowed_root_environments: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """The environments, each `PROJECT/ENV`, that may be opened to reach the login, by name or because they import it.
    Asks for `rootEnvironment.name`. Default: any; if the attribute is listed, this one and `allowedEnvironments`."""

    allowed_users: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """The logins of the people who may open, with personal access tokens. Asks for `pulumi.user.login`.
    Default: anyone who may open the environment in Pulumi Cloud."""

    allowed_teams: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """The teams whose team access tokens may open. Asks for `pulumi.token.team`. Not the people in these teams."""

    allowed_token_types: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """The kinds of access tokens that may open: `personal`, `team`, `organization`. Asks for `pulumi.token.type`."""

    dangerously_allow_any_environment_in_project: NotRequired[bool]
    """Admit every environment of this project, also those that somebody creates later. Default: false."""

    dangerously_allow_any_environment: NotRequired[bool]
    """Admit every environment of the organization, also those that somebody creates later. Default: false."""

    dangerously_omit_current_environment: NotRequired[bool]
    """Let `subjectAttributes` leave `currentEnvironment.name` out: then whoever may edit any environment can name
    this role in it and wait for the right person to open it. Default: false."""

    dangerously_allow_any_stack_configuration: NotRequired[bool]
    """Admit the subject `<yaml>`, which is every environment's when a stack's `environment:` list opens it and the
    login has no subject attributes. Default: false."""

    oidc_provider_arn: NotRequired[pulumi.Input[str]]
    """The ARN of an existing IAM OIDC provider to adopt. There can be one per account and issuer.
    Default: the component creates it."""

    issuer: NotRequired[str]
    """The issuer that signs the tokens, `https://HOST/oidc`. Default: Pulumi Cloud, `https://api.pulumi.com/oidc`."""

    thumbprints: NotRequired[list[str]]
    """SHA-1 thumbprints of the issuer's certificate authority, up to 5 of 40 hexadecimal digits.
    Default: none; AWS checks the certificate against its own store."""

    additional_audiences: NotRequired[list[str]]
    """Further client IDs of the provider that the component creates, each `NAME` or `aws:NAME`. Default: none."""

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
    """How long the credentials are good for, 15m to 12h, written like `1h30m`. Default: 1h."""

    session_name: NotRequired[str]
    """The session's name, as CloudTrail shows it: 2 to 64 characters, in which `${context.pulumi.user.login}` stands
    for whoever opens. Default: `pulumi-esc`."""

    session_policy_arns: NotRequired[list[pulumi.Input[str]]]
    """Managed policies that narrow the session further, at most 10. They stand in the environment, so its editors
    can remove them: a boundary is `permissionsBoundaryArn`. Default: none."""

    create_environment: NotRequired[bool]
    """Whether to create the environment. False leaves it to whoever owns it: then `environmentDefinition` says what
    it must contain. Default: true."""

    export_environment_variables: NotRequired[bool]
    """Whether the environment sets `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
    Default: true."""

    region: NotRequired[pulumi.Input[str]]
    """The AWS region, as `AWS_REGION` and as Pulumi configuration `aws:region` of the environment. Default: none."""

    environment_variables: NotRequired[dict[str, pulumi.Input[str]]]
    """Further environment variables of the environment, as ESC text: `${...}` refers to a value, `$$` is a dollar.
    No secrets: readers of the environment see them. Default: none."""

    pulumi_config: NotRequired[dict[str, pulumi.Input[str]]]
    """Pulumi configuration that the environment gives to stacks, as ESC text. No secrets. Default: none."""

    imports: NotRequired[list[str]]
    """Environments that this one imports, each `PROJECT/ENV`. Default: none."""

    tags: NotRequired[dict[str, pulumi.Input[str]]]
    """Tags of the provider and the role, at most 50, their keys unique in any case. Default: none."""


class PulumiEscOidc(OutputsOnDemand):
    """Short-lived AWS credentials for a Pulumi ESC environment, over OpenID Connect.

    Declares the IAM OIDC provider (or adopts one), the IAM role whose trust policy admits exactly the named tokens,
    and the ESC environment whose login asks for exactly those tokens. Inputs that it refuses raise InvalidInputs, all
    at once, before anything is registered.
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
    """The audience, `aud`, that the role admits."""

    subjects: StrictOutput[list[str]]
    """The subjects, `sub`, that the role admits; `*` in one stands for any run of characters."""

    trust_policy: StrictOutput[str]
    """The role's trust policy, as JSON."""

    environment_definition: StrictOutput[str]
    """The environment's definition, as YAML."""

    environment_ref: StrictOutput[str]
    """The environment, `ORG/PROJECT/ENV`."""

    open_command: StrictOutput[str]
    """The command that opens the environment and shows the credentials."""

    @overload
    def __init__(self, name: str, args: PulumiEscOidcArgs, opts: pulumi.ResourceOptions | None = None) -> None: ...
    @overload
    def __init__(
        self, name: str, *, opts: pulumi.ResourceOptions | None = None, **inputs: Unpack[PulumiEscOidcArgs]
    ) -> None: ...
    # Pulumi's analyzer reads the inputs from the annotation of `args`, and does not take Optional there.
    def __init__(
        self,
        name: str,
        args: PulumiEscOidcArgs = cast("PulumiEscOidcArgs", None),  # noqa: B008 - a cast does nothing
        opts: pulumi.ResourceOptions | None = None,
        **inputs: Any,
    ) -> None:
        plan = planned(parse_environment, PulumiEscOidcArgs, type(self), name, args, inputs)
        super().__init__("esc-oidc:index:PulumiEscOidc", name, None, opts)
        plan.warn(self)

        role = declare_role(self, name, plan)
        self.oidc_provider_arn = role.provider_arn
        self.trust_policy = role.trust_policy
        self.role_name = role.name
        self.role_arn = role.arn
        self.environment_ref = strict(self._environment(name, plan))
        self._on_demand = {
            "audience": lambda: plan.output(lambda plan: plan.audience),
            "subjects": lambda: plan.output(lambda plan: plan.trust.all_subjects),
            "environment_definition": lambda: plan.combine(self.role_arn, _definition),
            "open_command": lambda: self.environment_ref.apply(lambda ref: f"pulumi env open {ref}"),
        }
        # The policy and the definition stand in the children's state already.
        self.register_outputs(
            {
                "oidcProviderArn": self.oidc_provider_arn,
                "roleArn": self.role_arn,
                "roleName": self.role_name,
                "audience": plan.take(lambda plan: plan.audience),
                "subjects": plan.take(lambda plan: plan.trust.all_subjects),
                "environmentRef": self.environment_ref,
            }
        )

    def _environment(self, name: str, plan: Planned[EnvironmentPlan]) -> pulumi.Output[str]:
        """Declares the environment, unless somebody else owns it, and says where it is."""
        if not plan.now.create_environment:
            return plan.output(lambda plan: plan.environment_ref)
        environment = pulumiservice.Environment(
            f"{name}-environment",
            organization=plan.take(lambda plan: plan.organization),
            project=plan.take(lambda plan: plan.project),
            name=plan.take(lambda plan: plan.environment),
            yaml=plan.combine(self.role_arn, lambda plan, arn: pulumi.StringAsset(_definition(plan, arn))),
            opts=pulumi.ResourceOptions(parent=self),
        )
        title = plan.title

        def written(plan: EnvironmentPlan, revision: int | None) -> str:
            # The provider's update swallows HTTP errors and then reports revision 0; mocks report none at all.
            if revision == 0:
                rule = "Pulumi Cloud did not take the new definition, although its provider reported success."
                fix = "Run `pulumi refresh`, then `pulumi up`."
                raise InvalidInputs(title, [Violation("environment", plan.environment_ref, rule, fix)])
            return plan.environment_ref

        return plan.combine(environment.revision, written)


def _definition(plan: EnvironmentPlan, role_arn: str) -> str:
    # Mocks may answer without an ARN: then the definition has none.
    return environment_definition(plan.login, role_arn or "")
