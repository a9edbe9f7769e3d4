"""The definition of an ESC environment, read as Pulumi reads it: its YAML, its imports and its logins to AWS.

Nothing is evaluated: what a login asks for is known where it stands in the definition itself.

Pulumi's parser is gopkg.in/yaml.v3: YAML 1.2 with traces of 1.1. PyYAML composes the same nodes, but takes scalars for
YAML 1.1, where `yes` is a boolean; so the nodes are PyYAML's and the scalars are read here.
Sources: resolve.go of gopkg.in/yaml.v3 v3.0.1, syntax/encoding/yaml.go of github.com/pulumi/esc v0.26.0.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import yaml

from .interpolation import Reference, parse

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


@dataclass(frozen=True)
class Import:
    """An environment whose values another one takes: from its list of imports, or by a reference into it.

    Attributes:
        name: As it is written: ``PROJECT/ENV``, or ``ENV`` of the legacy project, perhaps with ``@VERSION``.
        line: Where, from 1.
    """

    name: str
    line: int


@dataclass(frozen=True)
class LoginBlock:
    """A login to AWS with a token, as its definition has it.

    Texts are ESC text: what refers to the environment's own literal values is replaced, and what refers to
    `context` stays, since it says who opens; `filled` gives the text that AWS gets. An input that refers to something
    else is None.

    Attributes:
        path: Where it stands among the values, such as ``aws.login``.
        oidc_path: Where its `oidc` stands, for `property_path`: with the function, and whatever is around it.
        line: The same as a line of the definition, from 1.
        role_arn, session_name, duration: As they are; None if they are missing or not known.
        policy_arns, subject_attributes: The same, empty if they are missing.
        unknown: The inputs that are not known before the environment is opened, as the definition spells them.
    """

    path: str
    oidc_path: tuple[str | int, ...]
    line: int
    role_arn: str | None
    session_name: str | None
    duration: str | None
    policy_arns: tuple[str, ...] | None
    subject_attributes: tuple[str, ...] | None
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Definition:
    """What a definition says that matters for logins to AWS.

    Attributes:
        imports: The environments that it takes values from, each once, in their order.
        logins: The logins that it holds itself.
        other_logins: The paths of logins to AWS with static credentials, which ask for no token.
        unknown_imports: Imports whose name is not known before the environment is opened, as they are written.
        unknown_functions: Functions that this version does not know: what Pulumi Cloud makes of them is not known.
    """

    imports: tuple[Import, ...] = ()
    logins: tuple[LoginBlock, ...] = ()
    other_logins: tuple[str, ...] = ()
    unknown_imports: tuple[str, ...] = ()
    unknown_functions: tuple[str, ...] = ()


class BadDefinition(ValueError):  # noqa: N818 - what it is
    """A definition that Pulumi Cloud can't read either; the text says where and why."""


def read_definition(text: str) -> Definition:
    """What a definition says of imports and logins.

    Raises:
        BadDefinition: It is not YAML, or not of an environment's form.
    """
    try:
        root = compose(text)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise BadDefinition(f"{where}this is not YAML: {getattr(error, 'problem', None) or error}") from error
    if root is None or (isinstance(root, yaml.ScalarNode) and root.value == ""):
        return Definition()
    return _Reader(_mapping(root, "a definition")).definition()


def filled(text: str, context: Mapping[str, str]) -> str | None:
    """An ESC text with what `context` says filled in, by paths such as ``pulumi.user.login``; None if it lacks one."""
    parts, errors = parse(text)
    known = [
        part if isinstance(part, str) else context.get(".".join(map(str, part.path[1:])))
        for part in parts
        if isinstance(part, str) or part.path[0] == "context"
    ]
    if errors or len(known) < len(parts) or None in known:
        return None
    return "".join(filter(None, known))


def property_path(steps: Iterable[str | int]) -> str:
    """A path as `pulumi env set` takes it: ``aws.login["fn::open::aws-login"].oidc.duration``."""
    written = "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}" if _NAME.fullmatch(step) else f"[{json.dumps(step)}]"
        for step in steps
    )
    return written.removeprefix(".")


_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_OPEN: Final = "fn::open"
_AWS: Final = "aws-login"
_INPUTS: Final = ("roleArn", "sessionName", "duration", "policyArns", "subjectAttributes")

_FUNCTION: Final = re.compile(
    r"fn::(?:concat|final|fromBase64|fromJSON|join|open(?:::.+)?|rotate(?:::.+)?|secret|split|toBase64|toJSON|toString"
    r"|toYAML|validate)"
)
"""Every function of ESC. Source: ast/expr.go of github.com/pulumi/esc v0.26.0."""


