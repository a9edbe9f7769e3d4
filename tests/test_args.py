"""The argument type of each component: its defaults, its docstrings, and what type checkers hold."""

import ast
import inspect
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import pulumi
import pytest

import esc_oidc
from esc_oidc import PulumiDeploymentsOidc, PulumiDeploymentsOidcArgs, PulumiEscOidc, PulumiEscOidcArgs
from esc_oidc.claims import OPERATIONS
from esc_oidc.inputs import Argument, DeploymentPlan, EnvironmentPlan, arguments_of
from tests.support.inputs import ARGUMENTS, defaults

COMPONENTS = Path(esc_oidc.__file__).parents[1]
PLANS = [(PulumiEscOidcArgs, EnvironmentPlan), (PulumiDeploymentsOidcArgs, DeploymentPlan)]
EACH_OPTIONAL = [
    (arguments, name) for arguments, plan in PLANS for name, read in ARGUMENTS[plan].items() if not read.required
]
EACH_DEFAULT = [(arguments, name, default) for arguments, plan in PLANS for name, default in defaults(plan).items()]


def called(parameter: Any) -> str | None:
    """How a test's parameter stands in its name."""
    return parameter if isinstance(parameter, str) else getattr(parameter, "__name__", "")


def docstrings(owner: type) -> dict[str, str]:
    """The docstring under each annotated name of a class, as Pulumi's analyzer reads them."""
    (declared,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
    assert isinstance(declared, ast.ClassDef)
    found = {}
    for statement, following in zip(declared.body, [*declared.body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            is_text = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            found[statement.target.id] = following.value.value if is_text else ""
    return found


@pytest.mark.parametrize(("arguments", "plan"), PLANS, ids=called)
def test_a_plan_has_every_argument(arguments, plan):
    """What may be passed is what is judged, and the required inputs stand first."""
    assert set(plan.formats()) == set(arguments.__annotations__)
    required = {name for name, read in ARGUMENTS[plan].items() if read.required}
    assert required == arguments.__required_keys__
    assert required >= {"organization", "project"}
    assert set(list(arguments.__annotations__)[: len(required)]) == required


@pytest.mark.parametrize(("arguments", "name", "default"), EACH_DEFAULT, ids=called)
def test_a_default_is_documented_and_has_its_inputs_type(arguments, name, default):
    """The docstring of an optional input has the value that is used when the input is not given."""
    assert type(default).__name__ == arguments_of(arguments)[name].kind
    written = {"True": "true", "False": "false", str(list(OPERATIONS)): "all four"}.get(str(default), str(default))
    _, found, said = " ".join(docstrings(arguments)[name].replace("`", "").split()).partition("Default: ")
    assert found
    assert said.startswith((f"{written}.", f"{written};", f"Pulumi Cloud's, {written}.", f"Pulumi Cloud, {written}."))


@pytest.mark.parametrize(
    "owner", [PulumiEscOidcArgs, PulumiEscOidc, PulumiDeploymentsOidcArgs, PulumiDeploymentsOidc], ids=called
)
def test_every_input_and_output_is_documented(owner):
    """Each has a docstring of its own: whole sentences, and no two alike."""
    found = docstrings(owner)
    assert list(found) == list(owner.__annotations__)
    assert [name for name, text in found.items() if not text.endswith(".") or text != text.strip()] == []
    assert len(set(found.values())) == len(found)


@pytest.mark.parametrize(("arguments", "name"), EACH_OPTIONAL, ids=called)
def test_optional_inputs_say_what_leaving_them_out_means(arguments, name):
    """The docstring of an optional input has its default, or which attribute it asks for, or when it is required."""
    assert any(says in docstrings(arguments)[name] for says in ("Default: ", "Asks for `", "Required unless `"))


class Annotated(TypedDict):
    """Annotations of every shape."""

    text: pulumi.Input[str]
    flag: NotRequired[bool]
    items: NotRequired[list[pulumi.Input[str]]]
    whole: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    plain: list[str]
    table: dict[str, pulumi.Input[str]]


def test_type_and_outputs_are_read_from_the_annotations():
    """The argument type says what an input is, whether it is required and where an Output may stand."""
    assert arguments_of(Annotated) == {
        "text": Argument("str", required=True, may_be_output=True, items_may_be_outputs=False),
        "flag": Argument("bool", required=False, may_be_output=False, items_may_be_outputs=False),
        "items": Argument("list", required=False, may_be_output=False, items_may_be_outputs=True),
        "whole": Argument("list", required=False, may_be_output=True, items_may_be_outputs=True),
        "plain": Argument("list", required=True, may_be_output=False, items_may_be_outputs=False),
        "table": Argument("dict", required=True, may_be_output=False, items_may_be_outputs=True),
    }


GOOD = """
import pulumi
from esc_oidc import PulumiEscOidc, PulumiEscOidcArgs

later = pulumi.Output.from_input("dev")
args: PulumiEscOidcArgs = {"organization": "contoso", "project": "aws", "environment": later, "allowed_users": [later]}
opts = pulumi.ResourceOptions(protect=True)
PulumiEscOidc("one", args)
PulumiEscOidc("two", args, opts)
PulumiEscOidc("three", {"organization": "contoso", "project": "aws", "environment": "dev"}, opts=opts)
PulumiEscOidc("four", organization="contoso", project="aws", environment=later, tags={"a": later}, opts=opts)
login = PulumiEscOidc("five", organization="contoso", project="aws", environment="dev")
arn: pulumi.Output[str] = login.role_arn
subjects: pulumi.Output[list[str]] = login.subjects
shouted: pulumi.Output[str] = login.role_arn.apply(str.upper)
account: pulumi.Input[str] = login.audience
"""
BAD = """
from esc_oidc import PulumiEscOidc

PulumiEscOidc("esc", {"organization": "contoso", "project": "aws", "environment": "dev", "allowed_user": ["alice"]})
PulumiEscOidc("esc", organization="contoso", project="aws", environment="dev", allowed_user=["alice"])
PulumiEscOidc("esc", {"organization": "contoso", "project": "aws", "environment": "dev", "allowed_users": "alice"})
PulumiEscOidc("esc", organization="contoso", project="aws", environment="dev", allowed_users="alice")
PulumiEscOidc("esc", {"organization": "contoso", "project": "aws", "environment": "dev", "duration": 3600})
PulumiEscOidc("esc", organization="contoso", project="aws", environment="dev", create_environment="false")
PulumiEscOidc("esc", {"organization": "contoso", "project": "aws"})
PulumiEscOidc("esc", organization="contoso", project="aws")
PulumiEscOidc("esc", organization="contoso", project="aws", environment="dev").rol_arn
PulumiEscOidc("esc", organization="contoso", project="aws", environment="dev").role_arn.foo
PulumiEscOidc("esc", organization="contoso", project="aws", environment="dev").subjects + 1
"""


def test_the_type_checker_knows_inputs_and_outputs(tmp_path, request):
    """`mypy --strict` accepts good programs, and refuses misspelled, mistyped or missing inputs and outputs."""
    (tmp_path / "good.py").write_text(GOOD, encoding="utf-8")
    (tmp_path / "bad.py").write_text(BAD, encoding="utf-8")
    # Half a minute the first time, for Pulumi's packages; half a second from then on.
    cache = request.config.cache.mkdir("mypy")
    ran = subprocess.run(  # noqa: S603 - this Python, with files of our own
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={cache}", "good.py", "bad.py"],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(COMPONENTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [line for line in ran.stdout.splitlines() if ": error: " in line]
    wrong = [number for number, line in enumerate(BAD.splitlines(), 1) if line.startswith("PulumiEscOidc(")]
    refused = sorted({int(line.split(":")[1]) for line in errors if line.startswith("bad.py:")})
    assert [line for line in errors if not line.startswith("bad.py:")] == []
    assert refused == wrong, ran.stdout + ran.stderr
