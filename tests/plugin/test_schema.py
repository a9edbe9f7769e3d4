"""The schema that Pulumi infers from the components: what every other Pulumi language sees of them."""

import importlib.metadata
import inspect
import json
import os
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.provider.experimental.component import ComponentProvider

from tests.support.inputs import camel_case
from tests.support.plugin import hosted

ROOT = Path(__file__).parents[1]
SNAPSHOT = Path(__file__).with_name("schema.json")
RENEW = "the schema is not the committed one; if that is meant, renew it: make docs"

FLAT = [
    {"type": "string"},
    {"type": "boolean"},
    {"type": "array", "items": {"type": "string"}},
    {"type": "object", "additionalProperties": {"type": "string"}},
]
OPERATION_CONTEXT = {"type": "object", "additionalProperties": {"$ref": "pulumi.json#/Any"}}
"""The one exception, an output: what pulumiservice.DeploymentSettings takes is nested."""


def schema() -> dict[str, Any]:
    """The schema of the plugin, without what depends on the installed versions of Pulumi and Python."""
    inferred = json.loads(ComponentProvider(**hosted()).schema)
    for part in ("namespace", "version", "language", "dependencies", "displayName"):
        inferred.pop(part, None)
    return normalised(inferred)


def normalised(value: Any) -> Any:
    """Docstrings without indentation, as Python 3.13 has them; items without a second copy."""
    if not isinstance(value, dict):
        return value
    tidy = {key: normalised(inner) for key, inner in value.items()}
    for inner in ("items", "additionalProperties"):
        if isinstance(tidy.get(inner), dict):
            tidy[inner].pop("description", None)
    if isinstance(tidy.get("description"), str):
        tidy["description"] = inspect.cleandoc(tidy["description"])
    return tidy


SCHEMA = schema()
PROPERTIES = [
    (token.rpartition(":")[2], kind, name, body)
    for token, resource in SCHEMA["resources"].items()
    for kind in ("inputProperties", "properties")
    for name, body in resource[kind].items()
]
IDS = [f"{component}-{kind}-{name}" for component, kind, name, _ in PROPERTIES]


def test_the_schema_is_the_committed_one():
    """A change to what other languages see shows in review."""
    if os.environ.get("RECORD"):
        SNAPSHOT.write_text(json.dumps(SCHEMA, indent=1) + "\n", encoding="utf-8")
    assert json.loads(SNAPSHOT.read_text(encoding="utf-8")) == SCHEMA, RENEW


def test_the_plugin_hosts_every_component_under_the_packages_name():
    """The schema has every component that `esc_oidc` exports, by its type token."""
    exported = importlib.import_module("esc_oidc")
    classes = [getattr(exported, name) for name in exported.__all__]
    components = {each.__name__ for each in classes if issubclass(each, pulumi.ComponentResource)}
    assert SCHEMA["name"] == "esc-oidc"
    assert set(SCHEMA["resources"]) == {f"esc-oidc:index:{name}" for name in components}
    assert all(resource["isComponent"] for resource in SCHEMA["resources"].values())
    assert SCHEMA["types"] == {}


def test_packages_for_other_languages_have_one_name_and_our_version():
    """Without a namespace, Pulumi names what it generates from a git repository after the owner, and breaks imports.

    Without a version it takes 0.0.0, which for git means whatever is newest.
    """
    inferred = json.loads(ComponentProvider(**hosted()).schema)
    assert (inferred["namespace"], inferred["name"]) == ("pulumi", "esc-oidc")
    assert inferred["version"] == importlib.metadata.version("esc-oidc")


def test_a_components_inputs_and_outputs_are_its_annotations():
    """None is lost on the way, and the required ones are required."""
    for component in hosted()["components"]:
        resource = SCHEMA["resources"][f"esc-oidc:index:{component.__name__}"]
        arguments = inspect.signature(component.__init__).parameters["args"].annotation
        assert list(resource["properties"]) == [camel_case(name) for name in component.__annotations__]
        assert list(resource["inputProperties"]) == [camel_case(name) for name in arguments.__annotations__]
        assert set(resource["requiredInputs"]) == {camel_case(name) for name in arguments.__required_keys__}
        assert set(resource["required"]) == set(resource["properties"])


@pytest.mark.parametrize("resource", SCHEMA["resources"].values(), ids=SCHEMA["resources"])
def test_every_component_is_described(resource):
    """The class's docstring is the component's description."""
    assert len(resource["description"].split()) > 5


@pytest.mark.parametrize(("component", "kind", "name", "body"), PROPERTIES, ids=IDS)
def test_every_input_and_output_is_described(component, kind, name, body):
    """Other languages show each docstring; one that isn't found is empty."""
    assert body.get("description", "").endswith("."), (component, kind, name)


@pytest.mark.parametrize(("component", "kind", "name", "body"), PROPERTIES, ids=IDS)
def test_types_are_flat(component, kind, name, body):
    """Strings, booleans, lists and maps of strings cross into every language as they are."""
    exception = [OPERATION_CONTEXT] if (kind, name) == ("properties", "operationContext") else []
    assert without_plain(body) in FLAT + exception, (component, kind, name)


def without_plain(body: Any) -> Any:
    """A property's type alone."""
    if not isinstance(body, dict):
        return body
    return {key: without_plain(inner) for key, inner in body.items() if key not in ("description", "plain")}
