"""What the checked inputs of PulumiDeploymentsOidc come to: everything its resources need."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from .deployment_relations import DEPLOYMENT_RELATIONS
from .deployment_subjects import declared_deployment_trust
from .deployment_warnings import deployment_warnings
from .fields import DEPLOYMENT_FIELDS
from .plan import RolePlan, role_plan, violations_of, with_defaults
from .violations import Violation

DEPLOYMENT_DEFAULTS: Final[Mapping[str, Any]] = {
    "duration": "1h",
    "session_name": "pulumi-deploy",
    "dangerously_allow_any_stack_in_project": False,
    "retain_oidc_provider": False,
    "force_detach_policies": False,
    "manage_deployment_settings": False,
}
"""What an input is when it is not given. `issuer` and `operations` have theirs in `claims`; the others have none."""


@dataclass(frozen=True)
class DeploymentPlan(RolePlan):
    """Everything that the provider, the role and the deployment settings need but what AWS alone knows."""

    def operation_context(self, role_arn: str) -> dict[str, Any]:
        """The deployment settings' ``operationContext``, with the names that every Pulumi language puts on the wire.

        Source: https://www.pulumi.com/registry/packages/pulumiservice/api-docs/deploymentsettings/
        """
        session = {
            "roleARN": role_arn,
            "sessionName": self.inputs["session_name"],
            "duration": self.inputs["duration"],
            "policyARNs": list(self.inputs.get("session_policy_arns", ())),
        }
        return {"oidc": {"aws": {key: value for key, value in session.items() if value}}}


def check_deployment(name: str, given: Mapping[str, Any]) -> list[Violation]:
    """Everything that is wrong with the inputs of the PulumiDeploymentsOidc of this name; see `violations_of`."""
    return violations_of(DEPLOYMENT_FIELDS, DEPLOYMENT_RELATIONS, name, given)


def plan_deployment(given: Mapping[str, Any]) -> DeploymentPlan:
    """What inputs of PulumiDeploymentsOidc without a violation come to."""
    inputs = with_defaults(DEPLOYMENT_DEFAULTS, given)
    return DeploymentPlan(**vars(role_plan(inputs, declared_deployment_trust(inputs), deployment_warnings(inputs))))
