"""The token's half of AssumeRoleWithWebIdentity: is it genuine, meant for this provider, and in time?

Sources: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html (size, errors) and
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html (algorithms, keys).
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, NoReturn

from ..trust import MAX_SUBJECT
from .explanations import (
    Refusal,
    explain_audience,
    explain_issuer,
    explain_long_subject,
    explain_time,
    is_time,
    written,
)
from .undefined import UndefinedBehaviour

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
"""What AWS accepts a signature by: RSA and ECDSA, never `none` nor a shared secret."""

LONGEST_TOKEN: Final = 20_000
"""Characters; WebIdentityToken is 4 to 20,000."""

CLOCK_GRACE: Final = 300
"""Seconds by which AWS lets clocks differ."""

_REQUIRED: Final = ("iss", "sub", "aud", "exp", "iat")


class TokenRefused(Exception):  # noqa: N818 - what AWS says; not an error of the caller
    """AWS would refuse the token itself.

    Attributes:
        error: AWS's error code, such as ``InvalidIdentityToken``.
        reason: Why, in words, without the token.
    """

    def __init__(self, error: str, reason: str) -> None:
        super().__init__(error, reason)
        self.error = error
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.error}: {self.reason}"


def refuse_issuer(claims: Mapping[str, object], issuer: str) -> Refusal | None:
    """The token's `iss` must be the provider's URL, character by character."""
    iss = claims.get("iss")
    if iss is None or iss == issuer:
        return None
    return Refusal(
        "InvalidIdentityToken", partial(explain_issuer, issuer, iss if isinstance(iss, str) else written(iss))
    )


def refuse_audience(
    claims: Mapping[str, object],
    client_ids: Sequence[str] | None,
    arn: str = "",
    is_wanted: Callable[[str], bool] = lambda _audience: False,
) -> Refusal | None:
    """The token's `aud` must be among the client IDs of the provider with this ARN.

    If it isn't, the way out depends on whether the role's trust policy wants this audience.
    """
    aud = single_claim(claims, "aud")
    if client_ids is None or aud is None or aud in client_ids:
        return None
    subject = claims.get("sub")
    return Refusal(
        "InvalidIdentityToken", lambda: explain_audience(tuple(client_ids), aud, arn, subject, is_wanted=is_wanted(aud))
    )


def refuse_subject(claims: Mapping[str, object]) -> Refusal | None:
    """The token's `sub` has at most 255 characters, as SubjectFromWebIdentityToken of AWS's answer has."""
    sub = claims.get("sub")
    if not isinstance(sub, str) or len(sub) <= MAX_SUBJECT:
        return None
    return Refusal("InvalidIdentityToken", partial(explain_long_subject, len(sub)))


def refuse_times(claims: Mapping[str, object], now: float) -> Refusal | None:
    """`exp` must not be past, `nbf` and `iat` not ahead, with five minutes' grace. `now` is in epoch seconds."""
    for claim in ("exp", "nbf", "iat"):
        moment = claims.get(claim)
        if moment is None:
            continue
        explain = partial(explain_time, claim, moment, CLOCK_GRACE)
        if not is_time(moment):
            return Refusal("InvalidIdentityToken", explain)
        if claim == "exp" and now > moment + CLOCK_GRACE:
            return Refusal("ExpiredTokenException", explain)
        if claim != "exp" and now < moment - CLOCK_GRACE:
            return Refusal("InvalidIdentityToken", explain)
    return None


def single_claim(claims: Mapping[str, object], claim: str) -> str | None:
    """A claim that AWS shows as one string; None when the token lacks it.

    Raises:
        UndefinedBehaviour: It is something else, and AWS does not say how it becomes a condition key.
    """
    value = claims.get(claim)
    if value is None or isinstance(value, str):
        return value
    kind = "a list" if isinstance(value, list | tuple) else written(value)
    raise UndefinedBehaviour(f"The token's {claim} is {kind}: AWS documents a single string.")


