"""What an import loads: the core is light, and the command waits only for what it runs."""

import json
import re
import runpy
import subprocess
import sys

import pytest

import esc_oidc
from esc_oidc import verify

HEAVY = {
    "pulumi",
    "pulumi_aws",
    "pulumi_pulumiservice",
    "grpc",
    "boto3",
    "moto",
    "flask",
    "cryptography",
}


def loaded(code: str) -> set[str]:
    """The top-level packages that a new Python has loaded after it ran some code."""
    script = f"import json, sys\n{code}\nprint(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    return set(json.loads(ran.stdout.splitlines()[-1]))


@pytest.mark.parametrize("room", ["claims", "tokens", "sessions", "trust", "environment", "inputs", "verify"])
def test_the_core_loads_neither_pulumi_nor_a_cloud(room):
    """A program that only decides, lints or composes subjects needs no Pulumi installed."""
    assert loaded(f"import esc_oidc.{room}") & HEAVY == set()


@pytest.mark.parametrize(
    "arguments", [["--help"], ["lint", "--help"], ["claims", "contoso/aws/dev"], ["lint", "--format", "json", "."]]
)
def test_a_command_loads_only_what_it_runs(arguments, tmp_path, monkeypatch):
    """`--help`, `lint` and `claims` start at once: the sandbox and Pulumi stay unloaded."""
    monkeypatch.chdir(tmp_path)
    code = (
        f"import sys; sys.argv = ['esc-oidc', *{arguments!r}]\n"
        "from esc_oidc.cli import main\n"
        "try:\n    main()\nexcept SystemExit as ended:\n    assert not ended.code, ended.code"
    )
    assert loaded(code) & HEAVY == set()


def test_the_package_runs_as_the_command(monkeypatch, capsys):
    """`python -m esc_oidc` is `esc-oidc`."""
    monkeypatch.setattr(sys, "argv", ["esc_oidc", "--version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("esc_oidc", run_name="__main__")
    assert not ended.value.code
    assert re.fullmatch(r"esc-oidc \d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_the_facade_has_every_public_name():
    """It returns and lists each public name, and lacks any other like an ordinary module."""
    assert set(esc_oidc.__all__) <= set(dir(esc_oidc))
    for name in esc_oidc.__all__:
        assert getattr(esc_oidc, name).__name__ == name
    with pytest.raises(AttributeError, match="module 'esc_oidc' has no attribute 'PulumiEscOIDC'"):
        _ = esc_oidc.PulumiEscOIDC


def test_verify_has_every_public_name():
    """The door of `verify` gives each public name, lists it, and refuses any other like an ordinary module."""
    assert set(verify.__all__) <= set(dir(verify))
    assert all(hasattr(verify, name) for name in verify.__all__)
    with pytest.raises(AttributeError, match=r"module 'esc_oidc\.verify' has no attribute 'linted'"):
        _ = verify.linted


def test_lint_loads_no_decisions():
    """Who only lints does not wait for proofs, decisions and explanations; `lint` is the function, not its folder."""
    code = "from esc_oidc.verify import RULES, lint; assert RULES and lint('{}')"
    rooms = "{name.removeprefix('esc_oidc.verify.') for name in sys.modules}"
    ran = f"import sys; {code}; assert not {rooms} & {{'decisions', 'explanations', 'proofs', 'tokens'}}"
    assert "esc_oidc" in loaded(ran)
