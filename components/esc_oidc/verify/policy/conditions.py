"""Condition operators: what AWS documents of each, and of missing keys.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html,
.../reference_policies_condition-single-vs-multi-valued-context-keys.html (set operators) and
.../access-analyzer-reference-policy-checks.html (empty lists, Null with a set operator).
"""

import operator
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Final

from ..undefined import Depends, Undefined, UndefinedBehaviour, Verdict
from .document import Block
from .values import (
    Context,
    Literal,
    Resolved,
    Template,
    Text,
    Variable,
    expression,
    is_pattern,
    is_unknown,
    literal,
    parse,
    resolve,
)

if TYPE_CHECKING:
    from decimal import Decimal
    from ipaddress import IPv4Network, IPv6Network

    _Range = IPv4Network | IPv6Network

_LAST_OF_BASIC_PLANE: Final = "\uffff"
_ASCII_UPPER: Final = {ord(upper): upper.lower() for upper in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_TRUTH: Final = frozenset({"true", "false"})

# One class for each operator. An operator with `Not` in its name holds where the one without does not; so it holds for
# a missing key, which matches nothing.


class Comparison(ABC):
    """What an operator makes of the values that a condition lists.

    Attributes:
        kind: What it compares with, in words.
        has_variables: Whether policy variables in its values are replaced.
    """

    kind: ClassVar[str] = "strings"
    has_variables: ClassVar[bool] = True

    @abstractmethod
    def __init__(self, values: Sequence[Resolved]) -> None:
        """Prepare for the listed values."""

    @classmethod
    def takes(cls, text: str) -> bool:
        """Whether a condition may list this value."""
        return isinstance(text, str)

    @abstractmethod
    def matches(self, value: str) -> Verdict:
        """Whether the request's value matches any of the listed ones."""


class StringEquals(Comparison):
    """Compares exactly."""

    def __init__(self, values: Sequence[Resolved]) -> None:
        self.exact = frozenset(map(literal, values))

    def matches(self, value: str) -> Verdict:
        """Whether it is among the values."""
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


class ArnLike(Comparison):
    """Compares each of an ARN's six parts by itself, with wildcards, and in case.

    "Each of the six colon-delimited components of the ARN is checked separately", "ArnEquals and ArnLike behave
    identically".
    """

    kind = "ARNs"

    def __init__(self, values: Sequence[Resolved]) -> None:
        listed = [_parts_of_arn(value) for value in values]
        self.arns = [[re.compile(expression(part), re.DOTALL) for part in parts] for parts in listed if parts]
        self.others = [literal(value) for value, parts in zip(values, listed, strict=True) if not parts]

    def matches(self, value: str) -> Verdict:
        """Whether it matches a listed ARN; AWS does not say what it does with anything else."""
        parts = value.split(":", 5)
        if parts[0] != "arn" or len(parts) != _PARTS_OF_ARN:
            return Undefined(f"{type(self).__name__} compares ARNs, and the request has {value!r}")
        if any(all(map(re.Pattern.fullmatch, patterns, parts)) for patterns in self.arns):
            return True
        return Undefined(f"{self.others[0]!r} is not an ARN of six parts") if self.others else False


class ArnEquals(ArnLike):
    """The same."""


_PARTS_OF_ARN: Final = 6


def _parts_of_arn(value: Resolved) -> list[Resolved] | None:
    """The six parts of an ARN; None of something else. What stands for a variable separates no parts."""
    parts: list[list[Text | Literal]] = [[]]
    for part in value:
        if isinstance(part, Literal):
            parts[-1].append(part)
            continue
        first, *rest = part.text.split(":", _PARTS_OF_ARN - len(parts))
        parts[-1].append(Text(first))
        parts.extend([Text(text)] for text in rest)
    is_arn = len(parts) == _PARTS_OF_ARN and literal(tuple(parts[0])) == "arn"
    return [tuple(part) for part in parts] if is_arn else None


class _Fixed(Comparison):
    """Compares what has a form of its own, in which AWS supports neither policy variables nor wildcards."""

    has_variables = False

    def _not_of_this_form(self, value: str) -> Undefined:
        return Undefined(f"{type(self).__name__} compares {self.kind}, and the request has {value!r}")


class NumericEquals(_Fixed):
    """Compares an integer or a decimal."""

    kind = "numbers"

    def __init__(self, values: Sequence[Resolved]) -> None:
        self.listed = [_number(literal(value)) for value in values]

    @classmethod
    def takes(cls, text: str) -> bool:
        """Whether it is an integer or a decimal."""
        return _NUMBER.fullmatch(text) is not None

    def matches(self, value: str) -> Verdict:
        """Whether the number has this relation to a listed one."""
        if not self.takes(value):
            return self._not_of_this_form(value)
        number = _number(value)
        return any(self.relation(number, each) for each in self.listed)

    relation: "ClassVar[staticmethod[[Any, Any], bool]]" = staticmethod(operator.eq)
    """Whether the request's number is to a listed one as the operator says."""


class NumericLessThan(NumericEquals):
    """Less than a listed number."""

    relation = staticmethod(operator.lt)


class NumericLessThanEquals(NumericEquals):
    """At most a listed number."""

    relation = staticmethod(operator.le)


class NumericGreaterThan(NumericEquals):
    """More than a listed number."""

    relation = staticmethod(operator.gt)


class NumericGreaterThanEquals(NumericEquals):
    """At least a listed number."""

    relation = staticmethod(operator.ge)


class DateEquals(_Fixed):
    """Compares a moment, in a form of https://www.w3.org/TR/NOTE-datetime or in seconds since 1970."""

    kind = "dates (2026-01-31T12:00:00Z, or seconds since 1970)"

    def __init__(self, values: Sequence[Resolved]) -> None:
        self.listed = [(text, span) for text in map(literal, values) if (span := _span(text))]

    @classmethod
    def takes(cls, text: str) -> bool:
        """Whether it is a date, with or without a time, or a number of seconds."""
        return _span(text) is not None

    def matches(self, value: str) -> Verdict:
        """Whether the moment has this relation to a listed one, wherever in a day or year that one may be."""
        got = _span(value)
        if got is None:
            return self._not_of_this_form(value)
        verdict: Verdict = False
        for text, listed in self.listed:
            is_moment = got[0] == got[1] and listed[0] == listed[1]
            if not is_moment and got[0] <= listed[1] and listed[0] <= got[1]:
                verdict = Undefined(f"AWS does not say which moment is meant where {value!r} is compared with {text!r}")
            elif self.relation(got[0], listed[0]):
                return True
        return verdict

    relation: "ClassVar[staticmethod[[Any, Any], bool]]" = staticmethod(operator.eq)
    """Whether the request's moment is to a listed one as the operator says."""


class DateLessThan(DateEquals):
    """Before a listed moment."""

    relation = staticmethod(operator.lt)


class DateLessThanEquals(DateEquals):
    """At a listed moment, or before it."""

    relation = staticmethod(operator.le)


class DateGreaterThan(DateEquals):
    """After a listed moment."""

    relation = staticmethod(operator.gt)


class DateGreaterThanEquals(DateEquals):
    """At a listed moment, or after it."""

    relation = staticmethod(operator.ge)


def _number(text: str) -> "Decimal":
    from decimal import Decimal  # noqa: PLC0415 - few policies compare numbers

    return Decimal(text)


_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?")
_W3C: Final = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9]{2}:[0-9]{2})(:[0-9]{2}(?:\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2}))?)?)?"
)
_EARLIEST, _LATEST = 14, 12
"""Hours by which local time is ahead of UTC, or behind: the day of a date without a time can be that of any place."""


