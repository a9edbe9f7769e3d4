"""The HTTP side of Pulumi Cloud: access tokens, the OIDC issuer, and the REST calls that Pulumi's clients make."""

from .issuer import AwsLogin, Issuer
from .server import create_cloud
from .wire import AccessTokens, Caller

__all__ = ["AccessTokens", "AwsLogin", "Caller", "Issuer", "create_cloud"]
