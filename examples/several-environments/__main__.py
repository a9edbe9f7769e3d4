"""Two ESC environments in one AWS account, with a role each and one identity provider."""

import pulumi

from esc_oidc import PulumiEscOidc

config = pulumi.Config()
organization = config.get("organization") or pulumi.get_organization()

# AWS allows one provider per account and issuer: the first component creates it ...
dev = PulumiEscOidc(
    "dev",
    organization=organization,
    project="aws",
    environment="dev",
    allowed_users=config.require_object("developers"),
    policy_arns=["arn:aws:iam::aws:policy/PowerUserAccess"],
)

# ... and the second adopts it. Only operators get in, and only by opening this very environment.
prod = PulumiEscOidc(
    "prod",
    organization=organization,
    project="aws",
    environment="prod",
    oidc_provider_arn=dev.oidc_provider_arn,
    allowed_users=config.require_object("operators"),
    allowed_root_environments=["aws/prod"],
    policy_arns=["arn:aws:iam::aws:policy/ReadOnlyAccess"],
    duration="30m",
)

pulumi.export("open", {"dev": dev.open_command, "prod": prod.open_command})
