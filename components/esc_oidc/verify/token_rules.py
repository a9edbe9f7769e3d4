"""What AWS asks of a token's claims before it looks at any trust policy.

Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
"""

import math
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ..claims import issuer_path
from .mistakes import CLIENT_IDS, audience_mistake, issuer_mistake
from .model import Request, UndefinedBehaviour
from .variables import Value

CLOCK_GRACE: Final = 300
"""Seconds by which AWS lets clocks differ."""

# Claims that make AWS ask for more actions (sts:TagSession, sts:SetSourceIdentity) and add keys.
_SESSION_CLAIMS: Final = ("https://aws.amazon.com/tags", "https://aws.amazon.com/source_identity")


@dataclass(frozen=True)
class Refusal:
    """AWS's error code and, when somebody asks, why."""

    error: str
    explain: Callable[[], str]


def refuse_issuer(claims: Mapping[str, object], issuer: str) -> Refusal | None:
    """The token's `iss` must be the provider's URL, character by character."""
    iss = claims.get("iss")
    if iss is None or iss == issuer:
        return None
    return Refusal(
        "InvalidIdentityToken",
        lambda: (
            f"The token's issuer is {iss!r}, and the OIDC provider in IAM is for {issuer!r}: no provider answers for "
            f"this token. Likely mistake: {issuer_mistake(issuer, str(iss))}"
        ),
    )


def refuse_audience(claims: Mapping[str, object], client_ids: Sequence[str] | None, arn: str) -> Refusal | None:
    """The token's `aud` must be among the provider's client IDs."""
    aud = single_claim(claims, "aud")
    if client_ids is None or aud is None or aud in client_ids:
        return None

    def explain() -> str:
        command = shlex.join(
            [
                *("aws", "iam", "add-client-id-to-open-id-connect-provider"),
                *("--open-id-connect-provider-arn", arn, "--client-id", aud),
            ]
        )
        registered = ", ".join(repr(client_id) for client_id in client_ids) or "none"
        mistakes = [audience_mistake(client_id, aud, claims.get("sub"), CLIENT_IDS) for client_id in client_ids]
        likely = next((mistake for mistake in mistakes if mistake), "this audience was never registered.")
        return (
            f"The token's audience {aud!r} is not registered with the OIDC provider {arn} (client IDs: {registered}). "
            f"Likely mistake: {likely} If the audience is meant, register it: {command}"
        )

    return Refusal("InvalidIdentityToken", explain)


def refuse_times(claims: Mapping[str, object], now: float) -> Refusal | None:
    """`exp` must not be past, `nbf` and `iat` not ahead, each with five minutes' grace. `now` is in epoch seconds."""
    for claim in ("exp", "nbf", "iat"):
        moment = claims.get(claim)
        if moment is not None and (refusal := _refuse_time(claim, moment, now)):
            return refusal
    return None


def _refuse_time(claim: str, moment: object, now: float) -> Refusal | None:
    if isinstance(moment, bool) or not isinstance(moment, int | float) or not math.isfinite(moment):
        return Refusal("InvalidIdentityToken", lambda: f"The token's {claim} is not a number of seconds.")
    if claim == "exp":
        if now <= moment + CLOCK_GRACE:
            return None
        return Refusal(
            "ExpiredTokenException",
            lambda: (
                f"The token expired {now - moment:.0f} s ago. Open the environment again: each opening mints a new "
                "token."
            ),
        )
    if now >= moment - CLOCK_GRACE:
        return None
    return Refusal(
        "InvalidIdentityToken",
        lambda: (
            f"The token's {claim} is {moment - now:.0f} s ahead, and AWS allows {CLOCK_GRACE}. Likely mistake: the "
            "issuer's clock is wrong."
        ),
    )


def time_of(context: Mapping[str, Value]) -> float:
    """The time of a request, in epoch seconds: ``aws:EpochTime``, ``aws:CurrentTime`` or else the clock's."""
    epoch, current = context.get("aws:epochtime"), context.get("aws:currenttime")
    try:
        if isinstance(epoch, str):
            return float(epoch)
        if isinstance(current, str):
            moment = datetime.fromisoformat(current)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except ValueError as error:
        raise UndefinedBehaviour(f"The time in the request's context cannot be read: {error}.") from error
    return time.time()


def context_of(request: Request) -> dict[str, Value]:
    """The condition keys of a request, in lower case, since AWS does not distinguish case in their names.

    AWS shows a trust policy only `aud`, `sub` and `amr` of a custom issuer; every other claim is a missing key.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif

    Raises:
        UndefinedBehaviour: AWS does not say which values the keys would have.
    """
    claims = request.claims
    for claim in _SESSION_CLAIMS:
        if claim in claims:
            raise UndefinedBehaviour(f"The token has the claim {claim}; session tags are not implemented here.")
    prefix = f"{issuer_path(request.issuer)}:".lower()
    context: dict[str, Value] = {}
    aud, sub, amr = single_claim(claims, "aud"), single_claim(claims, "sub"), claims.get("amr")
    if aud is not None:
        azp = claims.get("azp")
        if azp is not None and azp != aud:
            # Documented for Google alone: there the key `aud` holds `azp`.
            raise UndefinedBehaviour(f"The token's azp {azp!r} is not its aud: AWS does not say which one it judges.")
        context[f"{prefix}aud"] = aud
    if sub is not None:
        context[f"{prefix}sub"] = sub
    if amr is not None:
        context[f"{prefix}amr"] = _several(amr)
    if request.context or request.session_name is not None:
        _add_further_keys(context, request, prefix)
    return context


def _add_further_keys(context: dict[str, Value], request: Request, prefix: str) -> None:
    keys = {key.lower(): value for key, value in request.context.items()}
    if len(keys) != len(request.context):
        raise UndefinedBehaviour("The request's context has one key twice, in different case.")
    if request.session_name is not None:
        named = keys.setdefault("sts:rolesessionname", request.session_name)
        if named != request.session_name:
            raise UndefinedBehaviour(
                f"The request has the session name {request.session_name!r} and sts:RoleSessionName {named!r}."
            )
    for key, value in keys.items():
        # The issuer's keys come from the token and from nowhere else.
        if not key.startswith(prefix):
            context[key] = value if isinstance(value, str) else _several(value)


def single_claim(claims: Mapping[str, object], claim: str) -> str | None:
    """A claim that AWS shows as one string; None when the token lacks it.

    Raises:
        UndefinedBehaviour: It is something else, and AWS does not say how it becomes a condition key.
    """
    value = claims.get(claim)
    if value is None or isinstance(value, str):
        return value
    kind = "a list" if isinstance(value, list | tuple) else repr(value)
    raise UndefinedBehaviour(f"The token's {claim} is {kind}: AWS documents a single string.")


def _several(value: object) -> Value:
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and all(isinstance(member, str) for member in value):
        return tuple(str(member) for member in value)
    raise UndefinedBehaviour(f"{value!r} is neither a string nor a list of strings: AWS defines no key for it.")
