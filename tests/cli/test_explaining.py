"""`esc-oidc explain`, as a shell runs it."""

import json
import time

import boto3
import jwt
import pytest

from esc_oidc.claims import ISSUER
from esc_oidc.sandbox import Sandbox
from esc_oidc.trust import provider_arn, trust_policy
from tests.support.command import esc_oidc
from tests.support.inputs import plan
from tests.support.judged import ALICE, BASE, BOB, POLICY, ROLE

SOURCE = "arn:aws:iam::123456789012:oidc-provider/api.pulumi.com/oidc"


def event(claims=ALICE, **more):
    """The CloudTrail event of a login with this token."""
    return {
        "eventVersion": "1.08",
        "userIdentity": {
            "type": "WebIdentityUser",
            "principalId": f"{SOURCE}:{claims['aud']}:{claims['sub']}",
            "userName": claims["sub"],
            "identityProvider": SOURCE,
        },
        "eventTime": "2026-06-01T12:00:00Z",
        "eventSource": "sts.amazonaws.com",
        "eventName": "AssumeRoleWithWebIdentity",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "203.0.113.7",
        "userAgent": "pulumi",
        "requestParameters": {"roleArn": ROLE["Role"]["Arn"], "roleSessionName": "pulumi", "durationSeconds": 3600},
        **more,
    }


DENIED = {"errorCode": "AccessDenied", "errorMessage": "Not authorized to perform sts:AssumeRoleWithWebIdentity"}


@pytest.mark.parametrize(
    "wrap",
    [
        lambda event: event,
        lambda event: {"Records": [event, {**event, "eventName": "GetCallerIdentity"}]},
        lambda event: {"Events": [{"EventName": event["eventName"], "CloudTrailEvent": json.dumps(event)}]},
        lambda event: {"detail-type": "AWS API Call via CloudTrail", "detail": event},
        lambda event: [event, {"CloudTrailEvent": "{"}],
        lambda event: {**event, "userIdentity": {**event["userIdentity"], "identityProvider": None}},
    ],
)
def test_a_cloudtrail_event_is_a_token(file, wrap):
    """It has audience, subject and provider, in whichever form it comes; bob's was refused, alice's was not."""
    admitted = file(wrap(event()), "event")
    assert esc_oidc("explain", file(ROLE), "--token", admitted).exit_code == 0
    refused = esc_oidc("explain", file(ROLE), "--token", file(wrap(event(BOB, **DENIED)), "event"), "--format", "json")
    document = json.loads(refused.stdout)
    assert document["token"] == BOB
    assert document["differences"][0]["attribute"] == "pulumi.user.login"
    assert not any("changed since" in note for note in document["notes"])


