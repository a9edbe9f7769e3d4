"""What references in environment variables and configuration lead to, with Pulumi's own evaluator as the judge."""

import random

import pytest

from esc_oidc.environment import environment_definition
from tests.support.inputs import check, plan
from tests.support.judge import CONTEXT, Request, judge

BASE = {"organization": "contoso", "project": "aws", "environment": "dev"}
ROLE = "arn:aws:iam::123456789012:role/esc"
OTHERS = {"base/one": "values: {one: {two: [3]}, aws: {login: {more: x}}}", "base/two": "values: {two: 2}"}
RESOLVED = [
    {"A": "${aws}"},
    {"A": "${aws.login} and ${context}"},
    {"A": "${environmentVariables.AWS_SESSION_TOKEN}"},
    {"A": "${environmentVariables.B}", "B": "b"},
    {"A": "${environmentVariables.B.sessionToken}", "B": "${aws.login}"},
    {"A": "${context.rootEnvironment.name} ${context.pulumi.user.login}"},
    {"A": "${environments.base.one.one.two[0]}"},
    {"A": "${pulumiConfig}", "B": "b"},
    {"A": "${imports}"},
]
UNRESOLVED = [
    ({"A": "${login.accessKeyId}"}, "there is no 'login'"),
    ({"A": "x ${aws.login.accessKeyID}"}, "there is no 'accessKeyID' (did you mean `accessKeyId`?)"),
    ({"A": "${aws.login.accessKeyId.value}"}, "nothing inside a text"),
    ({"A": "${aws[0]}"}, "[0] is an index"),
    ({"A": "${environmentVariables.A}"}, "leads back to itself"),
    ({"A": "${environmentVariables}"}, "leads back to itself"),
    ({"A": "${environmentVariables.B}", "B": "${environmentVariables.A}"}, "leads back to itself"),
    ({"A": "${environmentVariables.B.b}", "B": "b"}, "nothing inside a text"),
    ({"A": '${imports["base/one"].one}'}, "there is no 'base/one'"),
    ({"A": "${context.currentEnvironment.nam}"}, "did you mean `name`?"),
    ({"A": "${environments.aws.dev.x}"}, "can't refer to itself"),
    ({"A": "${}"}, "there is no ''"),
    ({"A": '${pulumiConfig["app:list"][1]}'}, "the list has 1 items"),
    ({"A": '${pulumiConfig["app:list"].name}'}, "no index of a list"),
    ({"A": '${pulumiConfig["app:list"][-1]}'}, "negative"),
]
CONFIG = {"pulumi_config": {"app:list[0]": "a"}}


def asked(inputs):
    """The judge's request for the environment of these inputs, good or not."""
    environments = {**OTHERS, "aws/dev": environment_definition(plan(inputs).login, ROLE)}
    return Request("aws/dev", environments, context=CONTEXT)


@pytest.mark.parametrize("variables", RESOLVED, ids=str)
def test_a_reference_to_a_value_is_accepted(variables):
    """It may lead to the login, to other variables and configuration, to the context and to other environments."""
    inputs = {**BASE, **CONFIG, "environment_variables": variables}
    assert check("esc", inputs) == []
    (verdict,) = judge([asked(inputs)])
    assert verdict.diagnostics == []


@pytest.mark.parametrize(("variables", "said"), UNRESOLVED, ids=str)
def test_a_reference_to_nothing_is_refused(variables, said):
    """Pulumi's evaluator refuses it too, when somebody opens the environment."""
    inputs = {**BASE, **CONFIG, "environment_variables": variables}
    (violation,) = check("esc", inputs)
    assert violation.input.startswith("environment_variables['")
    assert said in violation.fix
    (verdict,) = judge([asked(inputs)])
    assert verdict.errors


def test_configuration_is_judged_likewise():
    """The path that holds the reference is named."""
    inputs = {**BASE, "pulumi_config": {"app:list[0]": "a", "app:list[1].b": "${nothing}"}}
    (violation,) = check("esc", inputs)
    assert violation.input == "pulumi_config['app:list[1].b']"


