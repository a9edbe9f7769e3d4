"""What a component costs beside the same resources written by hand. Run by `make bench`."""

import json
import sys
import time

import pulumi
import pulumi_aws as aws
import pulumi_pulumiservice as pulumiservice

from esc_oidc import PulumiEscOidc
from tests.support.deploying import deploy

ROUNDS = {100: 7, 1000: 3}
"""How many components to declare, and how often to measure that."""

TARGET = 1.15
"""How many times the cost of hand-written components is still good."""


PROVIDER = "arn:aws:iam::123456789012:oidc-provider/api.pulumi.com/oidc"


class ByHand(pulumi.ComponentResource):
    """The same two resources, without any check. An account has one provider, which all of them use."""

    def __init__(self, name, environment):
        super().__init__("bench:index:ByHand", name)
        child = pulumi.ResourceOptions(parent=self)
        equals = {"api.pulumi.com/oidc:aud": "aws:contoso", "api.pulumi.com/oidc:sub": f"x:{environment}"}
        policy = json.dumps({"Principal": PROVIDER, "Condition": {"StringEquals": equals}})
        role = aws.iam.Role(f"{name}-role", assume_role_policy=policy, max_session_duration=3600, opts=child)
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
    PulumiEscOidc(name, organization="contoso", project="aws", environment=environment, oidc_provider_arn=PROVIDER)


def seconds(declare, count):
    def program():
        for index in range(count):
            declare(f"c{index}", f"env-{index}")

    started = time.process_time()
    error = deploy(program).error
    if error:
        raise error
    return time.process_time() - started


def main():
    seconds(ByHand, 10)  # the first run loads modules
    good = True
    for count, rounds in ROUNDS.items():
        # One after the other, so that whatever else the machine does slows both.
        taken = [(seconds(ByHand, count), seconds(component, count)) for _ in range(rounds)]
        by_hand, ours = (min(column) for column in zip(*taken, strict=True))
        ratio = ours / by_hand
        good = good and ratio <= TARGET
        verdict = "ok" if ratio <= TARGET else "SLOW"
        print(
            f"{verdict:6} {count} components under mocks: {ours:.2f} s, by hand {by_hand:.2f} s, {ratio:.2f} times "
            f"(target {TARGET})"
        )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
