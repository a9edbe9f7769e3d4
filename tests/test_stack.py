"""The stack of this repository: its program, run as Pulumi's language host runs it, and its configuration files."""

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi.runtime.settings import get_root_resource

from esc_oidc import InvalidInputs, PulumiEscOidc, PulumiEscOidcArgs
from esc_oidc.inputs import EnvironmentPlan
from tests.support.deploying import ACCOUNT, PROVIDER_ARN, Deployed, Registration, deploy
from tests.support.inputs import ARGUMENTS, defaults

ROOT = Path(__file__).parents[1]
PROJECT = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
SANDBOX = yaml.safe_load((ROOT / "Pulumi.sandbox.yaml").read_text(encoding="utf-8"))
REQUIRED = {"organization": "contoso", "project": "aws", "environment": "dev"}
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
OIDC_LOGIN = ("values", "aws", "login", "fn::open::aws-login", "oidc")


def camel_case(name: str) -> str:
    """A Python name as configuration spells it."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


INPUTS = {camel_case(name): name for name in PulumiEscOidcArgs.__annotations__}


def as_configured(value: Any) -> str:
    """A value of a stack's file as the engine hands it to the program: as text, and JSON if it is no string."""
    return value if isinstance(value, str) else json.dumps(value)


def run_stack(config: dict[str, Any], organization: str | None = None) -> Deployed:
    """Deploys the stack with this configuration, keys as the stack's file has them but for the namespace."""

    def program() -> dict[str, Any]:
        runpy.run_path(str(ROOT), run_name="__main__")
        return get_root_resource().outputs

    return deploy(
        program,
        config={key: as_configured(value) for key, value in config.items()},
        organization=organization,
    )


def definition(deployed: Deployed) -> Any:
    """The definition of the environment that was declared."""
    return yaml.safe_load(deployed.one("Environment").inputs["yaml"]["text"])


def at(value: Any, *path: str) -> Any:
    """What stands at a path."""
    for key in path:
        value = value[key]
    return value


@pytest.fixture
def passed(monkeypatch):
    """The arguments of every component that a program declares, which is declared all the same."""
    calls = []
    declare = PulumiEscOidc.__init__

    def recording(self, name, args=None, opts=None, **inputs):
        calls.append({"name": name, **(args or {}), **inputs})
        declare(self, name, args, opts, **inputs)

    monkeypatch.setattr(PulumiEscOidc, "__init__", recording)
    return calls


@pytest.fixture(scope="module")
def sandbox():
    """The stack as `make try` configures it, with the defaults that Pulumi.yaml declares, as the engine adds them."""
    defaults = {key: value["default"] for key, value in PROJECT["config"].items() if "default" in value}
    configured = {key.removeprefix("esc-oidc:"): value for key, value in SANDBOX["config"].items()}
    return run_stack({**defaults, **configured})


def test_the_sandbox_stack_is_what_the_readme_promises():
    """Organization contoso, environment aws/dev, two users, an AWS-managed read-only policy, a region; no secret."""
    assert SANDBOX == {
        "config": {
            "esc-oidc:organization": "contoso",
            "esc-oidc:project": "aws",
            "esc-oidc:environment": "dev",
            "esc-oidc:allowedUsers": ["alice", "bob"],
            "esc-oidc:policyArns": [READ_ONLY],
            "esc-oidc:region": "us-east-1",
        }
    }


def test_the_sandbox_stack_deploys(sandbox):
    """From configuration and declared defaults come the component, its provider, role, attachment and environment."""
    assert sandbox.error is None
    assert sandbox.warnings == []
    assert {resource.name: resource.type.rpartition(":")[2] for resource in sandbox.resources} == {
        "esc-oidc": "PulumiEscOidc",
        "esc-oidc-provider": "OpenIdConnectProvider",
        "esc-oidc-role": "Role",
        "esc-oidc-policy-ReadOnlyAccess-2a3bda39": "RolePolicyAttachment",
        "esc-oidc-environment": "Environment",
    }


def test_the_sandbox_stack_admits_its_two_users_alone(sandbox):
    """The configured list of users reaches the trust policy as exact subjects."""
    (statement,) = json.loads(sandbox.exports["trustPolicy"])["Statement"]
    subject = "pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name:aws/dev:pulumi.user.login"
    assert statement["Condition"] == {
        "StringEquals": {
            "api.pulumi.com/oidc:aud": "aws:contoso",
            "api.pulumi.com/oidc:sub": [f"{subject}:alice", f"{subject}:bob"],
        }
    }


