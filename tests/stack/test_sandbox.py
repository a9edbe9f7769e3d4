"""The stack of this repository, configured as `make try` configures it."""

import json
import re

import pytest
import yaml

from esc_oidc import PulumiEscOidc
from tests.support.deploying import ACCOUNT, PROVIDER_ARN
from tests.support.inputs import camel_case
from tests.support.programs import READ_ONLY
from tests.support.stack import PROJECT, SANDBOX, definition, run_stack


@pytest.fixture(scope="module")
def sandbox():
    """The stack as `make try` configures it, with the defaults that Pulumi.yaml declares, as the engine adds them."""
    defaults = {key: value["default"] for key, value in PROJECT["config"].items() if "default" in value}
    return run_stack({**defaults, **SANDBOX["config"]})


def test_the_sandbox_stack_is_what_the_readme_says():
    """It has organization contoso, environment aws/dev, two users, a read-only policy and a region."""
    assert SANDBOX == {
        "config": {
            "organization": "contoso",
            "project": "aws",
            "environment": "dev",
            "allowedUsers": ["alice", "bob"],
            "policyArns": [READ_ONLY],
            "region": "us-east-1",
        }
    }


def test_the_sandbox_stack_deploys(sandbox):
    """It declares the component with its provider, role, attachment and environment."""
    assert sandbox.error is None
    assert sandbox.warnings == []
    assert {resource.name: resource.type.rpartition(":")[2] for resource in sandbox.resources} == {
        "esc-oidc": "PulumiEscOidc",
        "esc-oidc-provider": "OpenIdConnectProvider",
        "esc-oidc-role": "Role",
        "esc-oidc-policy-ReadOnlyAccess-2a3bda39": "RolePolicyAttachment",
        "esc-oidc-environment": "Environment",
    }


def test_the_sandbox_stack_admits_only_its_two_users(sandbox):
    """The configured users reach the trust policy as exact subjects."""
    (statement,) = json.loads(sandbox.exports["trustPolicy"])["Statement"]
    subject = "pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name:aws/dev:pulumi.user.login"
    assert statement["Condition"] == {
        "StringEquals": {
            "api.pulumi.com/oidc:aud": "aws:contoso",
            "api.pulumi.com/oidc:sub": [f"{subject}:alice", f"{subject}:bob"],
        }
    }


def test_every_output_is_exported(sandbox):
    """Each output has its camelCase name and its value; the readme is exported, too."""
    assert set(sandbox.exports) == {camel_case(name) for name in PulumiEscOidc.__annotations__} | {"readme"}
    assert sandbox.exports["oidcProviderArn"] == PROVIDER_ARN
    assert sandbox.exports["roleArn"] == f"arn:aws:iam::{ACCOUNT}:role/esc-oidc-role-1234567"
    assert sandbox.exports["roleName"] == "esc-oidc-role-1234567"
    assert sandbox.exports["audience"] == "aws:contoso"
    assert len(sandbox.exports["subjects"]) == 2
    assert yaml.safe_load(sandbox.exports["environmentDefinition"]) == definition(sandbox)
    assert sandbox.exports["environmentRef"] == "contoso/aws/dev"
    assert sandbox.exports["openCommand"] == "pulumi env open contoso/aws/dev"


def test_the_readme_refers_to_exports(sandbox):
    """Pulumi's console replaces `${outputs.X}` in it by exports, so each must exist."""
    references = re.findall(r"\$\{([^}]*)\}", sandbox.exports["readme"])
    assert references
    assert {each.removeprefix("outputs.") for each in references} <= set(sandbox.exports) - {"readme"}
    assert all(each.startswith("outputs.") for each in references)
