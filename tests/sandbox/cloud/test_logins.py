"""Environments that log in to AWS, opened in the sandbox's Pulumi Cloud."""

import json

import boto3
import pytest
from pulumi_esc_sdk import exceptions

from tests.support.judge import unplaced

ISSUER = "https://api.pulumi.com/oidc"


@pytest.fixture(scope="module")
def role(iam):
    """The ARN of a role that admits three environments, opened by alice or by the team ops."""
    made = iam.create_open_id_connect_provider(Url=ISSUER, ClientIDList=["aws:contoso"])
    prefix = "pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name:login"
    subjects = [
        f"{prefix}/{environment}:pulumi.user.login:{opener}"
        for environment in ("dev", "long", "brief")
        for opener in ("alice:pulumi.token.team:", "contoso:pulumi.token.team:ops")
    ]
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": made["OpenIDConnectProviderArn"]},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {"api.pulumi.com/oidc:aud": "aws:contoso", "api.pulumi.com/oidc:sub": subjects}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return iam.create_role(RoleName="login", AssumeRolePolicyDocument=policy)["Role"]["Arn"]


def login(role, duration="1h", attributes="currentEnvironment.name, pulumi.user.login, pulumi.token.team"):
    """A definition that logs in."""
    return f"""values:
  aws:
    login:
      fn::open::aws-login:
        oidc:
          roleArn: {role}
          sessionName: pulumi-esc
          {f"duration: {duration}" if duration else ""}
          policyArns: [arn:aws:iam::aws:policy/ReadOnlyAccess]
          subjectAttributes: [{attributes}]
  environmentVariables:
    AWS_ACCESS_KEY_ID: ${{aws.login.accessKeyId}}
    AWS_SECRET_ACCESS_KEY: ${{aws.login.secretAccessKey}}
    AWS_SESSION_TOKEN: ${{aws.login.sessionToken}}
"""


@pytest.fixture(scope="module")
def login_environment(client, role, make):
    """The definition of the environment that the role admits, login/dev."""
    make(client, "login", "dev", login(role))
    return login(role)


@pytest.mark.usefixtures("login_environment")
@pytest.mark.parametrize("opener", [("alice",), ("contoso", "team", "ops")])
def test_a_login_gets_credentials_of_the_role(sandbox, esc, opener):
    """AWS identifies their holder as the role, and all of them are secret."""
    opened, values, _ = esc(sandbox, *opener).open_and_read_environment("contoso", "login", "dev")
    held = values["environmentVariables"]
    sts = boto3.client(
        "sts",
        endpoint_url=sandbox.aws_url,
        region_name="us-east-1",
        **{key.lower(): value for key, value in held.items()},
    )
    assert sts.get_caller_identity()["Arn"].endswith(":assumed-role/login/pulumi-esc")
    exported = opened.properties["environmentVariables"].value
    assert all(each["secret"] for each in exported.values())


@pytest.mark.usefixtures("login_environment")
@pytest.mark.parametrize("opener", [("bob",), ("contoso", "organization"), ("contoso", "team", "dev")])
def test_a_refused_login_gets_awss_answer(sandbox, esc, opener):
    """The diagnostic at the login block has AWS's code, its message and the reason."""
    with pytest.raises(exceptions.BadRequestException) as caught:
        esc(sandbox, *opener).open_environment("contoso", "login", "dev")
    (diagnostic,) = caught.value.data.diagnostics
    assert "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity: " in diagnostic.summary
    assert diagnostic.range.environment == "login/dev"


@pytest.mark.usefixtures("login_environment")
def test_an_importer_may_use_the_login(client, make):
    """The token names the environment that holds the login, so the role admits anyone who imports it."""
    make(client, "login", "importer", "imports: [login/dev]")
    values = client.open_and_read_environment("contoso", "login", "importer")[1]
    assert values["aws"]["login"]["accessKeyId"].startswith("ASIA")


def test_a_pinned_import_is_another_subject(client, login_environment, make):
    """The name in the token is the text of the import, so the role refuses a pinned one."""
    assert login_environment
    make(client, "login", "pinned", "imports: [login/dev@latest]")
    with pytest.raises(exceptions.BadRequestException) as caught:
        client.open_environment("contoso", "login", "pinned")
    assert "login/dev@latest" in caught.value.data.diagnostics[0].summary


@pytest.mark.parametrize(
    ("name", "changed", "words"),
    [
        ("long", {"duration": ""}, "the role allows at most 1h"),
        ("brief", {"duration": "14m"}, "AWS takes 15m to 12h"),
        ("forged", {"attributes": "pulumi.token.name"}, "'pulumi.token.name' is not allowed"),
        ("bare", {"attributes": ""}, "pulumi:environments:org:contoso:env:login/bare"),
    ],
)
def test_a_login_that_cannot_work_says_why(client, make, role, name, changed, words):
    """For example, ESC's default of two hours is too long for a role that allows one."""
    make(client, "login", name, login(role, **changed))
    with pytest.raises(exceptions.BadRequestException) as caught:
        client.open_environment("contoso", "login", name)
    assert words in caught.value.data.diagnostics[0].summary


@pytest.mark.usefixtures("login_environment")
def test_a_stack_opens_the_login_as_its_root(ask):
    """`pulumi up` opens an anonymous definition; with attributes the role admits it like a person."""
    opened = ask("POST", "/api/esc/environments/contoso/yaml/open", {"imports": ["login/dev"]})[2]["id"]
    values = ask("GET", f"/api/esc/environments/contoso/yaml/open/{opened}")[2]["properties"]
    assert values["aws"]["value"]["login"]["value"]["accessKeyId"]["value"].startswith("ASIA")


def test_without_attributes_a_stack_has_a_subject_of_its_own(ask, client, make, role):
    """It is `<yaml>`, whatever the stack imports, so a role for the environment's name refuses it."""
    make(client, "login", "plain", login(role, attributes=""))
    status, _, body = ask("POST", "/api/esc/environments/contoso/yaml/open", {"imports": ["login/plain"]})
    assert status == 400
    assert "pulumi:environments:org:contoso:env:<yaml>" in body["diagnostics"][0]["summary"]
    assert body["diagnostics"][0]["range"]["environment"] == "login/plain"


def test_checking_a_login_opens_nothing(client, login_environment):
    """Its results are unknown and secret."""
    checked = client.check_environment_yaml("contoso", login_environment)
    exported = checked.properties["environmentVariables"].value["AWS_SESSION_TOKEN"]
    assert unplaced(exported) == {"value": None, "unknown": True, "secret": True}
