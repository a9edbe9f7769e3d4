"""`esc-oidc explain`: would this role admit this token, and if not, why."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from ..claims import ISSUER
from ..sessions import seconds
from ..verify import Decision, Request, UndefinedBehaviour, decide, trusted_providers
from .output import Format, console, fail, print_json
from .reading import one_policy, token_claims

_ROLE: Final = re.compile(r"arn:([a-z-]+):iam::([0-9]{12}):role/")
_TIMES: Final = ("exp", "nbf", "iat")


@dataclass(frozen=True)
class Role:
    """What is known of the role and of the provider that it trusts.

    Args:
        policy: Its trust policy.
        account: Its account.
        partition: Its partition.
        issuer: The provider's URL.
        client_ids: The provider's client IDs; None when nobody said.
        max_session_duration: The longest session; None when nobody said.
    """

    policy: str | Mapping[str, object]
    account: str = "123456789012"
    partition: str = "aws"
    issuer: str = ISSUER
    client_ids: Sequence[str] | None = None
    max_session_duration: str | None = None


@dataclass(frozen=True)
class Question:
    """What is asked besides role and token."""

    issuer: str | None = None
    client_ids: Sequence[str] = field(default_factory=list)
    duration: str | None = None
    max_session_duration: str | None = None
    session_name: str | None = None


def explain(policy: str | None, role_name: str | None, token: str, question: Question, output: Format) -> int:
    """Print the decision and its reason. Gives the exit status: 0 admitted, 1 refused."""
    if (policy is None) == (role_name is None):
        fail("name a policy's file (or `-`), or a role with --role, one of the two.")
    for name, duration in (("duration", question.duration), ("max-session-duration", question.max_session_duration)):
        _check_duration(name, duration)
    claims = token_claims(token)
    role = _from_file(policy, claims) if policy is not None else _live(str(role_name), claims)
    notes = []
    judged = {name: value for name, value in claims.items() if name not in _TIMES}
    expires = claims.get("exp")
    if isinstance(expires, int | float) and expires < time.time():
        when = datetime.fromtimestamp(expires, UTC)
        notes.append(f"The token expired at {when:%Y-%m-%d %H:%M:%S} UTC; it is judged as if it had not.")
    request = Request(
        judged,
        question.issuer or role.issuer,
        account=role.account,
        partition=role.partition,
        client_ids=list(question.client_ids) or role.client_ids,
        duration=question.duration,
        max_session_duration=question.max_session_duration or role.max_session_duration,
        session_name=question.session_name,
    )
    if request.client_ids is None:
        notes.append("The provider's client IDs are not known here and were not judged; --client-id names them.")
    try:
        decision = decide(role.policy, request)
        reason = decision.reason
    except (UndefinedBehaviour, ValueError) as error:
        fail(f"this cannot be decided: {error}")
    _print(decision, reason, claims, notes, output)
    return 0 if decision.allowed else 1


def _check_duration(name: str, duration: str | None) -> None:
    try:
        if duration is not None:
            seconds(duration)
    except ValueError as error:
        fail(f"--{name}: {error}")


def _from_file(source: str, claims: Mapping[str, Any]) -> Role:
    located = one_policy(source).located
    if located.policy is None:
        fail(f"{source}: the policy is not known yet, or encrypted.")
    maximum = located.max_session_seconds
    return _trusting(located.policy, claims, located.role_arn, f"{maximum}s" if maximum else None)


def _trusting(
    policy: str | Mapping[str, object], claims: Mapping[str, Any], role_arn: str | None, maximum: str | None
) -> Role:
    """The role, and of its providers the one whose token this is, else Pulumi's, else the first.

    AWS looks for the provider in the role's own account: that of the principal counts only where no role is known.
    """
    try:
        providers = trusted_providers(policy)
    except UndefinedBehaviour as error:
        fail(f"this is no trust policy: {error}")
    providers.sort(key=lambda provider: f"https://{provider.name}" != claims.get("iss"))
    own = _ROLE.match(role_arn or "")
    if not providers:
        return Role(policy, max_session_duration=maximum)
    first = providers[0]
    partition, account = (own[1], own[2]) if own else (first.partition, first.account)
    return Role(policy, account, partition, f"https://{first.name}", max_session_duration=maximum)


def _live(name: str, claims: Mapping[str, Any]) -> Role:
    """The role as it is in AWS now, with the caller's own credentials."""
    try:
        iam = boto3.client("iam")
        found = iam.get_role(RoleName=name)["Role"]
        maximum = f"{found['MaxSessionDuration']}s"
        role = _trusting(found["AssumeRolePolicyDocument"], claims, found["Arn"], maximum)
        arn = f"arn:{role.partition}:iam::{role.account}:oidc-provider/{role.issuer.removeprefix('https://')}"
        provider = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    except (BotoCoreError, ClientError) as error:
        fail(f"--role {name}: {error}")
    return Role(
        role.policy, role.account, role.partition, role.issuer, provider["ClientIDList"], role.max_session_duration
    )


def _print(decision: Decision, reason: str, claims: Mapping[str, Any], notes: list[str], output: Format) -> None:
    shown = {name: claims[name] for name in ("iss", "aud", "sub") if name in claims}
    if output is Format.JSON:
        document = {
            "allowed": decision.allowed,
            "error": decision.error,
            "reason": reason,
            "token": shown,
            "notes": notes,
        }
        print_json(document)
        return
    out = console()
    verdict = "ADMITTED" if decision.allowed else f"REFUSED: {decision.error}"
    out.print(verdict, style="bold green" if decision.allowed else "bold red")
    out.print(reason)
    for name, value in shown.items():
        out.print(f"  {name}  {value}", style="dim")
    for note in notes:
        out.print(f"note: {note}", style="yellow")