def check_token(
    jwt: str, jwks: Mapping[str, object], now: float, issuer: str, client_ids: Sequence[str] | None
) -> Mapping[str, object]:
    """Check a signed token as AWS does before it reads the trust policy.

    Args:
        jwt: The token, in the compact form.
        jwks: The issuer's key set, ``{"keys": [...]}``.
        now: The time, in seconds since 1970 (``time.time()``).
        issuer: The provider's URL.
        client_ids: The provider's client IDs. None leaves the audience to `decide`, which knows the account and so
            the whole command that registers it.

    Returns:
        The token's claims.

    Raises:
        TokenRefused: AWS would refuse the token.
        UndefinedBehaviour: AWS does not say, as for an `aud` that is a list.
        ModuleNotFoundError: PyJWT or cryptography is missing: install ``esc-oidc[sandbox]``.
    """
    if not 4 <= len(jwt) <= LONGEST_TOKEN:  # noqa: PLR2004 - the bounds of WebIdentityToken in AWS's API
        raise TokenRefused("ValidationError", f"The token has {len(jwt)} characters; AWS takes 4 to {LONGEST_TOKEN}.")
    header, claims = _read(jwt)
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS:
        _invalid(f"The token is signed by {algorithm!r}; AWS takes {', '.join(ALGORITHMS)}.")
    for claim in _REQUIRED:
        # https://openid.net/specs/openid-connect-core-1_0.html#IDToken
        if claims.get(claim) is None:
            _invalid(f"The token has no {claim}, which every OpenID Connect token must have.")
    _raise(refuse_issuer(claims, issuer))
    _verify(jwt, jwks, str(algorithm), header.get("kid"))
    _raise(refuse_times(claims, now))
    _raise(refuse_audience(claims, client_ids))
    return claims


def _read(token: str) -> tuple[Mapping[str, object], Mapping[str, object]]:
    try:
        import jwt  # noqa: PLC0415 - in the extra esc-oidc[sandbox], which the base install lacks
        from jwt.algorithms import has_crypto  # noqa: PLC0415 - the same
    except ModuleNotFoundError as error:
        raise _missing() from error
    if not has_crypto:
        raise _missing()
    try:
        parts = jwt.decode_complete(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        _invalid("The token is no JWT: three parts in base64url, of which two are JSON objects.")
    return parts["header"], parts["payload"]


def _verify(token: str, jwks: Mapping[str, object], algorithm: str, kid: object) -> None:
    import jwt  # noqa: PLC0415 - in the extra esc-oidc[sandbox]; _read has said so if it is missing

    tried = False
    for key in _keys(jwks, algorithm, kid):
        with suppress(jwt.PyJWTError):
            usable = jwt.PyJWK(key, algorithm)
            tried = True
            jwt.PyJWS().decode(token, usable, algorithms=[algorithm])
            return
    if not tried:
        # AWS's words: "Couldn't retrieve verification key from your identity provider".
        _invalid(f"The issuer's key set has no key {kid!r} for {algorithm}.")
    _invalid("The signature does not verify with the issuer's key: the token is forged, cut or altered.")


def _keys(jwks: Mapping[str, object], algorithm: str, kid: object) -> list[dict[str, object]]:
    """The keys of a set that may have signed a token."""
    keys, wanted = jwks.get("keys"), ("sig", algorithm, "RSA" if algorithm.startswith("RS") else "EC")
    return [
        dict(key)
        for key in (keys if isinstance(keys, list | tuple) else ())
        if isinstance(key, Mapping)
        and (kid is None or key.get("kid") == kid)
        and (key.get("use", "sig"), key.get("alg", algorithm), key.get("kty")) == wanted
    ]


def _raise(refusal: Refusal | None) -> None:
    if refusal:
        raise TokenRefused(refusal.error, refusal.explain().text(allowed=False))


def _invalid(reason: str) -> NoReturn:
    raise TokenRefused("InvalidIdentityToken", reason)


def _missing() -> ModuleNotFoundError:
    return ModuleNotFoundError(
        "check_token needs PyJWT and cryptography, which the base install leaves out: pip install 'esc-oidc[sandbox]'"
    )
