"""What changes to a deployed login do: to what, and what a preview says of it before."""

import json
from dataclasses import dataclass, field

import boto3
import pytest
from pulumi import automation

from tests.support.workspaces import NEEDS_ENGINE, configure, left, preview, stack_of, up, written

pytestmark = NEEDS_ENGINE

S3 = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
EC2 = "arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess"
ALLOW = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}'
DENY = ALLOW.replace("Allow", "Deny")

PROVIDER = {"provider": "update"}
ROLE = {"role": "update"}
ENVIRONMENT = {"environment": "update"}
NEW_ENVIRONMENT = {"environment": "replace"}


@dataclass(frozen=True)
class Fed:
    """An input that the output of a resource feeds, and what a login makes of it.

    Attributes:
        value: What the input says; `value` is the resource's output.
        first, second: That output, before and after a change.
        takes: What becomes of the children that take the input, where it is not known.
        added: What becomes of the children when the input is added: None if it was there before, with the same value.
        changed: The same when the value changes; by default, as where it is not known.
    """

    value: str
    first: str
    second: str
    takes: dict[str, str]
    added: dict[str, str] | None = field(default_factory=dict)
    changed: dict[str, str] | None = None


HOST = "oidcproviderarn.example.com"
ADOPTED = f"arn:aws:iam::123456789012:oidc-provider/{HOST}/oidc"

ROLE_INPUTS = {
    "oidc_provider_arn": Fed("value", ADOPTED, ADOPTED, ROLE, None, {}),
    "role_description": Fed("value", "first", "second", ROLE, ROLE),
    "permissions_boundary_arn": Fed("value", S3, EC2, ROLE, ROLE),
    "named_policy_arns": Fed("{'reader': value}", S3, EC2, {"policy-reader": "replace"}, {"policy-reader": "create"}),
    "inline_policies": Fed("{'reader': value}", ALLOW, DENY, {"inline-reader": "update"}, {"inline-reader": "create"}),
    "tags": Fed("{'team': value}", "platform", "core", PROVIDER | ROLE, PROVIDER | ROLE),
}
ESC_INPUTS = {
    "organization": Fed("value", "contoso", "fabrikam", PROVIDER | ROLE | NEW_ENVIRONMENT, None),
    "project": Fed("value", "aws", "azure", PROVIDER | ROLE | NEW_ENVIRONMENT, None, ROLE | NEW_ENVIRONMENT),
    "environment": Fed("value", "environment", "prod", ROLE | NEW_ENVIRONMENT, None),
    "subject_attributes": Fed(
        "value.apply(str.split)",
        "currentEnvironment.name rootEnvironment.name",
        "rootEnvironment.name currentEnvironment.name",
        ROLE | ENVIRONMENT,
        ROLE | ENVIRONMENT,
    ),
    "allowed_environments": Fed("[value]", "aws/test", "aws/prod", ROLE, ROLE),
    "allowed_root_environments": Fed("[value]", "aws/test", "aws/prod", ROLE, ROLE | ENVIRONMENT),
    "allowed_users": Fed("[value, 'bob']", "alice", "carol", ROLE, ROLE | ENVIRONMENT),
    "allowed_teams": Fed("value.apply(lambda team: [team])", "core", "platform", ROLE, ROLE | ENVIRONMENT),
    "allowed_token_types": Fed("[value]", "personal", "organization", ROLE, ROLE | ENVIRONMENT),
    "session_policy_arns": Fed("[value]", S3, EC2, ENVIRONMENT, ENVIRONMENT),
    "region": Fed("value", "eu-west-1", "eu-west-2", ENVIRONMENT, ENVIRONMENT),
    "environment_variables": Fed("{'STAGE': value}", "dev", "prod", ENVIRONMENT, ENVIRONMENT),
    "pulumi_config": Fed("{'app:stage': value}", "dev", "prod", ENVIRONMENT, ENVIRONMENT),
    **ROLE_INPUTS,
}
DEPLOYMENTS_INPUTS = {
    "organization": Fed("value", "contoso", "fabrikam", PROVIDER | ROLE, None),
    "project": Fed("value", "app", "web", ROLE, None),
    "stacks": Fed("['dev', value]", "test", "prod", ROLE, None),
    "operations": Fed("[value]", "preview", "update", ROLE, ROLE),
    **ROLE_INPUTS,
}
COMPONENTS = {
    "PulumiEscOidc": (ESC_INPUTS, {"organization": "contoso", "project": "aws"}),
    "PulumiDeploymentsOidc": (
        DEPLOYMENTS_INPUTS,
        {"organization": "contoso", "project": "app", "stacks": ["dev", "test"]},
    ),
}

