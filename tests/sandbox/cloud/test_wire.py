"""The sandbox's Pulumi Cloud, asked as the pulumi CLI and the pulumiservice provider ask."""

import base64
import json
from urllib.parse import quote, urlsplit

import jwt
import pytest

from esc_oidc.tokens import Opener

E = "/api/esc/environments"


def test_a_client_learns_its_user_organization_and_capabilities(ask):
    """It asks for them when it first uses a PULUMI_HOME."""
    user = ask("GET", "/api/user")[2]
    assert (user["githubLogin"], [each["githubLogin"] for each in user["organizations"]]) == (
        "alice",
        ["contoso", "fabrikam"],
    )
    assert ask("GET", "/api/user/organizations/default")[2] == {"GitHubLogin": "contoso"}
    capabilities = {each["capability"]: each for each in ask("GET", "/api/capabilities")[2]["capabilities"]}
    assert capabilities.keys() == {"batch-encrypt", "deployment-schema-version"}
    schema = capabilities["deployment-schema-version"]
    assert (schema["version"], schema["configuration"]) == (1, {"version": 4})


@pytest.mark.parametrize(
    ("opener", "kind"),
    [
        (Opener("contoso", "organization"), {"organization": "contoso"}),
        (Opener("contoso", "team", "ops"), {"team": "ops"}),
    ],
)
def test_a_token_that_is_nobodys_says_whose_it_is(ask, sandbox, opener, kind):
    """It has the organization's login, and `pulumi whoami -v` prints its kind; a person's token has none."""
    user = ask("GET", "/api/user", token=f"token {sandbox.access_token(opener)}")[2]
    assert (user["githubLogin"], len(user["organizations"])) == ("contoso", 1)
    assert user["tokenInfo"] == {"name": "sandbox", **kind}
    assert "tokenInfo" not in ask("GET", "/api/user")[2]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"organizations": ["tailspin"]}, "not good for the organization 'tailspin'"),
        ({"login": "tailspin", "tokenType": "organization"}, "not good for the organization 'tailspin'"),
        ({"tokenType": "invented", "login": "contoso"}, "token type 'invented'"),
        ({"team": "ops"}, "only a team token has a team"),
        ({"organizations": []}, "needs an organization"),
        ({"login": 1}, "'login' must be str"),
        *(({"login": login}, "is not a login") for login in ("", "a:b", "x\n", "a b", "\u00e9")),
        ({"login": "contoso", "tokenType": "team", "team": "a:b"}, "is not a team"),
    ],
)
def test_impossible_tokens_are_not_issued(ask, changed, said):
    """The sandbox's own call issues what its caller could have."""
    body = {"login": "bob", "tokenType": "personal", "team": "", "organizations": ["contoso"], **changed}
    status, _, answer = ask("POST", "/sandbox/access-tokens", body)
    assert status == 400
    assert said in answer["message"]


def test_the_sandboxs_own_calls_need_a_token(ask):
    """Nobody else on this machine learns where AWS is, or becomes a member."""
    for method, path in (("GET", "/sandbox"), ("POST", "/sandbox/access-tokens")):
        assert ask(method, path, token="token pul-0")[0] == 401


@pytest.mark.parametrize("token", ["token pul-0", "", "Bearer x", "token"])
def test_unknown_callers_get_401(ask, token):
    """With a code and a message, as the CLI prints them."""
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
    """Without the code the CLI prints [0] and loses the status."""
    got, headers, body = ask(method, path)
    assert (got, body["code"], headers["Content-Type"]) == (status, status, "application/json")
    assert body["message"]
    assert "diagnostics" not in body


def test_deployment_settings_are_kept(ask):
    """Also of a stack that nobody made. Only secrets change, to ciphertext that is the same each time."""
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


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb"])
def test_half_a_character_is_refused(ask, text):
    """No client can read it, and no key encrypts it."""
    path = "/api/stacks/contoso/proj/half/deployments/settings"
    assert ask("PUT", path, {"A": {"secret": text}})[0] == 400
    assert ask("PUT", path, {"A": {"secret": "\U0001f600"}})[0] == 200
    ask("POST", f"{E}/contoso", {"project": "aws", "name": "half"})
    assert ask("PATCH", f"{E}/contoso/aws/half", f"values: {{a: {{fn::secret: {json.dumps(text)}}}}}")[0] == 400


@pytest.mark.parametrize("value", [5, [], {"a": 1}, True])
def test_a_name_is_a_text(ask, value):
    """Wherever a request has one."""
    assert ask("POST", f"{E}/contoso", {"project": value or [1], "name": "names"})[0] == 400
    ask("POST", f"{E}/contoso", {"project": "aws", "name": "names"})
    assert ask("POST", f"{E}/contoso/aws/names/clone", {"project": value or [1], "name": "copy"})[0] == 400
    ask("POST", f"{E}/contoso/aws/names/tags", {"name": "t", "value": "v"})
    tag = {"currentTag": {}, "newTag": {"name": value or [1], "value": "v"}}
    assert ask("PATCH", f"{E}/contoso/aws/names/tags/t", tag)[0] == 400


