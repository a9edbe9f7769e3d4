"""`esc-oidc doctor`, as a shell runs it."""

import json
import os
from unittest import mock

import pytest

from esc_oidc.claims import CURRENT_ENVIRONMENT, ISSUER, TOKEN_TYPE, USER, subject
from esc_oidc.environment import Login, environment_definition
from esc_oidc.sandbox import EnvironmentRef, Sandbox, client, surroundings
from esc_oidc.sandbox.clients import call_cloud
from esc_oidc.tokens import Opener
from esc_oidc.trust import Trust, provider_arn, trust_policy
from tests.support.command import esc_oidc

ACCOUNT = "123456789012"
PROVIDER = provider_arn(ISSUER, ACCOUNT)
SECRET = "hunter2-in-a-definition"
DEV = subject("contoso", [(CURRENT_ENVIRONMENT, "aws/dev")])
WIDE = "pulumi:environments:pulumi.organization.login:contoso:*"


def arn(role):
    """The ARN of a role in the sandbox."""
    return f"arn:aws:iam::{ACCOUNT}:role/{role}"


@pytest.fixture(scope="module")
def access_token():
    """Whose token the command has."""
    return []


@pytest.fixture(scope="module")
def cloud(access_token):
    """An organization with a login that opens, one that doesn't, a wide role, and imports of them."""
    with Sandbox() as sandbox:
        token = sandbox.access_token(Opener("alice"), ["contoso"])
        access_token.append(token)
        iam = client("iam", sandbox.aws_url)
        iam.create_open_id_connect_provider(Url=ISSUER, ClientIDList=["aws:contoso"])
        alice = subject("contoso", [(CURRENT_ENVIRONMENT, "aws/people"), (USER, "alice")])
        trusts = {"esc": Trust(ISSUER, "aws:contoso", (DEV,)), "wide": Trust(ISSUER, "aws:contoso", (), (WIDE,))}
        trusts["people"] = Trust(ISSUER, "aws:contoso", (alice,))
        for name, trust in trusts.items():
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust_policy(trust, PROVIDER)))
        one, two = (CURRENT_ENVIRONMENT,), (CURRENT_ENVIRONMENT, USER)
        definitions = {
            "aws/dev": environment_definition(Login("pulumi-esc", "1h", one), arn("esc")),
            "aws/other": environment_definition(Login("pulumi-esc", "1h", one), arn("esc")),
            "aws/wide": environment_definition(Login("pulumi-esc", "1h", one), arn("wide")),
            "aws/people": environment_definition(Login("pulumi-esc", "1h", two), arn("people")),
            "app/prod": f"imports:\n- aws/dev\nvalues:\n  password: {{fn::secret: {SECRET}}}\n",
            "app/static": "values: {a: {fn::open::aws-login: {static: {accessKeyId: x, secretAccessKey: y}}}}",
            "app/plain": "values: {a: 1}",
            "app/gone": "imports: [aws/gone]",
        }
        for name, definition in definitions.items():
            ref = EnvironmentRef("contoso", *name.split("/"))
            sandbox.store.create(ref, "alice")
            sandbox.store.update(ref, definition, "alice")
        with surroundings(sandbox, token, {}) as around, mock.patch.dict(os.environ, around.variables):
            yield sandbox


@pytest.fixture
def doctor(cloud):
    """The command, beside that organization."""
    assert cloud.cloud_url == os.environ["PULUMI_API"]
    return lambda *arguments: esc_oidc("doctor", *arguments)


def test_an_environment_that_opens_is_well(doctor):
    """By name, for a stack, and through whoever imports it; status 0."""
    result = doctor("contoso/aws/dev")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "admitted  pulumi env open contoso/aws/dev, by alice",
        "admitted  pulumi up of a stack that lists aws/dev, by alice",
        "admitted  pulumi env open contoso/app/prod, by alice, through aws/dev",
        "admitted  pulumi up of a stack that lists app/prod, by alice, through aws/dev",
    ]


