"""The stack of this repository: its files, and its program as Pulumi's language host runs it."""

import json
import re
import runpy
import shlex
from collections.abc import Collection
from dataclasses import dataclass, field
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


def run_stack(config: dict[str, Any], organization: str | None = None, secrets: Collection[str] = ()) -> Deployed:
    """Deploys the stack with this configuration, with keys without their namespace. These keys are secrets."""

    def program() -> dict[str, Any]:
        runpy.run_path(str(ROOT), run_name="__main__")
        return get_root_resource().outputs

    return deploy(
        program,
        config={key: as_configured(value) for key, value in config.items()},
        secrets=secrets,
        organization=organization,
    )


@dataclass
class StackFile:
    """A stack's configuration, changed as `pulumi config` changes it: tests/engine/test_newcomers.py runs the real one.

    Attributes:
        config: The values, by key.
        secrets: The keys that are secrets.
    """

    config: dict[str, Any]
    secrets: set[str] = field(default_factory=set)

    def run(self, command: str) -> None:
        """Run `pulumi config set` or `pulumi config rm`. Whoever is asked for a value types `VALUE`."""
        program, config, verb, *words = shlex.split(command)
        assert (program, config) == ("pulumi", "config")
        options = {word for word in words if word.startswith("--")}
        key, *value = [word for word in words if word not in options | {"string"}]
        text = value[0] if value else "VALUE"
        name, *places = re.split(r"[.\[]", key) if "--path" in options else [key]
        if verb == "rm":
            del self.config[name]
        elif places and places[0].endswith("]"):
            index, before = int(places[0][:-1]), self.config.get(name)
            items = before if isinstance(before, list) else []
            retyped = int(text) if text.isdecimal() and "--type" not in options else text
            self.config[name] = [*items[:index], retyped, *items[index + 1 :]]
        else:
            self.config[name] = {places[0]: text} if places else text
        (self.secrets.add if "--secret" in options else self.secrets.discard)(name)


def definition(deployed: Deployed) -> Any:
    """The definition of the environment that was declared."""
    return yaml.safe_load(deployed.one("Environment").inputs["yaml"]["text"])


def described(resource: Registration) -> tuple[str, str, bool, dict[str, Any]]:
    """A resource as it was registered; a flag that is false counts as missing."""
    inputs = {key: value for key, value in resource.inputs.items() if value is not False}
    return resource.type, resource.name, resource.request.retainOnDelete, inputs
