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
    """The role, the environment and the outputs depend on whatever an input depends on."""
    made = plugin.construct(
        "PulumiEscOidc",
        {**ESC, "permissionsBoundaryArn": value},
        dependencies={"permissionsBoundaryArn": [OTHER]},
    )
    assert made.status is None
    assert made.one("Role").inputs["permissionsBoundary"] == BOUNDARY
    assert OTHER in made.one("Role").request.propertyDependencies["permissionsBoundary"].urns
    assert all(OTHER in child.request.dependencies for child in made.resources[1:])
    assert made.dependencies["trustPolicy"] == ["other", "esc-provider"]
    assert made.dependencies["environmentRef"] == ["other", "esc-environment"]


def test_an_output_depends_only_on_its_own_child(plugin):
    """So it is if no input is an Output."""
    assert plugin.construct("PulumiEscOidc", ESC).dependencies == {
        "audience": [],
        "subjects": [],
        "oidcProviderArn": ["esc-provider"],
        "trustPolicy": ["esc-provider"],
        "roleArn": ["esc-role"],
        "roleName": ["esc-role"],
        "environmentDefinition": ["esc-role"],
        "environmentRef": ["esc-environment"],
        "openCommand": ["esc-environment"],
    }


@pytest.mark.parametrize("value", [output(dependencies=(OTHER,)), rpc.UNKNOWN], ids=["output", "value"])
def test_an_unknown_input_in_a_preview_is_not_judged(plugin, value):
    """It is unknown before the first deployment, and so is everything derived from it."""
    made = plugin.construct(
        "PulumiEscOidc",
        {**ESC, "permissionsBoundaryArn": value},
        dependencies={"permissionsBoundaryArn": [OTHER]},
        preview=True,
    )
    assert made.status is None
    assert made.one("Role").inputs["permissionsBoundary"] == rpc.UNKNOWN
    assert made.state["trustPolicy"] == rpc.UNKNOWN
    assert "other" in made.dependencies["trustPolicy"]


def test_a_preview_knows_what_needs_no_cloud(plugin):
    """With plain inputs, subjects and audience are known before anything exists."""
    made = plugin.construct("PulumiEscOidc", ESC, preview=True)
    assert made.status is None
    assert {name: value for name, value in made.state.items() if value != rpc.UNKNOWN} == {
        "audience": "aws:contoso",
        "subjects": [SUBJECT],
    }


def test_an_unknown_item_of_a_list_is_attached_in_a_preview(plugin):
    """The number and the names of attachments don't depend on unknown values."""
    made = plugin.construct(
        "PulumiEscOidc",
        {**ESC, "policyArns": [output(dependencies=(OTHER,)), BILLING]},
        dependencies={"policyArns": [OTHER]},
        preview=True,
    )
    assert {attached.name: attached.inputs["policyArn"] for attached in made.of("RolePolicyAttachment")} == {
        "esc-policy-0": rpc.UNKNOWN,
        "esc-policy-Billing-8754f47b": rpc.UNKNOWN,
    }
