"""Condition operators: what AWS documents of each, and of missing keys.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html,
.../reference_policies_condition-single-vs-multi-valued-context-keys.html (set operators) and
.../access-analyzer-reference-policy-checks.html (empty lists, Null with a set operator).
"""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from .comparisons import Comparison, comparison
from .model import UndefinedBehaviour
from .policy import Block
from .variables import Value

Verdict = bool | str
"""True, False, or in words why AWS leaves the answer undefined."""

Test = Callable[[Mapping[str, Value]], Verdict]
"""Judges a request's condition keys, which are in lower case."""

NEGATED: Final = frozenset({"StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike"})
_STRING: Final = frozenset({"StringEquals", "StringEqualsIgnoreCase", "StringLike"}) | NEGATED
_JUDGED: Final = _STRING | {"Bool", "Null"}
_OTHER_TYPES: Final = frozenset(
    f"{kind}{comparison}"
    for kind, comparisons in {
        "Numeric": ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"),
        "Date": ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"),
        "Arn": ("Equals", "NotEquals", "Like", "NotLike"),
        "Binary": ("Equals",),
        "": ("IpAddress", "NotIpAddress"),
    }.items()
    for comparison in comparisons
)

_OPERATOR: Final = re.compile(r"(?:(?P<set>ForAllValues|ForAnyValue):)?(?P<name>[A-Za-z]+?)(?P<exists>IfExists)?")


@dataclass(frozen=True)
class Operator:
    """A condition operator in its parts, ``[ForAllValues:|ForAnyValue:]NAME[IfExists]``."""

    name: str
    set_operator: str | None = None
    if_exists: bool = False

    @property
    def is_negated(self) -> bool:
        """Whether it wants the key not to match."""
        return self.name in NEGATED


@dataclass(frozen=True)
class Condition:
    """One operator, key and values, ready to judge requests."""

    block: Block
    operator: Operator
    test: Test


def operator_of(name: str) -> Operator:
    """Take an operator's name apart.

    IAM refuses a name in another case than documented ("Invalid Condition type : stringEquals",
    https://github.com/ministryofjustice/modernisation-platform-environments/pull/8893).

    Raises:
        UndefinedBehaviour: AWS has no such operator.
    """
    found = _OPERATOR.fullmatch(name)
    if not found or found["name"] not in _JUDGED | _OTHER_TYPES:
        base = re.sub(r"^[^:]*:|IfExists$", "", name)
        near = difflib.get_close_matches(base.lower(), [known.lower() for known in _JUDGED | _OTHER_TYPES], n=1)
        meant = next((known for known in sorted(_JUDGED | _OTHER_TYPES) if known.lower() in near), None)
        hint = f"; did you mean {meant}? IAM takes it only in this spelling" if meant else ""
        raise UndefinedBehaviour(f"AWS has no condition operator {name!r}{hint}.")
    operator = Operator(found["name"], found["set"], if_exists=found["exists"] is not None)
    if operator.name == "Null" and operator.if_exists:
        # "You can add IfExists to the end of any condition operator name except the Null condition."
        raise UndefinedBehaviour("AWS has no condition operator NullIfExists.")
    return operator


def check_form(block: Block) -> Operator:
    """Refuse an operator or a key that IAM does not store, whatever the statement is about.

    Raises:
        UndefinedBehaviour: It is no operator or no condition key.
    """
    if ":" not in block.key or "${" in block.key:
        # "Invalid condition key format: use the format service:keyname"; no variables in keys.
        raise UndefinedBehaviour(f"{block.key!r} is no condition key: AWS wants service:keyname.")
    return operator_of(block.operator)


def compile_condition(block: Block, *, has_variables: bool) -> Condition:
    """Make the test for one operator, key and values.

    Raises:
        UndefinedBehaviour: AWS does not define or not accept this condition, whatever the request.
    """
    operator = check_form(block)
    if operator.name in _OTHER_TYPES:
        # It may stand beside a condition that decides alone, or in a statement for other callers.
        return Condition(block, operator, lambda _: f"{block.operator} is not implemented here")
    if operator.name == "Null":
        return Condition(block, operator, _null(operator, block))
    if operator.name == "Bool":
        _booleans(block)
    compared = comparison(operator.name.replace("Not", ""), block.values, has_variables=has_variables)
    if operator.set_operator == "ForAllValues":
        test = _for_all_values(operator, block, compared)
    elif operator.set_operator == "ForAnyValue":
        test = _for_any_value(operator, block, compared)
    else:
        test = _single_value(operator, block, compared)
    return Condition(block, operator, test)


