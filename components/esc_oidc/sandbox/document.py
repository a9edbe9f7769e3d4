"""The YAML of an ESC definition, read as Pulumi reads it.

Pulumi's parser is gopkg.in/yaml.v3: YAML 1.2 with traces of 1.1. PyYAML splits a text into the same events,
but takes scalars for YAML 1.1, where `yes` is a boolean; so the events are PyYAML's and the scalars are read
here.
Sources: resolve.go of gopkg.in/yaml.v3 v3.0.1, syntax/encoding/yaml.go of github.com/pulumi/esc v0.26.0.
"""

import base64
import binascii
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal

import yaml

_TRUE: Final = ("true", "True", "TRUE")
_FALSE: Final = ("false", "False", "FALSE")
_NULL: Final = ("", "~", "null", "Null", "NULL")

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

# The powers of ten that Go writes out.
_NO_EXPONENT: Final = range(-4, 6)

_TAG_PREFIX: Final = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Number:
    """A number as Pulumi writes it: an integer, or Go's shortest text of a floating point number."""

    text: str

    def plain(self) -> int | float:
        """The number for JSON."""
        number: int | float = json.loads(self.text)
        return number


Scalar = None | bool | Number | str


@dataclass(frozen=True)
class Position:
    """A place in a text: line and column count from 1, bytes from 0."""

    line: int
    column: int
    byte: int


@dataclass(frozen=True)
class Place:
    """A part of the definition of an environment."""

    environment: str
    begin: Position
    end: Position


@dataclass(frozen=True)
class Diagnostic:
    """Something wrong with a definition, and where."""

    summary: str
    environment: str
    place: Place | None = None
    severity: Literal["error", "warning"] = "error"


@dataclass(frozen=True)
class ScalarNode:
    """A scalar in a definition."""

    value: Scalar
    place: Place


@dataclass(frozen=True)
class ListNode:
    """A list in a definition."""

    items: tuple["Node", ...]
    place: Place


@dataclass(frozen=True)
class Entry:
    """A key of a map and its value."""

    key: str
    key_place: Place
    value: "Node"


@dataclass(frozen=True)
class MapNode:
    """A map in a definition. Keys may repeat: whether they may is for the reader to say."""

    entries: tuple[Entry, ...]
    place: Place


Node = ScalarNode | ListNode | MapNode


def read(environment: str, text: str, diagnostics: list[Diagnostic]) -> Node | None:
    """The first document of the text; None if there is none, or a diagnostic says that it is not YAML."""
    try:
        return _Reader(environment, text, diagnostics).document()
    except yaml.YAMLError as error:
        summary = f"yaml: {' '.join(str(error).split())}"
        diagnostics.append(Diagnostic(summary, environment))
        return None


class _Reader:
    """Builds nodes from PyYAML's events."""

    def __init__(self, environment: str, text: str, diagnostics: list[Diagnostic]) -> None:
        self._environment = environment
        self._text = text
        self._diagnostics = diagnostics
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=yaml.SafeLoader)

    def document(self) -> Node | None:
        next(self._events)  # the start of the stream
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        root = self._node(next(self._events))
        next(self._events)  # the end of the document, or what should not stand there
        return root

    def _node(self, event: yaml.Event) -> Node:
        if isinstance(event, yaml.SequenceStartEvent):
            items, end = self._items(yaml.SequenceEndEvent)
            return ListNode(tuple(items), self._place(event, end))
        if isinstance(event, yaml.MappingStartEvent):
            items, end = self._items(yaml.MappingEndEvent)
            return MapNode(tuple(self._entries(items)), self._place(event, end))
        place = self._place(event, event)
        if isinstance(event, yaml.ScalarEvent):
            try:
                return ScalarNode(scalar(event.value, event.tag, plain=not event.style), place)
            except ValueError as error:
                self._diagnostics.append(Diagnostic(f"yaml: {error}", self._environment, place))
        else:
            self._diagnostics.append(Diagnostic("alias nodes are not supported", self._environment, place))
        return ScalarNode(None, place)

    def _items(self, end: type[yaml.Event]) -> tuple[list[Node], yaml.Event]:
        items = []
        while not isinstance(event := next(self._events), end):
            items.append(self._node(event))
        return items, event

    def _entries(self, items: list[Node]) -> Iterator[Entry]:
        for key, value in zip(items[::2], items[1::2], strict=True):
            if isinstance(key, ScalarNode) and isinstance(key.value, str):
                yield Entry(key.value, key.place, value)
            else:
                self._diagnostics.append(Diagnostic("mapping keys must be strings", self._environment, key.place))

    def _place(self, first: yaml.Event, last: yaml.Event) -> Place:
        return Place(self._environment, self._position(first.start_mark), self._position(last.end_mark))

    def _position(self, mark: Any) -> Position:  # PyYAML has two kinds of marks, with the same attributes
        byte = mark.index if self._text.isascii() else len(self._text[: mark.index].encode())
        return Position(mark.line + 1, mark.column + 1, byte)


def scalar(text: str, tag: str | None = None, *, plain: bool = True) -> Scalar:
    """What a scalar means, given its tag and whether it is plain, that is not quoted and no block.

    Raises:
        ValueError: The tag says something else than the text.
    """
    if tag in {None, "!"}:
        return _resolve(text)[1] if plain else text
    kind = tag.removeprefix(_TAG_PREFIX) if tag else ""
    if kind == "binary":
        _require_base64(text)
    if kind not in {"bool", "float", "int", "null"}:
        return text
    found, value = _resolve(text)
    if kind == "float" and found == "int" and isinstance(value, Number) and int(value.text) in _INT64:
        return Number(_float_text(float(value.text)))
    if found != kind:
        raise ValueError(f"cannot decode !!{found} `{text}` as a !!{kind}")
    return value


def _require_base64(text: str) -> None:
    try:
        base64.b64decode("".join(text.splitlines()), validate=True)
    except binascii.Error as error:
        raise ValueError("!!binary value contains invalid base64 data") from error


def _resolve(text: str) -> tuple[str, Scalar]:
    """The kind and the value of a scalar without tag. Timestamps are left texts: ESC keeps their text."""
    if text in _NULL:
        return "null", None
    if text in _TRUE or text in _FALSE:
        return "bool", text in _TRUE
    if _NOT_FINITE.fullmatch(text):
        # Pulumi's evaluator goes on and then cannot write it as JSON.
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
                return "int", Number(str(number))
    if _FLOAT.fullmatch(bare) and math.isfinite(real := float(bare)):
        return "float", Number(_float_text(real))
    return "str", text


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
