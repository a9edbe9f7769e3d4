"""How the stack's program reads its configuration."""

from typing import Any

import pytest

from esc_oidc import InvalidInputs, PulumiEscOidc
from esc_oidc.inputs import EnvironmentPlan
from tests.support.inputs import ARGUMENTS
from tests.support.programs import READ_ONLY
from tests.support.stack import INPUTS, REQUIRED, definition, described, run_stack

OIDC_LOGIN = ("values", "aws", "login", "fn::open::aws-login", "oidc")


def at(value: Any, *path: str) -> Any:
    """The value at a path."""
    for key in path:
        value = value[key]
    return value


@pytest.fixture
def passed(monkeypatch):
    """Records the arguments of every component that a program declares."""
    calls = []
    declare = PulumiEscOidc.__init__

    def recording(self, name, args=None, opts=None, **inputs):
        calls.append({"name": name, **(args or {}), **inputs})
        declare(self, name, args, opts, **inputs)

    monkeypatch.setattr(PulumiEscOidc, "__init__", recording)
    return calls


def test_a_key_that_is_not_set_is_not_passed(passed):
    """The component gets only the configured inputs, so its own defaults hold."""
    assert run_stack(REQUIRED).error is None
    assert passed == [{"name": "esc-oidc", **REQUIRED}]


def test_texts_lists_maps_and_booleans_are_read_by_their_type(passed):
    """Every configuration value arrives as the type that the input takes."""
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
    """The stack's program reads every input, with its type."""
    value = EVERY_KIND[ARGUMENTS[EnvironmentPlan][INPUTS[key]].kind]
    run_stack({**REQUIRED, key: value})
    assert passed[0][INPUTS[key]] == value
    assert type(passed[0][INPUTS[key]]) is type(value)


def test_a_text_that_looks_like_something_else_stays_a_text(passed):
    """The engine passes texts: an environment named `true` or `1` is no boolean or number."""
    assert run_stack({**REQUIRED, "project": "1", "environment": "true"}).error is None
    assert passed == [{"name": "esc-oidc", "organization": "contoso", "project": "1", "environment": "true"}]


def test_a_misspelled_key_is_refused():
    """`allowedUser` must not mean "everybody"; the error says what was meant."""
    deployed = run_stack({**REQUIRED, "allowedUser": ["alice"]})
    assert isinstance(deployed.error, InvalidInputs)
    assert "Did you mean `allowed_users`?" in str(deployed.error)
    assert deployed.resources == []


@pytest.mark.parametrize("user", ["contoso", "Contoso"])
def test_the_organization_of_an_individual_account_is_its_user(user):
    """The quick start works where the organization is the user's own login."""
    deployed = run_stack({**REQUIRED, "allowedUsers": [user]})
    assert deployed.error is None
    attributes = ["currentEnvironment.name", "pulumi.user.login", "pulumi.token.type"]
    assert at(definition(deployed), *OIDC_LOGIN)["subjectAttributes"] == attributes
    (subject,) = deployed.exports["subjects"]
    assert subject.endswith(f":pulumi.user.login:{user}:pulumi.token.type:personal")


def test_an_empty_list_of_users_is_refused():
    """A configured list that is empty doesn't open the role to everyone."""
    deployed = run_stack({**REQUIRED, "allowedUsers": []})
    assert isinstance(deployed.error, InvalidInputs)
    assert deployed.resources == []


def test_the_organization_is_pulumis_own_by_default(passed):
    """Without the key, it is the organization that Pulumi runs the stack in."""
    deployed = run_stack({"project": "aws", "environment": "dev"}, organization="fabrikam")
    assert deployed.error is None
    assert [call["organization"] for call in passed] == ["fabrikam"]
    assert deployed.exports["audience"] == "aws:fabrikam"


def test_a_configured_organization_comes_first(passed):
    """With the key, the stack's own organization doesn't matter."""
    assert run_stack(REQUIRED, organization="fabrikam").error is None
    assert [call["organization"] for call in passed] == ["contoso"]


@pytest.mark.parametrize("organization", [None, "organization"])
def test_a_backend_without_organizations_is_refused(organization):
    """Other backends call it `organization`, which may be somebody's login in Pulumi Cloud."""
    deployed = run_stack({"project": "aws", "environment": "dev"}, organization=organization)
    assert isinstance(deployed.error, InvalidInputs)
    assert "organization" in str(deployed.error)
    assert deployed.resources == []


def test_missing_keys_are_named():
    """Without project and environment the error names both, and nothing is declared."""
    deployed = run_stack({"organization": "contoso"})
    assert isinstance(deployed.error, InvalidInputs)
    assert {violation.name for violation in deployed.error.violations} >= {"project", "environment"}
    assert deployed.resources == []


def test_running_the_program_twice_declares_the_same():
    """The program keeps nothing between two runs in one process."""
    first, second = run_stack(REQUIRED), run_stack(REQUIRED)
    assert [described(each) for each in first.resources] == [described(each) for each in second.resources]
