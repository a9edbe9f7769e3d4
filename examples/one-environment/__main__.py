"""One ESC environment with short-lived AWS credentials, for named people."""

import pulumi

from esc_oidc import PulumiEscOidc

config = pulumi.Config()

login = PulumiEscOidc(
    "login",
    organization=config.get("organization") or pulumi.get_organization(),
    project=config.require("escProject"),
    environment=config.require("escEnvironment"),
    allowed_users=config.require_object("users"),
    policy_arns=["arn:aws:iam::aws:policy/ReadOnlyAccess"],
    region="us-east-1",
)

pulumi.export("openCommand", login.open_command)
pulumi.export("roleArn", login.role_arn)
pulumi.export("subjects", login.subjects)
