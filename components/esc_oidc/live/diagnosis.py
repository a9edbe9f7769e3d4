"""Who gets in through an environment: each way of opening it, judged as Pulumi Cloud and AWS would.

Nothing is opened: the tokens are what Pulumi Cloud would mint, and the answers are `verify`'s.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from ..claims import ISSUER, LEGACY_PROJECT, STACK_CONFIGURATION
from ..definitions import filled
from ..sessions import duration_text
from ..tokens import DefaultProject, Opener, Opening, UnknownSubjectAttribute, login_claims
from ..trust import provider_arn, read_iam_arn
from ..verify import Decision, Finding, Request, UndefinedBehaviour, decide, lint
from .aws import AwsAccounts, LiveProvider, LiveRole, Unreadable
from .environments import Environments, HeldLogin, Obstacle

ESC_DURATION: Final = "2h"
"""What ESC asks for when a login names no duration."""

Verdict = Literal["admitted", "refused", "unknown"]


@dataclass(frozen=True)
class Way:
    """A way to a login: what is opened, how, by whom.

    Attributes:
        opened: The environment that is opened, ``PROJECT/ENV``.
        for_stack: Whether a stack's `environment:` list opens it, as in `pulumi up`, and not somebody by its name.
        held: The login that is reached, and the imports that lead there.
        opener: Whose token opens it.
    """

    opened: str
    for_stack: bool
    held: HeldLogin
    opener: Opener


@dataclass(frozen=True)
class Token:
    """What a login would present to AWS.

    Attributes:
        claims: The token's claims; several where Pulumi's sources differ on how the legacy project is spelled.
        session_name, duration: What else it asks for; None if that is known only when the environment is opened.
    """

    claims: tuple[Mapping[str, str], ...]
    session_name: str | None
    duration: str | None


@dataclass(frozen=True)
class Target:
    """The role that a login names, and its provider, as far as they can be read.

    Attributes:
        arn: The role's ARN.
        role: The role; None if there is none.
        provider: The provider of the issuer in the role's account; None if there is none, or it can't be read.
        providers: The account's providers, where its own is missing.
        namesake: The role of this name under another path, where there is no such role.
        notes: What could not be read, as sentences.
    """

    arn: str
    role: LiveRole | None
    provider: LiveProvider | None = None
    providers: tuple[str, ...] | None = None
    namesake: "Target | None" = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """What comes of one way.

    Attributes:
        way: The way.
        verdict: ``admitted`` or ``refused`` for sure; else ``unknown``.
        reason: Why, as a paragraph.
        token: The claims that AWS would see; empty if no token is minted.
        decision: AWS's answer; None if it does not come to that.
        target: The role; None if the login's is not known.
        notes: What was not judged, as sentences.
    """

    way: Way
    verdict: Verdict
    reason: str
    token: Mapping[str, str] = field(default_factory=dict)
    decision: Decision | None = None
    target: Target | None = None
    notes: tuple[str, ...] = ()


class NoToken(Exception):  # noqa: N818 - an answer, not a mistake in the program
    """Pulumi Cloud mints no token for this login, or which one is not known; the text says why.

    Attributes:
        verdict: ``refused`` if Pulumi Cloud refuses the login, else ``unknown``.
        input: The login's input that is to blame for a refusal.
    """

    def __init__(self, reason: str, verdict: Verdict, input_: str | None = None) -> None:
        super().__init__(reason)
        self.verdict: Verdict = verdict
        self.input = input_


def token_of(organization: str, way: Way, issuer: str = ISSUER) -> Token:
    """What a login would present when its environment is opened in this way. Raises NoToken."""
    login, opener = way.held.login, way.opener
    if login.subject_attributes is None:
        raise NoToken(_not_known("subjectAttributes"), "unknown")
    opening = Opening(organization, STACK_CONFIGURATION if way.for_stack else way.opened, opener)
    context = {
        "pulumi.user.login": opener.login,
        "pulumi.organization.login": organization,
        "currentEnvironment.name": way.held.holder,
        "rootEnvironment.name": way.opened,
    }
    listed = [filled(each, context) for each in login.subject_attributes]
    if None in listed:
        raise NoToken(_not_known("subjectAttributes"), "unknown")
    spellings: tuple[DefaultProject, ...] = ("stripped", "as written")
    try:
        claims = [
            login_claims(
                opening,
                current_environment=way.held.holder,
                root_environment=way.opened,
                subject_attributes=[each for each in listed if each is not None],
                issuer=issuer,
                default_project=spelling,
            )
            for spelling in spellings
        ]
    except UnknownSubjectAttribute as error:
        raise NoToken(f"Pulumi Cloud refuses the login: {error}.", "refused", "subjectAttributes") from error
    different = {each["sub"]: each for each in claims}
    if login.session_name is None and "sessionName" not in login.unknown:
        raise NoToken("Pulumi Cloud refuses the login: it has no sessionName.", "refused", "sessionName")
    name = None if login.session_name is None else filled(login.session_name, context)
    asked = ESC_DURATION if login.duration is None and "duration" not in login.unknown else login.duration
    return Token(tuple(different.values()), name, None if asked is None else filled(asked, context))


def _not_known(name: str) -> str:
    return f"The login's {name} is known only when the environment is opened."


def role_of(way: Way) -> str:
    """The ARN of the role that a login names. Raises NoToken."""
    login = way.held.login
    if "roleArn" in login.unknown:
        raise NoToken(_not_known("roleArn"), "unknown")
    arn = None if login.role_arn is None else filled(login.role_arn, {})
    if not arn:
        raise NoToken("Pulumi Cloud refuses the login: it names no role.", "refused", "roleArn")
    return arn


def answer(way: Way, token: Token, target: Target, issuer: str) -> Diagnosis:
    """AWS's answer to a token, as far as it is known what decides."""
    notes = [*target.notes]
    if target.role is None:
        instead = f" The role of this name is {target.namesake.arn}." if target.namesake else ""
        reason = f"There is no role {target.arn}, so AWS refuses the login.{instead}"
        return Diagnosis(way, "refused", reason, token.claims[0], None, target, tuple(notes))
    if token.session_name is None:
        notes.append("The session name is known only when the environment is opened, and was not judged.")
    if token.duration is None:
        notes.append("The duration is known only when the environment is opened, and was not judged.")
    try:
        decisions = [
            decide(target.role.policy, _request(claims, token, target, target.role, issuer)) for claims in token.claims
        ]
    except UndefinedBehaviour as error:
        return Diagnosis(way, "unknown", str(error), token.claims[0], None, target, tuple(notes))
    first = next((each for each in decisions if not each.allowed), decisions[0])
    claims = token.claims[decisions.index(first)]
    verdict: Verdict = "admitted" if first.allowed else "unknown" if first.depends_on else "refused"
    reason = first.reason
    if len({each.allowed for each in decisions}) > 1:
        other = next(each["sub"] for each in token.claims if each is not claims)
        verdict = "unknown"
        reason = (
            f"Pulumi's sources differ on how the legacy project `{LEGACY_PROJECT}` is spelled: the role admits "
            f"{other!r}, and not {claims['sub']!r}. Admit both."
        )
    return Diagnosis(way, verdict, reason, claims, first, target, tuple(notes))


