"""Why a caller is let in or refused, as data: what differs, the likely mistake, the way out. Text is made from it.

AWS says only "Not authorized to perform sts:AssumeRoleWithWebIdentity". Advice never widens a role to another
organization, and never admits more than the caller who was refused.
"""

import difflib
import math
import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import takewhile
from os.path import commonprefix
from typing import Final, Literal, TypeGuard

from ..claims import (
    CURRENT_ENVIRONMENT,
    LEGACY_PROJECT,
    ROOT_ENVIRONMENT,
    STACK_CONFIGURATION,
    TEAM,
    TOKEN_TYPE,
    USER,
    AttributeSubject,
    Audience,
    DefaultSubject,
    DeploymentSubject,
    KeySubject,
    Subject,
    condition_key,
    issuer_path,
    read_audience,
    read_subject,
)
from ..sessions import HOUR, LONGEST_SESSION, SHORTEST_SESSION, duration_text
from ..trust import ACTION, MAX_SUBJECT, read_iam_arn
from .meant import meant, product_of
from .policy import CompiledStatement, Condition, Context, ContextValue, Undecided, matches
from .providers import GITHUB_AUDIENCE, OTHERS
from .undefined import Depends

_SHOWN: Final = 3
"""How many of several values a reason names."""

_COMPARED: Final = 512
"""Characters of a value that are compared to find the nearest: subjects have 255, hostile tokens up to 20,000."""

_VARIABLE: Final = re.compile(r"\$\{(?![*?$]\})")
"""The beginning of a policy variable; ``${*}``, ``${?}`` and ``${$}`` are characters."""

_SENTENCES: Final = {
    "sub": "The token's subject has {got}, and AWS takes {wanted}: nobody gets in by it.",
    "iss": "The token's issuer is {got!r}, and the OIDC provider in IAM is for {wanted}.",
    "OpenIDConnectProvider": "The account has no OIDC provider for {got!r}; it has {wanted}.",
    "aud": "The token's audience is {got!r}, and the OIDC provider's client IDs are {wanted}.",
    **{time: f"The token's {time} is {{got}}, and AWS wants it to be {{wanted}}." for time in ("exp", "nbf", "iat")},
    "RoleSessionName": "The session name is {got!r}, and AWS takes {wanted}.",
    "DurationSeconds": "The requested duration is {got}, and AWS takes {wanted}.",
    "MaxSessionDuration": "The requested duration is {got}, and the role allows {wanted}.",
    "Principal": "It trusts {wanted}, and the token comes through {got}.",
    "Action": "It allows only {wanted}, and the login calls {got}.",
    "NotAction": "It excludes {wanted}, and the login calls {got}.",
}
"""What differs, for everything but a condition."""


@dataclass(frozen=True)
class Difference:
    """One thing that kept the closest statement from applying, or that AWS refuses before or after it reads the policy.

    Attributes:
        key: The condition key as the policy writes it, ``Principal``, ``Action`` or ``NotAction``; a claim of the
            token (``iss``, ``aud``, ``sub``, ``exp``, ``nbf``, ``iat``); a parameter of the call (``RoleSessionName``,
            ``DurationSeconds``); ``OpenIDConnectProvider`` of the account; or ``MaxSessionDuration`` of the role.
        operator: The condition operator as the policy writes it; None outside conditions.
        wanted: What would do: of a condition the values in the policy, the nearest first. Of an operator with ``Not``
            in its name, what would not do.
        got: What the request has; None if it has no such key.
        attribute: The one part of the subject in which token and policy differ, such as ``pulumi.user.login``,
            ``organization``, ``environment`` or ``operation``; None if there is not exactly one.
        attribute_wanted: Every value of that part in the policy's subjects that agree in all else.
        attribute_got: The token's value of that part.
        mistake: What probably went wrong, where more is recognized than the difference itself.
        fix: What to do.
        command: A command that does it, to be pasted as it is.
    """

    key: str
    operator: str | None
    wanted: tuple[str, ...]
    got: str | tuple[str, ...] | None
    attribute: str | None = None
    attribute_wanted: tuple[str, ...] = ()
    attribute_got: str | None = None
    mistake: str | None = None
    fix: str | None = None
    command: str | None = None

    @property
    def parts(self) -> Sequence[tuple[str, str, str]]:
        """The parts in which the nearest subject differs from the token's, if they have one form: name, wanted, got."""
        if self.operator is None or not self.wanted or not isinstance(self.got, str):
            return ()
        return differing_parts(self.wanted[0], self.got, like="Like" in self.operator) or ()

    @property
    def text(self) -> str:
        """What was wanted and what the request has."""
        if self.operator is None:
            wanted = _alternatives(map(repr, self.wanted) if self.key in {"iss", "aud"} else self.wanted)
            nothing = {"aud": "none", "OpenIDConnectProvider": "none", "Principal": "nobody"}
            wanted = wanted or nothing.get(self.key, "no action")
            return _SENTENCES[self.key].format(got=self.got, wanted=wanted)
        got = "no such key" if self.got is None else repr(self.got if isinstance(self.got, str) else list(self.got))
        text = f"{self.wish}, and the request has {got}."
        if self.attribute:
            values = _alternatives(map(repr, self.attribute_wanted))
            text += f" {self.attribute} is {self.attribute_got!r}, and the policy wants {values}."
        return text

    @property
    def wish(self) -> str:
        """What the condition wants."""
        operator = self.operator or ""
        wanted = self.wanted_text
        if not operator.endswith("Null"):
            be = "not to be" if _is_negated(operator) else f"to be{_relation(operator)}"
            wanted = f"{be} {_alternatives(map(repr, self.wanted)) or 'one of no values'}"
            if len(self.wanted) > 1 and self.got is not None and be == "to be":
                wanted = f"to be {self.wanted[0]!r} (the nearest of {len(self.wanted)} values)"
        return f"{self.operator} wants `{self.key}` {wanted}"

    @property
    def wanted_text(self) -> str:
        """What would do, in words."""
        operator = self.operator or ""
        if operator.endswith("Null"):
            return "missing" if "true" in self.wanted else "present"
        text = _alternatives(self.wanted) or "(none)"
        return f"anything but {text}" if _is_negated(operator) else f"{_relation(operator)} {text}".lstrip()


