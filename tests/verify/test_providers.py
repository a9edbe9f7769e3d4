"""Which OIDC providers a trust policy names."""

from esc_oidc.verify import can_be_pulumi, trusted_providers
from tests.support.policies import PROVIDER, STATEMENT, example

GITHUB = PROVIDER.replace("api.pulumi.com/oidc", "token.actions.githubusercontent.com")
SELF_HOSTED = PROVIDER.replace("api.pulumi.com", "login.example.com")


def test_providers_of_pulumi_cloud_come_first():
    """Then a provider that could be a self-hosted Pulumi Cloud, and then all others; no other principal counts."""
    statements = [
        {**STATEMENT, "Principal": {"Federated": [GITHUB, SELF_HOSTED], "Service": "ec2.amazonaws.com"}},
        {**STATEMENT, "Principal": {"Federated": [PROVIDER, "accounts.google.com"]}},
    ]
    found = [provider.name for provider in trusted_providers(example({"Statement": statements}))]
    assert found == ["api.pulumi.com/oidc", "login.example.com/oidc", "token.actions.githubusercontent.com"]
    assert [can_be_pulumi(name) for name in found] == [True, True, False]