@lru_cache(maxsize=256)
def _span(text: str) -> tuple[float, float] | None:
    """The first and the last moment that a date can mean, in seconds since 1970; None if it is no date."""
    parts = _W3C.fullmatch(text)
    if not parts:
        return (float(text), float(text)) if _NUMBER.fullmatch(text) else None
    from datetime import datetime, timedelta  # noqa: PLC0415 - few policies compare dates

    year, month, day, minute, second, zone = parts.groups()
    try:
        begin = datetime.fromisoformat(
            f"{year}-{month or '01'}-{day or '01'}T{minute or '00:00'}{_six_digits(second or ':00')}{zone or '+00:00'}"
        )
        if zone:
            return begin.timestamp(), (begin if second else begin + timedelta(minutes=1)).timestamp()
        days = 1 if day else 31 if month else 366
        first, last = begin - timedelta(hours=_EARLIEST), begin + timedelta(days, hours=_LATEST)
    except (ValueError, OverflowError):
        return None
    # Four digits are a year, or as many seconds after the beginning of 1970.
    return first.timestamp() if month else float(text), last.timestamp()


def _six_digits(second: str) -> str:
    """Seconds with as many decimals as every Python reads."""
    whole, _, decimals = second.partition(".")
    return f"{whole}.{decimals:0<6}"


