"""Many requests at once: moto's server has a thread for each, and no locks."""

import http.client
import json
import threading
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from moto.iam.models import iam_backends

NOBODY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }
)
AT_ONCE = 10
"""Threads of each kind."""


class Slow(OrderedDict):
    """A dict that lets other threads go on between any two of its values, as a busy machine does."""

    def values(self):
        for value in super().values():
            time.sleep(0.002)
            yield value


@pytest.fixture
def clients(sandbox, aws_client):
    """IAM and STS, with a connection for each thread and without a second try."""
    options = Config(retries={"max_attempts": 1}, max_pool_connections=5 * AT_ONCE)
    unsigned = options.merge(Config(signature_version=UNSIGNED))
    return aws_client(sandbox, "iam", config=options), aws_client(sandbox, "sts", config=unsigned)


def test_roles_are_made_read_and_assumed_at_once(sandbox, clients, role, token, monkeypatch):
    """Nobody gets an error who lists, finds or assumes roles while others are made."""
    iam, sts = clients
    for index in range(AT_ONCE):
        iam.create_role(RoleName=f"role-{index}", AssumeRolePolicyDocument=NOBODY)
    backend = iam_backends[sandbox.account]["aws"]
    monkeypatch.setattr(backend, "roles", Slow(backend.roles))
    start, signed = threading.Barrier(4 * AT_ONCE), token()

    def make(index):
        iam.create_role(RoleName=f"new-{index}", AssumeRolePolicyDocument=NOBODY)

    def read(_):
        assert len(iam.list_roles()["Roles"]) > AT_ONCE

    def find(_):
        assert sandbox.max_session(role) == 7200

    def assume(index):
        given = sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName=f"esc-{index}", WebIdentityToken=signed)
        assert sandbox.session_end(given["Credentials"]["AccessKeyId"])

    def together(work, index):
        start.wait()
        work(index)

    with ThreadPoolExecutor(4 * AT_ONCE) as pool:
        under_way = [
            pool.submit(together, work, index) for index in range(AT_ONCE) for work in (make, read, find, assume)
        ]
    assert [str(each.exception()) for each in under_way if each.exception()] == []
    assert {each["RoleName"] for each in iam.list_roles()["Roles"]} > {f"new-{index}" for index in range(AT_ONCE)}


def test_nobody_waits_for_a_client_that_sends_slowly(sandbox, clients):
    """A request to IAM whose body is still to come keeps no other from its answer."""
    iam, _ = clients
    connection = http.client.HTTPConnection(sandbox.aws_url.removeprefix("http://"))
    connection.putrequest("POST", "/")
    scope = "AWS4-HMAC-SHA256 Credential=x/19700101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0"
    for name, value in {"Authorization": scope, "Content-Type": "text/plain", "Content-Length": "9"}.items():
        connection.putheader(name, value)
    connection.endheaders()
    time.sleep(0.1)
    assert iam.list_open_id_connect_providers()["ResponseMetadata"]["HTTPStatusCode"] == 200
    connection.close()


@pytest.fixture
def listener(clients):
    """The URL of a server that asks IAM something before it answers."""
    iam, _ = clients

    class Asking(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            heard.append(iam.list_open_id_connect_providers()["ResponseMetadata"]["HTTPStatusCode"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    heard = []
    with HTTPServer(("127.0.0.1", 0), Asking) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", heard
        server.shutdown()
        thread.join()


def test_a_service_may_call_whoever_calls_the_sandbox(sandbox, aws_client, listener):
    """A request to another service isn't finished yet when what it started asks IAM, and that gets its answer."""
    url, heard = listener
    sns = aws_client(sandbox, "sns", config=Config(read_timeout=60, retries={"max_attempts": 1}))
    topic = sns.create_topic(Name="topic")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=url)
    sns.publish(TopicArn=topic, Message="hello")
    assert heard == [200]
