"""The evaluation of one environment's expressions; see `evaluator`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..claims import STACK_CONFIGURATION
from .access import DanglingReference, Path, follow, inherited, list_index, map_key
from .aws_login import OUTPUTS, PROVIDER, Login, LoginFailed, violations
from .definition import (
    Definition,
    Expression,
    Import,
    Interpolation,
    ListExpression,
    Literal,
    MapExpression,
    Open,
    Secret,
    Symbol,
    has_errors,
)
from .definition import (
    load as load_definition,
)
from .document import Diagnostic, Place
from .values import Value, from_json, quote

_RESERVED: Final = ("context", "environments", "imports")
_PLAIN_KEY: Final = re.compile("[A-Za-z_][A-Za-z0-9_]*")


@dataclass
class _Imported:
    """An environment of which the evaluation has begun, and its value once it has ended."""

    value: Value | None = None


@dataclass
class Session:
    """What the evaluations of an environment and of everything it imports share."""

    load: Callable[[str], str]
    context: Mapping[str, Any]
    login: Callable[[Login], Mapping[str, Any]] | None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    imports: dict[str, _Imported] = field(default_factory=dict)


@dataclass(eq=False)
class _Cell:
    """An expression and, once it was asked for, its value."""

    expression: Expression
    path: str = ""
    base: Value | None = None
    properties: dict[str, "_Cell"] = field(default_factory=dict)
    items: list["_Cell"] = field(default_factory=list)
    evaluating: bool = False
    value: Value | None = None


class EnvironmentEvaluation:
    """Evaluates one environment, and its imports on the way."""

    def __init__(self, session: Session, name: str, parents_root: str, definition: Definition) -> None:
        self._session = session
        self._name = name
        # An anonymous definition is nobody's root: each of its imports is its own.
        self._root_name = name if parents_root == STACK_CONFIGURATION else parents_root
        self._definition = definition
        self._context = from_json(
            {
                **session.context,
                "currentEnvironment": {"name": name},
                "rootEnvironment": {"name": self._root_name},
            }
        )
        self._imports: dict[str, Value] = {}
        self._root = _Cell(MapExpression((), None))

    def evaluate(self) -> Value:
        """The environment's values, merged over those that it imports."""
        mine = self._session.imports[self._name] = _Imported()
        base = self._merged_imports()
        self._root = _Cell(MapExpression((), None), f"<{self._name}>", base)
        for entry in self._definition.values:
            if entry.key in _RESERVED:
                self._error(entry.key_place, f"{quote(entry.key)} is a reserved key")
            elif entry.key in self._root.properties:
                self._error(entry.key_place, f"duplicate key {quote(entry.key)}")
            else:
                inherited = base.get(entry.key) if base else None
                self._root.properties[entry.key] = self._declare(entry.key, entry.value, inherited)
        mine.value = self._evaluate(self._root)
        return mine.value

    def _error(self, place: Place | None, summary: str) -> None:
        self._session.diagnostics.append(Diagnostic(summary, self._name, place))

    def _merged_imports(self) -> Value | None:
        base: Value | None = None
        for entry in self._definition.imports:
            value = self._import(entry)
            if value is None:
                continue
            self._imports[entry.name] = value
            if entry.merge:
                # A copy: merging changes it, and others may import the same environment.
                merged = value.copy()
                merged.merge(base)
                base = merged
        return base

    def _import(self, entry: Import) -> Value | None:
        """The value of another environment; each is evaluated once, for whoever comes first."""
        if imported := self._session.imports.get(entry.name):
            if imported.value is None:
                self._error(entry.place, f"cyclic import of {entry.name}")
            return imported.value
        try:
            text = self._session.load(entry.name)
        except (LookupError, PermissionError) as error:
            self._error(entry.place, str(error.args[0] if error.args else error))
            return None
        definition, diagnostics = load_definition(entry.name, text)
        self._session.diagnostics.extend(diagnostics)
        if definition is None or has_errors(diagnostics):
            return None
        return EnvironmentEvaluation(self._session, entry.name, self._root_name, definition).evaluate()

    def _declare(self, path: str, expression: Expression, base: Value | None = None) -> _Cell:
        cell = _Cell(expression, path, base)
        if isinstance(expression, ListExpression):
            cell.items = [self._declare(f"{path}[{index}]", item) for index, item in enumerate(expression.items)]
        elif isinstance(expression, MapExpression):
            for entry in expression.properties:
                if entry.key in cell.properties:
                    self._error(entry.key_place, f"duplicate key {quote(entry.key)}")
                    continue
                inherited = base.get(entry.key) if base else None
                cell.properties[entry.key] = self._declare(_join(path, entry.key), entry.value, inherited)
        elif isinstance(expression, Open):
            cell.properties["inputs"] = self._declare("", expression.inputs)
        return cell

    def _evaluate(self, cell: _Cell) -> Value:
        if cell.value is not None:
            return cell.value
        if cell.evaluating:
            self._error(cell.expression.place, f"cyclic reference to {cell.path}")
            return Value(unknown=True, place=cell.expression.place)
        cell.evaluating = True
        value = self._value(cell)
        value.merge(cell.base)
        cell.value = value
        return value

    def _value(self, cell: _Cell) -> Value:
        value: Value
        match cell.expression:
            case Literal(content, place):
                value = Value(content, place=place)
            case Secret(plaintext, place):
                value = Value(plaintext.value, secret=True, place=place)
            case Symbol(reference, place):
                value = self._resolve(reference.path, place)
            case Interpolation() as interpolation:
                value = self._interpolate(interpolation)
            case ListExpression(_, place):
                value = Value([self._evaluate(item) for item in cell.items], place=place)
            case MapExpression(_, place):
                # Sorted, so that cycles are always complained about in the same place.
                inner = {key: self._evaluate(cell.properties[key]) for key in sorted(cell.properties)}
                value = Value(inner, place=place)
            case call:
                value = self._open(call, self._evaluate(cell.properties["inputs"]))
        return value

    def _interpolate(self, interpolation: Interpolation) -> Value:
        value = Value(place=interpolation.place, kind="string")
        texts = []
        for part in interpolation.parts:
            if isinstance(part, str):
                texts.append(part)
                continue
            text, unknown, secret = self._resolve(part.path, interpolation.place).text()
            value.unknown |= unknown
            value.secret |= secret
            texts.append(text)
        if not value.unknown:
            value.content = "".join(texts)
        return value

    def _open(self, call: Open, inputs: Value) -> Value:
        unknown = Value(unknown=True, secret=True, kind="object", texts=OUTPUTS, place=call.place)
        if call.provider != PROVIDER:
            self._error(call.place, f'unknown provider "{call.provider}": the sandbox opens {PROVIDER} only')
            unknown.kind = "any"
            return unknown
        wrong = list(violations(inputs))
        for blamed, summary in wrong:
            self._error(blamed.place or call.place, summary)
        if wrong or self._session.login is None or inputs.contains_unknowns():
            return unknown
        oidc = inputs.plain().get("oidc")
        if oidc is None:
            self._error(call.place, "the sandbox logs in with `oidc` only")
            return unknown
        try:
            outputs = self._session.login(Login(oidc, self._name, self._root_name))
        except LoginFailed as error:
            self._error(call.place, str(error))
            return unknown
        return Value({key: from_json(outputs[key], call.place, secret=True) for key in OUTPUTS}, place=call.place)

    def _resolve(self, path: Path, place: Place) -> Value:
        """The value that a reference refers to, as a copy that stands in the reference's place."""
        try:
            value = self._refer(path, place).copy()
        except DanglingReference as error:
            self._error(place, str(error))
            return Value(unknown=True, place=place)
        value.place = place
        return value

    def _refer(self, path: Path, place: Place) -> Value:
        match path:
            case ["imports", *rest]:
                return follow(Value(dict(self._imports)), rest)
            case ["context", *rest]:
                return follow(self._context, rest)
            case ["environments", project, environment, *rest]:
                # A reference into an environment without importing it.
                name = f"{map_key(project)}/{map_key(environment)}"
                return follow(self._import(Import(name, place)) or Value(unknown=True), rest)
            case ["environments", *_]:
                # Pulumi's evaluator says nothing either.
                return Value(unknown=True)
            case _:
                return self._refer_to_own(path)

    def _refer_to_own(self, path: Path) -> Value:
        # Lists and maps on the way are not evaluated: that would take siblings for cycles.
        cell = self._root
        for position, step in enumerate(path):
            if isinstance(cell.expression, ListExpression):
                cell = cell.items[list_index(step, len(cell.items))]
            elif isinstance(cell.expression, MapExpression):
                key = map_key(step)
                if key not in cell.properties:
                    return inherited(cell.base, key, path[position:], cell.properties)
                cell = cell.properties[key]
            else:
                return follow(self._evaluate(cell), path[position:])
        return self._evaluate(cell)


def _join(path: str, key: str) -> str:
    """The path of a property as ESC writes it."""
    if not key:
        return path
    if _PLAIN_KEY.fullmatch(key):
        return f"{path}.{key}" if path else key
    escaped = key.replace('"', '\\"')
    return f'{path}["{escaped}"]'
