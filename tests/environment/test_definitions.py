"""Every kind of definition that the component emits, as Pulumi's own evaluator and the sandbox's read it."""

from typing import Any

import pytest
import yaml

from esc_oidc import PulumiEscOidc
from tests.support.definitions import CASES, Case, each_case
from tests.support.deploying import deploy
from tests.support.judge import CREDENTIALS, Verdict, evaluate_in_sandbox, judge, unwrapped

SPELLED_OTHERWISE = {
    "a document in a text",
    "control characters",
    "letters of other scripts",
    "lines",
    "paths of configuration",
    "references",
    "spaces and ends of lines of Unicode",
}
"""Texts of several lines or beyond ASCII, and lists in lists: yaml.v3 writes the same values with other characters."""


def expected(case: Case) -> tuple[dict[str, Any], dict[str, Any]]:
    """The environment variables and configuration that the opened environment must have."""
    credentials = {
        "AWS_ACCESS_KEY_ID": CREDENTIALS["accessKeyId"],
        "AWS_SECRET_ACCESS_KEY": CREDENTIALS["secretAccessKey"],
        "AWS_SESSION_TOKEN": CREDENTIALS["sessionToken"],
    }
    return {**(credentials if case.credentials else {}), **case.variables}, dict(case.config)


def assert_as_declared(case: Case, verdicts: list[Verdict]) -> None:
    """However it is opened, the environment has what was declared, and so does its login."""
    variables, config = expected(case)
    for verdict, root in zip(verdicts, case.roots, strict=True):
        assert verdict.diagnostics == []
        assert verdict.logins == [{"inputs": case.login, "currentEnvironment": case.own, "rootEnvironment": root}]
        properties = {key: unwrapped(value) for key, value in verdict.properties.items()}
        assert properties.get("environmentVariables", {}) == variables
        assert properties.get("pulumiConfig", {}) == config
        assert properties["aws"] == {"login": CREDENTIALS}


@pytest.fixture(scope="module")
def judged() -> dict[str, list[Verdict]]:
    """The judge's verdicts on every case, from one run."""
    verdicts = iter(judge([request for case in CASES.values() for request in case.requests]))
    return {name: [next(verdicts) for _ in case.requests] for name, case in CASES.items()}


@each_case
def test_pulumi_reads_what_was_declared(name, judged):
    """Opened by name, import or stack, Pulumi's evaluator finds exactly the declared values and login."""
    assert_as_declared(CASES[name], judged[name])


@pytest.mark.parametrize("name", [name for name in CASES if name not in SPELLED_OTHERWISE])
def test_pulumis_commands_lay_it_out_alike(name, judged):
    """`pulumi env set` rewrites a definition with yaml.v3, and changes nothing but what was set."""
    assert judged[name][0].layout.removesuffix("\n") == CASES[name].definition


@each_case
def test_the_sandbox_reads_what_was_declared(name):
    """The sandbox's evaluator finds the same."""
    assert_as_declared(CASES[name], [evaluate_in_sandbox(request) for request in CASES[name].requests])


@each_case
def test_credentials_are_secret(name, judged):
    """Both evaluators treat the login's answer as secret, but not the region."""
    for verdict in (judged[name][0], evaluate_in_sandbox(CASES[name].requests[0])):
        found = verdict.properties.get("environmentVariables", {"value": {}})["value"]
        secret = {key for key, value in found.items() if value.get("secret")}
        assert secret >= ({"AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"} if CASES[name].credentials else set())
        assert not secret & {"AWS_REGION"}


@each_case
def test_keys_are_in_the_documented_order(name):
    """Imports, login, variables and configuration follow each other, and none of them is empty."""
    read = yaml.safe_load(CASES[name].definition)
    assert list(read) == [key for key in ("imports", "values") if key in read]
    values = read["values"]
    assert list(values) == [key for key in ("aws", "environmentVariables", "pulumiConfig") if key in values]
    login = values["aws"]["login"]["fn::open::aws-login"]["oidc"]
    order = ("roleArn", "sessionName", "duration", "policyArns", "subjectAttributes")
    assert list(login) == [key for key in order if key in login]
    assert all(read.values())
    assert all(values.values())
    assert all(login.values())


@each_case
def test_there_is_no_newline_at_the_end(name):
    """Pulumi Cloud returns a definition without one, so a newline would show as a change forever."""
    assert CASES[name].definition == CASES[name].definition.rstrip()


def reversed_maps(value: Any) -> Any:
    """The value with every dict in the other order."""
    if isinstance(value, dict):
        return {key: reversed_maps(inner) for key, inner in reversed(value.items())}
    return value


@each_case
def test_the_order_of_maps_changes_nothing(name):
    """Maps have no order in Pulumi's engine, so the text must not depend on it."""
    case = CASES[name]
    other = Case(reversed_maps(dict(case.inputs)), role=case.role)
    assert other.definition == case.definition


@pytest.mark.parametrize(
    "name", [name for name, case in CASES.items() if not case.role.startswith("/esc") and len(case.role) < 100]
)
def test_the_component_registers_this_definition(name):
    """The definition tested here is the one sent to Pulumi Cloud."""
    case = CASES[name]
    path, _, role = case.role.rpartition("/")
    inputs = {**case.given, "role_path": f"{path}/", "role_name": role}
    deployed = deploy(lambda: PulumiEscOidc("esc", **inputs) and None)
    assert deployed.error is None
    assert deployed.one("Environment").inputs["yaml"]["text"] == case.definition


def test_random_texts_are_read_as_they_were_declared(random_cases):
    """Whatever text a variable has, both evaluators read exactly that text."""
    verdicts = judge([case.requests[0] for case in random_cases])
    for case, verdict in zip(random_cases, verdicts, strict=True):
        for each in (verdict, evaluate_in_sandbox(case.requests[0])):
            assert each.diagnostics == [], case.variables
            assert unwrapped(each.properties["environmentVariables"])["V0"] == case.variables["V0"]
            assert unwrapped(each.properties["pulumiConfig"]) == case.config
            assert [login["inputs"] for login in each.logins] == [case.login]
