"""A provider that one component makes and another one, or a later program, adopts."""

import subprocess

import boto3
import pytest
from pulumi import automation

from esc_oidc.tokens import deployment_claims
from tests.support.workspaces import NEEDS_ENGINE, configure, left, opened, operations, preview, stack_of, up, written

pytestmark = NEEDS_ENGINE

PROVIDER = "arn:aws:iam::123456789012:oidc-provider/api.pulumi.com/oidc"
URL = "https://api.pulumi.com/oidc"

LOGIN = """
import pulumi
import pulumi_aws as aws

from esc_oidc import PulumiDeploymentsOidc, PulumiEscOidc

config = pulumi.Config()
provider_arn = config.get("provider")
if config.get_bool("own"):
    component = pulumi.create_urn("login", "esc-oidc:index:PulumiEscOidc")
    provider_arn = aws.iam.OpenIdConnectProvider(
        "pulumi-cloud",
        url="https://api.pulumi.com/oidc",
        client_id_lists=["aws:contoso"],
        opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="login-provider", parent=component)]),
    ).arn
login = PulumiEscOidc(
    "login",
    organization="contoso",
    project="aws",
    environment="dev",
    allowed_users=["alice"],
    oidc_provider_arn=provider_arn,
    retain_oidc_provider=config.get_bool("retain") or False,
    additional_audiences=config.get_object("audiences") or [],
)
if config.get_bool("deployments"):
    deploy = PulumiDeploymentsOidc(
        "deploy", organization="contoso", project="app", stacks=["dev"], oidc_provider_arn=login.oidc_provider_arn
    )
    pulumi.export("deployRole", deploy.role_arn)
"""
READER = f"""
import pulumi
import pulumi_aws as aws

pulumi.export("tags", aws.iam.get_open_id_connect_provider_output(arn="{PROVIDER}").tags)
"""
OTHER_STACK = """
import pulumi_aws as aws

aws.iam.OpenIdConnectProvider("login-provider", url="https://api.pulumi.com/oidc", client_id_lists=["aws:contoso"])
"""


@pytest.fixture
def program(sandbox, tmp_path):
    """A program with one login, deployed: it made its provider."""
    program = written(tmp_path / "login", LOGIN)
    up(program)
    assert opened(sandbox, "alice", "contoso/aws/dev")
    return program


@pytest.fixture
def tags_are_read(program):
    """A stand-in for the AWS plugin may leave a provider's tags out of what it answers; AWS never does."""
    reader = written(program.parent / "reader", READER)
    up(reader)
    if not stack_of(reader).outputs()["tags"].value:
        pytest.skip("this AWS plugin doesn't answer a provider's tags")


def works(sandbox):
    """Whether the provider is there, and the login opens."""
    return left(sandbox)["providers"] == [PROVIDER] and bool(opened(sandbox, "alice", "contoso/aws/dev"))


def refusal(run, program):
    """Why the engine stops."""
    with pytest.raises(automation.CommandError) as raised:
        run(program)
    return str(raised.value)


def iam():
    """The sandbox's IAM."""
    return boto3.Session().client("iam")


def deployments_get_in(sandbox, program):
    """The identity of Pulumi Deployments that update the stack contoso/app/dev."""
    token = sandbox.issuer.mint(deployment_claims("contoso", "app", "dev", "update"))
    role = stack_of(program).outputs()["deployRole"].value
    answer = (
        boto3.Session()
        .client("sts")
        .assume_role_with_web_identity(RoleArn=role, RoleSessionName="update", WebIdentityToken=token)
    )
    return answer["AssumedRoleUser"]["Arn"]


@pytest.mark.usefixtures("tags_are_read")
@pytest.mark.parametrize("run", [preview, up])
def test_a_component_does_not_adopt_the_provider_that_it_made(sandbox, program, run):
    """That would delete the provider, and with it every login of the account: the message has the ways out."""
    configure(program, provider=PROVIDER)
    message = refusal(run, program)
    for words in (
        "a component of this very stack made this provider",
        "retain_oidc_provider",
        "alias",
        "pulumi state move",
    ):
        assert words in message
    assert works(sandbox)


