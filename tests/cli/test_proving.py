"""`esc-oidc prove`, as a shell runs it."""

import json

import pytest

from tests.support.command import esc_oidc
from tests.support.judged import ALICE, BASE, POLICY


def test_a_policy_is_proved_against_the_inputs(file):
    """The policy admits exactly what the inputs declare, whichever way they are spelled."""
    for inputs in (BASE, "organization: contoso\nproject: aws\nenvironment: dev\nallowedUsers: [alice]\n"):
        result = esc_oidc("prove", file(POLICY), "--inputs", file(inputs, "inputs"))
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith("PROVED\n")


def test_a_wide_policy_is_refuted_by_the_shortest_subject(file):
    """The counterexample is a token that the policy admits and nobody declared."""
    declared = ["--audience", "aws:contoso", "--subject", ALICE["sub"]]
    wide = json.loads(json.dumps(POLICY))
    condition = wide["Statement"][0]["Condition"]
    del condition["StringEquals"]["api.pulumi.com/oidc:sub"]
    condition["StringLike"] = {"api.pulumi.com/oidc:sub": ALICE["sub"].replace("alice", "*")}
    result = esc_oidc("prove", file(wide), *declared, "--format", "json")
    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert document["version"] == 1
    assert document["counterexample"]["admitted"] is True
    assert document["counterexample"]["subject"].startswith(ALICE["sub"].replace("alice", ""))
    assert esc_oidc("prove", file(POLICY), *declared).exit_code == 0


def test_deployments_are_proved_too(file):
    """Inputs with `stacks` are those of PulumiDeploymentsOidc."""
    inputs = {"organization": "contoso", "project": "shop", "stacks": ["dev"], "operations": ["preview"]}
    refuted = esc_oidc("prove", file(POLICY), "--inputs", file(inputs, "inputs"))
    assert refuted.exit_code == 1
    assert "pulumi:deploy:org:contoso:project:shop:stack:dev" in refuted.stdout or "aws:contoso" in refuted.stdout


def test_an_invented_operation_is_not_shown_as_a_token(file):
    """Text and JSON say that Pulumi documents no such operation, which a pattern admits nevertheless."""
    inputs = {"organization": "contoso", "project": "shop", "stacks": ["dev"]}
    subject = "pulumi:deploy:org:contoso:project:shop:stack:dev:operation:{}:scope:write"
    operations = ["preview", "update", "refresh", "destroy", "rea?y"]
    wide = json.loads(json.dumps(POLICY).replace("aws:contoso", "contoso"))
    condition = wide["Statement"][0]["Condition"]
    del condition["StringEquals"]["api.pulumi.com/oidc:sub"]
    condition["StringLike"] = {"api.pulumi.com/oidc:sub": [subject.format(each) for each in operations]}
    shown = esc_oidc("prove", file(wide), "--inputs", file(inputs, "inputs"))
    assert shown.exit_code == 1
    assert "Pulumi documents no operation 'reaay', but may add such. A token with it would have" in shown.stdout
    assert "admits a token" not in shown.stdout
    result = esc_oidc("prove", file(wide), "--inputs", file(inputs, "inputs"), "--format", "json")
    counterexample = json.loads(result.stdout)["counterexample"]
    assert counterexample["documented"] is False
    assert counterexample["invented"] == [{"part": "operation", "value": "reaay"}]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "say what is declared"),
        (["--audience", "a"], "say what is declared"),
        (["--inputs", "INPUTS", "--audience", "a"], "leave out --audience"),
        (["--inputs", "BAD"], "organization = 'aws:contoso'"),
        (["--inputs", "LIST"], "the inputs are a mapping"),
        (["--inputs", "YAML"], "YAML"),
    ],
)
def test_a_proof_without_a_declaration_exits_with_2(file, arguments, said):
    """The user must say what is declared, in exactly one way."""
    files = {
        "INPUTS": file(BASE, "inputs"),
        "BAD": file({**BASE, "organization": "aws:contoso"}, "bad"),
        "LIST": file([], "list"),
        "YAML": file("a: [", "YAML"),
    }
    result = esc_oidc("prove", file(POLICY), *(files.get(argument, argument) for argument in arguments))
    assert result.exit_code == 2
    assert said in result.stderr
