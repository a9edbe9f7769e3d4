"""Reads a trust policy document into its parts, by AWS's grammar.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

from ..undefined import UndefinedBehaviour

VARIABLES_SINCE: Final = "2012-10-17"
"""The version of the policy language in which ``${...}`` is a variable."""

_VERSIONS: Final = ("2008-10-17", VARIABLES_SINCE)
_TOP_ELEMENTS: Final = frozenset({"Version", "Id", "Statement"})
_STATEMENT_ELEMENTS: Final = frozenset({"Sid", "Effect", "Principal", "Action", "NotAction", "Condition"})
# A role's trust policy is about that role ("Has prohibited field Resource"), and "You cannot use the NotPrincipal
# element in an IAM identity-based policy nor in an IAM role trust policy."
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
_PROHIBITED: Final = ("Resource", "NotResource", "NotPrincipal")
_PRINCIPAL_TYPES: Final = frozenset({"AWS", "Federated", "Service", "CanonicalUser"})


@dataclass(frozen=True)
class Block:
    """One operator, key and list of values in a Condition, all as written."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Statement:
    """One statement, as written.

    Attributes:
        index: Its place in the document, from 0.
        sid: Its `Sid`, or None.
        effect: ``Allow`` or ``Deny``.
        principals: Principals by type; ``{"*": ("*",)}`` for the bare ``"*"``.
        actions: Action patterns.
        excluding_actions: Whether the element was `NotAction`.
        conditions: Every operator and key of `Condition`; all of them must hold.
    """

    index: int
    sid: str | None
    effect: str
    principals: Mapping[str, tuple[str, ...]]
    actions: tuple[str, ...]
    excluding_actions: bool
    conditions: tuple[Block, ...]

    @property
    def name(self) -> str:
        """How reasons name it."""
        return f'statement {self.index} ("{self.sid}")' if self.sid else f"statement {self.index}"


@dataclass(frozen=True)
class Document:
    """A trust policy: its statements, and whether ``${...}`` is a variable in them."""

    statements: tuple[Statement, ...]
    has_variables: bool


def read(trust_policy: str | Mapping[str, object]) -> Document:
    """Read a trust policy from JSON or from a mapping.

    Raises:
        UndefinedBehaviour: IAM would not store this document, so AWS never evaluates it.
    """
    document = _load(trust_policy) if isinstance(trust_policy, str) else trust_policy
    if not isinstance(document, Mapping):
        _not_a_policy("it is not a JSON object")
    _known(document, _TOP_ELEMENTS, "the document")
    # Without Version AWS reads the older language.
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
    version = document.get("Version", _VERSIONS[0])
    if version not in _VERSIONS:
        _not_a_policy(f"Version is {version!r}, and AWS knows {' and '.join(_VERSIONS)}")
    statements = document.get("Statement")
    if isinstance(statements, Mapping):
        statements = [statements]
    if not isinstance(statements, list | tuple) or not statements:
        _not_a_policy("Statement must be a statement or a list of at least one")
    return Document(
        tuple(_statement(index, statement) for index, statement in enumerate(statements)),
        has_variables=version == VARIABLES_SINCE,
    )


def _load(text: str) -> object:
    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len({key for key, _ in pairs}) != len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise UndefinedBehaviour(f"A JSON object has the key {twice!r} twice: AWS may read either.")
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise UndefinedBehaviour(f"The trust policy is not JSON: {error}.") from error


def _statement(index: int, statement: object) -> Statement:
    place = f"statement {index}"
    if not isinstance(statement, Mapping):
        _not_a_policy(f"{place} is not a JSON object")
    for element in _PROHIBITED:
        if element in statement:
            _not_a_policy(f"{place} has {element}, which a trust policy cannot have")
    _known(statement, _STATEMENT_ELEMENTS, place)
    sid = statement.get("Sid")
    if sid is not None and not isinstance(sid, str):
        _not_a_policy(f"Sid of {place} is not a string")
    effect = statement.get("Effect")
    if not isinstance(effect, str) or effect not in {"Allow", "Deny"}:
        _not_a_policy(f"Effect of {place} is {effect!r}, not Allow or Deny")
    if "Principal" not in statement:
        _not_a_policy(f"{place} has no Principal")
    if ("Action" in statement) == ("NotAction" in statement):
        _not_a_policy(f"{place} must have one of Action and NotAction")
    action = "Action" if "Action" in statement else "NotAction"
    return Statement(
        index=index,
        sid=sid,
        effect=effect,
        principals=_principals(statement["Principal"], f"Principal of {place}"),
        actions=_strings(statement[action], f"{action} of {place}"),
        excluding_actions=action == "NotAction",
        conditions=_conditions(statement.get("Condition", {}), place),
    )


def _principals(principal: object, place: str) -> Mapping[str, tuple[str, ...]]:
    if principal == "*":
        return {"*": ("*",)}
    if not isinstance(principal, Mapping):
        _not_a_policy(f'{place} must be "*" or an object such as {{"Federated": "arn:..."}}')
    if not principal:
        _not_a_policy(f"{place} is empty")
    _known(principal, _PRINCIPAL_TYPES, place)
    return {kind: _strings(names, f"{kind} in {place}") for kind, names in principal.items()}


def _conditions(condition: object, place: str) -> tuple[Block, ...]:
    # An empty Condition restricts nothing: AWS's own consoles and guides write `"Condition": {}`.
    if not isinstance(condition, Mapping):
        _not_a_policy(f"Condition of {place} is not an object")
    blocks: list[Block] = []
    for operator, keys in condition.items():
        if not isinstance(operator, str) or not isinstance(keys, Mapping):
            _not_a_policy(f"Condition of {place} must map operators to keys")
        if not keys:
            raise UndefinedBehaviour(
                f"{operator} of {place} is empty: AWS documents both that it has no effect and that its statement "
                "has none."
            )
        # "Duplicate keys with different case" is an error of the policy.
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
        if len({str(key).lower() for key in keys}) != len(keys):
            raise UndefinedBehaviour(f"{operator} of {place} has one key twice, in different case.")
        for key, values in keys.items():
            if not isinstance(key, str):
                _not_a_policy(f"a key of {operator} of {place} is not a string")
            blocks.append(Block(operator, key, _values(values, f"{operator} {key} of {place}")))
    return tuple(blocks)


def _values(values: object, place: str) -> tuple[str, ...]:
    entries = values if isinstance(values, list | tuple) else (values,)
    return tuple(_value(entry, place) for entry in entries)


def _value(value: object, place: str) -> str:
    # "Quotation marks are optional for numeric and Boolean values."
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        _not_a_policy(f"a value of {place} is {value!r}, not a string")
    return value


def _strings(values: object, place: str) -> tuple[str, ...]:
    entries = values if isinstance(values, list | tuple) else (values,)
    for entry in entries:
        if not isinstance(entry, str):
            _not_a_policy(f"{place} holds {entry!r}, not a string")
    return tuple(str(entry) for entry in entries)


def _known(element: Mapping[str, object], names: frozenset[str], place: str) -> None:
    for name in element:
        if name not in names:
            _not_a_policy(f"{place} has the unknown element {name!r}")


def _not_a_policy(why: str) -> NoReturn:
    raise UndefinedBehaviour(f"This is not a trust policy that IAM accepts: {why}.")
