"""Policies of which a template leaves values open: which values matter, and what can be said all the same."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ..claims import CURRENT_ENVIRONMENT, ISSUER, subject
from ..trust import provider_arn
from .lint import Finding, lint
from .templates import MARK, placeholders_in

if TYPE_CHECKING:
    from .documents import Located

_ACCOUNT: Final = "000000000000"
_HARMLESS: Final = {"AWS::AccountId": _ACCOUNT, "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}
"""What every account has, and what nobody chooses."""
_PARTITION_IN_ARN: Final = re.compile(f"^arn:{MARK.pattern}:")
_ACCOUNT_IN_ARN: Final = re.compile(f"^(arn:[^:]+:iam::){MARK.pattern}:")

_PROVIDER_PATH: Final = ISSUER.removeprefix("https://")
_SOUND_SUBJECT: Final = subject("contoso", [(CURRENT_ENVIRONMENT, "aws/dev")])

_DEPENDING: Final = {
    "audience-organization",
    "duplicate-statement",
    "organizations-several",
    "unreadable",
    "user-is-organization",
}
"""Rules that compare two values, or read the whole document: with the real values they may hold."""
_FOREIGN: Final = {"audience-form", "key-issuer", "subject-form"}
"""What would be wrong if the policy were about Pulumi Cloud: then it is about somebody else."""


_WRONG_FOR_ALL: Final = {"condition-missing"}
"""What is wrong whoever signs the tokens."""


@dataclass(frozen=True)
class Judged:
    """What can be said of a policy.

    Attributes:
        findings: What is wrong, whatever the placeholders stand for.
        placeholders: What the rest depends on; empty when everything was judged.
    """

    findings: list[Finding]
    placeholders: tuple[str, ...] = ()


def lint_located(located: "Located") -> Judged:
    """Judge a trust policy that was found in a document; see `lint`.

    Where the document leaves values open, only what is wrong for any value is found, and the placeholders are named
    that the rest depends on.
    """
    if located.policy is None:
        return Judged([], located.placeholders)
    if not located.placeholders:
        return Judged(_lint(located.policy, located.role_arn))
    try:
        document = json.loads(located.policy) if isinstance(located.policy, str) else located.policy
    except ValueError:
        document = None
    if not isinstance(document, Mapping):
        return Judged([], located.placeholders)
    settled = _replaced(document, _settled)
    words = {f"placeholder{index}": name for index, name in enumerate(placeholders_in(settled))}
    words[_ACCOUNT] = "AWS::AccountId"
    one, other = lint(_words(settled)), lint(_soundly(settled))
    open_names = placeholders_in(_undecided(settled, _others(one) & _others(other)))
    if not open_names:
        return Judged([_named(each, words) for each in one])
    if _is_about_others(one) and (_is_about_others(other) or any(each.rule in _FOREIGN for each in other)):
        return Judged([_named(each, words) for each in one])
    certain = {(each.rule, each.statement) for each in other}
    holds = [each for each in one if (each.rule, each.statement) in certain and each.rule not in _DEPENDING]
    # A provider that is open may be Pulumi Cloud's. Whosever it is, without any condition all of its tokens get in.
    only_other = _others(one)
    whole = {None, *range(len(_statements(settled)))} if None in only_other else only_other
    holds += [each for each in other if each.rule in _WRONG_FOR_ALL and each.statement in whole - _others(other)]
    return Judged([_named(each, words) for each in holds], open_names)


def _lint(policy: str | Mapping[str, object], role_arn: str | None) -> list[Finding]:
    try:
        return lint(policy, role_arn)
    except ValueError:
        # A preview's or plan's ARN may be unknown: then the rules on account and partition cannot be asked.
        return lint(policy)


def _is_about_others(findings: list[Finding]) -> bool:
    return None in _others(findings)


def _settled(text: str) -> str:
    """A text in which nothing is open that does not matter: an account or a partition."""
    text = MARK.sub(lambda match: _HARMLESS.get(match[1], match[0]), text)
    return _ACCOUNT_IN_ARN.sub(rf"\g<1>{_ACCOUNT}:", _PARTITION_IN_ARN.sub("arn:aws:", text))


def _others(findings: list[Finding]) -> set[int | None]:
    """The statements that are not about Pulumi Cloud."""
    return {each.statement for each in findings if each.rule == "other-issuer"}


def _undecided(document: Mapping[str, object], others: set[int | None]) -> object:
    """The statements that count, without what is only a name."""
    return [
        {key: value for key, value in each.items() if key != "Sid"} if isinstance(each, Mapping) else each
        for index, each in enumerate(_statements(document))
        if index not in others
    ]


def _statements(document: Mapping[str, object]) -> list[object]:
    statements = document.get("Statement")
    return statements if isinstance(statements, list) else [statements]


def _words(document: Mapping[str, object]) -> Mapping[str, object]:
    """The policy with a word for each placeholder."""
    names = placeholders_in(document)
    return _replaced(document, lambda text: MARK.sub(lambda match: f"placeholder{names.index(match[1])}", text))


def _soundly(document: Mapping[str, object]) -> Mapping[str, object]:
    """The policy with, for each placeholder, what would be right in its place."""
    right: dict[str, str] = {}

    def look(value: object, key: str) -> None:
        if isinstance(value, Mapping):
            for name, inner in value.items():
                if marked := MARK.match(name):
                    right.setdefault(marked[1], _PROVIDER_PATH)
                look(inner, name)
        elif isinstance(value, list):
            for each in value:
                look(each, key)
        elif isinstance(value, str) and (marked := MARK.search(value)) and marked.end() == len(value):
            if value.endswith(f"oidc-provider/{marked[0]}"):
                right.setdefault(marked[1], _PROVIDER_PATH)
            elif marked[0] == value and (text := _sound_value(key)):
                right.setdefault(marked[1], text)

    look(document, "")
    return _words(_replaced(document, lambda text: MARK.sub(lambda match: right.get(match[1], match[0]), text)))


def _sound_value(key: str) -> str | None:
    values = {
        "Federated": provider_arn(ISSUER, _ACCOUNT),
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Effect": "Allow",
        "Version": "2012-10-17",
        "sub": _SOUND_SUBJECT,
        "aud": "aws:contoso",
    }
    return values.get(key.rpartition(":")[2])


def _replaced(document: Mapping[str, object], change: Callable[[str], str]) -> Mapping[str, object]:
    def replaced(value: object) -> object:
        if isinstance(value, Mapping):
            return {change(str(key)): replaced(each) for key, each in value.items()}
        if isinstance(value, list):
            return [replaced(each) for each in value]
        return change(value) if isinstance(value, str) else value

    return {change(str(key)): replaced(each) for key, each in document.items()}


def _named(finding: Finding, words: Mapping[str, str]) -> Finding:
    """The finding, which names placeholders as the template does."""
    message, fix = finding.message, finding.fix
    for word, name in sorted(words.items(), key=lambda pair: len(pair[0]), reverse=True):
        message, fix = (text.replace(word, f"${{{name}}}") for text in (message, fix))
    return replace(finding, message=message, fix=fix)
