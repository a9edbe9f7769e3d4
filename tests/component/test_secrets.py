"""Secret inputs of a PulumiEscOidc."""

from functools import partial

import pulumi
import pytest

from tests.support.deploying import PROVIDER_ARN, deploy
from tests.support.programs import SECRET, SECRET_KEY, esc_login

ELSEWHERE = {"clientIdLists": ["aws:fabrikam"]}


def test_a_secret_stays_one():
    """What derives from a secret input is a secret in the children and in the outputs."""
    deployed = deploy(esc_login(allowed_users=lambda: pulumi.Output.secret(["alice"])))
    assert deployed.one("Role").inputs["assumeRolePolicy"][SECRET_KEY] == SECRET
    assert {"trust_policy", "subjects"} <= deployed.secrets
    assert deploy(esc_login(allowed_users=["alice"])).secrets == set()


@pytest.mark.parametrize("name", ["environment_variables", "pulumi_config"])
def test_a_secret_does_not_reach_the_definition(name):
    """Whoever may read the definition would see it: refused, and not shown in the message either."""
    deployed = deploy(esc_login(**{name: lambda: {"A": pulumi.Output.secret("hunter2")}}))
    assert "whoever may read the environment's definition" in str(deployed.error)
    assert "hunter2" not in str(deployed.error)
    assert deployed.of("Role") == []


def test_a_secret_that_is_refused_is_not_shown():
    """A violation of a secret input has the rule, but not the value."""
    deployed = deploy(esc_login(allowed_users=lambda: pulumi.Output.secret(["hunter 2"])))
    assert "letters, digits and `._@+-`" in str(deployed.error)
    assert "hunter" not in str(deployed.error)
    odd = deploy(esc_login(allowed_users=lambda: pulumi.Output.secret(["a!", 7])))
    assert str(odd.error).count("= (a secret): ") == 2


def test_a_secret_does_not_stand_in_a_message():
    """Rules and warnings speak of the value, or of another input's: neither shows a secret."""
    long = ["a" * 250]
    for inputs in ({"organization": "topsecret", "allowed_users": long}, {"organization": "TopSecret"}):
        organization = partial(pulumi.Output.secret, inputs["organization"])
        deployed = deploy(esc_login(**(inputs | {"organization": organization})))
        said = [str(deployed.error), *deployed.warnings]
        assert "(a secret)" in "".join(said)
        assert not any("topsecret" in text.lower() for text in said)
    deployed = deploy(esc_login(oidc_provider_arn=lambda: pulumi.Output.secret(PROVIDER_ARN)), provider=ELSEWHERE)
    assert "--open-id-connect-provider-arn (a secret)" in str(deployed.error)
    assert PROVIDER_ARN not in str(deployed.error)
