"""What every call to Pulumi Cloud has in common on the wire: who calls, what is sent, how it is answered.

The functions that read the present request raise InvalidRequest if it says something else.
"""

import json
import math
import re
import secrets
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from flask import Flask, Response, g, request
from flask.typing import ResponseReturnValue as Reply
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, UnsupportedMediaType

from ...claims import PERSON
from ...tokens import Opener
from ..esc import Conflict, EnvironmentRef, InvalidRequest, NotFound, StoreError
from ..stacks import LeaseOver

REVISION_HEADER: Final = "Pulumi-ESC-Revision"

OWN: Final = "/sandbox"
"""Where the sandbox's own calls are, which Pulumi's clients don't know."""

DONE: Final = "", HTTPStatus.NO_CONTENT
"""An answer without content; clients look at its status only."""

LARGEST_BODY: Final = 128 * 2**20
"""How many bytes a request may bring, as they come and unpacked."""

BY_LEASE: Final = frozenset(
    f"{method} /update/<update>/{call}"
    for method, call in (
        ("POST", "renew_lease"),
        ("PATCH", "checkpoint"),
        ("POST", "events/batch"),
        ("POST", "complete"),
    )
)
"""The calls for which an update's lease, ``Authorization: update-token L``, stands in place of an access token."""

_LONGEST_NUMBER: Final = 18
"""In digits: a whole number in a query fits 64 bits."""

_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")

_STATUS: Final[Mapping[type[StoreError], HTTPStatus]] = {
    Conflict: HTTPStatus.CONFLICT,
    InvalidRequest: HTTPStatus.BAD_REQUEST,
    # Not 401: the CLI takes that for a network error while it renews a lease.
    LeaseOver: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
}


@dataclass(frozen=True)
class Caller:
    """Who makes a request, and the organizations in which they may do everything, the default one first."""

    opener: Opener
    organizations: tuple[str, ...]


class AccessTokens:
    """Every access token that was issued. May be used from any thread.

    There are no finer permissions: whoever has a token of an organization may open each of its environments.
    """

    def __init__(self) -> None:
        self._callers: dict[str, Caller] = {}

    def issue(self, opener: Opener, organizations: Iterable[str] = ()) -> str:
        """Make an access token for a member of these organizations.

        A person needs one; a team or organization token is good for its own, whose name is its login, and for no
        other. Else InvalidRequest, and for a login or a team that can't be in a token.
        """
        for what, name in (("a login", opener.login), ("a team", opener.team or "x")):
            if not re.fullmatch(PERSON, name, re.ASCII):
                raise InvalidRequest(f"{name!r} is not {what}: use letters, digits, '.', '_', '@', '+' and '-'")
        members = tuple(organizations)
        if opener.is_person and not members:
            raise InvalidRequest(f"the token of {opener.login!r} needs an organization")
        if not opener.is_person and members not in ((), (opener.login,)):
            raise InvalidRequest(f"a token of the organization {opener.login!r} is good for no other")
        token = f"pul-{secrets.token_hex(20)}"
        self._callers[token] = Caller(opener, members or (opener.login,))
        return token

    def caller(self, token: str) -> Caller | None:
        """Whose token this is, or None if nobody issued it."""
        return self._callers.get(token)


def install(app: Flask, access: AccessTokens) -> None:  # noqa: C901 - one nested function per kind of error
    """Let an application know its callers, and answer every error as the clients read it.

    Everything under ``/api`` and `OWN` needs ``Authorization: token T``, except the calls `BY_LEASE`. An organization
    that the token is not good for does not exist.
    """
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY

    @app.before_request
    def _authenticate() -> Reply | None:
        if not request.path.startswith(("/api/", OWN)):
            return None
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if request.endpoint in BY_LEASE and scheme == "update-token":
            g.lease = token.strip()
            return None
        known = access.caller(token.strip()) if scheme == "token" else None
        if known is None or request.endpoint in BY_LEASE:
            return refusal(HTTPStatus.UNAUTHORIZED, "Unauthorized: no credentials provided or are invalid.")
        g.caller = known
        organization = (request.view_args or {}).get("organization")
        if organization is not None and organization not in known.organizations:
            return refusal(HTTPStatus.NOT_FOUND, f"organization {organization!r} not found")
        return None

    @app.errorhandler(StoreError)
    def _refuse(error: StoreError) -> Reply:
        # A lease for a stack that is gone is over, too.
        gone = isinstance(error, NotFound) and request.endpoint in BY_LEASE
        return refusal(_STATUS[LeaseOver if gone else type(error)], str(error))

    @app.errorhandler(RecursionError)
    def _too_deep(_: RecursionError) -> Reply:
        return refusal(HTTPStatus.BAD_REQUEST, "nested too deeply for the sandbox")

    # Flask's traceback would have what somebody sent in it, on the terminal of the command that runs.
    app.logger.disabled = True

    @app.errorhandler(Exception)
    def _fail(error: Exception) -> Reply:
        message = f"The sandbox made a mistake: {type(error).__name__}: {error}"
        return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, message)

    @app.errorhandler(HTTPException)
    def _answer(error: HTTPException) -> Reply:
        status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
        if request.routing_exception is error:
            taken = ", ".join(sorted(set(getattr(error, "valid_methods", None) or ()) - {"HEAD", "OPTIONS"}))
            hint = f" It takes {taken} there." if taken else ""
            return refusal(status, f"The sandbox has no call {request.method} {request.path}.{hint}")
        return refusal(status, error.description or status.phrase)


