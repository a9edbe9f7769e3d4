"""What repairs a login that is refused: commands, tried out on what was read before they are shown.

Each repair is the smallest change that lets the refused way in: first of the login, which widens nothing, then of the
provider, then of the trust policy, which gets this login's exact token and nothing else.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, product
from typing import Any, Final

from ..claims import (
    ATTRIBUTES,
    CURRENT_ENVIRONMENT,
    ROOT_ENVIRONMENT,
    TEAM,
    TOKEN_TYPE,
    USER,
    AttributeSubject,
    issuer_path,
    read_subject,
)
from ..definitions import LoginBlock, property_path
from ..sessions import HOUR, LONGEST_SESSION, SHORTEST_SESSION, duration_text, seconds
from ..trust import POLICY_QUOTA, Trust, provider_arn, read_iam_arn, size, trust_policy
from ..verify import Decision, Difference, UndefinedBehaviour, lint, trusted_providers
from .aws import LiveProvider, LiveRole
from .diagnosis import Diagnosis, NoToken, Target, Token, Way, answer, role_of, token_of
from .environments import Environments, HeldLogin, named

_MOST_STEPS: Final = 8
_MOST_VALUES: Final = 200
_SESSION_NAME: Final = "pulumi-esc"


@dataclass(frozen=True)
class Repair:
    """One change.

    Attributes:
        says: What it does, as a sentence.
        command: The command that does it, word by word.
        target: What it changes; a later change of the same takes its place.
        admits: Who gets in by it and did not before; empty if it lets nobody in whom the policy did not name.
    """

    says: str
    command: tuple[str, ...]
    target: str
    admits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Setup:
    """What was read, as the repairs leave it.

    Attributes:
        organization: Whose environments they are.
        issuer: The ``iss`` of their tokens.
        logins: The logins that were changed, by their environment and place.
        targets: The roles by their ARNs.
        unpinned: Imports that lost their version.
        repairs: The repairs, by what they change.
    """

    organization: str
    issuer: str
    logins: Mapping[tuple[str, tuple[str | int, ...]], LoginBlock] = field(default_factory=dict)
    targets: Mapping[str, Target] = field(default_factory=dict)
    unpinned: Mapping[str, str] = field(default_factory=dict)
    repairs: Mapping[str, Repair] = field(default_factory=dict)

    def now(self, way: Way) -> Way:
        """The way, as the repairs so far leave it."""
        chain = tuple(self.unpinned.get(name, name) for name in way.held.chain)
        login = self.logins.get((chain[-1], way.held.login.oidc_path), way.held.login)
        return replace(way, held=HeldLogin(login, chain))

    def judge(self, way: Way) -> Diagnosis:
        """What comes of a way now."""
        try:
            token, arn = token_of(self.organization, way, self.issuer), role_of(way)
        except NoToken as error:
            return Diagnosis(way, error.verdict, str(error))
        target = self.targets.get(arn)
        if target is None:
            return Diagnosis(way, "unknown", f"{arn} was not read.")
        return answer(way, token, target, self.issuer)

    def with_repair(self, repair: Repair, **changed: Any) -> "Setup":
        """The set-up after one more repair."""
        others = {name: each for name, each in self.repairs.items() if name != repair.target}
        before = self.repairs.get(repair.target)
        if before:
            repair = replace(repair, admits=tuple(dict.fromkeys([*before.admits, *repair.admits])))
        return replace(self, repairs={**others, repair.target: repair}, **changed)


@dataclass(frozen=True)
class _Case:
    """A way that AWS refuses."""

    setup: Setup
    way: Way
    token: Token
    target: Target
    role: LiveRole

    @property
    def provider(self) -> str:
        """The ARN of the provider that the token comes through."""
        arn = read_iam_arn(self.role.arn)
        return provider_arn(self.setup.issuer, arn.account, arn.partition) if arn else ""


def repaired(organization: str, issuer: str, environments: Environments, found: Sequence[Diagnosis]) -> Setup:
    """What lets in every refused way for which there is a remedy, and breaks none that is admitted.

    Args:
        organization: Whose environments they are.
        issuer: The ``iss`` of their tokens.
        environments: Where to look up imports.
        found: The diagnoses of an environment's ways.
    """
    targets = {each.target.arn: each.target for each in found if each.target}
    setup = Setup(organization, issuer, targets=targets)
    admitted = [each.way for each in found if each.verdict == "admitted"]
    for each in found:
        if each.verdict != "refused":
            continue
        mended = _mended(setup, each.way, environments)
        if mended and all(mended.judge(mended.now(way)).verdict == "admitted" for way in admitted):
            setup = mended
            admitted.append(each.way)
    return setup


def _mended(setup: Setup, way: Way, environments: Environments) -> Setup | None:
    """The set-up after the repairs that let this way in; None if there are none."""
    for _ in range(_MOST_STEPS):
        found = setup.judge(setup.now(way))
        if found.verdict == "admitted":
            return setup
        if found.verdict != "refused":
            return None
        following = next(_steps(setup, found, environments), None)
        if following is None:
            return None
        setup = following
    return None


def _steps(setup: Setup, found: Diagnosis, environments: Environments) -> Iterator[Setup]:
    """What to try next, the best first."""
    way, target = found.way, found.target
    try:
        token = token_of(setup.organization, way, setup.issuer)
    except NoToken as error:
        yield from _acceptable(setup, way, error.input)
        return
    if target is None:
        return
    if target.role is None:
        if target.namesake:
            known = replace(setup, targets={**setup.targets, target.namesake.arn: target.namesake})
            yield from _set(known, way, "roleArn", target.namesake.arn, role_arn=target.namesake.arn)
        return
    decision = found.decision
    if decision is None or decision.explanation.effect == "Deny":
        return  # what is undefined has no remedy, and a Deny somebody meant
    case = _Case(setup, way, token, target, target.role)
    if decision.error == "AccessDenied":
        yield from _pins(case, environments)
        yield from _attributes(case, decision)
        yield from _policy(case)
    else:
        yield from _call(case, decision.differences[0])


def _acceptable(setup: Setup, way: Way, name: str | None) -> Iterator[Setup]:
    """When Pulumi Cloud refuses the login itself, for this input."""
    if name == "sessionName":
        yield from _set(setup, way, name, _SESSION_NAME, session_name=_SESSION_NAME)
    elif name == "subjectAttributes":
        # What it does not accept may have been meant to say who opens: only a policy that admits the rest as it is
        # shows that it was not.
        kept = tuple(each for each in way.held.login.subject_attributes or () if each in ATTRIBUTES)
        for changed in _set(setup, way, name, f"[{', '.join(kept)}]", subject_attributes=kept):
            if kept and changed.judge(changed.now(way)).verdict == "admitted":
                yield changed


def _call(case: _Case, difference: Difference) -> Iterator[Setup]:
    """When AWS refuses the call before it looks at the policy, or the session after it."""
    setup, way, target = case.setup, case.way, case.target
    if difference.key == "RoleSessionName":
        yield from _set(setup, way, "sessionName", _SESSION_NAME, session_name=_SESSION_NAME)
    elif difference.key in {"DurationSeconds", "MaxSessionDuration"}:
        length = duration_text(_nearest(case.token.duration or "", case.role.max_session_duration))
        yield from _set(setup, way, "duration", length, duration=length)
    elif difference.key in {"OpenIDConnectProvider", "aud"}:
        provider, audience = case.provider, case.token.claims[0]["aud"]
        if target.provider:
            command = ["add-client-id-to-open-id-connect-provider", "--open-id-connect-provider-arn", provider]
            command += ["--client-id", audience]
            says = f"Registers the audience {audience} with the provider."
            known = (*target.provider.client_ids, audience)
        else:
            command = ["create-open-id-connect-provider", "--url", setup.issuer, "--client-id-list", audience]
            says, known = "Creates the provider of Pulumi Cloud in the account.", (audience,)
        repair = Repair(says, ("aws", "iam", *command), f"{provider} {audience}")
        mended = replace(target, provider=LiveProvider(provider, known, ()), providers=None)
        yield setup.with_repair(repair, targets=_with_provider(setup.targets, mended))


def _with_provider(targets: Mapping[str, Target], mended: Target) -> Mapping[str, Target]:
    """The provider is the account's, so every role of the account has it."""
    account = mended.arn.split(":")[4]
    return {
        arn: replace(each, provider=mended.provider, providers=None) if arn.split(":")[4] == account else each
        for arn, each in targets.items()
    }


