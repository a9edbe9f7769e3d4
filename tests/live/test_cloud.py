"""Reading Pulumi Cloud: what is asked, as whom, and what comes of refusals."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from esc_oidc.live import Account, CloudError, Grant, PulumiCloud, access_of
from esc_oidc.sandbox import EnvironmentRef, Sandbox
from esc_oidc.tokens import Opener

DEFINITION = "values:\n    a: 1 # as it is\n"
TOKEN = "pul-secret-of-alice"


@pytest.fixture(scope="module")
def sandbox():
    """A Pulumi Cloud with two environments, one in the legacy project."""
    with Sandbox() as running:
        for name in ("aws/dev", "default/old"):
            ref = EnvironmentRef("contoso", *name.split("/"))
            running.store.create(ref, "alice")
            running.store.update(ref, DEFINITION, "alice")
        yield running


@pytest.fixture(scope="module")
def cloud(sandbox):
    """The same, read by alice."""
    return PulumiCloud(sandbox.cloud_url, sandbox.access_token(Opener("alice"), ["contoso", "fabrikam"]))


@contextmanager
def answering(*answers: tuple[int, object]) -> Iterator[tuple[str, list[str]]]:
    """A server that gives these answers, one after another; its URL, and what was asked."""
    asked, waiting = [], list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.path} {self.headers['Authorization']}")
            status, body = waiting.pop(0)
            text = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_definition_comes_as_it_is_stored(cloud):
    """Comments and layout too, in the legacy project too, and at a version."""
    assert cloud.definition("contoso", "aws/dev") == DEFINITION
    assert cloud.definition("contoso", "default/old") == DEFINITION
    assert cloud.definition("contoso", "aws/dev", "1") == ""


def test_a_revision_has_a_number(cloud):
    """Its definition is read by that number."""
    assert cloud.definition("contoso", "aws/dev", cloud.revision("contoso", "aws/dev")) == DEFINITION


@pytest.mark.parametrize("body", [b"[]", b"no JSON", {"number": 1}])
def test_a_list_of_revisions_that_is_none_is_an_error(body):
    """A proxy's page, say."""
    with answering((200, body)) as (url, _), pytest.raises(CloudError, match="not a list of revisions"):
        PulumiCloud(url, TOKEN).revision("contoso", "aws/dev")


def test_all_environments_are_listed(cloud):
    """By project and name."""
    assert cloud.environments("contoso") == ["aws/dev", "default/old"]
    assert cloud.environments("fabrikam") == []


def test_lists_are_read_to_their_end():
    """Pulumi Cloud gives them page by page."""
    page = {"environments": [{"organization": "contoso", "project": "b", "name": "x"}], "nextToken": "more"}
    last = {"environments": [{"organization": "contoso", "project": "a", "name": "y"}]}
    with answering((200, page), (200, last)) as (url, asked):
        assert PulumiCloud(url, TOKEN).environments("contoso") == ["a/y", "b/x"]
    assert asked[1].startswith("/api/esc/environments/contoso?continuationToken=more ")


@pytest.mark.parametrize(
    ("info", "account"),
    [
        (None, Account(Opener("alice"), ("contoso",))),
        ({"name": "ci", "organization": "contoso"}, Account(Opener("contoso", "organization"), ("contoso",))),
        (
            {"name": "ci", "organization": "contoso", "team": "ops"},
            Account(Opener("contoso", "team", "ops"), ("contoso",)),
        ),
    ],
)
def test_it_says_whose_token_it_is(info, account):
    """A person's, an organization's or a team's."""
    user = {"githubLogin": "alice", "organizations": [{"githubLogin": "contoso"}], "tokenInfo": info}
    with answering((200, user)) as (url, _):
        assert PulumiCloud(url, TOKEN).account() == account


def test_grants_are_those_of_teams():
    """With the people who are in them."""
    teams = {"teams": [{"name": "ops"}]}
    team = {
        "members": [{"githubLogin": "bob"}],
        "environments": [{"projectName": "aws", "envName": "dev", "permission": "open"}],
    }
    with answering((200, teams), (200, team)) as (url, _):
        assert PulumiCloud(url, TOKEN).grants("contoso") == [Grant("ops", "aws/dev", "open", ("bob",))]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_fails_for_a_moment_is_asked_again(status):
    """Too many requests, and a server in trouble."""
    with answering((status, {}), (status, {}), (200, b"values: {}")) as (url, asked):
        assert PulumiCloud(url, TOKEN).definition("contoso", "aws/dev") == "values: {}"
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, {"code": 401, "message": "Unauthorized"}, "HTTP 401: the access token isn't valid there: Unauthorized."),
        (403, {}, "HTTP 403: the access token doesn't permit that."),
        (404, b"<html>", "HTTP 404: there is no such thing, or the access token may not see it."),
        (418, b"[]", "HTTP 418."),
        (302, b"", "HTTP 302."),
    ],
)
def test_a_refusal_is_said_in_words(status, body, said):
    """With what was asked and what Pulumi Cloud says; the token goes nowhere else, and into no message."""
    with answering((status, body)) as (url, asked), pytest.raises(CloudError) as raised:
        PulumiCloud(url, TOKEN).definition("contoso", "aws/dev")
    assert str(raised.value) == f"{url}/api/esc/environments/contoso/aws/dev: {said}"
    assert raised.value.status == status
    assert len(asked) == 1


