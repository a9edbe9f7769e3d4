"""The sandbox's Pulumi Cloud, asked as the pulumi CLI and the pulumiservice provider ask."""

import base64
import json
from urllib.parse import urlsplit

import jwt
import pytest

from esc_oidc.tokens import Opener

E = "/api/esc/environments"


@pytest.fixture
def dev(ask, request):
    """The path of a new environment with a definition, at revision 2."""
    name = request.node.name.removeprefix("test_").translate({ord("["): "-", ord("]"): None})[:60]
    assert ask("POST", f"{E}/contoso", {"project": "aws", "name": name})[0] == 200
    assert ask("PATCH", f"{E}/contoso/aws/{name}", "values: {a: 1}")[0] == 200
    return f"{E}/contoso/aws/{name}"


def test_a_client_finds_out_where_it_is(ask):
    """User, default organization and capabilities, as at the first use of a PULUMI_HOME."""
    user = ask("GET", "/api/user")[2]
    assert (user["githubLogin"], [each["githubLogin"] for each in user["organizations"]]) == (
        "alice",
        ["contoso", "fabrikam"],
    )
    assert ask("GET", "/api/user/organizations/default")[2] == {"GitHubLogin": "contoso"}
    assert ask("GET", "/api/capabilities")[2] == {"capabilities": []}


def test_an_organization_token_is_the_organization(ask, sandbox):
    """Its login is the organization's name."""
    token = f"token {sandbox.access_token(Opener('contoso', 'organization'))}"
    user = ask("GET", "/api/user", token=token)[2]
    assert (user["githubLogin"], len(user["organizations"])) == ("contoso", 1)


@pytest.mark.parametrize("token", ["token pul-0", "", "Bearer x", "token"])
def test_unknown_callers(ask, token):
    """401 with code and message, as the CLI prints them."""
    status, _, body = ask("GET", "/api/user", token=token)
    assert (status, body["code"]) == (401, 401)
    assert body["message"].startswith("Unauthorized")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"{E}/contoso/aws/none", 404),
        ("GET", f"{E}/aws/default/dev", 404),
        ("GET", "/api/nothing", 404),
        ("PUT", "/api/user", 405),
        ("GET", f"{E}/contoso/a%20b/dev", 400),
        ("POST", f"{E}/contoso", 400),
        ("DELETE", f"{E}/contoso/aws/none", 404),
        ("PATCH", f"{E}/contoso/aws/none", 404),
        ("POST", f"{E}/contoso/aws/none/open", 404),
    ],
)
def test_every_error_has_a_code_and_a_message(ask, method, path, status):
    """Without the code the CLI prints [0] and forgets what it knows about the status."""
    got, headers, body = ask(method, path)
    assert (got, body["code"], headers["Content-Type"]) == (status, status, "application/json")
    assert body["message"]
    assert "diagnostics" not in body


def test_lists(ask, dev):
    """Everything the caller may see, and one organization's; the last page says so."""
    name = dev.rsplit("/", 1)[1]
    for path in (E, f"{E}/contoso?continuationToken="):
        listed = ask("GET", path)[2]
        assert name in [each["name"] for each in listed["environments"] if each["organization"] == "contoso"]
        assert listed["nextToken"] == ""
    assert ask("GET", f"{E}/fabrikam")[2] == {"environments": [], "nextToken": ""}


def test_an_environment_without_project_is_in_default(ask):
    """As clients older than projects make it; both ways to read a two-part name answer."""
    ask("POST", f"{E}/contoso", {"name": "old"})
    assert ask("GET", f"{E}/contoso/default/old")[0] == 200


def test_reading_a_definition(ask, dev):
    """Raw YAML with the revision in a header, and as the ETag to send back."""
    status, headers, body = ask("GET", dev)
    assert (status, body) == (200, "values: {a: 1}")
    assert (headers["Pulumi-ESC-Revision"], headers["ETag"]) == ("2", "2")
    assert headers["Content-Type"] == "application/x-yaml"
    for version in ("2", "latest"):
        assert ask("GET", f"{dev}/versions/{version}")[2] == "values: {a: 1}"


