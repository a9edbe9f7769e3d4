"""What the tests of the sandbox's two clouds share: a running sandbox and clients of it."""

import http.client
import json
from urllib.parse import urlsplit

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from pulumi_esc_sdk import Configuration, EscClient

from esc_oidc.sandbox import Sandbox
from esc_oidc.tokens import Opener, Opening, login_claims


@pytest.fixture(scope="module")
def sandbox():
    """One sandbox for all tests of a module; each uses names of its own."""
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="session")
def aws_client():
    """Makes a boto3 client of a sandbox's AWS."""

    def make(sandbox, service, region="us-east-1", **options):
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=region)
        return session.client(service, endpoint_url=sandbox.aws_url, **options)

    return make


@pytest.fixture(scope="module")
def iam(sandbox, aws_client):
    """A client of IAM."""
    return aws_client(sandbox, "iam")


@pytest.fixture(scope="module")
def sts(sandbox, aws_client):
    """A client of STS without credentials, as the holder of a token uses it."""
    return aws_client(sandbox, "sts", config=Config(signature_version=UNSIGNED))


@pytest.fixture(scope="session")
def esc():
    """Makes an SDK client of a sandbox's Pulumi Cloud, with somebody's access token."""

    def make(sandbox, login="alice", kind="personal", team=""):
        organizations = ["contoso"] if kind == "personal" else []
        token = sandbox.access_token(Opener(login, kind, team), organizations)
        return EscClient(Configuration(host=sandbox.cloud_url, access_token=token))

    return make


@pytest.fixture(scope="module")
def client(sandbox, esc):
    """The SDK as alice of contoso uses it."""
    return esc(sandbox)


@pytest.fixture(scope="session")
def make():
    """Creates an environment of contoso with a definition."""

    def create(client, project, name, yaml):
        client.create_environment("contoso", project, name)
        assert client.update_environment_yaml("contoso", project, name, yaml).diagnostics is None

    return create


@pytest.fixture(scope="module")
def provider(iam):
    """The ARN of a provider for Pulumi Cloud."""
    made = iam.create_open_id_connect_provider(Url="https://api.pulumi.com/oidc", ClientIDList=["aws:contoso"])
    return made["OpenIDConnectProviderArn"]


@pytest.fixture(scope="session")
def trust_policy():
    """Writes a trust policy that admits logins in aws/dev of contoso."""
    subject = "pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name:aws/dev"

    def write(provider, version="2012-10-17"):
        keys = {"api.pulumi.com/oidc:aud": "aws:contoso", "api.pulumi.com/oidc:sub": subject}
        statement = {
            "Effect": "Allow",
            "Principal": {"Federated": provider},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": keys},
        }
        return json.dumps({"Version": version, "Statement": [statement]})

    return write


@pytest.fixture(scope="module")
def token(sandbox, claims):
    """Signs the token of a login, as `claims` writes it."""

    def sign(environment="aws/dev", organization="contoso", **others):
        return sandbox.issuer.mint(claims(environment, organization, **others))

    return sign


@pytest.fixture(scope="module")
def role(iam, provider, trust_policy):
    """The ARN of a role, with a path, that admits aws/dev of contoso for at most two hours."""
    made = iam.create_role(
        RoleName="esc",
        Path="/pulumi/",
        AssumeRolePolicyDocument=trust_policy(provider),
        MaxSessionDuration=7200,
    )
    return made["Role"]["Arn"]


@pytest.fixture(scope="session")
def claims():
    """Writes the claims of a login in an environment, changed as asked."""

    def write(environment="aws/dev", organization="contoso", **others):
        own = login_claims(
            Opening(organization, environment, Opener("alice")),
            current_environment=environment,
            root_environment=environment,
            subject_attributes=["currentEnvironment.name"],
        )
        return {**own, **others}

    return write


@pytest.fixture(scope="module")
def ask(sandbox):
    """Sends one request with the CLI's headers; returns the status, the headers and the body, with JSON read."""
    alice = sandbox.access_token(Opener("alice"), ["contoso", "fabrikam"])

    def send(method, path, body=None, token=f"token {alice}", **headers):
        connection = http.client.HTTPConnection(urlsplit(sandbox.cloud_url).netloc)
        payload = body if isinstance(body, str | bytes) or body is None else json.dumps(body)
        common = {
            "Authorization": token,
            "Accept": "application/vnd.pulumi+8",
            "Content-Type": "application/json",
            "User-Agent": "pulumi-cli/1 (; linux)",
        }
        connection.request(
            method, path, payload.encode() if isinstance(payload, str) else payload, {**common, **headers}
        )
        with connection.getresponse() as reply:
            text = reply.read().decode()
        connection.close()
        is_json = reply.headers.get("Content-Type") == "application/json"
        return reply.status, reply.headers, json.loads(text) if is_json else text

    return send
