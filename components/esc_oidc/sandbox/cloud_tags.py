"""Pulumi Cloud's calls on the tags of an environment and the tags of its revisions."""

from typing import Any, Final

from flask import Blueprint, Response, jsonify, request

from .cloud_wire import editor, empty_reply, environment, json_body, member, number, timestamp
from .labels import Label
from .names import EditConflict, check_name
from .store import EnvironmentStore

_ENVIRONMENT: Final = "/<organization>/<project>/<name>"
_REVISION_TAG: Final = f"{_ENVIRONMENT}/versions/tags/<tag>"
_TAG: Final = f"{_ENVIRONMENT}/tags/<tag>"

LAST_PAGE: Final = "0"
"""The ``nextToken`` at which `pulumi env tag ls` stops; it goes on at an empty one."""


def revision_tag_calls(store: EnvironmentStore) -> Blueprint:
    """The calls on revision tags under ``/api/esc/environments``."""
    calls = Blueprint("revision_tags", __name__, url_prefix="/api/esc/environments")

    @calls.get(f"{_ENVIRONMENT}/versions/tags")
    def index(**_: str) -> Response:
        page = store.revision_tags(environment(), after=request.args.get("after", ""), count=number("count"))
        return jsonify({"tags": [_revision_tag(each) for each in page], "nextToken": ""})

    @calls.post(f"{_ENVIRONMENT}/versions/tags")
    def create(**_: str) -> Response:
        body = json_body()
        store.tag_revision(environment(), member(body, "name", str), member(body, "revision", int), editor())
        return empty_reply()

    @calls.get(_REVISION_TAG)
    def read(tag: str, **_: str) -> Response:
        return jsonify(_revision_tag(store.revision_tag(environment(), tag)))

    @calls.patch(_REVISION_TAG)
    def update(tag: str, **_: str) -> Response:
        store.move_revision_tag(environment(), tag, member(json_body(), "revision", int), editor())
        return empty_reply()

    @calls.delete(_REVISION_TAG)
    def delete(tag: str, **_: str) -> Response:
        store.untag_revision(environment(), tag)
        return empty_reply()

    return calls


def tag_calls(store: EnvironmentStore) -> Blueprint:
    """The calls on environment tags under ``/api/esc/environments``."""
    calls = Blueprint("tags", __name__, url_prefix="/api/esc/environments")

    @calls.get(f"{_ENVIRONMENT}/tags")
    def index(**_: str) -> Response:
        with store.tags(environment()) as tags:
            page = tags.page(request.args.get("after", ""), number("count"))
        return jsonify({"tags": {each.name: _tag(each) for each in page}, "nextToken": LAST_PAGE})

    @calls.post(f"{_ENVIRONMENT}/tags")
    def create(**_: str) -> Response:
        body = json_body()
        name, value = check_name(member(body, "name", str)), member(body, "value", str)
        with store.tags(environment()) as tags:
            return jsonify(_tag(tags.create(name, value, editor())))

    @calls.get(_TAG)
    def read(tag: str, **_: str) -> Response:
        with store.tags(environment()) as tags:
            return jsonify(_tag(tags.get(tag)))

    @calls.patch(_TAG)
    def update(tag: str, **_: str) -> Response:
        body = json_body()
        current, new = member(body, "currentTag", dict), member(body, "newTag", dict)
        new_name, value = check_name(new.get("name") or tag), member(new, "value", str)
        with store.tags(environment()) as tags:
            held = tags.get(tag).value
            if current.get("value", held) != held:
                raise EditConflict(f"tag {tag!r} is {held!r}, not {current['value']!r}: read it again")
            return jsonify(_tag(tags.change(tag, editor(), value=value, new_name=new_name)))

    @calls.delete(_TAG)
    def delete(tag: str, **_: str) -> Response:
        with store.tags(environment()) as tags:
            tags.delete(tag)
        return empty_reply()

    return calls


def _tag(label: Label[str]) -> dict[str, Any]:
    return {"name": label.name, "value": label.value, **_authorship(label)}


def _revision_tag(label: Label[int]) -> dict[str, Any]:
    return {"name": label.name, "revision": label.value, **_authorship(label)}


def _authorship(label: Label[Any]) -> dict[str, str]:
    return {
        "created": timestamp(label.created),
        "modified": timestamp(label.modified),
        "editorLogin": label.editor,
        "editorName": label.editor,
    }
