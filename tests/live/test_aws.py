"""Reading AWS: whose credentials are asked, how often, and what a refusal says."""

import ast
import inspect
import json
import re
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, EndpointConnectionError

from esc_oidc.live import AwsAccounts, LiveProvider, RoleDetails, Unreadable
from esc_oidc.live import aws as room
from esc_oidc.sandbox import Sandbox, client, surroundings
from esc_oidc.tokens import Opener
from esc_oidc.trust import Trust, trust_policy

ROLE = "arn:aws:iam::123456789012:role/team/esc"
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/api.pulumi.com/oidc"
POLICY = json.dumps(trust_policy(Trust("https://api.pulumi.com/oidc", "aws:contoso", ("s",)), PROVIDER))


CALL = BaseClient._make_api_call  # noqa: SLF001 - the one place where every call passes


@pytest.fixture
def sandbox(tmp_path, monkeypatch):
    """An AWS account with a role and a provider, and another with profile `prod`."""
    with Sandbox() as running, surroundings(running, running.access_token(Opener("a"), ["b"]), {}) as around:
        for name, value in around.variables.items():
            monkeypatch.setenv(name, value)
        config = tmp_path / "config"
        config.write_text(
            "[profile prod]\naws_access_key_id = 210987654321\naws_secret_access_key = x\n[profile none]\n"
        )
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        iam = client("iam", running.aws_url)
        iam.create_role(RoleName="esc", Path="/team/", AssumeRolePolicyDocument=POLICY, MaxSessionDuration=7200)
        iam.create_open_id_connect_provider(
            Url="https://api.pulumi.com/oidc", ClientIDList=["aws:contoso"], ThumbprintList=["a" * 40]
        )
        yield running


@pytest.mark.usefixtures("sandbox")
def test_a_role_and_its_provider_are_read():
    """With what decides who gets in."""
    accounts = AwsAccounts()
    role = accounts.role(ROLE)
    assert (role.arn, role.max_session_duration) == (ROLE, 7200)
    assert json.loads(role.policy) == json.loads(POLICY)
    assert accounts.provider(PROVIDER) == LiveProvider(PROVIDER, ("aws:contoso",), ("a" * 40,))
    assert accounts.providers("123456789012") == (PROVIDER,)


@pytest.mark.usefixtures("sandbox")
def test_what_does_not_exist_is_none():
    """A role under another path is another role to STS."""
    accounts = AwsAccounts()
    assert accounts.role(ROLE.replace("esc", "other")) is None
    assert accounts.role(ROLE.replace("team/", "")) is None
    assert accounts.provider(PROVIDER.replace("api", "app")) is None


@pytest.mark.usefixtures("sandbox")
def test_each_account_is_read_with_its_own_profile():
    """An account that no profile is for is said, with what was tried."""
    accounts = AwsAccounts(["none", "prod"])
    assert accounts.role(ROLE.replace("123456789012", "210987654321")) is None
    assert accounts.providers("210987654321") == ()
    with pytest.raises(Unreadable, match=r"no credentials for account 123456789999: tried none .*, prod \(2109"):
        accounts.role(ROLE.replace("123456789012", "123456789999"))


@pytest.mark.usefixtures("sandbox")
def test_an_unknown_profile_is_said():
    """The others are asked all the same."""
    with pytest.raises(Unreadable, match=r"missing .*could not be found"):
        AwsAccounts(["missing"]).role(ROLE)
    assert AwsAccounts(["missing", "prod"]).providers("210987654321") == ()


@pytest.mark.usefixtures("sandbox")
def test_nothing_is_read_twice():
    """Fifty threads that ask for one role make one request."""
    with mock.patch("botocore.client.BaseClient._make_api_call", autospec=True, side_effect=CALL) as calls:
        accounts = AwsAccounts()
        with ThreadPoolExecutor(50) as pool:
            assert len({role.arn for role in pool.map(accounts.role, [ROLE] * 50)}) == 1
    assert sorted(call.args[1] for call in calls.call_args_list) == ["GetCallerIdentity", "GetRole"]


