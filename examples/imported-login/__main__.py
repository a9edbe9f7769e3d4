"""A login environment that is opened through another one, which imports it, and in no other way."""

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
    # The login stands in aws/login; what may be opened to reach it is the application's environment alone.
    allowed_root_environments=["shop/prod"],
    policy_arns=["arn:aws:iam::aws:policy/ReadOnlyAccess"],
)

# Import the login environment unpinned: aws/login@stable would make another subject, which is refused.
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
