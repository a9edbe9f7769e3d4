"""`esc-oidc adopt`, as a shell runs it."""

import ast
import json
import os
from pathlib import Path
from unittest import mock

import pytest
from botocore.client import BaseClient
from pulumi_esc_sdk import ApiClient

from esc_oidc.sandbox import Sandbox, client, surroundings
from esc_oidc.tokens import Opener
from tests.support.adopting import ROLE_ARN, all_of, case_of, definition, existing, sow
from tests.support.command import esc_oidc

CALL, GET = BaseClient._make_api_call, ApiClient.call_api  # noqa: SLF001 - the places where every call passes
TODAY = "pulumi env setup aws, as it is today"
BY_NAME = "Pulumi's guide, without subject attributes"
PROVIDER_TYPE = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
SECRETS = "more than the login, with secrets"


@pytest.fixture
def sandbox(tmp_path, monkeypatch):
    """Both clouds, empty; the working directory is a new one."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with Sandbox() as running, surroundings(running, running.access_token(Opener("alice"), ["contoso"]), {}) as around:
        for name, value in around.variables.items():
            monkeypatch.setenv(name, value)
        yield running


def adopt(*options):
    return esc_oidc("adopt", "contoso/aws/dev", *options)


def test_a_program_is_written(sandbox, tmp_path):
    """With what was found, that the same get in, and the commands that come next."""
    sow(sandbox, existing(case_of(TODAY)))
    result = adopt()
    assert result.exit_code == 0
    assert sorted(each.name for each in (tmp_path / "here" / "aws-dev").iterdir()) == [
        "Pulumi.yaml",
        "__main__.py",
        "import.json",
        "requirements.txt",
    ]
    assert "Admits    the same as today, as proved: audience aws:contoso, 1 subject" in result.stdout
    assert "Next      the preview shows nothing to change" in result.stdout
    assert "          pulumi import --file import.json --generate-code=false --protect=false" in result.stdout
    assert "revision 2" in result.stdout
    ast.parse((tmp_path / "here" / "aws-dev" / "__main__.py").read_text())


def test_it_only_reads(sandbox):
    """Every call to AWS reads, every call to Pulumi Cloud is a GET that decrypts nothing, and nothing is changed."""
    case = case_of("the provider comes, too")
    sow(sandbox, existing(case))
    before = all_of(sandbox)
    with (
        mock.patch.object(BaseClient, "_make_api_call", autospec=True, side_effect=CALL) as aws,
        mock.patch.object(ApiClient, "call_api", autospec=True, side_effect=GET) as cloud,
        mock.patch("subprocess.Popen", side_effect=AssertionError("it runs nothing")),
    ):
        assert adopt("--import-provider").exit_code == 0
    assert {call.args[1] for call in aws.call_args_list} == {
        "GetCallerIdentity",
        "GetRole",
        "ListAttachedRolePolicies",
        "ListRolePolicies",
        "GetOpenIDConnectProvider",
    }
    assert {call.args[1] for call in cloud.call_args_list} == {"GET"}
    assert not any("decrypt" in call.args[2] or "open" in call.args[2] for call in cloud.call_args_list)
    assert all_of(sandbox) == before


@pytest.mark.parametrize("name", [SECRETS, "a variable that looks like a credential"])
def test_no_secret_is_written_anywhere(sandbox, tmp_path, name):
    """Neither ciphertext, nor the access token, nor what looks like a credential, in any output or file."""
    sow(sandbox, existing(case_of(name)))
    results = [
        adopt("--out", tmp_path / "here" / f"{index}", "--verbose", *options)
        for index, options in enumerate([(), ("--format", "json"), ("--narrow",)])
    ]
    assert [each.exit_code for each in results] == [0, 0, 0]
    everything = [*(each.output for each in results), *(path.read_text() for path in (tmp_path / "here").glob("*/*"))]
    assert len(everything) == 3 + 3 * 4
    for secret in ("ciphertext", "hunter2", "AKIA", os.environ["PULUMI_ACCESS_TOKEN"]):
        assert secret not in "".join(everything)


def test_an_environment_with_more_is_left_to_its_owner(sandbox):
    """The places that are more are named, without their values."""
    sow(sandbox, existing(case_of(SECRETS)))
    result = adopt()
    assert result.exit_code == 0
    assert "holds more than the login: values.database, values.environmentVariables.PORT" in result.stdout
    assert "login-environment" not in result.stdout


def test_narrowing_names_the_steps(sandbox):
    """Who gets in no more, who instead, and the three steps that refuse nobody meanwhile."""
    sow(sandbox, existing(case_of(BY_NAME)))
    result = adopt("--narrow", "--verbose")
    assert result.exit_code == 0
    new = "pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name:aws/dev"
    old = "pulumi:environments:org:contoso:env:aws/dev"
    for line in (
        f"          {new}",
        f"          new       {new}",
        f"          no more   {old}",
        f"               transitional_subjects=['{new}'],",
        f"               transitional_subjects=['{old}'],",
    ):
        assert line in result.stdout.splitlines()
    assert "sessionName: pulumi-environments-session becomes" not in result.stdout
    assert "login-environment  subjectAttributes: (nothing) becomes currentEnvironment.name" in result.stdout


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pulumi env setup aws, first version", "without --narrow: import that, and run `pulumi up`."),
        (
            "Pulumi's guide, every environment of the organization",
            "2. Wait a minute. Then run `pulumi up --target '**lo",
        ),
        (
            "Pulumi's guide, with <yaml> for pulumi up",
            "               dangerously_allow_any_stack_configuration=True,\n",
        ),
        ("only the user, whoever holds the login", "dangerously_omit_current_environment=True,"),
    ],
)
def test_the_steps_begin_with_what_there_is(sandbox, name, said):
    """A wide policy admits the new subjects already; one that no input stands for is changed by hand."""
    sow(sandbox, existing(case_of(name)))
    result = adopt("--narrow")
    assert result.exit_code == 0
    assert said in result.stdout


def test_a_wide_role_is_adopted_as_it_is(sandbox):
    """The output names the rules that it breaks, and the way out; the program says so, too."""
    sow(sandbox, existing(case_of("every environment of a project")))
    result = adopt("--out", "wide")
    assert "`esc-oidc lint` reports project-wide; --narrow leaves out what is too wide" in result.stdout
    program = Path("wide/__main__.py").read_text()
    assert "    # As it was when it was adopted. `esc-oidc lint` reports it: project-wide.\n    dangerously_" in program


def test_the_audiences_that_go_are_said_in_words(sandbox):
    """The subjects stay, and so none is said to get in no more."""
    policy = json.loads(json.dumps(case_of(TODAY)["policy"]).replace('"api.pulumi.com/oidc:aud": "aws:contoso", ', ""))
    assert "aud" not in json.dumps(policy)
    sow(sandbox, existing({**case_of(TODAY), "policy": policy}))
    result = adopt("--narrow")
    assert result.exit_code == 0
    said = " ".join(result.stdout.split())
    assert "other than today: audience aws:contoso, 1 subject no more tokens with another audience than" in said
    assert "than aws:contoso; today the policy asks for none" in said
    assert said.count("no more") == 1
    assert "the trust policy is changed" in said
    result = adopt("--narrow", "--format", "json", "--out", "other")
    assert json.loads(result.stdout)["closes_audiences"] is True
    assert json.loads(result.stdout)["lost"] == []


def test_long_lists_are_cut(sandbox):
    """Unless --verbose names all of it; a role whose login changes elsewhere has no steps."""
    case = case_of(TODAY)
    policy = json.loads(json.dumps(case["policy"]))
    claims = policy["Statement"][0]["Condition"]["StringEquals"]
    sub = "api.pulumi.com/oidc:sub"
    claims[sub] = [claims[sub], *(f"pulumi:environments:org:contoso:env:aws/{number}" for number in range(6))]
    text = definition(ROLE_ARN, case["login"]) + "".join(f"    more{number}: 1\n" for number in range(6))
    sow(sandbox, existing({**case, "policy": policy, "definition": text}))
    result = adopt("--narrow")
    assert "no more   and 3 more; --verbose names them" in result.stdout
    assert "values.more0, values.more1, values.more2 and 3 more" in result.stdout
    assert "Steps" not in result.stdout
    result = adopt("--narrow", "--verbose", "--out", "more")
    assert "no more   pulumi:environments:org:contoso:env:aws/5" in result.stdout
    assert "values.more5" in result.stdout


def test_the_owner_changes_a_login_that_is_not_imported(sandbox):
    """The steps say to what."""
    case = case_of(BY_NAME)
    found = existing({**case, "definition": definition(ROLE_ARN, case["login"]) + "    more: 1\n"})
    sow(sandbox, found)
    assert "   Then let the environment's owner give the login these" in adopt("--narrow").stdout


def test_every_reason_is_said_at_once(sandbox, tmp_path):
    """Nothing is written, and the status is 1; JSON has the reasons, too."""
    case = case_of("GitHub Actions beside, and an administrator")
    sow(sandbox, existing(case))
    result = adopt()
    assert result.exit_code == 1
    assert result.stdout.startswith("refused   contoso/aws/dev can't be adopted as it is; nothing was written.\n")
    reasons = json.loads(adopt("--format", "json", "--quiet").stdout)
    assert reasons["adopted"] is False
    assert len(reasons["reasons"]) == len(case["refused"])
    for each in reasons["reasons"]:
        assert each["what"][1:] in result.stdout
        assert each["offer"] in result.stdout
    assert list((tmp_path / "here").iterdir()) == []


def test_json_has_all_of_it(sandbox):
    """What was found, what is written, and what comes next."""
    sow(sandbox, existing(case_of("lists that are no product")))
    assert adopt("--format", "json").exit_code == 1
    said = json.loads(adopt("--format", "json", "--accept-widening").stdout)
    assert (said["version"], said["adopted"], said["written"], said["role"]) == (1, True, "aws-dev", ROLE_ARN)
    assert said["inputs"]["allowed_users"] == ["alice", "bob"]
    assert len(said["subjects"]) == 4
    assert [each.rpartition(":")[2] for each in said["gained"]] == ["bob", "alice"]
    assert said["resources"][0] == {"type": "aws:iam/role:Role", "name": "login-role", "id": "esc"}
    assert said["environment"] == {
        "imported": True,
        "changes": [],
        "new_layout": False,
        "comments": 0,
        "left": [],
    }


def test_a_file_of_placeholders_is_filled_in(sandbox, tmp_path):
    """The file is replaced; resources that don't exist are named, and no program is written."""
    sow(sandbox, existing(case_of(TODAY)))
    path = tmp_path / "here" / "import.json"
    entry = {"type": "aws:iam/role:Role", "name": "dev-role", "id": "<PLACEHOLDER>"}
    missing = {"type": "aws:iam/rolePolicy:RolePolicy", "name": "dev-inline-x", "id": "<PLACEHOLDER>"}
    provider = {"type": PROVIDER_TYPE, "name": "dev-provider", "id": "<PLACEHOLDER>"}
    path.write_text(json.dumps({"resources": [entry, missing, provider]}))
    result = adopt("--import-file", path, "--name", "dev")
    assert result.exit_code == 0
    assert json.loads(path.read_text())["resources"] == [{**entry, "id": "esc"}, missing, provider]
    assert "1 filled in: dev-role" in result.stdout
    assert "dev-inline-x does not exist here: take it out of the file" in result.stdout
    assert "dev-provider exists: give its ARN in oidc_provider_arn, or run this with" in result.stdout
    assert list((tmp_path / "here").iterdir()) == [path]
    path.write_text("[]")
    result = adopt("--import-file", path)
    assert result.exit_code == 2
    assert "no file of `pulumi preview --import-file`" in result.stderr
    assert adopt("--import-file", tmp_path / "none.json").exit_code == 2


