"""What the sandbox's AWS does that moto leaves out, asked by boto3."""

import pytest
from botocore.exceptions import ClientError

ISSUER = "https://api.pulumi.com/oidc"


def assume(sts, role, token):
    """Ask for the role."""
    return sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="esc", WebIdentityToken=token)


def test_client_ids_are_added_and_removed(iam, sts, trust_policy, token):
    """An audience counts from its registration to its removal; both calls may be repeated."""
    url = "https://pulumi.example.com/oidc"
    arn = iam.create_open_id_connect_provider(Url=url, ClientIDList=["aws:first"])["OpenIDConnectProviderArn"]
    named = {"OpenIDConnectProviderArn": arn, "ClientID": "aws:contoso"}
    for _ in range(2):
        iam.add_client_id_to_open_id_connect_provider(**named)
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert found["ClientIDList"] == ["aws:first", "aws:contoso"]
    policy = trust_policy(arn).replace("api.pulumi.com", "pulumi.example.com")
    role = iam.create_role(RoleName="self-hosted", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    signed = token(iss=url)
    assert assume(sts, role, signed)["Credentials"]
    for _ in range(2):
        iam.remove_client_id_from_open_id_connect_provider(**named)
    with pytest.raises(sts.exceptions.InvalidIdentityTokenException):
        assume(sts, role, signed)


def test_client_ids_have_limits(iam):
    """A provider takes a hundred of up to 255 characters, and it must exist."""
    url = "https://many.example.com/oidc"
    ids = [f"aws:{number}" for number in range(100)]
    arn = iam.create_open_id_connect_provider(Url=url, ClientIDList=ids)["OpenIDConnectProviderArn"]
    add = iam.add_client_id_to_open_id_connect_provider
    for named, code in (
        ({"OpenIDConnectProviderArn": arn, "ClientID": "aws:one-more"}, "LimitExceeded"),
        ({"OpenIDConnectProviderArn": arn, "ClientID": "x" * 256}, "ValidationError"),
        ({"OpenIDConnectProviderArn": f"{arn}/none", "ClientID": "x"}, "NoSuchEntity"),
    ):
        with pytest.raises(ClientError) as caught:
            add(**named)
        assert caught.value.response["Error"]["Code"] == code


@pytest.mark.parametrize("change", [("Condition", "Conditions"), ("Statement", "Statements"), ("{", "[")])
def test_a_role_with_a_bad_trust_policy_is_not_created(iam, provider, trust_policy, change):
    """IAM checks the grammar at creation, and nothing of the role is left."""
    with pytest.raises(ClientError) as caught:
        iam.create_role(RoleName="bad", AssumeRolePolicyDocument=trust_policy(provider).replace(*change))
    assert caught.value.response["Error"]["Code"] == "MalformedPolicyDocument"
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_role(RoleName="bad")


def test_a_failed_second_creation_leaves_the_first_role(iam, role, provider, trust_policy):
    """A name that is taken is an error, and the first role stays."""
    with pytest.raises(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName="esc", AssumeRolePolicyDocument=trust_policy(provider))
    assert iam.get_role(RoleName="esc")["Role"]["Arn"] == role


def test_a_trust_policy_of_the_old_version_is_accepted(iam, sts, provider, trust_policy, token):
    """AWS accepts Version 2008-10-17; moto's own check would refuse it."""
    policy = trust_policy(provider, version="2008-10-17")
    role = iam.create_role(RoleName="old", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    assert assume(sts, role, token())["Credentials"]


@pytest.mark.usefixtures("role")
def test_policies_that_aws_manages_exist(iam):
    """ReadOnlyAccess can be attached, and a policy that doesn't exist can't."""
    iam.attach_role_policy(RoleName="esc", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    attached = iam.list_attached_role_policies(RoleName="esc")["AttachedPolicies"]
    assert [each["PolicyName"] for each in attached] == ["ReadOnlyAccess"]
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.attach_role_policy(RoleName="esc", PolicyArn="arn:aws:iam::aws:policy/Nothing")


def test_other_partitions_have_their_own_providers(sandbox, aws_client, sts, trust_policy, token):
    """A role in China is found through its own provider, and its sessions are Chinese, too."""
    iam = aws_client(sandbox, "iam", region="cn-north-1")
    arn = iam.create_open_id_connect_provider(Url=ISSUER, ClientIDList=[])["OpenIDConnectProviderArn"]
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="aws:contoso")
    role = iam.create_role(RoleName="esc", AssumeRolePolicyDocument=trust_policy(arn))["Role"]["Arn"]
    assert role.startswith("arn:aws-cn:")
    answer = assume(sts, role, token())
    assert answer["AssumedRoleUser"]["Arn"].startswith(f"arn:aws-cn:sts::{sandbox.account}:assumed-role/esc/")


def test_other_services_answer_as_moto_does(sandbox, aws_client):
    """A request that isn't a form passes through to moto with its body."""
    s3 = aws_client(sandbox, "s3")
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="k", Body=b"Action=AssumeRoleWithWebIdentity")
    assert s3.get_object(Bucket="kept", Key="k")["Body"].read() == b"Action=AssumeRoleWithWebIdentity"
