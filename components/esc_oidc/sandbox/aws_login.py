"""The ESC provider `aws-login`: what it takes, what it gives.

The schema of the inputs is that in schema/testdata/esc.json of github.com/pulumi/esc v0.26.0, with
subjectAttributes as documented at https://www.pulumi.com/docs/esc/providers/login/aws-login/. Like there,
unknown inputs are let through, and so is any session name of the right length: AWS refuses the wrong ones.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .document import Number
from .values import Value

PROVIDER: Final = "aws-login"

OUTPUTS: Final = ("accessKeyId", "secretAccessKey", "sessionToken")
"""What a login gives, all of it secret."""


@dataclass(frozen=True)
class Login:
    """A request for credentials.

    Attributes:
        inputs: The `oidc` block, evaluated.
        current_environment: Who asks: the environment that holds the block, as its import spells it.
        root_environment: For whom: the environment that was opened; when that is an anonymous definition, the
            one of its own imports through which the block was first reached.
    """

    inputs: Mapping[str, Any]
    current_environment: str
    root_environment: str


class LoginFailed(Exception):  # noqa: N818 - a message to the user, not a mistake in the program
    """Credentials were refused. The message becomes a diagnostic at the login block."""


@dataclass(frozen=True)
class _Text:
    shortest: int = 0
    longest: int | None = None
    pattern: str | None = None


@dataclass(frozen=True)
class _List:
    items: _Text


@dataclass(frozen=True)
class _Map:
    properties: Mapping[str, "_Schema"]
    required: tuple[str, ...] = field(default=())


_Schema = _Text | _List | _Map

_ARN: Final = _Text(shortest=20, longest=2048)

_INPUTS: Final = _Map(
    {
        "oidc": _Map(
            {
                "duration": _Text(pattern="^([0-9]+h)?([0-9]+m)?([0-9]+s)?$"),
                "policyArns": _List(_ARN),
                "roleArn": _ARN,
                "sessionName": _Text(shortest=2, longest=64),
                "subjectAttributes": _List(_Text()),
            },
            required=("sessionName", "roleArn"),
        ),
        "static": _Map(
            {"accessKeyId": _Text(), "secretAccessKey": _Text(), "sessionToken": _Text()},
            required=("accessKeyId", "secretAccessKey"),
        ),
    }
)


def violations(inputs: Value) -> Iterator[tuple[Value, str]]:
    """What is wrong with the inputs of a login block, each with the value to blame, in Pulumi's words."""
    yield from _violations(inputs, _INPUTS)


def _violations(value: Value, schema: _Schema) -> Iterator[tuple[Value, str]]:
    expected, actual = _type_of_schema(schema), _type_of(value)
    if actual not in {expected, "any"}:
        yield value, f"expected {expected}, got {actual}"
    elif isinstance(schema, _Map):
        yield from _map_violations(value, schema)
    elif isinstance(schema, _List):
        for item in value.nested():
            yield from _violations(item, schema.items)
    elif not value.unknown:
        for summary in _text_violations(str(value.content), schema):
            yield value, summary


def _map_violations(value: Value, schema: _Map) -> Iterator[tuple[Value, str]]:
    present = value.keys()
    for key, inner in zip(present, value.nested(), strict=True):
        if key in schema.properties:
            yield from _violations(inner, schema.properties[key])
    missing = [key for key in schema.required if key not in present]
    if missing and not value.unknown:
        yield value, f"missing required properties: {', '.join(missing)}"
    elif value.unknown and value.kind == "object":
        # Of unknown maps only another login is known in part: what it will have.
        for key in (key for key in missing if key not in value.texts):
            yield value, f"{key}: missing required property"


def _text_violations(text: str, schema: _Text) -> Iterator[str]:
    length = len(text.encode())
    if length < schema.shortest:
        yield f"expected a string of at least length {schema.shortest}"
    if schema.longest is not None and length > schema.longest:
        yield f"expected a string of at most length {schema.longest}"
    # \Z is what Go means by $: Python's $ would take a line break too.
    if schema.pattern and not re.search(schema.pattern.replace("$", r"\Z"), text):
        yield f'string must match the pattern "{schema.pattern}"'


def _type_of_schema(schema: _Schema) -> str:
    if isinstance(schema, _Map):
        return "object"
    return "array" if isinstance(schema, _List) else "string"


def _type_of(value: Value) -> str:
    if value.unknown:
        return value.kind
    content = value.content
    if isinstance(content, dict | list):
        return "object" if isinstance(content, dict) else "array"
    if isinstance(content, bool):
        return "boolean"
    if isinstance(content, Number):
        return "number"
    return "null" if content is None else "string"
