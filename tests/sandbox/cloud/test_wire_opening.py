"""Environments opened and checked as the pulumi CLI does it."""

import base64
import json

from tests.support.judge import unplaced

E = "/api/esc/environments"


def test_a_check_has_an_expression_for_every_path(ask):
    """`pulumi env get` asks for them, with or without secrets."""
    yaml = "values: {foo: {bar: [1]}, s: {fn::secret: hush}}"
    hidden = ask("POST", f"{E}/contoso/yaml/check?showSecrets=false", yaml)[2]
    assert unplaced(hidden["exprs"]) == {"foo": {"object": {"bar": {"list": [{}]}}}, "s": {}}
    assert (hidden["properties"]["s"]["value"], hidden["properties"]["s"]["secret"]) == ("[secret]", True)
    shown = ask("POST", f"{E}/contoso/yaml/check?showSecrets=true", yaml)[2]
    assert shown["properties"]["s"]["value"] == "hush"
    assert ask("POST", f"{E}/contoso/yaml/check", "")[2] == {"exprs": {}, "properties": {}}


def test_every_opened_value_is_wrapped(ask, dev):
    """The duration says how long the answer can be read."""
    ask("PATCH", dev, "values: {environmentVariables: {A: '1', E: {fn::secret: s}, L: [x]}}")
    identity = ask("POST", f"{dev}/open?duration=2h0m0s")[2]["id"]
    opened = ask("GET", f"{dev}/open/{identity}")[2]["properties"]
    assert unplaced(opened["environmentVariables"]["value"]) == {
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


def test_an_old_revision_opens_with_its_own_values(ask, dev):
    """By its number or by a tag."""
    ask("PATCH", dev, "values: {a: 2}")
    ask("POST", f"{dev}/versions/tags", {"name": "prod", "revision": 2})
    for version, value in (("2", 1), ("prod", 1), ("latest", 2)):
        identity = ask("POST", f"{dev}/versions/{version}/open?duration=2h0m0s")[2]["id"]
        assert ask("GET", f"{dev}/open/{identity}")[2]["properties"]["a"]["value"] == value


def test_a_stack_opens_an_anonymous_definition(ask, dev):
    """`pulumi up` opens one with imports, and may replace imports by others."""
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


def test_a_failed_opening_has_status_400(ask):
    """With status 200 the CLI would ignore the diagnostics."""
    status, _, body = ask("POST", f"{E}/contoso/yaml/open", {"imports": ["aws/nothing", "a b/c"]})
    assert (status, body["code"]) == (400, 400)
    assert ["not found" in each["summary"] for each in body["diagnostics"]] == [True, False]