def test_an_environment_with_more_gets_no_id(sandbox, tmp_path):
    """The file keeps its placeholder, and the output says what to do."""
    sow(sandbox, existing(case_of(SECRETS)))
    path = tmp_path / "here" / "import.json"
    entry = {"type": "pulumiservice:index:Environment", "name": "login-environment", "id": "<PLACEHOLDER>"}
    path.write_text(json.dumps({"resources": [entry]}))
    result = adopt("--import-file", path)
    assert json.loads(path.read_text())["resources"] == [entry]
    assert "0 filled in: none" in result.stdout
    assert "login-environment holds more than the login: set create_environment=False" in result.stdout


def test_quiet_says_nothing_of_what_is_good(sandbox):
    """The files are written all the same."""
    sow(sandbox, existing(case_of(TODAY)))
    result = adopt("--quiet")
    assert (result.exit_code, result.output) == (0, "")


def test_nothing_is_overwritten(sandbox, tmp_path):
    """A folder that exists stays, and nothing is read."""
    sow(sandbox, existing(case_of(TODAY)))
    (tmp_path / "here" / "aws-dev").mkdir()
    result = adopt()
    assert result.exit_code == 2
    assert "aws-dev exists already, and nothing is overwritten" in result.stderr
    result = adopt("--out", tmp_path / "no" / "such" / "folder")
    assert result.exit_code == 2
    said = "".join(result.stderr.split())
    assert f"{tmp_path}/no/such/folder:Nosuchfileordirectory" in said


