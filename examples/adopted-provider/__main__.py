"""An ESC environment whose role trusts an identity provider that already exists in the account."""

import pulumi

from esc_oidc import PulumiEscOidc

config = pulumi.Config()

login = PulumiEscOidc(
    "login",
    organization=config.get("organization") or pulumi.get_organization(),
    project="aws",
    environment="dev",
    # The provider's client IDs must include the audience `aws:ORGANIZATION`. If they don't, the component fails with
    # the command that adds it, before it creates anything.
    oidc_provider_arn=config.require("oidcProviderArn"),
    policy_arns=["arn:aws:iam::aws:policy/ReadOnlyAccess"],
)

pulumi.export("openCommand", login.open_command)
