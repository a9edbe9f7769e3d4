"""A login environment that can only be reached through the environment that imports it."""

import pulumi
import pulumi_pulumiservice as pulumiservice

from esc_oidc import PulumiEscOidc

config = pulumi.Config()
organization = config.get("organization") or pulumi.get_organization()

login = PulumiEscOidc(
    "login",
    organization=organization,
    project="aws",
    environment="login",
    # The login is in aws/login, but only the application's environment may be opened to reach it.
    allowed_root_environments=["shop/prod"],
    policy_arns=["arn:aws:iam::aws:policy/ReadOnlyAccess"],
)

# Import the login unpinned: aws/login@stable has another subject, which the role refuses.
application = login.environment_ref.apply(
    lambda _: "imports:\n- aws/login\nvalues:\n  pulumiConfig:\n    shop:tier: prod"
)

pulumiservice.Environment(
    "application",
    organization=organization,
    project="shop",
    name="prod",
    yaml=application.apply(pulumi.StringAsset),
)

pulumi.export("open", f"pulumi env open {organization}/shop/prod")
