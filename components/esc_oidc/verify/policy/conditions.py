"""Condition operators: what AWS documents of each, and of missing keys.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html,
.../reference_policies_condition-single-vs-multi-valued-context-keys.html (set operators) and
.../access-analyzer-reference-policy-checks.html (empty lists, Null with a set operator).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ..undefined import Undefined, UndefinedBehaviour, Verdict
from .document import Block
from .values import Literal, Resolved, Template, Text, Value, Variable, expression, is_pattern, literal, parse, resolve

_LAST_OF_BASIC_PLANE: Final = "\uffff"
_ASCII_UPPER: Final = {ord(upper): upper.lower() for upper in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


class StringEquals:
    """Compares exactly. It is made of the values that a condition lists."""

    def __init__(self, values: Sequence[Resolved]) -> None:
        self.exact = frozenset(map(literal, values))

    def matches(self, value: str) -> Verdict:
        """Whether the request's value matches any of the listed ones."""
        return value in self.exact


class StringEqualsIgnoreCase(StringEquals):
    """Compares without regard to case, which AWS does not define outside ASCII."""

    def __init__(self, values: Sequence[Resolved]) -> None:
        super().__init__(values)
        self.lower = frozenset(value.translate(_ASCII_UPPER) for value in self.exact)
        self.folded = frozenset(value.casefold() for value in self.exact)

    def matches(self, value: str) -> Verdict:
        """Whether it matches, if every way of ignoring case agrees."""
        matched = value.translate(_ASCII_UPPER) in self.lower
        if matched is not (value.casefold() in self.folded):
            return Undefined(f"AWS does not say which letters outside ASCII IgnoreCase takes as one ({value!r})")
        return matched


class StringLike(StringEquals):
    """Compares exactly, but ``*`` stands for any run of characters and ``?`` for one."""

    def __init__(self, values: Sequence[Resolved]) -> None:
        super().__init__([value for value in values if not is_pattern(value)])
        patterns = [value for value in values if is_pattern(value)]
        alternatives = "|".join(f"(?:{expression(pattern)})" for pattern in patterns)
        self.pattern = re.compile(alternatives, re.DOTALL) if patterns else None
        self.counts_characters = any(isinstance(part, Text) and "?" in part.text for each in patterns for part in each)

    def matches(self, value: str) -> Verdict:
        """Whether it is among the values or matches a pattern."""
        if self.pattern is None:
            return value in self.exact
        if self.counts_characters and not value.isascii() and max(value) > _LAST_OF_BASIC_PLANE:
            return Undefined(f"AWS does not say whether ? is a character or half of one ({value!r})")
        return value in self.exact or self.pattern.fullmatch(value) is not None


class Bool(StringEquals):
    """Compares ``true`` and ``false``."""

    def matches(self, value: str) -> Verdict:
        """Whether it is the listed truth value; what AWS makes of another string is not documented."""
        if value not in _TRUTH:
            return Undefined(f"Bool compares true and false, and the request has {value!r}")
        return value in self.exact


class Null(StringEquals):
    """``true`` wants the key missing, ``false`` wants it present."""


_TRUTH: Final = frozenset({"true", "false"})
_STRINGS: Final = {"Equals": StringEquals, "EqualsIgnoreCase": StringEqualsIgnoreCase, "Like": StringLike}
_NEGATED: Final = {f"StringNot{name}": compares for name, compares in _STRINGS.items()}
"""They hold where the same without `Not` does not; so they hold for a missing key, which matches nothing."""

_JUDGED: Final = {**{f"String{name}": compares for name, compares in _STRINGS.items()}, **_NEGATED}
_JUDGED.update(Bool=Bool, Null=Null)
_ORDERED: Final = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
_NOT_JUDGED: Final = {
    *(f"{kind}{comparison}" for kind in ("Numeric", "Date") for comparison in _ORDERED),
    *("ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike", "BinaryEquals", "IpAddress", "NotIpAddress"),
}
"""Operators that AWS has for what no token of Pulumi Cloud has."""

_QUALIFIED: Final = re.compile(r"(?:(?P<set>ForAllValues|ForAnyValue):)?(?P<name>[A-Za-z]+?)(?P<exists>IfExists)?")


