"""`esc-oidc explain`: would this role admit this token, and if not, why."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, TypeGuard

from ..claims import ISSUER
from ..sessions import seconds
from ..trust import IamArn, provider_arn, read_iam_arn
from ..verify import CompiledPolicy, Decision, Request, UndefinedBehaviour, compile_policy
from .output import Style, console, fail, print_json
from .presenting import Presented, presented
from .reading import one_policy
from .verdicts import Verdicts

_TIMES: Final = ("exp", "nbf", "iat")


@dataclass(frozen=True)
class Question:
    """What is asked: a token, a role in AWS or a file with a policy, and what else is known of the login."""

    token: str
    policy: str | None = None
    role: str | None = None
    issuer: str | None = None
    client_ids: Sequence[str] = field(default_factory=list)
    duration: str | None = None
    max_session_duration: str | None = None
    session_name: str | None = None
    context: Sequence[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Role:
    """A role as far as it is known.

    Attributes:
        policy: Its trust policy.
        arn: Its ARN.
        max_session_duration: Its longest session.
        client_ids: Its provider's client IDs.
        providers: The account's providers, if its own is not among them.
    """

    policy: CompiledPolicy
    arn: IamArn | None
    max_session_duration: str | None
    client_ids: Sequence[str] | None = None
    providers: Sequence[str] | None = None


def explain(question: Question, style: Style) -> int:
    """Print the decision and its reason. Gives the exit status: 0 admitted, 1 refused, 2 if it depends on more.

    As JSON it is `Decision.to_json`, with ``token`` (its ``iss``, ``aud`` and ``sub``) and ``notes`` (a list of what
    was not judged, in words) added.
    """
    policy = question.policy
    if policy is not None and question.role is not None:
        fail("name a policy's file (or `-`), or a role with --role, one of the two.")
    for name, duration in (("duration", question.duration), ("max-session-duration", question.max_session_duration)):
        try:
            if duration is not None:
                seconds(duration)
        except ValueError as error:
            fail(f"--{name}: {error}")
    given, context = presented(question.token), _context(question.context)
    claims = given.claims
    if policy is None and question.role is None:
        about = f"; the event is about {given.role_arn}" if given.role_arn else ""
        fail(f"name a policy's file (or `-`), or a role with --role, one of the two{about}.")
    try:
        role = _from_file(policy) if policy is not None else _live(str(question.role), question.issuer, claims)
        decision, notes = _decide(role, question, given, context)
    except (UndefinedBehaviour, ValueError) as error:
        fail(f"this cannot be decided: {error}")
    shown = {name: claims[name] for name in ("iss", "aud", "sub") if name in claims}
    if not style.is_text:
        print_json({**decision.to_json(), "token": shown, "notes": notes})
    elif not (style.quiet and decision.allowed):
        _print(decision, shown, notes, verbose=style.verbose)
    return 0 if decision.allowed else 2 if decision.depends_on else 1


def _context(given: Sequence[str]) -> Mapping[str, str | None]:
    """The condition keys given as KEY=VALUE; KEY alone says that the call has no such key."""
    context: dict[str, str | None] = {}
    for each in given:
        key, sign, value = each.partition("=")
        if ":" not in key:
            example = "aws:SourceIp=203.0.113.7"
            fail(f"--context {each}: write KEY=VALUE, such as {example}, or KEY if the call has no such key.")
        context[key] = value if sign else None
    return context


def _decide(
    role: _Role, question: Question, given: Presented, context: Mapping[str, str | None]
) -> tuple[Decision, list[str]]:
    claims = given.claims
    notes = list(_times_not_judged(claims))
    arn = role.arn or _arn(given.role_arn or "")
    if role.arn and given.role_arn and str(role.arn) != given.role_arn:
        notes.append(f"The event is about {given.role_arn}, and this is the policy of {role.arn}.")
    providers = role.providers
    if given.has_provider is False and role.client_ids is None and not question.client_ids:
        providers = providers or []
    # AWS looks for the provider in the role's own account: that of the principal counts only where no role is known.
    request = Request(
        {name: value for name, value in claims.items() if name not in _TIMES or not _is_a_time(value)},
        question.issuer or _issuer(role.policy, claims),
        account=arn.account if arn else None,
        partition=arn.partition if arn else "aws",
        client_ids=list(question.client_ids) or role.client_ids,
        duration=question.duration or given.duration,
        max_session_duration=question.max_session_duration or role.max_session_duration,
        session_name=question.session_name or given.session_name,
        context={**given.context, **context},
        providers=providers,
    )
    if request.duration and request.max_session_duration is None:
        notes.append(
            f"The role's longest session is not known here, so {request.duration} was not judged against it; "
            "--max-session-duration names it."
        )
    if request.client_ids is None and request.providers is None:
        notes.append("The provider's client IDs are not known here and were not judged; --client-id names them.")
    decision = role.policy.decide(request)
    if given.is_event and decision.allowed is not (given.error is None):
        answered = f"refused this call: {given.error}" if given.error else "let this call in"
        notes.append(
            f"AWS {answered}. The policy may have changed since, or what was not judged here made the difference."
        )
    return decision, notes


def _times_not_judged(claims: Mapping[str, Any]) -> Iterator[str]:
    """What AWS would refuse the token for if it came now, or might: a token is kept longer than it lives."""
    told = {
        "exp": "The token expired at {when}; it is judged as if it had not.",
        "nbf": "The token is not valid before {when}; it is judged as if it were.",
        "iat": "The token says that it was issued at {when}, which is to come; it is judged as if it were not.",
    }
    for claim, text in told.items():
        moment = claims.get(claim)
        if _is_a_time(moment) and (moment < time.time()) is (claim == "exp"):
            yield text.format(when=_clock(moment))


def _is_a_time(moment: object) -> TypeGuard[float]:
    """Whether it is a number of seconds; AWS refuses a token that has something else there, whenever it comes."""
    if isinstance(moment, float):
        return math.isfinite(moment)
    return isinstance(moment, int) and not isinstance(moment, bool)


def _clock(moment: float) -> str:
    try:
        return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f"{Decimal(moment):.2e} seconds after the beginning of 1970"


def _issuer(policy: CompiledPolicy, claims: Mapping[str, Any]) -> str:
    """Of the issuers that the policy trusts the one that signed this token, else Pulumi's, else the first."""
    issuers = [f"https://{provider.name}" for provider in policy.providers]
    return min(
        issuers,
        key=lambda issuer: (issuer != claims.get("iss"), "pulumi" not in issuer.lower(), not issuer.endswith("/oidc")),
        default=ISSUER,
    )


