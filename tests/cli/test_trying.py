"""`esc-oidc try`, as a shell runs it."""

import json
from pathlib import Path

import pytest

from tests.support.command import esc_oidc

ROOT = Path(__file__).parents[2]
PROJECT = "name: trial\nruntime: python\n"
PROGRAM = """
import json, pulumi
from esc_oidc import PulumiEscOidc

def change(args):
    if args.type_ != "aws:iam/role:Role":
        return None
    def changed(text):
        policy = json.loads(text)
        {change}
        return json.dumps(policy)
    props = dict(args.props) | {{"assume_role_policy": args.props["assume_role_policy"].apply(changed)}}
    return pulumi.ResourceTransformationResult(props, args.opts)

print("a program may print what it likes")
PulumiEscOidc("esc", organization="contoso", project="aws", environment="dev", {inputs}
              opts=pulumi.ResourceOptions(transformations=[change]))
"""
CONDITION = 'policy["Statement"][0]["Condition"]'


def run(*arguments):
    """`esc-oidc try`, as a shell runs it."""
    return esc_oidc("try", *arguments)


@pytest.fixture
def program(tmp_path):
    """Writes a program that declares one component, and may tamper with its trust policy."""

    def write(inputs="", change="pass"):
        (tmp_path / "Pulumi.yaml").write_text(PROJECT)
        (tmp_path / "Pulumi.only.yaml").write_text("config: {}\n")
        (tmp_path / "__main__.py").write_text(PROGRAM.format(inputs=inputs, change=change))
        return tmp_path

    return write


def lines(result, verdict):
    return [line.strip() for line in result.stdout.splitlines() if line.strip().startswith(verdict)]


