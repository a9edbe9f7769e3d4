"""The argument type of every component, and the fields by which its inputs are checked, say the same."""

import ast
import inspect
import os
import subprocess
import sys
import textwrap
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, NotRequired, TypedDict, Union, get_args, get_origin

import pulumi
import pytest

import esc_oidc
from esc_oidc import PulumiDeploymentsOidc, PulumiDeploymentsOidcArgs, PulumiEscOidc, PulumiEscOidcArgs
from esc_oidc.inputs import DEFAULTS, DEPLOYMENT_DEFAULTS, DEPLOYMENT_FIELDS, ENVIRONMENT_FIELDS

COMPONENTS = Path(esc_oidc.__file__).parents[1]
FIELDS = [(PulumiEscOidcArgs, ENVIRONMENT_FIELDS), (PulumiDeploymentsOidcArgs, DEPLOYMENT_FIELDS)]
EACH_FIELD = [(arguments, name, field) for arguments, fields in FIELDS for name, field in fields.items()]
EACH_DEFAULT = [
    (arguments, name, fields[name], default)
    for (arguments, fields), defaults in zip(FIELDS, [DEFAULTS, DEPLOYMENT_DEFAULTS], strict=True)
    for name, default in defaults.items()
]


def called(parameter: Any) -> str | None:
    """How a test's parameter stands in its name."""
    return parameter if isinstance(parameter, str) else getattr(parameter, "__name__", "")


def shape(annotation: Any) -> tuple[str, str]:
    """The type of an input and where an Output may stand in it, as fields name them."""
    if get_origin(annotation) is NotRequired:
        (annotation,) = get_args(annotation)
    plain, whole = unwrapped(annotation)
    origin = get_origin(plain)
    if origin is None:
        return plain.__name__, "anywhere" if whole else "nowhere"
    *keys, item = get_args(plain)
    assert keys == ([str] if origin is dict else [])
    plain_item, items = unwrapped(item)
    assert plain_item is str
    assert items or not whole, "what may be an Output as a whole may have Outputs inside"
    return origin.__name__, "anywhere" if whole else "items" if items else "nowhere"


def unwrapped(annotation: Any) -> tuple[Any, bool]:
    """A type without pulumi.Input, and whether it was there."""
    if get_origin(annotation) is not Union:
        return annotation, False
    plain, awaitable, output = get_args(annotation)
    # Pulumi writes the last one as the text "Output[T]", which nobody resolves.
    assert awaitable == Awaitable[plain]
    assert "Output[" in str(output)
    return plain, True


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


@pytest.mark.parametrize(("arguments", "fields"), FIELDS, ids=called)
def test_the_fields_are_the_arguments(arguments, fields):
    """Fields and argument type have the same names, as a set: the order of fields is that of violations only."""
    assert set(fields) == set(arguments.__annotations__)


@pytest.mark.parametrize(("arguments", "fields"), FIELDS, ids=called)
def test_required_fields_are_required_arguments(arguments, fields):
    """What the argument type demands is what the check demands, and it stands first in both."""
    required = {name for name, field in fields.items() if field.required}
    assert required == arguments.__required_keys__
    assert required >= {"organization", "project"}
    for names in (arguments.__annotations__, fields):
        assert set(list(names)[: len(required)]) == required


@pytest.mark.parametrize(("arguments", "name", "field"), EACH_FIELD, ids=called)
def test_type_and_outputs_are_what_the_annotation_says(arguments, name, field):
    """A field takes the type that its annotation shows, and Outputs exactly where that shows pulumi.Input."""
    assert shape(arguments.__annotations__[name]) == (field.type, field.outputs)


@pytest.mark.parametrize(("arguments", "name", "field", "default"), EACH_DEFAULT, ids=called)
def test_a_default_is_documented_and_has_its_inputs_type(arguments, name, field, default):
    """The docstring of an optional input has the value that is used when the input is not given."""
    assert not field.required
    assert type(default).__name__ == field.type
    written = str(default).lower() if isinstance(default, bool) else default
    text = docstrings(arguments)[name].replace("`", "")
    assert f"Default: {written}." in text or f"Default: {written};" in text


@pytest.mark.parametrize(
    "owner", [PulumiEscOidcArgs, PulumiEscOidc, PulumiDeploymentsOidcArgs, PulumiDeploymentsOidc], ids=called
)
def test_every_input_and_output_is_documented(owner):
    """Each has a docstring of its own: whole sentences, and no two alike."""
    found = docstrings(owner)
    assert list(found) == list(owner.__annotations__)
    assert [name for name, text in found.items() if not text.endswith(".") or text != text.strip()] == []
    assert len(set(found.values())) == len(found)


@pytest.mark.parametrize(
    ("arguments", "name", "field"), [each for each in EACH_FIELD if not each[2].required], ids=called
)
def test_optional_inputs_say_what_leaving_them_out_means(arguments, name, field):  # noqa: ARG001 - a row of the table
    """The docstring of an optional input has its default, or which attribute it asks for, or when it is required."""
    assert any(says in docstrings(arguments)[name] for says in ("Default: ", "Asks for `", "Required unless `"))


class Shapes(TypedDict):
    """Annotations whose shape is known."""

    text: pulumi.Input[str]
    flag: NotRequired[bool]
    items: NotRequired[list[pulumi.Input[str]]]
    whole: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    plain: list[str]
    table: dict[str, pulumi.Input[str]]


def test_shapes_are_read_from_annotations():
    """The reading of annotations above tells these apart."""
    assert [shape(each) for each in Shapes.__annotations__.values()] == [
        ("str", "anywhere"),
        ("bool", "nowhere"),
        ("list", "items"),
        ("list", "anywhere"),
        ("list", "nowhere"),
        ("dict", "items"),
    ]


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
arn: pulumi.Output[str] = PulumiEscOidc("five", organization="contoso", project="aws", environment="dev").role_arn
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
"""


def test_the_type_checker_holds_both_forms_of_the_constructor(tmp_path, request):
    """`mypy --strict` takes good programs as they are, and refuses a misspelled, mistyped or missing input."""
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
