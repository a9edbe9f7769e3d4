"""An evaluator of ESC environments, for what environments that log in to AWS contain.

It agrees with eval/eval.go of github.com/pulumi/esc v0.26.0 on the values of definitions with references, imports,
the execution context, `fn::secret` and `fn::open::aws-login`, and on which of them have errors; the messages are its
own. All other functions are refused. It does no I/O: environments and credentials come through callables.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import yaml
from jsonschema import Draft202012Validator

from ...claims import STACK_CONFIGURATION
from ...definitions import Scalar, compose, scalar, scalar_text
from ...interpolation import Reference, parse
from .vault import CIPHERTEXT, is_ciphertext

LARGEST: Final = 16 * 2**20
"""How much an environment may give, in characters, and how many its interpolations may make on the way.

Without a limit, forty lines that each refer twice to the one before fill any memory.
"""

_PLACE: Final = 256
"""How many characters a value counts besides its text: so much is written about where it stands."""

_PROVIDER: Final = "aws-login"
_OUTPUTS: Final = ("accessKeyId", "secretAccessKey", "sessionToken")
"""What a login gives, all of it secret."""

_RESERVED: Final = ("context", "environments", "imports")
_SECRET: Final = "fn::secret"  # noqa: S105 - the function's name
_OPEN: Final = "fn::open"

# The inputs of aws-login are those in schema/testdata/esc.json of github.com/pulumi/esc v0.26.0, with subjectAttributes
# as at https://www.pulumi.com/docs/esc/providers/login/aws-login/. Like there, unknown inputs are let through, and so
# is any session name of the right length: AWS refuses the wrong ones. Static credentials are of no use here.
_ARN: Final = {"type": "string", "minLength": 20, "maxLength": 2048}
_LOGIN: Final = Draft202012Validator(
    {
        "type": "object",
        "required": ["oidc"],
        "properties": {
            "oidc": {
                "type": "object",
                "required": ["roleArn", "sessionName"],
                "properties": {
                    "roleArn": _ARN,
                    "sessionName": {"type": "string", "minLength": 2, "maxLength": 64},
                    "duration": {"type": "string", "pattern": r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?\Z"},
                    "policyArns": {"type": "array", "items": _ARN},
                    "subjectAttributes": {"type": "array", "items": {"type": "string"}},
                },
            }
        },
    }
)


Span = Mapping[str, Any]
"""A part of an environment's definition, as a `range` of Pulumi's REST API: `environment`, and `begin` and `end` with
`line` and `column`, which count from 1, and `byte`, from 0. pulumi-esc-sdk can't read one without positions."""


@dataclass(frozen=True)
class Diagnostic:
    """An error in a definition, and where, if it is not the whole that is wrong."""

    summary: str
    span: Span | None = None


@dataclass(frozen=True)
class LoginBlock:
    """A login block that asks for credentials.

    Attributes:
        inputs: The `oidc` block, evaluated. It fits the schema of `aws-login`.
        current_environment: The environment that holds the block, as its import spells it.
        root_environment: The environment that was opened; when that is an anonymous definition, the one of its own
            imports through which the block was first reached.
    """

    inputs: Mapping[str, Any]
    current_environment: str
    root_environment: str


class LoginFailed(Exception):  # noqa: N818 - a message to the user, not a mistake in the program
    """Credentials were refused. The message becomes a diagnostic at the login block."""