def test_a_role_that_the_login_refers_to_is_named(sandbox):
    """By its name or its ARN; another role is a mistake."""
    case = case_of(TODAY)
    text = definition("${imports.x.role}", case["login"])
    sow(sandbox, existing({**case, "definition": text}))
    result = adopt()
    assert result.exit_code == 1
    assert "Name the role with --role." in result.stdout
    assert adopt("--role", "esc", "--out", "one").exit_code == 0
    assert adopt("--role", ROLE_ARN, "--out", "two").exit_code == 0
    for role in ("other", f"{ROLE_ARN}2"):
        result = adopt("--role", role, "--out", "three")
        assert result.exit_code == 2
        assert "there is no such role" in result.stderr


def test_another_role_than_the_login_names_is_refused(sandbox):
    """The message has both."""
    sow(sandbox, existing(case_of(TODAY)))
    result = adopt("--role", "other")
    assert result.exit_code == 2
    assert f"--role other: the login aws.login assumes {ROLE_ARN}." in result.stderr


def test_a_role_arn_that_is_none_is_not_taken_for_a_name(sandbox):
    """What the login says must be an ARN."""
    case = case_of(TODAY)
    sow(sandbox, existing({**case, "definition": definition("esc", case["login"])}))
    result = adopt()
    assert result.exit_code == 2
    assert "'esc' is not the ARN of an IAM role" in result.stderr