def test_writing_with_an_etag(ask, dev):
    """The revision that was read must be the latest; otherwise 409 and nothing is written."""
    status, headers, body = ask("PATCH", dev, "values: {a: 2}", Etag="2")
    assert (status, headers["Pulumi-ESC-Revision"], body) == (200, "3", {})
    status, _, body = ask("PATCH", dev, "values: {a: 3}", Etag="2")
    assert (status, body["code"]) == (409, 409)
    assert ask("PATCH", dev, "values: {}", Etag="x")[0] == 400
    assert ask("GET", dev)[2] == "values: {a: 2}"


def test_writing_a_definition_with_errors(ask, dev):
    """400 with diagnostics, which both the CLI and the provider report; the old revision stays."""
    status, _, body = ask("PATCH", dev, "values:\n  a: ${b}\n")
    assert (status, body["code"]) == (400, 400)
    (diagnostic,) = body["diagnostics"]
    assert diagnostic["severity"] == "error"
    assert diagnostic["range"]["begin"]["line"] == 2
    assert f"{E}/contoso/{diagnostic['range']['environment']}" == dev
    assert ask("GET", dev)[1]["Pulumi-ESC-Revision"] == "2"


def test_diagnostics_without_a_place(ask):
    """Text that can't be read at all has no range, rather than half of one."""
    body = ask("POST", f"{E}/contoso/yaml/check", "a: \x07")[2]
    assert "range" not in body["diagnostics"][0]


def test_bodies_that_cannot_be_read(ask, dev):
    """Definitions must be UTF-8, settings JSON objects of the right types."""
    assert ask("PATCH", dev, b"values: \xff")[0] == 400
    assert ask("PATCH", f"{dev}/settings", "[]")[0] == 400
    assert ask("PATCH", f"{dev}/settings", {"deletionProtected": "yes"})[0] == 400
    assert ask("POST", f"{dev}/versions/tags", {"name": "x", "revision": True})[0] == 400
    assert ask("GET", f"{dev}/versions?count=many")[0] == 400


def test_checking(ask):
    """`pulumi env get` asks for expressions of every path, with or without secrets."""
    yaml = "values: {foo: {bar: [1]}, s: {fn::secret: hush}}"
    hidden = ask("POST", f"{E}/contoso/yaml/check?showSecrets=false", yaml)[2]
    assert hidden["exprs"] == {"foo": {"object": {"bar": {"list": [{}]}}}, "s": {}}
    assert (hidden["properties"]["s"]["value"], hidden["properties"]["s"]["secret"]) == ("[secret]", True)
    shown = ask("POST", f"{E}/contoso/yaml/check?showSecrets=true", yaml)[2]
    assert shown["properties"]["s"]["value"] == "hush"
    assert ask("POST", f"{E}/contoso/yaml/check", "")[2] == {"exprs": {}, "properties": {}}


def test_opening(ask, dev):
    """Every nested value is wrapped; a duration is for how long the answer can be read."""
    ask("PATCH", dev, "values: {environmentVariables: {A: '1', E: {fn::secret: s}, L: [x]}}")
    identity = ask("POST", f"{dev}/open?duration=2h0m0s")[2]["id"]
    assert ask("GET", f"{dev}/open/{identity}")[2]["properties"]["environmentVariables"]["value"] == {
        "A": {"value": "1"},
        "E": {"value": "s", "secret": True},
        "L": {"value": [{"value": "x"}]},
    }
    assert ask("GET", f"{E}/contoso/aws/other/open/{identity}")[0] == 404
    assert ask("GET", f"{dev}/open/none")[0] == 404
    for bad in ("soon", "0s"):
        assert ask("POST", f"{dev}/open?duration={bad}")[0] == 400


def test_an_opened_environment_expires(ask, dev, monkeypatch):
    """Afterwards it must be opened again."""
    identity = ask("POST", f"{dev}/open?duration=15m0s")[2]["id"]
    monkeypatch.setattr("esc_oidc.sandbox.cloud.opening.time.monotonic", lambda: 1e12)
    status, _, body = ask("GET", f"{dev}/open/{identity}")
    assert (status, "open it again" in body["message"]) == (404, True)