@dataclass(frozen=True)
class Explanation:
    """Why a request is answered as it is.

    Attributes:
        differences: What stands in the way.
        statement: The index of the statement that allows, denies, or came closest to allowing.
        sid: Its `Sid`.
        effect: ``Allow`` or ``Deny``; None if no statement was asked, or there is none to ask.
        candidates: How many Allow statements there are.
        depends_on: The condition keys that the request doesn't say, and on which the answer depends. Then `differences`
            are the conditions on them, and `statement` the first that has one.
    """

    differences: tuple[Difference, ...] = ()
    statement: int | None = None
    sid: str | None = None
    effect: Literal["Allow", "Deny"] | None = None
    candidates: int = 0
    depends_on: tuple[str, ...] = ()

    def text(self, *, allowed: bool) -> str:
        """One paragraph: what decided, on which key, the likely mistake, and the way out."""
        name = f"Statement {self.statement}" + (f' ("{self.sid}")' if self.sid else "")
        said = " ".join(difference.text for difference in self.differences)
        if allowed:
            return f"{name} allows it: principal, action and every condition match."
        if self.depends_on:
            what = {"Allow": "allows", "Deny": "denies"}[self.effect or "Allow"]
            keys = " and ".join(f"`{key}`" for key in self.depends_on)
            wishes = " ".join(f"{difference.wish}." for difference in self.differences)
            return f"It depends on {keys}, which the request doesn't say: {name} {what} it or not. {wishes}"
        if self.effect == "Deny":
            return (
                f"{name} denies it explicitly, and a Deny outweighs every Allow. Everything in it applies to this "
                f"request. {said or 'It has no condition.'} Exempt this caller alone, or leave it if they are "
                "meant to be refused."
            )
        if self.effect == "Allow":
            closest = f", the closest of {self.candidates} Allow statements," if self.candidates > 1 else ""
            said = f"{name}{closest} does not apply. {said}"
        elif not self.differences:
            return "The trust policy has no Allow statement, and what is not allowed is refused."
        advice = [
            part
            for each in self.differences
            for part in (each.mistake and f"Likely mistake: {each.mistake}", each.fix, each.command)
            if part
        ]
        return " ".join([said, *dict.fromkeys(advice)])


@dataclass(frozen=True)
class Refusal:
    """AWS's error code, and why. Nothing is explained until somebody asks."""

    error: str
    explain: Callable[[], Explanation]


@dataclass(frozen=True)
class _Advice:
    """`Difference.mistake`, `fix` and `command`; and about whom.

    Attributes:
        is_telling: Whether they explain all other differences away.
        is_of_a_stranger: Whether the caller is of another organization, which no advice lets in.
    """

    mistake: str | None = None
    fix: str | None = None
    command: str | None = None
    is_telling: bool = False
    is_of_a_stranger: bool = False

    def on(self, difference: Difference) -> Difference:
        """The difference with this advice."""
        return replace(difference, mistake=self.mistake, fix=self.fix, command=self.command)


# The policy: which statement came closest, and what kept it from applying.


def explain_allow(statement: CompiledStatement) -> Explanation:
    """Which statement lets the caller in."""
    return Explanation((), statement.written.index, statement.written.sid, "Allow")


def explain_dependence(undecided: Undecided, context: Context) -> Explanation:
    """What the answer depends on; the differences are the conditions on it."""
    first = undecided.statements[0].written
    conditions = dict.fromkeys(
        Difference(each.block.key, each.block.operator, each.block.values, context.get(each.key))
        for statement in undecided.statements
        for each in statement.conditions
        if isinstance(each.test(context), Depends)
    )
    effect: Literal["Allow", "Deny"] = "Allow" if first.effect == "Allow" else "Deny"
    return Explanation(tuple(conditions), first.index, first.sid, effect, depends_on=undecided.keys)


def explain_deny(statement: CompiledStatement, context: Context) -> Explanation:
    """Which statement shuts the caller out; the differences are its conditions, all of which hold."""
    held = tuple(
        Difference(each.block.key, each.block.operator, each.block.values, context.get(each.key))
        for each in statement.conditions
    )
    return Explanation(held, statement.written.index, statement.written.sid, "Deny")


