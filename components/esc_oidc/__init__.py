"""Short-lived AWS credentials for Pulumi ESC and Pulumi Deployments over OpenID Connect."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .component import PulumiEscOidc, PulumiEscOidcArgs
    from .deployments import PulumiDeploymentsOidc, PulumiDeploymentsOidcArgs
    from .errors import InvalidInputs

__all__ = [
    "InvalidInputs",
    "PulumiDeploymentsOidc",
    "PulumiDeploymentsOidcArgs",
    "PulumiEscOidc",
    "PulumiEscOidcArgs",
]

_ROOMS = {
    "InvalidInputs": ".errors",
    "PulumiDeploymentsOidc": ".deployments",
    "PulumiDeploymentsOidcArgs": ".deployments",
    "PulumiEscOidc": ".component",
    "PulumiEscOidcArgs": ".component",
}


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


if not TYPE_CHECKING:  # else a misspelled name would have a type

    def __getattr__(name: str) -> object:
        """A public name, from the room that has it: only programs that use the components wait for Pulumi."""
        if name not in _ROOMS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
        globals()[name] = getattr(import_module(_ROOMS[name], __name__), name)
        return globals()[name]
