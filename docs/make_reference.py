"""Writes docs/reference.md from the schema of the components, tests/schema.json: `python docs/make_reference.py`."""  # noqa: INP001 - a program, no package

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
SCHEMA: Final = ROOT / "tests" / "schema.json"
PAGE: Final = ROOT / "docs" / "reference.md"

INTRODUCTION: Final = """\
# Reference

Every input and output of the components, from the schema that Pulumi infers from them. Python has the names with
underscores, every other language those in camel case, which the descriptions use. An input that may be an output takes
what another resource answers; one that may not has to be known when the program runs. Written by `make docs`; a test
compares the two.
"""

FIRST: Final = "esc-oidc:index:PulumiEscOidc"

TYPES: Final = {
    "string": "string",
    "boolean": "boolean",
    "array": "list of strings",
    "object": "map of strings",
}

# As the descriptions write it, up to the end of the sentence; addresses have full stops inside.
_DEFAULT: Final = re.compile(r"\bDefault: (.+?)\.(?=\s|$)")


def page(schema: Mapping[str, Any]) -> str:
    """The whole page."""
    resources = schema["resources"]
    # The one that most readers look for, then the others.
    tokens = sorted(resources, key=lambda token: (token != FIRST, token))
    return "".join([INTRODUCTION, *(section(token, resources[token]) for token in tokens)])


def section(token: str, component: Mapping[str, Any]) -> str:
    """One component: what it is, its inputs and its outputs."""
    name = token.rpartition(":")[2]
    required = component.get("requiredInputs", [])
    inputs = component["inputProperties"]
    # Required ones first, as they stand; Pulumi keeps the order of the program.
    ordered = sorted(inputs, key=lambda each: each not in required)
    return "\n".join(
        [
            f"\n## {name}\n",
            f"{component['description']}\n",
            f"`from esc_oidc import {name}` in Python, `{token}` in YAML.\n",
            f"### Inputs of {name}\n",
            *table(
                ("Python", "other languages", "type", "may be an output", "default", "meaning"),
                (input_row(each, inputs[each], is_required=each in required) for each in ordered),
            ),
            f"\n### Outputs of {name}\n",
            *table(
                ("Python", "other languages", "type", "meaning"),
                (output_row(each, body) for each, body in component["properties"].items()),
            ),
            "",
        ]
    )


def input_row(name: str, body: Mapping[str, Any], *, is_required: bool) -> tuple[str, ...]:
    """An input: its names, type, default if its description says one, and description."""
    text = one_line(body["description"])
    found = _DEFAULT.search(text)
    default, _, more = found[1].partition(";") if found else ("", "", "")
    # "none; AWS checks ..." and "false; then ..." say more than the default.
    if found and not more:
        text = one_line(text.replace(found[0], ""))
    return (*names(name), type_of(body), takes_outputs(body), "**required**" if is_required else default, text)


def output_row(name: str, body: Mapping[str, Any]) -> tuple[str, ...]:
    """An output: its names, type and description."""
    return (*names(name), type_of(body), one_line(body["description"]))


def names(name: str) -> tuple[str, str]:
    """The name in Python, and in the other languages."""
    return f"`{python_name(name)}`", f"`{name}`"


def python_name(name: str) -> str:
    """The name with underscores that Pulumi makes this one in camel case of."""
    return re.sub(r"(?=[A-Z])", "_", name).lower()


def type_of(body: Mapping[str, Any]) -> str:
    """The type in words."""
    if "$ref" in body.get("additionalProperties", {}):
        return "map of anything"
    return TYPES[body["type"]]


def takes_outputs(body: Mapping[str, Any]) -> str:
    """Whether the input, or what it holds, may come from another resource."""
    if not body.get("plain"):
        return "yes"
    inner = body.get("items") or body.get("additionalProperties")
    return "its values" if inner and not inner.get("plain") else "no"


def table(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    """A table, line after line."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def one_line(text: str) -> str:
    """A description without its line breaks."""
    return " ".join(text.split())


if __name__ == "__main__":
    PAGE.write_text(page(json.loads(SCHEMA.read_text("utf-8"))), "utf-8")
