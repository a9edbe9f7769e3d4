"""Pulumi Cloud's calls on environments: their definitions, revisions, settings and tags. `opening` opens them."""

from collections.abc import Iterable
from typing import Any, Final

from flask import Blueprint, Response, jsonify, request

from ...claims import LEGACY_PROJECT
from ..esc import (
    LATEST,
    Conflict,
    EnvironmentRef,
    EnvironmentStore,
    InvalidRequest,
    Label,
    Preserved,
    StoredEnvironment,
    Vault,
    check_name,
)
from .opening import Definitions, failure
from .wire import (
    REVISION_HEADER,
    caller,
    definition_reply,
    editor,
    empty_reply,
    environment,
    json_body,
    member,
    number,
    timestamp,
    yaml_body,
)

LAST_PAGE: Final = "0"
"""The ``nextToken`` at which `pulumi env tag ls` stops; it goes on at an empty one."""

_PRESERVE: Final[dict[str, Preserved]] = {
    "preserveHistory": "history",
    "preserveEnvironmentTags": "tags",
    "preserveRevisionTags": "revision tags",
}

_PREFIX: Final = "/api/esc/environments"
_ONE: Final = "/<organization>/<project>/<name>"


def environment_calls(store: EnvironmentStore, vault: Vault, definitions: Definitions) -> Blueprint:  # noqa: C901 - one nested function per call
    """The calls on environments under ``/api/esc/environments``, without opening them."""
    calls = Blueprint("environments", __name__, url_prefix=_PREFIX)

    @calls.get("")
    def list_all() -> Response:
        return _listing(store.list(caller().organizations))

    @calls.get("/<organization>")
    def list_one(organization: str) -> Response:
        return _listing(store.list((organization,)))

    @calls.post("/<organization>")
    def create(organization: str) -> Response:
        body = json_body()
        project = body.get("project") or LEGACY_PROJECT
        store.create(EnvironmentRef(organization, project, member(body, "name", str)), editor())
        return jsonify({})

    @calls.get(_ONE, defaults={"version": LATEST})
    @calls.get(f"{_ONE}/versions/<version>")
    def read(version: str, **_: str) -> Response:
        revision = store.revision(environment(), version)
        return definition_reply(vault.conceal(revision.yaml), revision.number)

    @calls.get(f"{_ONE}/decrypt")
    def decrypt(**_: str) -> Response:
        latest = store.revision(environment())
        return definition_reply(latest.yaml, latest.number)

    @calls.patch(_ONE)
    def update(**_: str) -> Response:
        ref = environment()
        store.revision(ref)
        yaml = vault.reveal(yaml_body())
        checked = definitions.evaluate(ref.organization, ref.path, yaml, login=False)
        if checked.diagnostics:
            return failure(checked)
        revision = store.update(ref, yaml, editor(), expected=_expected_revision())
        # Not even an empty list of diagnostics: the provider takes the key for a failure.
        reply = jsonify({})
        reply.headers[REVISION_HEADER] = str(revision)
        return reply

    @calls.delete(_ONE)
    def delete(**_: str) -> Response:
        store.delete(environment())
        return empty_reply()

    @calls.post(f"{_ONE}/clone")
    def clone(organization: str, project: str, **_: str) -> Response:
        body = json_body()
        target = EnvironmentRef(organization, body.get("project") or project, member(body, "name", str))
        store.clone(environment(), target, editor(), {kept for key, kept in _PRESERVE.items() if body.get(key)})
        return empty_reply()

    @calls.get(f"{_ONE}/metadata")
    def metadata(**_: str) -> Response:
        with store.edit(environment()) as held:
            return jsonify({"id": held.identity})

    @calls.get(f"{_ONE}/settings")
    def settings(**_: str) -> Response:
        with store.edit(environment()) as held:
            return jsonify({"deletionProtected": held.deletion_protected})

    @calls.patch(f"{_ONE}/settings")
    def change_settings(**_: str) -> Response:
        with store.edit(environment()) as held:
            held.deletion_protected = member(json_body(), "deletionProtected", bool)
        return empty_reply()

    @calls.get(f"{_ONE}/versions")
    def versions(**_: str) -> Response:
        before, count = number("before"), number("count")
        with store.edit(environment()) as held:
            marks = held.revision_tags.page()
            older = [each for each in reversed(held.revisions) if not before or each.number < before]
        return jsonify(
            [
                {
                    "number": each.number,
                    "created": timestamp(each.created),
                    "creatorLogin": each.creator,
                    "creatorName": each.creator,
                    "tags": [mark.name for mark in marks if mark.value == each.number],
                }
                for each in older[:count]
            ]
        )

    return calls


