"""The sandbox from start to stop: what it leaves behind, and others beside it."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from urllib.parse import urlsplit

import boto3
import pytest
from moto.core.config import default_user_config

from esc_oidc.sandbox import EnvironmentRef, Sandbox
from esc_oidc.sandbox.esc import InvalidRequest
from esc_oidc.tokens import Opener


def role_names(iam):
    """The roles of an account."""
    return [each["RoleName"] for each in iam.list_roles()["Roles"]]


def create_role(iam, name):
    """A role that nobody may assume."""
    statement = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy)


def test_the_next_sandbox_starts_empty(aws_client):
    """It has the same account, and nothing of the first one is in it."""
    with Sandbox() as first:
        create_role(aws_client(first, "iam"), "left")
        aws_client(first, "s3").create_bucket(Bucket="left")
    with Sandbox() as second:
        aws_client(second, "s3").create_bucket(Bucket="left")
        assert second.account == first.account == "123456789012"
        assert role_names(aws_client(second, "iam")) == []


def test_two_sandboxes_at_once_stay_apart(aws_client):
    """Each has its own accounts, environments, tokens and keys, and moto's reset affects only one."""
    with Sandbox() as one, Sandbox() as other:
        ours, theirs = aws_client(one, "iam"), aws_client(other, "iam")
        assert one.account != other.account
        create_role(ours, "ours")
        create_role(theirs, "theirs")
        assert (role_names(ours), role_names(theirs)) == (["ours"], ["theirs"])
        assert other.access.caller(one.access_token(Opener("alice"), ["contoso"])) is None
        assert one.issuer.key_id != other.issuer.key_id
        reset = urllib.request.Request(f"{one.aws_url}/moto-api/reset", method="POST")  # noqa: S310 - loopback
        with urllib.request.urlopen(reset) as reply:  # noqa: S310 - loopback
            assert reply.status == 200
        assert (role_names(ours), role_names(theirs)) == ([], ["theirs"])


def test_nothing_is_left_behind():
    """No thread, port, environment variable or setting of moto remains."""
    environment, threads = dict(os.environ), set(threading.enumerate())
    setting = default_user_config["iam"]
    with Sandbox() as sandbox:
        boto3.client(
            "sts",
            endpoint_url=sandbox.aws_url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        ).get_caller_identity()
        assert os.environ == environment
    deadline = time.monotonic() + 60
    while set(threading.enumerate()) - threads and time.monotonic() < deadline:
        time.sleep(0.01)
    assert set(threading.enumerate()) - threads == set()
    assert default_user_config["iam"] == setting
    for url in (sandbox.aws_url, sandbox.cloud_url):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), timeout=60)


def test_it_stops_when_the_block_fails():
    """An exception inside the block ends both servers, too."""
    with pytest.raises(KeyError), Sandbox() as sandbox:
        raise KeyError("x")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", urlsplit(sandbox.cloud_url).port), timeout=60)


def test_it_listens_on_loopback_only():
    """Nobody else on the network can reach it."""
    with Sandbox() as sandbox:
        assert {urlsplit(url).hostname for url in (sandbox.aws_url, sandbox.cloud_url)} == {"127.0.0.1"}


def test_the_issuer_and_the_spelling_of_default_can_be_chosen(aws_client, esc):
    """The issuer is that of the provider in AWS; the name of project `default` is kept on request."""
    with Sandbox(issuer_url="https://pulumi.example.com/oidc", default_project="as written") as sandbox:
        arn = aws_client(sandbox, "iam").create_open_id_connect_provider(
            Url="https://pulumi.example.com/oidc", ClientIDList=["contoso"]
        )["OpenIDConnectProviderArn"]
        policy = (
            '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", '
            f'"Principal": {{"Federated": "{arn}"}}, "Condition": {{"StringEquals": {{'
            '"pulumi.example.com/oidc:sub": "pulumi:environments:pulumi.organization.login:contoso'
            ':currentEnvironment.name:default/dev"}}}]}'
        )
        role = aws_client(sandbox, "iam").create_role(RoleName="esc", AssumeRolePolicyDocument=policy)
        sandbox.store.create(ref := EnvironmentRef("contoso", "default", "dev"), "alice")
        oidc = f"{{roleArn: '{role['Role']['Arn']}', sessionName: esc, duration: 1h, subjectAttributes: "
        yaml = f"values: {{aws: {{fn::open::aws-login: {{oidc: {oidc}[currentEnvironment.name]}}}}}}}}"
        sandbox.store.update(ref, yaml, "alice")
        values = esc(sandbox).open_and_read_environment("contoso", "default", "dev")[1]
        assert values["aws"]["accessKeyId"].startswith("ASIA")


def test_an_access_token_needs_an_organization():
    """A person without an organization can't have one."""
    with Sandbox() as sandbox, pytest.raises(InvalidRequest):
        sandbox.access_token(Opener("alice"))


def test_it_is_silent_and_needs_nothing_from_the_environment():
    """A missing AWS profile and a dead proxy don't matter, and nothing is printed."""
    program = (
        "from esc_oidc.sandbox import Sandbox\n"
        "import http.client\n"
        "form = {'Content-Type': 'application/x-www-form-urlencoded'}\n"
        "with Sandbox() as sandbox:\n"
        "    for url in (sandbox.aws_url, sandbox.cloud_url):\n"
        "        connection = http.client.HTTPConnection(url.removeprefix('http://'))\n"
        "        connection.request('POST', '/', 'Action=GetCallerIdentity&Version=2011-06-15', form)\n"
        "        connection.getresponse().read()\n"
    )
    environment = {**os.environ, "AWS_PROFILE": "none", "HTTP_PROXY": "http://127.0.0.1:1"}
    ran = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True, timeout=300
    )
    assert (ran.stdout, ran.stderr) == ("", "")


def begin(url, *headers):
    """A connection on which somebody has begun to send a body."""
    connection = socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), timeout=60)
    connection.sendall(
        "\r\n".join(["POST /api/stacks/contoso/app HTTP/1.1", "Host: sandbox", *headers, "", ""]).encode()
    )
    return connection


def test_a_client_that_says_nothing_more_is_given_up(monkeypatch):
    """Its connection ends; it would hold a thread for ever."""
    monkeypatch.setattr("esc_oidc.sandbox.servers._Silent.timeout", 0.1)
    with Sandbox() as sandbox:
        for url in (sandbox.aws_url, sandbox.cloud_url):
            with begin(url, "Content-Length: 9") as connection:
                while connection.recv(65536):
                    """Whatever it answers, it closes the connection."""


def test_a_body_that_is_too_long_is_not_read():
    """By neither of the two."""
    with Sandbox() as sandbox:
        for url in (sandbox.aws_url, sandbox.cloud_url):
            authorization = f"Authorization: token {sandbox.access_token(Opener('alice'), ['contoso'])}"
            with begin(url, "Content-Length: 200000000", authorization) as connection:
                assert connection.recv(65536).split()[1] == b"413"
