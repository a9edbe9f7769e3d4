"""Pulumi Cloud's calls that make, list, copy, protect and remove environments, and read and write definitions."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from flask import Blueprint, Response, jsonify, request

from ..claims import LEGACY_PROJECT
from .cloud_wire import (
    REVISION_HEADER,
    caller,
    definition_reply,
    editor,
    empty_reply,
    environment,
    json_body,
    member,
    number,
    refusal,
    timestamp,
    yaml_body,
)
from .names import InvalidRequest, Reference
from .opening import Definitions
from .store import EnvironmentStore, Preserved, Summary
from .vault import Vault

_PRESERVE: Final[dict[str, Preserved]] = {
    "preserveHistory": "history",
    "preserveEnvironmentTags": "tags",
    "preserveRevisionTags": "revision tags",
}


def environment_calls(store: EnvironmentStore, vault: Vault, definitions: Definitions) -> Blueprint:  # noqa: C901 - one nested function per call
    """The calls on environments under ``/api/esc/environments``, without opening them."""
    calls = Blueprint("environments", __name__, url_prefix="/api/esc/environments")

    @calls.get("")
    def list_all() -> Response:
        return _listing(store.summaries(caller().organizations))

    @calls.get("/<organization>")
    def list_one(organization: str) -> Response:
        return _listing(store.summaries((organization,)))

    @calls.post("/<organization>")
    def create(organization: str) -> Response:
        body = json_body()
        project = body.get("project") or LEGACY_PROJECT
        store.create(Reference(organization, project, member(body, "name", str)), editor())
        return jsonify({})

    one = "/<organization>/<project>/<name>"

    @calls.get(one)
    def read(**_: str) -> Response:
        latest = store.revision(environment())
        return definition_reply(vault.conceal(latest.yaml), latest.number)

    @calls.get(f"{one}/decrypt")
    def decrypt(**_: str) -> Response:
        latest = store.revision(environment())
        return definition_reply(latest.yaml, latest.number)

    @calls.get(f"{one}/versions/<version>")
    def read_version(version: str, **_: str) -> Response:
        revision = store.revision(environment(), version)
        return definition_reply(vault.conceal(revision.yaml), revision.number)

    @calls.patch(one)
    def update(**_: str) -> Response:
        reference = environment()
        store.revision(reference)
        yaml = vault.reveal(yaml_body())
        checked = definitions.check(reference.organization, reference.path, yaml, caller())
        if checked.failed:
            return refusal(HTTPStatus.BAD_REQUEST, "the definition has errors", checked.diagnostics_json())
        revision = store.update(reference, yaml, editor(), expected=_expected_revision())
        # Not even an empty list of diagnostics: the provider takes the key for a failure.
        reply = jsonify({})
        reply.headers[REVISION_HEADER] = str(revision)
        return reply

    @calls.delete(one)
    def delete(**_: str) -> Response:
        store.delete(environment())
        return empty_reply()

    @calls.post(f"{one}/clone")
    def clone(organization: str, project: str, **_: str) -> Response:
        body = json_body()
        target = Reference(organization, body.get("project") or project, member(body, "name", str))
        store.clone(environment(), target, editor(), {kept for key, kept in _PRESERVE.items() if body.get(key)})
        return empty_reply()

    @calls.get(f"{one}/metadata")
    def metadata(**_: str) -> Response:
        return jsonify({"id": store.summary(environment()).identity})

    @calls.get(f"{one}/settings")
    def settings(**_: str) -> Response:
        return jsonify({"deletionProtected": store.summary(environment()).deletion_protected})

    @calls.patch(f"{one}/settings")
    def change_settings(**_: str) -> Response:
        store.protect(environment(), member(json_body(), "deletionProtected", bool))
        return empty_reply()

    @calls.get(f"{one}/versions")
    def versions(**_: str) -> Response:
        reference = environment()
        marks = store.revision_tags(reference)
        return jsonify(
            [
                {
                    "number": each.number,
                    "created": timestamp(each.created),
                    "creatorLogin": each.creator,
                    "creatorName": each.creator,
                    "tags": [mark.name for mark in marks if mark.value == each.number],
                }
                for each in store.revisions(reference, before=number("before") or 0, count=number("count"))
            ]
        )

    return calls


def _listing(summaries: Sequence[Summary]) -> Response:
    """One page: the sandbox never has so many environments that a client must ask again."""
    return jsonify(
        {
            "environments": [
                {
                    "organization": each.reference.organization,
                    "project": each.reference.project,
                    "name": each.reference.name,
                    "created": timestamp(each.created),
                    "modified": timestamp(each.modified),
                }
                for each in summaries
            ],
            "nextToken": "",
        }
    )


def _expected_revision() -> int | None:
    """The revision that the caller read before writing; the CLI sends it as a request header ``Etag``."""
    etag = request.headers.get("Etag", "").strip('"')
    if not etag:
        return None
    if not (etag.isascii() and etag.isdigit()):
        raise InvalidRequest(f"Etag must be a revision number, got {etag!r}")
    return int(etag)