class _Reader:
    """The reading of one definition."""

    def __init__(self, root: Mapping[str, yaml.Node]) -> None:
        self._sections = root
        self._imports: dict[str, Import] = {}
        self._logins: list[LoginBlock] = []
        self._others: list[str] = []
        self._unknown_imports: list[str] = []
        self._unknown_functions: dict[str, None] = {}

    def definition(self) -> Definition:
        """What the definition says."""
        self._read_imports()
        values = self._sections.get("values")
        if values is not None and not _is_null(values):
            _mapping(values, "values")
            self._walk(values, ())
        return Definition(
            tuple(self._imports.values()),
            tuple(self._logins),
            tuple(self._others),
            tuple(self._unknown_imports),
            tuple(self._unknown_functions),
        )

    def _read_imports(self) -> None:
        listed = self._sections.get("imports")
        if listed is None or _is_null(listed):
            return
        if not isinstance(listed, yaml.SequenceNode):
            raise BadDefinition(f"line {_line(listed)}: imports must be a list")
        for item in listed.value:
            name = (
                next(iter(_mapping(item, "an import"))) if isinstance(item, yaml.MappingNode) and item.value else None
            )
            if isinstance(item, yaml.ScalarNode):
                name = item.value
            if not name:
                raise BadDefinition(f"line {_line(item)}: an import is a text, or a map of one key")
            self._add_import(name, _line(item))

    def _add_import(self, name: str, line: int) -> None:
        if "${" in name:
            self._unknown_imports.append(name)
        else:
            self._imports.setdefault(name, Import(name, line))

    def _walk(self, node: yaml.Node, steps: tuple[str | int, ...]) -> None:
        """Find logins, and references into other environments."""
        if isinstance(node, yaml.ScalarNode):
            for part in parse(node.value)[0] if "${" in node.value else ():
                if isinstance(part, Reference) and part.path[0] == "environments" and len(part.path) > 2:  # noqa: PLR2004 - .PROJECT.ENV
                    self._add_import("/".join(map(str, part.path[1:3])), _line(node))
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self._walk(item, (*steps, index))
        else:
            for key, value in _mapping(node, "a value").items():
                if key.lower().startswith("fn::") and not _FUNCTION.fullmatch(key):
                    self._unknown_functions[key] = None
                self._add_login(key, value, steps)
                self._walk(value, (*steps, key))

    def _add_login(self, key: str, value: yaml.Node, steps: tuple[str | int, ...]) -> None:
        """Keep what a key at the end of these steps holds, if it is a login to AWS."""
        path = property_path(step for step in steps if not str(step).lower().startswith("fn::"))
        if key.lower() == f"{_OPEN}::{_AWS}":
            if _is_reference(value):
                self._logins.append(_unknown_block(path, (*steps, key, "oidc"), value))
                return
            inputs, inside = _mapping(value, key), (*steps, key)
        elif key.lower() == _OPEN:
            call, inside = _mapping(value, key), (*steps, key, "inputs")
            provider = call.get("provider")
            if not (isinstance(provider, yaml.ScalarNode) and provider.value == _AWS and "inputs" in call):
                return
            if _is_reference(call["inputs"]):
                self._logins.append(_unknown_block(path, (*inside, "oidc"), call["inputs"]))
                return
            inputs = _mapping(call["inputs"], key)
        else:
            return
        if "oidc" in inputs and _is_reference(inputs["oidc"]):
            self._logins.append(_unknown_block(path, (*inside, "oidc"), inputs["oidc"]))
        elif "oidc" in inputs:
            oidc = _mapping(inputs["oidc"], f"the login {path}")
            self._logins.append(self._block(oidc, path, (*inside, "oidc"), _line(inputs["oidc"])))
        else:
            self._others.append(path)

    def _block(self, oidc: Mapping[str, yaml.Node], path: str, steps: tuple[str | int, ...], line: int) -> LoginBlock:
        unknown: list[str] = []

        def text(name: str) -> str | None:
            found = self._text(oidc[name]) if name in oidc else None
            if found is None and name in oidc:
                unknown.append(name)
            return found

        def texts(name: str) -> tuple[str, ...] | None:
            node = oidc.get(name)
            if node is None or _is_null(node):
                return ()
            found = [self._text(item) for item in node.value] if isinstance(node, yaml.SequenceNode) else [None]
            if None in found:
                unknown.append(name)
                return None
            return tuple(each for each in found if each is not None)

        known = (
            text("roleArn"),
            text("sessionName"),
            text("duration"),
            texts("policyArns"),
            texts("subjectAttributes"),
        )
        return LoginBlock(path, steps, line, *known, tuple(unknown))

    def _text(self, node: yaml.Node, depth: int = 0) -> str | None:
        """A text, its references to the environment's own literal values replaced; None if something else decides."""
        if not isinstance(node, yaml.ScalarNode) or depth > _DEEPEST:
            return None
        if "$" not in node.value:
            try:
                return scalar_text(scalar(node))
            except ValueError as error:
                raise BadDefinition(f"line {_line(node)}: {error}") from error
        parts, errors = parse(node.value)
        found = [self._part(part, depth) for part in parts]
        return None if errors or None in found else "".join(filter(None, found))

    def _part(self, part: str | Reference, depth: int) -> str | None:
        if isinstance(part, str):
            return part.replace("$", "$$")
        if part.path[0] == "context":
            return f"${{{'.'.join(map(str, part.path))}}}"
        node = self._sections.get("values")
        for step in part.path:
            if not isinstance(node, yaml.MappingNode):
                return None
            node = _mapping(node, "a value").get(str(step))
        return None if node is None else self._text(node, depth + 1)


_DEEPEST: Final = 20
"""How many references are followed before they count as a circle."""


def _mapping(node: yaml.Node, what: str) -> Mapping[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        raise BadDefinition(f"line {_line(node)}: {what} must be a map")
    found: dict[str, yaml.Node] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise BadDefinition(f"line {_line(key)}: a key must be a text")
        if key.value in found:
            raise BadDefinition(f"line {_line(key)}: the key {key.value!r} stands there twice")
        found[key.value] = value
    return found


def _is_reference(node: yaml.Node) -> bool:
    """Whether something else says what stands here."""
    return isinstance(node, yaml.ScalarNode) and "${" in node.value


def _unknown_block(path: str, steps: tuple[str | int, ...], node: yaml.Node) -> LoginBlock:
    """A login of which all is known only when the environment is opened."""
    return LoginBlock(path, steps, _line(node), None, None, None, None, None, _INPUTS)


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and not node.style and node.value in {"", "~", "null"}


def _line(node: yaml.Node) -> int:
    line: int = node.start_mark.line
    return line + 1