FEEDING = """
import pulumi
import pulumi_aws as aws

from esc_oidc import PulumiDeploymentsOidc, PulumiEscOidc

STEP = pulumi.Config().require("step")
STEPS = ["deployed", "added", "changed", "replaced", "recreated"]
AFTER = STEPS[: STEPS.index(STEP) + 1]


def feed(name, first, second):
    # Another document updates the policy, another description replaces it. Nothing is known before its ARN is.
    policy = aws.iam.Policy(
        f"{name}-feeder",
        policy=DENY if "changed" in AFTER else ALLOW,
        description=f"{'replaced' in AFTER} {'recreated' in AFTER}",
        opts=pulumi.ResourceOptions(delete_before_replace="recreated" in AFTER),
    )
    return pulumi.Output.all(policy.arn, policy.policy).apply(lambda all: second if "Deny" in all[1] else first)


def login(component, name, inputs, key, make, first, second, was_there):
    if component is PulumiEscOidc:
        inputs = {**inputs, "environment": name}
    if "added" in AFTER:
        inputs = {**inputs, key: make(feed(name, first, second))}
    elif was_there:
        inputs = {**inputs, key: make(first)}
    component(
        name,
        issuer=f"https://{name}.example.com/oidc",
        **inputs,
        opts=pulumi.ResourceOptions(protect=PROTECT),
    )

"""


def feeding(component, inputs, *, protect):
    """A program of one login for each of these inputs, all of which a resource comes to feed."""
    lines = [f"ALLOW = {ALLOW!r}\nDENY = {DENY!r}\nPROTECT = {protect}\n", FEEDING]
    for key, fed in inputs.items():
        others = COMPONENTS[component][1]
        text = f"{fed.first!r}, {fed.second!r}, {fed.added is None}"
        lines.append(f"login({component}, {named(key)!r}, {others!r}, {key!r}, lambda value: {fed.value}, {text})\n")
    return "".join(lines)


def named(key):
    """The name of the login that this input belongs to."""
    return key.replace("_", "")


def changed(operations, inputs):
    """What becomes of each login's children: only those that don't stay as they are."""
    found = {}
    for key in inputs:
        children = {}
        for name, done in operations.items():
            child = name.removeprefix(f"{named(key)}-")
            if child not in {name, "feeder"} and done != {"same"}:
                replaced = any("replace" in operation for operation in done)
                (children[child],) = {"replace"} if replaced else done
        found[key] = children
    return found


def known(fed):
    """What a change of the value does to each child."""
    return fed.takes if fed.changed is None else fed.changed