def explain_refusal(allows: Sequence[CompiledStatement], issuer: str, arn: str, context: Context) -> Explanation:
    """Why no Allow statement applies, by the one that came closest."""
    if not allows:
        return Explanation()

    def failed(statement: CompiledStatement) -> list[Condition]:
        return [condition for condition in statement.conditions if condition.test(context) is False]

    def closeness(statement: CompiledStatement) -> tuple[bool, bool, int, float]:
        conditions = failed(statement)
        alike = (
            max((_affinity(wanted, _joined(context.get(each.key) or "")) for wanted in each.block.values), default=0)
            for each in conditions
        )
        return statement.covers_principal(arn), statement.covers_action, -len(conditions), sum(alike)

    closest = max(allows, key=closeness)
    written = closest.written
    # What stands in the way: the principal, else the action, else every condition that does not hold.
    if not closest.covers_principal(arn):
        names = tuple(name for kind in written.principals.values() for name in kind)
        compared = [(Difference("Principal", None, names, arn), _principal_advice(names, arn))]
    elif not closest.covers_action:
        key = "NotAction" if written.excluding_actions else "Action"
        compared = [(Difference(key, None, written.actions, ACTION), _action_advice(written.actions))]
    else:
        compared = [_compare(condition, issuer_path(issuer), context) for condition in failed(closest)]
        compared = [(each, _only_the_audience(closest, each, compared, issuer) or advice) for each, advice in compared]
    if any(advice.is_telling for _, advice in compared):
        compared = [(each, advice if advice.is_telling else _Advice()) for each, advice in compared]
    differences = tuple(_with_what_lacks(advice, each, closest, issuer).on(each) for each, advice in compared)
    return Explanation(differences, written.index, written.sid, "Allow", len(allows))


def _only_the_audience(
    statement: CompiledStatement, difference: Difference, compared: Sequence[object], issuer: str
) -> _Advice | None:
    """When nothing but the audience keeps a deployment out whose subject the statement names."""
    keys = {claim: condition_key(issuer, claim).lower() for claim in ("aud", "sub")}
    blocks = [block for block in statement.written.conditions if block.key.lower() == keys["sub"]]
    is_named = [block.operator == "StringEquals" and all(map(_is_deployment, block.values)) for block in blocks]
    got = difference.got
    if len(compared) > 1 or difference.key.lower() != keys["aud"] or not is_named or not all(is_named):
        return None
    has, wants = (read_audience(text) for text in (str(got), difference.wanted[0] if difference.wanted else ""))
    if not has or not wants or has.cloud or has.organization != wants.organization:
        return None
    return _Advice(
        f"The subject is right, and only the audience is wrong: that of Pulumi Deployments is the organization alone, "
        f"{got!r}.",
        f"Write {got!r}, in the policy and in the provider's client IDs.",
    )


def _with_what_lacks(advice: _Advice, difference: Difference, statement: CompiledStatement, issuer: str) -> _Advice:
    """The advice, with the conditions that the statement lacks: as it is, it would let in others beside this caller."""
    if not advice.fix or advice.is_of_a_stranger:
        return advice
    lacking = ["aud", "sub"]
    for block in statement.written.conditions:
        path, _, claim = block.key.lower().rpartition(":")
        # The advice for another difference than the principal puts right a key of another issuer.
        is_right = difference.key != "Principal" or path == issuer_path(issuer).lower()
        # A pattern names others, too; the advice about its own difference writes it anew.
        is_exact = block.key == difference.key or not any(set("*?") & set(value) for value in block.values)
        is_named = block.operator == "StringEquals" or (block.operator == "StringLike" and is_exact)
        if is_named and is_right and claim in lacking:
            lacking.remove(claim)
    if not lacking:
        return advice
    keys = " and ".join(f"`{condition_key(issuer, claim)}`" for claim in lacking)
    named = " and ".join({"aud": "audience", "sub": "subject"}[claim] for claim in lacking)
    return replace(advice, fix=f"{advice.fix} Name this token's {named} as well, with StringEquals on {keys}.")


def _compare(condition: Condition, path: str, context: Context) -> tuple[Difference, _Advice]:
    """What a condition that does not hold wants; `path` is the provider's URL without its scheme."""
    block, got = condition.block, context.get(condition.key)
    difference = Difference(block.key, block.operator, block.values, got)
    if condition.operator.name == "Null" or not block.values:
        return difference, _Advice()
    if got is None:
        return difference, _key_advice(block.key, path, context)
    if condition.operator.is_negated or not condition.operator.name.startswith("String"):
        return difference, _Advice()  # what it has and what is wanted say it all
    text = _joined(got)
    issuer, _, claim = condition.key.rpartition(":")
    if issuer != path.lower():
        claim = ""
    if claim == "sub":
        difference = _compare_subjects(difference, condition, text)
    else:
        nearest = max(block.values, key=lambda wanted: _affinity(wanted, text))
        difference = replace(difference, wanted=tuple(dict.fromkeys([nearest, *block.values])))
    return difference, _value_advice(claim, difference, text, context.get(f"{issuer}:sub"))


def _differs(
    key: str, wanted: Sequence[str], got: str, mistake: str | None = None, fix: str | None = None
) -> Explanation:
    """The explanation of a check of the call, the token or the session."""
    return Explanation((Difference(key, None, tuple(wanted), got, mistake=mistake, fix=fix),))


def _affinity(wanted: str, got: str) -> float:
    """How alike two values are, 0 to 1: how much of them their common beginning and end cover."""
    one, other = wanted[:_COMPARED].lower(), got[:_COMPARED].lower()
    begin = len(_shared(one, other))
    return (begin + len(_shared(one[begin:][::-1], other[begin:][::-1]))) / max(len(one), len(other), 1)


def _shared(one: str, other: str) -> str:
    """The common beginning."""
    return commonprefix([one, other])  # noqa: RUF071 - of characters, not of folders


def _is_negated(operator: str) -> bool:
    return "Not" in operator


_RELATIONS: Final = {
    "NumericLessThanEquals": " at most",
    "NumericLessThan": " less than",
    "NumericGreaterThanEquals": " at least",
    "NumericGreaterThan": " more than",
    "DateLessThanEquals": " at or before",
    "DateLessThan": " before",
    "DateGreaterThanEquals": " at or after",
    "DateGreaterThan": " after",
    "IpAddress": " in",
}
"""What a value has to be to those that an operator lists, unless it is one of them."""


