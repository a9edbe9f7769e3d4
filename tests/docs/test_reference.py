"""docs/reference.md lists the inputs and outputs of the components, as the schema describes them."""

import json
import re

import pytest
from docs.make_reference import PAGE, SCHEMA, input_row, output_row, page

import esc_oidc
from tests.support.deploying import deploy

RENEW = "docs/reference.md differs from the schema; renew it with: make docs, or python docs/make_reference.py"
REQUIRED = {
    "PulumiEscOidc": {"organization": "contoso", "project": "aws", "environment": "dev"},
    "PulumiDeploymentsOidc": {"organization": "contoso", "project": "shop", "stacks": ["dev"]},
}
COMPONENTS = {
    token.rpartition(":")[2]: body for token, body in json.loads(SCHEMA.read_text("utf-8"))["resources"].items()
}


def rows(component, kind):
    """The rows of the page's table of a component's inputs or outputs, by their Python names."""
    text = PAGE.read_text("utf-8")
    section = re.search(rf"^### {kind} of {component}\n(.+?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)[1]
    cells = [line.strip("| ").split(" | ") for line in section.strip().splitlines()[2:]]
    return {re.search(r"`(\w+)`", each[0])[1]: each for each in cells}


def refuses_none(component, name):
    """Whether a component refuses None for this input."""
    made = getattr(esc_oidc, component)
    error = deploy(lambda: made("login", {**REQUIRED[component], name: None})).error
    return isinstance(error, esc_oidc.InvalidInputs) and name in {each.input for each in error.violations}


def test_the_page_is_made_from_the_schema():
    """When an input, an output or a description changes, so does the reference."""
    assert PAGE.read_text("utf-8") == page(json.loads(SCHEMA.read_text("utf-8"))), RENEW


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_name_is_the_one_in_python(component):
    """A program can use the names in the Python column as they are."""
    made = getattr(esc_oidc, component)
    arguments = getattr(esc_oidc, f"{component}Args")
    assert set(rows(component, "Inputs")) == set(arguments.__annotations__)
    assert list(rows(component, "Outputs")) == list(made.__annotations__)


@pytest.mark.parametrize("component", COMPONENTS)
def test_required_inputs_come_first_and_say_so(component):
    """A newcomer sees at once which inputs are needed."""
    required = set(getattr(esc_oidc, f"{component}Args").__required_keys__)
    inputs = rows(component, "Inputs")
    assert set(list(inputs)[: len(required)]) == required
    assert {name for name, row in inputs.items() if "**required**" in row} == required


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_mark_shows_which_inputs_refuse_none(component):
    """The optional inputs marked as narrowing access are exactly those that refuse None."""
    inputs = {name: row for name, row in rows(component, "Inputs").items() if "**required**" not in row}
    assert {name for name, row in inputs.items() if "▽" in row[0]} == {
        name for name in inputs if refuses_none(component, name)
    }


def test_a_default_is_taken_from_the_description():
    """The default has its own column; the rest of the sentence stays in the description."""

    def cells(description):
        return input_row("name", {"type": "string", "description": description}, is_required=False)[4:]

    assert cells("The name. Default: none; AWS\nchooses.") == ("none", "The name. Default: none; AWS chooses.")
    address = "Pulumi Cloud, `https://api.pulumi.com/oidc`"
    assert cells(f"The issuer. Default: {address}. More.") == (address, "The issuer. More.")
    assert cells("The name.") == ("", "The name.")


def test_types_say_what_may_be_an_output():
    """An output may be the whole value, its items or values only, or neither."""

    def cells(**body):
        return input_row("policyArns", {"description": "It.", **body}, is_required=False)[:4]

    strings = {"type": "array", "items": {"type": "string"}}
    assert cells(**strings) == ("`policy_arns`", "`policyArns`", "list of strings", "yes")
    assert cells(**strings, plain=True)[3] == "its items"
    texts = {"type": "object", "additionalProperties": {"type": "string"}}
    assert cells(**texts, plain=True)[3] == "its values"
    assert cells(type="array", items={"type": "string", "plain": True}, plain=True)[3] == "no"
    assert cells(type="boolean", plain=True)[2:] == ("boolean", "no")
    anything = {"type": "object", "additionalProperties": {"$ref": "pulumi.json#/Any"}, "description": "It."}
    assert output_row("operationContext", anything)[2] == "map of anything"
