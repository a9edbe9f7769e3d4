"""Components constructed through the plugin, as every other Pulumi language does."""

import pytest
import yaml
from pulumi.runtime import rpc

from esc_oidc import PulumiDeploymentsOidc, PulumiEscOidc
from tests.support.deploying import ACCOUNT, PROVIDER_ARN
from tests.support.inputs import camel_case
from tests.support.plugin import BOUNDARY, DEPLOYMENTS, ESC, MINIMAL, OTHER, STACK, SUBJECT, output

BILLING = "arn:aws:iam::aws:policy/job-function/Billing"


@pytest.mark.parametrize(("component", "inputs"), MINIMAL, ids=[component for component, _ in MINIMAL])
def test_the_required_inputs_are_enough(plugin, component, inputs):
    """Each component is constructed with its children below it, and every output has a value."""
    made = plugin.construct(component, inputs)
    outputs = {"PulumiEscOidc": PulumiEscOidc, "PulumiDeploymentsOidc": PulumiDeploymentsOidc}[component]
    assert made.status is None
    assert made.urn == f"urn:pulumi:test::esc-oidc::pulumi:pulumi:Stack$esc-oidc:index:{component}::esc"
    assert made.resources[0].request.parent == STACK
    assert {child.request.parent for child in made.resources[1:]} == {made.urn}
    assert set(made.state) == {camel_case(name) for name in outputs.__annotations__}
    assert rpc.UNKNOWN not in made.state.values()
    assert made.log == []


def test_the_outputs_are_those_of_the_children(plugin):
    """Other languages read what AWS and Pulumi Cloud were sent."""
    made = plugin.construct("PulumiEscOidc", ESC)
    role = f"arn:aws:iam::{ACCOUNT}:role/esc-role-1234567"
    assert [resource.name for resource in made.resources] == ["esc", "esc-provider", "esc-role", "esc-environment"]
    assert made.state["subjects"] == [SUBJECT]
    assert made.state["audience"] == "aws:contoso"
    assert made.state["oidcProviderArn"] == PROVIDER_ARN
    assert made.state["roleArn"] == role
    assert made.state["trustPolicy"] == made.one("Role").inputs["assumeRolePolicy"]
    assert made.state["environmentDefinition"] == made.one("Environment").inputs["yaml"]["text"]
    login = yaml.safe_load(made.state["environmentDefinition"])["values"]["aws"]["login"]["fn::open::aws-login"]
    assert login["oidc"]["roleArn"] == role


def test_the_operation_context_fits_deployment_settings(plugin):
    """The one nested output arrives as `pulumiservice.DeploymentSettings` takes it."""
    context = plugin.construct("PulumiDeploymentsOidc", DEPLOYMENTS).state["operationContext"]
    assert context["oidc"]["aws"] == {
        "roleARN": f"arn:aws:iam::{ACCOUNT}:role/esc-role-1234567",
        "duration": "1h",
        "sessionName": "pulumi-deploy",
    }


def test_a_null_is_a_missing_input(plugin):
    """Pulumi drops nulls of other languages, so even an input that narrows access counts as not given."""
    nulled, left_out = (
        plugin.construct("PulumiEscOidc", {**ESC, "allowedUsers": None}),
        plugin.construct("PulumiEscOidc", ESC),
    )
    assert nulled.status is None
    assert nulled.state["subjects"] == left_out.state["subjects"]


def test_the_host_drops_an_unknown_name(plugin):
    """Our check never sees it: only a typed SDK or the YAML checker can find it."""
    misspelled = plugin.construct("PulumiEscOidc", {**ESC, "alowedUsers": ["alice"]})
    assert misspelled.status is None
    assert misspelled.state["subjects"] == [SUBJECT]


def test_values_of_a_map_may_be_outputs(plugin):
    """An ARN of another resource and a plain one are both attached, under plain names."""
    made = plugin.construct(
        "PulumiEscOidc",
        {**ESC, "namedPolicyArns": {"own": output(BOUNDARY, dependencies=(OTHER,))}, "policyArns": [BILLING]},
        dependencies={"namedPolicyArns": [OTHER]},
    )
    assert made.status is None
    assert {attached.name: attached.inputs["policyArn"] for attached in made.of("RolePolicyAttachment")} == {
        "esc-policy-own": BOUNDARY,
        "esc-policy-Billing-8754f47b": BILLING,
    }


def test_warnings_belong_to_the_component(plugin):
    """A warning reaches the engine once, with the component's URN."""
    made = plugin.construct("PulumiEscOidc", {**ESC, "maxSessionDuration": "6h"})
    ((severity, text, urn),) = made.log
    assert (severity, urn) == ("WARNING", made.urn)
    assert text.startswith("maxSessionDuration: ")


def test_providers_reach_the_children_and_the_look_up(plugin):
    """The caller's AWS provider creates the role and looks up the adopted provider."""
    reference = "urn:pulumi:test::esc-oidc::pulumi:providers:aws::mine::id"
    made = plugin.construct(
        "PulumiEscOidc",
        {**ESC, "oidcProviderArn": PROVIDER_ARN},
        providers={"aws": reference},
        provider={"clientIdLists": ["aws:contoso"]},
    )
    assert made.status is None
    assert made.state["oidcProviderArn"] == PROVIDER_ARN
    assert made.one("Role").request.provider == reference
    assert [invoke.provider for invoke in made.invokes] == [reference]
