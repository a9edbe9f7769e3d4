"""A program deployed to the sandbox: what exists afterwards, and who gets in."""

from pathlib import Path

import pytest
from pulumi_esc_sdk.exceptions import ApiException

from esc_oidc.sandbox.deploy import Clouds, deploy, load_stack
from esc_oidc.tokens import Opener

ROOT = Path(__file__).parents[3]


def test_this_repositorys_stack_opens_for_alice_and_not_for_mallory(sandbox, iam, esc):
    """One role, one provider and one environment exist, and only a listed user gets credentials."""
    clouds = Clouds(sandbox.aws_url, sandbox.cloud_url, lambda org: sandbox.access_token(Opener("alice"), [org]))
    deploy(load_stack(ROOT, "sandbox", {}), clouds, "contoso")
    _, values, _ = esc(sandbox, "alice").open_and_read_environment("contoso", "aws", "dev")
    assert values["environmentVariables"]["AWS_SESSION_TOKEN"]
    with pytest.raises(ApiException, match=r"pulumi\.user\.login is 'mallory'"):
        esc(sandbox, "mallory").open_and_read_environment("contoso", "aws", "dev")
    assert [role["RoleName"] for role in iam.list_roles()["Roles"]] == ["esc-oidc-role-0sandbx"]
    assert [each["Arn"] for each in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]] == [
        "arn:aws:iam::123456789012:oidc-provider/api.pulumi.com/oidc"
    ]
    assert [str(each.ref) for each in sandbox.store.list(["contoso"])] == ["contoso/aws/dev"]
