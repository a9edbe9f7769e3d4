"""Judges a trust policy: what in it lets in more than it says, or nobody.

Each rule is one definition, in the room of what it judges; docs/rules.md is made from them.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from ...trust import IamArn, read_iam_arn
from ..undefined import UndefinedBehaviour
from . import action, audience, condition, document, principal, reach, subject
from .reading import CLAIMS, ClaimValue, PulumiStatement, SubjectValue, TrustPolicy, ValueForm, read_policy
from .rules import STATEMENT, Check, Finding, Rule, judge

__all__ = ["RULES", "STATEMENT", "Finding", "Rule", "lint"]

RULES: Final[Mapping[str, Rule]] = {
    check.rule.id: check.rule
    for check in (
        document.unreadable,
        reach.undefined,
        document.other_issuer,
        *document.CHECKS,
        reach.organizations_several,
        reach.never_matches,
        reach.admits_strangers,
        *principal.CHECKS,
        *action.CHECKS,
        condition.condition_missing,
        *condition.KEYS,
        *condition.OPERATORS,
        condition.two_operators,
        *condition.VALUES,
        audience.audience_missing,
        *audience.VALUES,
        audience.audience_organization,
        audience.audience_mixed,
        *audience.WITH_SUBJECTS,
        subject.subject_missing,
        subject.subject_long,
        *subject.OF_PATTERNS,
        *subject.OF_EXACT_VALUES,
    )
}
"""Every rule by its id, in the order of docs/rules.md."""

_OF_STATEMENTS: Final = (*principal.CHECKS, *action.CHECKS)
_OF_ALLOWS: Final = (condition.condition_missing, audience.audience_missing, subject.subject_missing)
_OF_AUDIENCES: Final[tuple[Check[ClaimValue], ...]] = (*condition.VALUES, *audience.VALUES)
_OF_SUBJECTS: Final[Mapping[ValueForm, tuple[Check[SubjectValue], ...]]] = {
    "exact": (subject.subject_long, *subject.OF_EXACT_VALUES, *audience.WITH_SUBJECTS),
    "pattern": (subject.subject_long, *subject.OF_PATTERNS, *audience.WITH_SUBJECTS),
    "literal": (subject.subject_long, condition.wildcard_literal, *audience.WITH_SUBJECTS),
    "variable": (subject.subject_long, condition.policy_variable),
}


def lint(trust_policy: str | Mapping[str, object], role_arn: str | None = None) -> list[Finding]:
    """Judge every statement of a trust policy for tokens of Pulumi Cloud.

    Documents about other issuers are left alone, with a note. docs/rules.md explains every rule.

    Args:
        trust_policy: JSON, or the same as a mapping.
        role_arn: The role's ARN: then providers in another account or partition are found as well.

    Returns:
        What was found, statement after statement; nothing for a policy that admits only what it names.

    Raises:
        ValueError: `role_arn` is not the ARN of a role.
    """
    role = _role(role_arn) if role_arn is not None else None
    try:
        policy = read_policy(trust_policy, role)
    except (UndefinedBehaviour, RecursionError) as problem:
        return list(judge([document.unreadable], problem))
    findings = dict.fromkeys(_findings(policy))
    return sorted(findings, key=lambda finding: -1 if finding.statement is None else finding.statement)


def _role(arn: str) -> IamArn:
    role = read_iam_arn(arn)
    if not role or role.kind != "role" or not role.name or not role.is_of_an_account:
        raise ValueError(f"role_arn {arn!r} is not the ARN of a role: give arn:PARTITION:iam::ACCOUNT:role/NAME")
    return role


def _findings(policy: TrustPolicy) -> Iterator[Finding]:
    yield from judge([document.other_issuer], policy)
    if not policy.statements:
        return
    yield from judge(document.CHECKS, policy)
    for statement in policy.statements:
        yield from _findings_in(statement, statement.written.index)
    yield from judge([reach.organizations_several], policy)
    yield from judge((reach.undefined, reach.admits_strangers), reach.stranger_in(policy))


def _findings_in(statement: PulumiStatement, index: int) -> Iterator[Finding]:
    if statement.conditions and statement.is_for_other_tokens:
        # What these tokens have, these rules don't know: the provider is the one thing to say.
        yield from judge(_OF_STATEMENTS, statement, index)
        return
    for each in statement.conditions:
        if not (each.is_on_a_claim and each.claim in CLAIMS):
            yield from judge(condition.KEYS, each, index)
    yield from judge(_OF_STATEMENTS, statement, index)
    if not statement.allows:
        # A Deny only narrows, so it may use any operator and value; but to do anything, its keys, its actions and its
        # provider must be right.
        return
    yield from judge(_OF_ALLOWS, statement, index)
    for claim in CLAIMS:
        for each in statement.asked[claim]:
            if each.block.operator not in {"StringEquals", "StringLike"}:
                yield from judge(condition.OPERATORS, each, index)
    yield from judge([condition.two_operators], statement, index)
    yield from _findings_in_values(statement, index)
    yield from judge((audience.audience_organization, audience.audience_mixed, reach.never_matches), statement, index)


def _findings_in_values(statement: PulumiStatement, index: int) -> Iterator[Finding]:
    """What is wrong with the values that it names itself, and with those that a Deny of all others leaves it."""
    for named in statement.audiences:
        if not statement.is_named_otherwise(named):
            yield from judge(_OF_AUDIENCES, named, index)
    for value in statement.subjects:
        if not statement.is_named_otherwise(value):
            yield from judge(_OF_SUBJECTS[value.form], value, index)
    for left in statement.left_by_denies("sub") or ():
        yield from judge(_OF_SUBJECTS["exact"], SubjectValue(statement, "sub", left, "exact"), index)
    for left in statement.left_by_denies("aud") or ():
        yield from judge(_OF_AUDIENCES, ClaimValue(statement, "aud", left, "exact"), index)