@pytest.mark.parametrize(
    ("error", "said", "permission"),
    [
        ("AccessDenied", "the credentials for account 123456789012 lack iam:GetRole.", "iam:GetRole"),
        ("Throttling", "can't be read: AWS answers Throttling.", None),
        (EndpointConnectionError(endpoint_url="https://iam.amazonaws.com"), "Could not connect", None),
    ],
)
@pytest.mark.usefixtures("sandbox")
def test_a_refusal_names_the_missing_permission(error, said, permission):
    """And anything else in AWS's own words."""
    failure = ClientError({"Error": {"Code": error, "Message": "no"}}, "GetRole") if isinstance(error, str) else error

    def call(self, operation, parameters):
        if operation == "GetRole":
            raise failure
        return CALL(self, operation, parameters)

    with mock.patch("botocore.client.BaseClient._make_api_call", autospec=True, side_effect=call):
        accounts = AwsAccounts()
        for _ in range(2):
            with pytest.raises(Unreadable) as raised:
                accounts.role(ROLE)
    assert said in str(raised.value)
    assert raised.value.permission == permission


READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
NOTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}


def test_all_that_a_role_has_is_read(sandbox):
    """Description, boundary, tags and all of its policies, each of which is asked for once."""
    iam = client("iam", sandbox.aws_url)
    assert AwsAccounts().details(ROLE) == RoleDetails("", "", {}, (), {})
    iam.update_role(RoleName="esc", Description="ours", MaxSessionDuration=7200)
    iam.put_role_permissions_boundary(RoleName="esc", PermissionsBoundary=READ_ONLY)
    iam.tag_role(RoleName="esc", Tags=[{"Key": "a", "Value": "b"}])
    iam.attach_role_policy(RoleName="esc", PolicyArn=READ_ONLY)
    iam.put_role_policy(RoleName="esc", PolicyName="none", PolicyDocument=json.dumps(NOTHING))
    accounts = AwsAccounts()
    found = accounts.details(ROLE)
    assert found == RoleDetails("ours", READ_ONLY, {"a": "b"}, (READ_ONLY,), {"none": json.dumps(NOTHING)})
    assert accounts.details(ROLE) is not None
    assert accounts.role_arn("esc") == ROLE
    assert accounts.details(ROLE.replace("esc", "other")) is None
    assert accounts.role_arn("other") is None


def test_a_provider_has_tags(sandbox):
    """None are none."""
    iam = client("iam", sandbox.aws_url)
    assert AwsAccounts().provider_tags(PROVIDER) == {}
    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=PROVIDER, Tags=[{"Key": "a", "Value": "b"}])
    assert AwsAccounts().provider_tags(PROVIDER) == {"a": "b"}
    assert AwsAccounts().provider_tags(PROVIDER.replace("api", "app")) == {}


@pytest.mark.parametrize("arn", ["esc", "arn:aws:iam::123456789012:user/x", "arn:aws:iam::12:role/x"])
def test_what_is_no_role_is_not_asked_for(arn):
    """The message says what an ARN looks like."""
    with pytest.raises(Unreadable, match="is not the ARN of an IAM role"):
        AwsAccounts().role(arn)


def test_the_room_has_no_call_that_changes_anything():
    """Every call to AWS begins with `get_` or `list_`."""
    calls = {
        node.func.attr
        for node in ast.walk(ast.parse(inspect.getsource(room)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if isinstance(node.func.value, ast.Name) and node.func.value.id in {"iam", "sts"}
    }
    pages = set(re.findall(r'get_paginator\("(\w+)"\)', inspect.getsource(room)))
    assert pages == {"list_attached_role_policies", "list_role_policies"}
    assert calls == {
        "get_role",
        "get_role_policy",
        "get_paginator",
        "get_open_id_connect_provider",
        "list_open_id_connect_providers",
        "get_caller_identity",
    }
