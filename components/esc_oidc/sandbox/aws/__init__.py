"""The sandbox's AWS: moto's server behind a layer that does what moto leaves out of IAM and STS."""

from .accounts import FIRST_ACCOUNT, Accounts, lease
from .server import Aws
from .sts import WebIdentity

__all__ = ["FIRST_ACCOUNT", "Accounts", "Aws", "WebIdentity", "lease"]
