"""What `fn::open::aws-login` does: a token for the login, exchanged at AWS for credentials."""

import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from ..claims import ISSUER
from ..sessions import seconds
from ..tokens import DefaultProject, Opening, login_claims
from .evaluator import Login, LoginFailed
from .issuer import Issuer

DEFAULT_DURATION: Final = "2h"
"""What a login without a duration asks for: more than a role allows unless somebody raised its maximum."""

_TIMEOUT: Final = 30.0
_RESULT: Final = "./{*}AssumeRoleWithWebIdentityResult/{*}Credentials/{*}"


@dataclass(frozen=True)
class AwsLogin:
    """Opens login blocks for one Pulumi Cloud and one AWS account.

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

    def open(self, opening: Opening, login: Login) -> dict[str, str]:
        """The credentials for a login block: ``accessKeyId``, ``secretAccessKey`` and ``sessionToken``.

        Raises:
            LoginFailed: The block is incomplete, or AWS refuses; then with AWS's code and message.
        """
        oidc = login.inputs
        try:
            token = self.issuer.mint(
                login_claims(
                    opening,
                    current_environment=login.current_environment,
                    root_environment=login.root_environment,
                    subject_attributes=_texts(oidc, "subjectAttributes"),
                    issuer=self.issuer_url(),
                    default_project=self.default_project,
                )
            )
            duration = seconds(_text(oidc, "duration", DEFAULT_DURATION))
        except ValueError as error:
            raise LoginFailed(str(error)) from error
        form = {
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": _text(oidc, "roleArn"),
            "RoleSessionName": _text(oidc, "sessionName"),
            "WebIdentityToken": token,
            "DurationSeconds": str(duration),
        }
        for index, arn in enumerate(_texts(oidc, "policyArns"), start=1):
            form[f"PolicyArns.member.{index}.arn"] = arn
        return self._assume_role(form)

    def _assume_role(self, form: Mapping[str, str]) -> dict[str, str]:
        """Ask AWS as every SDK does: unsigned. By hand, because boto3 would obey the caller's AWS profile."""
        connection = HTTPConnection(urlsplit(self.aws_url).netloc, timeout=_TIMEOUT)
        try:
            connection.request(
                "POST",
                "/",
                urlencode(form),
                {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
            )
            reply = connection.getresponse()
            answer = ET.fromstring(reply.read())  # noqa: S314 - our own server on loopback wrote it
        except (OSError, HTTPException, ET.ParseError) as error:
            raise LoginFailed(f"AWS did not answer at {self.aws_url}: {error}") from error
        finally:
            connection.close()
        if reply.status != HTTPStatus.OK:
            code = answer.findtext("./{*}Error/{*}Code", "unknown error")
            message = answer.findtext("./{*}Error/{*}Message", "no message")
            raise LoginFailed(
                f"operation error STS: AssumeRoleWithWebIdentity, https response error StatusCode: "
                f"{reply.status}, {code}: {message}"
            )
        return {
            "accessKeyId": answer.findtext(f"{_RESULT}AccessKeyId", ""),
            "secretAccessKey": answer.findtext(f"{_RESULT}SecretAccessKey", ""),
            "sessionToken": answer.findtext(f"{_RESULT}SessionToken", ""),
        }


def _text(oidc: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = oidc.get(key, default)
    if not isinstance(value, str) or not value:
        raise LoginFailed(f"{key!r} of aws-login must be a text, got {value!r}")
    return value


def _texts(oidc: Mapping[str, Any], key: str) -> Sequence[str]:
    value = oidc.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise LoginFailed(f"{key!r} of aws-login must be a list of texts, got {value!r}")
    return value