def test_a_provider_is_adopted_after_it_is_retained(sandbox, program):
    """One update takes it out of the component's hands, the next one adopts it: it stays in AWS."""
    configure(program, retain=True)
    assert up(program)["login-provider"] <= {"update", "same"}
    configure(program, retain=None, provider=PROVIDER)
    preview(program)
    done = up(program)
    assert done["login-provider"] == {"delete"}
    assert done["login-role"] == done["login-environment"] == {"same"}
    assert works(sandbox)


def test_a_provider_moves_into_the_program_by_an_alias(sandbox, program):
    """The program declares it itself: in one update it changes hands, and AWS notices nothing but the tag."""
    configure(program, own=True)
    preview(program)
    done = up(program)
    assert done["pulumi-cloud"] <= {"update", "same"}
    assert "login-provider" not in done
    assert done["login-role"] == done["login-environment"] == {"same"}
    assert works(sandbox)
    assert set().union(*up(program).values()) == {"same"}


@pytest.mark.usefixtures("tags_are_read")
def test_a_provider_moves_to_another_stack(sandbox, program, tmp_path):
    """`pulumi state move` in the other stack's folder, an update there, then this stack adopts it."""
    other = written(tmp_path / "shared", OTHER_STACK)
    stack_of(other)
    resources = stack_of(program).export_stack().deployment["resources"]
    (urn,) = (each["urn"] for each in resources if each["urn"].endswith("::login-provider"))
    source, target = "contoso/login/sandbox", "contoso/shared/sandbox"
    moved = subprocess.run(  # noqa: S603 - the one on PATH
        ["pulumi", "state", "move", "--yes", "--source", source, "--dest", target, urn],  # noqa: S607
        cwd=other,  # whose stack has no secrets manager yet
        capture_output=True,
        text=True,
        check=False,
    )
    assert moved.returncode == 0, moved.stdout + moved.stderr
    configure(program, provider=PROVIDER)
    assert "a component of this very stack made this provider" in refusal(preview, program)
    assert up(other)["login-provider"] <= {"update", "same"}
    preview(program)
    assert up(program)["login-role"] == {"same"}
    assert works(sandbox)


def test_a_provider_that_exists_is_explained(sandbox, tmp_path):
    """AWS's error stands under a sentence that names both ways out, and the one it shows works."""
    iam().create_open_id_connect_provider(Url=URL, ClientIDList=["aws:contoso"])
    program = written(tmp_path / "login", LOGIN)
    message = refusal(up, program)
    assert "oidc_provider_arn" in message
    assert message.index("pulumi import") < message.rindex("EntityAlreadyExists")
    command = message[message.index("pulumi import") :].split("`")[0].split()
    done = subprocess.run(  # noqa: S603 - the one on PATH
        [*(PROVIDER if word == "ARN" else word for word in command), "--yes", "--generate-code=false"],
        cwd=program,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert up(program)["login-provider"] <= {"update", "same"}
    assert works(sandbox)


def test_deployments_adopt_the_provider_of_a_deployed_login(sandbox, program):
    """One update registers the audience and adds the component that needs it."""
    configure(program, audiences=["contoso"], deployments=True)
    announced = preview(program)
    assert announced["login-provider"] == {"update"}
    assert announced["login-role"] == announced["login-environment"] == {"same"}
    assert announced["deploy-role"] == {"create"}
    done = up(program)
    assert {name: each for name, each in done.items() if each != {"same"}} == {
        "login-provider": {"update"},
        "deploy": {"create"},
        "deploy-role": {"create"},
    }
    assert deployments_get_in(sandbox, program)
    assert works(sandbox)
    assert set().union(*up(program).values()) == {"same"}


def test_deployments_without_their_audience_are_refused_in_the_update(sandbox, program):
    """A preview can't know what the update makes of the provider; the update judges before the role exists."""
    configure(program, deployments=True)
    roles = left(sandbox)["roles"]
    assert preview(program)["deploy-role"] == {"create"}
    events = []
    with pytest.raises(automation.CommandError, match="add-client-id-to-open-id-connect-provider"):
        stack_of(program).up(on_event=events.append)
    assert "deploy-role" not in operations(events)
    assert left(sandbox)["roles"] == roles
