import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from esc_oidc.cli.application import app

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "trust.md").read_text()
TRANSCRIPTS = [block.split("\n", 1) for block in re.findall(r"```console\n\$ esc-oidc (.*?)```", PAGE, re.DOTALL)]


@pytest.mark.parametrize(("command", "printed"), TRANSCRIPTS, ids=[command for command, _ in TRANSCRIPTS])
def test_the_transcripts_are_real(command, printed, monkeypatch):
    """Each command on the page prints to the letter what the page says it prints."""
    monkeypatch.chdir(DOCS / "refusals")
    result = CliRunner().invoke(app, shlex.split(command))
    assert result.stdout == printed
    assert result.exit_code == 1


def test_there_are_three_refusals():
    """Three transcripts of `explain`, each another kind of refusal."""
    explained = [printed for command, printed in TRANSCRIPTS if command.startswith("explain")]
    assert len({tuple(line[10:].strip() for line in printed.splitlines()[1:4]) for printed in explained}) == 3


def test_the_program_on_the_page_runs(monkeypatch, capsys):
    """What a reader copies answers what the page is about."""
    monkeypatch.chdir(DOCS / "refusals")
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(program, {})  # noqa: S102 - our own page
    assert capsys.readouterr().out == "True ['admits-strangers', 'organization-wide']\n"