def _nearest(asked: str, maximum: int) -> int:
    """The nearest number of seconds that AWS and the role allow."""
    try:
        wanted = seconds(asked)
    except ValueError:
        wanted = HOUR
    return max(SHORTEST_SESSION, min(wanted, maximum, LONGEST_SESSION))


def _set(setup: Setup, way: Way, name: str, value: str, **changed: Any) -> Iterator[Setup]:
    """A change of one input of the login, in the definition that holds it."""
    held = way.held
    environment, version = named(held.holder)
    if version:
        return  # the definition at a version stays as it is
    path = property_path((*held.login.oidc_path, name))
    reference = f"{setup.organization}/{environment}"
    command = ("pulumi", "env", "set", reference, path, value)
    repair = Repair(f"Sets {name} of the login in {reference} to {value}.", command, f"{reference} {path}")
    unknown = tuple(each for each in held.login.unknown if each != name)
    login = replace(held.login, unknown=unknown, **changed)
    yield setup.with_repair(repair, logins={**setup.logins, (held.holder, held.login.oidc_path): login})


def _pins(case: _Case, environments: Environments) -> Iterator[Setup]:
    """When the login is imported at a version, which is part of its subject."""
    setup, chain = case.setup, case.way.held.chain
    environment, version = named(chain[-1])
    if not version or len(chain) < 2 or named(chain[-2])[1]:  # noqa: PLR2004 - an importer and what it imports
        return
    importer, name = chain[-2], chain[-1].partition("@")[0]
    listed = [each.name for each in environments.definition(importer).imports]
    reference = f"{setup.organization}/{named(importer)[0]}"
    path = f"imports[{listed.index(chain[-1])}]"
    says = f"Imports {environment} without its version, which is part of the subject."
    repair = Repair(says, ("pulumi", "env", "set", reference, path, name), f"{reference} {path}")
    unpinned = setup.with_repair(repair, unpinned={**setup.unpinned, chain[-1]: name})
    if unpinned.judge(unpinned.now(case.way)).verdict == "admitted":
        yield unpinned


