"""A PulumiEscOidc that uses a provider the account already has."""

import json

import pytest

from esc_oidc import InvalidInputs
from tests.support.deploying import ACCOUNT, PROVIDER_ARN, deploy
from tests.support.programs import esc_login


def test_an_adopted_provider_is_looked_up_and_not_created():
    """With `oidc_provider_arn` the role trusts the existing provider."""
    deployed = deploy(esc_login(oidc_provider_arn=PROVIDER_ARN), provider={"clientIdLists": ["aws:contoso", "x"]})
    assert deployed.error is None
    assert deployed.of("OpenIdConnectProvider") == []
    assert [call.args["arn"] for call in deployed.calls] == [PROVIDER_ARN]
    assert deployed.exports["oidc_provider_arn"] == PROVIDER_ARN
    assert json.loads(deployed.exports["trust_policy"])["Statement"][0]["Principal"] == {"Federated": PROVIDER_ARN}


def test_an_adopted_provider_without_the_audience_is_refused():
    """The message has the exact command that registers the audience, and no role is sent."""
    deployed = deploy(esc_login(oidc_provider_arn=PROVIDER_ARN), provider={"clientIdLists": ["aws:fabrikam"]})
    assert isinstance(deployed.error, InvalidInputs)
    assert (
        "aws iam add-client-id-to-open-id-connect-provider "
        f"--open-id-connect-provider-arn {PROVIDER_ARN} --client-id aws:contoso" in str(deployed.error)
    )
    assert deployed.of("Role") == []


def test_an_adopted_provider_without_client_ids_is_not_judged():
    """A user's mocks answer nothing, so there is nothing to judge."""
    assert deploy(esc_login(oidc_provider_arn=PROVIDER_ARN)).error is None


@pytest.mark.parametrize(
    "arn",
    [
        PROVIDER_ARN.replace(ACCOUNT, "999999999999"),
        PROVIDER_ARN.replace("arn:aws:", "arn:aws-us-gov:"),
    ],
)
def test_an_adopted_provider_of_another_account_is_refused(arn):
    """AWS takes tokens only through a provider of the role's own account and partition."""
    deployed = deploy(esc_login(oidc_provider_arn=arn))
    assert "provider of the role's own account" in str(deployed.error)
    assert deployed.of("Environment") == []
