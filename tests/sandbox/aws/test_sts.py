"""AssumeRoleWithWebIdentity against the sandbox's AWS, asked by boto3 and by hand."""

import http.client
import time
import urllib.parse

import boto3
import pytest
from botocore.exceptions import ClientError

from esc_oidc.sandbox.cloud import Issuer

ISSUER = "https://api.pulumi.com/oidc"
SUBJECT = "pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name:aws/dev"


def assume(sts, role, token, **others):
    """Ask for the role."""
    return sts.assume_role_with_web_identity(
        **{"RoleArn": role, "RoleSessionName": "pulumi-esc", "WebIdentityToken": token, **others}
    )


def refusal(sts, role, token, **others):
    """The code, the status and the message with which the role is refused."""
    with pytest.raises(ClientError) as caught:
        assume(sts, role, token, **others)
    error = caught.value.response
    return error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Message"]


def test_the_right_token_gets_credentials_of_the_role(sandbox, sts, role, provider, token):
    """AWS identifies their holder by role and session, without the role's path."""
    answer = assume(sts, role, token(), DurationSeconds=7200)
    assert answer["SubjectFromWebIdentityToken"] == SUBJECT
    assert (answer["Audience"], answer["Provider"]) == ("aws:contoso", provider)
    left = answer["Credentials"]["Expiration"].timestamp() - time.time()
    assert 7100 < left <= 7201
    held = answer["Credentials"]
    identity = boto3.client(
        "sts",
        region_name="us-east-1",
        endpoint_url=sandbox.aws_url,
        aws_access_key_id=held["AccessKeyId"],
        aws_secret_access_key=held["SecretAccessKey"],
        aws_session_token=held["SessionToken"],
    ).get_caller_identity()
    assert identity["Arn"] == f"arn:aws:sts::{sandbox.account}:assumed-role/esc/pulumi-esc"
    assert identity["Account"] == sandbox.account


def test_without_a_duration_a_session_lasts_an_hour(sts, role, token):
    """One hour is AWS's default, whatever the role's maximum is."""
    answer = assume(sts, role, token())
    assert 3500 < answer["Credentials"]["Expiration"].timestamp() - time.time() <= 3601


def test_a_trailing_line_break_is_not_part_of_the_token(sts, role, token):
    """A token file may end in white space."""
    assert assume(sts, role, token() + "\n")["Credentials"]


def test_the_environment_variables_of_every_sdk_are_enough(sandbox, role, token, tmp_path, monkeypatch):
    """AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN suffice, without a duration or a session name."""
    file = tmp_path / "token"
    file.write_text(f"{token()}\n", encoding="utf-8")
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(file))
    monkeypatch.setenv("AWS_ROLE_ARN", role)
    monkeypatch.setenv("AWS_ENDPOINT_URL", sandbox.aws_url)
    identity = boto3.Session(region_name="us-east-1").client("sts").get_caller_identity()
    assert ":assumed-role/esc/botocore-session-" in identity["Arn"]


@pytest.mark.parametrize(
    ("changed", "answer"),
    [
        ({"environment": "aws/other"}, "AccessDenied 403 is 'aws/other', and the policy wants 'aws/dev'"),
        ({"organization": "fabrikam"}, "InvalidIdentityToken 400 another organization: 'fabrikam'"),
        ({"aud": "azure:contoso"}, "InvalidIdentityToken 400 made for another cloud"),
        ({"exp": 1}, "ExpiredTokenException 400 expired"),
        ({"iat": 1 << 40}, "InvalidIdentityToken 400 ahead"),
        ({"iss": "https://example.com/oidc"}, "InvalidIdentityToken 400 No OpenIDConnect provider found"),
        ({"iss": "http://api.pulumi.com/oidc"}, "InvalidIdentityToken 400 not an https URL"),
        ({"iss": None}, "InvalidIdentityToken 400 issuer None is not"),
        ({"sub": None}, "InvalidIdentityToken 400 no sub"),
        ({"aud": ["aws:contoso"]}, "AccessDenied 403 AWS leaves this open"),
    ],
)
def test_the_wrong_token_is_refused_with_the_reason(sts, role, changed, answer, token):
    """The answer has AWS's code and status, and what is wrong with the token."""
    code, status, words = answer.split(" ", 2)
    got = refusal(sts, role, token(**changed))
    assert got[:2] == (code, int(status))
    assert words in got[2]


def test_a_refusal_by_the_trust_policy_begins_with_awss_words(sts, role, token):
    """AWS's own message can be searched for; the reason follows it."""
    message = refusal(sts, role, token("aws/other"))[2]
    assert message.startswith("Not authorized to perform sts:AssumeRoleWithWebIdentity: Statement 0 does not apply")