def test_every_output_is_exported(sandbox):
    """Each output of the component under its camelCase name with its value, and the readme."""
    assert set(sandbox.exports) == {camel_case(name) for name in PulumiEscOidc.__annotations__} | {"readme"}
    assert sandbox.exports["oidcProviderArn"] == PROVIDER_ARN
    assert sandbox.exports["roleArn"] == f"arn:aws:iam::{ACCOUNT}:role/esc-oidc-role-1234567"
    assert sandbox.exports["roleName"] == "esc-oidc-role-1234567"
    assert sandbox.exports["audience"] == "aws:contoso"
    assert len(sandbox.exports["subjects"]) == 2
    assert yaml.safe_load(sandbox.exports["environmentDefinition"]) == definition(sandbox)
    assert sandbox.exports["environmentRef"] == "contoso/aws/dev"
    assert sandbox.exports["openCommand"] == "pulumi env open contoso/aws/dev"


def test_the_readme_refers_to_exports(sandbox):
    """Pulumi's console renders `${outputs.X}` of the readme from the stack's exports: each must be there."""
    references = re.findall(r"\$\{([^}]*)\}", sandbox.exports["readme"])
    assert references
    assert {each.removeprefix("outputs.") for each in references} <= set(sandbox.exports) - {"readme"}
    assert all(each.startswith("outputs.") for each in references)


def test_a_key_that_is_not_set_is_not_passed(passed):
    """The component gets the configured inputs and nothing else: its own defaults hold, and nothing is None."""
    assert run_stack(REQUIRED).error is None
    assert passed == [{"name": "esc-oidc", **REQUIRED}]


def test_texts_lists_maps_and_booleans_are_read_by_their_type(passed):
    """Every kind of configuration value arrives as the kind of value that the input takes."""
    values = {
        "duration": "1h30m",
        "allowedUsers": ["alice", "bob"],
        "policyArns": [READ_ONLY],
        "imports": ["aws/base"],
        "tags": {"team": "x", "cost-center": "42"},
        "environmentVariables": {"STAGE": "dev", "NUMBER": "1"},
        "exportEnvironmentVariables": False,
        "forceDetachPolicies": True,
        "roleDescription": "for ESC",
    }
    deployed = run_stack({**REQUIRED, **values})
    assert deployed.error is None
    assert passed == [{"name": "esc-oidc", **REQUIRED, **{INPUTS[key]: value for key, value in values.items()}}]
    assert definition(deployed)["values"]["environmentVariables"] == {"STAGE": "dev", "NUMBER": "1"}
    assert at(definition(deployed), *OIDC_LOGIN)["duration"] == "1h30m"
    assert deployed.one("Role").inputs["tags"] == values["tags"]


EVERY_KIND = {"str": "text", "bool": True, "list": ["one", "two"], "dict": {"key": "value"}}


@pytest.mark.parametrize("key", INPUTS)
def test_every_input_can_be_configured(key, passed):
    """There is no input that the stack's program does not read, nor one that it reads as something else."""
    value = EVERY_KIND[ARGUMENTS[EnvironmentPlan][INPUTS[key]].kind]
    run_stack({**REQUIRED, key: value})
    assert passed[0][INPUTS[key]] == value
    assert type(passed[0][INPUTS[key]]) is type(value)


def test_a_text_that_looks_like_something_else_stays_a_text(passed):
    """The engine hands over texts: an environment named `true` or `1` is not a boolean or a number."""
    assert run_stack({**REQUIRED, "project": "1", "environment": "true"}).error is None
    assert passed == [{"name": "esc-oidc", "organization": "contoso", "project": "1", "environment": "true"}]


def test_a_misspelled_key_is_refused():
    """`allowedUser` must not pass for "everybody": it is an error that says what was meant."""
    deployed = run_stack({**REQUIRED, "allowedUser": ["alice"]})
    assert isinstance(deployed.error, InvalidInputs)
    assert "Did you mean `allowed_users`?" in str(deployed.error)
    assert deployed.resources == []


def test_an_empty_list_of_users_is_refused():
    """A configured list that turned out empty does not open the role to everyone."""
    deployed = run_stack({**REQUIRED, "allowedUsers": []})
    assert isinstance(deployed.error, InvalidInputs)
    assert deployed.resources == []


