"""PulumiEscOidc: its inputs and its wiring. What the inputs come to is in `inputs`, who gets in is in `trust`."""

# No `from __future__ import annotations` here: Pulumi's analyzer reads the annotations themselves. The docstrings under
# inputs and outputs become the descriptions of the schema, for every Pulumi language.
import inspect
from typing import Any, NotRequired, TypedDict, Unpack, cast, overload

import pulumi
import pulumi_pulumiservice as pulumiservice

from .environment import environment_definition
from .inputs import ChildNames, EnvironmentPlan, Violation, parse_environment
from .planning import OutputsOnDemand, Planned, PolicyDocument, StrictOutput, planned
from .role import declare_role


class PulumiEscOidcArgs(TypedDict):
    """The inputs of PulumiEscOidc."""

    organization: pulumi.Input[str]
    """The organization's login, as in its console address `https://app.pulumi.com/LOGIN`; not its display name."""

    project: pulumi.Input[str]
    """The environment's ESC project. It has no default because the legacy project `default` changes the token."""

    environment: pulumi.Input[str]
    """The environment's name, without its project."""

    subject_attributes: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """The attributes that make up the token's subject, in the order you list them. Choose from
    `currentEnvironment.name`, `rootEnvironment.name`, `pulumi.user.login`, `pulumi.token.type` and
    `pulumi.token.team`. Default: `currentEnvironment.name`, then each attribute that an `allowed` input uses. A list
    you set must include every attribute that the `allowed` inputs use. An empty list gives the subject without
    attributes and requires `dangerouslyOmitCurrentEnvironment`."""

    allowed_environments: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """Other environments of the organization, each `PROJECT/ENV`, whose logins may also assume the role.
    Default: none; only this environment may. If this environment is in the legacy project `default`, they must be too;
    if it is not, none of them may be."""

    allowed_root_environments: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """The environments, each `PROJECT/ENV`, that may be opened to reach the login, by name or because they import it.
    Uses the attribute `rootEnvironment.name`. Default: any; if `subjectAttributes` lists that attribute, this
    environment and `allowedEnvironments`."""

    allowed_users: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """Logins of the people who may open the environment with personal access tokens. Uses the attribute
    `pulumi.user.login`, and `pulumi.token.type` if one is the organization's own name, as in an individual account. If
    either name is an output, list the attributes yourself for that. If you list users, teams and token types, any of
    them may open it. Default: anyone who may open the environment in Pulumi Cloud, unless `allowedTeams` or
    `allowedTokenTypes` is set."""

    allowed_teams: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """Teams whose team access tokens may open the environment. Uses the attribute `pulumi.token.team`. This does not
    admit the members of a team with their own tokens. Default: as for `allowedUsers`."""

    allowed_token_types: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """Types of access tokens that may open the environment: `personal`, `team`, `organization`. Uses the attribute
    `pulumi.token.type`. Default: as for `allowedUsers`."""

    dangerously_allow_any_environment_in_project: NotRequired[bool]
    """Admit every environment of this project, including any created later. Default: false."""

    dangerously_allow_any_environment: NotRequired[bool]
    """Admit every environment of the organization, including any created later. Default: false."""

    dangerously_omit_current_environment: NotRequired[bool]
    """Let `subjectAttributes` omit `currentEnvironment.name`. Anyone who may edit any environment can then name this
    role in it and wait for the right person to open it. Default: false."""

    dangerously_allow_any_stack_configuration: NotRequired[bool]
    """Admit the subject `<yaml>`. Without subject attributes, every environment of the organization has this subject
    when a stack's `environment:` list opens it. Default: false."""

    transitional_subjects: NotRequired[list[str]]
    """Exact subjects to admit as well while you change who gets in, at most 20, so that no login is refused meanwhile:
    first those that are to come, then those that were. They must be of this organization and of ESC. It
    warns as long as they are listed. Default: none."""

    oidc_provider_arn: NotRequired[pulumi.Input[str]]
    """The ARN of an existing IAM OIDC provider to adopt. The component never changes it, and refuses one that lacks
    the audience. AWS allows one provider per account and issuer. Default: the component creates it."""

    issuer: NotRequired[str]
    """The issuer that signs the tokens: `https://HOST/oidc` for a self-hosted Pulumi Cloud. Default: Pulumi Cloud,
    `https://api.pulumi.com/oidc`."""

    thumbprints: NotRequired[list[str]]
    """SHA-1 thumbprints of the issuer's certificate authority, at most 5, each 40 hexadecimal digits. Default: none;
    AWS checks the certificate against its own trust store."""

    additional_audiences: NotRequired[list[str]]
    """Further client IDs for the provider that the component creates, each `NAME` or `aws:NAME`. Default: none."""

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
    """How long the credentials stay valid, 15m to 12h, written like `1h30m`. Default: 1h."""

    session_name: NotRequired[str]
    """The session's name, shown in CloudTrail: 2 to 64 characters. `${context.pulumi.user.login}` becomes the login of
    whoever opens the environment. Default: `pulumi-esc`."""

    session_policy_arns: NotRequired[list[pulumi.Input[str]]]
    """ARNs of managed policies that narrow the session further, at most 10. They are part of the environment, so its
    editors can remove them; for a boundary, use `permissionsBoundaryArn`. Default: none."""

    create_environment: NotRequired[bool]
    """Whether to create the environment. If false, its owner creates it; the output `environmentDefinition` shows what
    it must contain. Default: true."""

    export_environment_variables: NotRequired[bool]
    """Whether the environment exports `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
    Default: true."""

    region: NotRequired[pulumi.Input[str]]
    """The AWS region, which the environment sets as `AWS_REGION` and as the Pulumi configuration `aws:region`.
    Default: none."""

    environment_variables: NotRequired[dict[str, pulumi.Input[str]]]
    """More environment variables for the environment to export, as ESC text: `${...}` refers to a value, and `$$` is a
    dollar sign. Secrets are refused, because readers of the environment would see them. Default: none."""

    pulumi_config: NotRequired[dict[str, pulumi.Input[str]]]
    """Pulumi configuration that the environment passes to stacks, as ESC text. A key may be a path into a map or a
    list, as for `pulumi config set --path`: `app:list[0]`, `app:map.key`, `app:map["a.b"]`. Secrets are refused.
    Default: none."""

    imports: NotRequired[list[str]]
    """Environments that this one imports, each `PROJECT/ENV` or, at one version, `PROJECT/ENV@VERSION`.
    Default: none."""

    tags: NotRequired[dict[str, pulumi.Input[str]]]
    """Tags for the provider and the role, at most 50. No two keys may differ only in case. Default: none."""


