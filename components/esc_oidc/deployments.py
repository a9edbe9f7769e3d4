"""The component for Pulumi Deployments: wiring only. What the inputs mean is in `inputs`, who gets in is in `trust`."""

import inspect
from collections.abc import Mapping
from typing import Any, Unpack, cast, overload

import pulumi
import pulumi_pulumiservice as pulumiservice

from .deployments_args import PulumiDeploymentsOidcArgs
from .inputs import DeploymentPlan, check_deployment, plan_deployment
from .outputs import OutputsOnDemand
from .planning import Planned, Rules, given_inputs, planned, title
from .role import RoleDeclaration

_RULES = Rules(check_deployment, plan_deployment)


class PulumiDeploymentsOidc(OutputsOnDemand):
    """Short-lived AWS credentials for Pulumi Deployments, over OpenID Connect.

    Creates or adopts the IAM OIDC provider, and creates the IAM role whose trust policy admits exactly the stacks and
    operations you name. The output `operationContext` is what the stacks' deployment settings need. Invalid inputs
    raise InvalidInputs, which lists every violation, before anything is registered.
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
    """The audience, `aud`, that the role admits: the organization's login. ESC's legacy project `default` has
    the same audience; the subjects tell the two apart."""

    subjects: pulumi.Output[list[str]]
    """The subjects, `sub`, that the role admits; `*` stands for any run of characters."""

    trust_policy: pulumi.Output[str]
    """The role's trust policy, as JSON."""

    operation_context: pulumi.Output[dict[str, Any]]
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
        given = given_inputs(title(type(self), name), args, inputs)
        plan = planned(title(type(self), name), name, given, _RULES)
        super().__init__("esc-oidc:index:PulumiDeploymentsOidc", name, None, opts)
        plan = plan.warned(self)

        declared = RoleDeclaration(self, name, given, plan)
        self.oidc_provider_arn = declared.provider_arn()
        self.trust_policy = declared.trust_policy(self.oidc_provider_arn)
        role = declared.role(self.trust_policy)
        self.role_name = role.name
        self.role_arn = declared.role_arn(role, self.oidc_provider_arn)
        self.operation_context = plan.combine(self.role_arn, DeploymentPlan.operation_context)
        if given.get("manage_deployment_settings"):
            self._deployment_settings(name, given, plan)
        self._on_demand = {
            "audience": lambda: plan.output(lambda plan: plan.trust.audience),
            "subjects": lambda: plan.output(lambda plan: plan.trust.all_subjects),
        }
        # The policy stands in the role's state already.
        self.register_outputs(
            {
                "oidcProviderArn": self.oidc_provider_arn,
                "roleArn": self.role_arn,
                "roleName": self.role_name,
                "audience": plan.take(lambda plan: plan.trust.audience),
                "subjects": plan.take(lambda plan: plan.trust.all_subjects),
                "operationContext": self.operation_context,
            }
        )

    def _deployment_settings(self, name: str, given: Mapping[str, Any], plan: Planned[DeploymentPlan]) -> None:
        """Declares the settings of each named stack, with the login to AWS and nothing else."""
        child = pulumi.ResourceOptions(parent=self)
        for index, stack in enumerate(given["stacks"]):
            pulumiservice.DeploymentSettings(
                f"{name}-settings-{stack if isinstance(stack, str) else index}",
                organization=plan.take(lambda plan: plan.inputs["organization"]),
                project=plan.take(lambda plan: plan.inputs["project"]),
                stack=plan.item("stacks", index),
                operation_context=self.operation_context,  # type: ignore[arg-type] # a dict with the wire's own names
                opts=child,
            )
