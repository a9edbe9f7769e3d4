"""A PulumiDeploymentsOidc that uses a provider the account already has."""

from esc_oidc import InvalidInputs, PulumiDeploymentsOidc, PulumiEscOidc
from tests.support.deploying import ACCOUNT, PROVIDER_ARN, deploy
from tests.support.programs import DEPLOYMENTS, deployments_login


def test_an_adopted_provider_is_looked_up_and_not_created():
    """With `oidc_provider_arn` the role trusts the existing provider."""
    deployed = deploy(deployments_login(oidc_provider_arn=PROVIDER_ARN), provider={"clientIdLists": ["contoso", "x"]})
    assert deployed.error is None
    assert deployed.of("OpenIdConnectProvider") == []
    assert [call.args["arn"] for call in deployed.calls] == [PROVIDER_ARN]
    assert deployed.exports["oidc_provider_arn"] == PROVIDER_ARN


def test_an_adopted_provider_without_the_audience_is_refused():
    """A provider for ESC alone has another audience; the message has the exact command that adds this one."""
    deployed = deploy(deployments_login(oidc_provider_arn=PROVIDER_ARN), provider={"clientIdLists": ["aws:contoso"]})
    assert isinstance(deployed.error, InvalidInputs)
    assert "takes tokens for aws:contoso; this role's are for contoso" in str(deployed.error)
    assert f"--open-id-connect-provider-arn {PROVIDER_ARN} --client-id contoso" in str(deployed.error)
    assert deployed.of("Role") == []


def test_an_adopted_provider_of_another_account_is_refused():
    """AWS takes tokens only through a provider of the role's own account; no settings are sent."""
    arn = PROVIDER_ARN.replace(ACCOUNT, "999999999999")
    deployed = deploy(deployments_login(oidc_provider_arn=arn, manage_deployment_settings=True))
    assert "provider of the role's own account" in str(deployed.error)
    assert deployed.of("DeploymentSettings") == []


def test_one_provider_serves_both_components():
    """One component creates it with both audiences, and the other adopts it."""

    def program():
        login = PulumiEscOidc(
            "esc", organization="contoso", project="aws", environment="dev", additional_audiences=["contoso"]
        )
        made = PulumiDeploymentsOidc("dep", **DEPLOYMENTS, oidc_provider_arn=login.oidc_provider_arn)
        return {"one": login.oidc_provider_arn, "other": made.oidc_provider_arn, "audience": made.audience}

    deployed = deploy(program, provider={"clientIdLists": ["aws:contoso", "contoso"]})
    assert deployed.error is None
    assert deployed.warnings == []
    assert deployed.one("OpenIdConnectProvider").inputs["clientIdLists"] == ["aws:contoso", "contoso"]
    assert deployed.exports == {"one": PROVIDER_ARN, "other": PROVIDER_ARN, "audience": "contoso"}
    assert [r.name for r in deployed.of("Role")] == ["dep-role", "esc-role"]
