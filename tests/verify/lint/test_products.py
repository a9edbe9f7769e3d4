"""`lint` about Pulumi Cloud's other products: advice for the product at hand, and silence about what is right for it."""

import pytest

from esc_oidc.verify import lint
from tests.support.policies import AUD, PROVIDER, conditions, example

KEYS = "pulumi:cmk:pulumi.organization.login:contoso"
CUSTOM = "api.pulumi.com/oidc/v2"


def rules(elements):
    """The ids of what was found."""
    return [finding.rule for finding in lint(example(elements))]


def test_a_role_for_customer_managed_keys_is_right_as_it_is():
    """Its subject ends in the organization, and its audience is that of AWS logins."""
    assert rules(conditions(KEYS)) == []
    assert rules(conditions(like=KEYS)) == []


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        (conditions(KEYS, aud="contoso"), ["audience-kind"]),
        (conditions(KEYS, aud=["contoso", "aws:contoso"]), []),
        (conditions(KEYS, aud="aws:fabrikam"), ["audience-organization"]),
        (conditions(f"{KEYS}:x"), ["subject-form"]),
        (conditions(like=f"{KEYS}:*"), ["subject-form"]),
        (conditions(like=f"{KEYS}*"), ["organization-open"]),
        (conditions(like="pulumi:cmk:*"), ["organization-open"]),
    ],
    ids=str,
)
def test_a_wrong_role_for_customer_managed_keys_is_found(elements, expected):
    """Its audience, organization and form are checked as for any other subject."""
    assert [rule for rule in rules(elements) if rule != "admits-strangers"] == expected


def test_tokens_with_custom_audiences_are_one_finding():
    """A provider of `/oidc/v2` with its own keys is named once; what else is wrong is said too."""
    principal = {"Federated": PROVIDER.replace("api.pulumi.com/oidc", CUSTOM)}
    own = {
        "StringEquals": {f"{CUSTOM}:aud": "my-audience", f"{CUSTOM}:sub": "pulumi:environments:org:contoso:env:aws/dev"}
    }
    (finding,) = lint(example({"Principal": principal, "Condition": own}))
    assert (finding.rule, "custom audiences" in finding.message) == ("principal-issuer", True)
    assert rules({"Principal": principal, "Condition": {}}) == ["principal-issuer", "condition-missing"]
    assert "subject-missing" in rules({"Principal": principal, "Condition": {"StringEquals": {AUD: "aws:contoso"}}})
    both = {"Federated": [PROVIDER, principal["Federated"]]}
    assert "key-issuer" in rules({"Principal": both, "Condition": own})
