"""Mistakes that `mypy --strict` must refuse: every line with a comment behind it, and no other."""

import esc_oidc.verify
from esc_oidc import PulumiDeploymentsOidc, PulumiEscOidc

PulumiEscOidc("a", {"organization": "a", "project": "b", "environment": "c", "allowed_user": ["d"]})  # misspelled
PulumiEscOidc("a", organization="a", project="b", environment="c", allowed_user=["d"])  # misspelled
PulumiEscOidc("a", {"organization": "a", "project": "b", "environment": "c", "allowed_users": "d"})  # no list
PulumiEscOidc("a", organization="a", project="b", environment="c", allowed_users="d")  # no list
PulumiEscOidc("a", {"organization": "a", "project": "b", "environment": "c", "duration": 3600})  # no text
PulumiEscOidc("a", organization="a", project="b", environment="c", create_environment="false")  # no boolean
PulumiEscOidc("a", {"organization": "a", "project": "b"})  # no environment
PulumiEscOidc("a", organization="a", project="b")  # no environment
PulumiDeploymentsOidc("a", organization="a", project="b", stack=["c"])  # misspelled
PulumiDeploymentsOidc("a", organization="a", project="b", stacks="c")  # no list
PulumiDeploymentsOidc("a", organization="a", stacks=["c"])  # no project

login = PulumiEscOidc("login", organization="a", project="b", environment="c")
updates = PulumiDeploymentsOidc("updates", organization="a", project="b", stacks=["c"])
print(login.rol_arn)  # misspelled
print(login.role_arn.foo)  # outputs have only their own methods
print(login.subjects + 1)  # not before `apply`
print(updates.rol_arn)  # misspelled
print(updates.environment_ref)  # an output of the other component
print(updates.operation_context.foo)  # outputs have only their own methods
number: int = login.role_arn  # an output, and not of a number
print(esc_oidc.PulumiEscOIDC)  # misspelled
print(esc_oidc.verify.decied)  # misspelled
