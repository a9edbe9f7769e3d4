"""The role's policies after each change of the inputs that name them."""

import subprocess

import boto3
import pytest

from tests.support.workspaces import NEEDS_ENGINE, configure, stack_of, up, written

pytestmark = NEEDS_ENGINE

S3 = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
EC2 = "arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess"
DENY = "arn:aws:iam::aws:policy/AWSDenyAll"
SQS = "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"

PROGRAM = """
import pulumi
import pulumi_aws as aws

from esc_oidc import PulumiEscOidc

ALLOW = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}'
config = pulumi.Config()
own = aws.iam.Policy("own", policy=ALLOW, description=config.get("own"))
feeder = aws.iam.Policy("feeder", policy=ALLOW)


def arn(text):
    # `own` is a policy of this program, and `output ARN` an ARN that isn't known before another resource is.
    if text == "own":
        return own.arn
    if text.startswith("output "):
        return feeder.arn.apply(lambda _: text.removeprefix("output "))
    return text


login = PulumiEscOidc(
    "login",
    organization="contoso",
    project="aws",
    environment="dev",
    policy_arns=config.get_object("plain") or None,
    named_policy_arns={key: arn(text) for key, text in (config.get_object("named") or {}).items()} or None,
)
pulumi.export("role", login.role_name)
pulumi.export("own", own.arn)
"""


@pytest.fixture
def program(sandbox, tmp_path):  # noqa: ARG001 - the program is deployed in it
    """A program with one login, whose policies the stack's configuration lists."""
    return written(tmp_path / "policies", PROGRAM)


def declare(program, plain=(), named=None, own="first"):
    """Run `up` with these policies; return what became of the attachments, those that did not stay as they are."""
    configure(program, plain=list(plain), named=named or {}, own=own)
    prefix = "login-policy-"
    return {
        name.removeprefix(prefix): done
        for name, done in up(program).items()
        if name.startswith(prefix) and done != {"same"}
    }


def attached(program):
    """The policies that the role has in AWS."""
    role = stack_of(program).outputs()["role"].value
    found = boto3.Session().client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    return {each["PolicyArn"] for each in found}


def declared(program, plain=(), named=None):
    """The policies that these inputs ask for."""
    own = stack_of(program).outputs()["own"].value
    texts = [*plain, *(named or {}).values()]
    return {own if text == "own" else text.removeprefix("output ") for text in texts}


WALK = [
    ("several are added", [S3, EC2, DENY], {}),
    ("they are reordered", [DENY, S3, EC2], {}),
    ("the first goes", [S3, EC2], {}),
    ("one is replaced by another", [S3, DENY], {}),
    ("the policy of this program comes, by name", [S3, DENY], {"own": "own"}),
    ("a literal gets a name", [S3], {"own": "own", "deny": DENY}),
    ("a literal becomes an output of the same ARN", [], {"own": "own", "deny": DENY, "reader": f"output {S3}"}),
    ("the names are reordered", [], {"reader": f"output {S3}", "deny": DENY, "own": "own"}),
    ("an output becomes a literal under its name", [], {"reader": S3, "deny": DENY, "own": "own"}),
    ("another ARN stands under a name", [], {"reader": f"output {EC2}", "deny": DENY, "own": "own"}),
    ("a name goes", [], {"reader": f"output {EC2}", "deny": DENY}),
    ("both inputs change at once", [SQS], {"deny": DENY, "s3": S3}),
    ("everything but a name goes", [], {"deny": DENY}),
]


def test_the_role_has_what_the_program_declares_after_every_change(program):
    """Policies are added, removed, reordered and named, and their ARNs become outputs: none is lost."""
    lost = []
    for change, plain, named in WALK:
        declare(program, plain, named)
        if (found := attached(program)) != declared(program, plain, named):
            lost.append(f"{change}: the role has {sorted(found)}, not {sorted(declared(program, plain, named))}")
    assert not lost, "\n".join(lost)


def test_a_reordered_list_changes_nothing(program):
    """Attachments are named after their policies and keys, not after their places."""
    declare(program, [S3, EC2], {"deny": DENY, "own": "own"})
    assert declare(program, [EC2, S3], {"own": "own", "deny": DENY}) == {}


def test_a_policy_that_is_replaced_is_attached_under_its_new_arn(program):
    """The attachment keeps its name and follows the policy."""
    declare(program, named={"own": "own", "deny": DENY})
    (before,) = attached(program) - {DENY}
    assert declare(program, named={"own": "own", "deny": DENY}, own="second").keys() == {"own"}
    assert attached(program) == declared(program, named={"own": "own", "deny": DENY})
    assert before not in attached(program)


def test_a_renamed_key_detaches_its_policy(program):
    """The new attachment finds the policy attached, and the old one detaches it; a refresh brings it back."""
    declare(program, named={"deny": DENY, "s3": S3})
    assert declare(program, named={"refuse": DENY, "s3": S3}) == {"refuse": {"create"}, "deny": {"delete"}}
    assert attached(program) == {S3}
    up(program, refresh=True)
    assert attached(program) == {S3, DENY}


def test_a_key_is_renamed_in_two_updates(program):
    """Without the policy, then with it under its new key: that is safe where the gap is."""
    declare(program, named={"deny": DENY, "s3": S3})
    declare(program, named={"s3": S3})
    declare(program, named={"refuse": DENY, "s3": S3})
    assert attached(program) == {S3, DENY}


def test_a_key_is_renamed_in_the_state(program):
    """`pulumi state rename` first, then the program: the role has the policy all the time."""
    declare(program, named={"deny": DENY, "s3": S3})
    resources = stack_of(program).export_stack().deployment["resources"]
    (urn,) = (each["urn"] for each in resources if each["urn"].endswith("::login-policy-deny"))
    subprocess.run(  # noqa: S603 - the one on PATH
        ["pulumi", "state", "rename", "--yes", urn, "login-policy-refuse"],  # noqa: S607
        cwd=program,
        check=True,
        capture_output=True,
    )
    assert declare(program, named={"refuse": DENY, "s3": S3}) == {}
    assert attached(program) == {S3, DENY}
