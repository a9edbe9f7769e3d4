"""AssumeRoleWithWebIdentity as AWS decides it; moto, which issues the credentials, decides nothing."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt

from ...sessions import HOUR, LONGEST_SESSION
from ...trust import ACTION, provider_arn, read_iam_arn
from ...verify import Decision, Request, TokenRefused, UndefinedBehaviour, check_token, decide
from .accounts import Accounts

DEFAULT_DURATION: Final = HOUR
"""Seconds of a session whose request names no duration."""


class Refused(Exception):  # noqa: N818 - an answer to the client, not a mistake in the program
    """AWS refuses the request: its error code, its own words, and the reason where AWS keeps that to itself."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


@dataclass(frozen=True)
class AssumedRole:
    """Who a request becomes: the role's account and partition, the token's ``sub`` and ``aud``, the provider's ARN."""

    account: str
    partition: str
    subject: str
    audience: str
    provider: str


class WebIdentity:
    """Judges requests for the accounts of a sandbox.

    Args:
        accounts: Where roles and providers are.
        jwks: The issuer's present keys, as a JSON Web Key Set. The real AWS fetches them from the issuer.

    Attributes:
        decision: What `decide` said to the last request that came so far; whoever makes requests one by one may
            reset it to None between them.
    """

    def __init__(self, accounts: Accounts, jwks: Callable[[], Mapping[str, Any]]) -> None:
        self._accounts, self._jwks = accounts, jwks
        self.decision: Decision | None = None

    def judge(self, form: Mapping[str, str]) -> AssumedRole:
        """Who a request becomes, by its parameters; else raises Refused."""
        arn, session_name = _required(form, "RoleArn"), _required(form, "RoleSessionName")
        # A token that a tool read from a file ends as the file does.
        token = _required(form, "WebIdentityToken").strip()
        duration = _duration(form)
        role_arn = read_iam_arn(arn)
        if role_arn is None or role_arn.kind != "role" or not role_arn.is_of_an_account:
            raise Refused("ValidationError", f"Request ARN is invalid: {arn!r} is not arn:aws:iam::ACCOUNT:role/NAME")
        partition, number = role_arn.partition, role_arn.account
        account = self._accounts.of_role(number)
        if account is None:
            raise _not_authorized(f"there is no account {number} here")
        issuer = _issuer(token)
        trusted = provider_arn(issuer, number, partition)
        provider = account.provider(trusted, partition)
        if provider is None:
            raise Refused("InvalidIdentityToken", f"No OpenIDConnect provider found in your account for {issuer}")
        # A copy: whoever registers a client ID meanwhile does so for the next request.
        client_ids = tuple(provider.client_id_list)
        try:
            claims = check_token(token, self._jwks(), time.time(), issuer, None)
            role = account.role(arn, partition)
            if role is None:
                raise _not_authorized(f"there is no role {arn}")
            request = Request(
                claims,
                issuer,
                account=number,
                partition=partition,
                client_ids=client_ids,
                duration=f"{duration}s",
                max_session_duration=f"{role.max_session_duration}s",
                session_name=session_name,
                # What AWS would see: its endpoints take only TLS.
                context={"aws:EpochTime": f"{time.time():.0f}", "aws:SecureTransport": "true"},
            )
            self.decision = decision = decide(role.assume_role_policy_document, request)
        except TokenRefused as error:
            raise Refused(error.error, error.reason) from error
        except UndefinedBehaviour as error:
            raise _not_authorized(f"AWS leaves this open, so the sandbox refuses it: {error}") from error
        if decision.error == "AccessDenied":
            raise _not_authorized(decision.reason)
        if decision.error is not None:
            raise Refused(decision.error, decision.reason)
        return AssumedRole(number, partition, str(claims["sub"]), str(claims["aud"]), trusted)


def _not_authorized(reason: str) -> Refused:
    """AWS's one answer to everything a trust policy does not allow, and what AWS does not tell."""
    return Refused("AccessDenied", f"Not authorized to perform {ACTION}: {reason}")


def _required(form: Mapping[str, str], name: str) -> str:
    value = form.get(name)
    if not value:
        where = f"Value null at '{name[0].lower()}{name[1:]}'"
        constraint = "failed to satisfy constraint: Member must not be null"
        raise Refused("ValidationError", f"1 validation error detected: {where} {constraint}")
    return value


def _duration(form: Mapping[str, str]) -> int:
    text = form.get("DurationSeconds", str(DEFAULT_DURATION))
    # Six digits are more than any session and few enough for everybody who reads them.
    if not re.fullmatch(r"[0-9]{1,6}", text, re.ASCII):
        raise Refused("ValidationError", f"DurationSeconds {text!r} is not a number of seconds up to {LONGEST_SESSION}")
    return int(text)


def _issuer(token: str) -> str:
    """Who the token says signed it: AWS finds the provider by it, before anything is verified."""
    try:
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
    except jwt.InvalidTokenError as error:
        raise Refused("InvalidIdentityToken", f"The ID Token provided is not a valid JWT: {error}") from error
    if not isinstance(issuer, str) or not issuer.startswith("https://"):
        raise Refused("InvalidIdentityToken", f"The token's issuer {issuer!r} is not an https URL")
    return issuer
