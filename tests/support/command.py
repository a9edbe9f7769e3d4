"""The command `esc-oidc`, run in this process as a shell runs it."""

import sys
from typing import Any

from click.testing import Result
from typer.testing import CliRunner

from esc_oidc.cli.application import app

SANDBOX = [sys.executable, "-c", "from esc_oidc.cli import main; main()", "sandbox"]
"""The same as a process of its own."""

PATIENCE = 300
"""Seconds that a process may take: the machine may be busy."""

NASTY = {
    "AWS_PROFILE": "prod",
    "AWS_DEFAULT_PROFILE": "prod",
    "AWS_ACCESS_KEY_ID": "AKIAREAL",
    "AWS_SESSION_TOKEN": "real",
    "AWS_ROLE_ARN": "arn:aws:iam::999999999999:role/real",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent",
    "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_IAM": "http://127.0.0.1:9",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "PULUMI_BACKEND_URL": "http://127.0.0.1:9",
    "PULUMI_ACCESS_TOKEN": "pul-real",
    "PULUMI_STACK": "prod",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "ALL_PROXY": "http://127.0.0.1:9",
}
"""What a user's shell may hold, and nothing in the sandbox may see."""


def esc_oidc(*arguments: Any, stdin: str | None = None) -> Result:
    """What the command prints, and the status it ends with."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)
