"""`explain`, `lint`, `prove` and `claims`, as a shell runs them."""

import json
import time
from pathlib import Path

import boto3
import jwt
import pytest
from typer.testing import CliRunner

from esc_oidc.claims import ISSUER, subject
from esc_oidc.cli.application import app
from esc_oidc.sandbox import Sandbox
from esc_oidc.trust import provider_arn, trust_policy
from tests.support.inputs import plan

BASE = {"organization": "contoso", "project": "aws", "environment": "dev", "allowed_users": ["alice"]}
POLICY = trust_policy(plan(BASE).trust, provider_arn(ISSUER, "123456789012"))
WIDE = json.loads(json.dumps(POLICY).replace('"StringEquals": {"api', '"StringLike": {"api').replace("aws/dev", "*"))
ALICE = {
    "iss": ISSUER,
    "aud": "aws:contoso",
    "sub": subject("contoso", [("currentEnvironment.name", "aws/dev"), ("pulumi.user.login", "alice")]),
}
BOB = {**ALICE, "sub": ALICE["sub"].replace("alice", "bob")}
ROLE = {"Role": {"RoleName": "esc", "Arn": "arn:aws:iam::123456789012:role/esc", "AssumeRolePolicyDocument": POLICY}}


@pytest.fixture
def file(tmp_path):
    """Writes a file and gives its path as text."""

    def write(content, name="file.json"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    return write


def run(*arguments, stdin=None):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)


def test_an_admitted_token_is_status_0(file):
    """The verdict, the statement that decided and, if asked for, what of the token was judged."""
    result = run("explain", file(POLICY), "--token", file(ALICE, "token"), "--verbose")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("admitted  statement 0 allows it\n")
    assert f"sub     {ALICE['sub']}" in result.stdout
    assert "client IDs are not known here" in result.stdout


def test_a_refused_token_is_status_1_with_the_likely_mistake(file):
    """The attribute that differs, in text and as data; the JSON has a version."""
    assert run("explain", file(POLICY), "--token", file(BOB, "token")).stdout.splitlines()[:4] == [
        "refused   AccessDenied                            statement 0 does not apply",
        "          pulumi.user.login    wanted  alice",
        "                               got     bob",
        "          If bob may assume this role, add the user to allowed_users.",
    ]
    result = run("explain", file(POLICY), "--token", file(BOB, "token"), "--format", "json")
    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (document["version"], document["allowed"], document["error"]) == (1, False, "AccessDenied")
    assert document["differences"][0]["attribute"] == "pulumi.user.login"
    assert "pulumi.user.login is 'bob', and the policy wants 'alice'" in document["reason"]
    assert document["token"] == BOB


def test_a_jwt_is_decoded_and_not_echoed(file):
    """Its claims are judged, expired or not; neither the token nor its signature is printed."""
    token = jwt.encode({**BOB, "exp": int(time.time()) - 60}, "a secret of thirty-two characters", algorithm="HS256")
    result = run("explain", file(POLICY), "--token", "-", stdin=token + "\n")
    assert result.exit_code == 1
    assert "refused   AccessDenied" in result.stdout
    assert "it is judged as if it had not" in result.stdout
    assert not any(part in result.output for part in token.split("."))


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--client-id", "aws:fabrikam"], "InvalidIdentityToken"),
        (["--duration", "2h", "--max-session-duration", "1h"], "ValidationError"),
        (["--session-name", "a b"], "ValidationError"),
        (["--issuer", "https://api.pulumi.com/oidc/v2"], "InvalidIdentityToken"),
    ],
)
def test_what_is_known_besides_is_judged_too(file, options, error):
    """Client IDs, durations, session name and issuer: each refuses with AWS's own code."""
    result = run("explain", file(POLICY), "--token", file(ALICE, "token"), "--format", "json", *options)
    assert json.loads(result.stdout)["error"] == error


