"""Reads what was presented to AWS: a JWT, its claims, or the CloudTrail event of the call."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Final, NoReturn

from ..trust import ACTION, read_iam_arn
from .output import fail
from .reading import text_of

_EVENT: Final = ACTION.partition(":")[2]
_KEYS: Final = {
    "aws:CurrentTime": "eventTime",
    "aws:RequestedRegion": "awsRegion",
    "aws:SourceIp": "sourceIPAddress",
    "aws:UserAgent": "userAgent",
    "aws:SourceVpce": "vpcEndpointId",
}
"""The condition keys that an event says, and where."""

_NO_PROVIDER: Final = re.compile(r"No OpenIDConnect provider found in your account for (https://\S+)")
_TAKEN: Final = (
    "--token takes a JWT, its claims as a JSON object, or the CloudTrail event of AssumeRoleWithWebIdentity."
)


@dataclass(frozen=True)
class Presented:
    """A token, and what is known of the call that presented it.

    Attributes:
        claims: The token's claims, as far as they are known.
        role_arn: The role that was asked for.
        session_name: The role session name.
        duration: The session that was asked for, in ESC's form.
        context: Condition keys of the call.
        has_provider: Whether the account has the issuer's provider; None if that is not known.
        is_event: Whether AWS has answered the call already.
        error: What AWS answered, if it refused it.
    """

    claims: Mapping[str, Any]
    role_arn: str | None = None
    session_name: str | None = None
    duration: str | None = None
    context: Mapping[str, str | None] = field(default_factory=dict)
    has_provider: bool | None = None
    is_event: bool = False
    error: str | None = None


def presented(source: str) -> Presented:
    """What a file, or standard input for `-`, says was presented. The signature of a JWT is not looked at.

    Ends the command with status 2 for anything else, in words that never quote a token.
    """
    text = text_of(source).strip()
    if not text.startswith(("{", "[")):
        return Presented(_decoded(source, text))
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        _not_a_token(source, f"this is not JSON: {error}.")
    events = list(_events(document))
    logins = [event for event in events if event.get("eventName") == _EVENT]
    if len(logins) == 1:
        return _of_event(source, logins[0])
    if events:
        names = ", ".join(sorted({str(event.get("eventName")) for event in events if event not in logins}))
        found = f"{len(logins)} events of {_EVENT}: give one" if logins else f"no event of {_EVENT}, but {names}"
        _not_a_token(source, f"this has {found}.")
    if not isinstance(document, Mapping):
        _not_a_token(source, "the claims are not a JSON object.")
    if document.keys() & {"Statement", "AssumeRolePolicyDocument", "Role", "Roles"}:
        _not_a_token(source, "this is a policy or a role, which is the command's argument.")
    if not document.keys() & {"iss", "aud", "sub"}:
        _not_a_token(source, "these claims have no iss, no aud and no sub.")
    return Presented(document)


def _not_a_token(source: str, why: str) -> NoReturn:
    fail(f"{source}: {why} {_TAKEN}")


def _decoded(source: str, token: str) -> Mapping[str, Any]:
    import jwt  # noqa: PLC0415 - it loads cryptography, which nobody else here needs

    if not token:
        _not_a_token(source, "this is empty.")
    if token.startswith("pul-"):
        _not_a_token(source, "this is an access token of Pulumi Cloud, which AWS never sees.")
    if token.count(".") == 4:  # noqa: PLR2004 - header, key, vector, text, tag: RFC 7516
        _not_a_token(source, "this token is encrypted, and AWS takes signed ones.")
    try:
        claims: Mapping[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        # Not the error's own text: it may quote the token.
        _not_a_token(source, "this is neither a JWT nor claims as a JSON object.")
    return claims


def _events(document: object) -> Iterator[Mapping[str, Any]]:
    """The events in a document: alone, in a log file, from `aws cloudtrail lookup-events`, or from EventBridge."""
    if isinstance(document, list):
        for each in document:
            yield from _events(each)
    elif isinstance(document, Mapping):
        if "eventName" in document and "eventSource" in document:
            yield document
        for name in ("Records", "Events", "detail"):
            yield from _events(document.get(name))
        inner = document.get("CloudTrailEvent")
        if isinstance(inner, str) and inner.startswith("{"):
            try:
                yield from _events(json.loads(inner))
            except ValueError:
                return


def _of_event(source: str, event: Mapping[str, Any]) -> Presented:
    """What an event says of the token and the call.

    `userIdentity` has the provider, and as its principal "PROVIDER:AUDIENCE:SUBJECT":
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    """
    who, asked, answer = (
        _object(event.get(name)) for name in ("userIdentity", "requestParameters", "responseElements")
    )
    message = str(event.get("errorMessage") or "")
    missing = _NO_PROVIDER.search(message)
    subject = answer.get("subjectFromWebIdentityToken") or who.get("userName")
    provider = str(answer.get("provider") or who.get("identityProvider") or "")
    principal = str(who.get("principalId") or "")
    if not provider:
        # The audience may have colons; a provider's ARN has five, and a provider without one has none.
        provider = (re.match(r"arn:[^:]*:iam::[0-9]*:[^:]+|[^:]+", principal) or [""])[0]
    audience = answer.get("audience")
    if not audience and principal.startswith(f"{provider}:") and principal.endswith(f":{subject}"):
        audience = principal[len(provider) + 1 : -len(f":{subject}")]
    named = read_iam_arn(provider)
    path = named.name if named else provider
    issuer = missing[1].rstrip(".") if missing else path and f"https://{path}"
    claims = {name: value for name, value in (("iss", issuer), ("aud", audience), ("sub", subject)) if value}
    if not claims:
        _not_a_token(source, "this event says nothing of the token; use its claims.")
    seconds = asked.get("durationSeconds")
    error = event.get("errorCode")
    return Presented(
        claims,
        role_arn=asked.get("roleArn"),
        session_name=asked.get("roleSessionName"),
        duration=None if seconds is None else f"{seconds}s",
        context=dict(_keys(event)),
        has_provider=False if missing else None,
        is_event=True,
        error=": ".join(filter(None, [str(error), message])) if error else None,
    )


def _keys(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, name in _KEYS.items():
        value = event.get(name)
        if isinstance(value, str) and (key != "aws:SourceIp" or _is_address(value)):
            yield key, value
    if event.get("tlsDetails"):
        yield "aws:SecureTransport", "true"


def _is_address(text: str) -> bool:
    """Whether it is an IP address: of a call by another service, an event has that service's name."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
