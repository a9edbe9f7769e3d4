"""How inputs may be passed to a PulumiDeploymentsOidc."""

from functools import partial

import pulumi
import pulumi_aws as aws
import pytest

from esc_oidc import PulumiDeploymentsOidc, PulumiDeploymentsOidcArgs
from tests.support.deploying import deploy
from tests.support.programs import DEPLOYMENTS, SECRET, SECRET_KEY, UNKNOWN, deployments_login

ANY_STACK, MANAGE = "dangerously_allow_any_stack_in_project", "manage_deployment_settings"


def test_the_two_forms_of_the_constructor_declare_the_same():
    """One argument or keywords: both are ordinary Pulumi."""
    args: PulumiDeploymentsOidcArgs = {"organization": "contoso", "project": "core", "stacks": ["dev"]}
    by_args, by_keywords = deploy(lambda: PulumiDeploymentsOidc("dep", args) and None), deploy(deployments_login())
    assert [(r.type, r.name, r.inputs) for r in by_args.resources] == [
        (r.type, r.name, r.inputs) for r in by_keywords.resources
    ]


def test_an_unknown_input_makes_its_children_unknown():
    """In a preview a stack that another resource computes is unknown; it is neither judged nor guessed."""

    def program():
        other = aws.iam.Policy("other", policy='{"Statement":[]}')
        PulumiDeploymentsOidc("dep", **(DEPLOYMENTS | {"stacks": ["dev", other.arn]}))

    deployed = deploy(program, preview=True)
    assert deployed.error is None
    assert deployed.one("Role").inputs["assumeRolePolicy"] == UNKNOWN
    assert deployed.one("OpenIdConnectProvider").inputs["clientIdLists"] == ["contoso"]


def test_outputs_and_plain_values_declare_the_same():
    """The same values declare the same resources in either form."""
    plain = {"operations": ["preview"], "role_description": "Deployments"}
    outputs = {name: partial(pulumi.Output.from_input, value) for name, value in {**DEPLOYMENTS, **plain}.items()}
    outputs["stacks"] = lambda: [pulumi.Output.from_input("dev")]
    as_outputs, as_plain = deploy(deployments_login(**outputs)), deploy(deployments_login(**plain))
    assert as_outputs.error is None
    assert as_outputs.exports == as_plain.exports
    assert {r.name: r.inputs for r in as_outputs.resources} == {r.name: r.inputs for r in as_plain.resources}


def test_a_secret_stays_secret():
    """Everything derived from a secret input is secret, in the children and in the outputs."""
    deployed = deploy(deployments_login(stacks=lambda: [pulumi.Output.secret("dev")]))
    assert deployed.one("Role").inputs["assumeRolePolicy"][SECRET_KEY] == SECRET
    assert {"trust_policy", "subjects"} <= deployed.secrets
    assert deploy(deployments_login()).secrets == set()


def test_a_refused_secret_is_not_shown():
    """The violation has the rule, but not the value."""
    deployed = deploy(deployments_login(stacks=lambda: [pulumi.Output.secret("hunter 2")]))
    assert "a stack has 1 to 100" in str(deployed.error)
    assert "hunter" not in str(deployed.error)


@pytest.mark.parametrize("none", ["policy_arns", "tags", "role_name", "session_name", ANY_STACK, MANAGE, "issuer"])
def test_none_means_not_given(none):
    """`config.get` returns None for a key that isn't set; unless the input narrows access, it gets its default."""
    given, absent = deploy(deployments_login(**{none: None})), deploy(deployments_login())
    assert given.error is None
    assert {r.name: r.inputs for r in given.resources} == {r.name: r.inputs for r in absent.resources}
