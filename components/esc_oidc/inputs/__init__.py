"""What a user may pass: every violation is found, at once, and good inputs come to a plan."""

from .fields import ENVIRONMENT_FIELDS
from .formats import provider_arn_parts
from .limits import policy_limit
from .plan import DEFAULTS, EnvironmentPlan, RolePlan, check, plan
from .violations import LATER, SECRET, Violation
from .warnings import size_warning

__all__ = [
    "DEFAULTS",
    "ENVIRONMENT_FIELDS",
    "LATER",
    "SECRET",
    "EnvironmentPlan",
    "RolePlan",
    "Violation",
    "check",
    "plan",
    "policy_limit",
    "provider_arn_parts",
    "size_warning",
]