def test_a_role_is_read_live(file, monkeypatch):
    """`--role` takes policy, maximum session and client IDs from AWS with the caller's own credentials."""
    for name, value in {"ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test", "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with Sandbox() as sandbox:
        monkeypatch.setenv("AWS_ENDPOINT_URL", sandbox.aws_url)
        iam = boto3.client("iam")
        iam.create_open_id_connect_provider(Url=ISSUER, ClientIDList=["aws:contoso"])
        policy = trust_policy(plan(BASE).trust, provider_arn(ISSUER, sandbox.account))
        iam.create_role(RoleName="esc", AssumeRolePolicyDocument=json.dumps(policy), MaxSessionDuration=7200)
        token = file(ALICE, "token")
        admitted = run("explain", "--role", "esc", "--token", token, "--duration", "2h")
        assert admitted.exit_code == 0, admitted.output
        assert "client IDs are not known" not in admitted.stdout
        assert run("explain", "--role", "esc", "--token", token, "--duration", "3h").exit_code == 1
        missing = run("explain", "--role", "none", "--token", token)
        assert missing.exit_code == 2
        assert "NoSuchEntity" in missing.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--token", "TOKEN"], "one of the two"),
        (["POLICY", "--role", "esc", "--token", "TOKEN"], "one of the two"),
        (["POLICY", "--token", "POLICY-"], "No such file"),
        (["TEXT", "--token", "TOKEN"], "this is not JSON"),
        (["POLICY", "--token", "TEXT"], "neither a JWT nor claims"),
        (["LIST", "--token", "TOKEN"], "no object"),
        (["EMPTY", "--token", "TOKEN"], "there is no trust policy"),
        (["NONE", "--token", "TOKEN"], "there are 0 trust policies"),
        (["POLICY", "--token", "TOKEN", "--duration", "1d"], "--duration: '1d'"),
        (["ODD", "--token", "TOKEN"], "cannot be decided"),
    ],
)
def test_what_cannot_be_read_is_status_2(file, arguments, said):
    """Each with its own message, and never with what a token contains."""
    odd = json.loads(json.dumps(POLICY))
    odd["Statement"][0]["Condition"]["StringEquals"]["api.pulumi.com/oidc:sub"] = "${*}"
    files = {
        "POLICY": file(POLICY, "policy"),
        "TOKEN": file(ALICE, "token"),
        "TEXT": file("a.b", "text"),
        "LIST": file([], "list"),
        "EMPTY": file({}, "empty"),
        "NONE": file({"Roles": []}, "none"),
        "ODD": file(odd, "odd"),
    }
    result = run("explain", *(files.get(argument, argument) for argument in arguments))
    assert result.exit_code == 2, result.output
    assert said in result.stderr


def test_a_sound_policy_has_no_findings(file):
    """What the component emits is good, wherever it stands: alone, or in IAM's answer."""
    for document in (POLICY, ROLE):
        result = run("lint", file(document))
        assert result.exit_code == 0, result.output
        assert result.stdout == "1 trust policy: 0 errors, 0 warnings.\n"


def test_every_finding_is_printed_with_its_rule_and_its_fix(file):
    """Where it stands, which rule, what is wrong, what to do; status 1."""
    result = run("lint", file(WIDE))
    assert result.exit_code == 1
    assert "statement 0: error " in result.stdout
    assert result.stdout.splitlines()[-1].startswith("1 trust policy: ")


def test_folders_and_standard_input_are_searched(file, tmp_path):
    """Every .json file below a folder, and `-` for a pipe from another tool."""
    file(WIDE, "a.json")
    file(POLICY, "b.json")
    file("no JSON", "c.txt")
    document = json.loads(run("lint", tmp_path, "--format", "json").stdout)
    assert (document["version"], document["policies"]) == (1, 2)
    assert {Path(finding["source"]).name for finding in document["findings"]} == {"a.json"}
    assert run("lint", "-", stdin=json.dumps(WIDE)).exit_code == 1