def test_opening_a_version(ask, dev):
    """An old revision, by number or tag, with its own values."""
    ask("PATCH", dev, "values: {a: 2}")
    ask("POST", f"{dev}/versions/tags", {"name": "prod", "revision": 2})
    for version, value in (("2", 1), ("prod", 1), ("latest", 2)):
        identity = ask("POST", f"{dev}/versions/{version}/open?duration=2h0m0s")[2]["id"]
        assert ask("GET", f"{dev}/open/{identity}")[2]["properties"]["a"]["value"] == value


def test_opening_as_a_stack_does(ask, dev):
    """`pulumi up` opens an anonymous definition that imports; it may replace imports by others."""
    path = dev.removeprefix(f"{E}/contoso/")
    ask("POST", f"{E}/contoso", {"project": "aws", "name": "replacement"})
    ask("PATCH", f"{E}/contoso/aws/replacement", "values: {a: 9}")
    imports = {"imports": [path]}
    overrides = base64.urlsafe_b64encode(json.dumps({path: "aws/replacement"}).encode()).decode().rstrip("=")
    for query, value in (("", 1), (f"&environmentOverrides={overrides}", 9)):
        opened = ask("POST", f"{E}/contoso/yaml/open?duration=2h0m0s{query}", imports)[2]["id"]
        assert ask("GET", f"{E}/contoso/yaml/open/{opened}")[2]["properties"]["a"]["value"] == value
    assert ask("POST", f"{E}/contoso/yaml/check?showSecrets=false", imports)[0] == 200
    for bad in ("!", base64.urlsafe_b64encode(b"[]").decode()):
        assert ask("POST", f"{E}/contoso/yaml/open?environmentOverrides={bad}", imports)[0] == 400


def test_a_failed_opening(ask):
    """400 with diagnostics: the CLI would ignore them with 200."""
    status, _, body = ask("POST", f"{E}/contoso/yaml/open", {"imports": ["aws/nothing", "a b/c"]})
    assert (status, body["code"]) == (400, 400)
    assert ["not found" in each["summary"] for each in body["diagnostics"]] == [True, False]


def test_the_version_history(ask, dev):
    """Asked for again from the last number on until the list is empty."""
    assert [each["number"] for each in ask("GET", f"{dev}/versions?before=0&count=500")[2]] == [2, 1]
    assert ask("GET", f"{dev}/versions?before=1&count=500")[2] == []
    (newest,) = ask("GET", f"{dev}/versions?before=3&count=1")[2]
    assert newest["created"].endswith("Z")


def test_revision_tags(ask, dev):
    """`version tag` tries PATCH first and POSTs on 404; the provider writes, moves, reads and deletes."""
    tag = f"{dev}/versions/tags/prod"
    assert ask("PATCH", tag, {"revision": 2})[0] == 404
    assert ask("POST", f"{dev}/versions/tags", {"name": "prod", "revision": 2})[0] == 204
    assert ask("PATCH", tag, {"revision": 1})[0] == 204
    assert (ask("GET", tag)[2]["name"], ask("GET", tag)[2]["revision"]) == ("prod", 1)
    assert len(ask("GET", f"{dev}/versions/tags?after=&count=500")[2]["tags"]) == 1
    assert ask("GET", f"{dev}/versions/tags?after=prod&count=500")[2]["tags"] == []
    assert ask("DELETE", tag)[0] == 204


def test_tags(ask, dev):
    """`env tag` reads, then POSTs or PATCHes; an old value that is not the present one is a conflict."""
    tag = f"{dev}/tags/owner"
    assert ask("GET", tag)[0] == 404
    assert ask("POST", f"{dev}/tags", {"name": "owner", "value": "ops"})[2]["value"] == "ops"
    change = {"currentTag": {"name": "", "value": "ops"}, "newTag": {"name": "owner", "value": "dev"}}
    assert ask("PATCH", tag, change)[2]["value"] == "dev"
    assert ask("PATCH", tag, change)[0] == 409
    listed = ask("GET", f"{dev}/tags?after=&count=500")[2]
    assert (list(listed["tags"]), listed["nextToken"]) == (["owner"], "0")
    assert ask("DELETE", tag)[0] == 204