def bound(fed):
    """The children that the engine replaces with the resource that feeds them, where it is deleted first."""
    return {child: change for child, change in fed.takes.items() if change == "replace"}


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize("component", COMPONENTS)
@pytest.mark.parametrize("protect", [False, True])
def test_only_what_takes_an_output_changes_with_it(tmp_path, component, protect):
    """The resource behind it is added, changes, is replaced, is deleted and made again: nothing else is replaced.

    A preview announces what `up` does, and of what the unknown value itself is a part of. An unknown that identifies
    a resource therefore announces a replacement: such a login can't be protected.
    """
    inputs, _ = COMPONENTS[component]
    if protect:
        inputs = {key: fed for key, fed in inputs.items() if "replace" not in fed.takes.values()}
    clients = ["contoso", "aws:contoso"]
    boto3.client("iam").create_open_id_connect_provider(Url=f"https://{HOST}/oidc", ClientIDList=clients)
    program = written(tmp_path / "feeding", feeding(component, inputs, protect=protect))
    configure(program, step="deployed")
    up(program)
    expected = {
        "added": {key: (fed.takes | (fed.added or {}), fed.added or {}) for key, fed in inputs.items()},
        "changed": {key: (known(fed), known(fed)) for key, fed in inputs.items()},
        "replaced": {key: (fed.takes, {}) for key, fed in inputs.items()},
        "recreated": {key: (fed.takes, bound(fed)) for key, fed in inputs.items()},
    }
    wrong = []
    for step, each in expected.items():
        configure(program, step=step)
        announced = changed(preview(program), inputs)
        done = changed(up(program), inputs)
        for key, (foreseen, wanted) in each.items():
            if announced[key] != foreseen:
                wrong.append(f"{step}, {key}: the preview announces {announced[key]}, not {foreseen}")
            if done[key] != wanted:
                wrong.append(f"{step}, {key}: `up` does {done[key]}, not {wanted}")
    assert not wrong, "\n".join(wrong)


USERS = """
import pulumi

from esc_oidc import PulumiEscOidc

login = PulumiEscOidc(
    "login",
    organization="contoso",
    project="aws",
    environment="dev",
    allowed_users=pulumi.Config().require_object("users"),
)
pulumi.export("role", login.role_name)
pulumi.export("trustPolicy", login.trust_policy)
"""


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize("target", ["login-environment", "login-role"])
def test_the_trust_policy_is_what_the_role_has(tmp_path, target):
    """`up --target` of something else leaves the role as it was, and the output says so."""
    program = written(tmp_path / "users", USERS)
    configure(program, users=["alice", "bob"])
    up(program)
    configure(program, users=["alice", "carol"])
    resources = stack_of(program).export_stack().deployment["resources"]
    up(program, target=[each["urn"] for each in resources if each["urn"].endswith(f"::{target}")])
    outputs = stack_of(program).outputs()
    role = boto3.Session().client("iam").get_role(RoleName=outputs["role"].value)["Role"]
    policy = json.loads(outputs["trustPolicy"].value)
    assert policy == role["AssumeRolePolicyDocument"]
    assert ("carol" in str(policy)) == (target == "login-role")


CHECKED = """
import pulumi
import pulumi_aws as aws

from esc_oidc import PulumiEscOidc

policy = aws.iam.Policy(
    "feeder",
    policy='{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}]}',
)
region = pulumi.Config().require("region")
login = PulumiEscOidc(
    "login",
    organization="contoso",
    project="aws",
    environment="dev",
    region=policy.arn.apply(lambda _: region),
)
pulumi.export("subjects", login.subjects)
pulumi.export("environmentRef", login.environment_ref)
pulumi.export("openCommand", login.open_command)
"""


def test_outputs_are_checked_before_anything_is_sent(sandbox, tmp_path):
    """A region that is known too late for the preview stops provider and role too, which don't need it."""
    program = written(tmp_path / "checked", CHECKED)
    configure(program, region="no region")
    preview(program)
    with pytest.raises(automation.CommandError, match="region = 'no region'"):
        up(program)
    assert left(sandbox) == {"roles": [], "providers": [], "environments": []}


@pytest.mark.usefixtures("sandbox")
def test_a_preview_shows_who_gets_in(tmp_path):
    """Subjects and the way to open are known before anything exists, whatever else is unknown."""
    program = written(tmp_path / "shown", CHECKED)
    configure(program, region="eu-west-1")
    shown = stack_of(program).preview().stdout
    assert "pulumi env open contoso/aws/dev" in shown
    assert "currentEnvironment.name:aws/dev" in shown
