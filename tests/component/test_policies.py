"""The policies that a PulumiEscOidc attaches to its role."""

import pulumi
import pytest

from tests.support.deploying import deploy
from tests.support.programs import BILLING, READ_ONLY, esc_login

LITERAL = "esc-policy-ReadOnlyAccess-2a3bda39"


def attached(**inputs):
    """The attachments that a program declares: the ARN of each, by its name."""
    deployed = deploy(esc_login(**inputs))
    assert deployed.error is None
    return {child.name: child.inputs["policyArn"] for child in deployed.of("RolePolicyAttachment")}


@pytest.mark.parametrize("wrap", [str, pulumi.Output.from_input])
def test_a_named_policy_is_named_after_its_key(wrap):
    """The name stays when the ARN changes, and needs no ARN that is known."""
    assert attached(named_policy_arns=lambda: {"own": wrap(READ_ONLY)}) == {"esc-policy-own": READ_ONLY}


def test_an_output_among_the_plain_policies_is_refused_with_the_way_out():
    """No name can be made of it, and one that follows its place would detach policies when the list changes."""
    deployed = deploy(esc_login(policy_arns=lambda: [BILLING, pulumi.Output.from_input(READ_ONLY)]))
    assert "policy_arns[1] = (an Output): " in str(deployed.error)
    assert "`named_policy_arns`" in str(deployed.error)
    assert deployed.resources == []


def test_a_policy_keeps_its_attachment_when_it_gets_a_name():
    """A literal that becomes an Output of the same ARN moves to the other input; nothing is detached."""
    named = deploy(esc_login(named_policy_arns=lambda: {"own": pulumi.Output.from_input(READ_ONLY)}))
    (alias,) = named.one("RolePolicyAttachment").request.aliases
    assert alias.spec.name == LITERAL
    assert LITERAL in attached(policy_arns=[READ_ONLY])
