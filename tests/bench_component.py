"""What a component costs beside the same resources written by hand. Run by `make bench`."""

import json
import sys
import time

import pulumi
import pulumi_aws as aws
import pulumi_pulumiservice as pulumiservice

from deploying import deploy
from esc_oidc import PulumiEscOidc

COUNT = 300
TARGET = 1.25
"""How many times the cost of hand-written components is still good. Measured here: see the output."""


class ByHand(pulumi.ComponentResource):
    """The same four resources and outputs, without any check."""

    def __init__(self, name, environment):
        super().__init__("bench:index:ByHand", name)
        child = pulumi.ResourceOptions(parent=self)
        provider = aws.iam.OpenIdConnectProvider(
            f"{name}-provider", url="https://api.pulumi.com/oidc", client_id_lists=["aws:contoso"], opts=child
        )

        def policy(arn):
            equals = {"api.pulumi.com/oidc:aud": "aws:contoso", "api.pulumi.com/oidc:sub": f"x:{environment}"}
            return json.dumps({"Principal": arn, "Condition": {"StringEquals": equals}})

        self.trust_policy = provider.arn.apply(policy)
        role = aws.iam.Role(f"{name}-role", assume_role_policy=self.trust_policy, max_session_duration=3600, opts=child)
        definition = role.arn.apply(lambda arn: f"values: {{aws: {arn}}}")
        made = pulumiservice.Environment(
            f"{name}-environment",
            organization="contoso",
            project="aws",
            name=environment,
            yaml=definition.apply(pulumi.StringAsset),
            opts=child,
        )
        self.register_outputs({"roleArn": role.arn, "revision": made.revision})


def component(name, environment):
    PulumiEscOidc(name, organization="contoso", project="aws", environment=environment)


def seconds(declare):
    def program():
        for index in range(COUNT):
            declare(f"c{index}", f"env-{index}")

    started = time.perf_counter()
    error = deploy(program).error
    if error:
        raise error
    return time.perf_counter() - started


def main():
    seconds(ByHand)  # the first run loads modules
    by_hand = min(seconds(ByHand) for _ in range(3))
    ours = min(seconds(component) for _ in range(3))
    ratio = ours / by_hand
    print(f"{COUNT} components under mocks: {ours:.2f} s, by hand {by_hand:.2f} s, {ratio:.2f} times (target {TARGET})")
    return 0 if ratio <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