class Bool(Comparison):
    """Compares ``true`` and ``false``."""

    kind = "true and false"

    def __init__(self, values: Sequence[Resolved]) -> None:
        self.exact = frozenset(map(literal, values))

    @classmethod
    def takes(cls, text: str) -> bool:
        """Whether it is one of the two."""
        return text in _TRUTH

    def matches(self, value: str) -> Verdict:
        """Whether it is the listed truth value; what AWS makes of another string is not documented."""
        if other := sorted({value, *self.exact} - _TRUTH):
            return Undefined(f"Bool compares true and false, not {other[0]!r}")
        return value in self.exact


class BinaryEquals(_Fixed):
    """Compares bytes, which both sides write in base64."""

    kind = "bytes in base64"

    def __init__(self, values: Sequence[Resolved]) -> None:
        self.listed = frozenset(_bytes(literal(value)) for value in values)

    @classmethod
    def takes(cls, text: str) -> bool:
        """Whether it is base64."""
        return _bytes(text) is not None

    def matches(self, value: str) -> Verdict:
        """Whether it is the same bytes, byte for byte."""
        return _bytes(value) in self.listed if self.takes(value) else self._not_of_this_form(value)


def _bytes(text: str) -> bytes | None:
    import binascii  # noqa: PLC0415 - few policies compare bytes
    from base64 import b64decode  # noqa: PLC0415 - the same

    try:
        return b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None


class IpAddress(_Fixed):
    """Compares an IPv4 or IPv6 address with addresses and CIDR ranges."""

    kind = "IP addresses"

    def __init__(self, values: Sequence[Resolved]) -> None:
        self.listed = [(text, ranges) for text in map(literal, values) if (ranges := _ranges(text))]

    @classmethod
    def takes(cls, text: str) -> bool:
        """Whether it is an address, or a range in CIDR form."""
        return _ranges(text) is not None

    def matches(self, value: str) -> Verdict:
        """Whether it is in a listed range, by every reading of that range."""
        from ipaddress import ip_address  # noqa: PLC0415 - few policies compare addresses

        try:
            address = ip_address(value)
        except ValueError:
            return self._not_of_this_form(value)
        verdict: Verdict = False
        for text, (least, most) in self.listed:
            if address in least:
                return True
            if address in most:
                verdict = Undefined(f"AWS does not say whether {text!r} is a range that has {value!r}")
        return verdict


@lru_cache(maxsize=256)
def _ranges(text: str) -> "tuple[_Range, _Range] | None":
    """The smallest and the largest range that a text can mean; None if it is none.

    "If you specify an IP address without the associated routing prefix, IAM uses the default prefix value of /32",
    which for IPv6 would be a range that nobody means. Nor does AWS say what it does with bits behind the prefix.
    """
    from ipaddress import ip_network  # noqa: PLC0415 - few policies compare addresses

    address, slash, prefix = text.partition("/")
    try:
        alone = ip_network(address)
        if slash and not (prefix.isascii() and prefix.isdigit()):
            return None
        whole = ip_network(f"{address}/{prefix or 32}", strict=False)
    except ValueError:
        return None
    return (whole if slash and whole.network_address == alone.network_address else alone), whole


