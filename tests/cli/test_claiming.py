"""`esc-oidc claims`, as a shell runs it."""

import json

import pytest

from tests.support.command import esc_oidc


def test_each_way_to_open_has_its_claims():
    """By name, from a stack, through an import, with a team token and with an organization token."""
    result = esc_oidc(
        "claims", "contoso/aws/dev", "--attribute", "rootEnvironment.name", "--attribute", "pulumi.user.login"
    )
    prefix = "  sub  pulumi:environments:pulumi.organization.login:contoso:rootEnvironment.name"
    assert [line for line in result.stdout.splitlines() if line.startswith("  sub")] == [
        f"{prefix}:aws/dev:pulumi.user.login:alice",
        f"{prefix}:aws/dev:pulumi.user.login:alice",
        f"{prefix}:aws/app:pulumi.user.login:alice",
        f"{prefix}:aws/dev:pulumi.user.login:contoso",
        f"{prefix}:aws/dev:pulumi.user.login:contoso",
    ]


@pytest.mark.parametrize("columns", ["40", "80", "120"])
def test_a_subject_is_one_line_however_narrow_the_terminal(monkeypatch, columns):
    """It can be copied: nothing breaks it but the terminal itself."""
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("FORCE_COLOR", "1")
    arguments = ["--attribute", "currentEnvironment.name", "--attribute", "pulumi.user.login"]
    shown = esc_oidc("claims", "contoso/aws/development", *arguments).stdout
    named = "pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name:aws/development"
    assert f"  sub  {named}:pulumi.user.login:alice\n" in shown
    assert "\x1b[1m" in shown


def test_the_legacy_project_shows_both_spellings():
    """Sources disagree on the spelling, so both are shown and labelled."""
    tokens = json.loads(esc_oidc("claims", "contoso/default/dev", "--format", "json").stdout)["tokens"]
    assert {token["aud"] for token in tokens} == {"contoso"}
    assert [token["sub"].rpartition(":")[2] for token in tokens[:2]] == ["dev", "default/dev"]


def test_without_attributes_a_stack_has_the_subject_yaml():
    """A policy for the environment's name works for `pulumi env open`, but not for `pulumi up`."""
    tokens = json.loads(esc_oidc("claims", "contoso/aws/dev", "--no-attributes", "--format", "json").stdout)["tokens"]
    assert tokens[0]["sub"] == "pulumi:environments:org:contoso:env:aws/dev"
    assert tokens[1]["sub"] == "pulumi:environments:org:contoso:env:<yaml>"


def test_deployments_have_a_token_for_each_operation():
    """One token for each operation on the stack."""
    tokens = json.loads(esc_oidc("claims", "--stack", "contoso/shop/prod", "--format", "json").stdout)["tokens"]
    assert [token["sub"].split(":")[9] for token in tokens] == ["preview", "update", "refresh", "destroy"]
    assert {token["aud"] for token in tokens} == {"contoso"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["contoso/dev"], "write ORG/PROJECT/ENV"),
        (["--stack", "dev"], "write ORG/PROJECT/STACK"),
        (["contoso/aws/d v"], "'d v'"),
        (["contoso/aws/dev", "--attribute", "user"], "Pulumi Cloud takes currentEnvironment.name"),
        (["contoso/aws/dev", "--attribute", "a", "--no-attributes"], "contradict"),
        (["contoso/aws/dev", "--importer", "app"], "write PROJECT/ENV"),
        (["contoso/shop/dev", "--stack", "--attribute", "currentEnvironment.name"], "no attributes"),
        ([f"contoso/{'p' * 101}/dev", "--stack"], "100"),
    ],
)
def test_a_malformed_reference_exits_with_2(arguments, said):
    """The message shows how to write it."""
    result = esc_oidc("claims", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