def test_verbose_shows_role_provider_and_token(doctor):
    """What the answer is made from, in full."""
    lines = [line.split() for line in doctor("contoso/aws/dev", "--verbose").stdout.splitlines()[:6]]
    assert lines[1:] == [
        ["role", "arn", arn("esc")],
        ["provider", "aud", "aws:contoso"],
        ["thumb", "(none)"],
        ["token", "aud", "aws:contoso"],
        ["token", "sub", DEV],
    ]


def test_one_that_does_not_open_is_explained_once_and_repaired(doctor):
    """Status 1, and the commands whole on a line, to be pasted."""
    result = doctor("contoso/aws/other")
    assert result.exit_code == 1
    assert result.stdout.count("refused   ") == 2
    assert result.stdout.count("This is another environment of the right project.") == 1
    (command,) = [line for line in result.stdout.splitlines() if "update-assume-role-policy" in line]
    assert command.startswith("          aws iam update-assume-role-policy --role-name esc --policy-document '{")
    assert "Only if they are meant to get in: pulumi:environments:" in result.stdout


def test_a_wide_role_is_found_and_narrowed(doctor):
    """It opens, and the status is 1 all the same."""
    result = doctor("contoso/aws/wide")
    assert result.exit_code == 1
    assert "error     wide, statement 0: organization-wide" in result.stdout
    assert "and no longer what is too wide" in result.stdout
    assert "Whoever else uses the role is refused then: esc-oidc doctor --role" in result.stdout


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        ((), 0, "by alice"),
        (("--as-user", "bob"), 1, "by bob"),
        (("--as-team", "ops"), 1, "by a token of team ops"),
        (("--as-organization-token",), 1, "by a token of the organization contoso"),
    ],
)
def test_it_asks_for_whom_you_name(doctor, options, status, said):
    """By default for whoever's access token it is."""
    result = doctor("contoso/aws/people", *options)
    assert result.exit_code == status
    assert said in result.stdout


def test_all_environments_are_a_table(doctor):
    """One line each, those with a login only, and the sum."""
    result = doctor("contoso", "--all")
    assert result.exit_code == 1
    rows = [line.split() for line in result.stdout.splitlines()]
    assert rows[1:-1] == [
        ["app/gone", "-", "unknown", "unknown", "ok"],
        ["app/prod", "esc", "admitted", "admitted", "ok"],
        ["aws/dev", "esc", "admitted", "admitted", "ok"],
        ["aws/other", "esc", "refused", "refused", "ok"],
        ["aws/people", "people", "admitted", "admitted", "ok"],
        ["aws/wide", "wide", "admitted", "admitted", "admits-strangers,", "organization-wide"],
    ]
    assert result.stdout.splitlines()[-1] == (
        "8 environments of contoso, 6 with a login to AWS, opened by alice: 1 refused, 1 too wide, 1 not known."
    )
    quiet = doctor("--all", "--quiet")
    assert "app/prod" not in quiet.stdout
    assert "aws/other" in quiet.stdout


def test_all_may_be_those_that_import_one(doctor):
    """The organization is by default the token's first."""
    result = doctor("--all", "--imports-of", "aws/dev")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["environment", "app/prod", "1"]


def test_a_role_says_who_reaches_it(doctor):
    """Every environment and import that leads there, and what could not be followed."""
    result = doctor("--role", arn("esc"))
    assert result.exit_code == 2
    assert result.stdout.splitlines()[:4] == [
        "admitted  whoever may open app/prod: pulumi env open contoso/app/prod, through aws/dev",
        "admitted  whoever may open app/prod: a stack that lists app/prod, through aws/dev",
        "admitted  whoever may open aws/dev: pulumi env open contoso/aws/dev",
        "admitted  whoever may open aws/dev: a stack that lists aws/dev",
    ]
    assert "2 more ways lead to it and are refused" in result.stdout
    assert "app/gone → aws/gone" in result.stdout
    people = doctor("--role", arn("people"), "--as-user", "bob", "--verbose").stdout
    assert "admitted  alice: pulumi env open contoso/aws/people" in people
    assert "refused   bob: pulumi env open contoso/aws/people" in people


