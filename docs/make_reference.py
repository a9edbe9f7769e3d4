"""Writes docs/reference.md from the schema, tests/plugin/schema.json: `python docs/make_reference.py`."""  # noqa: INP001 - a program, no package

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
SCHEMA: Final = ROOT / "tests" / "plugin" / "schema.json"
PAGE: Final = ROOT / "docs" / "reference.md"

INTRODUCTION: Final = """\
# Reference

Every input and output of the components. Python uses the names with underscores, and so do its error messages; every
other language uses those in camel case, and so do the descriptions. `make docs` writes this page from the schema that
Pulumi infers from the components, and a test compares the two.

How inputs are checked:

- All violations are reported at once, before anything is registered. Outputs are checked as soon as they are known,
  before anything is sent to a cloud.
- An input that may be an output accepts what another resource returns. Any other must be known when the program runs.
  Where only the items or values may be outputs, the list or map itself must be plain, in every language: not one output
  of a list.
- Inputs marked ▽ narrow who gets in or what they may do. In Python they refuse `None` and can't be empty, so
  `config.get_object("users")` never silently means everyone. For all other optional inputs, `None` means "not given".
  In other languages Pulumi drops a `null` before the component sees it, so there it always means "not given".
- If an input is a secret, everything that is checked together with it becomes a secret too: the definition, the
  subjects and the trust policy.
"""

NARROWING: Final = frozenset(
    {
        "allowedEnvironments",
        "allowedRootEnvironments",
        "allowedTeams",
        "allowedTokenTypes",
        "allowedUsers",
        "operations",
        "permissionsBoundaryArn",
        "sessionPolicyArns",
        "stacks",
        "subjectAttributes",
    }
)
"""The inputs marked ▽. The schema does not say which they are; a test asks the components."""

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
    """Render the whole page."""
    resources = schema["resources"]
    # The component that most readers look for comes first.
    tokens = sorted(resources, key=lambda token: (token != FIRST, token))
    return "".join([INTRODUCTION, *(section(token, resources[token]) for token in tokens)])


def section(token: str, component: Mapping[str, Any]) -> str:
    """Render one component: what it is, its inputs and its outputs."""
    name = token.rpartition(":")[2]
    required = component.get("requiredInputs", [])
    inputs = component["inputProperties"]
    # Required inputs come first; otherwise they keep the order of the program, as Pulumi does.
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
    """An input's names, type, default (if its description names one) and description."""
    text = one_line(body["description"])
    found = _DEFAULT.search(text)
    default, _, more = found[1].partition(";") if found else ("", "", "")
    # What follows a semicolon, as in "none; AWS checks ...", says more than the default: keep the sentence.
    if found and not more:
        text = one_line(text.replace(found[0], ""))
    python, others = names(name)
    mark = " ▽" if name in NARROWING else ""
    return (python + mark, others, type_of(body), takes_outputs(body), "**required**" if is_required else default, text)


def output_row(name: str, body: Mapping[str, Any]) -> tuple[str, ...]:
    """An output's names, type and description."""
    return (*names(name), type_of(body), one_line(body["description"]))


def names(name: str) -> tuple[str, str]:
    """The name in Python, and in the other languages."""
    return f"`{python_name(name)}`", f"`{name}`"


def python_name(name: str) -> str:
    """The name with underscores from which Pulumi makes this one in camel case."""
    return re.sub(r"(?=[A-Z])", "_", name).lower()


def type_of(body: Mapping[str, Any]) -> str:
    """The type in words."""
    if "$ref" in body.get("additionalProperties", {}):
        return "map of anything"
    return TYPES[body["type"]]


def takes_outputs(body: Mapping[str, Any]) -> str:
    """Whether the input, or what it contains, may come from another resource."""
    if not body.get("plain"):
        return "yes"
    for inside, what in (("items", "its items"), ("additionalProperties", "its values")):
        if inside in body and not body[inside].get("plain"):
            return what
    return "no"


def table(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    """A table, line by line."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def one_line(text: str) -> str:
    """A description without its line breaks."""
    return " ".join(text.split())


if __name__ == "__main__":
    PAGE.write_text(page(json.loads(SCHEMA.read_text("utf-8"))), "utf-8")