class Null(Bool):
    """``true`` wants the key missing, ``false`` wants it present. "You can not use a policy variable" with it."""

    has_variables = False


_POSITIVE: Final[tuple[type[Comparison], ...]] = (
    *(StringEquals, StringEqualsIgnoreCase, StringLike),
    *(NumericEquals, NumericLessThan, NumericLessThanEquals, NumericGreaterThan, NumericGreaterThanEquals),
    *(DateEquals, DateLessThan, DateLessThanEquals, DateGreaterThan, DateGreaterThanEquals),
    *(Bool, BinaryEquals, IpAddress, ArnEquals, ArnLike, Null),
)
_NEGATED: Final[Mapping[str, type[Comparison]]] = {
    "StringNotEquals": StringEquals,
    "StringNotEqualsIgnoreCase": StringEqualsIgnoreCase,
    "StringNotLike": StringLike,
    "NumericNotEquals": NumericEquals,
    "DateNotEquals": DateEquals,
    "NotIpAddress": IpAddress,
    "ArnNotEquals": ArnEquals,
    "ArnNotLike": ArnLike,
}
_OPERATORS: Final = {**{each.__name__: each for each in _POSITIVE}, **_NEGATED}

_QUALIFIED: Final = re.compile(r"(?:(?P<set>ForAllValues|ForAnyValue):)?(?P<name>[A-Za-z]+?)(?P<exists>IfExists)?")


@dataclass(frozen=True)
class Operator:
    """A condition operator as written: ``[ForAllValues:|ForAnyValue:]NAME[IfExists]``.

    Attributes:
        name: The operator.
        set_operator: ``ForAllValues``, ``ForAnyValue`` or None.
        if_exists: Whether a missing key satisfies it.
        compares: What the name does.
        is_negated: Whether it wants the key not to match.
    """

    name: str
    set_operator: str | None
    if_exists: bool
    compares: type[Comparison]
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
    if not found or found["name"] not in _OPERATORS:
        raise UndefinedBehaviour(_unknown(name))
    if found["name"] == "Null" and found["exists"]:
        # "You can add IfExists to the end of any condition operator name except the Null condition."
        raise UndefinedBehaviour("AWS has no condition operator NullIfExists.")
    base = found["name"]
    return Operator(base, found["set"], found["exists"] is not None, _OPERATORS[base], base in _NEGATED)


@lru_cache(maxsize=256)
def _unknown(name: str) -> str:
    import difflib  # noqa: PLC0415 - only a misspelled operator waits for it

    by_lower_case = {each.lower(): each for each in sorted(_OPERATORS)}
    near = difflib.get_close_matches(re.sub(r"^[^:]*:|IfExists$", "", name).lower(), by_lower_case, n=1)
    hint = f"; did you mean {by_lower_case[near[0]]}? IAM takes only this spelling" if near else ""
    return f"AWS has no condition operator {name!r}{hint}."


@dataclass(frozen=True)
class Condition(ABC):
    """One operator, key and list of values, ready to judge requests.

    Attributes:
        block: The condition as written.
        operator: Its operator.
        key: Its key, in lower case.
    """

    block: Block
    operator: Operator
    key: str

    @abstractmethod
    def test(self, context: Context) -> Verdict:
        """Whether it holds for a request's condition keys, which are in lower case."""


@dataclass(frozen=True)
class _Presence(Condition):
    """Null, with or without a set operator."""

    def test(self, context: Context) -> Verdict:
        if self.operator.set_operator:
            # AWS calls this "Null with qualifier": "they always return a true or false respectively."
            return self.operator.set_operator == "ForAllValues"
        if not self.block.values:
            return _empty_list(self.block)
        value = context.get(self.key)
        if value is None and is_unknown(self.key, context):
            return _TRUTH.issubset(self.block.values) or Depends((self.block.key,))
        if value is not None and not value:
            return Undefined(f"the value of {self.block.key} is empty, and AWS does not say whether that is null")
        return ("true" if value is None else "false") in self.block.values


