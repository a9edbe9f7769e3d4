"""AWS's XML answers of the Query protocol, as IAM and STS write them."""

import uuid
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from xml.sax.saxutils import escape

STS: Final = "https://sts.amazonaws.com/doc/2011-06-15/"
IAM: Final = "https://iam.amazonaws.com/doc/2010-05-08/"

# Codes with another status than 400, from the errors' pages in the API references of STS and IAM.
_STATUS: Final = {
    "AccessDenied": HTTPStatus.FORBIDDEN,
    "IDPRejectedClaim": HTTPStatus.FORBIDDEN,
    "NoSuchEntity": HTTPStatus.NOT_FOUND,
    "LimitExceeded": HTTPStatus.CONFLICT,
}


@dataclass(frozen=True)
class Reply:
    """A whole answer: the HTTP status and an XML document."""

    status: HTTPStatus
    body: bytes


class Refused(Exception):  # noqa: N818 - an answer to the client, not a mistake in the program
    """AWS refuses the request.

    Attributes:
        code: AWS's error code, such as ``AccessDenied``.
        message: AWS's own words, and the reason where AWS keeps it to itself.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message

    def reply(self, namespace: str) -> Reply:
        """The refusal as the service of this namespace writes it."""
        return Reply(
            _STATUS.get(self.code, HTTPStatus.BAD_REQUEST),
            (
                f'<ErrorResponse xmlns="{namespace}"><Error><Type>Sender</Type>'
                f"<Code>{escape(self.code)}</Code><Message>{escape(_printable(self.message))}</Message></Error>"
                f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
            ).encode(),
        )


def success(action: str, namespace: str) -> Reply:
    """The answer to an action that returns nothing."""
    return Reply(
        HTTPStatus.OK,
        (
            f'<{action}Response xmlns="{namespace}"><ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId>'
            f"</ResponseMetadata></{action}Response>"
        ).encode(),
    )


def _printable(text: str) -> str:
    """The text without what XML 1.0 cannot hold; a request's own words may come back in a message."""
    return "".join(each if each.isprintable() or each in "\t\n" else f"\\u{ord(each):04x}" for each in text)
