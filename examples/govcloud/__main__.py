"""An ESC environment with credentials for AWS GovCloud, which is a partition of its own."""

import pulumi
import pulumi_aws as aws

from esc_oidc import PulumiEscOidc

config = pulumi.Config()

# Every ARN contains the partition. The AWS provider knows it by its region: here it is aws-us-gov.
partition = aws.get_partition_output().partition

login = PulumiEscOidc(
    "login",
    organization=config.get("organization") or pulumi.get_organization(),
    project="aws",
    environment="gov",
    allowed_users=config.require_object("users"),
    named_policy_arns={"read-only": pulumi.Output.concat("arn:", partition, ":iam::aws:policy/ReadOnlyAccess")},
    region=pulumi.Config("aws").require("region"),
)

pulumi.export("openCommand", login.open_command)
pulumi.export("roleArn", login.role_arn)