@dataclass(frozen=True)
class _SingleValued(Condition):
    """Without a set operator: the key has one value, or is missing.

    Attributes:
        compared: The listed values that have no variables.
        variables: Those that have some, resolved for each request.
    """

    compared: Comparison
    variables: tuple[Template, ...]

    def test(self, context: Context) -> Verdict:  # noqa: PLR0911 - one for each rule
        if not self.block.values and not self.operator.if_exists:
            return _empty_list(self.block)
        value = context.get(self.key)
        is_negated = self.operator.is_negated
        # "If the key is not present, evaluate the condition element as true" for IfExists.
        when_missing = is_negated or self.operator.if_exists
        if value is None:
            if is_unknown(self.key, context):
                return Depends((self.block.key,))
            return self._unless_unresolved(when_missing, context)
        if not isinstance(value, str):
            # "Multivalued context keys require a condition set operator."
            return Undefined(f"{self.block.key} has several values and {self.block.operator} no set operator")
        if not self.block.values:
            return False  # "... with an empty condition key matches only if the key is missing"
        matched = self._matches(value, context)
        if not isinstance(matched, bool):
            return matched
        verdict: Verdict = matched is not is_negated
        if self.variables:
            verdict = self._unless_unresolved(verdict, context)
        if not value and verdict is not when_missing:
            return Undefined(f"the value of {self.block.key} is empty, and AWS does not say whether that is missing")
        return verdict

    def _matches(self, value: str, context: Context) -> Verdict:
        """Whether a value matches any of the listed ones; unresolvable variables match nothing."""
        matched = self.compared.matches(value)
        if matched is not False or not self.variables:
            return matched
        resolved = resolve(self.variables, context)
        if isinstance(resolved, Undefined):
            return resolved
        return type(self.compared)(resolved).matches(value) or self._unknown_variables(context) or False

    def _unknown_variables(self, context: Context) -> Depends | None:
        """What the values depend on, because the request doesn't say it."""
        parts = (part for template in self.variables for part in template if isinstance(part, Variable))
        keys = dict.fromkeys(part.key for part in parts if is_unknown(part.key, context))
        return Depends(tuple(keys)) if keys else None

    def _unless_unresolved(self, verdict: Verdict, context: Context) -> Verdict:
        """An unresolvable variable "might cause the entire statement to be invalid": only False is certain."""
        if verdict is not True or not self.variables:
            return verdict
        if unknown := self._unknown_variables(context):
            return unknown
        for template in self.variables:
            for part in template:
                if isinstance(part, Variable) and part.default is None and context.get(part.key) is None:
                    return Undefined(f"the policy variable ${{{part.key}}} has no value in this request")
        return verdict


@dataclass(frozen=True)
class _Multivalued(_SingleValued):
    """With a set operator: of the request's values, all must pass or any."""

    def test(self, context: Context) -> Verdict:
        value = context.get(self.key)
        if value is None and is_unknown(self.key, context):
            return Depends((self.block.key,))
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
            if not isinstance(matched, bool):
                verdict = verdict if isinstance(verdict, Undefined) else matched
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
    has_variables = has_variables and compare.has_variables
    fixed: list[Resolved] = []
    variables: list[Template] = []
    for value in block.values:
        template = parse(value, has_variables=has_variables)
        resolved = tuple(part for part in template if not isinstance(part, Variable))
        if len(resolved) < len(template):
            variables.append(template)
        elif compare.takes(literal(resolved)):
            fixed.append(resolved)
        else:
            raise UndefinedBehaviour(f"{block.operator} compares with {compare.kind}, not with {value!r}.")
    if compare is Null:
        return _Presence(block, operator, key)
    kind = _Multivalued if operator.set_operator else _SingleValued
    return kind(block, operator, key, compare(fixed), tuple(variables))


def _empty_list(block: Block) -> Undefined:
    return Undefined(f"{block.operator} on {block.key} lists no values, which AWS documents in two ways")
