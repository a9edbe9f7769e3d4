"""Live accounts, read only: Pulumi Cloud's environments, and the roles and providers in AWS that they name."""

from .aws import AwsAccounts, LiveProvider, LiveRole, RoleDetails, Unreadable
from .cloud import Account, CloudError, Grant, PulumiCloud, access_of
from .diagnosis import Diagnosis, Doctor, Target, Way
from .environments import Environments, HeldLogin, Obstacle
from .examination import Examination, Reach, RoleExamination, RoleFindings, examine, examine_role
from .repairs import Repair

__all__ = [
    "Account",
    "AwsAccounts",
    "CloudError",
    "Diagnosis",
    "Doctor",
    "Environments",
    "Examination",
    "Grant",
    "HeldLogin",
    "LiveProvider",
    "LiveRole",
    "Obstacle",
    "PulumiCloud",
    "Reach",
    "Repair",
    "RoleDetails",
    "RoleExamination",
    "RoleFindings",
    "Target",
    "Unreadable",
    "Way",
    "access_of",
    "examine",
    "examine_role",
]