def _attributes(case: _Case, decision: Decision) -> Iterator[Setup]:
    """When the login asks for other attributes than the policy names, or for none."""
    setup, way, listed = case.setup, case.way, case.way.held.login.subject_attributes
    wanted = (read_subject(value) for each in decision.differences for value in each.wanted)
    named_there = {each.names for each in wanted if isinstance(each, AttributeSubject)}
    for names in sorted(named_there - {listed}, key=lambda names: (len(names), names)):
        # Whoever the login asks about, it goes on to ask about: the policy's other statements may depend on it.
        if not set(listed or ()) - {ROOT_ENVIRONMENT} <= set(names) <= set(ATTRIBUTES):
            continue
        value = f"[{', '.join(names)}]"
        for changed in _set(setup, way, "subjectAttributes", value, subject_attributes=names):
            now = changed.now(way)
            if changed.judge(now).verdict == "admitted":
                lost = ROOT_ENVIRONMENT in set(listed or ()) - set(names)
                token = token_of(setup.organization, now, setup.issuer)
                repair = list(changed.repairs.values())[-1]
                yield changed.with_repair(replace(repair, admits=(token.claims[0]["sub"],) if lost else ()))
    if not set(listed or ()) & {CURRENT_ENVIRONMENT}:
        # Else any environment's login has this subject: of whatever is opened, <yaml>, or of whoever opens it.
        names = (CURRENT_ENVIRONMENT, *(listed or ()))
        yield from _set(setup, way, "subjectAttributes", f"[{', '.join(names)}]", subject_attributes=names)


def _policy(case: _Case) -> Iterator[Setup]:
    """When the policy does not name this token: it gets a statement that names it exactly."""
    if not _is_about(case.way):
        return
    setup, subjects = case.setup, tuple(each["sub"] for each in case.token.claims)
    trust = Trust(setup.issuer, case.token.claims[0]["aud"], subjects)
    document = json.loads(case.role.policy)
    kept = [each for each in statements_of(document) if not _is_dead(each, document, setup.issuer)]
    policy = {**document, "Statement": [*kept, *trust_policy(trust, case.provider)["Statement"]]}
    if size(policy) <= POLICY_QUOTA:
        repair = replace(_rewriting(case.role, policy), says="Admits exactly this login's token.", admits=subjects)
        changed = replace(case.target, role=replace(case.role, policy=json.dumps(policy)))
        yield setup.with_repair(repair, targets={**setup.targets, case.target.arn: changed})


def _is_about(way: Way) -> bool:
    """Whether the login's token names its environment and, if it says who opens at all, this opener alone."""
    attributes = set(way.held.login.subject_attributes or ())
    says = {"personal": USER, "team": TEAM, "organization": TOKEN_TYPE}[way.opener.token_type]
    return CURRENT_ENVIRONMENT in attributes and (not attributes & {USER, TEAM, TOKEN_TYPE} or says in attributes)


def _rewriting(role: LiveRole, policy: Mapping[str, Any]) -> Repair:
    """The command that gives a role another trust policy."""
    command = ("aws", "iam", "update-assume-role-policy", "--role-name", role.arn.rpartition("/")[2])
    return Repair("", (*command, "--policy-document", json.dumps(policy, separators=(",", ":"))), role.arn)