def test_what_names_its_role_only_when_opened_may_lead_to_any(doctor, cloud):
    """It is said, and the status is 2: nobody knows."""
    ref = EnvironmentRef("contoso", "app", "later")
    cloud.store.create(ref, "alice")
    cloud.store.update(ref, "values: {a: {fn::open::aws-login: {oidc: {roleArn: '${b}', sessionName: xy}}}}", "alice")
    try:
        result = doctor("--role", arn("people"))
    finally:
        cloud.store.delete(ref)
    assert result.exit_code == 2
    assert "obstacle  app/later\n          its login's role is known only when it is opened" in result.stdout


@pytest.mark.parametrize(
    ("trusted", "options", "said"),
    [
        ([(TOKEN_TYPE, "organization")], (), "admitted  a token of the organization contoso: "),
        ([(USER, "contoso")], (), "admitted  a token of team anybody-else: "),
        ([(USER, "*")], (), "admitted  anybody-else: "),
        ([(USER, "b?b")], ("--as-user", "bob"), "admitted  bob: "),
    ],
)
def test_a_role_says_whoever_its_policy_lets_in(doctor, cloud, trusted, options, said):
    """Tokens of teams and of the organization, and people whom nobody names."""
    name, iam = f"role-{abs(hash(said))}", client("iam", cloud.aws_url)
    text = subject("contoso", [(CURRENT_ENVIRONMENT, "aws/who"), *trusted])
    exact = "*" not in text and "?" not in text
    trust = Trust(ISSUER, "aws:contoso", (text,) if exact else (), () if exact else (text,))
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust_policy(trust, PROVIDER)))
    ref = EnvironmentRef("contoso", "aws", "who")
    cloud.store.create(ref, "alice")
    login = Login("pulumi-esc", "1h", (CURRENT_ENVIRONMENT, trusted[0][0]))
    cloud.store.update(ref, environment_definition(login, arn(name)), "alice")
    try:
        assert said in doctor("--role", arn(name), *options).stdout
    finally:
        cloud.store.delete(ref)
        iam.delete_role(RoleName=name)


def test_whom_else_a_role_trusts_is_said(doctor, cloud):
    """Doctor looks at Pulumi Cloud's tokens alone."""
    iam = client("iam", cloud.aws_url)
    policy = trust_policy(Trust(ISSUER, "aws:contoso", (DEV,)), PROVIDER)
    root = f"arn:aws:iam::{ACCOUNT}:root"
    policy["Statement"].append({"Effect": "Allow", "Principal": {"AWS": root}, "Action": "sts:AssumeRole"})
    iam.create_role(RoleName="shared", AssumeRolePolicyDocument=json.dumps(policy))
    assert (
        f"The role also trusts {root}: whom that lets in was not looked at." in doctor("--role", arn("shared")).stdout
    )


def test_a_role_says_which_teams_may_open_what_leads_to_it(doctor, cloud, access_token):
    """As far as Pulumi Cloud says so; a team that may only read an environment is not named."""
    for team, permission in (("ops", "open"), ("audit", "read")):
        grant = {"projectName": "aws", "envName": "dev", "permission": permission}
        body = json.dumps({"addEnvironmentPermission": grant})
        call_cloud(cloud.cloud_url, access_token[0], "PATCH", f"/api/orgs/contoso/teams/{team}", body)
    said = doctor("--role", arn("esc")).stdout
    assert (
        "admitted  whoever may open aws/dev: pulumi env open contoso/aws/dev\n          team ops may open it\n" in said
    )
    assert "audit" not in said


def test_a_role_that_nobody_names_is_nobodys(doctor):
    """And one that does not exist is said."""
    result = doctor("--role", arn("none"))
    assert "nobody    no environment of contoso gets credentials of" in result.stdout
    assert f"There is no role {arn('none')}." in result.stdout


def test_what_asks_for_no_token_is_said(doctor):
    """Static credentials, or no login at all."""
    assert "the login a has static credentials" in doctor("contoso/app/static").stdout
    result = doctor("contoso/app/plain")
    assert (result.exit_code, result.stdout) == (0, "nothing   contoso/app/plain has no login to AWS with a token\n")


def test_what_could_not_be_followed_is_not_well(doctor):
    """Status 2: nobody knows."""
    result = doctor("contoso/app/gone")
    assert result.exit_code == 2
    assert "app/gone imports aws/gone, which does not exist, or this access token may not see it." in result.stdout


