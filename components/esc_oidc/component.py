"""The component: wiring only. What the inputs mean is in `inputs`, who gets in is in `trust`."""

import inspect
from collections.abc import Mapping
from typing import Any, Unpack, cast, overload

import pulumi
import pulumi_pulumiservice as pulumiservice

from .args import PulumiEscOidcArgs
from .environment import environment_definition
from .errors import InvalidInputs
from .inputs import EnvironmentPlan, Violation, check, plan
from .outputs import OutputsOnDemand
from .planning import Planned, Rules, given_inputs, planned, title
from .role import RoleDeclaration

_RULES = Rules(check, plan)


class PulumiEscOidc(OutputsOnDemand):
    """Short-lived AWS credentials for a Pulumi ESC environment, over OpenID Connect.

    Creates or adopts the IAM OIDC provider, and creates the IAM role whose trust policy admits exactly the tokens you
    declare and the ESC environment whose login asks for exactly those tokens. Invalid inputs raise InvalidInputs, which
    lists every violation, before anything is registered.
    """

    # Before Python 3.13 a docstring keeps its indentation, which the schema would show as a block of code.
    __doc__ = inspect.cleandoc(__doc__)

    oidc_provider_arn: pulumi.Output[str]
    """The ARN of the IAM OIDC provider, created or adopted."""

    role_arn: pulumi.Output[str]
    """The ARN of the IAM role."""

    role_name: pulumi.Output[str]
    """The name of the IAM role, for attaching further policies."""

    audience: pulumi.Output[str]
    """The audience, `aud`, that the role admits."""

    subjects: pulumi.Output[list[str]]
    """The subjects, `sub`, that the role admits; `*` stands for any run of characters."""

    trust_policy: pulumi.Output[str]
    """The role's trust policy, as JSON."""

    environment_definition: pulumi.Output[str]
    """The environment's definition, as YAML."""

    environment_ref: pulumi.Output[str]
    """The full name of the environment, `ORG/PROJECT/ENV`."""

    open_command: pulumi.Output[str]
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
        given = given_inputs(title(type(self), name), args, inputs)
        plan = planned(title(type(self), name), name, given, _RULES)
        super().__init__("esc-oidc:index:PulumiEscOidc", name, None, opts)
        plan = plan.warned(self)

        declared = RoleDeclaration(self, name, given, plan)
        self.oidc_provider_arn = declared.provider_arn()
        self.trust_policy = declared.trust_policy(self.oidc_provider_arn)
        role = declared.role(self.trust_policy)
        self.role_name = role.name
        self.role_arn = declared.role_arn(role, self.oidc_provider_arn)
        self.environment_ref = self._environment_ref(name, given, plan)
        self._on_demand = {
            "audience": lambda: plan.output(lambda plan: plan.trust.audience),
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
                "audience": plan.take(lambda plan: plan.trust.audience),
                "subjects": plan.take(lambda plan: plan.trust.all_subjects),
                "environmentRef": self.environment_ref,
            }
        )

    def _environment_ref(
        self, name: str, given: Mapping[str, Any], plan: Planned[EnvironmentPlan]
    ) -> pulumi.Output[str]:
        """Declares the environment, unless somebody else owns it, and says where it is."""
        if given.get("create_environment") is False:
            return plan.output(lambda plan: plan.environment_ref)
        environment = pulumiservice.Environment(
            f"{name}-environment",
            organization=plan.take(lambda plan: plan.inputs["organization"]),
            project=plan.take(lambda plan: plan.inputs["project"]),
            name=plan.take(lambda plan: plan.inputs["environment"]),
            yaml=plan.combine(self.role_arn, lambda plan, arn: pulumi.StringAsset(_definition(plan, arn))),
            opts=pulumi.ResourceOptions(parent=self),
        )

        def written(plan: EnvironmentPlan, revision: int | None) -> str:
            # The provider's update swallows HTTP errors and then reports revision 0; mocks report none at all.
            if revision == 0:
                rule = "Pulumi Cloud did not take the new definition, and its provider reported success."
                fix = "Run `pulumi refresh`, then `pulumi up`."
                raise InvalidInputs(
                    title(type(self), name), [Violation("environment", plan.environment_ref, rule, fix)]
                )
            return plan.environment_ref

        return plan.combine(environment.revision, written)


def _definition(plan: EnvironmentPlan, role_arn: str) -> str:
    # Mocks may answer without an ARN: then the definition has none.
    return environment_definition(plan.login, role_arn or "")
