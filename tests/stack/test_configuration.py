"""How the stack's program reads its configuration."""

import re
from typing import Any

import pytest

from esc_oidc import InvalidInputs, PulumiEscOidc
from esc_oidc.inputs import EnvironmentPlan
from tests.support.environment_refusals import REFUSALS
from tests.support.inputs import ARGUMENTS, camel_case
from tests.support.programs import READ_ONLY
from tests.support.stack import INPUTS, REQUIRED, StackFile, definition, described, run_stack

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


KINDS = {key: ARGUMENTS[EnvironmentPlan][name].kind for key, name in INPUTS.items()}
SECRET = {key for key, name in INPUTS.items() if ARGUMENTS[EnvironmentPlan][name].may_be_output}
"""The keys that may be secrets."""

WRONG = {
    "str": [],
    "bool": ["yes", "0", ""],
    "list": ["alice", "alice,bob", "alice, bob", "7", "true", "", '{"a": "b"}', "[oops", [7], ["alice", True]],
    "dict": ["alice", '["a"]', "", "{oops", {"NAME": 7}],
}
"""What no key of this type holds, as the stack's file or the CLI may have it."""

MISTAKES = [
    *[({key: value}, set()) for key, kind in KINDS.items() for value in WRONG[kind]],
    *[({key: value}, {key}) for key, kind in KINDS.items() for value in WRONG[kind]],
    *[({key: EVERY_KIND[kind]}, {key}) for key, kind in KINDS.items() if key not in SECRET],
    *[({name: EVERY_KIND[KINDS[key]]}, set()) for key, name in INPUTS.items() if name != key],
    *[({key.upper(): EVERY_KIND[kind]}, set()) for key, kind in KINDS.items()],
    ({"allowedUser": ["alice"]}, set()),
    *[({f"{key}[0]": "alice"}, secrets) for key, kind in KINDS.items() if kind == "list" for secrets in (set(), {key})],
    ({"tags.team": "x"}, set()),
    ({"colour": "blue"}, set()),
    ({"colour": "blue"}, {"colour"}),
]


def followed(mistake: StackFile, key: str, fix: str) -> None:
    """Changes the stack's file as a hint says."""
    commands = re.findall("`(pulumi config [^`]+)`", fix.replace("` or `", " or "))
    if meant := re.search("Did you mean `([^`]+)`", fix):
        mistake.config[meant[1]] = mistake.config.pop(key)
    elif fix == "Put it in quotes there.":
        held = mistake.config[key]
        mistake.config[key] = list(map(str, held)) if isinstance(held, list) else dict.fromkeys(held, "text")
    else:
        assert commands, fix
    for command in commands:
        mistake.run(command.partition(" or ")[0])


@pytest.mark.parametrize(("config", "secrets"), MISTAKES, ids=str)
def test_following_a_hint_works(config, secrets):
    """Every refusal of the stack's own says what to type or write, and whoever does so is rid of it."""
    file = StackFile({**REQUIRED, **config}, set(secrets))
    deployed = run_stack(file.config, secrets=file.secrets)
    assert isinstance(deployed.error, InvalidInputs)
    assert deployed.resources == []
    for violation in deployed.error.violations:
        place = violation.input.removeprefix("esc-oidc:")
        (key,) = {place, place.partition("[")[0]} & set(config)
        followed(file, key, violation.fix)
    again = run_stack(file.config, secrets=file.secrets).error
    assert "Stack configuration" not in str(again), str(again)


@pytest.mark.parametrize(
    ("value", "commands"),
    [
        ("alice", ["--path 'allowedUsers[0]' alice"]),
        ("alice, bob", ["--path 'allowedUsers[0]' alice", "--path 'allowedUsers[1]' bob"]),
        ("007", ["--path --type string 'allowedUsers[0]' 007"]),
        ("it's", ["--path 'allowedUsers[0]' 'it'\"'\"'s'"]),
    ],
)
def test_a_list_given_as_text_gets_the_exact_command(value, commands):
    """`pulumi config set allowedUsers alice` sets a text; the list takes `--path`, and digits stay a text."""
    error = str(run_stack({**REQUIRED, "allowedUsers": value}).error)
    assert "this key holds a list of texts. Run " in error
    assert re.findall("`pulumi config set ([^`]+)`", error) == commands


@pytest.mark.parametrize("name", sorted(set(INPUTS.values()) - set(INPUTS)))
def test_snake_case_is_refused(name):
    """Configuration is in camel case everywhere in Pulumi, so a key in Python's spelling is none, whichever it is."""
    error = str(run_stack({**REQUIRED, name: "text"}).error)
    assert f"  - esc-oidc:{name} = 'text': there is no such key. Did you mean `{camel_case(name)}`?" in error


@pytest.mark.parametrize(
    "value", ["hunter2", 'hunter2 "{', "[hunter2", '["hunter2 "]', '{"k": "hunter2 "}', "hunter2/"]
)
@pytest.mark.parametrize("key", [*INPUTS, "colour", "allowed_users"])
def test_no_message_has_a_secret(key, value):
    """A secret that has another type, or an invalid value, or stands under a wrong key, is never quoted."""
    deployed = run_stack({**REQUIRED, key: value}, secrets=[key])
    assert "hunter2" not in f"{deployed.error} {deployed.error!r} {deployed.log}"
    assert deployed.error is None or isinstance(deployed.error, InvalidInputs)


@pytest.mark.parametrize(
    ("key", "value", "reached"),
    [
        ("allowedUsers", ["alice"], "subjects"),
        ("organization", "fabrikam", "audience"),
        ("region", "us-east-1", "environmentDefinition"),
    ],
)
def test_a_secret_stays_a_secret(key, value, reached):
    """A secret value reaches the component as a secret Output, and so do the stack's outputs that have it."""
    deployed = run_stack({**REQUIRED, key: value}, secrets=[key])
    assert deployed.error is None
    assert reached in deployed.secrets


@pytest.mark.parametrize("inputs", [each[1] for each in REFUSALS], ids=[each[0] for each in REFUSALS])
def test_refusals_of_the_component_name_keys(inputs):
    """Whatever the component refuses, the message has the names that the stack's file has."""
    config = {camel_case(name): value for name, value in inputs.items()}
    error = run_stack({**REQUIRED, **config}).error
    names = {name for name in INPUTS.values() if "_" in name}
    assert not names & set(re.findall(r"(?<!')\b\w+", str(error)))


def test_a_late_refusal_names_keys():
    """What is found when an Output is known, here a secret, is spelled as the rest."""
    deployed = run_stack({**REQUIRED, "allowedUsers": ["al ice"]}, secrets=["allowedUsers"])
    assert "allowedUsers[0] = (a secret)" in str(deployed.error)


def test_a_warning_names_keys():
    """Warnings are spelled as refusals are."""
    (warning,) = run_stack({**REQUIRED, "maxSessionDuration": "12h"}).warnings
    assert warning.startswith("maxSessionDuration: ")
