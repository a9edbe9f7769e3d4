"""What a user may pass: raw inputs come to either all violations, at once, or one frozen, typed plan."""

from .deployments import DeploymentPlan, parse_deployments
from .environment import EnvironmentPlan, parse_environment
from .parsing import Argument, NotKnownYetError, Parsed, arguments_of, depends_on_output
from .role import RolePlan
from .values import Form, environment_part, iac_project, issuer, organization, project, stack
from .violations import LATER, SECRET, Problem, Violation, without

__all__ = [
    "LATER",
    "SECRET",
    "Argument",
    "DeploymentPlan",
    "EnvironmentPlan",
    "Form",
    "NotKnownYetError",
    "Parsed",
    "Problem",
    "RolePlan",
    "Violation",
    "arguments_of",
    "depends_on_output",
    "environment_part",
    "iac_project",
    "issuer",
    "organization",
    "parse_deployments",
    "parse_environment",
    "project",
    "stack",
    "without",
]
