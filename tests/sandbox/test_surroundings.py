import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from esc_oidc.sandbox import LEADING_ELSEWHERE, CloudRefused, NotRunningError, RunningSandbox, Sandbox, surroundings
from esc_oidc.tokens import Opener

NASTY = {
    "AWS_PROFILE": "prod",
    "AWS_SESSION_TOKEN": "real",
    "AWS_ENDPOINT_URL_STS": "https://sts.amazonaws.com",
    "AWS_ACCESS_KEY_ID": "AKIAREAL",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_INVENTED_LATER": "x",
    "PULUMI_BACKEND_URL": "https://api.pulumi.com",
    "PULUMI_API": "https://api.pulumi.com",
    "PULUMI_HOME": "/home/me/.pulumi",
    "PULUMI_CREDENTIALS_PATH": "/home/me/.pulumi",
    "PULUMI_LOG_OTLP_ENDPOINT": "https://collector.example.com",
    "ESC_OIDC_SANDBOX": "https://api.pulumi.com",
    "PULUMI_ACCESS_TOKEN": "pul-real",
    "PULUMI_CONFIG_PASSPHRASE_FILE": "/secret",
    "PULUMI_STACK": "prod",
}
OURS = {
    "AWS_ACCESS_KEY_ID", "AWS_CONFIG_FILE", "AWS_DEFAULT_REGION", "AWS_EC2_METADATA_DISABLED", "AWS_ENDPOINT_URL",
    "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SHARED_CREDENTIALS_FILE", "ESC_OIDC_SANDBOX", "NO_PROXY",
    "PULUMI_ACCESS_TOKEN", "PULUMI_API", "PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_HOME",
    "PULUMI_SKIP_UPDATE_CHECK", "no_proxy",
}  # fmt: skip


@pytest.fixture
def alice(sandbox):
    """The access token of a member of two organizations."""
    return sandbox.access_token(Opener("alice"), ["contoso", "fabrikam"])


@pytest.fixture
def enter(sandbox, alice):
    """Makes the surroundings from a user's variables."""
    return lambda environment: surroundings(sandbox, alice, environment)


def test_only_our_aws_and_pulumi_variables_are_there(sandbox, alice, enter):
    """None of the user's remains in these two families; all others do."""
    with enter(NASTY) as around:
        seen = around.around({**NASTY, "PATH": "/bin", "HTTP_PROXY": "http://proxy:3128", "AWSOME": "1"})
    assert set(seen) == OURS | {"PATH", "HTTP_PROXY", "AWSOME"}
    assert seen["AWS_ENDPOINT_URL"] == sandbox.aws_url
    assert {seen[name] for name in ("PULUMI_API", "PULUMI_BACKEND_URL", "ESC_OIDC_SANDBOX")} == {sandbox.cloud_url}
    assert (seen["AWS_ACCESS_KEY_ID"], seen["AWS_SECRET_ACCESS_KEY"]) == ("test", "test")
    assert seen["PULUMI_ACCESS_TOKEN"] == alice
    assert set(seen.values()).isdisjoint(set(NASTY.values()) - {"true"})
    assert seen["AWS_EC2_METADATA_DISABLED"] == seen["PULUMI_SKIP_UPDATE_CHECK"] == "true"


def test_variables_that_locate_pulumis_parts_are_kept(enter):
    """A machine without PyPI or with its own Python stays usable; these variables lead nowhere else."""
    kept = {"PULUMI_PYTHON_CMD": "python3.13", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"}
    with enter(kept) as around:
        assert around.around(kept).items() >= kept.items()
        assert kept.keys().isdisjoint(around.unset)


def test_the_users_and_the_well_known_variables_are_unset(enter):
    """A shell that evaluates the output loses these, but none of ours."""
    with enter(NASTY) as around:
        assert list(around.unset) == sorted((LEADING_ELSEWHERE | NASTY.keys()) - OURS)
        assert set(around.variables) == OURS


def test_aws_finds_no_configuration(enter):
    """The files that the SDKs read are empty: no profiles and no credentials."""
    with enter({}) as around:
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            assert Path(around.variables[name]).read_bytes() == b""


@pytest.mark.parametrize(
    ("opener", "organizations", "kind"),
    [
        (Opener("alice"), ["contoso", "fabrikam"], {}),
        (Opener("contoso", "organization"), ["contoso"], {"organization": "contoso"}),
        (Opener("contoso", "team", "platform"), ["contoso"], {"team": "platform"}),
    ],
)
def test_pulumi_is_logged_in_to_the_sandbox(sandbox, opener, organizations, kind):
    """Its private home has the login of a real CLI, validated just now: nobody is asked to log in."""
    token = sandbox.access_token(opener, organizations)
    with surroundings(sandbox, token, {}) as around:
        home = Path(around.variables["PULUMI_HOME"])
        login = json.loads((home / "credentials.json").read_text())
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        assert stat.S_IMODE((home / "credentials.json").stat().st_mode) == 0o600
    url = sandbox.cloud_url
    account = login["accounts"].pop(url)
    assert login == {"current": url, "accessTokens": {url: token}, "accounts": {}}
    assert datetime.now(UTC) - datetime.fromisoformat(account.pop("lastValidatedAt")) < timedelta(minutes=5)
    information = {"tokenInformation": {"name": "sandbox", **kind}} if kind else {}
    expected = {"accessToken": token, "username": opener.login, "organizations": organizations, **information}
    assert account == expected


@pytest.mark.parametrize("variable", ["PULUMI_HOME", "HOME"])
def test_the_users_plugins_are_linked_and_survive(enter, tmp_path, monkeypatch, variable):
    """They are large: found in PULUMI_HOME or ~/.pulumi, they include what COMMAND installs."""
    home = tmp_path if variable == "PULUMI_HOME" else tmp_path / ".pulumi"
    (home / "plugins").mkdir(parents=True)
    (home / "credentials.json").write_text("the user's own")
    monkeypatch.setenv("HOME", str(tmp_path))
    with enter({variable: str(tmp_path)}) as around:
        plugins = Path(around.variables["PULUMI_HOME"], "plugins")
        assert plugins.is_symlink()
        (plugins / "resource-aws-v7.0.0").mkdir()
    assert (home / "plugins" / "resource-aws-v7.0.0").is_dir()
    assert (home / "credentials.json").read_text() == "the user's own"


def test_without_plugins_there_is_no_link(enter, tmp_path):
    """New plugins go to the temporary home, and nothing appears in the user's."""
    with enter({"PULUMI_HOME": str(tmp_path / "none")}) as around:
        assert not os.path.lexists(Path(around.variables["PULUMI_HOME"], "plugins"))
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"NO_PROXY": "a.example"}, "a.example,127.0.0.1,localhost"),
        ({"no_proxy": "a.example, b.example,"}, "a.example,b.example,127.0.0.1,localhost"),
        ({"NO_PROXY": "a.example", "no_proxy": "localhost"}, "a.example,localhost,127.0.0.1"),
        ({"NO_PROXY": "*"}, "*"),
    ],
)
def test_no_proxy_is_used_for_this_machine(enter, given, expected):
    """Both spellings agree, since Go and Python prefer different ones; the user's own hosts stay."""
    with enter(given) as around:
        assert around.variables["NO_PROXY"] == around.variables["no_proxy"] == expected