def test_a_token_of_another_key_is_refused(sts, role, claims):
    """The same claims signed by somebody else are worthless."""
    code, status, message = refusal(sts, role, Issuer().mint(claims()))
    assert (code, status) == ("InvalidIdentityToken", 400)
    assert "key" in message


def test_text_that_is_no_token_is_refused(sts, role):
    """It is no JWT."""
    code, _, message = refusal(sts, role, "not-a-token")
    assert code == "InvalidIdentityToken"
    assert "not a valid JWT" in message


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ({"DurationSeconds": 7201}, "the role allows at most 2h"),
        ({"RoleSessionName": "a b"}, "session name"),
        ({"RoleSessionName": "x" * 65}, "session name"),
        ({"RoleArn": "arn:aws:iam::123456789012:user/esc"}, "Request ARN is invalid"),
    ],
)
def test_a_session_that_the_role_does_not_allow_is_refused(sts, role, others, words, token):
    """Duration, session name and ARN are checked as AWS does."""
    code, status, message = refusal(sts, role, token(), **others)
    assert (code, status) == ("ValidationError", 400)
    assert words in message


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize("arn", ["arn:aws:iam::{account}:role/esc", "arn:aws:iam::000000000000:role/pulumi/esc"])
def test_a_missing_role_is_refused_with_the_reason(sandbox, sts, arn, token):
    """AWS doesn't distinguish it from a role that doesn't trust the token; the sandbox does."""
    code, status, message = refusal(sts, arn.format(account=sandbox.account), token())
    assert (code, status) == ("AccessDenied", 403)
    assert "there is no" in message


FORM = "application/x-www-form-urlencoded; charset=utf-8"
MULTIPART = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'


def send(sandbox, form, path="/", content_type=FORM, **headers):
    """Sends a POST to AWS; returns the status, the content type and the text."""
    connection = http.client.HTTPConnection(sandbox.aws_url.removeprefix("http://"))
    body = form if isinstance(form, str) else urllib.parse.urlencode(form)
    connection.request("POST", path, body, {"Content-Type": content_type, **headers})
    with connection.getresponse() as reply:
        text = reply.read().decode()
    connection.close()
    return reply.status, reply.headers["Content-Type"], text


def test_there_is_no_way_around_the_decision(sandbox, role, token):
    """Whatever form the request has, moto issues nothing for a token that the role doesn't trust."""
    form = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": role,
        "RoleSessionName": "esc",
        "WebIdentityToken": token("aws/other"),
    }
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=t/19700101/us-east-1/sts/aws4_request, x"}
    parts = "".join(MULTIPART.format(name, value) for name, value in form.items()) + "--x--\r\n"
    answers = [
        send(sandbox, form, **signed),
        send(sandbox, form | {"Policy": "x" * (2 << 20)}),
        send(sandbox, form, content_type=FORM.upper(), **signed),
        send(sandbox, "", path=f"/?{urllib.parse.urlencode(form)}", **signed),
        send(sandbox, form | {"Action": "GetCallerIdentity"}, path=f"/?{urllib.parse.urlencode(form)}", **signed),
        send(sandbox, parts, content_type="multipart/form-data; boundary=x", **signed),
    ]
    assert [status for status, _, text in answers if "<AccessKeyId>" not in text] == [403, 403, 403, 403, 200, 403]


@pytest.mark.parametrize("missing", ["RoleArn", "RoleSessionName", "WebIdentityToken"])
def test_a_missing_parameter_is_an_error(sandbox, role, missing):
    """boto3 never leaves one out; without it the request is malformed, in AWS's XML."""
    form = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": role,
        "RoleSessionName": "esc",
        "WebIdentityToken": "aaaa",
    }
    del form[missing]
    status, content_type, text = send(sandbox, form)
    assert (status, content_type) == (400, "text/xml")
    assert "<Code>ValidationError</Code>" in text
    assert f"Value null at '{missing[0].lower()}{missing[1:]}'" in text


@pytest.mark.parametrize(("seconds", "words"), [("899", "15m to 12h"), ("ten", "not a number"), ("-1", "not a number")])
def test_a_malformed_duration_is_an_error(sandbox, role, seconds, words, token):
    """boto3 never sends less than 15 minutes, or anything but a number."""
    form = {
        "Action": "AssumeRoleWithWebIdentity",
        "RoleArn": role,
        "RoleSessionName": "esc",
        "WebIdentityToken": token(),
        "DurationSeconds": seconds,
    }
    status, _, text = send(sandbox, form)
    assert (status, words in text) == (400, True)


def test_refusals_are_valid_xml(sandbox):
    """Words of the request are escaped, and characters that XML can't hold are spelled out."""
    form = {
        "Action": "AssumeRoleWithWebIdentity",
        "RoleArn": "<&>\x00",
        "RoleSessionName": "esc",
        "WebIdentityToken": "aaaa",
    }
    assert "&lt;&amp;&gt;" in send(sandbox, form)[2]
