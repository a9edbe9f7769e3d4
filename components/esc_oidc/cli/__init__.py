"""The command esc-oidc. Each subcommand imports what it needs when it runs."""

import sys
from typing import Final

_EXTRAS: Final = {
    "cli": {"boto3", "botocore", "jwt", "rich", "typer"},
    "sandbox": {"cryptography", "flask", "flask_cors", "jsonschema", "moto", "werkzeug"},
}
"""Which extra has which package."""


def main() -> None:
    """Run the command; where a package of an extra is missing, say how to get it."""
    try:
        from .application import app  # noqa: PLC0415 - typer and rich are an extra

        app(prog_name="esc-oidc")
    except ModuleNotFoundError as error:
        root = (error.name or "").partition(".")[0]
        extra = next((extra for extra, packages in _EXTRAS.items() if root in packages), None)
        if extra is None:
            raise
        extras = "cli" if extra == "cli" and not {"try", "sandbox"}.intersection(sys.argv[1:2]) else "cli,sandbox"
        sys.stderr.write(f"esc-oidc: this needs {root}, which is not installed: pip install 'esc-oidc[{extras}]'\n")
        sys.exit(2)