def test_an_event_says_what_the_call_was(file):
    """Duration, session name, address and time are judged; options outweigh them."""
    policy = json.loads(json.dumps(ROLE))
    condition = policy["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]
    condition["StringEquals"]["sts:RoleSessionName"] = "pulumi"
    condition["IpAddress"] = {"aws:SourceIp": "203.0.113.0/24"}
    condition["DateLessThan"] = {"aws:CurrentTime": "2026-06-02T00:00:00Z"}
    condition["Bool"] = {"aws:SecureTransport": "true"}
    tls = {"tlsDetails": {"tlsVersion": "TLSv1.3"}}
    said = file(event(**tls), "event")
    assert esc_oidc("explain", file(policy), "--token", said).exit_code == 0
    assert esc_oidc("explain", file(policy), "--token", said, "--session-name", "other").exit_code == 1
    assert esc_oidc("explain", file(policy), "--token", said, "--context", "aws:SourceIp=10.0.0.1").exit_code == 1
    assert esc_oidc("explain", file(policy), "--token", said, "--max-session-duration", "30m").exit_code == 1
    by_service = file(event(**tls, sourceIPAddress="cloudformation.amazonaws.com"), "event")
    assert esc_oidc("explain", file(policy), "--token", by_service).exit_code == 2


def test_an_event_of_a_missing_provider_is_explained(file):
    """AWS's message names the issuer; the account is the role's."""
    message = "No OpenIDConnect provider found in your account for https://api.pulumi.com/oidc"
    unknown = event(errorCode="InvalidIdentityTokenException", errorMessage=message)
    del unknown["userIdentity"]
    result = esc_oidc("explain", file(POLICY), "--token", file(unknown, "event"))
    assert result.exit_code == 1
    assert "The provider was never created in this account" in result.stdout


def test_an_event_that_aws_answered_otherwise_is_noted(file):
    """The policy may have changed since. An event of another role is noted as well."""
    other = event(**DENIED, requestParameters={"roleArn": "arn:aws:iam::123456789012:role/other"})
    result = esc_oidc("explain", file(ROLE), "--token", file(other, "event"))
    assert result.exit_code == 0
    assert "AWS refused this call: AccessDenied: Not authorized" in result.stdout
    assert "The event is about arn:aws:iam::123456789012:role/other" in result.stdout
    let_in = esc_oidc("explain", file(ROLE), "--token", file(event(BOB), "event"))
    assert let_in.exit_code == 1
    assert "AWS let this call in" in let_in.stdout
    nothing = esc_oidc("explain", "--token", file(event(), "event"))
    assert (nothing.exit_code, "the event is about arn:aws:iam::123456789012:role/esc" in nothing.stderr) == (2, True)


def test_an_admitted_token_exits_with_0(file):
    """The output has the verdict, the deciding statement and, with --verbose, the claims that were judged."""
    result = esc_oidc("explain", file(POLICY), "--token", file(ALICE, "token"), "--verbose")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("admitted  statement 0 allows it\n")
    assert f"sub     {ALICE['sub']}" in result.stdout
    assert "client IDs are not known here" in result.stdout


def test_a_refused_token_exits_with_1_and_names_the_likely_mistake(file):
    """The attribute that differs appears in text and as data; the JSON has a version."""
    assert esc_oidc("explain", file(POLICY), "--token", file(BOB, "token")).stdout.splitlines()[:4] == [
        "refused   AccessDenied                            statement 0 does not apply",
        "          pulumi.user.login    wanted  alice",
        "                               got     bob",
        "          If bob may assume this role, add the user to allowed_users.",
    ]
    result = esc_oidc("explain", file(POLICY), "--token", file(BOB, "token"), "--format", "json")
    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (document["version"], document["allowed"], document["error"]) == (1, False, "AccessDenied")
    assert document["differences"][0]["attribute"] == "pulumi.user.login"
    assert "pulumi.user.login is 'bob', and the policy wants 'alice'" in document["reason"]
    assert document["token"] == BOB


def test_a_jwt_is_decoded_but_never_printed(file):
    """Its claims are judged even if it has expired; neither the token nor its signature is printed."""
    token = jwt.encode({**BOB, "exp": int(time.time()) - 60}, "a secret of thirty-two characters", algorithm="HS256")
    result = esc_oidc("explain", file(POLICY), "--token", "-", stdin=token + "\n")
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
def test_options_are_judged_too(file, options, error):
    """Client IDs, durations, session name and issuer each refuse with AWS's own code."""
    result = esc_oidc("explain", file(POLICY), "--token", file(ALICE, "token"), "--format", "json", *options)
    assert json.loads(result.stdout)["error"] == error


def test_a_role_is_read_from_aws(file, monkeypatch):
    """`--role` reads policy, maximum session and client IDs with the caller's own credentials."""
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
        admitted = esc_oidc("explain", "--role", "esc", "--token", token, "--duration", "2h")
        assert admitted.exit_code == 0, admitted.output
        assert "client IDs are not known" not in admitted.stdout
        assert esc_oidc("explain", "--role", "esc", "--token", token, "--duration", "3h").exit_code == 1
        arn = f"arn:aws:iam::{sandbox.account}:role/esc"
        assert esc_oidc("explain", "--role", arn, "--token", token).exit_code == 0
        elsewhere = esc_oidc("explain", "--role", arn.replace(sandbox.account, "999999999999"), "--token", token)
        assert (elsewhere.exit_code, "another account" in elsewhere.stderr) == (2, True)
        no_role = esc_oidc("explain", "--role", provider_arn(ISSUER, sandbox.account), "--token", token)
        assert (no_role.exit_code, "give a role's name" in no_role.stderr) == (2, True)
        iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider_arn(ISSUER, sandbox.account))
        gone = esc_oidc("explain", "--role", "esc", "--token", token)
        assert gone.exit_code == 1
        assert "refused   InvalidIdentityToken" in gone.stdout
        assert f"aws iam create-open-id-connect-provider --url {ISSUER} --client-id-list aws:contoso" in gone.stdout
        missing = esc_oidc("explain", "--role", "none", "--token", token)
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
        (["POLICY", "--token", "LIST"], "not a JSON object"),
        (["POLICY", "--token", "EMPTY"], "no iss, no aud and no sub"),
        (["POLICY", "--token", "POLICY"], "this is a policy or a role"),
        (["POLICY", "--token", "ROLE"], "this is a policy or a role"),
        (["POLICY", "--token", "BLANK"], "this is empty"),
        (["POLICY", "--token", "CUT"], "this is not JSON"),
        (["POLICY", "--token", "ACCESS"], "an access token of Pulumi Cloud"),
        (["POLICY", "--token", "SEALED"], "this token is encrypted"),
        (["POLICY", "--token", "EVENT"], "no event of AssumeRoleWithWebIdentity, but GetCallerIdentity"),
        (["POLICY", "--token", "EVENTS"], "2 events of AssumeRoleWithWebIdentity: give one"),
        (["POLICY", "--token", "BARE"], "says nothing of the token"),
        (["EMPTY", "--token", "TOKEN"], "there is no trust policy"),
        (["NONE", "--token", "TOKEN"], "there is no role's trust policy in it"),
        (["POLICY", "--token", "TOKEN", "--duration", "1d"], "--duration: '1d'"),
        (["POLICY", "--token", "TOKEN", "--context", "SourceIp"], "write KEY=VALUE"),
        (["ODD", "--token", "TOKEN"], "cannot be decided"),
    ],
)
def test_unreadable_input_exits_with_2(file, arguments, said):
    """Each mistake has its own message, which never shows what a token contains."""
    odd = json.loads(json.dumps(POLICY))
    odd["Statement"][0]["Condition"]["StringEquals"]["api.pulumi.com/oidc:sub"] = "${x"
    files = {
        "POLICY": file(POLICY, "policy"),
        "TOKEN": file(ALICE, "token"),
        "TEXT": file("a.b", "text"),
        "LIST": file([], "list"),
        "EMPTY": file({}, "empty"),
        "NONE": file({"Roles": []}, "none"),
        "ROLE": file(ROLE, "role"),
        "BLANK": file("\n", "blank"),
        "CUT": file('{"aud": ', "cut"),
        "ACCESS": file("pul-0123456789abcdef", "access"),
        "SEALED": file("a.b.c.d.e", "sealed"),
        "EVENT": file(event(eventName="GetCallerIdentity"), "event"),
        "EVENTS": file({"Records": [event(), event()]}, "events"),
        "BARE": file(event(userIdentity=None), "bare"),
        "ODD": file(odd, "odd"),
    }
    result = esc_oidc("explain", *(files.get(argument, argument) for argument in arguments))
    assert result.exit_code == 2, result.output
    assert said in result.stderr


