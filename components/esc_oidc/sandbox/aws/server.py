"""The WSGI application in front of moto: the actions that moto lacks or takes too lightly, in AWS's XML."""

import io
import json
import secrets
import uuid
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from moto.iam.exceptions import MalformedPolicyDocument
from moto.iam.policy_validation import IAMTrustPolicyDocumentValidator
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response as HttpResponse

from ...trust import ACTION
from ..folder import Folder
from .accounts import Account, Accounts, same_ids, turn
from .sts import Refused, WebIdentity

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MOST_CLIENT_IDS: Final = 100
"""How many client IDs a provider may have (IAM's quota)."""

LONGEST_CLIENT_ID: Final = 255
"""How many characters a client ID may have."""

_STS: Final = "https://sts.amazonaws.com/doc/2011-06-15/"
_IAM: Final = "https://iam.amazonaws.com/doc/2010-05-08/"

_ASSUME: Final = ACTION.removeprefix("sts:")
_ADD: Final = "AddClientIDToOpenIDConnectProvider"
_REMOVE: Final = "RemoveClientIDFromOpenIDConnectProvider"

_ONE_BY_ONE: Final = frozenset({"iam", "sts"})
"""The services whose requests moto gets one by one; see `turn`."""

_UNSIGNED: Final = frozenset({_ASSUME, "AssumeRoleWithSAML"})
"""What moto takes for a request to STS without a signature."""

# Codes with another status than 400, from the errors' pages in the API references of STS and IAM.
_STATUS: Final = {
    "AccessDenied": HTTPStatus.FORBIDDEN,
    "IDPRejectedClaim": HTTPStatus.FORBIDDEN,
    "NoSuchEntity": HTTPStatus.NOT_FOUND,
    "LimitExceeded": HTTPStatus.CONFLICT,
}

_ISSUED: Final = (f"{_ASSUME}Result".encode(), f"{_ASSUME}Response".encode())
_ACCOUNT_HEADER: Final = "HTTP_X_MOTO_ACCOUNT_ID"
_FORM: Final = "application/x-www-form-urlencoded"

# moto takes the partition of what it issues from the region that a request was signed for.
_REGIONS: Final = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}


_LOG: Final = "aws.jsonl"
_READING: Final = ("Get", "List", "Describe", "Simulate")
"""How the names of actions begin that change nothing."""

_LARGEST_BODY: Final = 128 * 2**20


class _Unlimited(HttpRequest):
    max_form_memory_size = None
    """As long as the whole may be: moto reads it too."""
    max_content_length = _LARGEST_BODY


