"""One ESC environment with short-lived AWS credentials for named people."""

import pulumi

from esc_oidc import PulumiEscOidc

config = pulumi.Config()

login = PulumiEscOidc(
    "login",
    organization=config.require("organization"),
    project=config.require("escProject"),
    environment=config.require("escEnvironment"),
    allowed_users=[user.strip() for user in config.require("users").split(",")],
    policy_arns=["arn:aws:iam::aws:policy/ReadOnlyAccess"],
    region=pulumi.Config("aws").get("region") or "us-east-1",
)

pulumi.export("openCommand", login.open_command)
pulumi.export("roleArn", login.role_arn)
pulumi.export("subjects", login.subjects)
