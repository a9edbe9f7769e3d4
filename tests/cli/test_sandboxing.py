"""`esc-oidc sandbox`: what the command in it sees, and how it ends."""

import json
import shlex
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.support.command import NASTY, PATIENCE, SANDBOX
from tests.support.listening import leading_to, listening

pytest.importorskip("pty", reason="signals and terminals as POSIX has them")

LOOK = "import json, os; print(json.dumps(dict(os.environ)))"
CLOUDS = """
import os, boto3
from pulumi_esc_sdk import Configuration, EscClient
print(boto3.client("sts").get_caller_identity()["Account"])
print([each["RoleName"] for each in boto3.client("iam").list_roles()["Roles"]])
client = EscClient(Configuration(host=os.environ["PULUMI_API"], access_token=os.environ["PULUMI_ACCESS_TOKEN"]))
print([f"{each.organization}/{each.project}/{each.name}" for each in client.list_environments("contoso").environments])
environment, values, _ = client.open_and_read_environment("contoso", "aws", "dev")
keys = values["environmentVariables"]
session = boto3.client("sts", aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
    aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"], aws_session_token=keys["AWS_SESSION_TOKEN"])
print(session.get_caller_identity()["Arn"])
"""
SEED = """
providers:
  - {url: 'https://api.pulumi.com/oidc', clientIds: ['aws:contoso']}
roles:
  - name: esc
    trustPolicy:
      Version: '2012-10-17'
      Statement:
        - Effect: Allow
          Action: sts:AssumeRoleWithWebIdentity
          Principal: {Federated: 'arn:aws:iam::123456789012:oidc-provider/api.pulumi.com/oidc'}
          Condition:
            StringEquals:
              api.pulumi.com/oidc:aud: aws:contoso
              api.pulumi.com/oidc:sub: >-
                pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name:aws/dev:pulumi.user.login:USER
environments:
  contoso/aws/dev:
    values:
      aws:
        login:
          fn::open::aws-login:
            oidc:
              roleArn: arn:aws:iam::123456789012:role/esc
              sessionName: pulumi-esc
              duration: 1h
              subjectAttributes: [currentEnvironment.name, pulumi.user.login]
      environmentVariables:
        AWS_ACCESS_KEY_ID: ${aws.login.accessKeyId}
        AWS_SECRET_ACCESS_KEY: ${aws.login.secretAccessKey}
        AWS_SESSION_TOKEN: ${aws.login.sessionToken}
"""


def answers(url):
    """Whether anybody listens there; a refusal is an answer."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False


def test_the_command_sees_only_the_sandboxs_variables(run, left):
    """It gets none of the user's AWS and Pulumi variables, and the folders that ours name are gone afterwards."""
    result = run("--", sys.executable, "-c", LOOK)
    assert (result.returncode, result.stderr) == (0, "")
    seen = json.loads(result.stdout)
    assert {name for name in seen if name.startswith(("AWS_", "PULUMI_"))} == {
        "AWS_ACCESS_KEY_ID", "AWS_CONFIG_FILE", "AWS_DEFAULT_REGION", "AWS_EC2_METADATA_DISABLED", "AWS_ENDPOINT_URL",
        "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SHARED_CREDENTIALS_FILE", "PULUMI_ACCESS_TOKEN", "PULUMI_API",
        "PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_HOME", "PULUMI_SKIP_UPDATE_CHECK",
    }  # fmt: skip
    ours = {name: value for name, value in seen.items() if name.startswith(("AWS_", "PULUMI_"))}
    assert set(ours.values()).isdisjoint(set(NASTY.values()) - {"true"})
    assert seen["NO_PROXY"] == seen["no_proxy"] == "127.0.0.1,localhost"
    assert seen["HTTP_PROXY"] == NASTY["HTTP_PROXY"]
    assert not Path(seen["PULUMI_HOME"]).exists()
    assert left() == []
    assert not answers(seen["AWS_ENDPOINT_URL"])
    assert not answers(seen["PULUMI_API"])


OUTWARD = """
import contextlib, os, urllib.request
import boto3
from pulumi_esc_sdk import esc_client
with contextlib.suppress(Exception):
    boto3.client("sts").get_caller_identity()
with contextlib.suppress(Exception):
    boto3.client("iam").list_roles()
with contextlib.suppress(Exception):
    esc_client.default_client().list_environments("contoso")
for name in ("PULUMI_API", "PULUMI_BACKEND_URL"):
    with contextlib.suppress(Exception):
        urllib.request.urlopen(os.environ[name] + "/api/user", timeout=5)
"""


@pytest.mark.parametrize("inside", [True, False])
def test_nothing_leads_out_of_the_sandbox(run, environment, tmp_path, inside):
    """A user's variables and files all lead to somebody who hears nothing; outside the same program is heard."""
    with listening() as (url, heard):
        environment.update(leading_to(url, tmp_path / "home"))
        if inside:
            assert run("--", sys.executable, "-c", OUTWARD).returncode == 0
            assert heard == []
        else:
            del environment["AWS_CA_BUNDLE"]
            subprocess.run([sys.executable, "-c", OUTWARD], env=environment, check=True)  # noqa: S603 - our own
            assert len(heard) >= 4


