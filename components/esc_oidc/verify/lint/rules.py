"""What a rule and a finding are, and the sound policy that the rules' examples change."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Generic, Literal, NamedTuple, TypeVar

from ...claims import CURRENT_ENVIRONMENT, ISSUER, condition_key, subject
from ...trust import ACTION, provider_arn

Severity = Literal["error", "warning"]
Elements = Mapping[str, object]
"""Elements of a statement, or of the document, with their values."""

PROVIDER: Final = provider_arn(ISSUER, "123456789012")
AUD: Final = condition_key(ISSUER, "aud")
SUB: Final = condition_key(ISSUER, "sub")
LOGIN: Final = subject("contoso", [])
DEV: Final = subject("contoso", [(CURRENT_ENVIRONMENT, "aws/dev")])

GUIDE: Final = "https://www.pulumi.com/docs/esc/guides/configuring-oidc/"
DEPLOYMENTS: Final = "https://www.pulumi.com/docs/deployments/guides/oidc/"
IAM: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"


def equals(sub: object = DEV, aud: object = "aws:contoso", **others: Mapping[str, object]) -> Elements:
    """A Condition with StringEquals on these values, and other operators beside it."""
    return {"Condition": {"StringEquals": {AUD: aud, SUB: sub}, **others}}


def like(sub: object, aud: object = "aws:contoso") -> Elements:
    """A Condition with StringLike on `sub`."""
    return {"Condition": {"StringEquals": {AUD: aud}, "StringLike": {SUB: sub}}}


STATEMENT: Final[Elements] = {
    "Effect": "Allow",
    "Principal": {"Federated": PROVIDER},
    "Action": ACTION,
    **equals(),
}
"""A statement that breaks no rule; an example is what differs from it."""


@dataclass(frozen=True)
class Finding:
    """One rule that a trust policy breaks.

    Attributes:
        rule: The rule's stable id, as docs/rules.md lists it.
        severity: ``error`` or ``warning``.
        message: What is wrong, with the value.
        statement: The index of the statement, or None for the document.
        fix: What to do.
    """

    rule: str
    severity: Severity
    message: str
    statement: int | None
    fix: str

    def __str__(self) -> str:
        place = "document" if self.statement is None else f"statement {self.statement}"
        return f"{self.severity} {self.rule}: {place}: {self.message} {self.fix}"


class Breach(NamedTuple):
    """What a check found, where a message alone does not say it.

    Attributes:
        message: What is wrong, with the value.
        fix: What to do in this case, if the rule's own advice can be made more precise.
        statement: The statement, if the check judges the whole document.
    """

    message: str
    fix: str | None = None
    statement: int | None = None


Problems = Iterator[str | Breach]
"""What a check finds: messages, one for each place."""

Judged = TypeVar("Judged")
Judged_contra = TypeVar("Judged_contra", contravariant=True)


@dataclass(frozen=True)
class Rule:
    """Something that a trust policy should not do.

    Attributes:
        id: Its stable name: it stands in SARIF files and in other people's suppressions.
        severity: ``error`` for what lets in more than named environments of one organization, or can't do what it was
            written for; ``warning`` for what you should know.
        title: What it is about, in one line.
        why: What can happen.
        fix: What to do.
        source: The page that documents the fact behind it.
        bad: Elements that break it.
        good: Elements that put it right.
    """

    id: str
    severity: Severity
    title: str
    why: str
    fix: str
    source: str
    bad: Elements
    good: Elements


@dataclass(frozen=True)
class Check(Generic[Judged_contra]):
    """A rule, and the function that finds where something breaks it."""

    rule: Rule
    find: Callable[[Judged_contra], Problems]


def judge(checks: Iterable[Check[Judged]], judged: Judged, statement: int | None = None) -> Iterator[Finding]:
    """What these checks find in something, which stands in this statement."""
    for check in checks:
        for problem in check.find(judged):
            rule, said = check.rule, problem if isinstance(problem, Breach) else Breach(problem)
            place = statement if said.statement is None else said.statement
            yield Finding(rule.id, rule.severity, said.message, place, said.fix or rule.fix)


class _Example(NamedTuple, Generic[Judged]):
    find: Callable[[Judged], Problems]
    bad: Elements
    good: Elements
    source: str


def bad(
    elements: Elements, good: Elements = STATEMENT, see: str = GUIDE
) -> Callable[[Callable[[Judged], Problems]], _Example[Judged]]:
    """Elements that break the rule below, what puts them right, and the page that documents the fact behind it."""
    return lambda find: _Example(find, elements, good, see)


@dataclass(frozen=True)
class error:  # noqa: N801 - a decorator
    """Make a function the check of a rule; its docstring says why there is such a rule."""

    id: str
    title: str
    fix: str
    severity: ClassVar[Severity] = "error"

    def __call__(self, example: _Example[Judged]) -> Check[Judged]:
        """The check."""
        why = " ".join((example.find.__doc__ or "").split())
        rule = Rule(self.id, self.severity, self.title, why, self.fix, example.source, example.bad, example.good)
        return Check(rule, example.find)


class warning(error):  # noqa: N801 - the same
    """The same for a warning."""

    severity = "warning"