@dataclass(frozen=True)
class Operator:
    """A condition operator as written: ``[ForAllValues:|ForAnyValue:]NAME[IfExists]``.

    Attributes:
        name: The operator.
        set_operator: ``ForAllValues``, ``ForAnyValue`` or None.
        if_exists: Whether a missing key satisfies it.
        compares: What the name does; None for one that is not implemented here.
        is_negated: Whether it wants the key not to match.
    """

    name: str
    set_operator: str | None
    if_exists: bool
    compares: type[StringEquals] | None
    is_negated: bool


@lru_cache(maxsize=256)
def operator_of(name: str) -> Operator:
    """Take an operator's name apart.

    IAM refuses a name in another case than documented ("Invalid Condition type : stringEquals",
    https://github.com/ministryofjustice/modernisation-platform-environments/pull/8893).

    Raises:
        UndefinedBehaviour: AWS has no such operator.
    """
    found = _QUALIFIED.fullmatch(name)
    if not found or not (found["name"] in _JUDGED or found["name"] in _NOT_JUDGED):
        raise UndefinedBehaviour(_unknown(name))
    if found["name"] == "Null" and found["exists"]:
        # "You can add IfExists to the end of any condition operator name except the Null condition."
        raise UndefinedBehaviour("AWS has no condition operator NullIfExists.")
    base = found["name"]
    return Operator(base, found["set"], found["exists"] is not None, _JUDGED.get(base), base in _NEGATED)


@lru_cache(maxsize=256)
def _unknown(name: str) -> str:
    import difflib  # noqa: PLC0415 - only a misspelled operator waits for it

    by_lower_case = {each.lower(): each for each in sorted({*_JUDGED, *_NOT_JUDGED})}
    near = difflib.get_close_matches(re.sub(r"^[^:]*:|IfExists$", "", name).lower(), by_lower_case, n=1)
    hint = f"; did you mean {by_lower_case[near[0]]}? IAM takes only this spelling" if near else ""
    return f"AWS has no condition operator {name!r}{hint}."


@dataclass(frozen=True)
class Condition:
    """One operator, key and list of values, ready to judge requests: this class one of an operator not implemented.

    Attributes:
        block: The condition as written.
        operator: Its operator.
        key: Its key, in lower case.
    """

    block: Block
    operator: Operator
    key: str

    def test(self, context: Mapping[str, Value]) -> Verdict:
        """Whether it holds for a request's condition keys, which are in lower case."""
        del context  # another condition may decide alone, and the statement may be for other callers
        return Undefined(f"{self.block.operator} is not implemented here")


@dataclass(frozen=True)
class _Presence(Condition):
    """Null, with or without a set operator."""

    def test(self, context: Mapping[str, Value]) -> Verdict:
        if self.operator.set_operator:
            # AWS calls this "Null with qualifier": "they always return a true or false respectively."
            return self.operator.set_operator == "ForAllValues"
        if not self.block.values:
            return _empty_list(self.block)
        value = context.get(self.key)
        if value is not None and not value:
            return Undefined(f"the value of {self.block.key} is empty, and AWS does not say whether that is null")
        return ("true" if value is None else "false") in self.block.values


@dataclass(frozen=True)
class _Comparison(Condition):
    """Without a set operator: the key has one value, or is missing.

    Attributes:
        compared: The listed values that have no variables.
        variables: Those that have some, resolved for each request.
    """

    compared: StringEquals
    variables: tuple[Template, ...]

    def test(self, context: Mapping[str, Value]) -> Verdict:  # noqa: PLR0911 - one for each rule
        if not self.block.values and not self.operator.if_exists:
            return _empty_list(self.block)
        value = context.get(self.key)
        is_negated = self.operator.is_negated
        # "If the key is not present, evaluate the condition element as true" for IfExists.
        when_missing = is_negated or self.operator.if_exists
        if value is None:
            return self._unless_unresolved(when_missing, context)
        if not isinstance(value, str):
            # "Multivalued context keys require a condition set operator."
            return Undefined(f"{self.block.key} has several values and {self.block.operator} no set operator")
        if not self.block.values:
            return False  # "... with an empty condition key matches only if the key is missing"
        matched = self._matches(value, context)
        if isinstance(matched, Undefined):
            return matched
        verdict = self._unless_unresolved(matched is not is_negated, context)
        if not value and verdict is not when_missing:
            return Undefined(f"the value of {self.block.key} is empty, and AWS does not say whether that is missing")
        return verdict

    def _matches(self, value: str, context: Mapping[str, Value]) -> Verdict:
        """Whether a value matches any of the listed ones; unresolvable variables match nothing."""
        matched = self.compared.matches(value)
        if matched is not False or not self.variables:
            return matched
        resolved = resolve(self.variables, context)
        return resolved if isinstance(resolved, Undefined) else type(self.compared)(resolved).matches(value)

    def _unless_unresolved(self, verdict: Verdict, context: Mapping[str, Value]) -> Verdict:
        """An unresolvable variable "might cause the entire statement to be invalid": only False is certain."""
        if verdict is True and self.variables:
            for template in self.variables:
                for part in template:
                    if isinstance(part, Variable) and part.default is None and part.key not in context:
                        return Undefined(f"the policy variable ${{{part.key}}} has no value in this request")
        return verdict


