"""Proves that a trust policy admits exactly the declared tokens, or finds the shortest one on which it does not.

Subjects that stand literally in the policy or the declaration are decided one by one. All others, which only patterns
and missing conditions can admit, are explored letter by letter, the shortest first, among the subjects that Pulumi
Cloud can mint; automata follow each pattern, and a search ends where nothing that follows can make a difference.

Where the documentation leaves open what Pulumi Cloud mints, the larger set counts, so that a proof holds for either
reading: any environment's name for either audience (which project decides the audience of an imported login is
inferred), pinned versions, token types beyond the three that the guide names ("such as"). An attribute appears at most
once, in any place.
"""

import heapq
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from ..claims import (
    ATTRIBUTES,
    ENVIRONMENT,
    NAME,
    OPERATIONS,
    STACK_CONFIGURATION,
    SUBJECT_HEADS,
    VALUES,
    DeploymentSubject,
    issuer_path,
    read_subject,
)
from ..trust import Trust, provider_arn
from .decisions import Request, compile_policy
from .policy import Document, Statement, compile_statement, matches, read
from .providers import providers_of
from .undefined import UndefinedBehaviour

_CLOUDS: Final = ("aws:", "", "azure:", "gcp:")
"""What stands before the organization in an ESC login's audience: logins to other clouds are signed with one key."""

