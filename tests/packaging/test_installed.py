"""The installed wheel, away from the checkout: the command, a program, and its types."""

import importlib.metadata
import json
import re
import sys
import sysconfig
from pathlib import Path

from tests.support.building import PROJECT, ROOT, run

PROGRAM = """
import pulumi
import esc_oidc
from esc_oidc import PulumiEscOidc, PulumiEscOidcArgs
from esc_oidc.claims import audience, subject
from esc_oidc.verify import Decision, Request, decide

args: PulumiEscOidcArgs = {"organization": "contoso", "project": "aws", "environment": "dev"}
login = PulumiEscOidc("login", args)
again = PulumiEscOidc(
    "again", organization="contoso", project="aws", environment="prod", oidc_provider_arn=login.oidc_provider_arn
)


def admits_dev(trust_policy: str) -> bool:
    claims = {"aud": audience("contoso", "aws"), "sub": subject("contoso", [("currentEnvironment.name", "aws/dev")])}
    decision: Decision = decide(trust_policy, Request(claims, "https://api.pulumi.com/oidc"))
    return decision.allowed


admitted: pulumi.Output[list[bool]] = pulumi.Output.all(
    login.trust_policy.apply(admits_dev), again.trust_policy.apply(admits_dev)
)
file: str = esc_oidc.__file__
"""
RUN = """
import json
import runpy
from importlib.metadata import version

from pulumi.runtime import Mocks, set_mocks, test


class Cloud(Mocks):
    def new_resource(self, args):
        arns = {"OpenIdConnectProvider": "oidc-provider/api.pulumi.com/oidc", "Role": "role/login"}
        arn = arns.get(args.typ.rpartition(":")[2])
        return args.name, {**args.inputs, **({"arn": f"arn:aws:iam::123456789012:{arn}"} if arn else {})}

    def call(self, args):
        return {}


@test
def program():
    made = runpy.run_path("program.py")
    said = {"file": made["file"], "version": version("esc-oidc")}
    return made["admitted"].apply(lambda admitted: print(json.dumps({**said, "admitted": admitted})))


set_mocks(Cloud())
program()
"""
MISTAKES = """
from esc_oidc import PulumiEscOidc, PulumiEscOidcArgs

PulumiEscOidc("a", {"organization": "contoso", "project": "aws"})  # no environment
PulumiEscOidc("b", organization="contoso", project="aws", environment="dev", allowed_users="alice")  # no list
PulumiEscOidc("c", organization="contoso", project="aws", environment="dev", allowed_user=["alice"])  # misspelled
args: PulumiEscOidcArgs = {"organization": "contoso", "project": "aws", "environment": 1}  # no text
reveal_type(PulumiEscOidc("d", organization="contoso", project="aws", environment="dev").subjects)
"""


def test_the_command_is_installed(installed):
    """The wheel has the command `esc-oidc`."""
    assert "Usage: esc-oidc" in run(installed.with_name("esc-oidc"), "--help", cwd=installed.parents[1])


def test_the_package_can_be_run_as_a_module(installed, tmp_path):
    """`python -m esc_oidc` is the same command."""
    assert run(installed, "-P", "-m", "esc_oidc", "--version", cwd=tmp_path).split()[-1] == PROJECT["version"]


def test_a_program_runs_outside_the_repository(installed, tmp_path):
    """With only the wheel installed, a program declares the component under Pulumi's mocks."""
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "run.py").write_text(RUN)
    printed = json.loads(run(installed, "-P", "run.py", cwd=tmp_path))
    assert Path(printed["file"]).is_relative_to(installed.parents[1])
    assert printed["version"] == PROJECT["version"]
    assert printed["admitted"] == [True, False]


def test_the_package_does_not_come_from_the_checkout(installed, tmp_path):
    """The tests' environment reaches the checkout by an editable install; the empty one doesn't."""
    paths = run(installed, "-P", "-c", "import sys; print(*sys.path, sep='\\n')", cwd=tmp_path).splitlines()
    assert sysconfig.get_path("purelib") in paths
    assert str(ROOT / "components") not in paths
    assert Path(str(importlib.metadata.distribution("pulumi").locate_file(""))) in map(Path, paths)


def checked(installed: Path, folder: Path, program: str) -> str:
    """What mypy --strict says of a program that uses the installed package."""
    (folder / "program.py").write_text(program)
    # The two providers' own types are megabytes, and none of them is in a signature of this package.
    skipped = "[mypy-pulumi_aws.*,pulumi_pulumiservice.*]\nfollow_imports = skip\n"
    (folder / "mypy.ini").write_text(f"[mypy]\nstrict = true\n{skipped}")
    command = (sys.executable, "-m", "mypy", "--python-executable", installed, "--cache-dir", folder / "cache")
    return run(*command, "program.py", cwd=folder, check=False)


def test_a_program_is_type_checked(installed, tmp_path):
    """Thanks to `py.typed`, mypy --strict accepts a good program and finds each mistake in a bad one."""
    assert checked(installed, tmp_path, PROGRAM).startswith("Success: no issues found")
    said = checked(installed, tmp_path, MISTAKES)
    lines = MISTAKES.splitlines()
    refused = {
        lines[int(number) - 1].strip() for number in re.findall(r"^program\.py:(\d+): error", said, re.MULTILINE)
    }
    assert refused == {line for line in lines if "# " in line}
    assert re.search(r"Revealed type is \"[\w.]*Output\[(builtins\.)?list\[(builtins\.)?str\]\]\"", said)