def test_json_has_all_of_it(doctor):
    """For programs: ways with AWS's answer, repairs as words, findings."""
    found = json.loads(doctor("contoso/aws/other", "--format", "json").stdout)
    assert (found["version"], found["organization"]) == (1, "contoso")
    (environment,) = found["environments"]
    assert [way["how"] for way in environment["ways"]] == ["name", "stack"]
    assert environment["ways"][0]["decision"]["error"] == "AccessDenied"
    assert environment["ways"][0]["provider"]["client_ids"] == ["aws:contoso"]
    (repair,) = environment["repairs"]
    assert repair["arguments"][:3] == ["aws", "iam", "update-assume-role-policy"]
    assert len(json.loads(doctor("contoso", "--all", "--format", "json").stdout)["environments"]) == 8
    role = json.loads(doctor("--role", arn("people"), "--format", "json").stdout)
    admitted = {way["opener"]["login"] for way in role["ways"] if way["verdict"] == "admitted"}
    assert admitted == {"alice"}


@pytest.mark.parametrize("options", [(), ("--verbose",), ("--format", "json")])
@pytest.mark.parametrize("about", [("contoso/app/prod",), ("--all",), ("--role", arn("esc"))])
def test_no_secret_is_written(doctor, access_token, about, options):
    """Neither the access token, nor AWS's keys, nor what definitions keep secret."""
    result = doctor(*about, *options)
    written = result.stdout + result.stderr
    assert result.stdout
    for secret in (SECRET, access_token[0], "secretAccessKey: y", os.environ["PULUMI_HOME"]):
        assert secret not in written


def test_nothing_is_changed_or_opened(doctor, cloud):
    """Of all requests, none is more than reading."""
    before = {each.ref.path: len(each.revisions) for each in cloud.store.list(["contoso"])}
    with mock.patch.object(cloud.web_identity, "judge", side_effect=AssertionError("somebody logged in")):
        for arguments in (("contoso/aws/other",), ("--all",), ("--role", arn("wide"))):
            assert doctor(*arguments).exit_code in {1, 2}
    assert {each.ref.path: len(each.revisions) for each in cloud.store.list(["contoso"])} == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name an environment, ORG/PROJECT/ENV, or give --all or --role."),
        (("aws/dev",), "aws/dev: an environment is written ORG/PROJECT/ENV."),
        (("contoso/aws/d v",), "letters, digits, `.`, `_` and `-`"),
        (("contoso/aws/none",), "HTTP 404"),
        (("fabrikam", "--all"), "HTTP 404"),
        (("con toso", "--all"), "Name the organization before the options."),
        (("--all", "--role", arn("esc")), "give one of the two"),
        (("contoso/aws/dev", "--imports-of", "aws/dev"), "--imports-of narrows --all"),
        (("--all", "--imports-of", "aws/none"), "there is no such environment in contoso"),
        (("contoso/aws/dev", "--as-user", "a", "--as-team", "b"), "give one of them"),
        (("contoso/aws/dev", "--as-team", ""), "the name can't be empty"),
        (("--role", "esc"), "'esc' is not the ARN of an IAM role"),
        (("contoso/aws/dev", "--api-url", "http://pulumi.example.com"), "has no TLS"),
    ],
)
def test_wrong_use_is_status_2(doctor, arguments, said):
    """The message names what was given, and what to do."""
    result = doctor(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_an_account_without_credentials_is_not_known(doctor, cloud):
    """What can't be read is said, with the way out; the rest is judged."""
    ref = EnvironmentRef("contoso", "aws", "far")
    cloud.store.create(ref, "alice")
    login = Login("pulumi-esc", "1h", (CURRENT_ENVIRONMENT,))
    cloud.store.update(ref, environment_definition(login, "arn:aws:iam::210987654321:role/far"), "alice")
    try:
        result = doctor("contoso/aws/far")
    finally:
        cloud.store.delete(ref)
    assert result.exit_code == 2
    assert "there are no credentials for account 210987654321" in result.stdout
    assert "--profile" in result.stdout
