"""AWS's limits on what a trust comes to: the length of a subject, and of the trust policy."""

from collections.abc import Iterable, Iterator

from ..trust import MAX_POLICY, MAX_SUBJECT, Trust, size, trust_policy
from .violations import Violation


def subject_limit(subjects: Iterable[str]) -> Iterator[Violation]:
    """Subjects that AWS does not take."""
    for subject in subjects:
        if len(subject) > MAX_SUBJECT:
            yield Violation(
                "subjects",
                subject,
                f"this subject has {len(subject)} characters, and AWS takes at most {MAX_SUBJECT}.",
                "List fewer attributes, or shorten the names that stand in it.",
            )


def policy_limit(trust: Trust, provider: str) -> Iterator[Violation]:
    """Whether the trust policy is longer than AWS's quota can be raised to, and how many subjects would fit."""
    taken = size(trust_policy(trust, provider))
    count = len(trust.subjects) + len(trust.patterns)
    # A policy this long on account of a single subject: then the subject itself is over its limit.
    if taken <= MAX_POLICY or count == 1:
        return
    first = Trust(trust.issuer, trust.audience, trust.subjects[:1], trust.patterns[: 0 if trust.subjects else 1])
    alone = size(trust_policy(first, provider))
    fit = 1 + int((MAX_POLICY - alone) / ((taken - alone) / (count - 1)))
    yield Violation(
        "subjects",
        f"{count} of them",
        f"the trust policy would have {taken} characters, and AWS takes at most {MAX_POLICY}: {fit} subjects like "
        "these fit.",
        "List fewer environments, users or teams, or share them among several roles.",
    )
