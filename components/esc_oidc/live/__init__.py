"""Live accounts, read only: Pulumi Cloud's environments, and the roles and providers in AWS that they name."""

from .admission import Reason, provider_arn_of
from .adoption import Adoption, Existing, NotAdoptable, Wishes, adopt, find_login, role_arn_of
from .aws import AwsAccounts, LiveProvider, LiveRole, RoleDetails, Unreadable
from .cloud import Account, CloudError, Grant, PulumiCloud, access_of
from .contents import AdoptedEnvironment, Change
from .diagnosis import Diagnosis, Doctor, Target, Way
from .environments import Environments, HeldLogin, Obstacle
from .examination import Examination, Reach, RoleExamination, RoleFindings, examine, examine_role
from .importing import BadImportFile, check_depth, filled_in, project_files, replace_file, resources, write_folder
from .repairs import Repair

__all__ = [
    "Account",
    "AdoptedEnvironment",
    "Adoption",
    "AwsAccounts",
    "BadImportFile",
    "Change",
    "CloudError",
    "Diagnosis",
    "Doctor",
    "Environments",
    "Examination",
    "Existing",
    "Grant",
    "HeldLogin",
    "LiveProvider",
    "LiveRole",
    "NotAdoptable",
    "Obstacle",
    "PulumiCloud",
    "Reach",
    "Reason",
    "Repair",
    "RoleDetails",
    "RoleExamination",
    "RoleFindings",
    "Target",
    "Unreadable",
    "Way",
    "Wishes",
    "access_of",
    "adopt",
    "check_depth",
    "examine",
    "examine_role",
    "filled_in",
    "find_login",
    "project_files",
    "provider_arn_of",
    "replace_file",
    "resources",
    "role_arn_of",
    "write_folder",
]