def test_what_does_not_exist_is_said(sandbox):
    """The environment, the role, the provider."""
    assert "HTTP 404" in adopt().stderr
    found = existing(case_of(TODAY))
    sow(sandbox, found)
    iam = client("iam", sandbox.aws_url)
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=found.provider.arn)
    result = adopt()
    assert result.exit_code == 1
    assert "a provider that does not exist" in result.stdout
    iam.detach_role_policy(RoleName="esc", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    iam.delete_role(RoleName="esc")
    result = adopt()
    assert result.exit_code == 2
    assert f"{ROLE_ARN}: there is no such role." in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["contoso/dev"], "write ORG/PROJECT/ENV"),
        (["organization/aws/dev"], "organization"),
        (["contoso/aws/d v"], "'d v'"),
        (["contoso/aws/dev", "--name", ""], "a component has a name"),
        (["contoso/aws/dev", "--definition", "x"], "go together"),
        (["contoso/aws/dev", "--out", "x", "--import-file", "y"], "give one of them"),
        (["contoso/aws/dev", "--definition", "none.yaml", "--role-json", "x"], "none.yaml"),
    ],
)
def test_wrong_use_ends_with_2(arguments, said):
    """The message says what is right."""
    result = esc_oidc("adopt", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


ROLE = {"Arn": ROLE_ARN, "MaxSessionDuration": 3600, "AssumeRolePolicyDocument": case_of(TODAY)["policy"]}
INLINE = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}}
ANSWERS = [
    {"Role": {**ROLE, "Description": "ours", "Tags": [{"Key": "a", "Value": "b"}]}},
    {"AttachedPolicies": [{"PolicyName": "x", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]},
    {"PolicyNames": ["s3"]},
    {"RoleName": "esc", "PolicyName": "s3", "PolicyDocument": INLINE},
]
PROVIDER = {"Url": "api.pulumi.com/oidc", "ClientIDList": ["aws:contoso"], "Tags": [{"Key": "a", "Value": "b"}]}


def offline(file, answers, *options, text=None):
    """The command with two files and no network."""
    text = text or definition(ROLE_ARN, case_of(TODAY)["login"])
    files = file(text, "d.yaml"), file("\n".join(map(json.dumps, answers)), "role.json")
    return adopt("--definition", files[0], "--role-json", files[1], *options)


def test_two_files_are_enough(file, tmp_path):
    """What the AWS CLI printed, one answer after another; nothing is asked of anybody."""
    with mock.patch("socket.socket.connect", side_effect=AssertionError("no network")):
        result = offline(file, ANSWERS, "--format", "json", "--out", tmp_path / "one")
        assert result.exit_code == 0, result.output
        said = json.loads(result.stdout)
        imported = offline(file, [*ANSWERS, PROVIDER], "--import-provider", "--out", tmp_path / "two")
    assert said["inputs"]["inline_policies"] == {"s3": INLINE}
    assert said["inputs"]["role_description"] == "ours"
    assert said["notes"] == ["The provider was not read: see for yourself that it lists the audience."]
    assert said["revision"] is None
    assert imported.exit_code == 0
    assert "oidc-provider/api.pulumi.com/oidc, imported" in imported.stdout


@pytest.mark.parametrize("lacking", [0, 1, 2, 3])
def test_a_file_that_lacks_an_answer_is_refused(file, lacking):
    """The message says which commands print what it must hold."""
    result = offline(file, ANSWERS[:lacking] + ANSWERS[lacking + 1 :])
    assert result.exit_code == 2
    assert "`get-role-policy` print, one after another" in " ".join(result.stderr.split())


def test_a_file_that_is_no_answer_is_refused(file):
    """Neither another role, nor something else."""
    other = [{"Role": {**ROLE, "Arn": f"{ROLE_ARN}2"}}, *ANSWERS[1:]]
    result = offline(file, other)
    assert result.exit_code == 2
    assert f"this is {ROLE_ARN}2, and the login assumes {ROLE_ARN}." in result.stderr
    assert offline(file, ["text"]).exit_code == 2


@pytest.mark.parametrize("depth", [101, 500, 100_000])
def test_json_that_is_nested_too_deeply_is_refused(file, depth):
    """Whether it can't be read, or only not be written; in either file."""
    nested = "[" * depth + "]" * depth
    answers = "\n".join(map(json.dumps, ANSWERS)).replace('"s3:*"', nested)
    texts = file(definition(ROLE_ARN, case_of(TODAY)["login"]), "d.yaml"), file(answers, "role.json")
    result = adopt("--definition", texts[0], "--role-json", texts[1])
    assert result.exit_code == 2
    assert "role.json: its JSON is nested too deeply." in " ".join(result.stderr.split())
    texts = texts[0], file("\n".join(map(json.dumps, ANSWERS)), "role.json")
    path = file(f'{{"resources": {nested}}}', "import.json")
    result = adopt("--definition", texts[0], "--role-json", texts[1], "--import-file", path)
    assert result.exit_code == 2
    assert "import.json: its JSON is nested too deeply." in " ".join(result.stderr.split())


def test_a_definition_that_can_not_be_read_is_said(file):
    """The line, and why."""
    result = offline(file, ANSWERS, text="values: [")
    assert result.exit_code == 2
    assert "this is not YAML" in result.stderr


def test_a_hostile_name_does_not_reach_the_terminal(file, tmp_path):
    """Control characters are escaped in every line."""
    answers = [{"Role": {**ROLE, "Description": "a\x1b[31mb"}}, *ANSWERS[1:]]
    result = offline(file, answers)
    assert result.exit_code == 1
    text = definition(ROLE_ARN, case_of(TODAY)["login"]) + '    "x\\e[2J": 1\n'
    left = offline(file, ANSWERS, "--out", tmp_path / "new", text=text)
    assert left.exit_code == 0
    assert "values.x\\x1b[2J" in left.stdout
    assert "\x1b" not in result.output + left.output
