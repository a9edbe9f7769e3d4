"""The command esc-oidc."""

import sys


def main() -> None:
    """Run the command; without the extra that it needs, say how to get it."""
    try:
        from .application import app  # noqa: PLC0415 - typer and rich are an extra
    except ModuleNotFoundError as error:
        sys.exit(f"esc-oidc: {error.name} is missing: pip install 'esc-oidc[cli]'")
    app(prog_name="esc-oidc")
