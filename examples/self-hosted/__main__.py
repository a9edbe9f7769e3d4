"""An ESC environment in a self-hosted Pulumi Cloud: another issuer signs the tokens."""

import pulumi

from esc_oidc import PulumiEscOidc

config = pulumi.Config()

login = PulumiEscOidc(
    "login",
    organization=config.get("organization") or pulumi.get_organization(),
    project="aws",
    environment="dev",
    # AWS must be able to reach https://API-HOST/oidc/.well-known/openid-configuration, with a public certificate.
    issuer=config.require("issuer"),
    policy_arns=["arn:aws:iam::aws:policy/ReadOnlyAccess"],
)

pulumi.export("openCommand", login.open_command)
pulumi.export("oidcProviderArn", login.oidc_provider_arn)