_ANY_STACK: Final = ("",)
"""The same for Pulumi Deployments."""


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

    Args:
        trust_policy: Allow and Deny with StringEquals and StringLike on `aud` and `sub`.
        trust: What must be admitted, and nothing else.

    Raises:
        UndefinedBehaviour: The policy uses other elements, or AWS does not define it.
        ModuleNotFoundError: The policy needs automata and interegular is missing: install ``esc-oidc[cli]``.
    """
    document = read(trust_policy)
    request = _request(document, trust)
    clauses = tuple(_clauses(document, request))
    subjects = dict.fromkeys(
        [*trust.subjects, *(value for clause in clauses for ask in clause.subject for value in ask.exact)]
    )
    found = _on_exact_subjects(trust_policy, trust, request, subjects)
    best = min(found, key=_size, default=None)
    if trust.patterns or any(clause.allows and clause.is_open for clause in clauses):
        best = _Search(clauses, trust, tuple(subjects)).shortest(best)
    if best is None:
        count = len(trust.subjects) + len(trust.patterns)
        return Proof(
            True,
            None,
            f"The policy admits exactly what is declared: audience {trust.audience!r} with {count} "
            f"{'subject' if count == 1 else 'subjects'}, out of all that Pulumi Cloud can mint.",
        )
    verdict = "admits a token that is not declared" if best.admitted else "refuses a token that is declared"
    return Proof(False, best, f"The policy {verdict}: audience {best.audience!r} and subject {best.subject!r}.")


def _size(example: Counterexample) -> tuple[int, str, str]:
    return len(example.subject), example.subject, example.audience


def _on_exact_subjects(
    trust_policy: str | Mapping[str, object], trust: Trust, request: Request, subjects: Iterable[str]
) -> Iterator[Counterexample]:
    policy = compile_policy(trust_policy)
    for subject in subjects:
        declared = subject in trust.subjects
        audiences = (*([trust.audience] if declared else ()), *_audiences_of(subject))
        declared = declared or any(matches(pattern, subject) for pattern in trust.patterns)
        for audience in dict.fromkeys(audiences):
            admitted = policy.decide(replace(request, claims={"aud": audience, "sub": subject})).allowed
            if admitted != (declared and audience == trust.audience):
                yield Counterexample(audience, subject, admitted)


def _audiences_of(subject: str) -> Iterator[str]:
    """The audiences that a subject can come with; none when Pulumi Cloud mints no such subject.

    More generous than the grammar: what somebody has written into a policy, somebody expects to be minted.
    """
    parts = read_subject(subject)
    if parts and re.fullmatch(NAME, parts.organization):
        for cloud in _ANY_STACK if isinstance(parts, DeploymentSubject) else _CLOUDS:
            yield f"{cloud}{parts.organization}"


# What the policy asks.


class _Ask(NamedTuple):
    """One condition: the claim is one of the exact values, or matches one of the patterns."""

    exact: tuple[str, ...]
    patterns: tuple[str, ...]


class _Clause(NamedTuple):
    """One statement that covers these tokens: all that it asks of both claims must hold."""

    allows: bool
    audience: tuple[_Ask, ...]
    subject: tuple[_Ask, ...]

    @property
    def is_open(self) -> bool:
        """Whether a subject that stands nowhere literally can match."""
        return all(ask.patterns for ask in self.subject)


def _request(document: Document, trust: Trust) -> Request:
    """A request through the trusted provider, without claims."""
    found = {
        (provider.account, provider.partition)
        for statement in document.statements
        for provider in providers_of(statement)
        if provider.name == issuer_path(trust.issuer)
    }
    if len(found) > 1:
        raise UndefinedBehaviour(
            "The policy trusts this issuer's providers in several accounts; only the one in the role's own account "
            "counts, and the policy does not say which that is."
        )
    account, partition = found.pop() if found else ("123456789012", "aws")
    return Request({}, trust.issuer, account=account, partition=partition)


def _clauses(document: Document, request: Request) -> Iterator[_Clause]:
    """The statements that cover tokens of the declared issuer.

    Raises:
        UndefinedBehaviour: One uses more than StringEquals and StringLike on `aud` and `sub`.
    """
    arn, path = provider_arn(request.issuer, request.account, request.partition), issuer_path(request.issuer)
    for statement in document.statements:
        if statement.excluding_actions:
            raise UndefinedBehaviour(f"NotAction in {statement.name} can't be proved: name the action.")
        compiled = compile_statement(statement, has_variables=document.has_variables)
        if compiled.covers_action and compiled.covers_principal(arn):
            yield _clause(statement, path, has_variables=document.has_variables)


def _clause(statement: Statement, path: str, *, has_variables: bool) -> _Clause:
    asked: dict[str, list[_Ask]] = {f"{path}:aud": [], f"{path}:sub": []}
    for block in statement.conditions:
        where = f"{block.operator} on `{block.key}` in {statement.name}"
        if block.operator not in {"StringEquals", "StringLike"} or block.key.lower() not in asked:
            known = f"StringEquals and StringLike on `{path}:aud` and `{path}:sub`"
            raise UndefinedBehaviour(f"{where} can't be proved: only {known} can.")
        if not block.values or (has_variables and any("${" in value for value in block.values)):
            raise UndefinedBehaviour(
                f"{where} has no value or a policy variable, which can't be proved: write the values themselves."
            )
        is_like = block.operator == "StringLike"
        patterns = tuple(value for value in block.values if is_like and re.search(r"[*?]", value))
        exact = tuple(value for value in block.values if value not in patterns)
        asked[block.key.lower()].append(_Ask(exact, patterns))
    audience, subject = asked.values()
    return _Clause(statement.effect == "Allow", tuple(audience), tuple(subject))


# What Pulumi Cloud can mint: literal text, then a value, and so on.

_ORGANIZATION: Final = "organization"
_KINDS: Final[Mapping[str, str]] = {
    _ORGANIZATION: NAME,
    "opened": f"{ENVIRONMENT}|{STACK_CONFIGURATION}",
    "name": NAME,
    "operation": "|".join(OPERATIONS),
    **VALUES,
}
"""The regular expression of each kind of value."""


@dataclass(frozen=True)
class _Form:
    """One of the three forms of subjects: a head, the organization, and more text and values behind it.

    Attributes:
        head: The text before the organization.
        clouds: The audiences that it comes with.
        chain: Literal text and the kind of value behind it, in order; empty for attributes in any order.
        tail: The text behind the last value.
    """

    head: str
    clouds: tuple[str, ...]
    chain: tuple[tuple[str, str], ...] = ()
    tail: str = ""

    def after(self, used: frozenset[str]) -> Iterator[tuple[str, str]]:
        """What may follow the organization and these texts: the next text, and the kind of value behind it."""
        if self.chain:
            yield from self.chain[len(used) : len(used) + 1]
        else:
            yield from ((f":{name}:", name) for name in ATTRIBUTES if f":{name}:" not in used)

    def may_end(self, used: frozenset[str]) -> bool:
        """Whether the subject may end behind the value of the last of these texts."""
        return len(used) == len(self.chain) if self.chain else bool(used)


_FORMS: Final = (
    _Form(SUBJECT_HEADS[0], _CLOUDS),
    _Form(SUBJECT_HEADS[1], _CLOUDS, ((":env:", "opened"),)),
    _Form(
        SUBJECT_HEADS[2],
        _ANY_STACK,
        ((":project:", "name"), (":stack:", "name"), (":operation:", "operation")),
        ":scope:write",
    ),
)


# Automata: what reads the letters of a subject one by one.

_MINTED: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/@+<>:"
"""Every character that a token's subject or audience can have."""


def _letters(texts: Iterable[str]) -> tuple[str, ...]:
    """The alphabet for values with these texts: characters that no value tells apart are one letter."""
    distinguished = {character for text in texts for character in text}
    groups: dict[str, str] = {}
    for character in _MINTED:
        # The values of subjects tell apart lower-case letters, names, and each of the other characters.
        alike = character not in distinguished and character.isalnum()
        group = ("lower" if character.islower() else "upper or digit") if alike else character
        groups[group] = groups.get(group, "") + character
    return tuple(sorted(groups.values(), key=lambda group: (not group[0].islower(), group)))


