"""Outputs that cross the plugin: secrets, dependencies, and values that a preview does not know."""

import pytest
from pulumi.runtime import rpc

from tests.support.plugin import BOUNDARY, ESC, OTHER, SUBJECT, output, secret

BILLING = "arn:aws:iam::aws:policy/job-function/Billing"


@pytest.mark.parametrize("given", ["output", "state", "item"])
def test_a_secret_input_makes_secret_outputs(plugin, given):
    """In any form the engine uses for a secret, everything derived from it is secret."""
    users = {"output": output(["alice"], secret=True), "state": secret(["alice"]), "item": [secret("alice")]}[given]
    made = plugin.construct("PulumiEscOidc", {**ESC, "allowedUsers": users})
    assert made.status is None
    assert made.state["subjects"] == secret([f"{SUBJECT}:pulumi.user.login:alice"])
    assert made.one("Role").inputs["assumeRolePolicy"] == made.state["trustPolicy"]
    assert set(made.state["trustPolicy"]) == set(secret(""))
    assert set(made.outputs["esc"]["subjects"]) == set(secret(""))


@pytest.mark.parametrize("value", [output(BOUNDARY, dependencies=(OTHER,)), BOUNDARY], ids=["output", "value"])
def test_dependencies_propagate(plugin, value):
    """What an input reaches depends on whatever the input depends on; nothing else does."""
    made = plugin.construct(
        "PulumiEscOidc",
        {**ESC, "permissionsBoundaryArn": value},
        dependencies={"permissionsBoundaryArn": [OTHER]},
    )
    assert made.status is None
    assert made.one("Role").inputs["permissionsBoundary"] == BOUNDARY
    depending = {
        (child.name, name)
        for child in made.resources
        for name, dependencies in child.request.propertyDependencies.items()
        if OTHER in dependencies.urns
    }
    assert depending == {("esc-role", "permissionsBoundary")}
    assert made.dependencies["trustPolicy"] == ["esc-role"]
    assert made.dependencies["environmentRef"] == ["esc-environment"]


def test_an_output_depends_only_on_its_own_child(plugin):
    """So it is if no input is an Output."""
    assert plugin.construct("PulumiEscOidc", ESC).dependencies == {
        "audience": [],
        "subjects": [],
        "oidcProviderArn": ["esc-provider"],
        "trustPolicy": ["esc-role"],
        "roleArn": ["esc-role"],
        "roleName": ["esc-role"],
        "environmentDefinition": ["esc-role"],
        "environmentRef": ["esc-environment"],
        "openCommand": ["esc-environment"],
    }


@pytest.mark.parametrize("value", [output(dependencies=(OTHER,)), rpc.UNKNOWN], ids=["output", "value"])
def test_an_unknown_input_in_a_preview_is_not_judged(plugin, value):
    """It is unknown before the first deployment; what does not derive from it is known."""
    made = plugin.construct(
        "PulumiEscOidc",
        {**ESC, "permissionsBoundaryArn": value},
        dependencies={"permissionsBoundaryArn": [OTHER]},
        preview=True,
    )
    assert made.status is None
    assert made.one("Role").inputs["permissionsBoundary"] == rpc.UNKNOWN
    assert made.one("OpenIdConnectProvider").inputs["clientIdLists"] == ["aws:contoso"]
    assert made.one("Environment").inputs["name"] == "dev"
    assert made.state["subjects"] == [SUBJECT]


def test_a_preview_knows_what_needs_no_cloud(plugin):
    """With plain inputs, who gets in and how to open the environment are known before anything exists."""
    made = plugin.construct("PulumiEscOidc", ESC, preview=True)
    assert made.status is None
    assert {name: value for name, value in made.state.items() if value != rpc.UNKNOWN} == {
        "audience": "aws:contoso",
        "subjects": [SUBJECT],
        "environmentRef": "contoso/aws/dev",
        "openCommand": "pulumi env open contoso/aws/dev",
    }


def test_an_unknown_policy_is_attached_in_a_preview(plugin):
    """The number and the names of attachments don't depend on unknown values, nor does one ARN on another."""
    made = plugin.construct(
        "PulumiEscOidc",
        {**ESC, "namedPolicyArns": {"own": output(dependencies=(OTHER,)), "billing": BILLING}},
        dependencies={"namedPolicyArns": [OTHER]},
        preview=True,
    )
    assert {attached.name: attached.inputs["policyArn"] for attached in made.of("RolePolicyAttachment")} == {
        "esc-policy-own": rpc.UNKNOWN,
        "esc-policy-billing": BILLING,
    }