class Aws:
    """A WSGI application: moto for a sandbox's accounts, with these actions of its own.

    ``AssumeRoleWithWebIdentity`` is judged before moto issues credentials. moto lacks the two actions on a
    provider's client IDs. ``CreateRole`` has its trust policy checked, which moto does in
    ``UpdateAssumeRolePolicy`` only. ``POST /moto-api/reset`` empties the caller's account and no other.

    Attributes:
        web_identity: Decides who may assume a role.
    """

    def __init__(self, accounts: Accounts, jwks: Callable[[], Mapping[str, Any]], folder: Folder) -> None:
        """Do again what a folder says was done; StateError if that fails."""
        self.web_identity = WebIdentity(accounts, jwks)
        self._accounts, self._folder = accounts, folder
        self._moto = DomainDispatcherApplication(create_backend_app)
        for number, line in enumerate(folder.lines(_LOG), start=1):
            with folder.blaming(_LOG, f", line {number}"):
                self._replay(**json.loads(line))

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        account = self._accounts.of_request(environ.get("HTTP_AUTHORIZATION", ""))
        try:
            form = _parameters(environ)
        except HTTPException as error:
            return error(environ, start_response)
        body, seed = environ["wsgi.input"].getvalue(), secrets.randbits(64)
        # Not the other services: a function that one of them runs may call the sandbox before it returns.
        takes_turns = _scope(environ)[1] in _ONE_BY_ONE or form.get("Action") in _UNSIGNED
        with turn if takes_turns else nullcontext(), same_ids(seed) if self._folder.keeps else nullcontext():
            try:
                answer = self._answer(account, environ, form)
                if self._folder.keeps and answer.status_code < HTTPStatus.BAD_REQUEST and _changes(environ, form):
                    texts = {key: value for key, value in environ.items() if isinstance(value, str)}
                    kept = {"account": account.number, "seed": seed, "environ": texts, "body": b64encode(body).decode()}
                    self._folder.append(_LOG, json.dumps(kept).encode())
            except Refused as refused:
                answer = _refusal(refused, _IAM if form.get("Action") in {_ADD, _REMOVE, "CreateRole"} else _STS)
        return answer(environ, start_response)

    def _replay(self, account: str, seed: int, environ: dict[str, Any], body: str) -> None:
        environ["wsgi.input"] = io.BytesIO(b64decode(body))
        with same_ids(seed):
            answer = self._answer(self._accounts.of_key(account), environ, _parameters(environ))
        if answer.status_code >= HTTPStatus.BAD_REQUEST:
            raise ValueError(f"AWS answers {answer.status} now")

    def _answer(self, account: Account, environ: "WSGIEnvironment", form: Mapping[str, str]) -> HttpResponse:
        environ[_ACCOUNT_HEADER] = account.number
        if environ["PATH_INFO"].startswith("/moto-api/reset") and environ["REQUEST_METHOD"] == "POST":
            account.reset()
            return _xml("<ok/>")
        match form.get("Action"):
            case "AssumeRoleWithWebIdentity":
                return self._assume_role(environ, form)
            case "CreateRole":
                _check_trust_policy(form.get("AssumeRolePolicyDocument", ""))
            case "AddClientIDToOpenIDConnectProvider" | "RemoveClientIDFromOpenIDConnectProvider" as action:
                _change_client_ids(account, form, _partition(environ))
                done = f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
                return _xml(f'<{action}Response xmlns="{_IAM}">{done}</{action}Response>')
        answer = HttpResponse.from_app(self._moto, environ, buffered=True)
        # However a request is dressed up, what counts is what comes back: moto decides nothing on web identities.
        if any(mark in answer.get_data() for mark in _ISSUED):
            raise Refused("ValidationError", f"Send {_ASSUME} as a form, as every SDK does.")
        return answer

    def _assume_role(self, environ: "WSGIEnvironment", form: Mapping[str, str]) -> HttpResponse:
        assumed = self.web_identity.judge(form)
        scope = f"19700101/{_REGIONS.get(assumed.partition, 'us-east-1')}/sts/aws4_request"
        body = urlencode(form).encode()
        asked = {
            **{key: value for key, value in environ.items() if not key.startswith(("werkzeug.", "flask."))},
            "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential=x/{scope}",
            _ACCOUNT_HEADER: assumed.account,
            "QUERY_STRING": "",
            "CONTENT_TYPE": _FORM,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
        issued = HttpResponse.from_app(self._moto, asked, buffered=True)
        # What AWS answers and moto forgets: whom it took the caller for.
        end = f"</{_ASSUME}Result>"
        who = (
            f"<SubjectFromWebIdentityToken>{escape(assumed.subject)}</SubjectFromWebIdentityToken>"
            f"<Audience>{escape(assumed.audience)}</Audience><Provider>{escape(assumed.provider)}</Provider>"
        )
        issued.set_data(issued.get_data(as_text=True).replace(end, who + end, 1))
        return issued


def _change_client_ids(account: Account, form: Mapping[str, str], partition: str) -> None:
    """Add or remove a client ID; both may be repeated.

    Source: the pages of the two actions in https://docs.aws.amazon.com/IAM/latest/APIReference/.
    """
    arn, client_id = form.get("OpenIDConnectProviderArn", ""), form.get("ClientID", "")
    if not 1 <= len(client_id) <= LONGEST_CLIENT_ID:
        raise Refused("ValidationError", f"clientID must have 1 to {LONGEST_CLIENT_ID} characters")
    provider = account.provider(arn, partition)
    if provider is None:
        raise Refused("NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}")
    others = [each for each in provider.client_id_list if each != client_id]
    if form["Action"] == _REMOVE:
        provider.client_id_list = others
    elif client_id not in provider.client_id_list:
        if len(others) >= MOST_CLIENT_IDS:
            quota = f"ClientIdsPerOpenIdConnectProvider: {MOST_CLIENT_IDS}"
            raise Refused("LimitExceeded", f"Cannot exceed quota for {quota}")
        provider.client_id_list = [*others, client_id]


def _parameters(environ: "WSGIEnvironment") -> dict[str, str]:
    """The parameters of a request of the Query protocol, wherever moto would look for them.

    In the query, and in a form of either kind and any length: an action that is not recognized here is not judged.
    The body has been read then, however slowly it comes: nobody waits for a client while holding `turn`.
    """
    request = _Unlimited(environ)
    parameters = request.args.to_dict()
    body = request.get_data()
    if len(body) >= _LARGEST_BODY:
        raise RequestEntityTooLarge
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
    if request.mimetype in (_FORM, "multipart/form-data"):
        parameters |= _Unlimited({**environ, "wsgi.input": io.BytesIO(body)}).form.to_dict()
    return parameters


def _changes(environ: "WSGIEnvironment", form: Mapping[str, str]) -> bool:
    """Whether a request may change something that outlives a session, by its action or by its method."""
    action = form.get("Action") or str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")[2]
    if _scope(environ)[1] == "sts" or action in _UNSIGNED:
        return False
    return not action.startswith(_READING) if action else environ["REQUEST_METHOD"] not in ("GET", "HEAD", "OPTIONS")


def _scope(environ: "WSGIEnvironment") -> tuple[str, str]:
    """The region and the service that a request was signed for; empty if it was not."""
    parts = str(environ.get("HTTP_AUTHORIZATION", "")).split("/")
    return (parts[2], parts[3].lower()) if len(parts) > 3 else ("", "")  # noqa: PLR2004 - KEY/DATE/REGION/SERVICE/...


def _partition(environ: "WSGIEnvironment") -> str:
    """The partition of the region that a request was signed for."""
    region, _ = _scope(environ)
    return next((partition for partition in ("aws-cn", "aws-us-gov") if f"aws-{region}".startswith(partition)), "aws")


def _check_trust_policy(document: str) -> None:
    """What moto checks in UpdateAssumeRolePolicy only, but for a version that IAM takes and moto does not."""
    try:
        IAMTrustPolicyDocumentValidator(document.replace('"2008-10-17"', '"2012-10-17"')).validate()
    except MalformedPolicyDocument as error:
        raise Refused(error.code, error.message) from error


def _refusal(refused: Refused, namespace: str) -> HttpResponse:
    """The refusal as the service of this namespace writes it."""
    # Without what XML 1.0 can't hold: a request's own words may come back in a message.
    printable = "".join(
        each if each.isprintable() or each in "\t\n" else f"\\u{ord(each):04x}" for each in refused.message
    )
    return _xml(
        f'<ErrorResponse xmlns="{namespace}"><Error><Type>Sender</Type>'
        f"<Code>{escape(refused.code)}</Code><Message>{escape(printable)}</Message></Error>"
        f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>",
        _STATUS.get(refused.code, HTTPStatus.BAD_REQUEST),
    )


def _xml(body: str, status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    return HttpResponse(body, status, content_type="text/xml")
