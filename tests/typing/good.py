"""Programs that `mypy --strict` must accept."""

from collections.abc import Mapping
from typing import Any

import pulumi

from esc_oidc import PulumiDeploymentsOidc, PulumiDeploymentsOidcArgs, PulumiEscOidc, PulumiEscOidcArgs

later = pulumi.Output.from_input("dev")
opts = pulumi.ResourceOptions(protect=True)

# Inputs: one argument or keywords; plain values or, where the contract allows them, outputs.
args: PulumiEscOidcArgs = {"organization": "contoso", "project": "aws", "environment": later, "allowed_users": [later]}
PulumiEscOidc("one", args)
PulumiEscOidc("two", args, opts)
PulumiEscOidc("three", {"organization": "contoso", "project": "aws", "environment": "dev"}, opts=opts)
PulumiEscOidc("four", organization="contoso", project="aws", environment=later, tags={"a": later}, opts=opts)
deployment: PulumiDeploymentsOidcArgs = {"organization": "contoso", "project": later, "stacks": ["dev", later]}
PulumiDeploymentsOidc("five", deployment)
statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": [later]}
policies: dict[str, pulumi.Input[str | Mapping[str, Any]]] = {"a": {"Statement": statement}, "b": "{}", "c": later}
PulumiEscOidc("policies", organization="contoso", project="aws", environment="dev", inline_policies=policies)
PulumiEscOidc("dicts", {**args, "inline_policies": {"a": {"Statement": [statement]}}})

# Outputs: as themselves, as inputs of other resources, and in `apply`.
login = PulumiEscOidc("six", organization="contoso", project="aws", environment="dev")
arn: pulumi.Output[str] = login.role_arn
subjects: pulumi.Output[list[str]] = login.subjects
shouted: pulumi.Output[str] = login.role_arn.apply(str.upper)
audience: pulumi.Input[str] = login.audience
updates = PulumiDeploymentsOidc(
    "seven", organization="contoso", project="core", stacks=["dev"], oidc_provider_arn=login.oidc_provider_arn
)
context: pulumi.Output[dict[str, Any]] = updates.operation_context
