"""Keys of Pulumi configuration and paths into it, as `pulumi config set --path` has them: `app:list[0]`, `app:map.key`.

Source: https://www.pulumi.com/docs/iac/concepts/config/#structured-configuration
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from ..claims import NAME
from .violations import Problem, shown

Step = str | int
"""A key of a map, or an index of a list."""

_WORD: Final = "[A-Za-z0-9_-]+"
_QUOTED: Final = r'\["(?:[^"\\]|\\")+"\]'
_PATH: Final = re.compile(rf"({NAME}:)?((?:{_WORD}|{_QUOTED})(?:\.{_WORD}|{_QUOTED}|\[[0-9]+\])*)")
_STEP: Final = re.compile(rf"(?P<quoted>{_QUOTED})|(?P<index>\[[0-9]+\])|{_WORD}")


def config_key(value: str) -> Problem | None:
    """A key of Pulumi configuration, or a path into its value."""
    path = read_path(value)
    if not path:
        return Problem(
            "a configuration key is NAME or NAMESPACE:NAME, of letters, digits, `_` and `-`; a path into its value "
            'goes on with `.KEY`, `["KEY"]` or `[0]`.',
            "Write it like one of these.",
        )
    for step in path[1:]:
        # Pulumi takes a map with the one key `secure` for a ciphertext; ESC takes fn:: for a function.
        if isinstance(step, str) and (step == "secure" or step.casefold().startswith("fn::")):
            return Problem(f"the key {shown(step)} means something else to Pulumi.", "Choose another one.")
    return None


def read_path(key: str) -> tuple[Step, ...]:
    """The key of the configuration, and the steps into its value; empty if this is no such path."""
    parts = _PATH.fullmatch(key)
    if not parts:
        return ()
    first, *further = map(_step, _STEP.finditer(parts[2]))
    return f"{parts[1] or ''}{first}", *further


def _step(step: re.Match[str]) -> Step:
    if step["index"]:
        # No list is as long as any number of more digits.
        return int(step[0][1:-1][:10])
    return step[0][2:-2].replace('\\"', '"') if step["quoted"] else step[0]


def structured(config: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Problem]]:
    """The configuration with maps and lists in the place of paths into them, and what is wrong with which path."""
    tree: dict[Step, Any] = {}
    problems: dict[str, Problem] = {}
    paths = {key: read_path(key) for key in sorted(config)}
    for key, (*within, last) in paths.items():
        node: Any = tree
        for step in within:
            node = node.setdefault(step, {}) if isinstance(node, dict) else None
        if not isinstance(node, dict) or last in node:
            problems[key] = Problem("another key gives this value or one that it is in.", "Leave one of them out.")
        else:
            node[last] = config[key]
    for key in paths.keys() - problems.keys():
        node = tree
        for step in paths[key]:
            if isinstance(step, int) and any(isinstance(other, str) for other in node):
                problems[key] = Problem("other keys make this a map and not a list.", "Use names or indices, not both.")
            elif isinstance(step, int) and step and step - 1 not in node:
                problems[key] = Problem(f"the list has no item {step - 1}.", "Number the items of a list from 0.")
            node = node[step]
    return {str(key): _value(node) for key, node in tree.items()}, problems


def _value(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if all(isinstance(step, int) for step in node):
        return [_value(node[step]) for step in sorted(node)]
    return {str(step): _value(item) for step, item in node.items()}