@dataclass(frozen=True)
class EscValue:
    """The result of an expression.

    Attributes:
        content: A scalar, a list or a map. Of an unknown value, its shape as far as it is known: a map, a text, or
            None for anything.
        secret: Whether it must not be shown.
        unknown: Whether it is not known, because of an error or because a check opens nothing.
        span: Where the expression stands.
    """

    content: "Scalar | list[EscValue] | dict[str, EscValue]" = None
    secret: bool = False
    unknown: bool = False
    span: Span | None = None

    def members(self) -> "Mapping[str | int, EscValue]":
        """The values of a map by their keys, the items of a list by their indices, nothing for the rest."""
        if isinstance(self.content, dict):
            return dict(self.content.items())
        return dict(enumerate(self.content)) if isinstance(self.content, list) else {}

    @cached_property
    def size(self) -> int:
        """How much it counts of `LARGEST`. What is referred to twice counts twice."""
        if isinstance(self.content, dict):
            own = sum(map(len, self.content))
        else:
            own = len(self.content) if isinstance(self.content, str) else 0
        return _PLACE + own + sum(value.size for value in self.members().values())

    def contains_unknowns(self) -> bool:
        """Whether it or anything in it is unknown."""
        return self.unknown or any(value.contains_unknowns() for value in self.members().values())

    def over(self, base: "EscValue | None") -> "EscValue":
        """This value merged over another: maps key by key; everything else hides what is below."""
        if base is None or not isinstance(self.content, dict) or not isinstance(base.content, dict):
            return self
        own = {key: value.over(base.content.get(key)) for key, value in self.content.items()}
        return replace(self, content={**base.content, **own})

    def at(self, path: Sequence[str | int]) -> "EscValue":
        """The value at a path inside this one."""
        value = self
        for step in path:
            if value.unknown and value.content is None:
                return value
            members = value.members()
            if step not in members:
                raise _missing(step, members)
            value = members[step]
        return value

    def text(self, spend: Callable[[int], None]) -> "EscValue":
        """The text that stands for the value inside another text; unknown or secret if anything in it is.

        How long it is, and each text in it, is spent.
        """
        if isinstance(self.content, dict):
            parts = [(f"{_quote(key)}=", self.content[key].text(spend)) for key in sorted(self.content)]
        elif isinstance(self.content, list):
            parts = [("", value.text(spend)) for value in self.content]
        else:
            text = scalar_text(self.content)
            spend(len(text))
            return replace(self, content=text)
        text = ",".join(label + _quote(str(part.content)) for label, part in parts)
        spend(len(text))
        secret, unknown = (any(getattr(part, what) for _, part in parts) for what in ("secret", "unknown"))
        return EscValue(text, self.secret or secret, self.unknown or unknown)

    def plain(self) -> Any:
        """The value as JSON, without wrapping. What is unknown is null."""
        return None if self.unknown else self._converted(EscValue.plain)

    def wrapped(self, *, show_secrets: bool = True, outer: Span | None = None) -> dict[str, Any]:
        """The value as Pulumi's REST API writes it: wrapped, and every value inside it too.

        `pulumi env get ENV PATH` shows where it stands: of what a function gave, that is the function.
        """
        hidden, span = self.secret and not show_secrets, self.span or outer
        inner = (
            "[secret]" if hidden else self._converted(lambda each: each.wrapped(show_secrets=show_secrets, outer=span))
        )
        return {
            "value": None if self.unknown else inner,
            **({"secret": True} if self.secret else {}),
            **({"unknown": True} if self.unknown else {}),
            # pulumi-esc-sdk refuses values on the top level that have no trace.
            "trace": {"def": span} if span else {},
        }

    def expressions(self) -> dict[str, Any]:
        """Which paths there are in it, and where, as the `exprs` of Pulumi's REST API say it."""
        here = {"range": self.span} if self.span else {}
        if self.unknown or not isinstance(self.content, dict | list):
            return here
        return {**here, "object" if isinstance(self.content, dict) else "list": self._converted(EscValue.expressions)}

    def _converted(self, convert: "Callable[[EscValue], Any]") -> Any:
        if isinstance(self.content, dict):
            return {key: convert(value) for key, value in self.content.items()}
        return [convert(value) for value in self.content] if isinstance(self.content, list) else self.content


