"""Secret inputs of a PulumiEscOidc."""

from functools import partial

import pulumi
import pytest

from tests.support.deploying import PROVIDER_ARN, deploy
from tests.support.programs import SECRET, SECRET_KEY, esc_login

ELSEWHERE = {"clientIdLists": ["aws:fabrikam"]}


def test_a_secret_stays_secret():
    """Everything derived from a secret input is secret, in the children and in the outputs."""
    deployed = deploy(esc_login(allowed_users=lambda: pulumi.Output.secret(["alice"])))
    assert deployed.one("Role").inputs["assumeRolePolicy"][SECRET_KEY] == SECRET
    assert {"trust_policy", "subjects"} <= deployed.secrets
    assert deploy(esc_login(allowed_users=["alice"])).secrets == set()


@pytest.mark.parametrize("name", ["environment_variables", "pulumi_config"])
def test_a_secret_never_reaches_the_definition(name):
    """Anyone who may read the definition would see it, so it is refused, without being shown in the message."""
    deployed = deploy(esc_login(**{name: lambda: {"A": pulumi.Output.secret("hunter2")}}))
    assert "whoever may read the environment's definition" in str(deployed.error)
    assert "hunter2" not in str(deployed.error)
    assert deployed.of("Role") == []


def test_a_refused_secret_is_not_shown():
    """The violation has the rule, but not the value."""
    deployed = deploy(esc_login(allowed_users=lambda: pulumi.Output.secret(["hunter 2"])))
    assert "letters, digits and `._@+-`" in str(deployed.error)
    assert "hunter" not in str(deployed.error)
    odd = deploy(esc_login(allowed_users=lambda: pulumi.Output.secret(["a!", 7])))
    assert str(odd.error).count("= (a secret): ") == 2


def test_no_message_shows_a_secret():
    """Neither its own rules and warnings nor those of another input show it."""
    long = ["a" * 250]
    for inputs in ({"organization": "topsecret", "allowed_users": long}, {"organization": "TopSecret"}):
        organization = partial(pulumi.Output.secret, inputs["organization"])
        deployed = deploy(esc_login(**(inputs | {"organization": organization})))
        said = [str(deployed.error), *deployed.warnings]
        assert "(a secret)" in "".join(said)
        assert not any("topsecret" in text.lower() for text in said)
    deployed = deploy(esc_login(oidc_provider_arn=lambda: pulumi.Output.secret(PROVIDER_ARN)), provider=ELSEWHERE)
    assert "oidc_provider_arn = (a secret): this provider takes tokens for aws:fabrikam" in str(deployed.error)
    assert PROVIDER_ARN not in str(deployed.error)