def test_another_environment_is_named_by_project_and_environment():
    """Pulumi's evaluator says nothing of a shorter name, and gives no value for it either."""
    (violation,) = check("esc", {**BASE, "environment_variables": {"A": "${environments.base}"}})
    assert "environments.PROJECT.ENV.VALUE" in violation.fix


def test_a_very_long_chain_of_references_is_refused():
    """Nobody needs it, and it must not end in a RecursionError."""
    chain = {f"V{i:04}": f"${{environmentVariables.V{i + 1:04}}}" for i in range(2000)} | {"V2000": "end"}
    violations = check("esc", {**BASE, "environment_variables": chain})
    assert all("more than 100 others" in violation.fix for violation in violations)
    assert violations


def test_what_an_import_may_give_is_accepted():
    """Nobody knows here what it holds, but what comes of this environment's own texts is known."""
    inputs = {**BASE, "imports": ["base/one"]}
    for text in ("${one.two[0]}", "${aws.login.more}", '${imports["base/one"].one}'):
        assert check("esc", {**inputs, "environment_variables": {"A": text}}) == []
    for text in ("${environmentVariables.AWS_REGION.x}", '${imports["base/two"]}', "${environmentVariables.A}"):
        assert check("esc", {**inputs, "region": "us-east-1", "environment_variables": {"A": text}}) != []


PATHS = [
    "aws", "aws.login", "aws.login.accessKeyId", 'aws["login"].sessionToken', "environmentVariables",
    "environmentVariables.A", "environmentVariables.B", "environmentVariables.C", "environmentVariables.D",
    "environmentVariables.AWS_SESSION_TOKEN", "environmentVariables.AWS_REGION", "pulumiConfig",
    'pulumiConfig["app:list"]', 'pulumiConfig["app:list"][0]', 'pulumiConfig["app:map"]', 'pulumiConfig["app:map"].k',
    "pulumiConfig.x", "pulumiConfig.y", 'pulumiConfig["aws:region"]', "context.currentEnvironment",
    "context.rootEnvironment.name", "context.pulumi.user.login", "environments.base.one", "one.two[0]", "imports",
    'imports["base/one"]',
]  # fmt: skip
STEPS = ["[0]", "[1]", "[-1]", ".k", ".login", ".accessKeyId", ".A", ".D", '["aws:region"]', ".name", ".nothing"]


def drawn(chosen):
    """Inputs with random references in them, most of them to something that there is."""

    def reference():
        return "${" + chosen.choice(PATHS) + (chosen.choice(STEPS) if chosen.random() < 0.2 else "") + "}"

    def text():
        return chosen.choice(["plain", reference(), reference(), f"a {reference()}", f"{reference()}{reference()}"])

    inputs = {
        **BASE,
        "environment_variables": {name: text() for name in "ABCD" if chosen.random() < 0.5},
        "pulumi_config": {key: text() for key in ("app:list[0]", "app:map.k", "x", "y") if chosen.random() < 0.5},
    }
    inputs |= {"region": "us-east-1"} if chosen.random() < 0.5 else {}
    return inputs | ({"imports": ["base/one"]} if chosen.random() < 0.3 else {})


def test_pulumis_evaluator_agrees_on_random_references():
    """What is accepted opens without a diagnostic, and what is refused does not."""
    chosen = random.Random(10)
    every = [drawn(chosen) for _ in range(3000)]
    refused = [bool(check("esc", inputs)) for inputs in every]
    judged = [bool(verdict.errors) for verdict in judge([asked(inputs) for inputs in every])]
    assert 500 < sum(refused) < 2500
    different = [inputs for inputs, ours, theirs in zip(every, refused, judged, strict=True) if ours != theirs]
    # What an import or Pulumi Cloud's context holds is not known here: there we accept more.
    elsewhere = ("imports", "context", "environments")
    assert [inputs for inputs in different if not any(each in str(inputs) for each in elsewhere)] == []
    assert all(theirs for ours, theirs in zip(refused, judged, strict=True) if ours)