def test_nothing_is_left_behind(enter):
    """The folders go with all their content, even after a failure."""

    def fail_in(around):
        home = Path(around.variables["PULUMI_HOME"])
        (home / "workspaces").mkdir()
        (home / "workspaces" / "w.json").write_text("{}")
        raise ArithmeticError(home.parent)

    with pytest.raises(ArithmeticError) as raised, enter({}) as around:
        fail_in(around)
    assert raised.value.args[0].name.startswith("esc-oidc-sandbox-")
    assert not raised.value.args[0].exists()


def test_there_is_no_sandbox_around_ordinary_variables():
    """Only a variable of our own says that one is running."""
    assert RunningSandbox.around({"PULUMI_API": "http://127.0.0.1:1"}) is None


def test_whoever_is_surrounded_finds_the_sandbox_and_becomes_somebody_else(sandbox, enter, ask):
    """The variables are enough to get another access token, with a Pulumi home that lives as long as theirs."""
    with enter({}) as around:
        running = RunningSandbox.around(around.variables)
        assert (running.aws_url, running.cloud_url) == (sandbox.aws_url, sandbox.cloud_url)
        assert running.organizations == ("contoso", "fabrikam")
        token = running.access_token(Opener("bob"), ["fabrikam"])
        bobs = running.surroundings(token, around.variables).variables
        assert ask("GET", "/api/user", token=f"token {token}")[2]["githubLogin"] == "bob"
        assert bobs["PULUMI_ACCESS_TOKEN"] == token
        assert bobs["PULUMI_HOME"] != around.variables["PULUMI_HOME"]
        assert RunningSandbox.around(bobs).organizations == ("fabrikam",)
    assert not Path(bobs["PULUMI_HOME"]).exists()


@pytest.mark.parametrize(
    ("opener", "organizations"),
    [
        (Opener("bob"), ["tailspin"]),
        (Opener("tailspin", "organization"), []),
        (Opener("tailspin", "team", "platform"), []),
    ],
)
def test_nobody_becomes_a_member_of_another_organization(enter, opener, organizations):
    """A token gives tokens for its own organizations alone."""
    with enter({}) as around, pytest.raises(CloudRefused, match="not good for the organization 'tailspin'"):
        RunningSandbox.around(around.variables).access_token(opener, organizations)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"ESC_OIDC_SANDBOX": "https://api.pulumi.com"}, "a sandbox is at http://127.0.0.1:PORT"),
        ({"ESC_OIDC_SANDBOX": "http://127.0.0.1:80@evil.example"}, "a sandbox is at http://127.0.0.1:PORT"),
        ({"ESC_OIDC_SANDBOX": ""}, "a sandbox is at http://127.0.0.1:PORT"),
        ({"PULUMI_ACCESS_TOKEN": "pul-real"}, "Unauthorized"),
        ({"PULUMI_HOME": "/home/me/.pulumi"}, "PULUMI_HOME is not that of the sandbox"),
    ],
)
def test_variables_that_lead_to_no_sandbox_are_refused(enter, changed, said):
    """No token is sent anywhere but to this machine, and the error has the way out."""
    with enter({}) as around, pytest.raises(NotRunningError) as raised:
        RunningSandbox.around({**around.variables, **changed})
    assert said in str(raised.value)
    assert "`unset ESC_OIDC_SANDBOX`" in str(raised.value)


def test_a_sandbox_that_has_ended_is_not_running():
    """A terminal whose sandbox is gone says so instead of starting another one."""
    with Sandbox() as sandbox:
        around = surroundings(sandbox, sandbox.access_token(Opener("alice"), ["contoso"]), {})
        variables = around.__enter__().variables
    with pytest.raises(NotRunningError, match="the sandbox doesn't answer"):
        RunningSandbox.around(variables)
    around.__exit__(None, None, None)
