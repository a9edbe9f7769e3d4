"""Secret inputs of a PulumiEscOidc."""

import os
from functools import partial

import pulumi
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from esc_oidc.inputs import EnvironmentPlan, Secrets, Violation
from tests.support.deploying import PROVIDER_ARN, deploy
from tests.support.inputs import ARGUMENTS
from tests.support.programs import READ_ONLY, SECRET, SECRET_KEY, esc_login

# tests/conftest.py chooses a new seed for each run, and prints it when a test fails; set it to repeat that run.
SEED = int(os.environ["ESC_OIDC_SEED"])
ELSEWHERE = {"clientIdLists": ["aws:fabrikam"]}
CANARY = "zqk"
"""Stands in every secret below, and nowhere else."""

SHAPES = [
    "zqk", "Zqk", "zqk-1/zqk", "zqk/zqk-2", "default/zqk", "zqk/a/zqk", "aws:zqk", "zqk zqk", "zqk@stable",
    "zqk\n  - zqk", "zqk'zqk\"zqk", "zqk\\zqk", "${zqk.zqk", "a ${zqk", '{"zqk": 1', '{"zqk": 1, "Statement": NaN}',
    "z\u00f6zqk\u00f6", "zqkzqkzqk" * 40, "\ud800zqk", "arn:aws:iam::aws:policy/zqk", "arn:aws-cn:iam::zqk:policy/zqk",
    "arn:aws:iam::123456789012:policy/zqk/AdministratorAccess", PROVIDER_ARN.replace("api", "zqk"),
]  # fmt: skip


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


@st.composite
def secret_inputs(draw):
    """Any of the inputs that may be Outputs, each a secret, good or bad."""
    inputs = {}
    # Numbered, since what is masked in one place would hide in all others that it leaks.
    shape = st.builds(lambda text, number: text.replace("zqk", f"zqk{number}"), st.sampled_from(SHAPES), st.integers(1))
    for name, argument in ARGUMENTS[EnvironmentPlan].items():
        if not (argument.may_be_output or argument.items_may_be_outputs) or draw(st.integers(0, 2)):
            continue
        if argument.kind == "str":
            value = draw(shape)
        elif argument.kind == "list":
            value = draw(st.lists(shape, min_size=1, max_size=3))
        else:
            value = {"a": draw(shape), "b": draw(shape)}
        secret = draw(st.sampled_from(["whole", "item"]))
        if isinstance(value, dict) or (isinstance(value, list) and (secret == "item" or not argument.may_be_output)):
            inputs[name] = partial(_items, value)
        else:
            inputs[name] = partial(pulumi.Output.secret, value)
    return inputs


def _items(value):
    if isinstance(value, dict):
        return {key: pulumi.Output.secret(item) for key, item in value.items()}
    return [pulumi.Output.secret(item) for item in value]


@seed(SEED)
@settings(max_examples=60, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(secret_inputs(), st.sampled_from([0, 1]), st.sampled_from([{}, ELSEWHERE]), st.booleans())
def test_no_message_about_any_inputs_shows_a_secret(inputs, revision, provider, preview):
    """Whatever is wrong, and whenever it is found: no error, warning or violation has a piece of it."""
    deployed = deploy(
        esc_login(**inputs), revision=revision, provider=provider, account="999999999999", preview=preview
    )
    said = [str(deployed.error), repr(getattr(deployed.error, "violations", "")), *map(str, deployed.log)]
    assert not any(CANARY in text.lower() for text in said), said


@pytest.mark.parametrize(
    "inputs",
    [
        {"allowed_users": lambda: [pulumi.Output.secret(48151623)]},
        {"allowed_users": lambda: [pulumi.Output.secret(True)]},
        {"inline_policies": lambda: {"a": pulumi.Output.secret({"zqkzqk": 1, "Statement": []})}},
        {"inline_policies": lambda: {"a": pulumi.Output.secret({"Statement": [{"Condition": {"zqkzqk": 5}}]})}},
    ],
)
def test_numbers_and_keys_are_secrets_too(inputs):
    """A secret is not only its texts."""
    error = str(deploy(esc_login(**inputs)).error)
    assert "(a secret)" in error
    assert "zqk" not in error
    assert "48151623" not in error


def test_an_empty_secret_hides_nothing_else():
    """No text is in it."""
    deployed = deploy(esc_login(tags=lambda: {"a": pulumi.Output.secret("")}, region=lambda: pulumi.Output.secret("x")))
    assert "a region is written like us-east-1" in str(deployed.error)


def test_a_doubt_shows_no_secret():
    """A warning about a long secret ARN is masked before it is cut."""
    issuer = f"https://{'a' * 60}.{'b' * 60}.example.com/oidc"
    arn = f"arn:aws:iam::987654321098:oidc-provider/{issuer[8:]}"

    def shared():
        made = pulumi.ComponentResource("test:index:Shared", "shared")
        return pulumi.Output.secret(made.urn.apply(lambda _: arn))

    deployed = deploy(esc_login(oidc_provider_arn=shared, issuer=issuer), provider=ELSEWHERE, preview=True)
    assert "oidc_provider_arn = (a secret)" in "".join(deployed.warnings)
    assert "987654321098" not in "".join(deployed.warnings)


@pytest.mark.parametrize("inputs", [{"organization": "contoso-zqk"}, {"environment": "zqk"}, {"project": "zqk"}])
def test_a_late_violation_shows_no_secret(inputs):
    """The revision is found when everything is deployed; the environment's name has the secret in it."""
    later = {name: partial(pulumi.Output.secret, value) for name, value in inputs.items()}
    deployed = deploy(esc_login(**later), revision=0)
    assert "Pulumi Cloud did not take the new definition" in str(deployed.error)
    assert CANARY not in str(deployed.error)


def test_a_secret_too_short_to_mask_hides_the_text():
    """Masking every `a` would tell that the secret is an `a`."""
    secrets = Secrets(frozenset({"project"}), frozenset({"qz"}))
    assert secrets.masked("The project qz is odd.") == "(This is not shown: it would reveal a secret.)"
    assert secrets.masked("The project is odd.") == "The project is odd."
    violation = secrets.redacted(Violation("environment", ["qz/dev", 5], "A rule.", "Do it."))
    assert "qz" not in str(violation)
    assert "5" in str(violation)


def test_what_is_not_secret_is_shown():
    """A secret elsewhere does not hide what is wrong with a plain Output."""
    boundary = partial(pulumi.Output.secret, READ_ONLY)
    users = partial(pulumi.Output.from_input, ["a b"])
    deployed = deploy(esc_login(permissions_boundary_arn=boundary, allowed_users=users))
    assert "allowed_users[0] = 'a b'" in str(deployed.error)
