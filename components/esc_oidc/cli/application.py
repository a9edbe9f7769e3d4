"""The subcommands and their options. Exit status: 0 good, 1 refused or findings, 2 wrong use or unreadable input."""

from pathlib import Path
from typing import Annotated

import typer

from .output import Format, fail
from .trying import try_program

app = typer.Typer(
    help="Short-lived AWS credentials for Pulumi ESC: see who gets in.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

FormatOption = Annotated[Format, typer.Option("--format", help="Text for people, JSON for programs.")]


@app.callback()
def _esc_oidc() -> None:
    """Short-lived AWS credentials for Pulumi ESC: see who gets in."""


@app.command("try")
def _try(
    directory: Annotated[Path, typer.Argument(help="The Pulumi program: the folder with Pulumi.yaml.")] = Path(),
    stack: Annotated[str | None, typer.Option(help="The stack; `sandbox`, else the only one configured.")] = None,
    config: Annotated[list[str] | None, typer.Option(help="KEY=VALUE in place of the stack's configuration.")] = None,
    seed: Annotated[Path | None, typer.Option(help="What exists before; sandbox.yaml of the program, if any.")] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Deploy a program to a sandbox on this machine and show who gets in and who does not."""
    overrides = {}
    for pair in config or ():
        key, equals, value = pair.partition("=")
        if not key or not equals:
            fail(f"--config {pair!r}: write KEY=VALUE, as in --config environment=prod.")
        overrides[key] = value
    raise typer.Exit(try_program(directory, stack, overrides, seed, output))
