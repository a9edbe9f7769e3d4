"""docs/reference.md: the inputs and outputs of the components, as their schema has them."""

import json
import re

import pytest
from docs.make_reference import PAGE, SCHEMA, input_row, output_row, page

import esc_oidc

RENEW = "docs/reference.md is not what the schema says; renew it: make docs, or python docs/make_reference.py"
COMPONENTS = {
    token.rpartition(":")[2]: body for token, body in json.loads(SCHEMA.read_text("utf-8"))["resources"].items()
}


def rows(component, kind):
    """The rows of the page's table of a component's inputs or outputs, by Python name."""
    text = PAGE.read_text("utf-8")
    section = re.search(rf"^### {kind} of {component}\n(.+?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)[1]
    cells = [line.strip("| ").split(" | ") for line in section.strip().splitlines()[2:]]
    return {each[0].strip("`"): each for each in cells}


def test_the_page_is_the_schema():
    """A changed input, output or description is in the reference as well."""
    assert PAGE.read_text("utf-8") == page(json.loads(SCHEMA.read_text("utf-8"))), RENEW


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_name_is_the_one_that_python_has(component):
    """The names that the page makes of those in camel case are those of the program."""
    made = getattr(esc_oidc, component)
    arguments = getattr(esc_oidc, f"{component}Args")
    assert set(rows(component, "Inputs")) == set(arguments.__annotations__)
    assert list(rows(component, "Outputs")) == list(made.__annotations__)


@pytest.mark.parametrize("component", COMPONENTS)
def test_required_inputs_come_first_and_say_so(component):
    """Whoever begins sees what there must be."""
    required = set(getattr(esc_oidc, f"{component}Args").__required_keys__)
    inputs = rows(component, "Inputs")
    assert set(list(inputs)[: len(required)]) == required
    assert {name for name, row in inputs.items() if "**required**" in row} == required


def test_a_default_is_taken_from_the_description():
    """It stands in a column of its own; what the sentence says beyond it stays in the description."""

    def cells(description):
        return input_row("name", {"type": "string", "description": description}, is_required=False)[4:]

    assert cells("The name. Default: none; AWS\nchooses.") == ("none", "The name. Default: none; AWS chooses.")
    address = "Pulumi Cloud, `https://api.pulumi.com/oidc`"
    assert cells(f"The issuer. Default: {address}. More.") == (address, "The issuer. More.")
    assert cells("The name.") == ("", "The name.")


def test_types_say_what_may_be_an_output():
    """The whole value, what it holds, or nothing of it."""

    def cells(**body):
        return input_row("policyArns", {"description": "It.", **body}, is_required=False)[:4]

    strings = {"type": "array", "items": {"type": "string"}}
    assert cells(**strings) == ("`policy_arns`", "`policyArns`", "list of strings", "yes")
    assert cells(**strings, plain=True)[3] == "its values"
    assert cells(type="array", items={"type": "string", "plain": True}, plain=True)[3] == "no"
    assert cells(type="boolean", plain=True)[2:] == ("boolean", "no")
    anything = {"type": "object", "additionalProperties": {"$ref": "pulumi.json#/Any"}, "description": "It."}
    assert output_row("operationContext", anything)[2] == "map of anything"
