"""One ESC environment for each of several AWS accounts, from one program, with an AWS provider for each."""

import pulumi
import pulumi_aws as aws
import pulumi_pulumiservice as pulumiservice

from esc_oidc import PulumiEscOidc

config = pulumi.Config()
organization = config.get("organization") or pulumi.get_organization()

# One for all: the environments belong to one organization.
cloud = pulumiservice.Provider("cloud")

for name, account in sorted(config.require_object("accounts").items()):
    deployer = aws.Provider(
        f"{name}-account",
        region="us-east-1",
        allowed_account_ids=[account],
        assume_roles=[{"role_arn": f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"}],
    )
    # The component's children belong to two packages, so pass both providers, in a list.
    login = PulumiEscOidc(
        name,
        organization=organization,
        project="aws",
        environment=name,
        allowed_users=config.require_object("users"),
        policy_arns=["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        opts=pulumi.ResourceOptions(providers=[deployer, cloud]),
    )
    pulumi.export(f"{name}Role", login.role_arn)