def test_the_roles_own_account_counts(file):
    """AWS looks for the provider in the role's account: `explain` refuses, and `prove` says that it proves nothing."""
    role = {"Role": {**ROLE["Role"], "Arn": "arn:aws:iam::999999999999:role/esc"}}
    assert esc_oidc("explain", file(ROLE), "--token", file(ALICE, "token")).exit_code == 0
    assert esc_oidc("explain", file(role), "--token", file(ALICE, "token")).exit_code == 1
    proved = esc_oidc("prove", file(role), "--inputs", file(BASE, "inputs"))
    assert proved.exit_code == 2
    assert "this proves nothing" in proved.stderr


def test_the_roles_own_maximum_session_counts(file):
    """`get-role` says how long a session may be."""
    role = file({"Role": {**ROLE["Role"], "MaxSessionDuration": 3600}})
    token = file(ALICE, "token")
    assert esc_oidc("explain", role, "--token", token, "--duration", "1h").exit_code == 0
    refused = esc_oidc("explain", role, "--token", token, "--duration", "2h", "--format", "json")
    assert json.loads(refused.stdout)["error"] == "ValidationError"


def test_without_an_issuer_pulumis_provider_is_assumed(file):
    """Claims may lack `iss`; then the statement for Pulumi decides, even if one for GitHub comes first."""
    github = json.loads(json.dumps(POLICY["Statement"][0]).replace("api.pulumi.com/oidc", "token.actions.example.com"))
    policy = {**POLICY, "Statement": [github, *POLICY["Statement"]]}
    claims = {name: value for name, value in ALICE.items() if name != "iss"}
    assert esc_oidc("explain", file(policy), "--token", file(claims, "token")).exit_code == 0