def _booleans(block: Block) -> frozenset[str]:
    if not set(block.values) <= {"true", "false"}:
        raise UndefinedBehaviour(f"{block.operator} compares with true and false, not with {block.values}.")
    return frozenset(block.values)


def _null(operator: Operator, block: Block) -> Test:
    wanted = _booleans(block)
    if operator.set_operator:
        # AWS calls this "Null with qualifier": "they always return a true or false respectively."
        always = operator.set_operator == "ForAllValues"
        return lambda _: always
    if not wanted:
        return lambda _: _empty_list(block)
    key = block.key.lower()

    def test(context: Mapping[str, Value]) -> Verdict:
        value = context.get(key)
        if value is not None and not value:
            return f"the value of {block.key} is empty, and AWS does not say whether that is null"
        return ("true" if value is None else "false") in wanted

    return test


def _single_value(operator: Operator, block: Block, compared: Comparison) -> Test:
    """Without a set operator: the key has one value, or is missing."""
    if not block.values and not operator.if_exists:
        return lambda _: _empty_list(block)
    key = block.key.lower()
    negated = operator.is_negated
    # A missing key does not match, so a negated operator is true; "If the key is not present, evaluate the
    # condition element as true" for IfExists.
    when_missing = negated or operator.if_exists

    def test(context: Mapping[str, Value]) -> Verdict:
        value = context.get(key)
        if value is None:
            return _unless_unresolved(when_missing, compared, context)
        if not isinstance(value, str):
            # "Multivalued context keys require a condition set operator."
            return f"{block.key} has several values and {block.operator} no set operator"
        if not block.values:
            return False  # "... with an empty condition key matches only if the key is missing"
        matched = compared(value, context)
        if isinstance(matched, str):
            return matched
        verdict = _unless_unresolved(matched is not negated, compared, context)
        if not value and verdict is not when_missing:
            return f"the value of {block.key} is empty, and AWS does not say whether that is missing"
        return verdict

    return test


def _for_all_values(operator: Operator, block: Block, compared: Comparison) -> Test:
    """ForAllValues: every value of the request passes, and so does a key without values."""
    key = block.key.lower()

    def test(context: Mapping[str, Value]) -> Verdict:
        verdict: Verdict = True
        for value in _members(context.get(key)):
            if not block.values:
                # "... matches only if the key is missing from the request context."
                return _empty_list(block) if operator.is_negated else False
            matched = compared(value, context)
            if isinstance(matched, str):
                verdict = matched
            elif matched is operator.is_negated:
                return False
        return _unless_unresolved(verdict, compared, context)

    return test


def _for_any_value(operator: Operator, block: Block, compared: Comparison) -> Test:
    """ForAnyValue: one value of the request passes; a key without values does not."""
    key = block.key.lower()

    def test(context: Mapping[str, Value]) -> Verdict:
        values = _members(context.get(key))
        if not values and operator.if_exists:
            return f"{block.operator} and no value of {block.key}: AWS documents both true and false"
        verdict: Verdict = False
        for value in values:
            if not block.values:
                # "... never matches the request context"
                return _empty_list(block) if operator.is_negated else False
            matched = compared(value, context)
            if isinstance(matched, str):
                verdict = matched
            elif matched is not operator.is_negated:
                return _unless_unresolved(True, compared, context)
        return verdict

    return test


def _members(value: Value | None) -> tuple[str, ...]:
    """A key's values for a set operator; a missing key and "a null dataset, such as an empty string" have none."""
    if not value:
        return ()
    return (value,) if isinstance(value, str) else value


def _unless_unresolved(verdict: Verdict, compared: Comparison, context: Mapping[str, Value]) -> Verdict:
    """An unresolvable variable "might cause the entire statement to be invalid": only a False is sure."""
    if verdict is True and compared.variables:
        return compared.unresolved(context) or verdict
    return verdict


def _empty_list(block: Block) -> str:
    return f"{block.operator} on {block.key} lists no values, which AWS documents in two ways"