@dataclass(frozen=True)
class _SetComparison(_Comparison):
    """With a set operator: of the request's values, all must pass or any."""

    def test(self, context: Mapping[str, Value]) -> Verdict:
        value = context.get(self.key)
        # "A null dataset, such as an empty string", counts like a missing key: ForAllValues is true, ForAnyValue false.
        values = () if not value else (value,) if isinstance(value, str) else value
        wants_all = self.operator.set_operator == "ForAllValues"
        if not values and self.operator.if_exists and not wants_all:
            return Undefined(
                f"{self.block.operator} and no value of {self.block.key}: AWS documents both true and false"
            )
        if values and not self.block.values:
            # AWS documents "... matches only if the key is missing" for ForAllValues, and "... never matches" for
            # ForAnyValue; of negated operators it says nothing that agrees with it.
            return _empty_list(self.block) if self.operator.is_negated else False
        verdict: Verdict = wants_all
        for each in values:
            matched = self._matches(each, context)
            if isinstance(matched, Undefined):
                verdict = matched
            elif (matched is not self.operator.is_negated) is not wants_all:
                # One that fails decides for all; one that passes, for any.
                return self._unless_unresolved(not wants_all, context)
        return self._unless_unresolved(verdict, context)


def check_form(block: Block) -> Operator:
    """Refuse an operator or a key that IAM does not store, whatever the statement is about.

    Raises:
        UndefinedBehaviour: It is no operator or no condition key.
    """
    if ":" not in block.key or "${" in block.key:
        # "Invalid condition key format: use the format service:keyname"; no variables in keys.
        raise UndefinedBehaviour(f"{block.key!r} is no condition key: AWS wants service:keyname.")
    return operator_of(block.operator)


def compile_condition(block: Block, operator: Operator, *, has_variables: bool) -> Condition:
    """Prepare a condition to judge requests.

    Args:
        block: The condition as written.
        operator: What `check_form` made of its operator.
        has_variables: Whether ``${...}`` is a variable in this document.

    Raises:
        UndefinedBehaviour: AWS does not define or does not accept this condition, whatever the request.
    """
    key, compare = block.key.lower(), operator.compares
    if compare is None:
        return Condition(block, operator, key)
    if compare in {Bool, Null} and not _TRUTH.issuperset(block.values):
        raise UndefinedBehaviour(f"{block.operator} compares with true and false, not with {block.values}.")
    if compare is Null:
        return _Presence(block, operator, key)
    fixed: list[Resolved] = []
    variables: list[Template] = []
    for value in block.values:
        template = parse(value, has_variables=has_variables)
        resolved = tuple(part for part in template if not isinstance(part, Variable))
        if len(resolved) == len(template):
            fixed.append(resolved)
        else:
            variables.append(template)
        # Outside a pattern these characters are ordinary, so nothing says what escaping them gives.
        if compare is not StringLike and any(isinstance(part, Literal) and part.text != "$" for part in resolved):
            raise UndefinedBehaviour(f"AWS does not say what ${{*}} and ${{?}} are under {operator.name}.")
    kind = _SetComparison if operator.set_operator else _Comparison
    return kind(block, operator, key, compare(fixed), tuple(variables))


def _empty_list(block: Block) -> Undefined:
    return Undefined(f"{block.operator} on {block.key} lists no values, which AWS documents in two ways")
