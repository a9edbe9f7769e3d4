"""What the command prints: text for people, in colour only on a terminal, and JSON for programs."""

import json
import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import Console


class Format(StrEnum):
    """How results are printed."""

    TEXT = "text"
    JSON = "json"


class LintFormat(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Style:
    """How a command prints its results.

    Attributes:
        format: Text or JSON.
        quiet: Whether to print only what is wrong.
        verbose: Whether to print subjects, conditions and identities in full.
    """

    format: Format = Format.TEXT
    quiet: bool = False
    verbose: bool = False

    @property
    def is_text(self) -> bool:
        """Whether people read it."""
        return self.format is Format.TEXT


class LintStyle(NamedTuple):
    """How `lint` prints its results.

    Attributes:
        format: Text, JSON, SARIF or annotations for GitHub.
        quiet: Whether to print only what is wrong.
        verbose: Whether to print what is not about Pulumi Cloud, and what was passed over.
    """

    format: LintFormat = LintFormat.TEXT
    quiet: bool = False
    verbose: bool = False


def print_json(document: Any) -> None:
    """JSON for programs, whole and alone on standard output."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def console() -> "Console":
    """Standard output. Wrapping is left to `verdicts`: elsewhere ARNs and reasons can be copied and searched for."""
    from rich.console import Console  # noqa: PLC0415 - help and JSON do without

    return Console(file=sys.stdout, soft_wrap=True, highlight=False, markup=False, emoji=False)


def fail(message: str) -> NoReturn:
    """End because the command was used wrongly or its input cannot be read.

    Raises:
        typer.Exit: With status 2.
    """
    typer.echo(f"esc-oidc: {message}", err=True)
    raise typer.Exit(2)
