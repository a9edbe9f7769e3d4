"""A stack's configuration as the inputs of a component: each input is a key, in camel case.

Nothing else reads configuration. What a secret holds goes into an Output, and into no message.
"""

import json
import re
import shlex
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar, cast

import pulumi
from pulumi.runtime.config import CONFIG, is_config_secret

from .errors import InvalidInputs
from .inputs import SECRET, Argument, Kind, Secrets, Violation, arguments_of, listed, nearest
from .spelling import camel_case, spell_in_camel_case

T = TypeVar("T")

_BOOLEANS: Final = {"true": True, "True": True, "false": False, "False": False}
"""As Pulumi's own Config reads them."""

_TYPES: Final[Mapping[Kind, tuple[type, str]]] = {
    "str": (str, "text"),
    "bool": (bool, "true or false"),
    "list": (list, "a list of texts"),
    "dict": (dict, "a map of texts"),
}

_TAKEN_FOR_ANOTHER_TYPE: Final = re.compile(r"[+-]?[0-9]+|true|false")
"""What `pulumi config set --path` takes for a number or a boolean."""


def configured(arguments: type[T], **otherwise: Any) -> T:
    """A component's inputs as this stack configures them. A key that is not set is not passed.

    From here on, messages name inputs as the stack's file does.

    Args:
        arguments: The component's argument type, PulumiEscOidcArgs for instance.
        otherwise: Inputs that hold where no key is set.

    Raises:
        InvalidInputs: For keys that no input has, values of another type than the input's, and secrets in places where
            the program has to know the value.
    """
    spell_in_camel_case()
    config = pulumi.Config()
    prefix = config.full_key("")
    shapes = {camel_case(name): (name, shape) for name, shape in arguments_of(cast("Hashable", arguments)).items()}
    inputs, violations = dict(otherwise), []
    for key in (full.removeprefix(prefix) for full in CONFIG.get() if full.startswith(prefix)):
        text, secret = config.require(key), is_config_secret(prefix + key)
        if key not in shapes:
            violations.append(_unknown(key, shapes, text, secret=secret))
            continue
        name, shape = shapes[key]
        value = _read(shape.kind, text)
        if problems := list(_problems(key, shape, value, secret=secret)):
            violations += problems
        else:
            inputs[name] = pulumi.Output.secret(value) if secret else value
    if violations:
        placed = [replace(each, input=prefix + each.input) for each in violations]
        raise InvalidInputs("Stack configuration", placed, Secrets())
    return cast("T", inputs)


def _read(kind: Kind, text: str) -> Any:
    """The value that a text stands for; the text itself if it stands for none of this type. Null has every type."""
    if kind == "bool":
        return _BOOLEANS.get(text, text)
    if kind == "str":
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if value is None or isinstance(value, _TYPES[kind][0]) else text


def _problems(key: str, shape: Argument, value: Any, *, secret: bool) -> Iterator[Violation]:
    """What is wrong before the component looks at it. It also judges null, which not every input refuses."""
    expected, written = _TYPES[shape.kind]
    if secret and not shape.may_be_output:
        rule = "this key can't be a secret: the program must know its value before it declares anything."
        yield Violation(key, SECRET, rule, _set_again(key, shape.kind, "--plaintext"))
    elif value is not None and not isinstance(value, expected):
        fix = _set_again(key, shape.kind, "--secret") if secret else _set_as(key, shape.kind, value)
        yield Violation(key, SECRET if secret else value, f"this key holds {written}.", fix)
    elif isinstance(value, list | dict):
        rule = "this is text, but the stack's file has a number or a boolean."
        for place, item in enumerate(value) if isinstance(value, list) else value.items():
            if isinstance(item, int | float):
                path = f"{key}[{json.dumps(place)}]"
                # Of a secret, the file has a ciphertext.
                set_again = f"Run `pulumi config set --secret --path --type string {shlex.quote(path)}`."
                shown, fix = (SECRET, set_again) if secret else (item, "Put it in quotes there.")
                yield Violation(path, shown, rule, fix)


def _unknown(key: str, known: Mapping[str, tuple[str, Argument]], text: str, *, secret: bool) -> Violation:
    shown, rule, remove = SECRET if secret else text, "there is no such key.", f"`pulumi config rm {shlex.quote(key)}`"
    first, *place = re.split(r"[.\[]", key, maxsplit=1)
    if place and first in known:
        # Without --path, brackets and dots are part of the key's name.
        command = f"`pulumi config set --secret --path {shlex.quote(key)}`" if secret else _set_item(key, text)
        return Violation(key, shown, rule, f"Run {remove}, then {command}.")
    if guess := camel_case(key) if camel_case(key) in known else nearest(key, known):
        return Violation(key, shown, rule, f"Did you mean `{guess}`?")
    return Violation(key, shown, rule, f"Run {remove}. The keys are {listed(known)}.")


def _set_as(key: str, kind: Kind, text: str) -> str:
    """How to set a text, which is no secret, as the type that its key holds."""
    items = [item for item in re.split(r"[,\s]+", text) if item]
    if kind != "list" or not items or text.startswith(("[", "{")):
        return _set_again(key, kind)
    return f"Run {', then '.join(_set_item(f'{key}[{index}]', item) for index, item in enumerate(items))}."


def _set_item(path: str, value: str) -> str:
    options = "--path --type string" if _TAKEN_FOR_ANOTHER_TYPE.fullmatch(value) else "--path"
    return f"`pulumi config set {options} {shlex.quote(path)} {shlex.quote(value)}`"


def _set_again(key: str, kind: Kind, *options: str) -> str:
    """How to set it, for a value that no message has. The CLI prompts for a secret."""
    command = " ".join(["`pulumi config set", *options])
    if kind == "bool":
        return f"Run {command} {key} false` or {command} {key} true`."
    value = "" if "--secret" in options else " VALUE"
    if kind == "str":
        return f"Run {command} {key}{value}`."
    place = f"'{key}[0]'" if kind == "list" else f"{key}.NAME"
    return f"Run `pulumi config rm {key}`, then {command} --path {place}{value}`."