def test_a_folder_may_hold_other_json(file, tmp_path):
    """Settings, lists and permission policies are passed over; the one bad trust policy is found."""
    file("// a comment\n{}", "tsconfig.json")
    file([1], "list.json")
    file({"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}, "permissions.json")
    file({"name": "x"}, "package.json")
    bad = file(WIDE, "bad a#b.json")
    document = json.loads(run("lint", tmp_path, "--format", "sarif").stdout)
    uris = {
        each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in document["runs"][0]["results"]
    }
    assert uris == {Path(bad).as_uri()}
    assert "%23" in Path(bad).as_uri()


def test_a_plan_without_roles_is_good(file):
    """Nothing to judge is no reason to fail a pipeline."""
    deleted = {"type": "aws_iam_role", "address": "a", "change": {"actions": ["delete"], "after": None}}
    for document in ({"resource_changes": [deleted]}, {"steps": []}, {"Roles": []}):
        result = run("lint", file(document))
        assert (result.exit_code, result.stdout) == (0, "0 trust policies: 0 errors, 0 warnings.\n")


def test_other_spellings_of_a_file_are_read(file, tmp_path):
    """A byte order mark, as PowerShell writes it, and the bare list of `--query Roles`."""
    path = tmp_path / "bom.json"
    path.write_text(json.dumps(POLICY), encoding="utf-8-sig")
    assert run("lint", path).exit_code == 0
    assert run("lint", file([ROLE["Role"]])).exit_code == 0


def test_the_role_s_own_account_counts(file):
    """AWS looks for the provider where the role is: refused in `explain`, and `prove` says that it proves nothing."""
    role = {"Role": {**ROLE["Role"], "Arn": "arn:aws:iam::999999999999:role/esc"}}
    assert run("explain", file(ROLE), "--token", file(ALICE, "token")).exit_code == 0
    assert run("explain", file(role), "--token", file(ALICE, "token")).exit_code == 1
    proved = run("prove", file(role), "--inputs", file(BASE, "inputs"))
    assert proved.exit_code == 2
    assert "this proves nothing" in proved.stderr


def test_the_role_s_own_maximum_counts(file):
    """`get-role` says how long a session may be."""
    role = file({"Role": {**ROLE["Role"], "MaxSessionDuration": 3600}})
    token = file(ALICE, "token")
    assert run("explain", role, "--token", token, "--duration", "1h").exit_code == 0
    refused = run("explain", role, "--token", token, "--duration", "2h", "--format", "json")
    assert json.loads(refused.stdout)["error"] == "ValidationError"


def test_without_an_issuer_pulumi_s_provider_is_meant(file):
    """Claims may lack `iss`; then the statement for GitHub, though it is first, is not the one."""
    github = json.loads(json.dumps(POLICY["Statement"][0]).replace("api.pulumi.com/oidc", "token.actions.example.com"))
    policy = {**POLICY, "Statement": [github, *POLICY["Statement"]]}
    claims = {name: value for name, value in ALICE.items() if name != "iss"}
    assert run("explain", file(policy), "--token", file(claims, "token")).exit_code == 0


def test_sarif_is_what_code_scanning_reads(file):
    """Rules with their help, and results that name rule, level, file and place."""
    document = json.loads(run("lint", file(WIDE), "--format", "sarif").stdout)
    (scan,) = document["runs"]
    rules = {rule["id"] for rule in scan["tool"]["driver"]["rules"]}
    assert document["version"] == "2.1.0"
    assert scan["results"] != []
    for result in scan["results"]:
        assert result["ruleId"] in rules
        assert result["level"] in {"error", "warning", "note"}
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].endswith("file.json")


def test_other_issuers_are_left_alone_with_a_note(file):
    """A role for GitHub is none of our business: said, and status 0."""
    github = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {
                    "Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
                },
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:contoso/*"}},
            }
        ],
    }
    result = run("lint", file(github))
    assert result.exit_code == 0
    assert "note other-issuer" in result.stdout


def test_a_policy_that_is_not_known_yet_is_said_to_be(file):
    """In a preview the policy may be unknown: not judged, and not passed over."""
    role = {"type": "aws:iam/role:Role", "urn": "urn:pulumi:a::b::aws:iam/role:Role::r"}
    unknown = {"assumeRolePolicy": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}
    preview = {"steps": [{"op": "create", "newState": {**role, "inputs": unknown}}]}
    result = run("lint", file(preview))
    assert "not known yet, or encrypted: not judged" in result.stdout


def test_a_policy_is_proved_against_the_inputs(file):
    """Inputs in either spelling say what is declared; the policy admits exactly that."""
    for inputs in (BASE, "organization: contoso\nproject: aws\nenvironment: dev\nallowedUsers: [alice]\n"):
        result = run("prove", file(POLICY), "--inputs", file(inputs, "inputs"))
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith("PROVED\n")


def test_a_wide_policy_is_refuted_by_the_shortest_subject(file):
    """The counterexample is a token, with audience and subject, that the policy admits and nobody declared."""
    declared = ["--audience", "aws:contoso", "--subject", ALICE["sub"]]
    wide = json.loads(json.dumps(POLICY))
    condition = wide["Statement"][0]["Condition"]
    del condition["StringEquals"]["api.pulumi.com/oidc:sub"]
    condition["StringLike"] = {"api.pulumi.com/oidc:sub": ALICE["sub"].replace("alice", "*")}
    result = run("prove", file(wide), *declared, "--format", "json")
    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert document["version"] == 1
    assert document["counterexample"]["admitted"] is True
    assert document["counterexample"]["subject"].startswith(ALICE["sub"].replace("alice", ""))
    assert run("prove", file(POLICY), *declared).exit_code == 0


def test_deployments_are_proved_too(file):
    """Inputs with stacks are those of PulumiDeploymentsOidc."""
    inputs = {"organization": "contoso", "project": "shop", "stacks": ["dev"], "operations": ["preview"]}
    refuted = run("prove", file(POLICY), "--inputs", file(inputs, "inputs"))
    assert refuted.exit_code == 1
    assert "pulumi:deploy:org:contoso:project:shop:stack:dev" in refuted.stdout or "aws:contoso" in refuted.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "say what is declared"),
        (["--audience", "a"], "say what is declared"),
        (["--inputs", "INPUTS", "--audience", "a"], "leave out --audience"),
        (["--inputs", "BAD"], "organization = 'aws:contoso'"),
        (["--inputs", "LIST"], "the inputs are a mapping"),
        (["--inputs", "YAML"], "YAML"),
    ],
)
def test_a_proof_without_a_declaration_is_status_2(file, arguments, said):
    """What is declared has to be said, in one way, and well."""
    files = {
        "INPUTS": file(BASE, "inputs"),
        "BAD": file({**BASE, "organization": "aws:contoso"}, "bad"),
        "LIST": file([], "list"),
        "YAML": file("a: [", "YAML"),
    }
    result = run("prove", file(POLICY), *(files.get(argument, argument) for argument in arguments))
    assert result.exit_code == 2
    assert said in result.stderr


def test_claims_for_each_way_of_opening():
    """By name, for a stack, through an import, with a team's and with an organization's token."""
    result = run("claims", "contoso/aws/dev", "--attribute", "rootEnvironment.name", "--attribute", "pulumi.user.login")
    prefix = "  sub  pulumi:environments:pulumi.organization.login:contoso:rootEnvironment.name"
    assert [line for line in result.stdout.splitlines() if line.startswith("  sub")] == [
        f"{prefix}:aws/dev:pulumi.user.login:alice",
        f"{prefix}:aws/dev:pulumi.user.login:alice",
        f"{prefix}:aws/app:pulumi.user.login:alice",
        f"{prefix}:aws/dev:pulumi.user.login:contoso",
        f"{prefix}:aws/dev:pulumi.user.login:contoso",
    ]


def test_claims_of_the_legacy_project_have_both_spellings():
    """Sources conflict on them, so that both are shown, and said to be."""
    tokens = json.loads(run("claims", "contoso/default/dev", "--format", "json").stdout)["tokens"]
    assert {token["aud"] for token in tokens} == {"contoso"}
    assert [token["sub"].rpartition(":")[2] for token in tokens[:2]] == ["dev", "default/dev"]


def test_claims_without_attributes_say_yaml_for_a_stack():
    """The subject that works for `pulumi env open` and not for `pulumi up`."""
    tokens = json.loads(run("claims", "contoso/aws/dev", "--no-attributes", "--format", "json").stdout)["tokens"]
    assert tokens[0]["sub"] == "pulumi:environments:org:contoso:env:aws/dev"
    assert tokens[1]["sub"] == "pulumi:environments:org:contoso:env:<yaml>"


def test_claims_of_deployments():
    """One token for each operation on the stack."""
    tokens = json.loads(run("claims", "--stack", "contoso/shop/prod", "--format", "json").stdout)["tokens"]
    assert [token["sub"].split(":")[9] for token in tokens] == ["preview", "update", "refresh", "destroy"]
    assert {token["aud"] for token in tokens} == {"contoso"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["contoso/dev"], "write ORG/PROJECT/ENV"),
        (["--stack", "dev"], "write ORG/PROJECT/STACK"),
        (["contoso/aws/d v"], "'d v'"),
        (["contoso/aws/dev", "--attribute", "user"], "Pulumi Cloud takes currentEnvironment.name"),
        (["contoso/aws/dev", "--attribute", "a", "--no-attributes"], "contradict"),
        (["contoso/aws/dev", "--importer", "app"], "write PROJECT/ENV"),
        (["contoso/shop/dev", "--stack", "--attribute", "currentEnvironment.name"], "no attributes"),
        ([f"contoso/{'p' * 101}/dev", "--stack"], "100"),
    ],
)
def test_wrong_references_are_status_2(arguments, said):
    """Each says how it is written."""
    result = run("claims", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