def _relation(operator: str) -> str:
    return next((words for name, words in _RELATIONS.items() if name in operator), "")


def _joined(value: ContextValue) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def _alternatives(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - _SHOWN
    return " or ".join(listed[:_SHOWN]) + (f" or {more} more" if more > 0 else "")


# Subjects: in which of their parts token and policy differ.


def _compare_subjects(difference: Difference, condition: Condition, got: str) -> Difference:
    """The difference with the nearest subject first, and the attribute in which alone it differs."""
    like = condition.operator.name == "StringLike"
    apart = {wanted: differing_parts(wanted, got, like=like) for wanted in difference.wanted}

    def nearness(wanted: str) -> tuple[bool, int, float]:
        parts = apart[wanted]
        return parts is not None, -len(parts or ()), _affinity(wanted, got)

    nearest = max(apart, key=nearness)
    difference = replace(difference, wanted=tuple(dict.fromkeys([nearest, *difference.wanted])))
    parts = apart[nearest]
    if parts is None or len(parts) != 1:
        return difference
    name, _, value = parts[0]
    wanted = dict.fromkeys(each[0][1] for each in apart.values() if each and len(each) == 1 and each[0][0] == name)
    return replace(difference, attribute=name, attribute_wanted=tuple(wanted), attribute_got=value)


def differing_parts(wanted: str, got: str, *, like: bool) -> list[tuple[str, str, str]] | None:
    """The parts in which two subjects of one form differ: name, wanted, got. None if they are of different forms.

    Args:
        wanted: A subject in the policy; a pattern if `like`.
        got: The token's subject.
        like: Whether ``*`` and ``?`` are wildcards.
    """
    wants, has = read_subject(wanted), read_subject(got)
    if wants is None or has is None or type(wants) is not type(has):
        return None
    one, other = _parts(wants), _parts(has)
    differing: list[tuple[str, str, str]] = []
    for (name, value), (its_name, its_value) in zip(one, other, strict=False):
        if like and "*" in name:
            return differing  # the wildcard runs over all that follows
        if name != its_name:
            return None
        if not (value == its_value or (like and matches(value, its_value))):
            differing.append((name, value, its_value))
    return differing if len(one) == len(other) else None


def _parts(subject: Subject) -> list[tuple[str, str]]:
    organization = ("organization", subject.organization)
    if isinstance(subject, KeySubject):
        return [organization]
    if isinstance(subject, DefaultSubject):
        return [organization, ("environment", subject.environment)]
    return [organization, *(subject.attributes if isinstance(subject, AttributeSubject) else subject.fields)]


# The likely mistake behind a value, with the way out.


def _value_advice(claim: str, difference: Difference, got: str, subject: object) -> _Advice:
    """When a claim of the token does not match what a condition wants; `subject` tells where the token comes from."""
    wanted, operator = difference.wanted[0], str(difference.operator)
    if _VARIABLE.search(wanted):
        return _Advice(
            "The value has a policy variable; `${...}` is one only in Version 2012-10-17, and only a key of this "
            "request gives it a value.",
            "Write the value itself.",
        )
    if wanted != got and matches(wanted.lower(), got.lower()) and not matches(wanted, got):
        return _Advice(
            f"They differ only in upper and lower case, and {operator} compares exactly.",
            f"Write {got!r} in the policy, as Pulumi Cloud does.",
        )
    if "Like" not in operator and ("*" in wanted or "?" in wanted) and matches(wanted, got):
        return _Advice(f"{operator} takes * and ? literally.", f"Write {got!r} to name this value.")
    advice = None
    if claim == "aud":
        advice = _audience_advice(wanted, got, subject)
    elif claim == "sub":
        advice = _subject_advice(difference, got)
    if advice:
        return advice
    same = _shared(wanted, got)
    if not same:
        return _Advice()
    theirs, its_own = wanted.removeprefix(same), got.removeprefix(same)
    return _Advice(f"They agree up to {same!r}; then the policy has {theirs!r}, and the token {its_own!r}.")


def _audience_advice(wanted: str, got: str, subject: object) -> _Advice | None:  # noqa: PLR0911 - one for each mistake
    """When the token has another audience than the one wanted."""
    wants, has = read_audience(wanted), read_audience(got)
    if wanted == GITHUB_AUDIENCE:
        mistake = f"{wanted!r} is the audience of GitHub Actions' tokens; it is no audience of Pulumi Cloud."
        return _Advice(mistake, f"This token's audience is {got!r}.")
    if "/" in wanted or ".amazonaws.com" in wanted:
        # AWS's own audience, or the issuer's URL: what other issuers' guides say to write.
        return _Advice(f"{wanted!r} is no audience of Pulumi Cloud.", f"This token's audience is {got!r}.")
    if wants is None or has is None:
        return None
    if wants.organization != has.organization:
        if wants.organization.lower() == has.organization.lower():
            return _Advice("They differ only in upper and lower case.", f"Write {got!r}, as Pulumi Cloud does.")
        return _other_organization(wants.organization, has.organization)
    if has.cloud not in {None, "aws"}:
        return _Advice(
            f"This token was made for another cloud ({has.cloud}): its login block is not fn::open::aws-login.",
            f"Use the token of the AWS login, whose audience is '{Audience('aws', has.organization)}'.",
        )
    if wants.cloud not in {None, "aws"}:
        return _Advice(f"{wanted!r} is the audience for another cloud ({wants.cloud}).", f"Write {got!r}.")
    if has.cloud:
        return _Advice(
            "`aws:` is missing in the policy: only environments in the legacy project `default`, and Pulumi "
            "Deployments, have the organization alone as audience.",
            f"Write {got!r}, in the policy and in the provider's client IDs.",
        )
    if _is_deployment(subject):
        return _Advice(
            "This token is from Pulumi Deployments, whose audience is the organization without `aws:`, and the policy "
            "is for ESC.",
            "Give Deployments a role of its own.",
        )
    return _Advice(
        "`aws:` is missing in the token: its environment is in the legacy project `default`, whose audience is the "
        "organization alone.",
        f"Write {got!r}, in the policy and in the provider's client IDs, or move the environment to another project.",
    )


def _other_organization(wanted: str, got: str) -> _Advice:
    return _Advice(
        f"The token is of another organization: {got!r}, not {wanted!r}.",
        "Nothing to fix, unless the role names the wrong organization: the right one is in the console's URL, "
        "https://app.pulumi.com/ORGANIZATION; it is not the display name.",
        is_of_a_stranger=True,
    )


def _subject_advice(difference: Difference, got: str) -> _Advice | None:  # noqa: PLR0911 - one for each mistake
    """When the token's subject does not match the nearest in the policy, which may be a pattern."""
    wanted = difference.wanted[0]
    kept = wanted.rstrip(": \t\r\n")
    if kept != wanted and not kept.endswith(f":{TEAM}"):  # only an empty team ends in a colon
        mistake = f"The policy's subject ends in {wanted[len(kept) :]!r}."
        if matches(kept, got):
            return _Advice(mistake, f"Write {kept!r}.")
        further = _subject_advice(replace(difference, wanted=(kept,), attribute=None), got) or _Advice()
        fix = " ".join(filter(None, ["Leave that out.", further.mistake, further.fix]))
        return _Advice(mistake, fix, is_telling=further.is_telling)
    wants, has = read_subject(wanted), read_subject(got)
    if isinstance(has, DeploymentSubject) and (advice := _misspelled(wanted, wants, has)):
        return advice
    if wants is None:
        return _Advice(
            "Pulumi Cloud doesn't mint the policy's subject: its subjects begin with `pulumi:environments:`, "
            "`pulumi:deploy:` or `pulumi:cmk:`.",
            f"This token's subject is {got!r}.",
        )
    if has is None:
        return _Advice("Pulumi Cloud doesn't mint this token's subject.", "Check who issued the token.")
    if not matches(wants.organization, has.organization):
        if wants.organization.lower() == has.organization.lower():
            return _Advice("The organization differs only in upper and lower case.", f"Write {has.organization!r}.")
        return _other_organization(wants.organization, has.organization)
    return (
        _stack_configuration(wants, has)
        or _other_kind(wants, has)
        or _other_attributes(wants, has)
        or _other_order(wants, has)
        or _other_values(wanted, got, has.organization)
    )


def _misspelled(wanted: str, wants: Subject | None, has: DeploymentSubject) -> _Advice | None:
    """When the policy's subject is one of Pulumi Deployments, but not as they write it."""
    is_short = isinstance(wants, DeploymentSubject) and not {"scope", "*"} & {name for name, _ in wants.fields}
    if product_of(wanted) != "deploy" or not (wants is None or is_short) or re.search(r"[*?]", wanted):
        return None
    written = meant(wanted)
    said = read_subject(written.subject)
    if said is None or said.organization != has.organization:
        return None
    mistake = f"Pulumi Deployments writes its subjects like this: {meant('pulumi:deploy').subject}."
    if f"{wanted}:scope:write" == written.subject:
        mistake = "`:scope:write` is missing at the end of the policy's subject."
    if written.subject == str(has):
        return _Advice(mistake, f"Write {written.subject!r}.")
    return _Advice(mistake, f"If {has} may assume this role, write it like this.")


def _kind_of(subject: Subject) -> str:
    """What kind of login it is, in words."""
    if isinstance(subject, AttributeSubject):
        return f"an ESC login with subjectAttributes [{', '.join(subject.names)}]"
    if isinstance(subject, DefaultSubject):
        return "an ESC login without subjectAttributes"
    return "customer-managed keys" if isinstance(subject, KeySubject) else "Pulumi Deployments"


def _stack_configuration(wants: Subject, has: Subject) -> _Advice | None:
    """When one of them is the subject of every login without attributes that a stack's `environment:` list opens."""
    if not (isinstance(wants, _ESC) and isinstance(has, _ESC)):
        return None
    if isinstance(has, DefaultSubject) and has.environment == STACK_CONFIGURATION:
        named = wants.names if isinstance(wants, AttributeSubject) else ()
        if not named or any("*" in name or "?" in name or not name for name in named):
            named = (CURRENT_ENVIRONMENT,)
        in_policy = "" if isinstance(wants, AttributeSubject) else ", and name the environment in the policy"
        return _Advice(
            "The environment was opened through a stack's `environment:` list (`pulumi up`), and without "
            f"subjectAttributes every such login has the subject {STACK_CONFIGURATION}.",
            f"Add `subjectAttributes: [{', '.join(named)}]` to the login{in_policy}.",
        )
    if isinstance(wants, DefaultSubject) and wants.environment == STACK_CONFIGURATION:
        return _Advice(
            f"The policy admits {STACK_CONFIGURATION}, which only logins without subjectAttributes through a stack's "
            "`environment:` list have, and this environment was opened otherwise.",
            "Name the environment instead.",
        )
    return None


def _other_kind(wants: Subject, has: Subject) -> _Advice | None:
    if type(wants) is type(has):
        return None
    mistake = f"The policy is for {_kind_of(wants)}, and this token is from {_kind_of(has)}"
    if not (isinstance(wants, _ESC) and isinstance(has, _ESC)):
        return _Advice(f"{mistake}: their subjects never match.", "Give each a role of its own.", is_telling=True)
    if isinstance(wants, AttributeSubject):
        return _Advice(
            f"{mistake}.", f"Add `subjectAttributes: [{', '.join(wants.names)}]` to the login, in this order."
        )
    return _Advice(
        f"{mistake}: `pulumi:environments:org:` never matches the subject that attributes make, nor does its wildcard.",
        "Write the attribute form in the policy.",
    )


def _other_attributes(wants: Subject, has: Subject) -> _Advice | None:
    if not isinstance(wants, AttributeSubject) or not isinstance(has, AttributeSubject):
        return None
    if wants.names == has.names or any("*" in name for name in wants.names):
        return None
    listed, its_own = (f"[{', '.join(names)}]" for names in (wants.names, has.names))
    missing = ", ".join(name for name in wants.names if name not in has.names)
    extra = ", ".join(name for name in has.names if name not in wants.names)
    if sorted(wants.names) == sorted(has.names):
        mistake = f"The attributes stand in another order: the policy has {listed}, the login {its_own}."
    elif missing or extra:
        lacks = [missing and f"lacks {missing}", extra and f"also lists {extra}"]
        mistake = f"The login {' and '.join(filter(None, lacks))}."
    else:
        mistake = "The login or the policy has one attribute twice."
    fix = f"Write `subjectAttributes: {listed}` into the login"
    # With fewer attributes in the policy, more would get in than this caller.
    fix += "." if missing else f", or compose the policy's subject from {its_own}."
    return _Advice(mistake, fix)


def _other_order(wants: Subject, has: Subject) -> _Advice | None:
    """When the fields of a deployment's subject stand in another order than Pulumi Cloud writes them."""
    if not isinstance(wants, DeploymentSubject) or not isinstance(has, DeploymentSubject):
        return None
    order = [name for name, _ in has.fields]
    written = list(takewhile(order.__contains__, (name for name, _ in wants.fields)))
    if written == order[: len(written)]:
        return None
    return _Advice(
        f"The fields stand in another order: the policy has {', '.join(written)}; Pulumi Cloud writes "
        f"{', '.join(order)}.",
        f"If {has} may assume this role, write it like this.",
    )


def _other_values(wanted: str, got: str, organization: str) -> _Advice | None:
    """Two subjects of one form and one organization: the first part in which they differ."""
    for name, value, its_value in differing_parts(wanted, got, like=True) or ():
        advice = None
        if name in {CURRENT_ENVIRONMENT, ROOT_ENVIRONMENT, "environment"}:
            advice = _environment_advice(name, value, its_value)
        elif name == USER and its_value == organization:
            advice = _Advice(
                f"The policy names the user {value!r}, and a team or organization token opened the environment: those "
                f"carry the organization's name as {USER}.",
                f"Log in with a personal token; or, if every token like it may assume this role, use {TOKEN_TYPE}.",
            )
        elif name == "operation" and (value, its_value) == ("up", "update"):
            advice = _Advice("Pulumi Deployments calls `pulumi up` the operation update.", "Write 'update'.")
        elif not its_value:
            advice = _Advice(f"{name} is empty in the token: another kind of token opened it.", "Use the right token.")
        if advice:
            return advice
        if value.lower() == its_value.lower():
            return _Advice(f"{name} differs only in upper and lower case.", f"Write {its_value!r}.")
        who, way = _ADMIT.get(name, (f"{name} ", "add this subject to the policy"))
        return _Advice(None, f"If {who}{its_value} may assume this role, {way}.")
    return None


_ADMIT: Final = {
    USER: ("", "add the user to allowed_users"),
    TEAM: ("team ", "add the team to allowed_teams"),
    TOKEN_TYPE: ("any token of type ", "add the type to allowed_token_types"),
}
"""Who has such a value, and how the component admits them."""


def _environment_advice(name: str, wanted: str, got: str) -> _Advice | None:
    prefix = f"{LEGACY_PROJECT}/"
    if prefix in {wanted.removesuffix(got), got.removesuffix(wanted)}:
        happened = "is left out of" if len(got) < len(wanted) else "stands in"
        return _Advice(
            f"The legacy project `{LEGACY_PROJECT}` {happened} this token's subject.",
            f"Write {got!r} instead of {wanted!r}, or admit both: Pulumi's sources differ on which one is minted.",
        )
    environment, _, pin = got.partition("@")
    if pin and matches(wanted, environment):
        # The root is what was opened itself; the current environment may be an import of it.
        done, do = ("opened", "Open") if name == ROOT_ENVIRONMENT else ("imported", "Import")
        return _Advice(
            f"The environment was {done} at a pinned version, and the pin is part of the subject.",
            f"{do} {environment!r} without '@{pin}'.",
        )
    if wanted.lower() == got.lower():
        return None
    (project, _, its_name), (other_project, _, other_name) = wanted.partition("/"), got.partition("/")
    mistake = "This is another environment."
    if project == other_project:
        mistake = "This is another environment of the right project."
    elif its_name == other_name:
        mistake = "This is an environment of the same name in another project."
    field = "allowed_root_environments" if name == ROOT_ENVIRONMENT else "allowed_environments"
    return _Advice(mistake, f"Open the right one; or, if {got} may assume this role, add it to {field}.")


def _key_advice(key: str, path: str, present: Context) -> _Advice:
    """When the request lacks a condition key; `path` is the provider's URL without its scheme."""
    prefix, _, claim = key.rpartition(":")
    right = f"{path}:{claim}"
    if prefix.lower() == path.lower():
        if claim.lower() in {"aud", "sub", "amr"}:
            return _Advice(f"The token has no {claim} at all.")
        return _Advice(
            f"Of a custom issuer AWS shows a policy only aud, sub and amr, never {claim!r}.",
            "What the policy must know has to be in the subject: list it in subjectAttributes.",
        )
    write = f"Write {right!r}."
    if prefix.startswith(("https://", "http://")):
        return _Advice("A condition key is the issuer without its scheme.", write)
    if right.lower() not in present:
        return _Advice()
    if path.lower().startswith(f"{prefix.lower()}/"):
        return _Advice(f"The key lacks the issuer's path {path[len(prefix) :]!r}.", write)
    return _Advice(f"The key is of another issuer; this token comes from {path}.", write)


def _issuer_advice(wanted: str, got: str) -> _Advice:
    """When a token or a principal is of another issuer than the provider."""
    if wanted.rstrip("/") == got.rstrip("/"):
        return _Advice("One of them ends in a slash; AWS compares them character by character.")
    if wanted.lower() == got.lower():
        return _Advice("They differ only in upper and lower case; AWS compares them character by character.")
    for longer, shorter in ((got, wanted), (wanted, got)):
        if longer.startswith(f"{shorter}/"):
            return _Advice(
                f"One has the path {longer[len(shorter) :]!r} and the other has not.",
                "Pulumi Cloud's ESC and Deployments sign as https://api.pulumi.com/oidc, with nothing after it; a "
                "provider is for exactly one URL.",
            )
    return _Advice("The token was signed by another issuer.", "Use a token of the issuer that the role trusts.")


def _principal_advice(principals: Sequence[str], arn: str) -> _Advice:
    """When a statement trusts somebody else than the provider with this ARN."""
    federated = f"Write {{'Federated': '{arn}'}}."
    if arn in principals:
        return _Advice("An OIDC provider is a federated principal.", federated)
    came = read_iam_arn(arn)
    for principal in principals:
        named = read_iam_arn(principal)
        if named is None or came is None or named.kind != came.kind:
            continue
        write = f"Write {arn}."
        if "*" in principal or "?" in principal:
            return _Advice("A principal is named in full, without wildcards.", write)
        if named.name in OTHERS:
            return _Advice(
                f"The principal is the provider of {OTHERS[named.name]}: this statement is for other tokens.",
                f"Leave it. Give tokens of {came.name} a statement of their own, with {{'Federated': '{arn}'}}.",
            )
        if named.name != came.name:
            issuer = _issuer_advice(f"https://{named.name}", f"https://{came.name}")
            mistake = f"The principal is the provider of another issuer, {named.name!r}. {issuer.mistake}"
            return _Advice(mistake, f"If tokens of {came.name} are meant: {write[0].lower()}{write[1:]}")
        part, value, right = "account", named.account, came.account
        if value == right:
            part, value, right = "partition", named.partition, came.partition
        return _Advice(
            f"The principal is a provider in another {part} ({value}, not {right}); a role trusts only providers of "
            "its own.",
            write,
        )
    return _Advice("A token of this provider is neither an AWS account nor a service.", federated)


def _action_advice(actions: Sequence[str]) -> _Advice:
    """When a statement does not cover the action."""
    near = difflib.get_close_matches(ACTION.lower(), [action.lower() for action in actions], n=1, cutoff=0.9)
    if near:
        return _Advice("The action is misspelled.", f"Write {ACTION}.")
    return _Advice(f"Logins with a token call {ACTION}.", "Use exactly that action.")


# Before the policy: the call and its token. After it: the role.


def explain_issuer(issuer: str, iss: str) -> Explanation:
    """The token's `iss` is not the provider's URL."""
    advice = _issuer_advice(issuer, iss)
    if issuer_path(issuer) in OTHERS:
        advice = _Advice(
            f"The role trusts the provider of {OTHERS[issuer_path(issuer)]}, which signs other tokens.",
            "Leave it. Give this token's issuer a statement of its own, with its own provider in `Principal` and with "
            "StringEquals on `aud` and `sub`.",
        )
    return _differs("iss", [issuer], iss, advice.mistake, advice.fix)


def explain_audience(client_ids: Sequence[str], aud: str, arn: str, subject: object, *, is_wanted: bool) -> Explanation:
    """The provider, with this ARN, does not know the token's `aud`; `is_wanted` says whether the trust policy names it.

    Registering it is the way out only then: otherwise the role would refuse the token all the same.
    """
    has, other = read_audience(aud), ""
    if has and has.cloud in {None, "aws"}:
        other = str(Audience(None if has.cloud else "aws", has.organization))
    nearest = (
        other if other and other in client_ids else max(client_ids, key=lambda each: _affinity(each, aud), default="")
    )
    if other and other == nearest:
        which = "for ESC" if aud.startswith("aws:") else f"for Pulumi Deployments and the project `{LEGACY_PROJECT}`"
        mistake = f"The provider knows this organization's other audience, {nearest!r}; {aud!r} is the one {which}."
        advice = _Advice(mistake, "Use a login with the other audience, or give these logins a role of their own.")
        if is_wanted:
            command = ["aws", "iam", "add-client-id-to-open-id-connect-provider"]
            command += ["--open-id-connect-provider-arn", arn, "--client-id", aud]
            advice = _Advice(mistake, "The role's trust policy wants this audience. Register it:", shlex.join(command))
    elif nearest:
        unknown = _Advice("This audience was never registered.", "Check that it is your organization's.")
        advice = _audience_advice(nearest, aud, subject) or unknown
    else:
        advice = _Advice(
            "The provider has no client ID at all.",
            "Register your organization's audience, aws:ORGANIZATION: the organization stands in the console's URL.",
        )
    known = tuple(dict.fromkeys([nearest, *client_ids])) if nearest else ()
    return Explanation((advice.on(Difference("aud", None, known, aud)),))


def explain_provider(providers: Sequence[str], issuer: str, arn: str, aud: str | None) -> Explanation:
    """The account lacks the provider with this ARN, and has these. `aud` is the audience, if the role wants it."""
    read = [found for each in providers if (found := read_iam_arn(each))]
    urls = [f"https://{each.name}" for each in read]
    nearest = max(urls, key=lambda url: _affinity(url, issuer), default="")
    advice = _Advice(
        "The provider was never created in this account, or it was deleted.",
        "Create it: the role trusts it already." if aud else "Create it, with the audience that the role wants.",
    )
    if aud:
        command = ["aws", "iam", "create-open-id-connect-provider", "--url", issuer, "--client-id-list", aud]
        advice = replace(advice, command=shlex.join(command))
    if nearest and nearest.rstrip("/").lower() == issuer.rstrip("/").lower():
        same = _issuer_advice(issuer, nearest)
        advice = _Advice(f"The account has one for {nearest!r}. {same.mistake}", advice.fix, advice.command)
    elif arn and not aud:
        advice = replace(advice, fix=f"If the role is meant for these tokens, create {arn}, and name it in the policy.")
    wanted = dict.fromkeys([*([nearest] if nearest else []), *urls])
    return Explanation((advice.on(Difference("OpenIDConnectProvider", None, tuple(wanted), issuer)),))


def explain_long_subject(length: int) -> Explanation:
    """The subject has more characters than AWS takes."""
    fix = "Shorten the names of environments and users, or list fewer `subjectAttributes`."
    return _differs("sub", [f"at most {MAX_SUBJECT}"], f"{length} characters", None, fix)


def explain_time(claim: str, moment: object, grace: int) -> Explanation:
    """A time of the token is past or ahead by more than AWS's grace, in seconds; or it is no time at all."""
    if not is_time(moment):
        return _differs(claim, ["a number of seconds since 1970"], written(moment))
    got, most = _clock(moment), f"at most {grace // 60} minutes"
    if claim == "exp":
        fix = "Open the environment again: each opening mints a new token."
        return _differs(claim, [f"{most} ago"], got, "The token has expired.", fix)
    return _differs(claim, [f"{most} ahead"], got, f"The token's {claim} is ahead: the issuer's clock is wrong.")


def is_time(moment: object) -> TypeGuard[float]:
    """Whether a claim is a number of seconds, of any size."""
    if isinstance(moment, float):
        return math.isfinite(moment)
    return isinstance(moment, int) and not isinstance(moment, bool)


def written(value: object) -> str:
    """A claim as text. Integers may have more digits than Python, or anybody, wants to read."""
    if isinstance(value, int) and abs(value) >= 10**20:
        return f"{Decimal(value):.2e}"
    try:
        return repr(value)
    except ValueError:  # one inside has too many digits
        return f"a {type(value).__name__}"


def _clock(moment: float) -> str:
    try:
        return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return written(moment)


def explain_session_name(name: str) -> Explanation:
    """The session name is not one that AWS takes."""
    return _differs("RoleSessionName", ["2 to 64 letters, digits and _+=,.@-"], name)


def explain_duration(duration: str, asked: int | None, subject: object) -> Explanation:
    """The duration is not one that the API takes; `asked` is None if it cannot be read."""
    shortest, longest = duration_text(SHORTEST_SESSION), duration_text(LONGEST_SESSION)
    fix = "Write hours, minutes and seconds, such as 1h30m."
    if asked is not None:
        fix = f"Ask for {shortest} or more." if asked < SHORTEST_SESSION else f"{_shorter(longest, subject)}."
    got = duration if asked is None else duration_text(asked)
    return _differs("DurationSeconds", [f"{shortest} to {longest}"], got, None, fix)


def explain_maximum(asked: int, maximum: int, subject: object) -> Explanation:
    """The role allows a shorter session than was asked for; both in seconds."""
    mistake, most = None, duration_text(maximum)
    if asked == _ESC_DEFAULT and isinstance(subject, str) and isinstance(read_subject(subject), _ESC):
        mistake = "ESC asks for 2h when the login names no duration, and a role allows 1h unless it says more."
    fix = f"{_shorter(most, subject)}, or raise the role's maximum ({duration_text(LONGEST_SESSION)} at most)."
    return _differs("MaxSessionDuration", [f"at most {most}"], duration_text(asked), mistake, fix)


_ESC: Final = (AttributeSubject, DefaultSubject)
_ESC_DEFAULT: Final = 2 * HOUR
"""Seconds; what ESC asks for when a login names no duration."""


def _shorter(limit: str, subject: object) -> str:
    """Where the duration stands: in the login of an environment, or in the settings of a deployment."""
    if _is_deployment(subject):
        return f"Write {limit} or less as the session's duration into the stack's deployment settings"
    return f"Write `duration: {limit}` or less into the login"


def _is_deployment(subject: object) -> bool:
    return isinstance(subject, str) and isinstance(read_subject(subject), DeploymentSubject)