def test_a_version_that_is_too_long_does_not_exist(ask):
    """Neither in a path nor in an import."""
    ask("POST", f"{E}/contoso", {"project": "aws", "name": "versions"})
    version = "9" * 5000
    assert ask("GET", f"{E}/contoso/aws/versions/versions/{version}")[0] == 404
    assert ask("POST", f"{E}/contoso/yaml/check", f"imports: [aws/versions@{version}]")[0] == 400


@pytest.mark.parametrize("path", ["a[" + "9" * 5000 + "]", '["\\q"]'])
def test_a_property_path_that_nobody_can_read_leads_nowhere(ask, path):
    """As every other one that leads nowhere."""
    identity = ask("POST", f"{E}/contoso/yaml/open", "values: {a: [1]}")[2]["id"]
    ask("POST", f"{E}/contoso", {"project": "aws", "name": "paths"})
    identity = ask("POST", f"{E}/contoso/aws/paths/open")[2]["id"]
    assert ask("GET", f"{E}/contoso/aws/paths/open/{identity}?property={quote(path)}")[0] == 404


def test_a_mistake_of_the_sandbox_is_told_to_the_client(ask, sandbox, monkeypatch, capfd):
    """And to nobody else: a traceback has what somebody sent in it. A call may fail, or the writing of its answer."""
    monkeypatch.setattr(sandbox.stacks, "list", lambda _: 1 / 0)
    status, _, answer = ask("GET", "/api/user/stacks")
    assert (status, answer["code"]) == (500, 500)
    assert "ZeroDivisionError" in answer["message"]
    monkeypatch.setattr("esc_oidc.sandbox.cloud.stacks._CAPABILITIES", {"not JSON"})
    status, _, answer = ask("GET", "/api/capabilities")
    assert (status, answer["code"]) == (500, 500)
    assert capfd.readouterr().err == ""


def test_what_is_nested_too_deeply_is_refused(ask):
    """In a definition, and in JSON."""
    ask("POST", f"{E}/contoso", {"project": "aws", "name": "deep"})
    for depth in (200, 2000, 20_000):
        deep = "[" * depth + '{"fn::secret": "x"}' + "]" * depth
        for method, path in (("POST", f"{E}/contoso/yaml/check"), ("PATCH", f"{E}/contoso/aws/deep")):
            assert ask(method, path, f"values: {{a: {deep}}}")[0] in (200, 400)
        assert ask("PUT", "/api/stacks/contoso/proj/deep/deployments/settings", f'{{"a": {deep}}}')[0] in (200, 400)
        assert ask("GET", f"{E}/contoso/aws/deep")[0] == 200


@pytest.mark.parametrize("name", ["..", "%00", "x" * 3000, "a%20b"])
def test_names_in_paths_are_checked(ask, name):
    """Those of stacks that nobody made, and of teams, too."""
    for path in (f"proj/{name}", f"{name}/dev"):
        for method in ("PUT", "GET", "DELETE"):
            assert ask(method, f"/api/stacks/contoso/{path}/deployments/settings", {})[0] == 400
    grant = {"envName": "dev", "projectName": "aws", "permission": "open"}
    assert ask("PATCH", f"/api/orgs/contoso/teams/{name}", {"addEnvironmentPermission": grant})[0] == 400


def test_team_permissions_can_be_granted_and_revoked(ask):
    """They can be read back in between."""
    path = "/api/orgs/contoso/teams/ops"
    grant = {"envName": "dev", "projectName": "aws", "permission": "open", "maxOpenDuration": "2h0m0s"}
    assert ask("GET", path)[2]["environments"] == []
    assert ask("PATCH", path, {"addEnvironmentPermission": grant})[0] == 204
    assert ask("GET", path)[2]["environments"] == [grant]
    assert ask("GET", "/api/orgs/contoso/teams")[2] == {"teams": [{"name": "ops"}]}
    assert ask("PATCH", path, {"removeEnvironment": {"envName": "dev", "projectName": "aws"}})[0] == 204
    assert ask("GET", path)[2]["environments"] == []
    assert ask("PATCH", path, {})[0] == 400


def test_anybody_can_read_the_issuers_keys(ask, sandbox):
    """Discovery leads to the keys, and the keys verify a token."""
    status, _, discovery = ask("GET", "/oidc/.well-known/openid-configuration", token="")
    assert (status, discovery["issuer"]) == (200, "https://api.pulumi.com/oidc")
    assert discovery["jwks_uri"].startswith(sandbox.cloud_url)
    keys = jwt.PyJWKSet.from_dict(ask("GET", urlsplit(discovery["jwks_uri"]).path, token="")[2])
    token = sandbox.issuer.mint({"sub": "s"})
    assert jwt.decode(token, keys.keys[0], algorithms=["RS256"])["sub"] == "s"