def _request(claims: Mapping[str, str], token: Token, target: Target, role: LiveRole, issuer: str) -> Request:
    arn = read_iam_arn(role.arn)
    return Request(
        claims,
        issuer,
        account=arn.account if arn else None,
        partition=arn.partition if arn else "aws",
        client_ids=target.provider.client_ids if target.provider else None,
        duration=token.duration,
        max_session_duration=duration_text(role.max_session_duration),
        session_name=token.session_name,
        context={"aws:SecureTransport": "true"},
        providers=target.providers,
    )


class Doctor:
    """Answers who gets in through the environments of an organization. May be used from any thread.

    Args:
        environments: The organization's environments.
        accounts: The AWS accounts with their roles.
        issuer: The ``iss`` of its tokens.
    """

    def __init__(self, environments: Environments, accounts: AwsAccounts, issuer: str = ISSUER) -> None:
        self.environments, self.accounts, self.issuer = environments, accounts, issuer

    def ways(self, opened: str, opener: Opener) -> tuple[list[Way], list[Obstacle]]:
        """Every way to a login when this environment is opened, by name and for a stack; and what stands in the way."""
        reached = self.environments.reached_from(opened)
        ways = [Way(opened, for_stack, held, opener) for held in reached.logins for for_stack in (False, True)]
        return ways, reached.obstacles

    def importers(self, environment: str, among: Iterable[str]) -> list[str]:
        """Which of these environments reach this one when they are opened."""
        return [
            each
            for each in among
            if each != environment and environment in self.environments.reached_from(each).environments
        ]

    def judge(self, way: Way, obstacles: Sequence[Obstacle] = ()) -> Diagnosis:
        """What comes of a way; obstacles come before any login."""
        target: Target | None = None
        certain = [each for each in obstacles if each.is_certain]
        if certain:
            return Diagnosis(way, "refused", f"Pulumi Cloud refuses to open {way.opened}: {certain[0].reason}")
        try:
            target = self.target(role_of(way))
            token = token_of(self.environments.organization, way, self.issuer)
        except Unreadable as error:
            return Diagnosis(way, "unknown", str(error))
        except NoToken as error:
            return Diagnosis(way, error.verdict, str(error), target=target)
        found = answer(way, token, target, self.issuer)
        if obstacles and found.verdict == "admitted":
            return replace(found, verdict="unknown", reason=obstacles[0].reason)
        return found

    def target(self, role_arn: str) -> Target:
        """A role and its provider. Raises Unreadable if the role can't be read."""
        role = self.accounts.role(role_arn)
        arn = read_iam_arn(role_arn)
        if role is None or arn is None:
            other = self.accounts.namesake(role_arn)
            return Target(role_arn, None, namesake=self.target(other) if other else None)
        wanted = provider_arn(self.issuer, arn.account, arn.partition)
        try:
            provider = self.accounts.provider(wanted)
            providers = None if provider else self.accounts.providers(arn.account)
        except Unreadable as error:
            note = f"{error} So the provider and its audiences were not judged."
            return Target(role_arn, role, notes=(note,))
        return Target(role_arn, role, provider, providers)

    def findings(self, role: LiveRole) -> list[Finding]:
        """What `lint` finds in a role's trust policy."""
        return lint(role.policy, role.arn)


def ways_through(environments: Environments, role_arn: str, opener: Opener, among: Iterable[str]) -> Iterator[Way]:
    """Every way to a login that names this role, whichever of these environments is opened."""
    for opened in among:
        for held in environments.reached_from(opened).logins:
            named_role = held.login.role_arn and filled(held.login.role_arn, {})
            if named_role == role_arn:
                yield from (Way(opened, for_stack, held, opener) for for_stack in (False, True))
