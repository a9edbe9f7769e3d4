"""The stack of this repository: its files, and its program as Pulumi's language host runs it."""

import json
import runpy
from pathlib import Path
from typing import Any

import yaml
from pulumi.runtime.settings import get_root_resource

from esc_oidc import PulumiEscOidcArgs
from tests.support.deploying import Deployed, Registration, deploy
from tests.support.inputs import camel_case

ROOT = Path(__file__).parents[2]
PROJECT = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
SANDBOX = yaml.safe_load((ROOT / "Pulumi.sandbox.yaml").read_text(encoding="utf-8"))
REQUIRED = {"organization": "contoso", "project": "aws", "environment": "dev"}
INPUTS = {camel_case(name): name for name in PulumiEscOidcArgs.__annotations__}


def as_configured(value: Any) -> str:
    """A value of a stack's file as the engine passes it to the program: a text, or JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def run_stack(config: dict[str, Any], organization: str | None = None) -> Deployed:
    """Deploys the stack with this configuration, with keys without their namespace."""

    def program() -> dict[str, Any]:
        runpy.run_path(str(ROOT), run_name="__main__")
        return get_root_resource().outputs

    return deploy(
        program,
        config={key: as_configured(value) for key, value in config.items()},
        organization=organization,
    )


def definition(deployed: Deployed) -> Any:
    """The definition of the environment that was declared."""
    return yaml.safe_load(deployed.one("Environment").inputs["yaml"]["text"])


def described(resource: Registration) -> tuple[str, str, bool, dict[str, Any]]:
    """A resource as it was registered; a flag that is false counts as missing."""
    inputs = {key: value for key, value in resource.inputs.items() if value is not False}
    return resource.type, resource.name, resource.request.retainOnDelete, inputs
