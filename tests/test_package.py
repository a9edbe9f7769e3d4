"""The package as users get it: built, installed into an empty environment, type-checked and run. No network."""

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
STEM = f"esc_oidc-{PROJECT['version']}"
BUILD = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"
"""What `pip wheel` and `python -m build` call, with the setuptools that is here: their own they would download."""

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


def run(*command: str | Path, cwd: Path, check: bool = True) -> str:
    """What a command prints, run away from the checkout and from whatever the environment says of Python."""
    done = subprocess.run(  # noqa: S603 - our own commands
        [str(part) for part in command],
        cwd=cwd,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(cwd),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 or not check, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The sdist of a copy of this checkout, and the wheel made from that sdist, as installers do it."""
    folder = tmp_path_factory.mktemp("built")
    ignored = shutil.ignore_patterns(".[!.]*", "__pycache__", "*.egg-info", "build", "dist", "node_modules", "bin")
    shutil.copytree(ROOT, folder / "checkout", ignore=ignored)
    run(sys.executable, "-c", BUILD, "build_sdist", folder, cwd=folder / "checkout")
    with tarfile.open(folder / f"{STEM}.tar.gz") as sdist:
        sdist.extractall(folder, filter="data")
    run(sys.executable, "-c", BUILD, "build_wheel", folder, cwd=folder / STEM)
    return folder


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """The Python of an empty environment that has the wheel, and beside it what this environment has."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    wheel = built / f"{STEM}-py3-none-any.whl"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=folder)
    # A .pth file adds a folder but not what that folder's own .pth files add: the editable install stays out.
    (own,) = folder.glob("lib/python*/site-packages")
    (own / "dependencies.pth").write_text("\n".join({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}))
    return python


@pytest.fixture(scope="module")
def metadata(built):
    with zipfile.ZipFile(built / f"{STEM}-py3-none-any.whl") as wheel:
        return HeaderParser().parsestr(wheel.read(f"{STEM}.dist-info/METADATA").decode())


def sources(checkout: Path) -> set[str]:
    """Every file of the package, as it should be named in what is built."""
    package = checkout / "components" / "esc_oidc"
    return {f"esc_oidc/{path.relative_to(package).as_posix()}" for path in package.rglob("*") if path.is_file()}


def test_the_wheel_holds_the_package_and_nothing_else(built):
    """Every file of `esc_oidc`, its `py.typed` too, and beside them only the wheel's own account of itself."""
    with zipfile.ZipFile(built / f"{STEM}-py3-none-any.whl") as wheel:
        names = set(wheel.namelist())
    held = {name for name in names if not name.startswith(f"{STEM}.dist-info/")}
    assert held == sources(built / "checkout")
    assert "esc_oidc/py.typed" in held
    assert f"{STEM}.dist-info/licenses/LICENSE" in names


def test_the_sdist_holds_what_the_wheel_is_made_of_and_nothing_else(built):
    """No tests without what they need, no plugin, no examples: those are in the repository."""
    with tarfile.open(built / f"{STEM}.tar.gz") as sdist:
        names = {member.name.removeprefix(f"{STEM}/") for member in sdist if member.isfile()}
    held = {name for name in names if not name.startswith("components/esc_oidc.egg-info/")}
    own = {"PKG-INFO", "LICENSE", "README.md", "pyproject.toml", "setup.cfg"}
    assert held - {"MANIFEST.in"} == {f"components/{name}" for name in sources(built / "checkout")} | own


def test_the_metadata_is_that_of_the_project(metadata):
    """Name, version, license, Pythons and README are what an index shows."""
    assert metadata["Name"] == "esc-oidc"
    assert metadata["Version"] == PROJECT["version"]
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"
    pythons = [name for name in metadata.get_all("Classifier") if name.startswith("Programming Language :: Python :: ")]
    assert [name.rpartition(" ")[2] for name in pythons] == ["3.11", "3.12", "3.13", "3.14"]


def test_the_base_install_is_small(metadata):
    """Pulumi, its two providers and YAML; moto, Flask and the rest come with the extras only."""
    required = [each for each in metadata.get_all("Requires-Dist") if "extra ==" not in each]
    assert sorted(each.partition("<")[0] for each in required) == [
        "pulumi", "pulumi-aws", "pulumi-pulumiservice", "pyyaml",
    ]  # fmt: skip
    assert {"cli", "sandbox"} <= set(metadata.get_all("Provides-Extra"))


def test_the_command_is_installed(installed):
    """The wheel brings the command `esc-oidc`."""
    assert "Usage: esc-oidc" in run(installed.with_name("esc-oidc"), "--help", cwd=installed.parents[1])


def test_a_program_runs_outside_the_repository(installed, tmp_path):
    """In an environment that has only the wheel, a program declares the component against Pulumi's mocks."""
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "run.py").write_text(RUN)
    printed = json.loads(run(installed, "-P", "run.py", cwd=tmp_path))
    assert Path(printed["file"]).is_relative_to(installed.parents[1])
    assert printed["version"] == PROJECT["version"]
    assert printed["admitted"] == [True, False]


def test_the_package_does_not_come_from_the_checkout(installed, tmp_path):
    """The environment of the tests reaches the checkout through an editable install; the empty one does not."""
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
    """With `py.typed` mypy --strict sees the inputs: the good program passes, and each mistake is named."""
    assert checked(installed, tmp_path, PROGRAM).startswith("Success: no issues found")
    said = checked(installed, tmp_path, MISTAKES)
    lines = MISTAKES.splitlines()
    refused = {
        lines[int(number) - 1].strip() for number in re.findall(r"^program\.py:(\d+): error", said, re.MULTILINE)
    }
    assert refused == {line for line in lines if "# " in line}
    assert re.search(r"Revealed type is \"[\w.]*Output\[(builtins\.)?list\[(builtins\.)?str\]\]\"", said)
