"""Why a trust policy lets a caller in or not: one short paragraph.

AWS says only "Not authorized to perform sts:AssumeRoleWithWebIdentity". Here a refusal names the statement that came
closest, the key, what it wanted, what the token has, and the likely mistake with its fix.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..claims import issuer_path
from .conditions import Condition
from .mistakes import action_mistake, key_mistake, principal_mistake, value_mistake
from .model import Request
from .statements import CompiledStatement
from .subject_mistakes import is_deployment_beside_esc
from .variables import Value

_SHOWN: Final = 3
_COMPARED: Final = 512
"""Characters of a value that are compared to find the nearest: subjects have 255, hostile tokens up to 20,000."""


@dataclass(frozen=True)
class Miss:
    """One condition that did not hold: how far off it was, what happened, and why it probably did.

    Attributes:
        similarity: 0 to 1, of the nearest wanted value and the token's.
        text: Key, what it wanted, what the token has.
        mistake: The likely mistake, if one was recognized.
        is_telling: Whether the mistake explains all the others away.
    """

    similarity: float
    text: str
    mistake: str | None
    is_telling: bool = False


def explain_allow(statement: CompiledStatement) -> str:
    """Which statement lets the caller in."""
    return f"{_sentence(statement.written.name)} allows it: principal, action and every condition match."


def explain_deny(statement: CompiledStatement, context: Mapping[str, Value]) -> str:
    """Which statement shuts the caller out."""
    held = "; ".join(
        f"{_wanted(condition)}, and {_state(context.get(condition.block.key.lower()))}"
        for condition in statement.conditions
    )
    return (
        f"{_sentence(statement.written.name)} denies it explicitly, and a Deny outweighs every Allow. Everything in it "
        f"applies to this request: {held or 'it has no condition'}. Narrow its conditions, or leave it if this caller "
        "is meant to be refused."
    )


def explain_refusal(
    allows: Sequence[CompiledStatement], request: Request, arn: str, context: Mapping[str, Value]
) -> str:
    """Why no Allow statement applies, by the one that came closest."""
    if not allows:
        return "The trust policy has no Allow statement, and what is not allowed is refused."
    closest = max(allows, key=lambda statement: _closeness(statement, request, arn, context))
    others = f", the closest of {len(allows)} Allow statements," if len(allows) > 1 else ""
    name = f"{_sentence(closest.written.name)}{others}"
    if not closest.covers_principal(arn):
        return _principal_reason(name, closest, arn)
    if not closest.covers_action:
        verb = "excludes" if closest.written.excluding_actions else "allows only"
        listed = ", ".join(closest.written.actions) or "no action"
        return f"{name} {verb} {listed}. Likely mistake: {action_mistake(closest.written.actions)}"
    misses = _misses(closest, request, context)
    text = "; ".join(miss.text for miss in misses)
    telling = [miss for miss in misses if miss.is_telling] or misses
    mistakes = list(dict.fromkeys(miss.mistake for miss in telling if miss.mistake))
    likely = f" Likely mistake: {' Also: '.join(mistakes)}" if mistakes else ""
    return f"{name} does not apply: {text}.{likely}"


def _principal_reason(name: str, closest: CompiledStatement, arn: str) -> str:
    names = [principal for kind in closest.written.principals.values() for principal in kind]
    listed = _list(names) if names else "nobody"
    return f"{name} trusts {listed}, and the token comes through {arn}. Likely mistake: {principal_mistake(names, arn)}"


def _closeness(
    statement: CompiledStatement, request: Request, arn: str, context: Mapping[str, Value]
) -> tuple[bool, bool, int, float]:
    misses = _misses(statement, request, context)
    return (
        statement.covers_principal(arn),
        statement.covers_action,
        -len(misses),
        sum(miss.similarity for miss in misses),
    )


def _misses(statement: CompiledStatement, request: Request, context: Mapping[str, Value]) -> list[Miss]:
    return [
        _miss(condition, request, context) for condition in statement.conditions if condition.test(context) is False
    ]


def _miss(condition: Condition, request: Request, context: Mapping[str, Value]) -> Miss:
    key, operator = condition.block.key, condition.block.operator
    value = context.get(key.lower())
    if condition.operator.name == "Null":
        return Miss(0, f"{_wanted(condition)}, and {_state(value)}", None)
    if value is None:
        return Miss(
            0,
            f"{_wanted(condition)}, and {_state(value)}",
            key_mistake(key, issuer_path(request.issuer), list(context)),
        )
    if not condition.block.values:
        return Miss(0, f"{operator} on `{key}` lists no value, so nothing matches it", None)
    had = value if isinstance(value, str) else ", ".join(value)
    if condition.operator.is_negated:
        return Miss(0.5, f"{_wanted(condition)}, and {_state(value)}", None)
    nearest = max(condition.block.values, key=lambda wanted: _similarity(wanted, had))
    claim = key.rpartition(":")[2].lower() if key.lower().startswith(f"{issuer_path(request.issuer).lower()}:") else key
    return Miss(
        _similarity(nearest, had),
        f"{_wanted(condition, nearest)}, and {_state(value)}",
        value_mistake(claim, operator, nearest, had, request.claims.get("sub")),
        is_telling=claim == "sub" and is_deployment_beside_esc(nearest, had),
    )


def _state(value: Value | None) -> str:
    if value is None:
        return "the request has no such key"
    return f"the request has {value!r}" if isinstance(value, str) else f"the request has {list(value)}"


def _wanted(condition: Condition, nearest: str | None = None) -> str:
    block = condition.block
    if condition.operator.name == "Null":
        return f"{block.operator} wants `{block.key}` {'missing' if 'true' in block.values else 'present'}"
    be = "not to be" if condition.operator.is_negated else "to be"
    others = len(block.values) - 1
    if nearest is not None and others:
        return f"{block.operator} wants `{block.key}` {be} {nearest!r} (the nearest of {others + 1} values)"
    return f"{block.operator} wants `{block.key}` {be} {_list([repr(value) for value in block.values])}"


def _list(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return " or ".join(names[:_SHOWN]) + (f" or {more} more" if more > 0 else "")


def _similarity(wanted: str, had: str) -> float:
    return difflib.SequenceMatcher(None, wanted[:_COMPARED], had[:_COMPARED], autojunk=False).ratio()


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
