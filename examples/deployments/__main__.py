"""Roles for Pulumi Deployments: previews read, updates write, and an ESC environment beside them."""

import pulumi

from esc_oidc import PulumiDeploymentsOidc, PulumiEscOidc

config = pulumi.Config()
organization = config.get("organization") or pulumi.get_organization()

# AWS allows one provider per account and issuer, so this one accepts both audiences: that of ESC and of Deployments.
people = PulumiEscOidc(
    "people",
    organization=organization,
    project="aws",
    environment="dev",
    additional_audiences=[organization],
    policy_arns=["arn:aws:iam::aws:policy/ReadOnlyAccess"],
)

# Anyone who can open a pull request can run a preview, so a preview can only read.
previews = PulumiDeploymentsOidc(
    "previews",
    organization=organization,
    project="shop",
    stacks=["dev", "prod"],
    operations=["preview"],
    oidc_provider_arn=people.oidc_provider_arn,
    policy_arns=["arn:aws:iam::aws:policy/ReadOnlyAccess"],
)

updates = PulumiDeploymentsOidc(
    "updates",
    organization=organization,
    project="shop",
    stacks=["dev", "prod"],
    operations=["update", "refresh", "destroy"],
    oidc_provider_arn=people.oidc_provider_arn,
    policy_arns=["arn:aws:iam::aws:policy/PowerUserAccess"],
    duration="2h",
)

pulumi.export("previewRole", previews.role_arn)
pulumi.export("updateRole", updates.role_arn)
pulumi.export("operationContext", updates.operation_context)
