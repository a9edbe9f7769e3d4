"""Proves that a trust policy admits exactly the declared tokens, or finds the shortest one on which it does not.

The proof is over every token that Pulumi Cloud can mint, where its documentation leaves something open in the largest
reading. Counterexamples are looked for among the documented tokens first, then among those of known words.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product, starmap, zip_longest
from typing import Final, NamedTuple

from ..claims import KEYS_HEAD, ORGANIZATION, SUBJECT_HEADS, issuer_path, read_audience
from ..trust import MAX_SUBJECT, Trust, provider_arn
from .automata import Case, Form, TooMuchWork, Work, canonical, shortest
from .policy import Block, Document, Statement, compile_statement, matches, operator_of, read
from .providers import providers_of
from .undefined import UndefinedBehaviour
from .universe import CLOUDS, documented, everything, invented_in, known

MAX_WORK: Final = 2_500_000
"""What the searches of one proof may cost together, in units of `automata.Work`; about two seconds."""


@dataclass(frozen=True)
class Invented:
    """A part of a counterexample that no documentation has: it stands for whatever Pulumi may add.

    Attributes:
        part: Which, such as ``operation``; ``subject`` if no token of such a form is known at all.
        value: What the counterexample has there.
    """

    part: str
    value: str

    def __str__(self) -> str:
        return f"{self.part} {self.value!r}"


@dataclass(frozen=True)
class Counterexample:
    """A token on which policy and declaration disagree.

    Attributes:
        audience: Its `aud`.
        subject: Its `sub`.
        admitted: Whether the policy admits it; the declaration says the opposite.
        documented: Whether Pulumi documents tokens of this form, or only does not rule them out.
        invented: The parts that stand for what Pulumi may add. There are some only if no token without them is known
            that refutes the policy.
    """

    audience: str
    subject: str
    admitted: bool
    documented: bool
    invented: tuple[Invented, ...] = ()


@dataclass(frozen=True)
class Proof:
    """Whether a policy admits exactly the declared tokens.

    Attributes:
        holds: Whether it does: no other token gets in, and each declared one does, where `provided` says.
        counterexample: The token with the shortest subject on which it does not; None when it holds. One that Pulumi
            documents, if there is any.
        reason: The same in words.
        provided: What the policy asks of the request besides `aud` and `sub` before it admits what is declared, or
            this counterexample.
    """

    holds: bool
    counterexample: Counterexample | None
    reason: str
    provided: tuple[str, ...]


def prove(trust_policy: str | Mapping[str, object], trust: Trust) -> Proof:
    """Compare a policy with a declaration over every audience and subject that Pulumi Cloud can mint.

    Conditions on keys of the request (``sts:RoleSessionName``, ``aws:...``) may hold or not, whatever the token. With
    them a proof holds if the policy admits nobody else in any case, and what is declared where they let it.

    Args:
        trust_policy: Allow and Deny; on `aud` and `sub` StringEquals, StringLike, their negations, with IfExists or a
            set operator if you like, and Null.
        trust: What must be admitted, and nothing else.

    Raises:
        UndefinedBehaviour: The policy asks something else of `aud` or `sub`, AWS does not define it, or a proof needs
            more than `MAX_WORK`.
    """
    if issuer_path(trust.issuer).endswith("/v2"):
        raise UndefinedBehaviour(
            f"{trust.issuer} signs tokens with custom audiences, which can't be proved: only those of .../oidc can."
        )
    clauses = tuple(_clauses(read(trust_policy), trust))
    declared = _Clause(
        True, (_Ask((trust.audience,), (), False),), (_Ask(trust.subjects, trust.patterns, False),), "", ()
    )
    work = Work(MAX_WORK)
    found = _counterexample(clauses, declared, trust, work)
    if found is None:
        return _proved(clauses, declared, trust, work)
    applying = [clause for clause in clauses if clause.applies(found.audience, found.subject)]
    provided = tuple(clause.proviso for clause in applying if clause.further) if found.admitted else ()
    where = f" {' and '.join(provided)}" if provided else ""
    return Proof(False, found, _refutation(found, where), provided)


def _refutation(found: Counterexample, where: str) -> str:
    """What the counterexample shows, in words; a word that Pulumi does not document makes no token."""
    named, token = (
        " and no ".join(map(str, found.invented)),
        f"audience {found.audience!r} and subject {found.subject!r}",
    )
    if found.invented and found.invented[0].part != "subject":
        verdict = "admits more than what is declared" if found.admitted else "refuses some of what is declared"
        return (
            f"The policy {verdict}{where}, though not for any token of known words, as far as was found: Pulumi "
            f"documents no {named}, but may add such. A token with it would have {token}."
        )
    verdict = "admits a token that is not declared" if found.admitted else "refuses a token that is declared"
    reason = f"The policy {verdict}{where}: {token}."
    if len(found.subject) > MAX_SUBJECT:
        length = len(found.subject)
        reason += f" Nobody gets in by it: it has {length} characters, and AWS takes subjects of at most {MAX_SUBJECT}."
    elif found.invented:
        reason += f" Pulumi documents no {named}: it only stands in the policy or the declaration."
    elif not found.documented:
        reason += " Pulumi documents no such token, but does not rule it out; no documented one was found."
    return reason


def _proved(clauses: Sequence["_Clause"], declared: "_Clause", trust: Trust, work: Work) -> Proof:
    count = len(trust.subjects) + len(trust.patterns)
    subjects = f"audience {trust.audience!r} with {count} {'subject' if count == 1 else 'subjects'}"
    of_all = "out of all that Pulumi Cloud can mint"
    # Now as if every further condition of an Allow failed, and every one of a Deny held.
    certain = [clause for clause in clauses if not (clause.allows and clause.further)]
    if all(_admits(certain, trust.audience, subject) for subject in trust.subjects) and not _search(
        _refusals(certain, declared), everything(), work
    ):
        return Proof(True, None, f"The policy admits exactly what is declared: {subjects}, {of_all}.", ())
    provided = tuple(clause.proviso for clause in clauses if clause.further)
    return Proof(
        True,
        None,
        f"The policy admits nobody but what is declared, {of_all}. What is declared, {subjects}, gets in "
        f"{' and '.join(provided)}.",
        provided,
    )


# What the policy asks.


class _Ask(NamedTuple):
    """One condition: the claim is one of the exact values or matches one of the patterns, or none if it is negated."""

    exact: tuple[str, ...]
    patterns: tuple[str, ...]
    is_negated: bool

    def holds(self, value: str) -> bool:
        found = value in self.exact or any(matches(pattern, value) for pattern in self.patterns)
        return found is not self.is_negated

    @property
    def values(self) -> frozenset[str]:
        """All as patterns, but for those that no token matches: none has a `*` or `?`, nor is any so long."""
        plain = (value for value in self.exact if not re.search(r"[*?]", value))
        values = (*plain, *map(canonical, self.patterns))
        return frozenset(value for value in values if len(value.replace("*", "")) <= MAX_SUBJECT)


class _Clause(NamedTuple):
    """One statement that covers these tokens: all that it asks of both claims must hold, and all further conditions."""

    allows: bool
    audience: tuple[_Ask, ...]
    subject: tuple[_Ask, ...]
    name: str
    further: tuple[Block, ...]

    def applies(self, audience: str, subject: str) -> bool:
        """Whether all that it asks of the claims holds."""
        return all(ask.holds(audience) for ask in self.audience) and all(ask.holds(subject) for ask in self.subject)

    @property
    def proviso(self) -> str:
        """On what it depends, apart from the claims, whether the statement allows."""
        asked = [f"{each.operator} on `{each.key}` ({', '.join(map(repr, each.values))})" for each in self.further]
        return f"{'if' if self.allows else 'unless'} {' and '.join(asked)} in {self.name} hold" + "s" * (
            len(asked) == 1
        )


def _clauses(document: Document, trust: Trust) -> Iterator[_Clause]:
    """The statements that cover tokens of the declared issuer.

    Raises:
        UndefinedBehaviour: One asks something of `aud` or `sub` that cannot be proved.
    """
    path = issuer_path(trust.issuer)
    found = {
        (provider.account, provider.partition)
        for statement in document.statements
        for provider in providers_of(statement)
        if provider.name == path
    }
    if len(found) > 1:
        raise UndefinedBehaviour(
            "The policy trusts this issuer's providers in several accounts; only the one in the role's own account "
            "counts, and the policy does not say which that is."
        )
    arn = provider_arn(trust.issuer, *(found.pop() if found else ("123456789012", "aws")))
    for statement in document.statements:
        if statement.excluding_actions:
            raise UndefinedBehaviour(f"NotAction in {statement.name} can't be proved: name the action.")
        compiled = compile_statement(statement, has_variables=document.has_variables)
        if compiled.covers_action and compiled.covers_principal(arn):
            clause = _clause(statement, path, has_variables=document.has_variables)
            if clause:
                yield clause


_PROVED: Final = {"StringEquals": False, "StringLike": False, "StringNotEquals": True, "StringNotLike": True}
"""The operators, and whether they are negated. IfExists and set operators change nothing: each token has one value."""


def _clause(statement: Statement, path: str, *, has_variables: bool) -> _Clause | None:
    """What a statement asks; None if it asks that a claim be missing, which none is."""
    asked: dict[str, list[_Ask]] = {f"{path}:aud": [], f"{path}:sub": []}
    further: list[Block] = []
    for block in statement.conditions:
        where = f"{block.operator} on `{block.key}` in {statement.name}"
        if block.key.lower().startswith(("aws:", "sts:")):
            further.append(block)
            continue
        if block.key.lower() not in asked:
            raise UndefinedBehaviour(
                f"{where} can't be proved: only `{path}:aud`, `{path}:sub` and keys of the request, aws:... and "
                "sts:..., can."
            )
        operator = operator_of(block.operator)
        if operator.name == "Null" and not operator.set_operator and block.values:
            if "false" not in block.values:
                return None
            continue
        if operator.name not in _PROVED:
            known = f"{', '.join(_PROVED)} and Null"
            raise UndefinedBehaviour(f"{where} can't be proved: only {known} on `aud` and `sub` can.")
        if not block.values or (has_variables and any("${" in value for value in block.values)):
            raise UndefinedBehaviour(
                f"{where} has no value or a policy variable, which can't be proved: write the values themselves."
            )
        is_like = operator.name.endswith("Like")
        patterns = tuple(value for value in block.values if is_like and re.search(r"[*?]", value))
        exact = tuple(value for value in block.values if value not in patterns)
        asked[block.key.lower()].append(_Ask(exact, patterns, _PROVED[operator.name]))
    audience, subject = map(tuple, asked.values())
    return _Clause(statement.effect == "Allow", audience, subject, statement.name, tuple(further))


# Where policy and declaration disagree. Deny over Allow, and without an Allow nothing is allowed.


def _counterexample(clauses: Sequence[_Clause], declared: _Clause, trust: Trust, work: Work) -> Counterexample | None:
    """The shortest counterexample: a documented one if there is any, else one without invented parts.

    Raises:
        UndefinedBehaviour: The search is too long, and none was found.
    """
    # At its widest: every further condition of an Allow holds, and one of each Deny fails.
    widest = [clause for clause in clauses if clause.allows or not clause.further]
    undecided: UndefinedBehaviour | None = None
    found: tuple[str, str] | None = None
    try:
        found = _search(_disagreements(widest, declared), everything(), work)
    except UndefinedBehaviour as error:
        undecided = error
    written = min(_written(widest, declared, trust), key=_size, default=None)
    if found or written or undecided:
        if token := _of_an_organization(widest, declared, documented, work):
            return Counterexample(*token, _admits(widest, *token), documented=True)
        if not found or any(invented_in(*found)):
            found = _of_an_organization(widest, declared, known, work) or found
        if token := found or written:
            # The search for documented ones may have reached its limit.
            is_documented = _is_among(token, documented(token[0].rpartition(":")[2]))
            invented = tuple(starmap(Invented, invented_in(*token)))
            if len(token[1]) <= MAX_SUBJECT and not _is_among(token, everything()):
                invented = (Invented("subject", token[1]),)
            return Counterexample(*token, _admits(widest, *token), is_documented, invented)
    if undecided:
        raise undecided
    return None


def _of_an_organization(
    clauses: Sequence[_Clause], declared: _Clause, universe: Callable[[str | None], tuple[Form, ...]], work: Work
) -> tuple[str, str] | None:
    """The shortest one of an organization that is named, or that a search of all organizations leads to."""
    try:
        near = _search(_disagreements(clauses, declared), universe(None), work)
        if near is None:
            return None
        organizations = {near[0].rpartition(":")[2], *_organizations([*clauses, declared])}
        forms = [form for organization in sorted(organizations) for form in universe(organization)]
        return _search(_disagreements(clauses, declared), forms, work)
    except UndefinedBehaviour:
        return None


def _is_among(token: tuple[str, str], forms: Iterable[Form]) -> bool:
    """Whether it is a token of one of these forms. No token has a `*` or `?`."""
    audience, subject = token
    exactly = Case((audience,), (subject,), frozenset())
    return not re.search(r"[*?]", audience + subject) and shortest([exactly], forms, Work(MAX_WORK)) is not None


def _size(token: tuple[str, str]) -> tuple[int, int, str, str]:
    return len(token[1]), len(token[0]), token[1], token[0]


def _search(cases: Iterable[Case], forms: Iterable[Form], work: Work) -> tuple[str, str] | None:
    # The rest is for the searches that may follow.
    rest = work.left // 2
    work.left -= rest
    try:
        return shortest(cases, forms, work)
    except TooMuchWork:
        raise UndefinedBehaviour(
            f"Not proved within {MAX_WORK:,} steps: the policy's patterns overlap in too many ways. Write fewer `*` "
            "and `?`, or the values themselves."
        ) from None
    finally:
        work.left = max(work.left, 0) + rest


def _admits(clauses: Iterable[_Clause], audience: str, subject: str) -> bool:
    if len(subject) > MAX_SUBJECT:
        return False
    applying = [clause.allows for clause in clauses if clause.applies(audience, subject)]
    return bool(applying) and all(applying)


def _written(clauses: Sequence[_Clause], declared: _Clause, trust: Trust) -> Iterator[tuple[str, str]]:
    """Counterexamples among the subjects that somebody wrote, whatever their form: somebody expects them."""
    asks = [ask for clause in clauses if clause.allows for ask in clause.subject if not ask.is_negated]
    for subject in dict.fromkeys([*trust.subjects, *(value for ask in asks for value in ask.exact)]):
        organization = _organization(subject)
        clouds = [organization, *(f"{cloud}:{organization}" for cloud in CLOUDS)] if organization else []
        for audience in dict.fromkeys([*([trust.audience] if subject in trust.subjects else []), *clouds]):
            if _admits(clauses, audience, subject) != declared.applies(audience, subject):
                yield audience, subject


def _organizations(clauses: Iterable[_Clause]) -> Iterator[str]:
    """The organizations that are named anywhere."""
    for clause in clauses:
        for ask in clause.audience:
            yield from (read.organization for value in ask.exact if (read := read_audience(value)))
        for ask in clause.subject:
            yield from filter(None, map(_organization, (*ask.exact, *ask.patterns)))


def _organization(subject: str) -> str | None:
    for head in (*SUBJECT_HEADS, KEYS_HEAD):
        organization = subject.removeprefix(head).partition(":")[0]
        if subject.startswith(head) and re.fullmatch(ORGANIZATION, organization):
            return organization
    return None


class _Wanted(NamedTuple):
    """One way for some clauses to apply or to fail: each of these claims matches one of each of these sets."""

    audience: tuple[frozenset[str], ...] = ()
    subject: tuple[frozenset[str], ...] = ()
    never: tuple[tuple[frozenset[str], frozenset[str]], ...] = ()

    def __or__(self, other: "_Wanted") -> "_Wanted":
        """Both."""
        return _Wanted(self.audience + other.audience, self.subject + other.subject, self.never + other.never)


_ANYTHING: Final = frozenset(["*"])


def _disagreements(clauses: Sequence[_Clause], declared: _Clause) -> Iterator[Case]:
    """What is admitted and not declared, then what is declared and not admitted."""
    denies = [clause for clause in clauses if not clause.allows]
    for clause in clauses:
        if clause.allows:
            yield from _cases([clause], [*denies, declared])
    yield from _refusals(clauses, declared)


def _refusals(clauses: Sequence[_Clause], declared: _Clause) -> Iterator[Case]:
    """What is declared and not admitted."""
    yield from _cases([declared], [clause for clause in clauses if clause.allows])
    for clause in clauses:
        if not clause.allows:
            yield from _cases([declared, clause], [])


def _cases(applying: Iterable[_Clause], failing: Iterable[_Clause]) -> Iterator[Case]:
    """The tokens to which these clauses apply and those do not."""
    certain = _Wanted()
    for clause in applying:
        certain |= _applied(clause)
    for ways in product(*map(_failed, failing)):
        wanted = certain
        for way in ways:
            wanted |= way
        never = frozenset((audience, subject) for audience, subject in wanted.never if audience and subject)
        for audience in product(*map(sorted, wanted.audience or (_ANYTHING,))):
            for subject in product(*map(sorted, wanted.subject or (_ANYTHING,))):
                yield Case(tuple(sorted({*audience})), tuple(sorted({*subject})), never)


def _applied(clause: _Clause) -> _Wanted:
    audience, subject = (
        tuple(ask.values for ask in asks if not ask.is_negated) for asks in (clause.audience, clause.subject)
    )
    refused = [(ask.values, _ANYTHING) for ask in clause.audience if ask.is_negated]
    refused += [(_ANYTHING, ask.values) for ask in clause.subject if ask.is_negated]
    return _Wanted(audience, subject, tuple(refused))


def _failed(clause: _Clause) -> Iterator[_Wanted]:
    """The ways for one of its conditions not to hold: a negated one for itself, the others in pairs."""
    yield from (_Wanted(audience=(ask.values,)) for ask in clause.audience if ask.is_negated and ask.values)
    yield from (_Wanted(subject=(ask.values,)) for ask in clause.subject if ask.is_negated and ask.values)
    audience, subject = (
        [ask.values for ask in asks if not ask.is_negated] for asks in (clause.audience, clause.subject)
    )
    for pair in zip_longest(audience, subject, fillvalue=_ANYTHING):
        yield _Wanted(never=(pair,))
