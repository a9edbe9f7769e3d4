import json
import re
from pathlib import Path

import pytest
import yaml
from pulumi.provider.experimental.component import ComponentProvider

from tests.support.command import esc_oidc
from tests.support.plugin import hosted
from tests.support.workspaces import copied, edit

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/__main__.py"))

REQUIREMENTS = {"one-environment": "esc-oidc @ git+https://github.com/OWNER/REPO"}
"""`pulumi new` copies the template out of the repository; the others install the package from the clone."""


BEFORE = {"consumer": [ROOT / "examples" / "one-environment"]}
"""What has to be deployed first: the consumer's stack lists an environment, which the other one makes."""


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_the_example_does_what_it_says_in_the_sandbox(example):
    """Everyone declared gets in, nobody else does, and the sandbox knows every kind of resource in it."""
    result = esc_oidc("try", *BEFORE.get(example.name, ()), example)
    assert result.exit_code == 0, result.output
    assert "Everyone declared was admitted, and nobody else" in result.stdout
    assert "echoed" not in result.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_the_example_is_a_complete_program(example):
    """It has a project file named after its folder, requirements, a README and a stack for the sandbox."""
    project = yaml.safe_load((example / "Pulumi.yaml").read_text())
    assert project["name"] == example.name
    assert project["description"]
    assert (example / "requirements.txt").read_text().splitlines()[-1] == REQUIREMENTS.get(example.name, "-e ../..")
    assert (example / "README.md").read_text().startswith("# ")
    assert (example / "Pulumi.sandbox.yaml").exists()


@pytest.mark.parametrize("readme", sorted((ROOT / "examples").glob("*/README.md")), ids=lambda path: path.parent.name)
def test_the_readme_sets_keys_that_the_program_reads(readme):
    """The program or its project file names every configuration key in the commands."""
    keys = re.findall(r"pulumi config set (?:--path ')?([\w:]+)", readme.read_text())
    files = [path for path in readme.parent.iterdir() if path.is_file() and path != readme]
    program = "".join(path.read_text() for path in files)
    assert [key for key in keys if not re.search(rf"\b{key.removeprefix('aws:')}\b", program)] == []


def test_several_environments_share_one_provider():
    """There are two roles and one provider, and operators get in only by opening the environment itself."""
    result = esc_oidc("try", EXAMPLES[0].parent / "several-environments")
    assert result.stdout.count("+ aws:iam/openIdConnectProvider:") == 1
    assert result.stdout.count("+ aws:iam/role:Role") == 2
    assert "refused   carol opens contoso/aws/esc-oidc-try-imports" in result.stdout


def test_an_adopted_provider_is_not_created():
    """The role trusts the account's own provider, and the program creates none."""
    result = esc_oidc("try", EXAMPLES[0].parent / "adopted-provider")
    assert "+ aws:iam/openIdConnectProvider:" not in result.stdout


SCHEMA = json.loads((ROOT / "tests" / "plugin" / "schema.json").read_text())
COMPONENT = SCHEMA["resources"]["esc-oidc:index:PulumiEscOidc"]


def same_inputs(names):
    """The example gives every required input, and none that the component lacks."""
    assert set(names) <= set(COMPONENT["inputProperties"])
    assert set(COMPONENT["requiredInputs"]) <= set(names)


def test_the_yaml_examples_configuration_has_only_what_pulumi_yaml_knows():
    """Pulumi YAML warns about any other field, `description` too, on every run."""
    program = yaml.safe_load((ROOT / "examples" / "yaml" / "Pulumi.yaml").read_text())
    known = {"type", "items", "default", "secret", "value", "name"}
    assert set().union(*(set(each) for each in program["config"].values())) <= known


def test_the_yaml_example_is_the_first_one_in_yaml():
    """Its types and inputs are in the schema, its outputs exist, and every reference is declared."""
    program = yaml.safe_load((ROOT / "examples" / "yaml" / "Pulumi.yaml").read_text())
    login = program["resources"]["login"]
    assert login["type"] in SCHEMA["resources"]
    same_inputs(login["properties"])
    for reference in re.findall(r"\$\{([\w.]+)\}", json.dumps(program)):
        name, _, output = reference.partition(".")
        assert output in COMPONENT["properties"] if name == "login" else name in program["config"]
    assert (ROOT / "examples" / "yaml" / program["packages"]["esc-oidc"] / "PulumiPlugin.yaml").exists()


def test_the_typescript_example_is_the_first_one_in_typescript():
    """The inputs and outputs that it names are in the schema."""
    folder = ROOT / "examples" / "typescript"
    program = (folder / "index.ts").read_text()
    same_inputs(re.findall(r"^    (\w+):", program, re.MULTILINE))
    assert set(re.findall(r"login\.(\w+)", program)) <= set(COMPONENT["properties"])
    packages = yaml.safe_load((folder / "Pulumi.yaml").read_text())["packages"]
    schema = json.loads(ComponentProvider(**hosted()).schema)
    dependencies = json.loads((folder / "package.json").read_text())["dependencies"]
    package = f"@{schema['namespace']}/{schema['name']}"
    assert f'from "{package}"' in program
    # Where Pulumi writes it: https://github.com/pulumi/pulumi, pkg/cmd/pulumi/packages.
    assert dependencies[package] == f"file:sdks/{schema['namespace']}-{schema['name']}"
    assert (folder / packages["esc-oidc"] / "PulumiPlugin.yaml").exists()


def test_the_template_asks_for_what_the_program_reads():
    """`pulumi new` asks for each required key, with a description, and the folder is self-contained."""
    folder = ROOT / "examples" / "one-environment"
    asked = yaml.safe_load((folder / "Pulumi.yaml").read_text())["template"]["config"]
    required = re.findall(r'config\.require\w*\("(\w+)"\)', (folder / "__main__.py").read_text())
    assert sorted(required) == sorted(key for key in asked if ":" not in key)
    assert all(question["description"] for question in asked.values())
    assert "default" not in asked["organization"]
    assert ".." not in "".join(path.read_text() for path in folder.iterdir() if path.is_file() and path.suffix != ".md")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_the_sandbox_works_under_any_project_name(example, tmp_path):
    """`pulumi new` gives the copy a name of its own; keys without a namespace are the project's all the same."""
    copy = copied(example, tmp_path / "copy")
    edit(copy / "Pulumi.yaml", name="my-own-name")
    result = esc_oidc("try", *BEFORE.get(example.name, ()), copy)
    assert result.exit_code == 0, result.output


def test_several_accounts_have_a_role_and_provider_each():
    """Each environment has its role and its identity provider in its own account."""
    result = esc_oidc("try", "--verbose", ROOT / "examples" / "several-accounts")
    for account in ("111111111111", "222222222222"):
        assert f"arn:aws:iam::{account}:oidc-provider/api.pulumi.com/oidc" in result.stdout
        assert f"arn:aws:sts::{account}:assumed-role/" in result.stdout