def _from_file(source: str) -> _Role:
    located = one_policy(source).located
    if located.policy is None:
        fail(f"{source}: the policy is not known yet, or encrypted.")
    maximum = located.max_session_seconds
    return _Role(
        compile_policy(located.policy), _arn(located.role_arn or ""), None if maximum is None else f"{maximum}s"
    )


def _live(name: str, issuer: str | None, claims: Mapping[str, Any]) -> _Role:
    """The role as it is in AWS now, with the caller's own credentials."""
    try:
        import boto3  # noqa: PLC0415 - in the extra esc-oidc[cli]
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - the same
    except ModuleNotFoundError:
        fail("--role reads AWS with boto3, which is missing: pip install 'esc-oidc[cli]'")
    named = read_iam_arn(name)
    try:
        iam = boto3.client("iam")
        found = iam.get_role(RoleName=_role_name(name))["Role"]
        if named and found["Arn"] != name:
            fail(f"--role {name}: your credentials are for another account, where this role is {found['Arn']}.")
        policy, arn = compile_policy(found["AssumeRolePolicyDocument"]), _arn(found["Arn"])
        provider = provider_arn(issuer or _issuer(policy, claims), arn.account, arn.partition) if arn else ""
        client_ids = providers = None
        try:
            client_ids = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=provider)["ClientIDList"]
        except iam.exceptions.NoSuchEntityException:
            listed = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
            providers = [str(each["Arn"]) for each in listed]
    except (BotoCoreError, ClientError) as error:
        fail(f"--role {name}: {error}")
    return _Role(policy, arn, f"{found['MaxSessionDuration']}s", client_ids, providers)


def _role_name(name: str) -> str:
    """A role's name from its name or its ARN, where a path stands before it."""
    if not name.startswith("arn:"):
        return name
    arn = read_iam_arn(name)
    if arn is None or arn.kind != "role":
        fail(f"--role {name}: give a role's name, or its ARN, arn:aws:iam::ACCOUNT:role/NAME.")
    return arn.name.rpartition("/")[2]


def _arn(text: str) -> IamArn | None:
    arn = read_iam_arn(text)
    return arn if arn and arn.kind == "role" and arn.is_of_an_account else None


def _print(decision: Decision, token: Mapping[str, Any], notes: list[str], *, verbose: bool) -> None:
    why, verdicts = decision.explanation, Verdicts(console(), verbose)
    statement = f"statement {why.statement}" + (f' ("{why.sid}")' if why.sid else "")
    if decision.allowed:
        verdicts.show("admitted", f"{statement} allows it", style="bold green")
    elif decision.depends_on:
        verdicts.show("depends", f"on {', '.join(decision.depends_on)}", style="bold yellow")
        verdicts.say(decision.reason)
        verdicts.say("Say it with --context KEY=VALUE, or with --context KEY if the call has no such key.")
    else:
        remark = f"{statement} does not apply" if why.effect == "Allow" else ""
        if why.candidates > 1:
            remark = f"{statement} of {why.candidates} comes closest"
        verdicts.show("refused", str(decision.error), decision, remark, "bold red")
    if verbose:
        verdicts.facts([("token", name, str(value)) for name, value in token.items()])
    for note in notes:
        verdicts.show("note", note, style="yellow")
