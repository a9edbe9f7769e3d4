"""The definition of an ESC environment, parsed: its imports and its values as expressions.

A port of ast/environment.go and ast/expr.go of github.com/pulumi/esc v0.26.0, as far as this job needs it:
functions other than `fn::open` and `fn::secret` are refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ..interpolation import Reference, parse
from .document import Diagnostic, Entry, ListNode, MapNode, Node, Place, Scalar, ScalarNode, read

# Every function of ESC that the sandbox does not evaluate.
_OTHER_FUNCTIONS: Final = frozenset(
    f"fn::{name}"
    for name in (
        "concat", "final", "fromBase64", "fromJSON", "join", "rotate", "split",
        "toBase64", "toJSON", "toString", "toYAML", "validate",
    )
)  # fmt: skip


@dataclass(frozen=True)
class Literal:
    """A value that stands there as it is."""

    value: Scalar
    place: Place


@dataclass(frozen=True)
class Symbol:
    """A text that is one whole reference, and takes the value of what it refers to."""

    reference: Reference
    place: Place


@dataclass(frozen=True)
class Interpolation:
    """A text with references in it."""

    parts: tuple[str | Reference, ...]
    place: Place


@dataclass(frozen=True)
class ListExpression:
    """A list of expressions."""

    items: tuple["Expression", ...]
    place: Place


@dataclass(frozen=True)
class Property:
    """A key and the expression of its value."""

    key: str
    key_place: Place
    value: "Expression"


@dataclass(frozen=True)
class MapExpression:
    """A map of expressions. Keys may repeat, which evaluation complains about."""

    properties: tuple[Property, ...]
    place: Place | None


@dataclass(frozen=True)
class Secret:
    """A call of `fn::secret` with plain text."""

    plaintext: Literal
    place: Place


@dataclass(frozen=True)
class Open:
    """A call of `fn::open`, in its long or its short form."""

    provider: str
    inputs: "Expression"
    place: Place


Expression = Literal | Symbol | Interpolation | ListExpression | MapExpression | Secret | Open


@dataclass(frozen=True)
class Import:
    """An import: the text that names the environment, and whether its values are merged in."""

    name: str
    place: Place
    merge: bool = True


@dataclass(frozen=True)
class Definition:
    """An environment's imports and values."""

    imports: tuple[Import, ...] = ()
    values: tuple[Property, ...] = ()


