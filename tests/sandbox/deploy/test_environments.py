"""A program whose stack lists environments: what they give it."""

import os

import pytest

from esc_oidc.sandbox.deploy import Clouds, NotDeployed, deploy, load_stack
from esc_oidc.tokens import Opener

CONSUMER = """
import os

import pulumi
import pulumi_aws as aws

config = pulumi.Config()
explicit = aws.Provider("explicit", region="eu-central-1")
pulumi.export("variables", {name: os.environ.get(name) for name in ("PLAIN", "YES", "NUMBER", "LIST", "MINE", "HOME")})
pulumi.export("config", {key: config.get(key) for key in ("given", "both", "listed")})
pulumi.export("region", pulumi.Config("aws").get("region"))
pulumi.export("identity", aws.get_caller_identity_output().arn)
pulumi.export("explicit", aws.get_caller_identity_output(opts=pulumi.InvokeOptions(provider=explicit)).arn)
"""
LOGIN = """values:
  aws:
    login:
      fn::open::aws-login:
        oidc: {{roleArn: "{role}", sessionName: esc, duration: 1h, subjectAttributes: [currentEnvironment.name]}}
  environmentVariables:
    AWS_ACCESS_KEY_ID: ${{aws.login.accessKeyId}}
    AWS_SECRET_ACCESS_KEY: ${{aws.login.secretAccessKey}}
    AWS_SESSION_TOKEN: ${{aws.login.sessionToken}}
    PLAIN: text
    YES: true
    NUMBER: 3
    LIST: [a]
    HOME: /nowhere
  pulumiConfig:
    aws:region: eu-west-1
    given: by the environment
    both: by the environment
    consumer:listed: [1, 2]
"""


@pytest.fixture
def consumer(tmp_path):
    """A program whose stack lists an environment."""

    def write(environment):
        (tmp_path / "Pulumi.yaml").write_text("name: consumer\nruntime: python\n")
        (tmp_path / "Pulumi.dev.yaml").write_text(f"environment: [{environment}]\nconfig: {{both: by the stack}}\n")
        (tmp_path / "__main__.py").write_text(CONSUMER)
        return load_stack(tmp_path, None, {})

    return write


@pytest.fixture
def clouds(sandbox):
    """Where alice's programs are deployed."""
    return Clouds(sandbox.aws_url, sandbox.cloud_url, lambda org: sandbox.access_token(Opener("alice"), [org]))


def test_a_stack_gets_what_its_environments_give(client, make, role, clouds, consumer):
    """Its variables and configuration, over which its own configuration wins, and both AWS providers' credentials."""
    make(client, "aws", "dev", LOGIN.format(role=role))
    before = dict(os.environ)
    outputs = deploy(consumer("aws/dev"), clouds, "contoso", environment={"MINE": "1", "HOME": "/home/me"}).outputs
    assert outputs["variables"] == {
        "PLAIN": "text", "YES": "true", "NUMBER": "3", "LIST": None, "MINE": "1", "HOME": "/nowhere",
    }  # fmt: skip
    assert outputs["config"] == {"given": "by the environment", "both": "by the stack", "listed": "[1, 2]"}
    assert outputs["region"] == "eu-west-1"
    assert outputs["identity"] == outputs["explicit"] == "arn:aws:sts::123456789012:assumed-role/esc/esc"
    assert dict(os.environ) == before


def test_a_stack_whose_environment_is_refused_is_not_deployed(client, make, role, clouds, consumer):
    """The program isn't run, and the error is the one that opening the environment gives."""
    make(client, "aws", "other", LOGIN.format(role=role))
    with pytest.raises(NotDeployed, match=r"consumer: opening the stack's environments: \[400\].*AccessDenied"):
        deploy(consumer("aws/other"), clouds, "contoso")
    with pytest.raises(NotDeployed, match="environment contoso/aws/none not found"):
        deploy(consumer("aws/none"), clouds, "contoso")
