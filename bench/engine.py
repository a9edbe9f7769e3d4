"""What a component costs under the engine, beside the same two resources written by hand. Run by `make bench`.

The engine works on a sandbox. What is measured is the time on the processors, of everything that runs: the program,
the engine, its plugins and the sandbox.
"""

import json
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import boto3

from esc_oidc.sandbox import Sandbox, surroundings
from esc_oidc.tokens import Opener
from tests.support.workspaces import stack_of, written

COUNT = 100
"""How many components to declare."""

ROUNDS = 3
"""How often to measure each; the least counts."""

TARGETS = {"preview": 1.2, "up": 1.05, "destroy": 1.1, "state": 1.15}
"""How many times the cost of hand-written components is still good."""

BY_HAND = '''
import json

import pulumi
import pulumi_aws as aws
import pulumi_pulumiservice as pulumiservice

PROVIDER = "arn:aws:iam::123456789012:oidc-provider/api.pulumi.com/oidc"
SUBJECT = "pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name:aws/"
DEFINITION = """\
values:
  aws:
    login:
      fn::open::aws-login:
        oidc:
          roleArn: ARN
          sessionName: pulumi-esc
          duration: 1h
          subjectAttributes:
          - currentEnvironment.name
  environmentVariables:
    AWS_ACCESS_KEY_ID: ${aws.login.accessKeyId}
    AWS_SECRET_ACCESS_KEY: ${aws.login.secretAccessKey}
    AWS_SESSION_TOKEN: ${aws.login.sessionToken}"""


class ByHand(pulumi.ComponentResource):
    def __init__(self, name, environment):
        super().__init__("by-hand:index:EscLoginByHand", name)
        child = pulumi.ResourceOptions(parent=self)
        equals = {"api.pulumi.com/oidc:aud": "aws:contoso", "api.pulumi.com/oidc:sub": f"{SUBJECT}{environment}"}
        statement = {
            "Effect": "Allow",
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": PROVIDER},
            "Condition": {"StringEquals": equals},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        role = aws.iam.Role(f"{name}-role", assume_role_policy=policy, max_session_duration=3600, opts=child)
        made = pulumiservice.Environment(
            f"{name}-environment",
            organization="contoso",
            project="aws",
            name=environment,
            yaml=role.arn.apply(lambda arn: pulumi.StringAsset(DEFINITION.replace("ARN", arn))),
            opts=child,
        )
        self.register_outputs({"roleArn": role.arn, "revision": made.revision})


for index in range(COUNT):
    ByHand(f"c{index}", f"env-{index}")
'''
COMPONENT = """
from esc_oidc import PulumiEscOidc

for index in range(COUNT):
    PulumiEscOidc(
        f"c{index}",
        organization="contoso",
        project="aws",
        environment=f"env-{index}",
        oidc_provider_arn="arn:aws:iam::123456789012:oidc-provider/api.pulumi.com/oidc",
    )
"""


def spent():
    """The seconds of processors' time that this process and those it started have taken."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def costs(program, folder):
    """What each step costs, in seconds, and the size of the state, in kB."""
    stack = stack_of(written(folder / "bench", f"COUNT = {COUNT}\n{program}"))
    taken = {}
    for step in ("preview", "up", "destroy"):
        if step == "destroy":
            taken["state"] = len(json.dumps(stack.export_stack().deployment)) / 1000
        before = spent()
        getattr(stack, step)()
        taken[step] = spent() - before
    return taken


def measured(program):
    """The least that each step costs, in an account that has the provider."""
    with tempfile.TemporaryDirectory() as folder, Sandbox() as sandbox:
        token = sandbox.access_token(Opener("bench"), ["contoso"])
        with (
            surroundings(sandbox, token, os.environ) as around,
            mock.patch.dict(os.environ, around.around(os.environ), clear=True),
        ):
            iam = boto3.Session().client("iam")
            iam.create_open_id_connect_provider(Url="https://api.pulumi.com/oidc", ClientIDList=["aws:contoso"])
            return costs(program, Path(folder))


def main():
    if shutil.which("pulumi") is None:
        print(f"skip   {COUNT} components under the engine: there is no `pulumi` command on PATH")
        return 0
    by_hand, ours = [], []
    for _ in range(ROUNDS):
        by_hand.append(measured(BY_HAND))
        ours.append(measured(COMPONENT))
    good = True
    for step, target in TARGETS.items():
        least, more = (min(each[step] for each in rounds) for rounds in (by_hand, ours))
        ratio = more / least
        good = good and ratio <= target
        unit = "kB" if step == "state" else "s"
        print(
            f"{'ok' if ratio <= target else 'SLOW':6} {COUNT} components under the engine, {step}: {more:.2f} {unit}, "
            f"by hand {least:.2f} {unit}, {ratio:.2f} times (target {target})"
        )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
