"""Proves that a trust policy admits exactly the declared tokens, or finds the shortest one on which it does not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..trust import Trust
from .admission import Admission, admission_of
from .decisions import CompiledPolicy, Request, compile_policy
from .difference import shortest_difference
from .minted import audiences_of


@dataclass(frozen=True)
class Counterexample:
    """A token on which policy and declaration disagree.

    Attributes:
        audience: Its `aud`.
        subject: Its `sub`.
        admitted: Whether the policy admits it; the declaration says the opposite.
    """

    audience: str
    subject: str
    admitted: bool


@dataclass(frozen=True)
class Proof:
    """Whether a policy admits exactly the declared tokens.

    Attributes:
        holds: Whether it does.
        counterexample: The token with the shortest subject on which it does not; None when it holds.
        reason: The same in words.
    """

    holds: bool
    counterexample: Counterexample | None
    reason: str


def prove(trust_policy: str | Mapping[str, object], trust: Trust) -> Proof:
    """Compare a policy with a declaration over every audience and subject that Pulumi Cloud can mint.

    Subjects that stand literally in the policy or the declaration are decided one by one; all others, which only
    patterns and missing conditions can admit, by automata. `minted` says what Pulumi Cloud can mint.

    Args:
        trust_policy: Allow and Deny with StringEquals and StringLike on `aud` and `sub`.
        trust: What must be admitted, and nothing else.

    Raises:
        UndefinedBehaviour: The policy uses other elements, or AWS does not define it.
        ModuleNotFoundError: The policy needs automata and interegular is missing: install ``esc-oidc[cli]``.
    """
    admission = admission_of(trust_policy, trust)
    found = [*_on_exact_subjects(compile_policy(trust_policy), admission, trust)]
    best = min(found, key=_order, default=None)
    if difference := shortest_difference(admission, trust, len(best.subject) if best else None):
        best = Counterexample(*difference)
    if best is None:
        count = len(trust.subjects) + len(trust.patterns)
        return Proof(
            True,
            None,
            f"The policy admits exactly what is declared: audience {trust.audience!r} with {count} "
            f"{'subject' if count == 1 else 'subjects'}, out of all that Pulumi Cloud can mint.",
        )
    token = f"audience {best.audience!r} and subject {best.subject!r}"
    if best.admitted:
        return Proof(False, best, f"The policy admits a token that is not declared: {token}.")
    return Proof(False, best, f"The policy refuses a token that is declared: {token}.")


def _on_exact_subjects(policy: CompiledPolicy, admission: Admission, trust: Trust) -> Iterator[Counterexample]:
    for subject in admission.exact:
        declared_here = (trust.audience,) if subject in trust.subjects else ()
        for audience in dict.fromkeys((*declared_here, *audiences_of(subject))):
            request = Request(
                {"aud": audience, "sub": subject},
                trust.issuer,
                account=admission.account,
                partition=admission.partition,
            )
            admitted = policy.decide(request).allowed
            if admitted != admission.declares(audience, subject):
                yield Counterexample(audience, subject, admitted)


def _order(example: Counterexample) -> tuple[int, str, str]:
    return len(example.subject), example.subject, example.audience
