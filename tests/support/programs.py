"""Programs that declare one component and return all its outputs, for `deploy`."""

from collections.abc import Callable, Mapping
from typing import Any

import pulumi

from esc_oidc import PulumiDeploymentsOidc, PulumiEscOidc

ESC: dict[str, Any] = {"organization": "contoso", "project": "aws", "environment": "dev"}
DEPLOYMENTS: dict[str, Any] = {"organization": "contoso", "project": "core", "stacks": ["dev"]}
"""The least that each component takes."""

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
BILLING = "arn:aws:iam::aws:policy/job-function/Billing"
INLINE = '{"Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}'
"""An inline policy."""

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What stands for a value that a preview does not know."""

SECRET_KEY, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
"""The key that marks a wrapped value, and what it holds for a secret."""

Program = Callable[[], Mapping[str, Any]]
Options = Callable[[], pulumi.ResourceOptions]


def esc_login(name: str = "esc", opts: Options | None = None, **inputs: Any) -> Program:
    """A program with one PulumiEscOidc; an input that is a function is called when the program runs."""
    return _declares(PulumiEscOidc, name, opts, ESC | inputs)


def deployments_login(name: str = "dep", opts: Options | None = None, **inputs: Any) -> Program:
    """The same with one PulumiDeploymentsOidc; `...` leaves an input out."""
    return _declares(PulumiDeploymentsOidc, name, opts, DEPLOYMENTS | inputs)


def _declares(component: Any, name: str, opts: Options | None, inputs: Mapping[str, Any]) -> Program:
    def program() -> Mapping[str, Any]:
        given = {key: value() if callable(value) else value for key, value in inputs.items() if value is not ...}
        made = component(name, opts=opts() if opts else None, **given)
        return {output: getattr(made, output) for output in component.__annotations__}

    return program