class PulumiEscOidc(OutputsOnDemand):
    """Short-lived AWS credentials for a Pulumi ESC environment, over OpenID Connect.

    Creates or adopts the IAM OIDC provider, and creates the IAM role whose trust policy admits exactly the tokens you
    declare and the ESC environment whose login asks for exactly those tokens. Invalid inputs raise InvalidInputs, which
    lists every violation, before anything is registered.
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
    """The audience, `aud`, that the role admits."""

    subjects: StrictOutput[list[str]]
    """The subjects, `sub`, that the inputs declare; `*` stands for any run of characters. The role admits them once
    `pulumi up` has updated it."""

    trust_policy: StrictOutput[str]
    """The role's trust policy, as JSON: what AWS has, also if `pulumi up --target` left the role alone."""

    environment_definition: StrictOutput[str]
    """The environment's definition, as the inputs declare it, as YAML."""

    environment_ref: StrictOutput[str]
    """The full name of the environment, `ORG/PROJECT/ENV`."""

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
        self.environment_ref = cast("StrictOutput[str]", self._environment(name, plan))
        seen = plan.seen
        self._on_demand = {
            "audience": lambda: pulumi.Output.from_input(seen.audience),
            "subjects": lambda: pulumi.Output.from_input(seen.subjects),
            "environment_definition": lambda: plan.combine(self.role_arn, _definition),
            "open_command": lambda: self.environment_ref.apply(lambda ref: f"pulumi env open {ref}"),
        }
        # The policy and the definition stand in the children's state already.
        self.register_outputs(
            {
                "oidcProviderArn": self.oidc_provider_arn,
                "roleArn": self.role_arn,
                "roleName": self.role_name,
                "audience": seen.audience,
                "subjects": seen.subjects,
                "environmentRef": self.environment_ref,
            }
        )

    def _environment(self, name: str, plan: Planned[EnvironmentPlan]) -> pulumi.Output[str]:
        """Declares the environment, unless somebody else owns it, and says where it is."""
        if not plan.now.create_environment:
            return pulumi.Output.from_input(plan.seen.environment_ref)
        environment = pulumiservice.Environment(
            ChildNames(name).environment,
            organization=plan.seen.organization,
            project=plan.seen.project,
            name=plan.seen.environment,
            yaml=plan.combine(self.role_arn, lambda plan, arn: pulumi.StringAsset(_definition(plan, arn))),
            opts=pulumi.ResourceOptions(parent=self),
        )
        if pulumi.runtime.is_dry_run():
            # Nothing is written, and the reference is known all the same.
            return pulumi.Output.all(plan.seen.environment_ref, environment.urn).apply(
                lambda both: cast("str", both[0])
            )

        def written(now: EnvironmentPlan, revision: int | None) -> str:
            # The provider's update swallows HTTP errors and then reports revision 0; mocks report none at all.
            if revision == 0:
                rule = "Pulumi Cloud did not take the new definition, although its provider reported success."
                fix = "Run `pulumi refresh`, then `pulumi up`."
                plan.refuse(Violation("environment", now.environment_ref, rule, fix))
            return now.environment_ref

        return plan.combine(environment.revision, written)


def _definition(plan: EnvironmentPlan, role_arn: object) -> str:
    # Mocks may answer with anything: then the definition has no ARN.
    return environment_definition(plan.login, role_arn if isinstance(role_arn, str) else "")