def test_deletion_protection(ask, dev):
    """The message names the protection, at which the CLI hints."""
    assert ask("GET", f"{dev}/settings")[2] == {"deletionProtected": False}
    assert ask("PATCH", f"{dev}/settings", {"deletionProtected": True})[0] == 204
    status, _, body = ask("DELETE", dev)
    assert (status, "protect" in body["message"]) == (409, True)
    ask("PATCH", f"{dev}/settings", {"deletionProtected": False})
    assert ask("DELETE", dev)[0] == 204


def test_cloning(ask, dev):
    """Into the same project when none is given; a name that is taken is a conflict."""
    assert ask("POST", f"{dev}/clone", {"name": "cloned", "preserveHistory": True})[0] == 204
    assert ask("GET", f"{E}/contoso/aws/cloned")[1]["Pulumi-ESC-Revision"] == "2"
    assert ask("POST", f"{dev}/clone", {"project": "aws", "name": "cloned"})[0] == 409


def test_metadata(ask, dev):
    """The provider reads the environment's id after every write."""
    identity = ask("GET", f"{dev}/metadata")[2]["id"]
    ask("PATCH", dev, "values: {}")
    assert ask("GET", f"{dev}/metadata")[2]["id"] == identity


def test_a_stack(ask):
    """Every stack is there, and has nothing to encrypt with."""
    stack = ask("GET", "/api/stacks/contoso/proj/dev")[2]
    assert (stack["orgName"], stack["projectName"], stack["stackName"]) == ("contoso", "proj", "dev")
    assert (stack["activeUpdate"], stack["tags"], stack["version"]) == ("", {}, 0)
    assert ask("POST", "/api/stacks/contoso/proj/dev/encrypt", {"plaintext": "eA=="})[0] == 404
    assert ask("GET", "/api/stacks/elsewhere/proj/dev")[0] == 404


def test_deployment_settings(ask):
    """Kept as they are but for secrets, whose ciphertext is the same each time."""
    path = "/api/stacks/contoso/proj/dev/deployments/settings"
    assert ask("GET", path)[0] == 404
    variables = {"PLAIN": "p", "SEC": {"secret": "s3"}}
    oidc = {"aws": {"roleArn": "arn:aws:iam::123456789012:role/x", "policyArns": [], "duration": "1h0m0s"}}
    commands = ["make", {"secret": "x"}]
    body = {"operationContext": {"oidc": oidc, "environmentVariables": variables, "preRunCommands": commands}}
    stored = ask("PUT", path, body)[2]
    assert stored["operationContext"]["oidc"] == oidc
    secret = stored["operationContext"]["environmentVariables"]["SEC"]
    assert base64.b64decode(secret["ciphertext"], validate=True)
    assert ask("GET", path)[2] == stored == ask("PUT", path, body)[2] == ask("PUT", path, stored)[2]
    assert ask("DELETE", path)[0] == 204
    assert ask("DELETE", path)[0] == 404


def test_team_permissions(ask):
    """Granted, read back, taken away."""
    path = "/api/orgs/contoso/teams/ops"
    grant = {"envName": "dev", "projectName": "aws", "permission": "open", "maxOpenDuration": "2h0m0s"}
    assert ask("GET", path)[2]["environments"] == []
    assert ask("PATCH", path, {"addEnvironmentPermission": grant})[0] == 204
    assert ask("GET", path)[2]["environments"] == [grant]
    assert ask("PATCH", path, {"removeEnvironment": {"envName": "dev", "projectName": "aws"}})[0] == 204
    assert ask("GET", path)[2]["environments"] == []
    assert ask("PATCH", path, {})[0] == 400


def test_the_issuer_is_published_to_anybody(ask, sandbox):
    """Discovery leads to the keys, and the keys verify a token."""
    status, _, discovery = ask("GET", "/oidc/.well-known/openid-configuration", token="")
    assert (status, discovery["issuer"]) == (200, "https://api.pulumi.com/oidc")
    assert discovery["jwks_uri"].startswith(sandbox.cloud_url)
    keys = jwt.PyJWKSet.from_dict(ask("GET", urlsplit(discovery["jwks_uri"]).path, token="")[2])
    token = sandbox.issuer.mint({"sub": "s"})
    assert jwt.decode(token, keys.keys[0], algorithms=["RS256"])["sub"] == "s"