@pytest.mark.parametrize(
    ("user", "last"),
    [("alice", "arn:aws:sts::123456789012:assumed-role/esc/pulumi-esc"), ("mallory", "pulumi.user.login is 'mallory'")],
)
def test_both_clouds_hold_what_the_seed_says(run, tmp_path, user, last):
    """boto3 and pulumi-esc-sdk find both clouds; the role admits alice and refuses mallory."""
    seed = tmp_path / "seed.yaml"
    seed.write_text(SEED.replace("USER", "alice"))
    result = run("--seed", seed, "--as", user, sys.executable, "-c", CLOUDS)
    assert result.stdout.splitlines()[:3] == ["123456789012", "['esc']", "['contoso/aws/dev']"], result.stderr
    assert (result.returncode == 0) is (user == "alice")
    assert last in (result.stdout if user == "alice" else result.stderr)


def test_the_token_is_a_member_of_the_given_organizations(run):
    """`--organization` names them, the default one first; the user has no others."""
    ask = (
        "import os, urllib.request as u; r = u.Request(os.environ['PULUMI_API'] + '/api/user', "
        "headers={'Authorization': 'token ' + os.environ['PULUMI_ACCESS_TOKEN']}); print(u.urlopen(r).read().decode())"
    )
    result = run("--as", "bob", "--organization", "fabrikam", "--organization", "contoso", sys.executable, "-c", ask)
    answer = json.loads(result.stdout)
    assert answer["githubLogin"] == "bob"
    assert [each["githubLogin"] for each in answer["organizations"]] == ["fabrikam", "contoso"]


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (["sh", "-c", "exit 0"], 0),
        (["--", "sh", "-c", "exit 7"], 7),
        (["--", "sh", "-c", "kill -KILL $$"], 137),
        (["--", "sh", "-c", 'test "$*" = "-- --seed f -y"', "sh", "--", "--seed", "f", "-y"], 0),
    ],
)
def test_the_exit_status_is_that_of_the_command(run, left, command, status):
    """After a signal it is 128 plus the signal's number; the command keeps its own options and `--`."""
    result = run(*command)
    assert (result.returncode, result.stdout, result.stderr) == (status, "", "")
    assert left() == []


def test_a_missing_command_exits_with_127(run, left):
    """As in a shell, the message has its name."""
    result = run("--", "no-such-command", "--yes")
    assert result.returncode == 127
    assert result.stderr == "esc-oidc: no-such-command: command not found.\n"
    assert left() == []


def test_a_command_that_cannot_run_exits_with_126(run, tmp_path, left):
    """As in a shell, for a file that exists but isn't executable."""
    (tmp_path / "notes").write_text("text")
    result = run("--", tmp_path / "notes")
    assert result.returncode == 126
    assert result.stderr == f"esc-oidc: {tmp_path / 'notes'}: Permission denied.\n"
    assert left() == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--seed", "/nonexistent", "--", "true"], "/nonexistent"),
        (["--issuer", "http://localhost", "--", "true"], "an issuer is exactly https://HOST/oidc"),
        (["--organization", "aws:contoso", "--", "true"], "--organization 'aws:contoso'"),
        (["--as", "", "--", "true"], "--as '': write a person's login"),
        (["--as", "team:", "--", "true"], "--as 'team:': write a person's login"),
        (["--as", "bob:x", "--", "true"], "--as 'bob:x': write a person's login"),
        (["--format", "json", "--", "true"], "without a COMMAND"),
    ],
)
def test_wrong_use_exits_with_2(run, left, arguments, said):
    """The message comes before the command runs, and nothing is left behind."""
    result = run(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert said in result.stderr
    assert left() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_without_a_command_it_prints_the_variables_and_waits(start, left, environment, number):
    """A shell that evaluates them is in the sandbox; a signal ends it cleanly."""
    process = start()
    lines = [process.stdout.readline()]
    while not lines[-1].startswith("export no_proxy"):
        lines.append(process.stdout.readline())
        assert lines[-1], process.stderr.read()
    assert "Press Ctrl-C" in process.stderr.readline()
    look = f"{''.join(lines)}{shlex.quote(sys.executable)} -c {shlex.quote(LOOK)}"
    shell = subprocess.run(["sh", "-ec", look], env=environment, capture_output=True, text=True, check=True)  # noqa: S603, S607 - as a user does
    seen = json.loads(shell.stdout)
    assert answers(seen["PULUMI_API"])
    assert answers(seen["AWS_ENDPOINT_URL"])
    assert {name for name in NASTY if name.startswith(("AWS_", "PULUMI_"))} & seen.keys() == {
        "AWS_ACCESS_KEY_ID",
        "PULUMI_ACCESS_TOKEN",
        "PULUMI_BACKEND_URL",
    }
    assert seen["AWS_ACCESS_KEY_ID"] == "test"
    process.send_signal(number)
    assert process.wait(PATIENCE) == 0
    assert left() == []
    assert not answers(seen["PULUMI_API"])


def test_the_variables_can_be_printed_as_json(start, left):
    """Standard output is one document that says what to set and what to unset."""
    process = start("--format", "json")
    document, _ = json.JSONDecoder().raw_decode("".join(iter(process.stdout.readline, "}\n")) + "}")
    assert set(document) == {"set", "unset"}
    assert document["set"]["AWS_SECRET_ACCESS_KEY"] == "test"
    assert "AWS_PROFILE" in document["unset"]
    process.terminate()
    assert process.wait(PATIENCE) == 0
    assert left() == []


WHO = """
import json, os, urllib.request
headers = {"Authorization": "token " + os.environ["PULUMI_ACCESS_TOKEN"]}
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
user = json.load(opener.open(urllib.request.Request(os.environ["PULUMI_BACKEND_URL"] + "/api/user", headers=headers)))
login = json.load(open(os.environ["PULUMI_HOME"] + "/credentials.json"))
assert login["accounts"][login["current"]]["username"] == user["githubLogin"]
print(user["githubLogin"], [each["githubLogin"] for each in user["organizations"]], user.get("tokenInfo"), flush=True)
"""
I = [sys.executable, "-c", WHO]  # noqa: E741 - I, as in "who am I"


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("bob", "bob ['contoso', 'fabrikam'] None"),
        ("team:platform", "contoso ['contoso'] {'name': 'sandbox', 'team': 'platform'}"),
        ("organization", "contoso ['contoso'] {'name': 'sandbox', 'organization': 'contoso'}"),
    ],
)
@pytest.mark.parametrize("inside", [False, True])
def test_the_command_is_whom_one_asks_for(run, left, who, said, inside):
    """A person, a team's token or the organization's: in a new sandbox, and as another one inside."""
    organizations = ["--organization", "contoso", "--organization", "fabrikam"]
    others = [*organizations, *SANDBOX] if inside else organizations
    result = run(*others, "--as", who, "--", *I)
    assert result.stdout.strip() == said, result.stderr
    assert left() == []


