import json
import os
import stat
from pathlib import Path

import pytest

from esc_oidc.sandbox import LEADING_ELSEWHERE, surroundings

NASTY = {
    "AWS_PROFILE": "prod",
    "AWS_SESSION_TOKEN": "real",
    "AWS_ENDPOINT_URL_STS": "https://sts.amazonaws.com",
    "AWS_ACCESS_KEY_ID": "AKIAREAL",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_INVENTED_LATER": "x",
    "PULUMI_BACKEND_URL": "https://api.pulumi.com",
    "PULUMI_ACCESS_TOKEN": "pul-real",
    "PULUMI_CONFIG_PASSPHRASE_FILE": "/secret",
    "PULUMI_STACK": "prod",
}
OURS = {
    "AWS_ACCESS_KEY_ID", "AWS_CONFIG_FILE", "AWS_DEFAULT_REGION", "AWS_EC2_METADATA_DISABLED", "AWS_ENDPOINT_URL",
    "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SHARED_CREDENTIALS_FILE", "NO_PROXY", "PULUMI_ACCESS_TOKEN",
    "PULUMI_API", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_HOME", "PULUMI_SKIP_UPDATE_CHECK", "no_proxy",
}  # fmt: skip


@pytest.fixture
def enter(sandbox):
    """Makes the surroundings from a user's variables."""
    return lambda environment: surroundings(sandbox, "pul-ours", environment)


def test_only_our_aws_and_pulumi_variables_are_there(sandbox, enter):
    """None of the user's remains in these two families; all others do."""
    with enter(NASTY) as around:
        seen = around.around({**NASTY, "PATH": "/bin", "HTTP_PROXY": "http://proxy:3128", "AWSOME": "1"})
    assert set(seen) == OURS | {"PATH", "HTTP_PROXY", "AWSOME"}
    assert seen["AWS_ENDPOINT_URL"] == sandbox.aws_url
    assert seen["PULUMI_API"] == sandbox.cloud_url
    assert (seen["AWS_ACCESS_KEY_ID"], seen["AWS_SECRET_ACCESS_KEY"]) == ("test", "test")
    assert seen["PULUMI_ACCESS_TOKEN"] == "pul-ours"
    assert seen["AWS_EC2_METADATA_DISABLED"] == seen["PULUMI_SKIP_UPDATE_CHECK"] == "true"


def test_variables_that_locate_pulumis_parts_are_kept():
    """A machine without PyPI or with its own Python stays usable; these variables lead nowhere else."""
    kept = {"PULUMI_PYTHON_CMD": "python3.13", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"}
    with surroundings(_Nowhere, "t", kept) as around:
        assert around.around(kept).items() >= kept.items()
        assert kept.keys().isdisjoint(around.unset)


class _Nowhere:
    aws_url = cloud_url = "http://127.0.0.1:1"


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


def test_pulumi_is_logged_in_to_a_folder(enter):
    """Its private home has the login of a real CLI: no account, and a folder for state."""
    with enter({}) as around:
        home = Path(around.variables["PULUMI_HOME"])
        login = json.loads((home / "credentials.json").read_text())
        backend = login["current"]
        assert login == {"current": backend, "accessTokens": {backend: ""}, "accounts": {}}
        assert backend.startswith("file:///")
        assert list(Path(backend.removeprefix("file://")).iterdir()) == []
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        assert stat.S_IMODE((home / "credentials.json").stat().st_mode) == 0o600


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
