"""The claims of the tokens that Pulumi Cloud mints."""

import pytest

from esc_oidc.claims import STACK_CONFIGURATION
from esc_oidc.tokens import Opener, Opening, UnknownSubjectAttribute, deployment_claims, login_claims, project_of

ALICE = Opener("alice")


def subject(attributes, *, opened="aws/dev", current="aws/dev", root="aws/dev", opener=ALICE, **options):
    """The `sub` of a login in organization contoso."""
    return login_claims(
        Opening("contoso", opened, opener),
        current_environment=current,
        root_environment=root,
        subject_attributes=attributes,
        **options,
    )["sub"]


@pytest.mark.parametrize(
    ("current", "audience", "expected"),
    [
        (
            "project/development",
            "aws:contoso",
            (
                "pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name:project/development"
                ":pulumi.user.login:personA"
            ),
        ),
        (
            "default/development",
            "contoso",
            (
                "pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name:development"
                ":pulumi.user.login:personA"
            ),
        ),
    ],
)
def test_the_guides_worked_examples_match(current, audience, expected):
    """Audience and subject are those in Pulumi's guide, also for project `default`."""
    token = login_claims(
        Opening("contoso", current, Opener("personA")),
        current_environment=current,
        root_environment=current,
        subject_attributes=["currentEnvironment.name", "pulumi.user.login"],
    )
    assert (token["iss"], token["aud"]) == ("https://api.pulumi.com/oidc", audience)
    assert token["sub"] == expected
    assert token["trigger_user"] == "personA"


def test_attributes_keep_the_listed_order():
    """The subject has each attribute with its value, as the login lists them."""
    listed = ["pulumi.token.team", "pulumi.token.type", "rootEnvironment.name", "currentEnvironment.name"]
    ops = Opener("contoso", "team", "ops")
    assert subject(listed, root="app/prod", opener=ops) == (
        "pulumi:environments:pulumi.organization.login:contoso:pulumi.token.team:ops:pulumi.token.type:team"
        ":rootEnvironment.name:app/prod:currentEnvironment.name:aws/dev"
    )


def test_an_absent_team_is_an_empty_value():
    """A personal token has an empty team, not a missing one."""
    assert subject(["pulumi.token.team"]).endswith(":contoso:pulumi.token.team:")


@pytest.mark.parametrize("attribute", ["pulumi.token.name", "pulumi.organization.login", "user", ""])
def test_attributes_that_the_server_refuses_are_refused(attribute):
    """A forgeable, undocumented or unknown attribute fails the login; the message has the allowed ones."""
    with pytest.raises(UnknownSubjectAttribute, match=r"use one of currentEnvironment\.name, "):
        subject([attribute])


@pytest.mark.parametrize(
    ("opened", "expected"),
    [
        ("app/prod", "pulumi:environments:org:contoso:env:app/prod"),
        ("default/prod", "pulumi:environments:org:contoso:env:prod"),
        (STACK_CONFIGURATION, "pulumi:environments:org:contoso:env:<yaml>"),
    ],
)
def test_without_attributes_the_subject_names_what_was_opened(opened, expected):
    """It is the opened environment, whichever one holds the login, and `<yaml>` for a stack."""
    assert subject([], opened=opened, current="aws/dev", root="app/prod") == expected


@pytest.mark.parametrize(
    ("spelling", "current", "expected"),
    [
        ("stripped", "default/dev", "dev"),
        ("stripped", "dev", "dev"),
        ("as written", "default/dev", "default/dev"),
        ("as written", "dev", "dev"),
        ("stripped", "aws/dev@stable", "aws/dev@stable"),
    ],
)
def test_project_default_has_two_spellings(spelling, current, expected):
    """The guide strips it; the evaluator keeps the name as the import has it."""
    minted = subject(["currentEnvironment.name"], current=current, default_project=spelling)
    assert minted.endswith(f":currentEnvironment.name:{expected}")


@pytest.mark.parametrize(
    ("current", "audience"),
    [
        ("aws/dev@3", "aws:contoso"),
        ("dev", "contoso"),
        ("default/dev@3", "contoso"),
        (STACK_CONFIGURATION, "aws:contoso"),
    ],
)
def test_the_project_that_holds_the_login_decides_the_audience(current, audience):
    """The opened environment doesn't matter."""
    token = login_claims(
        Opening("contoso", "default/root", ALICE), current_environment=current, root_environment="default/root"
    )
    assert token["aud"] == audience


def test_an_import_without_a_project_is_in_default():
    """Environments older than projects are there."""
    assert (project_of("dev"), project_of("aws/dev")) == ("default", "aws")


def test_a_deployment_has_a_token_of_its_own():
    """Its audience is the bare organization; its subject names stack and operation."""
    token = deployment_claims("contoso", "Core", "prod", "update", issuer="https://pulumi.example.com/oidc")
    assert token["iss"] == "https://pulumi.example.com/oidc"
    assert token["aud"] == "contoso"
    assert token["sub"] == ("pulumi:deploy:org:contoso:project:Core:stack:prod:operation:update:scope:write")


@pytest.mark.parametrize("opener", [("contoso", "team", ""), ("alice", "personal", "ops"), ("alice", "robot", "")])
def test_an_impossible_opener_is_refused(opener):
    """A team needs a team token, and there are three types."""
    with pytest.raises(ValueError, match="token"):
        Opener(*opener)


def test_an_opener_has_a_counterpart_in_another_organization():
    """A person is the same everywhere; a team's or an organization's token belongs to one organization."""
    assert Opener("alice").of("fabrikam") == Opener("alice")
    assert Opener("contoso", "team", "ops").of("fabrikam") == Opener("fabrikam", "team", "ops")
    assert Opener("contoso", "organization").of("fabrikam") == Opener("fabrikam", "organization")


def test_an_opener_reads_as_words():
    """Messages say who opens without explaining token types."""
    assert str(Opener("alice")) == "alice"
    assert str(Opener("contoso", "team", "ops")) == "a token of team ops"
    assert str(Opener("contoso", "organization")) == "a token of the organization contoso"
