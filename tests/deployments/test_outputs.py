"""The outputs of a PulumiDeploymentsOidc, in an update and in a preview."""

import json

import pulumi_pulumiservice as pulumiservice
from pulumi.provider.experimental.component import ComponentProvider

from esc_oidc import PulumiDeploymentsOidc, PulumiEscOidc
from tests.support.deploying import ACCOUNT, PROVIDER_ARN, deploy
from tests.support.programs import DEPLOYMENTS, READ_ONLY, UNKNOWN, deployments_login

SUBJECT = "pulumi:deploy:org:contoso:project:core:stack:{}:operation:{}:scope:write"
OPERATIONS = ["preview", "update", "refresh", "destroy"]
ROLE = f"arn:aws:iam::{ACCOUNT}:role/dep-role-1234567"


def test_every_output_has_its_value():
    """All outputs resolve, to the values of the children."""
    exports = deploy(deployments_login()).exports
    assert set(exports) == set(PulumiDeploymentsOidc.__annotations__)
    assert exports["oidc_provider_arn"] == PROVIDER_ARN
    assert exports["role_arn"] == ROLE
    assert exports["role_name"] == "dep-role-1234567"
    assert exports["audience"] == "contoso"
    assert exports["subjects"] == [SUBJECT.format("dev", operation) for operation in OPERATIONS]
    assert json.loads(exports["trust_policy"])["Statement"][0]["Principal"] == {"Federated": PROVIDER_ARN}
    assert exports["operation_context"] == {
        "oidc": {"aws": {"roleARN": ROLE, "sessionName": "pulumi-deploy", "duration": "1h"}}
    }


def test_the_operation_context_fits_deployment_settings():
    """Every language's DeploymentSettings takes it as it is; empty keys are left out."""
    given = {"session_name": "${stack.name}-${deployment.id}", "duration": "30m", "session_policy_arns": [READ_ONLY]}

    def program():
        made = PulumiDeploymentsOidc("dep", **DEPLOYMENTS, **given)
        pulumiservice.DeploymentSettings(
            "own", organization="contoso", project="core", stack="dev", operation_context=made.operation_context
        )
        return {"context": made.operation_context}

    deployed = deploy(program)
    assert list(deployed.exports["context"]["oidc"]["aws"]) == ["roleARN", "sessionName", "duration", "policyARNs"]
    assert deployed.one("DeploymentSettings").inputs["operationContext"] == {
        "oidc": {
            "aws": {
                "roleARN": ROLE,
                "sessionName": "${stack.name}-${deployment.id}",
                "duration": "30m",
                "policyARNs": [READ_ONLY],
            }
        }
    }
    assert deployed.one("Role").inputs["maxSessionDuration"] == 3600


def test_the_components_own_state_is_short():
    """The policy is in the role's state and not repeated in the component's."""
    assert sorted(deploy(deployments_login()).outputs["dep"]) == [
        "audience", "oidcProviderArn", "operationContext", "roleArn", "roleName", "subjects",
    ]  # fmt: skip


def test_a_first_preview_passes():
    """ARNs are still unknown, and so is everything derived from them; the rest is shown."""
    deployed = deploy(deployments_login(manage_deployment_settings=True), preview=True)
    assert deployed.error is None
    assert deployed.one("Role").inputs["assumeRolePolicy"] == UNKNOWN
    assert deployed.one("DeploymentSettings").inputs["operationContext"] == UNKNOWN
    assert deployed.one("DeploymentSettings").inputs["stack"] == "dev"
    assert sorted(deployed.exports) == ["audience", "subjects"]


def test_every_language_sees_the_component():
    """The schema has both components, every output, and every input with its description."""
    schema = json.loads(ComponentProvider([PulumiDeploymentsOidc, PulumiEscOidc], name="esc-oidc").schema)
    assert sorted(schema["resources"]) == ["esc-oidc:index:PulumiDeploymentsOidc", "esc-oidc:index:PulumiEscOidc"]
    seen = schema["resources"]["esc-oidc:index:PulumiDeploymentsOidc"]
    assert seen["requiredInputs"] == ["organization", "project"]
    assert len(seen["required"]) == len(PulumiDeploymentsOidc.__annotations__)
    assert seen["properties"]["operationContext"]["type"] == "object"
    assert seen["properties"]["operationContext"]["additionalProperties"]["$ref"] == "pulumi.json#/Any"
    for described in (*seen["properties"].values(), *seen["inputProperties"].values()):
        assert described["description"].rstrip().endswith((".", "`."))