def revision_tag_calls(store: EnvironmentStore) -> Blueprint:
    """The calls on revision tags under ``/api/esc/environments``."""
    calls = Blueprint("revision_tags", __name__, url_prefix=_PREFIX + _ONE + "/versions/tags")

    @calls.get("")
    def index(**_: str) -> Response:
        with store.edit(environment()) as held:
            page = held.revision_tags.page(request.args.get("after", ""), number("count"))
        return jsonify({"tags": [_label(each, "revision") for each in page], "nextToken": ""})

    @calls.post("")
    def create(**_: str) -> Response:
        body = json_body()
        with store.edit(environment()) as held:
            held.tag_revision(member(body, "name", str), member(body, "revision", int), editor())
        return empty_reply()

    @calls.get("/<tag>")
    def read(tag: str, **_: str) -> Response:
        with store.edit(environment()) as held:
            return jsonify(_label(held.revision_tag(tag), "revision"))

    @calls.patch("/<tag>")
    def update(tag: str, **_: str) -> Response:
        with store.edit(environment()) as held:
            held.tag_revision(tag, member(json_body(), "revision", int), editor(), move=True)
        return empty_reply()

    @calls.delete("/<tag>")
    def delete(tag: str, **_: str) -> Response:
        with store.edit(environment()) as held:
            held.revision_tags.delete(tag)
        return empty_reply()

    return calls


def tag_calls(store: EnvironmentStore) -> Blueprint:
    """The calls on environment tags under ``/api/esc/environments``."""
    calls = Blueprint("tags", __name__, url_prefix=_PREFIX + _ONE + "/tags")

    @calls.get("")
    def index(**_: str) -> Response:
        with store.edit(environment()) as held:
            page = held.tags.page(request.args.get("after", ""), number("count"))
        return jsonify({"tags": {each.name: _label(each, "value") for each in page}, "nextToken": LAST_PAGE})

    @calls.post("")
    def create(**_: str) -> Response:
        body = json_body()
        name, value = check_name(member(body, "name", str)), member(body, "value", str)
        with store.edit(environment()) as held:
            return jsonify(_label(held.tags.create(name, value, editor()), "value"))

    @calls.get("/<tag>")
    def read(tag: str, **_: str) -> Response:
        with store.edit(environment()) as held:
            return jsonify(_label(held.tags.get(tag), "value"))

    @calls.patch("/<tag>")
    def update(tag: str, **_: str) -> Response:
        body = json_body()
        current, new = member(body, "currentTag", dict), member(body, "newTag", dict)
        new_name, value = check_name(new.get("name") or tag), member(new, "value", str)
        with store.edit(environment()) as held:
            before = held.tags.get(tag).value
            if current.get("value", before) != before:
                raise Conflict(f"tag {tag!r} is {before!r}, not {current['value']!r}: read it again")
            return jsonify(_label(held.tags.change(tag, editor(), value=value, new_name=new_name), "value"))

    @calls.delete("/<tag>")
    def delete(tag: str, **_: str) -> Response:
        with store.edit(environment()) as held:
            held.tags.delete(tag)
        return empty_reply()

    return calls


def _listing(environments: Iterable[StoredEnvironment]) -> Response:
    """One page: the sandbox never has so many environments that a client must ask again."""
    return jsonify(
        {
            "environments": [
                {
                    "organization": each.ref.organization,
                    "project": each.ref.project,
                    "name": each.ref.name,
                    "created": timestamp(each.revisions[0].created),
                    "modified": timestamp(each.revisions[-1].created),
                }
                for each in environments
            ],
            "nextToken": "",
        }
    )


def _label(label: Label[Any], key: str) -> dict[str, Any]:
    return {
        "name": label.name,
        key: label.value,
        "created": timestamp(label.created),
        "modified": timestamp(label.modified),
        "editorLogin": label.editor,
        "editorName": label.editor,
    }


def _expected_revision() -> int | None:
    """The revision that the caller read before writing; the CLI sends it as a request header ``Etag``."""
    etag = request.headers.get("Etag", "").strip('"')
    if not etag:
        return None
    if not (etag.isascii() and etag.isdigit()):
        raise InvalidRequest(f"Etag must be a revision number, got {etag!r}")
    return int(etag)