class _Automaton(NamedTuple):
    """Reads a value of one kind: the next state by state and letter, where it may end, and where it begins."""

    steps: Mapping[int, Mapping[int, int]]
    finals: frozenset[int]
    initial: int


def _values(letters: tuple[str, ...]) -> Mapping[str, _Automaton]:
    """The automaton of each kind of value, by interegular."""
    try:
        from interegular import parse_pattern  # noqa: PLC0415 - in the extra esc-oidc[cli], which the base install lacks
        from interegular.fsm import Alphabet  # noqa: PLC0415 - the same
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "prove needs interegular, which the base install leaves out: pip install 'esc-oidc[cli]'"
        ) from error
    automata = {}
    for kind, expression in _KINDS.items():
        fsm = parse_pattern(expression).to_fsm(Alphabet.from_groups(*letters))  # type: ignore[no-untyped-call] # upstream
        # interegular numbers the letters anew, and differently in each run: in our order, the counterexample stays one.
        letters_of = {
            number: [letter for letter, group in enumerate(letters) if group[0] in characters]
            for number, characters in fsm.alphabet.by_transition.items()
        }
        steps = {
            int(state): dict(
                sorted((letter, int(to)) for key, to in fsm.map.get(state, {}).items() for letter in letters_of[key])
            )
            for state in fsm.states
        }
        automata[kind] = _Automaton(steps, frozenset(map(int, fsm.finals)), int(fsm.initial))
    return automata


class _Claim:
    """Reads everything that is asked of one claim, at once. Each value is a run of bits, one for each of its places.

    A bit of a state is set when the value may have been read up to its place: with `*`, that can be several. The last
    place of a value is its end.
    """

    def __init__(self, letters: tuple[str, ...], asks: Iterable[_Ask]) -> None:
        self._letter_of = {character: number for number, group in enumerate(letters) for character in group}
        self._reads, self._stays, self._ends = [0] * len(letters), 0, 0
        self._memory: dict[tuple[int, int], int] = {}
        self._spans: list[int] = []
        self._asked: dict[_Ask, int] = {}
        self.initial, place = 0, 0
        for ask in asks:
            first = place
            for value in (*ask.exact, *ask.patterns):
                begin = place
                self.initial |= 1 << begin
                is_pattern = value in ask.patterns
                for character in value:
                    if is_pattern and character == "*":
                        self._stays |= 1 << place
                        continue
                    for letter, group in enumerate(letters):
                        if character in group or (is_pattern and character == "?"):
                            self._reads[letter] |= 1 << place
                    place += 1
                self._ends |= 1 << place
                place += 1
                self._spans.append((1 << place) - (1 << begin))
            self._asked[ask] = (1 << place) - (1 << first)

    def step(self, state: int, letter: int) -> int:
        """The state after one more letter."""
        if (state, letter) not in self._memory:
            following = ((state & self._reads[letter]) << 1) | (state & self._stays)
            for span in self._spans:
                # Whoever has reached a `*` can stay there: what came before it no longer matters.
                if reached := (following & span & self._stays).bit_length():
                    following &= ~(span & ((1 << (reached - 1)) - 1))
            self._memory[state, letter] = following
        return self._memory[state, letter]

    def read(self, state: int, text: str) -> int:
        """The state after some text."""
        for character in text:
            state = self.step(state, self._letter_of[character])
        return state

    def can_match(self, state: int, asks: Iterable[_Ask]) -> bool:
        """Whether something may follow that meets all of these."""
        return all(state & self._asked[ask] for ask in asks)

    def matches(self, state: int, asks: Iterable[_Ask]) -> bool:
        """Whether all of these are met."""
        return all(state & self._asked[ask] & self._ends for ask in asks)

    def is_settled(self, state: int) -> bool:
        """Whether no further letter changes what is met."""
        return all(not state & asked or state & asked & self._ends & self._stays for asked in self._asked.values())


class _Node(NamedTuple):
    """Where a search stands.

    Attributes:
        kind: The kind of value that is being read; empty at the end of a subject.
        used: The texts behind the organization so far.
        value: The state of the value's automaton.
        audience: What has been read of the audience: the cloud, and the organization as it is read.
        subject: What has been read of the subject.
        prefix: The subject so far, if one of the exact subjects begins with it.
    """

    kind: str
    used: frozenset[str]
    value: int
    audience: int
    subject: int
    prefix: str | None


