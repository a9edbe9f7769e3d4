"""Live accounts, read only: Pulumi Cloud's environments, and the roles and providers in AWS that they name."""

from .aws import AwsAccounts, LiveProvider, LiveRole, Unreadable
from .cloud import Account, CloudError, Grant, PulumiCloud, access_of

__all__ = [
    "Account",
    "AwsAccounts",
    "CloudError",
    "Grant",
    "LiveProvider",
    "LiveRole",
    "PulumiCloud",
    "Unreadable",
    "access_of",
]
