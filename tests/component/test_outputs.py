"""The outputs of a PulumiEscOidc, in an update and in a preview."""

import json

import yaml

from esc_oidc import PulumiEscOidc
from tests.support.deploying import ACCOUNT, PROVIDER_ARN, deploy
from tests.support.programs import ESC, READ_ONLY, UNKNOWN, esc_login


def test_every_output_has_its_value():
    """All outputs resolve, to the values of the children."""
    exports = deploy(esc_login()).exports
    role = f"arn:aws:iam::{ACCOUNT}:role/esc-role-1234567"
    subject = "pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name:aws/dev"
    assert set(exports) == set(PulumiEscOidc.__annotations__)
    assert exports["oidc_provider_arn"] == PROVIDER_ARN
    assert exports["role_arn"] == role
    assert exports["role_name"] == "esc-role-1234567"
    assert exports["audience"] == "aws:contoso"
    assert exports["subjects"] == [subject]
    assert json.loads(exports["trust_policy"])["Statement"][0]["Principal"] == {"Federated": PROVIDER_ARN}
    assert yaml.safe_load(exports["environment_definition"])["values"]["aws"]["login"]["fn::open::aws-login"] == {
        "oidc": {
            "roleArn": role,
            "sessionName": "pulumi-esc",
            "duration": "1h",
            "subjectAttributes": ["currentEnvironment.name"],
        }
    }
    assert exports["environment_ref"] == "contoso/aws/dev"
    assert exports["open_command"] == "pulumi env open contoso/aws/dev"


def test_the_components_own_state_is_short():
    """The policy and the definition are in the children's state and not repeated in the component's."""
    assert sorted(deploy(esc_login()).outputs["esc"]) == [
        "audience", "environmentRef", "oidcProviderArn", "roleArn", "roleName", "subjects",
    ]  # fmt: skip


def test_a_first_preview_passes():
    """ARNs are still unknown, and so is everything derived from them; the rest is shown."""
    deployed = deploy(esc_login(policy_arns=[READ_ONLY]), preview=True)
    assert deployed.error is None
    assert deployed.one("Role").inputs["assumeRolePolicy"] == UNKNOWN
    assert deployed.one("Environment").inputs["yaml"] == UNKNOWN
    assert deployed.one("OpenIdConnectProvider").inputs["clientIdLists"] == ["aws:contoso"]
    assert deployed.exports == {
        "audience": "aws:contoso",
        "subjects": ["pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name:aws/dev"],
        "environment_ref": "contoso/aws/dev",
        "open_command": "pulumi env open contoso/aws/dev",
    }


def test_other_attributes_raise_attribute_error():
    """Outputs are made on demand; any other name is missing, as on any object."""

    def program():
        made = PulumiEscOidc("esc", **ESC)
        assert made.audience is made.audience
        return {"missing": str(hasattr(made, "rolearn")), "private": str(hasattr(made, "_nothing"))}

    assert deploy(program).exports == {"missing": "False", "private": "False"}
