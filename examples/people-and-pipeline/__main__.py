"""One role for named people with their own tokens, and for a pipeline with an organization token."""

import pulumi

from esc_oidc import PulumiEscOidc

config = pulumi.Config()

login = PulumiEscOidc(
    "login",
    organization=config.get("organization") or pulumi.get_organization(),
    project="aws",
    environment="prod",
    # Any of these may open: the listed people, or anything with an organization token. The subject contains both
    # attributes, so neither can pass for the other: an organization token has the organization's name as its login.
    allowed_users=config.require_object("users"),
    allowed_token_types=["organization"],
    allowed_root_environments=["aws/prod"],
    policy_arns=["arn:aws:iam::aws:policy/PowerUserAccess"],
    session_name="esc-${context.pulumi.user.login}",
)

pulumi.export("openCommand", login.open_command)
pulumi.export("subjects", login.subjects)
