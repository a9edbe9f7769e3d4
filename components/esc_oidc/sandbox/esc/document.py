"""The YAML of an ESC definition, read as Pulumi reads it.

Pulumi's parser is gopkg.in/yaml.v3: YAML 1.2 with traces of 1.1. PyYAML composes the same nodes, but takes scalars for
YAML 1.1, where `yes` is a boolean; so the nodes are PyYAML's and the scalars are read here.
Sources: resolve.go of gopkg.in/yaml.v3 v3.0.1, syntax/encoding/yaml.go of github.com/pulumi/esc v0.26.0.
"""

import math
import re
from decimal import Decimal
from typing import Any, Final

import yaml

Scalar = bool | int | float | str | None

_PLAIN: Final = "?"
"""The tag of scalars that are neither quoted nor tagged, as the YAML specification names it."""

_KEYWORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}

# What strconv.ParseInt accepts with base 0, and the two more spellings that yaml.v3 tries after it.
_INTEGERS: Final = (
    (re.compile(r"([+-]?)0[xX]([0-9a-fA-F]+)"), 16),
    (re.compile(r"([+-]?)0[bB]([01]+)"), 2),
    (re.compile(r"([+-]?)0[oO]?([0-7]+)"), 8),
    (re.compile(r"([+-]?)(0|[1-9][0-9]{0,19})"), 10),
    (re.compile(r"0b([+-])([01]+)"), 2),
    (re.compile(r"0o([+-])([0-7]+)"), 8),
)
_INT64: Final = range(-(2**63), 2**63)
_UINT64: Final = range(2**64)
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BETWEEN_DIGITS: Final = re.compile(r"(?<=[0-9])_(?=[0-9])")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

_KINDS: Final = {"bool": bool, "float": float, "int": int, "null": type(None)}
_TAG_PREFIX: Final = "tag:yaml.org,2002:"

# The powers of ten that Go writes out.
_NO_EXPONENT: Final = range(-4, 6)


class _Loader(yaml.SafeLoader):
    """Composes nodes: plain scalars keep the tag `?`, and aliases are errors, as for Pulumi."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        if kind is yaml.ScalarNode and implicit[0]:
            return _PLAIN
        tag: str = super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call] # so it is in the stubs
        return tag

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call] # so it is in the stubs
            raise yaml.MarkedYAMLError(problem="aliases are not supported", problem_mark=mark)
        return super().compose_node(parent, index)


def compose(text: str) -> yaml.Node | None:
    """The first document of a text; None if there is none.

    Raises:
        yaml.YAMLError: The text is not YAML, or has aliases.
    """
    loader = _Loader(text)
    try:
        return loader.get_node() if loader.check_node() else None
    finally:
        loader.dispose()


def scalar(node: yaml.ScalarNode) -> Scalar:
    """What a scalar means, by its text, its tag and its quotes.

    Raises:
        ValueError: The tag says something else than the text, or JSON can't hold the number.
    """
    if node.tag == _PLAIN:
        return node.value if node.style else _resolve(node.value)
    kind = _KINDS.get(node.tag.removeprefix(_TAG_PREFIX))
    if kind is None:
        return str(node.value)
    value = _resolve(node.value)
    if kind is float and type(value) is int and value in _INT64:
        return float(value)
    if type(value) is not kind:
        raise ValueError(f"{node.value!r} does not fit its tag !!{node.tag.removeprefix(_TAG_PREFIX)}")
    return value


def _resolve(text: str) -> Scalar:
    """The value of a plain scalar. Timestamps stay texts, as in ESC."""
    if text in _KEYWORDS:
        return _KEYWORDS[text]
    if _NOT_FINITE.fullmatch(text):
        # Pulumi's evaluator goes on and then can't write it as JSON.
        raise ValueError(f"{text} is not a number that JSON can hold")
    if text.startswith("."):
        # These yaml.v3 hands to strconv.ParseFloat as they are, and that takes underscores between digits only.
        bare = _BETWEEN_DIGITS.sub("", text)
    else:
        # Anywhere but in front: `_1` is a text.
        bare = text if text.startswith("_") else text.replace("_", "")
    for pattern, base in _INTEGERS:
        if found := pattern.fullmatch(bare):
            number = int(found[1] + found[2], base)
            if number in _INT64 or (not found[1] and number in _UINT64):
                return number
    if _FLOAT.fullmatch(bare) and math.isfinite(real := float(bare)):
        return real
    return text


def scalar_text(value: Scalar) -> str:
    """The text that stands for a scalar inside another text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float_text(value)
    return "" if value is None else str(value)


def _float_text(number: float) -> str:
    """The number as Go's strconv.FormatFloat(number, 'g', -1, 64) writes it."""
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    first, rest = str(digits[0]), "".join(map(str, digits[1:]))
    power = len(rest) + int(exponent)
    if power in _NO_EXPONENT:
        shown = f"{Decimal((0, digits, int(exponent))):f}"
    else:
        shown = f"{first}.{rest}e{power:+03d}" if rest else f"{first}e{power:+03d}"
    return f"-{shown}" if sign else shown
