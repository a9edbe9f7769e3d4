"""Every policy of the pack, as the real engine runs it on what the real provider of Pulumi Cloud gives."""

import json

import pytest
from pulumi import automation

from esc_oidc.verify import RULES, lint
from tests.support.policies import DEV, PROVIDER, conditions, example
from tests.support.workspaces import NEEDS_ENGINE, ROOT, configure, copied, left, stack_of, written

pytestmark = NEEDS_ENGINE

NO_POLICY = "other-issuer"
"""The one rule of `lint` that is none of the pack."""

ON_STACKS = {
    "principal-account": PROVIDER.replace("123456789012", "210987654321"),
    "principal-partition": PROVIDER.replace("arn:aws:", "arn:aws-us-gov:"),
}
"""The rules that need the role's own ARN, and a provider that breaks each in account 123456789012."""

ROLES = """
import json
import pulumi_aws as aws

for name, policy in json.loads(POLICIES).items():
    aws.iam.Role(name, assume_role_policy=policy)
"""

LOGIN = """
import json
import pulumi
import pulumi_aws as aws
import pulumi_pulumiservice as pulumiservice

role = aws.iam.Role("esc-role", name="esc", assume_role_policy=json.dumps(POLICY))
oidc = {"roleArn": role.arn, "sessionName": "esc", "duration": "1h", "subjectAttributes": ["currentEnvironment.name"]}
definition = pulumi.Output.json_dumps({"values": {"aws": {"login": {"fn::open::aws-login": {"oidc": oidc}}}}})
pulumiservice.Environment(
    "login",
    organization="contoso",
    project="aws",
    name=pulumi.Config().get("name") or "dev",
    yaml=definition.apply(pulumi.StringAsset),
)
"""


@pytest.fixture
def pack(tmp_path):
    """The policy pack of this repository."""
    pytest.importorskip("pulumi_policy", reason="pulumi-policy is not installed")
    return str(copied(ROOT / "policy", tmp_path / "policy"))


@pytest.fixture
def advisory(tmp_path):
    """A configuration under which every policy reports and none stops the engine."""
    path = tmp_path / "advisory.json"
    path.write_text(json.dumps({"all": "advisory"}))
    return str(path)


def reports(run, **options):
    """What the pack says during a run of the engine: policy, resource and level of each violation."""
    events = []
    try:
        run(on_event=events.append, **options)
    except automation.CommandError:
        assert any(event.policy_event for event in events)
    broken = [event.policy_event for event in events if event.policy_event]
    return {(each.policy_name, each.resource_urn.rpartition("::")[2], each.enforcement_level) for each in broken}


@pytest.mark.usefixtures("sandbox")
def test_every_policy_on_roles_reports(tmp_path, pack, advisory):
    """In a preview each finds the bad example of its rule, and what else `lint` finds in it, and nothing more."""
    policies = {rule: json.dumps(example(RULES[rule].bad)) for rule in RULES if rule not in {NO_POLICY, *ON_STACKS}}
    program = written(tmp_path / "roles", f"POLICIES = {json.dumps(policies)!r}\n{ROLES}")
    found = reports(stack_of(program).preview, policy_packs=[pack], policy_pack_configs=[advisory])
    named = {(finding.rule, name) for name, policy in policies.items() for finding in lint(policy)}
    assert {rule for rule, _ in named} == policies.keys()
    assert found == {(rule, name, "advisory") for rule, name in named}


@pytest.mark.parametrize("rule", ON_STACKS)
def test_every_rule_on_stacks_reports(sandbox, tmp_path, pack, rule):
    """It fails the update that makes the role, whose ARN it needs, and the next preview."""
    policy = json.dumps(example({"Principal": {"Federated": ON_STACKS[rule]}}))
    program = written(tmp_path / "role", f"POLICIES = {json.dumps({'esc-role': policy})!r}\n{ROLES}")
    stack = stack_of(program)
    assert reports(stack.preview, policy_packs=[pack]) == set()
    for run in (stack.up, stack.preview):
        assert reports(run, policy_packs=[pack]) == {(rule, "esc-role", "mandatory")}
    assert len(left(sandbox)["roles"]) == 1


def test_a_login_that_its_role_refuses_reports(sandbox, tmp_path, pack):
    """It fails the update that makes role and environment, and the next preview; with another name both pass."""
    policy = example(conditions(DEV.replace("aws/dev", "aws/prod")))
    program = written(tmp_path / "login", f"POLICY = {policy!r}\n{LOGIN}")
    stack = stack_of(program)
    assert reports(stack.preview, policy_packs=[pack]) == set()
    for run in (stack.up, stack.preview):
        assert reports(run, policy_packs=[pack]) == {("login-refused", "login", "mandatory")}
    assert left(sandbox)["environments"] == ["contoso/aws/dev"]
    configure(program, name="prod")
    for run in (stack.preview, stack.up):
        assert reports(run, policy_packs=[pack]) == set()
    assert left(sandbox)["environments"] == ["contoso/aws/prod"]
