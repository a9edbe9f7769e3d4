"""The plugin as a process: what it says, that it stops, and that calls leave nothing behind."""

import importlib.metadata
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import yaml
from google.protobuf import empty_pb2
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.runtime import rpc
from pulumi.runtime.proto import (
    provider_pb2,
)

from tests.support.plugin import COMPONENTS, ESC, MINIMAL, SUBJECT, hosted, output, running


def values_of(schema: Any, key: str) -> Iterator[Any]:
    """All values under this key, at any depth."""
    if isinstance(schema, dict):
        yield from (value for name, value in schema.items() if name == key)
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from values_of(inner, key)


def test_the_schema_over_grpc_is_the_one_in_process(plugin):
    """`pulumi package add` reads what schema.json holds, with both components."""
    schema = plugin.stub.GetSchema(provider_pb2.GetSchemaRequest()).schema
    assert schema == ComponentProvider(**hosted()).schema
    assert set(json.loads(schema)["resources"]) == {f"esc-oidc:index:{component}" for component, _ in MINIMAL}


def test_the_schema_has_no_numbers(plugin):
    """The host turns numbers into floats and fails on those that are Outputs, so durations are strings."""
    schema = json.loads(plugin.stub.GetSchema(provider_pb2.GetSchemaRequest()).schema)
    types = [value for value in values_of(schema["resources"], "type") if isinstance(value, str)]
    assert set(types) == {"string", "boolean", "array", "object"}


def test_a_refusal_leaves_nothing_behind(plugin):
    """One process constructs all components of a program, and the next call knows nothing of the last."""
    plugin.construct("PulumiEscOidc", {**ESC, "organization": output("a b")})
    made = plugin.construct("PulumiEscOidc", ESC)
    assert made.status is None
    assert made.log == []


def test_parallel_constructs_stay_apart(plugin):
    """Each one registers with its own monitor, in its own kind of run."""
    names = [f"env{number}" for number in range(8)]
    with ThreadPoolExecutor(len(names)) as pool:
        tasks = [
            pool.submit(plugin.construct, "PulumiEscOidc", {**ESC, "environment": name}, preview=number % 2 == 0)
            for number, name in enumerate(names)
        ]
        made = [task.result() for task in tasks]
    for number, (name, one) in enumerate(zip(names, made, strict=True)):
        assert one.state["subjects"] == [f"{SUBJECT.removesuffix('dev')}{name}"]
        assert [len(one.resources), one.one("Environment").inputs["name"]] == [4, name]
        assert (one.state["roleArn"] == rpc.UNKNOWN) is (number % 2 == 0)


def test_the_plugin_prints_one_line_and_stops_when_told():
    """The host reads the port from that line; afterwards no process and no thread is left."""
    before = set(threading.enumerate())
    with running() as started:
        assert started.stub.GetPluginInfo(empty_pb2.Empty()).version == importlib.metadata.version("esc-oidc")
        assert started.process.poll() is None
    assert started.process.returncode is not None
    assert set(threading.enumerate()) <= before
    assert started.rest == b""


def test_the_yaml_example_finds_the_plugin_and_what_it_needs():
    """The example's package is the plugin's folder, whose requirements install this repository."""
    example = COMPONENTS.parent / "examples" / "yaml"
    package = yaml.safe_load((example / "Pulumi.yaml").read_text("utf-8"))["packages"]["esc-oidc"]
    assert (example / package).resolve() == COMPONENTS
    requirement = (COMPONENTS / "requirements.txt").read_text("utf-8").removeprefix("-e ").strip()
    assert (COMPONENTS / requirement / "pyproject.toml").exists()
