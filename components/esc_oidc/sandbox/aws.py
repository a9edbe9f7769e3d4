"""The sandbox's AWS: moto's server behind a layer that does what moto leaves out of IAM and STS."""

import io
import json
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request

from . import client_ids, sts
from .accounts import Accounts
from .xml_replies import STS, Refused, Reply

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

OLD_LANGUAGE: Final = "2008-10-17"
"""A policy version that IAM takes and moto's UpdateAssumeRolePolicy does not."""

_ISSUED: Final = (f"{sts.ACTION}Result".encode(), f"{sts.ACTION}Response".encode())
_ACCOUNT_HEADER: Final = "HTTP_X_MOTO_ACCOUNT_ID"
_FORM: Final = "application/x-www-form-urlencoded"
_FORMS: Final = (_FORM, "multipart/form-data")

# moto takes the partition of what it issues from the region that a request was signed for.
_REGIONS: Final = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}


class _Request(Request):
    max_form_memory_size = None
    """As long as it likes: moto reads it too."""


class Aws:
    """A WSGI application: moto for a sandbox's accounts, with these actions of its own.

    ``AssumeRoleWithWebIdentity`` is judged before moto issues credentials. The two actions on a provider's
    client IDs are answered here, moto lacks them. ``CreateRole`` has its trust policy checked, which moto does
    in ``UpdateAssumeRolePolicy`` only. ``POST /moto-api/reset`` empties the caller's account and no other.
    """

    def __init__(self, accounts: Accounts, jwks: Callable[[], Mapping[str, Any]]) -> None:
        self._accounts = accounts
        self._web_identity = sts.WebIdentity(accounts, jwks)
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        account = self._accounts.of_request(environ.get("HTTP_AUTHORIZATION", ""))
        environ[_ACCOUNT_HEADER] = account.number
        if environ["PATH_INFO"].startswith("/moto-api/reset") and environ["REQUEST_METHOD"] == "POST":
            account.reset()
            return _send(Reply(HTTPStatus.OK, b"<ok/>"), start_response)
        form = _parameters(environ)
        action = form.get("Action", "")
        if action == sts.ACTION:
            return _send(self._assume_role(environ, form), start_response)
        if action in client_ids.ACTIONS:
            return _send(client_ids.answer(account, form, _partition(environ)), start_response)
        if action == "CreateRole":
            return _send(self._create_role(environ, form), start_response)
        return self._answer(environ, start_response)

    def _answer(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """What moto answers to everything else. It decides nothing on web identities, so it must not issue any.

        However a request is dressed up, what counts is what comes back.
        """
        chunks, status, headers = run_wsgi_app(self._moto, environ, buffered=True)
        body = b"".join(chunks)
        if any(mark in body for mark in _ISSUED):
            refused = Refused("ValidationError", "Send AssumeRoleWithWebIdentity as a form, as every SDK does.")
            return _send(refused.reply(STS), start_response)
        start_response(status, list(headers))
        return [body]

    def _assume_role(self, environ: "WSGIEnvironment", form: Mapping[str, str]) -> Reply:
        try:
            session = self._web_identity.judge(form)
        except Refused as refused:
            return refused.reply(STS)
        scope = f"19700101/{_REGIONS.get(session.partition, 'us-east-1')}/sts/aws4_request"
        signed = {"HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential=x/{scope}", _ACCOUNT_HEADER: session.account}
        issued = self._ask_moto({**environ, **signed}, form)
        # What AWS answers and moto forgets: whom it took the caller for.
        end = f"</{sts.ACTION}Result>"
        who = (
            f"<SubjectFromWebIdentityToken>{escape(session.subject)}</SubjectFromWebIdentityToken>"
            f"<Audience>{escape(session.audience)}</Audience><Provider>{escape(session.provider)}</Provider>"
        )
        return Reply(issued.status, issued.body.replace(end.encode(), (who + end).encode(), 1))

    def _create_role(self, environ: "WSGIEnvironment", form: Mapping[str, str]) -> Reply:
        created = self._ask_moto(environ, form)
        document = form.get("AssumeRolePolicyDocument", "")
        if created.status != HTTPStatus.OK or _version(document) == OLD_LANGUAGE:
            return created
        role = {"Version": form.get("Version", ""), "RoleName": form.get("RoleName", "")}
        checked = self._ask_moto(environ, {**role, "Action": "UpdateAssumeRolePolicy", "PolicyDocument": document})
        if checked.status == HTTPStatus.OK:
            return created
        self._ask_moto(environ, {**role, "Action": "DeleteRole"})
        return checked

    def _ask_moto(self, environ: Mapping[str, Any], form: Mapping[str, str]) -> Reply:
        body = urlencode(form).encode()
        asked = {
            **{key: value for key, value in environ.items() if not key.startswith(("werkzeug.", "flask."))},
            "QUERY_STRING": "",
            "CONTENT_TYPE": _FORM,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
        chunks, status, _ = run_wsgi_app(self._moto, asked, buffered=True)
        return Reply(HTTPStatus(int(status.split()[0])), b"".join(chunks))


def _parameters(environ: "WSGIEnvironment") -> dict[str, str]:
    """The parameters of a request of the Query protocol, wherever moto would look for them.

    In the query, and in a form of either kind and any length: an action that is not recognized here is not judged.
    """
    request = _Request(environ)
    parameters = request.args.to_dict()
    if request.mimetype in _FORMS:
        body = request.get_data()
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
        parameters |= _Request({**environ, "wsgi.input": io.BytesIO(body)}).form.to_dict()
    return parameters


def _partition(environ: "WSGIEnvironment") -> str:
    """The partition of the region that a request was signed for."""
    authorization = environ.get("HTTP_AUTHORIZATION", "")
    region = authorization.split("/")[2] if authorization.count("/") > 1 else ""
    return next((partition for partition in ("aws-cn", "aws-us-gov") if f"aws-{region}".startswith(partition)), "aws")


def _version(document: str) -> object:
    try:
        policy = json.loads(document)
    except ValueError:
        return None
    return policy.get("Version") if isinstance(policy, dict) else None


def _send(reply: Reply, start_response: "StartResponse") -> Iterable[bytes]:
    headers = [("Content-Type", "text/xml"), ("Content-Length", str(len(reply.body)))]
    start_response(f"{reply.status.value} {reply.status.phrase}", headers)
    return [reply.body]