@dataclass(frozen=True)
class Evaluation:
    """What an environment evaluates to.

    Attributes:
        properties: The values on the top level, those of imports included.
        diagnostics: What is wrong, in the order in which it was found. If there are any, values may be unknown or
            absent.
    """

    properties: Mapping[str, EscValue]
    diagnostics: tuple[Diagnostic, ...]

    def properties_json(self, *, show_secrets: bool = True) -> dict[str, Any]:
        """The `properties` of Pulumi's REST API; without secrets they read `[secret]`."""
        return {key: value.wrapped(show_secrets=show_secrets) for key, value in self.properties.items()}

    def expressions_json(self) -> dict[str, Any]:
        """The `exprs` of Pulumi's REST API: which paths there are, as `pulumi env get ENV PATH` asks."""
        return {key: value.expressions() for key, value in self.properties.items()}

    def diagnostics_json(self) -> list[dict[str, Any]]:
        """The `diagnostics` of Pulumi's REST API."""
        return [
            {"summary": each.summary, "severity": "error", **({"range": each.span} if each.span else {})}
            for each in self.diagnostics
        ]


@dataclass
class _Shared:
    """What the evaluations of an environment and of everything it imports share.

    Attributes:
        imports: What each imported environment evaluates to; None while that is under way.
        room: How many characters interpolations may still make.
    """

    load: Callable[[str], str]
    context: Mapping[str, Any]
    login: Callable[[LoginBlock], Mapping[str, str]] | None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    imports: dict[str, EscValue | None] = field(default_factory=dict)
    room: int = field(default_factory=lambda: LARGEST)

    def spend(self, characters: int) -> None:
        """Make a text so long, or say that it is too much."""
        self.room -= characters
        if self.room < 0:
            raise _Wrong(_TOO_MUCH)


def evaluate(
    name: str,
    text: str,
    *,
    load: Callable[[str], str],
    context: Mapping[str, Any],
    login: Callable[[LoginBlock], Mapping[str, str]] | None,
) -> Evaluation:
    """Evaluate the definition of an environment.

    Args:
        name: The environment, ``PROJECT/ENV``, or `STACK_CONFIGURATION`.
        text: Its definition.
        load: Gives the definition of an imported environment, by the text of the import. Raises LookupError or
            PermissionError, whose message becomes a diagnostic at the import.
        context: What definitions find under `context`, such as ``{"pulumi": {"user": {"login": "alice"}}}``.
            The evaluator adds `currentEnvironment` and `rootEnvironment`.
        login: Gives the outputs of `aws-login`, or raises LoginFailed. None only checks the environment: then
            logins are unknown, and secret.
    """
    shared = _Shared(load, context, login)
    value = EscValue({})
    try:
        value = _Environment(shared, name, STACK_CONFIGURATION, text).evaluate()
    except RecursionError:
        shared.diagnostics.append(Diagnostic("nested too deeply for the sandbox"))
    return Evaluation(value.content if isinstance(value.content, dict) else {}, tuple(shared.diagnostics))


_TOO_MUCH: Final = f"the sandbox evaluates at most {LARGEST >> 20} MB: refer to less, or write less"


class _Wrong(Exception):  # noqa: N818 - a message about a definition, not a mistake in the program
    """What is wrong with an expression. It becomes a diagnostic where the expression stands."""


@dataclass(eq=False)
class _Cell:
    """An expression and, once it was asked for, its value.

    Attributes:
        node: Where it stands.
        base: The imported value that its value is merged over.
        members: The expressions of a map by their keys, of a list by their indices.
        function: Of a call, the function; then `members` has its argument.
    """

    node: yaml.Node
    base: EscValue | None = None
    members: "dict[str | int, _Cell]" = field(default_factory=dict)
    function: str = ""
    evaluating: bool = False
    value: EscValue | None = None


