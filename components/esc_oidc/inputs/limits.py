"""AWS's limits on what a trust comes to: the length of a subject, and of the trust policy."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ..trust import MAX_POLICY, MAX_SUBJECT, Trust, size, trust_policy
from .violations import Violation

MOST_SUBJECTS: Final = MAX_POLICY // 32
"""`pulumi:environments:pulumi.organization.login:` and `pulumi:deploy:org:...:operation:` have over 32 characters."""


def subject_limit(inputs: Mapping[str, Any], subjects: Iterable[str], fix: str) -> Iterator[Violation]:
    """Subjects that AWS does not take; the input with the longest name in one is where to begin."""
    for subject in subjects:
        if len(subject) > MAX_SUBJECT:
            names = [(len(name), source, name) for source, name in _names(inputs) if name in subject]
            _, source, name = max(names)
            yield Violation(
                source,
                name,
                f"with it, a subject has {len(subject)} characters, and AWS takes at most {MAX_SUBJECT}: {subject}.",
                fix,
            )


def _names(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for source, value in inputs.items():
        if source in {"organization", "project", "environment"}:
            yield source, value
        elif _lists_names(source):
            yield from ((source, name) for name in value)


def _lists_names(source: str) -> bool:
    return source.startswith("allowed_") or source == "stacks"


def count_limit(inputs: Mapping[str, Any], count: int) -> Iterator[Violation]:
    """More subjects than any policy holds, said before they are made: lists of a thousand make a million."""
    if count > MOST_SUBJECTS:
        source = _longest_list(inputs)
        yield Violation(
            source,
            inputs[source],
            f"these make {count} subjects, and a trust policy of at most {MAX_POLICY} characters holds no more than "
            f"{MOST_SUBJECTS} of the shortest.",
            "List fewer, or share them among several roles.",
        )


def _longest_list(inputs: Mapping[str, Any]) -> str:
    return max((len(value), name) for name, value in inputs.items() if _lists_names(name))[1]


def policy_limit(inputs: Mapping[str, Any], trust: Trust, provider: str) -> Iterator[Violation]:
    """Whether the trust policy is longer than AWS's quota can be raised to, and how many subjects would fit."""
    taken = size(trust_policy(trust, provider))
    count = len(trust.subjects) + len(trust.patterns)
    # With a subject that is over its own limit, that is what to say; without, only a list of names makes so many.
    if taken <= MAX_POLICY or any(len(subject) > MAX_SUBJECT for subject in trust.subjects + trust.patterns):
        return
    first = Trust(trust.issuer, trust.audience, trust.subjects[:1], trust.patterns[: 0 if trust.subjects else 1])
    alone = size(trust_policy(first, provider))
    fit = 1 + int((MAX_POLICY - alone) / ((taken - alone) / (count - 1)))
    source = _longest_list(inputs)
    yield Violation(
        source,
        inputs[source],
        f"the trust policy would have {taken} characters for its {count} subjects, and AWS takes at most {MAX_POLICY}: "
        f"{fit} subjects like these fit.",
        "List fewer, or share them among several roles.",
    )
