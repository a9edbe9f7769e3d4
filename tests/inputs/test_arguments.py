"""The argument type of each component: its annotations, its defaults and its docstrings."""

import ast
import inspect
import textwrap
from typing import Any, NotRequired, TypedDict

import pulumi
import pytest

from esc_oidc import PulumiDeploymentsOidc, PulumiDeploymentsOidcArgs, PulumiEscOidc, PulumiEscOidcArgs
from esc_oidc.claims import OPERATIONS
from esc_oidc.inputs import Argument, DeploymentPlan, EnvironmentPlan, arguments_of
from tests.support.inputs import ARGUMENTS, defaults

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
    """Every input is checked, and the required ones come first."""
    assert set(plan.formats()) == set(arguments.__annotations__)
    required = {name for name, read in ARGUMENTS[plan].items() if read.required}
    assert required == arguments.__required_keys__
    assert required >= {"organization", "project"}
    assert set(list(arguments.__annotations__)[: len(required)]) == required


@pytest.mark.parametrize(("arguments", "name", "default"), EACH_DEFAULT, ids=called)
def test_a_default_is_documented_and_has_its_inputs_type(arguments, name, default):
    """The docstring of an optional input names the value it has if it isn't given."""
    assert type(default).__name__ == arguments_of(arguments)[name].kind
    written = {"True": "true", "False": "false", str(list(OPERATIONS)): "all four"}.get(str(default), str(default))
    _, found, said = " ".join(docstrings(arguments)[name].replace("`", "").split()).partition("Default: ")
    assert found
    assert said.startswith((f"{written}.", f"{written};", f"Pulumi Cloud's, {written}.", f"Pulumi Cloud, {written}."))


@pytest.mark.parametrize(
    "owner", [PulumiEscOidcArgs, PulumiEscOidc, PulumiDeploymentsOidcArgs, PulumiDeploymentsOidc], ids=called
)
def test_every_input_and_output_is_documented(owner):
    """Each has its own docstring of whole sentences, and no two are the same."""
    found = docstrings(owner)
    assert list(found) == list(owner.__annotations__)
    assert [name for name, text in found.items() if not text.endswith(".") or text != text.strip()] == []
    assert len(set(found.values())) == len(found)


@pytest.mark.parametrize(("arguments", "name"), EACH_OPTIONAL, ids=called)
def test_optional_inputs_say_what_leaving_them_out_means(arguments, name):
    """The docstring names the default, the attribute that the input asks for, or when it is required."""
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
    """The argument type says what an input is, whether it is required, and where an Output is allowed."""
    assert arguments_of(Annotated) == {
        "text": Argument("str", required=True, may_be_output=True, items_may_be_outputs=False),
        "flag": Argument("bool", required=False, may_be_output=False, items_may_be_outputs=False),
        "items": Argument("list", required=False, may_be_output=False, items_may_be_outputs=True),
        "whole": Argument("list", required=False, may_be_output=True, items_may_be_outputs=True),
        "plain": Argument("list", required=True, may_be_output=False, items_may_be_outputs=False),
        "table": Argument("dict", required=True, may_be_output=False, items_may_be_outputs=True),
    }
