"""What a user may pass: raw inputs come to either all violations, at once, or one frozen, typed plan."""

from .deployments import DeploymentPlan, parse_deployments
from .environment import EnvironmentPlan, parse_environment
from .parsing import Argument, Kind, NotKnownYetError, Parsed, arguments_of, recorded
from .policies import written
from .role import CREATED_BY, ChildNames, RolePlan, attachment_name
from .values import Form, environment_part, iac_project, issuer, organization, project, stack
from .violations import (
    LATER,
    SECRET,
    TOO_DEEP,
    UNREADABLE,
    Problem,
    Secrets,
    Violation,
    listed,
    nearest,
    printable,
    shown,
)

__all__ = [
    "CREATED_BY",
    "LATER",
    "SECRET",
    "TOO_DEEP",
    "UNREADABLE",
    "Argument",
    "ChildNames",
    "DeploymentPlan",
    "EnvironmentPlan",
    "Form",
    "Kind",
    "NotKnownYetError",
    "Parsed",
    "Problem",
    "RolePlan",
    "Secrets",
    "Violation",
    "arguments_of",
    "attachment_name",
    "environment_part",
    "iac_project",
    "issuer",
    "listed",
    "nearest",
    "organization",
    "parse_deployments",
    "parse_environment",
    "printable",
    "project",
    "recorded",
    "shown",
    "stack",
    "written",
]