def load(environment: str, text: str) -> tuple[Definition | None, list[Diagnostic]]:
    """The definition that a text holds, None if there are errors; and what is wrong with it."""
    diagnostics: list[Diagnostic] = []
    if not text:
        return Definition(), diagnostics
    node = read(environment, text, diagnostics)
    definition = None if has_errors(diagnostics) else _Parser(environment, diagnostics).definition(node)
    return (None if has_errors(diagnostics) else definition), diagnostics


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of them is more than a warning."""
    return any(diagnostic.severity == "error" for diagnostic in diagnostics)


class _Parser:
    """Turns nodes into expressions, and writes down what is wrong with them."""

    def __init__(self, environment: str, diagnostics: list[Diagnostic]) -> None:
        self._environment = environment
        self._diagnostics = diagnostics

    def _error(self, place: Place | None, summary: str) -> None:
        self._diagnostics.append(Diagnostic(summary, self._environment, place))

    def _warning(self, place: Place, summary: str) -> None:
        self._diagnostics.append(Diagnostic(summary, self._environment, place, "warning"))

    def definition(self, node: Node | None) -> Definition:
        if not isinstance(node, MapNode):
            self._error(node.place if node else None, "environment must be an object")
            return Definition()
        imports: tuple[Import, ...] = ()
        values: tuple[Property, ...] = ()
        seen: set[str] = set()
        for entry in node.entries:
            if entry.key in seen:
                self._warning(entry.key_place, f'duplicate key "{entry.key}"')
            seen.add(entry.key)
            # Pulumi takes these three in any case, and of two spellings the last.
            match entry.key.casefold():
                case "imports":
                    imports = self._imports(entry.value)
                case "values":
                    values = self._values(entry.value)
                case "description":
                    if not _is_text(self.expression(entry.value)):
                        self._error(entry.value.place, "description must be a string")
                case _:
                    self._warning(
                        entry.key_place,
                        f"Field '{entry.key}' does not exist on Object 'environment'. "
                        "Existing fields are: 'description', 'imports', 'values'",
                    )
        return Definition(imports, values)

    def _imports(self, node: Node) -> tuple[Import, ...]:
        if not isinstance(node, ListNode):
            self._error(node.place, "imports must be a list")
            return ()
        return tuple(found for item in node.items if (found := self._import(item)))

    def _import(self, node: Node) -> Import | None:
        if isinstance(node, ScalarNode) and isinstance(node.value, str):
            return Import(node.value, node.place)
        if not isinstance(node, MapNode):
            self._error(node.place, "import must be a string or an object")
        elif len(node.entries) != 1:
            self._error(node.place, "import must have a single key")
        else:
            (entry,) = node.entries
            return Import(entry.key, entry.key_place, self._merges(entry.value))
        return None

    def _merges(self, node: Node) -> bool:
        merge = True
        if not isinstance(node, MapNode):
            self._error(node.place, "import must be an object")
            return merge
        for entry in node.entries:
            if entry.key.casefold() != "merge":
                continue
            value = self.expression(entry.value)
            if isinstance(value, Literal) and isinstance(value.value, bool):
                merge = value.value
            else:
                self._error(entry.value.place, "merge must be a boolean value")
        return merge

    def _values(self, node: Node) -> tuple[Property, ...]:
        if not isinstance(node, MapNode):
            self._error(node.place, "values must be an object")
            return ()
        for entry in node.entries:
            if entry.key.startswith("fn::"):
                self._error(entry.key_place, f'builtin function call "{entry.key}" not allowed at the top level')
        # Keys on this level are taken as they are, `$$` too.
        return tuple(Property(each.key, each.key_place, self.expression(each.value)) for each in node.entries)

    def expression(self, node: Node) -> Expression:
        if isinstance(node, ListNode):
            return ListExpression(tuple(self.expression(item) for item in node.items), node.place)
        if isinstance(node, MapNode):
            return self._function(node) or self._map(node)
        return self._text(node.value, node.place) if isinstance(node.value, str) else Literal(node.value, node.place)

    def _text(self, text: str, place: Place) -> Literal | Symbol | Interpolation:
        parts, errors = parse(text)
        for error in errors:
            self._error(place, error)
        match parts:
            case []:
                return Literal("", place)
            case [str(literal)]:
                return Literal(literal, place)
            case [Reference() as reference]:
                return Symbol(reference, place)
            case _:
                return Interpolation(tuple(parts), place)

    def _map(self, node: MapNode) -> MapExpression:
        properties = []
        for entry in node.entries:
            key = self._text(entry.key, entry.key_place)
            if not _is_text(key):
                self._error(entry.key_place, "object keys must be strings")
            name = str(key.value) if isinstance(key, Literal) else entry.key
            properties.append(Property(name, entry.key_place, self.expression(entry.value)))
        return MapExpression(tuple(properties), node.place)

    def _function(self, node: MapNode) -> Expression | None:
        """The function call that a map is, if it is one."""
        if len(node.entries) != 1:
            for entry in node.entries:
                if entry.key.startswith("fn::"):
                    self._error(
                        node.place,
                        f'illegal call to builtin function: "{entry.key}" must be the only key '
                        "within its containing object",
                    )
            return None
        (entry,) = node.entries
        if entry.key == "fn::open":
            return self._long_open(node, entry)
        if entry.key == "fn::secret":
            return self._secret(node, entry)
        if entry.key.startswith("fn::open::"):
            provider = entry.key.removeprefix("fn::open::")
            return Open(provider, self.expression(entry.value), node.place)
        if entry.key in _OTHER_FUNCTIONS or entry.key.startswith("fn::rotate::"):
            self._error(entry.key_place, f'the sandbox does not evaluate "{entry.key}"')
        elif entry.key.lower().startswith("fn::"):
            self._error(entry.key_place, "'fn::' is a reserved prefix")
        return None

    def _secret(self, node: MapNode, entry: Entry) -> Secret:
        value = self.expression(entry.value)
        if isinstance(value, Literal) and isinstance(value.value, str):
            return Secret(value, node.place)
        if isinstance(value, MapExpression) and [each.key for each in value.properties] == ["ciphertext"]:
            self._error(value.place, "the sandbox cannot decrypt: give fn::secret the plain text")
        else:
            self._error(entry.value.place, "secret values must be string literals")
        return Secret(Literal("", entry.value.place), node.place)

    def _long_open(self, node: MapNode, entry: Entry) -> Expression | None:
        arguments = self.expression(entry.value)
        if not isinstance(arguments, MapExpression):
            self._error(
                entry.value.place,
                "the argument to fn::open must be an object containing 'provider' and 'inputs'",
            )
            return None
        given = {each.key: each.value for each in arguments.properties}
        provider, inputs = given.get("provider"), given.get("inputs")
        if provider is None:
            self._error(arguments.place, "missing provider name ('provider')")
        elif not _is_text(provider):
            self._error(provider.place, "provider name must be a string literal")
        if inputs is None:
            self._error(arguments.place, "missing provider inputs ('inputs')")
        if isinstance(provider, Literal) and inputs is not None:
            return Open(str(provider.value), inputs, node.place)
        return None


def _is_text(expression: Expression) -> bool:
    return isinstance(expression, Literal) and isinstance(expression.value, str)
