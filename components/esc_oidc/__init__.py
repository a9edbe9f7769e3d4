"""Short-lived AWS credentials for Pulumi ESC and Pulumi Deployments over OpenID Connect."""

from .args import PulumiEscOidcArgs
from .component import PulumiEscOidc
from .deployments import PulumiDeploymentsOidc
from .deployments_args import PulumiDeploymentsOidcArgs
from .errors import InvalidInputs

__all__ = [
    "InvalidInputs",
    "PulumiDeploymentsOidc",
    "PulumiDeploymentsOidcArgs",
    "PulumiEscOidc",
    "PulumiEscOidcArgs",
]
