"""What the sandbox creates for a program, and which functions it answers."""

import pytest

from esc_oidc.sandbox import Sandbox
from esc_oidc.sandbox.deploy import Clouds


@pytest.mark.parametrize(
    ("inputs", "account", "partition"),
    [
        ({}, None, "aws"),
        ({"allowedAccountIds": ["444444444444"]}, "444444444444", "aws"),
        ({"assumeRoles": [{"roleArn": "arn:aws:iam::555555555555:role/deploy"}]}, "555555555555", "aws"),
        ({"region": "us-gov-west-1"}, None, "aws-us-gov"),
        ({"profile": "prod"}, None, "aws"),
    ],
)
def test_the_provider_decides_account_and_partition(inputs, account, partition):
    """The account is its own or that of the role it assumes; the partition follows from the region."""
    with Sandbox() as sandbox:
        clouds = Clouds(sandbox.aws_url, sandbox.cloud_url, lambda organization: organization)
        clouds.configure("pulumi:providers:aws", "there", inputs)
        made = clouds.create(
            "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
            "p",
            {"url": "https://api.pulumi.com/oidc", "clientIdLists": ["aws:contoso"]},
            "urn:pulumi:a::b::pulumi:providers:aws::there::there",
        )
        assert made[0] == f"arn:{partition}:iam::{account or sandbox.account}:oidc-provider/api.pulumi.com/oidc"


def test_an_unknown_function_is_an_error_that_names_it():
    """An invented answer would help nobody."""
    with Sandbox() as sandbox:
        clouds = Clouds(sandbox.aws_url, sandbox.cloud_url, lambda organization: organization)
        with pytest.raises(LookupError, match="getOpenIdConnectProvider"):
            clouds.invoke("aws:s3/getBucket:getBucket", {})
        with pytest.raises(LookupError, match="there is no OIDC provider"):
            clouds.invoke(
                "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider", {"url": "https://a.example/oidc"}
            )
