"""`esc-oidc explain`: would this role admit this token, and if not, why."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from ..claims import ISSUER
from ..sessions import seconds
from ..trust import IamArn, provider_arn, read_iam_arn
from ..verify import CompiledPolicy, Decision, Request, UndefinedBehaviour, compile_policy
from .output import Style, console, fail, print_json
from .reading import one_policy, token_claims
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
    """A role as far as it is known: its trust policy, its ARN, its longest session, its provider's client IDs."""

    policy: CompiledPolicy
    arn: IamArn | None
    max_session_duration: str | None
    client_ids: Sequence[str] | None = None


def explain(question: Question, style: Style) -> int:
    """Print the decision and its reason. Gives the exit status: 0 admitted, 1 refused, 2 if it depends on more.

    As JSON it is `Decision.to_json`, with ``token`` (its ``iss``, ``aud`` and ``sub``) and ``notes`` (a list of what
    was not judged, in words) added.
    """
    policy = question.policy
    if (policy is None) == (question.role is None):
        fail("name a policy's file (or `-`), or a role with --role, one of the two.")
    for name, duration in (("duration", question.duration), ("max-session-duration", question.max_session_duration)):
        try:
            if duration is not None:
                seconds(duration)
        except ValueError as error:
            fail(f"--{name}: {error}")
    claims, context = token_claims(question.token), _context(question.context)
    try:
        role = _from_file(policy) if policy is not None else _live(str(question.role), question.issuer, claims)
        decision, notes = _decide(role, question, claims, context)
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
    role: _Role, question: Question, claims: Mapping[str, Any], context: Mapping[str, str | None]
) -> tuple[Decision, list[str]]:
    notes = []
    expires = claims.get("exp")
    if isinstance(expires, int | float) and expires < time.time():
        when = datetime.fromtimestamp(expires, UTC)
        notes.append(f"The token expired at {when:%Y-%m-%d %H:%M:%S} UTC; it is judged as if it had not.")
    # AWS looks for the provider in the role's own account: that of the principal counts only where no role is known.
    request = Request(
        {name: value for name, value in claims.items() if name not in _TIMES},
        question.issuer or _issuer(role.policy, claims),
        account=role.arn.account if role.arn else None,
        partition=role.arn.partition if role.arn else "aws",
        client_ids=list(question.client_ids) or role.client_ids,
        duration=question.duration,
        max_session_duration=question.max_session_duration or role.max_session_duration,
        session_name=question.session_name,
        context=context,
    )
    if request.client_ids is None:
        notes.append("The provider's client IDs are not known here and were not judged; --client-id names them.")
    return role.policy.decide(request), notes


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
    try:
        iam = boto3.client("iam")
        found = iam.get_role(RoleName=name)["Role"]
        policy, arn = compile_policy(found["AssumeRolePolicyDocument"]), _arn(found["Arn"])
        provider = provider_arn(issuer or _issuer(policy, claims), arn.account, arn.partition) if arn else ""
        client_ids = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=provider)["ClientIDList"]
    except (BotoCoreError, ClientError) as error:
        fail(f"--role {name}: {error}")
    return _Role(policy, arn, f"{found['MaxSessionDuration']}s", client_ids)


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
