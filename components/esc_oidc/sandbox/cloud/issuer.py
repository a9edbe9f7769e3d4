"""The OIDC issuer, with a real key, and what it is for: a login's token, exchanged at AWS for credentials."""

import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt
from botocore.exceptions import BotoCoreError, ClientError
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from ...claims import ISSUER
from ...sessions import HOUR, seconds
from ...tokens import DefaultProject, Opening, login_claims
from ..clients import client
from ..esc import LoginBlock, LoginFailed

LIFETIME: Final = HOUR
"""For how many seconds a token is good. Pulumi Cloud's own figure is not documented."""

DEFAULT_DURATION: Final = "2h"
"""What a login without a duration asks for: more than a role allows unless somebody raised its maximum."""

_KEY_BITS: Final = 2048


class Issuer:
    """A signing key made at start, and what an OIDC issuer publishes about it.

    The key signs for any issuer that the claims name: the sandbox's AWS gets the key set in process, never
    from the network.
    """

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
        self.key_id: Final = str(uuid.uuid4())
        public = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        self._jwk = {"kty": "RSA", "n": public["n"], "e": public["e"], "alg": "RS256", "use": "sig", "kid": self.key_id}

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public key as a JSON Web Key Set, RFC 7517."""
        return {"keys": [dict(self._jwk)]}

    def discovery(self, issuer: str, jwks_uri: str) -> dict[str, Any]:
        """The discovery document, https://openid.net/specs/openid-connect-discovery-1_0.html, section 3."""
        return {
            "issuer": issuer,
            "jwks_uri": jwks_uri,
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid"],
            "claims_supported": ["aud", "exp", "iat", "iss", "jti", "nbf", "sub"],
        }

    def mint(self, token_claims: Mapping[str, Any], *, now: int | None = None, lifetime: int = LIFETIME) -> str:
        """Sign a token with these claims; ``iat``, ``nbf``, ``exp`` and ``jti`` among them stay as they are.

        It is issued `now`, in seconds since 1970, by default at present, for a lifetime in seconds.
        """
        issued = int(time.time()) if now is None else now
        standard = {"iat": issued, "nbf": issued, "exp": issued + lifetime, "jti": str(uuid.uuid4())}
        payload = json.dumps({**standard, **token_claims}).encode()
        # Not jwt.encode: it refuses claims of wrong types, and a sandbox must be able to sign those too.
        return jwt.PyJWS().encode(payload, self._key, algorithm="RS256", headers={"kid": self.key_id})


@dataclass(frozen=True)
class AwsLogin:
    """Opens login blocks for one Pulumi Cloud at one AWS.

    Attributes:
        issuer: Who signs.
        aws_url: Where AWS answers.
        issuer_url: Answers the ``iss`` of the tokens.
        default_project: How tokens spell environments of the project ``default``.
    """

    issuer: Issuer
    aws_url: str
    issuer_url: Callable[[], str] = lambda: ISSUER
    default_project: DefaultProject = "stripped"

    def open(self, opening: Opening, block: LoginBlock) -> dict[str, str]:
        """The credentials for a login block: ``accessKeyId``, ``secretAccessKey`` and ``sessionToken``.

        LoginFailed if the block asks for what can't be, or AWS refuses; then with AWS's code and message.
        """
        oidc = block.inputs
        try:
            token = self.issuer.mint(
                login_claims(
                    opening,
                    current_environment=block.current_environment,
                    root_environment=block.root_environment,
                    subject_attributes=oidc.get("subjectAttributes", ()),
                    issuer=self.issuer_url(),
                    default_project=self.default_project,
                )
            )
            duration = seconds(oidc.get("duration", DEFAULT_DURATION))
        except ValueError as error:
            raise LoginFailed(str(error)) from error
        try:
            given = client("sts", self.aws_url, signed=False).assume_role_with_web_identity(
                RoleArn=oidc["roleArn"],
                RoleSessionName=oidc["sessionName"],
                WebIdentityToken=token,
                DurationSeconds=duration,
                PolicyArns=[{"arn": arn} for arn in oidc.get("policyArns", ())],
            )["Credentials"]
        except ClientError as error:
            status, refusal = error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]
            raise LoginFailed(
                "operation error STS: AssumeRoleWithWebIdentity, https response error StatusCode: "
                f"{status}, {refusal['Code']}: {refusal['Message']}"
            ) from error
        except BotoCoreError as error:
            raise LoginFailed(f"AWS did not answer at {self.aws_url}: {error}") from error
        return {
            "accessKeyId": given["AccessKeyId"],
            "secretAccessKey": given["SecretAccessKey"],
            "sessionToken": given["SessionToken"],
        }
