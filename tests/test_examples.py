from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from esc_oidc.cli.application import app

EXAMPLES = sorted(path.parent for path in (Path(__file__).parents[1] / "examples").glob("*/__main__.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_the_example_does_what_it_says_in_the_sandbox(example):
    """Whoever is declared gets in, nobody else does, and the sandbox knew everything that was declared."""
    result = CliRunner().invoke(app, ["try", str(example)])
    assert result.exit_code == 0, result.output
    assert "Who is declared got in, and nobody else" in result.stdout
    assert "echoed" not in result.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_the_example_is_a_whole_program(example):
    """It has a project file with its folder's name, its requirements, a README and a stack for the sandbox."""
    project = yaml.safe_load((example / "Pulumi.yaml").read_text())
    assert project["name"] == example.name
    assert project["description"]
    assert (example / "requirements.txt").read_text() == "esc-oidc>=0.1,<1\n"
    assert (example / "README.md").read_text().startswith("# ")
    assert (example / "Pulumi.sandbox.yaml").exists()


def test_several_environments_share_one_provider():
    """The second program of the README: two roles, one provider, and operators get in by this environment only."""
    result = CliRunner().invoke(app, ["try", str(EXAMPLES[0].parent / "several-environments")])
    assert result.stdout.count("+ aws:iam/openIdConnectProvider:") == 1
    assert result.stdout.count("+ aws:iam/role:Role") == 2
    assert "refused   carol opens contoso/aws/esc-oidc-try-imports" in result.stdout


def test_an_adopted_provider_is_not_created():
    """The third: the account's own provider is trusted, and none is made."""
    result = CliRunner().invoke(app, ["try", str(EXAMPLES[0].parent / "adopted-provider")])
    assert "+ aws:iam/openIdConnectProvider:" not in result.stdout