@pytest.mark.parametrize("body", [b"not JSON", b"[]"])
def test_an_answer_of_another_kind_is_an_error(body):
    """A proxy's page, say."""
    with answering((200, body)) as (url, _), pytest.raises(CloudError, match="not a JSON object"):
        PulumiCloud(url, TOKEN).account()


def test_a_definition_in_another_encoding_is_an_error():
    """ESC's are UTF-8."""
    with answering((200, b"\xff")) as (url, _), pytest.raises(CloudError, match="not UTF-8"):
        PulumiCloud(url, TOKEN).definition("contoso", "aws/dev")


def test_no_answer_at_all_is_an_error(monkeypatch):
    """The message says where, and not as whom."""
    monkeypatch.setattr("urllib3.util.retry.Retry.sleep", lambda *_: None)
    with answering() as (url, _):
        pass
    with pytest.raises(CloudError) as raised:
        PulumiCloud(url, TOKEN).account()
    assert url in str(raised.value)
    assert TOKEN not in str(raised.value)


@pytest.fixture
def logged_in(tmp_path):
    """A home of the Pulumi CLI, logged in to a host of its own."""
    url = "https://pulumi.example.com"
    login = {"current": url, "accessTokens": {url: "pul-theirs"}, "accounts": {url: {"accessToken": "pul-theirs"}}}
    (tmp_path / "credentials.json").write_text(json.dumps(login))
    return {"PULUMI_HOME": str(tmp_path)}


def test_the_cli_login_is_used(logged_in):
    """Its address, and the token for it."""
    assert access_of(logged_in) == ("https://pulumi.example.com", "pul-theirs")


def test_a_stored_token_is_for_its_own_address(logged_in):
    """No other server gets it."""
    with pytest.raises(CloudError, match=r"no access token for https://other\.example\.com: run `pulumi login`"):
        access_of(logged_in, "https://other.example.com/")


def test_variables_win_over_the_login(logged_in):
    """The address that is named wins over the variables, as in the Pulumi CLI."""
    variables = {**logged_in, "PULUMI_ACCESS_TOKEN": "pul-mine", "PULUMI_API": "https://one.example.com"}
    assert access_of(variables) == ("https://one.example.com", "pul-mine")
    assert access_of(variables, "http://127.0.0.1:8080") == ("http://127.0.0.1:8080", "pul-mine")


@pytest.mark.parametrize("content", [None, "no JSON", "[]", '{"current": "file:///tmp"}'])
def test_without_a_login_it_is_pulumi_cloud(tmp_path, content):
    """A file backend has no environments."""
    if content:
        (tmp_path / "credentials.json").write_text(content)
    variables = {"PULUMI_HOME": str(tmp_path), "PULUMI_ACCESS_TOKEN": TOKEN}
    assert access_of(variables) == ("https://api.pulumi.com", TOKEN)


@pytest.mark.parametrize("token", [f"{TOKEN}\n", f" {TOKEN} "])
def test_white_space_around_a_token_is_none_of_it(token):
    """A file that it was read from ends with a line break."""
    assert access_of({"PULUMI_ACCESS_TOKEN": token, "PULUMI_HOME": "/none"})[1] == TOKEN


@pytest.mark.parametrize("token", [f"{TOKEN}\nx", f"{TOKEN}é", f"{TOKEN} y"])
def test_a_broken_token_is_refused_and_not_shown(token):
    """What refuses it later would quote it."""
    with pytest.raises(CloudError) as raised:
        access_of({"PULUMI_ACCESS_TOKEN": token, "PULUMI_HOME": "/none"})
    assert "copy it anew" in str(raised.value)
    assert TOKEN not in str(raised.value)


def test_a_token_is_not_sent_in_the_clear():
    """Except on this machine."""
    with pytest.raises(CloudError, match="has no TLS"):
        access_of({"PULUMI_ACCESS_TOKEN": TOKEN}, "http://pulumi.example.com")
