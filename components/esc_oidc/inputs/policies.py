"""Inline policies, as IAM's grammar has them.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from .violations import Problem, listed, nearest, shown

MAX_INLINE_POLICIES: Final = 10_240
"""Characters without white space that the inline policies of one role may have, all together.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

_MAX_DOCUMENT: Final = 131_072
_CHARACTERS: Final = re.compile(r"[\t\n\r\x20-\xff]*")
_VERSIONS: Final = ("2012-10-17", "2008-10-17")
_POLICY: Final = ("Version", "Id", "Statement")
_STATEMENT: Final = ("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition")
_EFFECTS: Final = ("Allow", "Deny")
_SID: Final = re.compile(r"[A-Za-z0-9]*")
_ACTION: Final = re.compile(r"\*|[^:\s]+:[^:\s]+")
_RESOURCE: Final = re.compile(r"\*|arn:(?:[^:]*:){4}.+", re.DOTALL)
_OPERATOR: Final = re.compile(
    "(?:For(?:All|Any)Values:)?(?:"
    "String(?:Not)?(?:Equals(?:IgnoreCase)?|Like)|Numeric(?:(?:Not)?Equals|(?:Less|Greater)Than(?:Equals)?)|"
    "Date(?:(?:Not)?Equals|(?:Less|Greater)Than(?:Equals)?)|Bool|BinaryEquals|(?:Not)?IpAddress|"
    "Arn(?:Not)?(?:Equals|Like))(?:IfExists)?|Null",
    re.IGNORECASE,
)
"""Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"""


class _RefusedError(ValueError):
    """What IAM's grammar does not have."""


def written(policy: Mapping[Any, Any]) -> Any:
    """A policy that was given as a dict, as JSON; the dict itself if there is no JSON for it."""
    try:
        return _json(policy)
    except (TypeError, ValueError):
        return policy


def unwritten(policy: Mapping[Any, Any]) -> tuple[str, str]:
    """Why there is no JSON for this dict, and what to do."""
    try:
        _json(policy)
    except (TypeError, ValueError) as error:
        reason = error
    return "it can't be written as JSON.", f"Use only dicts, lists, strings, numbers and booleans in it: {reason}."


def _json(policy: Mapping[Any, Any]) -> str:
    return json.dumps(policy, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def inline_policy(value: str) -> Problem | None:
    """A policy document, as JSON."""
    try:
        document = json.loads(
            value, object_pairs_hook=_without_duplicates, parse_constant=_no_constant, parse_float=_finite
        )
        # What JSON escapes is in the policy, too.
        unescaped = json.dumps(document, ensure_ascii=False)
    except _RefusedError as error:
        return Problem("an inline policy is JSON as IAM reads it.", f"Correct it: {error}.")
    except (ValueError, RecursionError) as error:
        rule = "an inline policy is a JSON object with a `Statement`."
        return Problem(rule, f"It is not JSON: {error}. Pass a dict, or json.dumps of one.")
    if len(value) > _MAX_DOCUMENT:
        return Problem(f"AWS takes policies of at most {_MAX_DOCUMENT:,} characters.", "Leave the white space out.")
    if not all(_CHARACTERS.fullmatch(text) for text in (value, unescaped)):
        rule = "IAM takes only Latin-1 characters in a policy: U+0020 to U+00FF, tabs and line ends."
        return Problem(rule, "Write it without the others.")
    wrong = list(_wrong_in_policy(document))
    if wrong:
        return Problem("an inline policy has IAM's grammar.", f"Correct it: {' '.join(wrong[0])}.")
    return None


def _without_duplicates(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _RefusedError(f"the key {shown(key)} stands twice in one object")
        found[key] = value
    return found


def _finite(number: str) -> float:
    if not math.isfinite(value := float(number)):
        raise _RefusedError(f"{number} is too large a number")
    return value


def _no_constant(name: str) -> None:
    raise _RefusedError(f"{name} is not a number in JSON")


def _wrong_in_policy(policy: object) -> Iterator[tuple[str, str]]:
    """Where a policy breaks the grammar, and how."""
    if not isinstance(policy, dict) or "Statement" not in policy:
        yield "it", "must be a JSON object with a `Statement`"
        return
    yield from _unknown(policy, _POLICY, "the policy")
    if policy.get("Version", _VERSIONS[0]) not in _VERSIONS:
        yield "`Version`", f"must be one of {listed(_VERSIONS)}"
    if not isinstance(policy.get("Id", ""), str):
        yield "`Id`", "must be a string"
    statements = policy["Statement"]
    statements = statements if isinstance(statements, list) else [statements]
    if not statements:
        yield "`Statement`", "must have at least one statement"
    sids: set[object] = set()
    for index, statement in enumerate(statements):
        place = f"`Statement[{index}]`"
        if not isinstance(statement, dict):
            yield place, "must be a JSON object"
            continue
        yield from _wrong_in_statement(place, statement)
        sid = statement.get("Sid")
        if isinstance(sid, str):
            if sid in sids:
                yield place, "must not have the `Sid` of another statement"
            sids.add(sid)


def _wrong_in_statement(place: str, statement: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for principal in ("Principal", "NotPrincipal"):
        if principal in statement:
            yield place, f"must not have a `{principal}`, because the policy of a role is about the role itself"
    yield from _unknown(statement, (*_STATEMENT, "Principal", "NotPrincipal"), place)
    sid = statement.get("Sid", "")
    if not isinstance(sid, str) or not _SID.fullmatch(sid):
        yield f"`Sid` in {place}", "must have letters and digits only"
    if statement.get("Effect") not in _EFFECTS:
        yield f"`Effect` in {place}", f"must be {' or '.join(f'`{effect}`' for effect in _EFFECTS)}, exactly so"
    yield from _wrong_choice(place, statement, "Action", _ACTION, "`*` or written like `s3:GetObject`")
    yield from _wrong_choice(place, statement, "Resource", _RESOURCE, "`*` or ARNs")
    yield from _wrong_in_condition(f"`Condition` in {place}", statement.get("Condition", {}))


def _wrong_choice(
    place: str, statement: Mapping[str, Any], name: str, form: re.Pattern[str], what: str
) -> Iterator[tuple[str, str]]:
    given = [key for key in (name, f"Not{name}") if key in statement]
    if len(given) != 1:
        yield place, f"must have either `{name}` or `Not{name}`"
        return
    values = statement[given[0]]
    values = values if isinstance(values, list) else [values]
    if not values or not all(isinstance(value, str) and form.fullmatch(value) for value in values):
        yield f"`{given[0]}` in {place}", f"must be one string or a list of them, {what}"


def _wrong_in_condition(place: str, condition: object) -> Iterator[tuple[str, str]]:
    if not isinstance(condition, dict) or not all(isinstance(keys, dict) for keys in condition.values()):
        yield place, "must be a JSON object of operators, each with an object of condition keys"
        return
    for operator, keys in condition.items():
        if not _OPERATOR.fullmatch(operator):
            yield place, f"must not have {shown(operator)}, which is no condition operator"
        for key, values in keys.items():
            each = values if isinstance(values, list) else [values]
            if not each or not all(isinstance(value, str | int | float) for value in each):
                yield f"{shown(key)} in {place}", "must have one value or a list of them: strings, numbers or booleans"


def _unknown(given: Mapping[str, Any], known: Iterable[str], place: str) -> Iterator[tuple[str, str]]:
    for name in given:
        if name not in known:
            guess = nearest(name, known)
            yield place, f"must not have the element {shown(name)}" + (f" (did you mean `{guess}`?)" if guess else "")