POLICY = (
    """PolicyDocument='{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'"""
)
LIST = (
    "import boto3; print([each['PolicyName'] for each in boto3.client('iam').list_policies(Scope='Local')['Policies']])"
)


def test_inside_a_sandbox_another_command_finds_the_same_environments(run):
    """What alice makes is there for bob: both commands have the same two clouds."""
    alice = [sys.executable, "-c", f"import boto3; boto3.client('iam').create_policy(PolicyName='hers', {POLICY})"]
    bob = [*SANDBOX, "--as", "bob", "--", sys.executable, "-c", LIST]
    result = run("sh", "-ec", f"{shlex.join(alice)}; {shlex.join(bob)}")
    assert result.stdout == "['hers']\n", result.stderr


def test_inside_a_sandbox_it_prints_the_variables_and_ends(run, left):
    """A terminal becomes somebody else's with `eval`; the files stay until the sandbox ends."""
    script = f'eval "$({shlex.join([*SANDBOX, "--as", "mallory"])})"; {shlex.join(I)}; test -d "$PULUMI_HOME"'
    result = run("sh", "-ec", script)
    assert (result.returncode, result.stdout) == (0, "mallory ['contoso'] None\n"), result.stderr
    assert left() == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--seed", "seed.yaml"], "--seed is for a new sandbox, but one is running at http://127.0.0.1:"),
        (["--state", "folder"], "--state is for a new sandbox"),
        (["--issuer", "https://pulumi.example.com/oidc"], "--issuer is for a new sandbox"),
        (["--organization", "fabrikam"], "not good for the organization 'fabrikam'"),
    ],
)
def test_inside_a_sandbox_one_cannot_change_it(run, arguments, said):
    """Options of a new sandbox are refused rather than ignored, and no token is good for more than its holder's."""
    result = run(*SANDBOX, *arguments, "--", "true")
    assert (result.returncode, result.stdout) == (2, "")
    assert said in result.stderr


def test_the_state_is_kept_in_a_folder(run, left, tmp_path):
    """What one sandbox has, the next one has too, with `--state`."""
    folder = tmp_path / "state"
    make = f"import boto3; boto3.client('iam').create_policy(PolicyName='hers', {POLICY})"
    assert run("--state", folder, "--", sys.executable, "-c", make).returncode == 0
    result = run("--state", folder, "--", sys.executable, "-c", LIST)
    assert result.stdout == "['hers']\n", result.stderr
    assert left() == []


def test_a_folder_that_holds_something_else_is_refused(run, tmp_path):
    """The status is 2, and the error names the folder and the way out."""
    (tmp_path / "letters.txt").write_text("private")
    result = run("--state", tmp_path, "--", "true")
    assert (result.returncode, result.stdout) == (2, "")
    assert f"{tmp_path}: this is not the state of a sandbox. Choose an empty folder" in result.stderr
    result = run("--state", tmp_path / "letters.txt", "--", "true")
    assert (result.returncode, result.stdout) == (2, "")
    assert "letters.txt: File exists" in result.stderr