class _Environment:
    """The evaluation of one environment, and of its imports on the way."""

    _root: _Cell

    def __init__(self, shared: _Shared, name: str, parents_root: str, text: str) -> None:
        self._shared, self._name, self._text = shared, name, text
        # An anonymous definition is nobody's root: each of its imports is its own.
        self._root_name = name if parents_root == STACK_CONFIGURATION else parents_root
        names = {"currentEnvironment": {"name": name}, "rootEnvironment": {"name": self._root_name}}
        self._context = _from_maps({**shared.context, **names})
        self._imports: dict[str, EscValue] = {}

    def evaluate(self) -> EscValue:
        """The environment's values, merged over those that it imports."""
        self._shared.imports[self._name] = None
        value = EscValue({})
        try:
            value = self._evaluate_document()
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            span = self._span(mark, mark) if mark else None
            problem = getattr(error, "problem", None) or " ".join(str(error).split())
            self._shared.diagnostics.append(Diagnostic(f"yaml: {problem}", span))
        self._shared.imports[self._name] = value
        return value

    def _evaluate_document(self) -> EscValue:
        if not self._text:
            return EscValue({})
        # Pulumi takes the sections in any case, and of two spellings the last.
        sections = {key.casefold(): value for key, _, value in self._entries(compose(self._text), "a definition")}
        if (description := sections.get("description")) and not isinstance(self._literal(description), str):
            self._error("description must be a text without references", description)
        base = self._merged_imports(sections["imports"]) if "imports" in sections else None
        if "values" not in sections:
            return base or EscValue({})
        self._root = self._declare(sections["values"], base, top=True)
        return self._value_of(self._root)

    def _merged_imports(self, node: yaml.Node) -> EscValue | None:
        base: EscValue | None = None
        if not isinstance(node, yaml.SequenceNode):
            self._error("imports must be a list", node)
        for item in node.value if isinstance(node, yaml.SequenceNode) else ():
            name, merge = self._literal(item), True
            entries = self._entries(item) if isinstance(item, yaml.MappingNode) else []
            if len(entries) == 1:
                name, merge = entries[0][0], self._merges(entries[0][2])
            if not isinstance(name, str):
                self._error("an import must be a text, or a map of one key", item)
                continue
            try:
                value = self._imports[name] = self._import(name)
                base = _bounded(value.over(base)) if merge else base
            except _Wrong as wrong:
                self._error(str(wrong), item)
        return base

    def _merges(self, options: yaml.Node) -> bool:
        merge: Scalar = True
        for key, _, value in self._entries(options, "the options of an import"):
            if key.casefold() == "merge" and not isinstance(merge := self._literal(value), bool):
                self._error("merge must be true or false", value)
        return merge is not False

    def _import(self, name: str) -> EscValue:
        """The value of another environment; each is evaluated once, for whoever comes first."""
        if name in self._shared.imports:
            if (imported := self._shared.imports[name]) is None:
                raise _Wrong(f"{name} imports itself")
            return imported
        try:
            text = self._shared.load(name)
        except (LookupError, PermissionError) as error:
            raise _Wrong(str(error.args[0] if error.args else error)) from error
        return _Environment(self._shared, name, self._root_name, text).evaluate()

    def _declare(self, node: yaml.Node, base: EscValue | None = None, *, top: bool = False) -> _Cell:
        cell = _Cell(node, base)
        if isinstance(node, yaml.SequenceNode):
            cell.members = {index: self._declare(item) for index, item in enumerate(node.value)}
        entries = self._entries(node, "values") if top or isinstance(node, yaml.MappingNode) else []
        functions = [key for key, _, _ in entries if key.lower().startswith("fn::")]
        if functions and (top or len(entries) > 1):
            self._error(f"{functions[0]} must be the only key of its map, and below the top level", node)
        for key, key_node, value in entries:
            # Keys on the top level are taken as they are, `$$` too.
            name = key if top or functions else _without_references(key)
            if name is None:
                self._error("a key can't refer to anything", key_node)
            elif name in cell.members:
                self._error(f"the key {name!r} stands here twice", key_node)
            elif top and name in _RESERVED:
                self._error(f"{name!r} is a reserved key", key_node)
            else:
                inherited = base.content.get(name) if base and isinstance(base.content, dict) else None
                cell.members[name] = self._declare(value, None if functions else inherited)
        cell.function = functions[0] if functions else ""
        return cell

    def _entries(self, node: yaml.Node | None, what: str = "this") -> list[tuple[str, yaml.Node, yaml.Node]]:
        """The keys of a map, their nodes and the nodes of their values."""
        if not isinstance(node, yaml.MappingNode):
            self._error(f"{what} must be a map", node)
            return []
        entries = []
        for key_node, value in node.value:
            if isinstance(key := self._scalar(key_node), str):
                entries.append((key, key_node, value))
            else:
                self._error("a key must be a text", key_node)
        return entries

    def _scalar(self, node: yaml.Node) -> Scalar:
        """What a scalar node means; None for other nodes."""
        if not isinstance(node, yaml.ScalarNode):
            return None
        try:
            node.value.encode()  # half a character, "\ud800", can't be sent to anybody
            return scalar(node)
        except ValueError as error:
            self._error(str(error), node)
            return None

    def _literal(self, node: yaml.Node) -> Scalar:
        """The value of a scalar without references; None for everything else."""
        value = self._scalar(node)
        return _without_references(value) if isinstance(value, str) else value

    def _value_of(self, cell: _Cell) -> EscValue:
        if cell.value is None:
            span = self._span(cell.node.start_mark, cell.node.end_mark)
            try:
                cell.value = _bounded(_bounded(replace(self._evaluate(cell), span=span)).over(cell.base))
            except _Wrong as wrong:
                self._error(str(wrong), cell.node)
                cell.value = EscValue(unknown=True, span=span)
        return cell.value

    def _evaluate(self, cell: _Cell) -> EscValue:
        if cell.evaluating:
            raise _Wrong("the value refers to itself")
        cell.evaluating = True
        if cell.function:
            return self._call(cell.function, cell.members[cell.function])
        if isinstance(cell.node, yaml.MappingNode):
            return EscValue({str(key): self._value_of(member) for key, member in cell.members.items()})
        if isinstance(cell.node, yaml.SequenceNode):
            return EscValue([self._value_of(member) for member in cell.members.values()])
        content = self._scalar(cell.node)
        return self._interpolated(content) if isinstance(content, str) else EscValue(content)

    def _interpolated(self, text: str) -> EscValue:
        parts, errors = parse(text)
        if errors:
            raise _Wrong(errors[0])
        if len(parts) == 1 and isinstance(parts[0], Reference):
            return self._refer(parts[0].path)
        spend = self._shared.spend
        texts = [EscValue(part) if isinstance(part, str) else self._refer(part.path).text(spend) for part in parts]
        return EscValue(
            "".join(str(each.content) for each in texts),
            any(each.secret for each in texts),
            any(each.unknown for each in texts),
        )

    def _call(self, function: str, argument: _Cell) -> EscValue:
        if function == _SECRET:
            if isinstance(content := self._literal(argument.node), str):
                return EscValue(content, secret=True)
            ciphertext = argument.members.get(CIPHERTEXT)
            if ciphertext is None or not is_ciphertext(self._literal(ciphertext.node)):
                raise _Wrong("fn::secret takes a text without references")
            if self._shared.login:
                raise _Wrong("the secret was encrypted with another key: write it in plain text")
            # A check decrypts nothing. The CLI sends what it encrypted with a key that it threw away.
            return EscValue("", secret=True, unknown=True)
        if function == _OPEN:
            provider, inputs = (argument.members.get(key) for key in ("provider", "inputs"))
            name = self._literal(provider.node) if provider else None
            if inputs is None or not isinstance(name, str):
                raise _Wrong("fn::open takes a map with `provider`, a text, and `inputs`")
            return self._open(name, self._value_of(inputs))
        if function.startswith(f"{_OPEN}::"):
            return self._open(function.removeprefix(f"{_OPEN}::"), self._value_of(argument))
        raise _Wrong(f"the sandbox does not evaluate {function}: it knows {_SECRET} and {_OPEN}::{_PROVIDER}")

    def _open(self, provider: str, inputs: EscValue) -> EscValue:
        if provider != _PROVIDER:
            raise _Wrong(f"the sandbox does not open {provider!r}: it knows {_PROVIDER}")
        for error in _LOGIN.iter_errors(inputs.plain()):
            blamed = inputs.at(error.absolute_path)
            if not blamed.unknown:
                where = ".".join(map(str, (provider, *error.absolute_path)))
                # Not the message in general: it has the value in it, which may be secret.
                rule = error.message if error.validator == "required" else f"{error.validator} {error.validator_value}"
                self._shared.diagnostics.append(Diagnostic(f"{where} does not fit the schema: {rule}", blamed.span))
        if self._shared.login and not self._shared.diagnostics and not inputs.contains_unknowns():
            block = LoginBlock(inputs.plain()["oidc"], self._name, self._root_name)
            try:
                outputs = self._shared.login(block)
            except LoginFailed as error:
                raise _Wrong(str(error)) from error
            return EscValue({key: EscValue(outputs[key], secret=True) for key in _OUTPUTS})
        unknown = {key: EscValue("", secret=True, unknown=True) for key in _OUTPUTS}
        return EscValue(unknown, secret=True, unknown=True)

    def _refer(self, path: Sequence[str | int]) -> EscValue:
        """The value that a reference refers to."""
        match path:
            case ["imports", *rest]:
                return EscValue(dict(self._imports)).at(rest)
            case ["context", *rest]:
                return self._context.at(rest)
            case ["environments", str(project), str(environment), *rest]:
                # A reference into an environment without importing it.
                return self._import(f"{project}/{environment}").at(rest)
        # Lists and maps on the way are not evaluated: siblings that refer to each other are no cycle.
        cell, rest = self._root, list(path)
        while rest and cell.members and not cell.function:
            if rest[0] in cell.members:
                cell = cell.members[rest.pop(0)]
            elif isinstance(cell.node, yaml.MappingNode) and cell.base and isinstance(cell.base.content, dict):
                return cell.base.at(rest)
            else:
                raise _missing(rest[0], cell.members)
        return self._value_of(cell).at(rest)

    def _error(self, summary: str, node: yaml.Node | None) -> None:
        span = self._span(node.start_mark, node.end_mark) if node else None
        self._shared.diagnostics.append(Diagnostic(summary, span))

    def _span(self, begin: Any, end: Any) -> Span:  # PyYAML has two kinds of marks, with the same attributes
        def position(mark: Any) -> dict[str, int]:
            byte = mark.index if self._text.isascii() else len(self._text[: mark.index].encode())
            return {"line": mark.line + 1, "column": mark.column + 1, "byte": byte}

        return {"environment": self._name, "begin": position(begin), "end": position(end)}


def _bounded(value: EscValue) -> EscValue:
    if value.size > LARGEST:
        raise _Wrong(_TOO_MUCH)
    return value


def _missing(step: str | int, members: Mapping[str | int, object]) -> _Wrong:
    return _Wrong(f"there is no {step!r}" + (f" among {', '.join(map(str, members))}" if members else ""))


def _without_references(text: str) -> str | None:
    """What a text says, if it refers to nothing."""
    parts, errors = parse(text)
    return None if errors or any(isinstance(part, Reference) for part in parts) else "".join(map(str, parts))


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _from_maps(content: Any) -> EscValue:
    """The value that texts and maps of them stand for."""
    if isinstance(content, dict):
        return EscValue({key: _from_maps(value) for key, value in content.items()})
    return EscValue(content)
