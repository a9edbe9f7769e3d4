"""The policy of a component, a wider one, and the tokens of two users."""

import json

from esc_oidc.claims import ISSUER, subject
from esc_oidc.trust import provider_arn, trust_policy
from tests.support.inputs import plan

BASE = {"organization": "contoso", "project": "aws", "environment": "dev", "allowed_users": ["alice"]}
POLICY = trust_policy(plan(BASE).trust, provider_arn(ISSUER, "123456789012"))
WIDE = json.loads(json.dumps(POLICY).replace('"StringEquals": {"api', '"StringLike": {"api').replace("aws/dev", "*"))
ALICE = {
    "iss": ISSUER,
    "aud": "aws:contoso",
    "sub": subject("contoso", [("currentEnvironment.name", "aws/dev"), ("pulumi.user.login", "alice")]),
}
BOB = {**ALICE, "sub": ALICE["sub"].replace("alice", "bob")}
ROLE = {"Role": {"RoleName": "esc", "Arn": "arn:aws:iam::123456789012:role/esc", "AssumeRolePolicyDocument": POLICY}}
