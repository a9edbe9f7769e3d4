"""What a user may pass: every violation is found, at once, and good inputs come to a plan."""

from .deployment_plan import DEPLOYMENT_DEFAULTS, DeploymentPlan, check_deployment, plan_deployment
from .examination import depends_on_output
from .fields import DEPLOYMENT_FIELDS, ENVIRONMENT_FIELDS
from .formats import provider_arn_parts
from .limits import policy_limit
from .plan import DEFAULTS, EnvironmentPlan, RolePlan, check, plan
from .violations import LATER, SECRET, Violation, without
from .warnings import size_warning

__all__ = [
    "DEFAULTS",
    "DEPLOYMENT_DEFAULTS",
    "DEPLOYMENT_FIELDS",
    "ENVIRONMENT_FIELDS",
    "LATER",
    "SECRET",
    "DeploymentPlan",
    "EnvironmentPlan",
    "RolePlan",
    "Violation",
    "check",
    "check_deployment",
    "depends_on_output",
    "plan",
    "plan_deployment",
    "policy_limit",
    "provider_arn_parts",
    "size_warning",
    "without",
]