def test_this_repositorys_stack_admits_its_two_users_and_nobody_else():
    """`make try` shows provider, role, attachment and environment; alice and bob get in, everybody else is refused."""
    result = run(ROOT)
    assert result.exit_code == 0, result.output
    for kind, name in (
        ("aws:iam/openIdConnectProvider:OpenIdConnectProvider", "esc-oidc-provider"),
        ("aws:iam/role:Role", "esc-oidc-role"),
        ("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "esc-oidc-policy-ReadOnlyAccess-2a3bda39"),
        ("pulumiservice:index:Environment", "esc-oidc-environment"),
    ):
        assert f"+ {kind}  {name}" in result.stdout
    assert lines(result, "admitted") == [
        "admitted  alice opens contoso/aws/dev",
        "admitted  bob opens contoso/aws/dev",
        "admitted  alice runs `pulumi up` on a stack that lists contoso/aws/dev",
        "admitted  bob runs `pulumi up` on a stack that lists contoso/aws/dev",
        "admitted  alice opens contoso/aws/esc-oidc-try-imports, which imports contoso/aws/dev",
    ]
    assert lines(result, "refused") == [
        "refused   alice opens contoso/aws/esc-oidc-try-stranger  another environment with the same login",
        "refused   alice opens contoso-stranger/aws/dev    the same name in another organization",
        "refused   mallory opens contoso/aws/dev           a user who is not listed",
        "refused   alice presents a token for azure:contoso  another cloud's token",
        "refused   Pulumi Deployments updates a stack      not an ESC token",
        "refused   alice asks for a session of 1h1s        longer than the role allows",
    ]
    assert "assumed-role/esc-oidc-role-0sandbx/pulumi-esc, until " in result.stdout


def test_every_refusal_has_its_reason():
    """AWS doesn't say which condition failed; the reason names the key, what was wanted and what the token has."""
    attempts = json.loads(run(ROOT, "--format", "json").stdout)["attempts"]
    reasons = [attempt["reason"] for attempt in attempts if attempt["actual"] == "refused"]
    for reason, said in zip(
        reasons,
        [
            "currentEnvironment.name is 'aws/esc-oidc-try-stranger', and the policy wants 'aws/dev'",
            "The token is of another organization: 'contoso-stranger', not 'contoso'",
            "pulumi.user.login is 'mallory', and the policy wants 'alice'",
            "made for another cloud (azure)",
            "Pulumi Deployments",
            "the role allows at most",
        ],
        strict=True,
    ):
        assert said in reason


def test_the_json_is_complete_and_alone():
    """What the program prints doesn't mix with it, and every field is there."""
    document = json.loads(run(ROOT, "--format", "json").stdout)
    assert (document["version"], document["ok"]) == (1, True)
    assert document["resources"][0]["name"] == "esc-oidc"
    assert set(document["attempts"][0]) == {
        "component", "who", "remark", "expected", "actual", "identity", "until", "error", "reason",
    }  # fmt: skip
    assert document["attempts"][0]["until"].endswith("+00:00")


def test_quiet_prints_only_what_is_wrong(program):
    """If everything is as declared nothing is printed; otherwise only the attempt that isn't."""
    quiet = run(program('allowed_users=["alice"],'), "--quiet")
    assert (quiet.exit_code, [line for line in quiet.stdout.splitlines() if "may print" not in line]) == (0, [])
    narrow = f'{CONDITION}["StringEquals"]["api.pulumi.com/oidc:sub"] = "nobody at all"'
    wrong = run(program('allowed_users=["alice"],', narrow), "--quiet")
    assert "WRONG" in wrong.stdout
    assert "Deploying" not in wrong.stdout
    assert "mallory" not in wrong.stdout


def test_verbose_prints_subjects_and_identities_in_full():
    """Whole subjects, conditions and ARNs are printed; by default only what differs is."""
    shown, verbose = run(ROOT).stdout, run(ROOT, "--verbose").stdout
    for whole in ("StringEquals api.pulumi.com/oidc:sub", ":pulumi.user.login:mallory", "arn:aws:sts::123456789012:"):
        assert whole not in shown
        assert whole in verbose


def test_a_program_without_tampering_passes(program):
    """The control for the next two tests: the same program with its trust policy left alone."""
    assert run(program('allowed_users=["alice"],')).exit_code == 0


def test_admitting_too_many_fails_the_command(program):
    """A trust policy that admits somebody undeclared is reported as wrong."""
    wide = f'{CONDITION} = {{"StringLike": {{"api.pulumi.com/oidc:sub": "pulumi:environments:*"}}}}'
    result = run(program('allowed_users=["alice"],', wide))
    assert result.exit_code == 1
    assert "WRONG: the component declares that this is refused" in result.stdout
    assert "attempts did not go as declared" in result.stdout


def test_admitting_too_few_fails_the_command(program):
    """A trust policy that refuses somebody declared is reported as wrong."""
    narrow = f'{CONDITION}["StringEquals"]["api.pulumi.com/oidc:sub"] = "nobody at all"'
    result = run(program('allowed_users=["alice"],', narrow))
    assert result.exit_code == 1
    assert "WRONG: the component declares that this is admitted" in result.stdout


@pytest.mark.parametrize(
    ("inputs", "admitted"),
    [
        ('allowed_teams=["ops"],', "a token of team ops opens contoso/aws/dev"),
        ('allowed_token_types=["organization"],', "a token of the organization contoso opens contoso/aws/dev"),
        ('allowed_token_types=["team"],', "a token of team any-team opens contoso/aws/dev"),
        ('allowed_environments=["aws/prod"],', "member opens contoso/aws/prod"),
        (
            'allowed_root_environments=["gcp/app"],',
            "member opens contoso/gcp/app, which imports contoso/aws/dev",
        ),
        ("dangerously_allow_any_environment_in_project=True,", "member opens contoso/aws/esc-oidc-try-any"),
        ("dangerously_allow_any_environment=True,", "member opens contoso/aws/dev"),
        (
            "subject_attributes=[], dangerously_omit_current_environment=True,",
            "member opens contoso/aws/dev",
        ),
        (
            (
                "subject_attributes=[], dangerously_omit_current_environment=True, "
                "dangerously_allow_any_stack_configuration=True,"
            ),
            "member runs `pulumi up` on a stack that lists contoso/aws/dev",
        ),
        ("create_environment=False,", "member opens contoso/aws/dev"),
        ('issuer="https://pulumi.example.com/oidc",', "member opens contoso/aws/dev"),
        ('max_session_duration="12h", duration="12h",', "member opens contoso/aws/dev"),
    ],
)
def test_every_kind_of_declaration_can_be_tried(program, inputs, admitted):
    """Everyone declared gets in, in the way that was declared."""
    result = run(program(inputs))
    assert result.exit_code == 0, result.output
    assert f"admitted  {admitted}" in lines(result, "admitted")


def test_configuration_can_be_overridden():
    """`--config` replaces `pulumi config set`, with objects as JSON; warnings are shown."""
    result = run(ROOT, "--config", "project=default", "--config", 'allowedUsers=["carol"]')
    assert result.exit_code == 0, result.output
    assert "admitted  carol opens contoso/default/dev" in lines(result, "admitted")
    assert "warning: project: the audience of the legacy project" in result.stdout


def test_refused_inputs_are_shown_without_a_traceback():
    """The status is 1, and the message is the component's own."""
    result = run(ROOT, "--config", "duration=13h")
    assert result.exit_code == 1
    assert "duration = '13h': AWS allows a session of 15m to 12h." in result.stdout
    assert "Traceback" not in result.output
    assert json.loads(run(ROOT, "--config", "duration=13h", "--format", "json").stdout)["ok"] is False


def test_a_misspelled_configuration_key_is_refused():
    """A misspelled key that narrows access can't pass for a key that isn't set."""
    result = run(ROOT, "--config", 'allowedUser=["alice"]')
    assert result.exit_code == 1
    assert "Did you mean `allowedUsers`?" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--config", "nothing"], "write KEY=VALUE"),
        (["/nonexistent"], "there is no such file"),
        ([ROOT, "--stack", "other"], "Pulumi.other.yaml: there is no such file"),
        ([ROOT, "--seed", ROOT / "Makefile"], "Makefile"),
    ],
)
def test_wrong_use_exits_with_2(arguments, said):
    """Input that can't be read has another status than input that is refused."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_program_without_a_component_is_wrong_use(tmp_path):
    """There is nothing to try, and the message says so."""
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    (tmp_path / "Pulumi.only.yaml").write_text("{}")
    (tmp_path / "__main__.py").write_text("import pulumi\n")
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "declares no component of esc-oidc" in result.stderr


def test_an_adopted_provider_without_the_audience_is_refused(tmp_path):
    """The message has the command that registers the audience."""
    seed = tmp_path / "seed.yaml"
    seed.write_text("providers: [{url: 'https://api.pulumi.com/oidc', clientIds: [aws:fabrikam]}]")
    result = run(ROOT / "examples" / "adopted-provider", "--seed", seed)
    assert result.exit_code == 1
    assert "add-client-id-to-open-id-connect-provider" in result.stdout
    assert "aws:iam/role:Role" not in result.stdout


def test_a_kind_of_resource_that_the_sandbox_lacks_is_named(tmp_path):
    """Such a resource gets its inputs back, and the output says so."""
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    (tmp_path / "Pulumi.only.yaml").write_text("{}")
    (tmp_path / "__main__.py").write_text(
        "import pulumi_aws as aws\nfrom esc_oidc import PulumiEscOidc\n"
        'aws.sqs.Queue("logs")\n'
        'PulumiEscOidc("esc", organization="contoso", project="aws", environment="dev")\n'
    )
    result = run(tmp_path)
    assert result.exit_code == 0, result.output
    assert "+ aws:sqs/queue:Queue  logs\n      echoed: the sandbox does not know this kind" in result.stdout


@pytest.mark.parametrize(
    ("config", "status", "said"),
    [
        ('imports=["aws/nope"]', 1, "pulumiservice:index:Environment 'esc-oidc-environment': [400]"),
        ('policyArns=["arn:aws:iam::aws:policy/Nope"]', 1, "RolePolicyAttachment 'esc-oidc-policy-Nope-9a1fbb02': "),
        ("allowedUsers=alice", 1, "esc-oidc:allowedUsers = 'alice': this key holds a list"),
        ("createEnvironment=maybe", 1, "esc-oidc:createEnvironment = 'maybe': this key holds true or false"),
    ],
)
def test_a_refusal_by_a_cloud_or_the_configuration_is_one_line(config, status, said, caplog):
    """It names the resource or the key and the reason, without the noise of Pulumi's other tasks."""
    result = run(ROOT, "--config", config)
    assert result.exit_code == status
    assert result.output.count(said) == 1
    assert "Traceback" not in result.output
    assert [record for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize("organization", ["ab", "o" * 41])
def test_names_that_the_sdk_refuses_are_tried_too(organization):
    """pulumi-esc-sdk wants 3 to 40 characters; for other names the same calls are made as the CLI makes them."""
    result = run(ROOT, "--config", f"organization={organization}")
    assert result.exit_code == 0, result.output
    assert f"admitted  alice opens {organization}/aws/dev" in lines(result, "admitted")


BOTH = [ROOT / "examples" / "one-environment", ROOT / "examples" / "consumer"]


def test_several_programs_are_deployed_in_order():
    """The second one's stack lists what the first one made, and it says who it is: the role."""
    result = run(*BOTH)
    assert result.exit_code == 0, result.output
    first, second = (result.stdout.index(f"Deploying {example.name}, stack sandbox") for example in BOTH)
    assert first < second < result.stdout.index("alice opens what the stack lists: aws/dev")
    assert "= identity  arn:aws:sts::123456789012:assumed-role/login-role-0sandbx/pulumi-esc" in result.stdout
    assert result.stdout.count("It only creates") == 1
    resources = json.loads(run(*BOTH, "--format", "json").stdout)["resources"]
    assert {"login-role", "read-orders"} <= {each["name"] for each in resources}


def test_whoever_is_refused_deploys_nothing_with_the_environment():
    """The error is AWS's, with the claim that differs, and the status is 1."""
    result = run(*BOTH, "--as", "mallory")
    assert result.exit_code == 1
    assert "consumer: opening the stack's environments: [400] " in result.stdout
    assert "pulumi.user.login is 'mallory', and the policy wants 'alice' or 'bob'" in result.stdout
    assert "read-orders" not in result.stdout


def test_a_program_sees_the_sandbox_and_not_the_users_account(program, monkeypatch):
    """What it calls by itself, without a provider, finds the sandbox too."""
    monkeypatch.setenv("AWS_PROFILE", "prod")
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "pul-real")
    folder = program("")
    calling = "import boto3, pulumi; pulumi.log.info(boto3.client('sts').get_caller_identity()['Arn'])"
    (folder / "__main__.py").write_text(f"{(folder / '__main__.py').read_text()}\n{calling}\n")
    result = run(folder)
    assert result.exit_code == 0, result.output
    assert "info: arn:aws:sts::123456789012:user/moto" in result.stdout