def test_the_organization_is_pulumis_own_by_default(passed):
    """Without the key, the organization that Pulumi runs the stack in is meant."""
    deployed = run_stack({"project": "aws", "environment": "dev"}, organization="fabrikam")
    assert deployed.error is None
    assert [call["organization"] for call in passed] == ["fabrikam"]
    assert deployed.exports["audience"] == "aws:fabrikam"


def test_a_configured_organization_comes_first(passed):
    """With the key, the stack's own organization does not count."""
    assert run_stack(REQUIRED, organization="fabrikam").error is None
    assert [call["organization"] for call in passed] == ["contoso"]


@pytest.mark.parametrize("organization", [None, "organization"])
def test_a_backend_without_organizations_is_refused(organization):
    """Elsewhere than in Pulumi Cloud the organization is called `organization`, and somebody may own that login."""
    deployed = run_stack({"project": "aws", "environment": "dev"}, organization=organization)
    assert isinstance(deployed.error, InvalidInputs)
    assert "organization" in str(deployed.error)
    assert deployed.resources == []


def test_missing_keys_are_named():
    """Without project and environment the component says so, for both, and nothing is declared."""
    deployed = run_stack({"organization": "contoso"})
    assert isinstance(deployed.error, InvalidInputs)
    assert {violation.name for violation in deployed.error.violations} >= {"project", "environment"}
    assert deployed.resources == []


def test_running_the_program_twice_declares_the_same():
    """The program keeps nothing between two runs in one process."""
    first, second = run_stack(REQUIRED), run_stack(REQUIRED)
    assert [described(each) for each in first.resources] == [described(each) for each in second.resources]


DEFAULTS = defaults(EnvironmentPlan)
SCHEMA_TYPES = {"str": "string", "bool": "boolean"}


@pytest.mark.parametrize("key", PROJECT["config"])
def test_a_declared_key_is_an_input_of_its_type(key):
    """Pulumi.yaml declares inputs only, under their names in configuration, each typed and described."""
    declared = PROJECT["config"][key]
    assert declared["type"] == SCHEMA_TYPES[ARGUMENTS[EnvironmentPlan][INPUTS[key]].kind]
    assert len(declared["description"].split()) > 3
    assert set(declared) <= {"type", "description", "default"}


@pytest.mark.parametrize("key", PROJECT["config"])
def test_a_declared_key_is_required_or_has_the_components_default(key):
    """The engine demands a value for every declared key without a default, and a default must change nothing."""
    declared = PROJECT["config"][key]
    if ARGUMENTS[EnvironmentPlan][INPUTS[key]].required:
        assert "default" not in declared
    else:
        assert declared["default"] == DEFAULTS[INPUTS[key]]
        assert type(declared["default"]) is type(DEFAULTS[INPUTS[key]])


def test_every_scalar_default_is_declared():
    """Whoever reads Pulumi.yaml or the console sees each input that has a scalar default, with it."""
    scalars = {camel_case(name) for name in DEFAULTS if ARGUMENTS[EnvironmentPlan][name].kind in SCHEMA_TYPES}
    required = {key for key, name in INPUTS.items() if ARGUMENTS[EnvironmentPlan][name].required}
    # The organization has pulumi.get_organization() to fall back to, so the engine must not demand it.
    assert set(PROJECT["config"]) == scalars | required - {"organization"}


def test_declared_defaults_declare_what_no_configuration_does():
    """With the engine's defaults in place, the same resources are declared as without them."""
    defaults = {key: value["default"] for key, value in PROJECT["config"].items() if "default" in value}
    bare, with_defaults = run_stack(REQUIRED), run_stack({**defaults, **REQUIRED})
    assert with_defaults.error is None
    assert [described(resource) for resource in with_defaults.resources] == [
        described(resource) for resource in bare.resources
    ]


def described(resource: Registration) -> tuple[str, str, bool, dict[str, Any]]:
    """A resource as it was registered; a flag that is false says the same as one that is not there."""
    inputs = {key: value for key, value in resource.inputs.items() if value is not False}
    return resource.type, resource.name, resource.request.retainOnDelete, inputs


def test_the_project_is_the_plugins_twin():
    """Stack and plugin ask for the same Pulumi, and the project is named as its configuration's namespace."""
    plugin = yaml.safe_load((ROOT / "components" / "PulumiPlugin.yaml").read_text(encoding="utf-8"))
    assert PROJECT["name"] == "esc-oidc"
    assert PROJECT["runtime"]["name"] == "python"
    assert PROJECT["requiredPulumiVersion"] == plugin["requiredPulumiVersion"] == ">=3.237.0"
    assert len(PROJECT["description"]) < 256
