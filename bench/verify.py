"""How fast `verify` is, against the targets: `make bench` runs it; exit status 1 when one is missed."""

import contextlib
import io
import json
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

from esc_oidc.cli.linting import lint_files
from esc_oidc.cli.output import LintStyle
from esc_oidc.cli.settings import Settings
from esc_oidc.trust import MAX_POLICY, Trust, size, trust_policy
from esc_oidc.verify import RULES, Request, compile_policy, decide, lint, prove
from tests.support.inputs import check, plan
from tests.support.policies import DEV, LOGIN, PROVIDER, STATEMENT, conditions, example

ROUNDS = 5
ARN = "arn:aws:iam::123456789012:role/"
ISSUER = "https://api.pulumi.com/oidc"
BASE = {"organization": "contoso", "project": "aws", "environment": "dev"}
MANY_STARS = ["*a*b*c*d*e*", "*b*a*c*d*e*", "*e*d*c*b*a*", "*c*c*c*c*c*", "*x*y*z*x*y*"]


def best(work, clock=time.perf_counter):
    """The seconds that the fastest of some rounds took: the others had company on the machine."""
    taken = []
    for _ in range(ROUNDS):
        started = clock()
        work()
        taken.append(clock() - started)
    return min(taken)


def tokens_per_second():
    """One compiled policy, admitted and refused tokens in turn."""
    policy = compile_policy(example({}))
    requests = [Request({"iss": ISSUER, "aud": "aws:contoso", "sub": sub}, ISSUER) for sub in (DEV, f"{LOGIN}:x:y")]
    return 10_000 / best(lambda: [policy.decide(request) for request in islice(cycle(requests), 10_000)])


def decisions_per_second():
    """A policy read anew for each token, admitted and refused in turn: as a mapping, and with the reason read."""
    policy, asked = example({}), 2_000
    requests = [Request({"iss": ISSUER, "aud": "aws:contoso", "sub": sub}, ISSUER) for sub in (DEV, f"{LOGIN}:x:y")]
    alone = best(lambda: [decide(policy, request) for request in islice(cycle(requests), asked)])
    explained = best(lambda: [decide(policy, request).reason for request in islice(cycle(requests), asked)])
    return asked / alone, asked / explained


def seconds_to_lint():
    """10,000 policies: every example of a rule, good and bad, and what the component emits, in turn."""
    policies = [example(elements) for rule in RULES.values() for elements in (rule.bad, rule.good)]
    users = [f"user-{number}" for number in range(8)]
    policies += [trust_policy(plan(BASE | {"allowed_users": users[:count]}).trust, PROVIDER) for count in range(1, 9)]
    every = list(islice(cycle(policies), 10_000))
    return best(lambda: [lint(policy) for policy in every])


def lint_seconds():
    """The processor's seconds for 10,000 roles, half of them for Pulumi Cloud: from one file, and from a file each."""
    service = {**STATEMENT, "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole", "Condition": {}}
    policies = (example({}), {"Version": "2012-10-17", "Statement": [service]})
    roles = [
        {"RoleName": f"r{number}", "Arn": f"{ARN}r{number}", "AssumeRolePolicyDocument": policies[number % 2]}
        for number in range(10_000)
    ]
    with tempfile.TemporaryDirectory() as folder:
        one, many = Path(folder, "roles.json"), Path(folder, "many")
        one.write_text(json.dumps({"Roles": roles}), "utf-8")
        for number, role in enumerate(roles):
            path = many / str(number // 100) / f"{number}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"Role": role}, indent=2), "utf-8")
        return [best(lambda source=source: lint_all(source), time.process_time) for source in (one, many)]


def lint_all(source):
    """What the command does, without its output."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert lint_files([str(source)], LintStyle(), Settings(Path.cwd())) == 0
    assert "10000 trust policies: 0 errors, 0 warnings, 5000 not about" in printed.getvalue()


def largest(inputs_of):
    """The largest policy that some inputs come to, within AWS's limit."""
    count = 1
    while not check("esc", inputs_of(count + 1)):
        count += 1
    trust = plan(inputs_of(count)).trust
    policy = trust_policy(trust, PROVIDER)
    assert MAX_POLICY - 200 < size(policy) <= MAX_POLICY, size(policy)
    return policy, trust


def exact(count):
    """Inputs that come to so many exact subjects."""
    return BASE | {"allowed_environments": [f"aws/e{number}" for number in range(count)]}


def patterns(count):
    """Inputs that come to so many patterns, with a wildcard in the middle of each."""
    users = [f"u{number}" for number in range(count)]
    return BASE | {"dangerously_allow_any_environment_in_project": True, "allowed_users": users}


def main():
    """Print each figure and whether it is good enough."""
    missed = False
    alone, explained = decisions_per_second()
    figures = [("decide, tokens a second on one compiled policy", tokens_per_second(), 50_000, True)]
    figures += [
        ("decide, policies a second", alone, 5_000, True),
        ("the same with the reason", explained, 2_500, True),
    ]
    figures += [("lint, seconds for 10,000 policies", seconds_to_lint(), 5, False)]
    one, many = lint_seconds()
    figures += [("lint, seconds for a file of 10,000 roles", one, 3, False)]
    figures += [("lint, seconds for 10,000 files", many, 3, False)]
    for name, inputs_of in (("subjects", exact), ("patterns", patterns)):
        policy, trust = largest(inputs_of)
        assert prove(policy, trust).holds
        count = len(trust.subjects) + len(trust.patterns)
        label = f"prove, seconds for {count} {name} ({size(policy)} characters)"
        figures.append((label, best(lambda policy=policy, trust=trust: prove(policy, trust)), 0.5, False))
    for name, wildcards in (("5 equal patterns with many *", MANY_STARS), ("16 ? after *a", [f"*a{'?' * 16}"])):
        policy = example(conditions(like=wildcards))
        equal, other = (
            Trust(ISSUER, "aws:contoso", (), tuple(each)) for each in (wildcards, [*wildcards[1:], "*b" + "?" * 16])
        )
        assert prove(policy, equal).holds
        assert not prove(policy, other).holds
        for verb, trust, target in (("prove", equal, 1), ("refute", other, 2)):
            seconds = best(lambda policy=policy, trust=trust: prove(policy, trust))
            figures.append((f"prove, seconds to {verb} {name}", seconds, target, False))
    for label, figure, target, more_is_better in figures:
        good = figure >= target if more_is_better else figure < target
        missed = missed or not good
        sign = "at least" if more_is_better else "under"
        print(f"{'ok    ' if good else 'MISSED'} {label}: {figure:,.3f} (target: {sign} {target:,})")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
