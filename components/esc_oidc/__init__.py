"""Short-lived AWS credentials for Pulumi ESC over OpenID Connect."""

from .args import PulumiEscOidcArgs
from .component import PulumiEscOidc
from .errors import InvalidInputs

__all__ = ["InvalidInputs", "PulumiEscOidc", "PulumiEscOidcArgs"]
