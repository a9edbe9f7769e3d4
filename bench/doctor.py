"""How long `esc-oidc doctor --all` takes for an organization: `make bench` runs it; exit status 1 over the target."""

import json
import os
import sys
import time
from unittest import mock

from esc_oidc.claims import CURRENT_ENVIRONMENT, ISSUER, subject
from esc_oidc.environment import Login, environment_definition
from esc_oidc.live import AwsAccounts, Doctor, Environments, PulumiCloud, examine
from esc_oidc.sandbox import EnvironmentRef, Sandbox, client, surroundings
from esc_oidc.tokens import Opener
from esc_oidc.trust import Trust, provider_arn, trust_policy

ENVIRONMENTS, ROLES, TARGET = 1_000, 50, 60


def main():
    """Make the organization, and examine all of it."""
    with Sandbox() as sandbox:
        token = sandbox.access_token(Opener("alice"), ["contoso"])
        iam, provider = client("iam", sandbox.aws_url), provider_arn(ISSUER, sandbox.account)
        iam.create_open_id_connect_provider(Url=ISSUER, ClientIDList=["aws:contoso"])
        for role in range(ROLES):
            subjects = [f"aws/e{index}" for index in range(role, ENVIRONMENTS, ROLES)]
            named = tuple(subject("contoso", [(CURRENT_ENVIRONMENT, each)]) for each in subjects)
            policy = json.dumps(trust_policy(Trust(ISSUER, "aws:contoso", named), provider))
            iam.create_role(RoleName=f"role-{role}", AssumeRolePolicyDocument=policy)
        login = Login("pulumi-esc", "1h", (CURRENT_ENVIRONMENT,))
        for index in range(ENVIRONMENTS):
            ref = EnvironmentRef("contoso", "aws", f"e{index}")
            arn = f"arn:aws:iam::{sandbox.account}:role/role-{index % ROLES}"
            sandbox.store.create(ref, "alice")
            sandbox.store.update(ref, environment_definition(login, arn), "alice")
        with surroundings(sandbox, token, {}) as around, mock.patch.dict(os.environ, around.variables):
            started = time.perf_counter()
            cloud = PulumiCloud(sandbox.cloud_url, token)
            environments = Environments(cloud, "contoso")
            doctor = Doctor(environments, AwsAccounts())
            names = environments.all()
            found = list(environments.each(names, lambda name: examine(doctor, name, Opener("alice"))))
            took = time.perf_counter() - started
    assert len(found) == ENVIRONMENTS
    assert not any(each.is_refused or each.is_unknown or each.is_too_wide for each in found)
    verdict = "ok" if took < TARGET else "SLOW"
    print(f"{verdict:5}  doctor: {ENVIRONMENTS} environments on {ROLES} roles in {took:.1f} s (target {TARGET})")
    return took >= TARGET


if __name__ == "__main__":
    sys.exit(main())