def statements_of(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The statements of a policy document, which may have one that stands alone."""
    statements = document.get("Statement", [])
    return [statements] if isinstance(statements, Mapping) else list(statements)


def _is_dead(statement: Mapping[str, Any], document: Mapping[str, Any], issuer: str) -> bool:
    """Whether a statement is about Pulumi Cloud and no value in it lets a token in: a mistake, whose place is free."""
    each_alone = list(islice(_one_value_each(statement), _MOST_VALUES + 1))
    return len(each_alone) <= _MOST_VALUES and all(_lets_nobody_in(each, document, issuer) for each in each_alone)


def _one_value_each(statement: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The statement with one value under each condition key: every combination."""
    condition = statement.get("Condition")
    if not isinstance(condition, Mapping) or not all(isinstance(each, Mapping) for each in condition.values()):
        yield statement
        return
    keys = [(operator, key) for operator, block in condition.items() for key in block]
    values = [condition[operator][key] for operator, key in keys]
    for chosen in product(*(value if isinstance(value, list) and value else [value] for value in values)):
        blocks: dict[str, dict[str, Any]] = {}
        for (operator, key), value in zip(keys, chosen, strict=True):
            blocks.setdefault(operator, {})[key] = value
        yield {**statement, "Condition": blocks}


def principals_of(statement: Mapping[str, Any]) -> list[str]:
    """Everybody whom a statement trusts."""
    principals = statement.get("Principal", "*")
    kinds = principals.values() if isinstance(principals, Mapping) else [principals]
    return [name for kind in kinds for name in (kind if isinstance(kind, list) else [kind])]


def _lets_nobody_in(statement: Mapping[str, Any], document: Mapping[str, Any], issuer: str) -> bool:
    alone = {**document, "Statement": [statement]}
    host = issuer_path(issuer).partition("/")[0]
    try:
        about = [each.name.startswith(host) for each in trusted_providers(alone)]
    except UndefinedBehaviour:
        return False
    principals = statement.get("Principal")
    only = isinstance(principals, Mapping) and list(principals) == ["Federated"]
    wrong = {each.rule for each in lint(alone) if each.severity == "error"}
    return only and bool(about) and all(about) and bool(wrong) and wrong <= NOBODY


NOBODY: Final = frozenset(
    {
        "action-unknown", "audience-cloud", "audience-form", "audience-kind", "audience-organization", "key-claim",
        "key-issuer", "key-scheme", "never-matches", "operator-type", "operator-unknown", "policy-variable",
        "principal-account", "principal-issuer", "principal-not-provider", "principal-partition", "subject-attribute",
        "subject-form", "subject-long", "two-operators", "wildcard-literal",
    }
)  # fmt: skip
"""The rules of `lint` that find what lets nobody in."""

TOO_MANY: Final = frozenset(
    {
        "action-wide", "admits-strangers", "audience-missing", "audience-wildcard", "condition-missing",
        "current-environment-missing", "if-exists", "ignore-case", "middle-wildcard", "negated-operator",
        "null-operator", "organization-open", "organization-wide", "organizations-several", "partial-segment",
        "principal-wide", "project-wide", "set-operator", "stacks-wide", "subject-any", "subject-leading-wildcard",
        "subject-missing", "undefined", "user-is-organization", "yaml-subject",
    }
)  # fmt: skip
"""Those that find what lets in more than named environments of one organization."""


def narrowed(setup: Setup, ways: Iterable[Way], role: LiveRole) -> Repair | None:
    """What makes a role admit the logins on these ways, and no longer what its wide statements let in.

    None if it has none, or if the logins' tokens say more than which environment holds them: then only the owner knows
    whom to name.

    Args:
        setup: What was read, after the repairs.
        ways: The known ways to the role.
        role: The role, after the repairs.
    """
    document = json.loads(role.policy)
    statements = dict(enumerate(statements_of(document)))
    dropped = {each.statement for each in lint(role.policy, role.arn) if each.rule in TOO_MANY} - {None}
    if not dropped or any(len(principals_of(statements[index or 0])) != 1 for index in dropped):
        return None  # whoever else a statement trusts is not looked at here
    subjects: dict[str, list[str]] = {}
    provider = ""
    for way in map(setup.now, ways):
        attributes = way.held.login.subject_attributes or ()
        if setup.judge(way).verdict != "admitted" or (way.for_stack and not attributes):
            continue
        if set(attributes) - {CURRENT_ENVIRONMENT}:
            return None
        token = token_of(setup.organization, way, setup.issuer)
        provider = _Case(setup, way, token, Target(role.arn, role), role).provider
        for claims in token.claims:
            listed = subjects.setdefault(claims["aud"], [])
            if claims["sub"] not in listed:
                listed.append(claims["sub"])
    trusts = [Trust(setup.issuer, audience, tuple(listed)) for audience, listed in subjects.items()]
    exact = [statement for trust in trusts for statement in trust_policy(trust, provider)["Statement"]]
    kept = [each for index, each in statements.items() if index not in dropped and each not in exact]
    policy = {**document, "Version": "2012-10-17", "Statement": [*kept, *exact]}
    if not exact or size(policy) > POLICY_QUOTA:
        return None
    admitted = " and ".join(subject for trust in trusts for subject in trust.subjects)
    return replace(_rewriting(role, policy), says=f"Admits {admitted}, and no longer what is too wide.")