def test_what_the_call_does_not_say_is_asked_for(file):
    """The answer depends on it, with exit status 2, until `--context` says what it is, or that it is missing."""
    policy = json.loads(json.dumps(POLICY))
    policy["Statement"][0]["Condition"]["IpAddress"] = {"aws:SourceIp": "203.0.113.0/24"}
    arguments = ["explain", file(policy), "--token", file(ALICE, "token")]
    depends = esc_oidc(*arguments)
    assert depends.exit_code == 2
    assert depends.stdout.startswith("depends   on aws:SourceIp\n")
    assert "IpAddress wants `aws:SourceIp` to be in '203.0.113.0/24'." in depends.stdout
    assert "--context KEY=VALUE" in depends.stdout
    assert json.loads(esc_oidc(*arguments, "--format", "json").stdout)["depends_on"] == ["aws:SourceIp"]
    assert esc_oidc(*arguments, "--context", "aws:SourceIp=203.0.113.7").exit_code == 0
    assert esc_oidc(*arguments, "--context", "aws:SourceIp=198.51.100.7").exit_code == 1
    assert esc_oidc(*arguments, "--context", "aws:SourceIp").exit_code == 1


@pytest.mark.parametrize(
    ("claims", "arguments", "said"),
    [
        ({"exp": 1}, [], "The token expired at 1970-01-01 00:00:01 UTC"),
        ({"nbf": 32503680000}, [], "The token is not valid before 3000-01-01 00:00:00 UTC"),
        ({"iat": 32503680000}, [], "issued at 3000-01-01 00:00:00 UTC, which is to come"),
        ({"nbf": 1e30}, [], "The token is not valid before 1.00e+30 seconds after the beginning of 1970"),
        ({}, ["--duration", "2h"], "so 2h was not judged against it; --max-session-duration names it"),
        ({}, [], "client IDs are not known"),
    ],
)
def test_what_was_not_judged_is_said(file, claims, arguments, said):
    """Each is a note; what is fine has none."""
    result = esc_oidc("explain", file(POLICY), "--token", file({**ALICE, **claims}, "token"), *arguments)
    assert result.exit_code == 0
    assert said in result.stdout
    fine = {"exp": 32503680000, "nbf": 1, "iat": 1}
    arguments = ["--client-id", "aws:contoso", "--duration", "1h", "--max-session-duration", "1h"]
    result = esc_oidc("explain", file(POLICY), "--token", file({**ALICE, **fine}, "token"), *arguments)
    assert "note" not in result.stdout


@pytest.mark.parametrize("claims", [{"nbf": "soon"}, {"exp": True}, {"iat": ["1"]}, {"exp": "1700000000"}], ids=str)
def test_a_time_that_is_none_is_refused(file, claims):
    """AWS refuses such a token whenever it comes; so does `explain`."""
    result = esc_oidc("explain", file(POLICY), "--token", file({**ALICE, **claims}, "token"))
    assert result.exit_code == 1
    assert result.stdout.startswith("refused   InvalidIdentityToken")
    assert "a number of seconds since 1970" in result.stdout
    assert esc_oidc("explain", file(POLICY), "--token", file({**ALICE, "nbf": None}, "token")).exit_code == 0


def test_a_time_of_any_size_is_judged(file):
    """A claim may be a number that no float holds."""
    for exp, said in ((10**400, []), (-(10**400), ["The token expired at -1.00e+400"])):
        result = esc_oidc("explain", file(POLICY), "--token", file({**ALICE, "exp": exp}, "token"))
        assert result.exit_code == 0, result.output
        assert all(each in result.stdout for each in said)


def test_a_binary_token_is_named_as_such(file, tmp_path):
    """The error says what the file is, not how decoding it failed."""
    (tmp_path / "binary").write_bytes(bytes(range(128, 256)))
    result = esc_oidc("explain", file(POLICY), "--token", str(tmp_path / "binary"))
    assert (result.exit_code, result.stderr) == (2, f"esc-oidc: {tmp_path / 'binary'}: this is not text in UTF-8.\n")