class _Search:
    """Looks for the shortest token that stands nowhere literally and on which policy and declaration disagree."""

    def __init__(self, clauses: Iterable[_Clause], trust: Trust, exact: tuple[str, ...]) -> None:
        # A subject that stands nowhere literally is none of the exact ones.
        self._clauses = [
            clause._replace(subject=tuple(_Ask((), ask.patterns) for ask in clause.subject))
            for clause in clauses
            if clause.is_open
        ]
        self._declared = _Clause(True, (_Ask((trust.audience,), ()),), (_Ask((), trust.patterns),))
        every = (*self._clauses, self._declared)
        audiences = dict.fromkeys(ask for clause in every for ask in clause.audience)
        subjects = dict.fromkeys(ask for clause in every for ask in clause.subject)
        texts = (text for ask in (*audiences, *subjects) for values in ask for text in values)
        self._letters = _letters([*texts, *exact, *(form.tail for form in _FORMS)])
        self._values = _values(self._letters)
        self._audience = _Claim(self._letters, audiences)
        self._subject = _Claim(self._letters, subjects)
        self._exact = frozenset(exact)
        self._prefixes = {subject[:end] for subject in exact for end in range(len(subject) + 1)}

    def shortest(self, best: Counterexample | None) -> Counterexample | None:
        """The shortest counterexample, if it is shorter than this one, else this one."""
        for form in _FORMS:
            for cloud in form.clouds:
                best = self._run(form, cloud, len(best.subject) if best else None) or best
        return best

    def _run(self, form: _Form, cloud: str, below: int | None) -> Counterexample | None:
        """Explore the subjects of one form under one audience, the shortest first."""
        audience = self._audience.read(self._audience.initial, cloud)
        subject = self._subject.read(self._subject.initial, form.head)
        value = self._values[_ORGANIZATION].initial
        start = _Node(_ORGANIZATION, frozenset(), value, audience, subject, self._prefix(form.head))
        queue = [(len(form.head), 0, form.head, start)]
        seen: set[_Node] = set()
        pushed = 0
        while queue:
            length, _, text, node = heapq.heappop(queue)
            if below is not None and length >= below:
                return None
            if not node.kind:
                organization = text.removeprefix(form.head).partition(":")[0]
                return Counterexample(f"{cloud}{organization}", text, self._admits(node.audience, node.subject))
            if node in seen:
                continue
            seen.add(node)
            for added, following in self._following(form, node, text):
                if following not in seen:
                    pushed += 1
                    heapq.heappush(queue, (length + len(added), pushed, text + added, following))
        return None

    def _following(self, form: _Form, node: _Node, text: str) -> Iterator[tuple[str, _Node]]:
        kind, used, value, audience, subject, prefix = node
        automaton = self._values[kind]
        for letter, target in automaton.steps[value].items():
            character = self._letters[letter][0]
            named = audience if used else self._audience.step(audience, letter)
            after = self._subject.step(subject, letter)
            if not self._is_settled(named, after, in_organization=not used):
                yield character, _Node(kind, used, target, named, after, self._prefix(text + character, prefix))
        if value not in automaton.finals:
            return
        if form.may_end(used) and text + form.tail not in self._exact:
            last = self._subject.read(subject, form.tail)
            if self._admits(audience, last) != self._applies(self._declared, audience, last):
                yield form.tail, _Node("", used, value, audience, last, None)
        for between, next_kind in form.after(used):
            after = self._subject.read(subject, between)
            if not self._is_settled(audience, after, in_organization=False):
                initial = self._values[next_kind].initial
                longer = self._prefix(text + between, prefix)
                yield between, _Node(next_kind, used | {between}, initial, audience, after, longer)

    def _prefix(self, text: str, before: str | None = "") -> str | None:
        return text if before is not None and text in self._prefixes else None

    def _is_settled(self, audience: int, subject: int, *, in_organization: bool) -> bool:
        """Whether nothing that follows can make policy and declaration disagree."""
        known = self._audience.can_match if in_organization else self._audience.matches
        if not any(
            clause.allows and self._subject.can_match(subject, clause.subject) and known(audience, clause.audience)
            for clause in (*self._clauses, self._declared)
        ):
            return True
        if in_organization or not self._subject.is_settled(subject):
            return False
        return self._admits(audience, subject) == self._applies(self._declared, audience, subject)

    def _applies(self, clause: _Clause, audience: int, subject: int) -> bool:
        return self._audience.matches(audience, clause.audience) and self._subject.matches(subject, clause.subject)

    def _admits(self, audience: int, subject: int) -> bool:
        """Deny over Allow, and without an Allow nothing is allowed."""
        applying = [clause.allows for clause in self._clauses if self._applies(clause, audience, subject)]
        return bool(applying) and all(applying)