def refusal(status: HTTPStatus, message: str, diagnostics: Sequence[Mapping[str, Any]] = ()) -> Reply:
    """An error as the CLI, the SDK and the provider all read it.

    Without diagnostics the key is left out: the provider takes the mere key for a failure.
    """
    return {"code": status, "message": message, **({"diagnostics": diagnostics} if diagnostics else {})}, status


def definition_reply(yaml: str, revision: int) -> Response:
    """A definition. The SDK demands the content type; the CLI sends the ETag back when it writes."""
    headers = {REVISION_HEADER: str(revision), "ETag": str(revision)}
    return Response(yaml, headers=headers, content_type="application/x-yaml")


def caller() -> Caller:
    """Who makes the present request."""
    known: Caller = g.caller
    return known


def lease() -> str:
    """The lease with which the present request carries an update out; only in calls `BY_LEASE`."""
    token: str = g.lease
    return token


def editor() -> str:
    """The login to write beside whatever the present request changes."""
    return caller().opener.login


def environment() -> EnvironmentRef:
    """The environment that the present request's path names."""
    parts = request.view_args or {}
    return EnvironmentRef(parts["organization"], parts["project"], parts["name"])


def yaml_body() -> str:
    """The definition in the present request. The CLI sends it as JSON by its header, raw by its content."""
    try:
        return body().decode()
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"the definition is not UTF-8: {error}") from error


def body() -> bytes:
    """What the present request sends, unpacked if it is in gzip."""
    sent = request.get_data()
    if len(sent) >= LARGEST_BODY:
        # Of a body without a length Werkzeug reads so much and no more.
        raise RequestEntityTooLarge
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding == "identity":
        return sent
    if encoding != "gzip":
        raise UnsupportedMediaType(f"Content-Encoding {encoding!r}: send the body in gzip, or as it is.")
    # 16 more than the largest window are for gzip.
    gzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        unpacked = gzip.decompress(sent, LARGEST_BODY)
    except zlib.error as error:
        raise InvalidRequest(f"the body is not gzip: {error}") from error
    if gzip.unconsumed_tail:
        raise RequestEntityTooLarge
    if not gzip.eof:
        raise InvalidRequest("the body is cut off")
    return unpacked


def json_body() -> dict[str, Any]:
    """The JSON object in the present request."""
    return read_json(body())


def read_json(text: bytes) -> dict[str, Any]:
    """The JSON object that a text is, as RFC 8259 has it: in UTF-8, without NaN, infinity and half characters.

    Python's json takes and writes more, which the clients can't read.
    """
    try:
        found = json.loads(text.decode(), parse_constant=_finite, parse_float=_finite)
        if _SURROGATE.search(text):
            json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InvalidRequest("the body is not a JSON object in UTF-8")
    return found


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(text)
    return number


def members(key: str, kind: type[Any]) -> list[Any]:
    """The list under a key of the JSON object in the present request, its items of this type."""
    return [member({key: each}, key, kind) for each in member(json_body(), key, list)]


def member(body: Mapping[str, Any], key: str, kind: type[Any], *, default: Any = None) -> Any:
    """What a JSON object holds under a key, of this type; instead of null or nothing, the default if there is one."""
    value = default if body.get(key) is None else body[key]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise InvalidRequest(f"{key!r} must be {kind.__name__}, got {value!r}")
    return value


def number(parameter: str) -> int | None:
    """A whole number from the query, or None if it is not there."""
    return whole(f"query parameter {parameter!r}", request.args.get(parameter, ""))


def expected_revision() -> int | None:
    """The revision that the caller read before writing; the CLI sends it as a request header ``Etag``."""
    return whole("Etag", request.headers.get("Etag", "").strip('"'))


def whole(what: str, text: str) -> int | None:
    """A whole number, or None if the text is empty."""
    if text and not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER):
        raise InvalidRequest(f"{what} must be a whole number of at most {_LONGEST_NUMBER} digits, got {text[:99]!r}")
    return int(text) if text else None


def timestamp(moment: datetime) -> str:
    """A time as the clients parse it, RFC 3339."""
    return moment.isoformat().replace("+00:00", "Z")
