"""Pulumi Cloud's calls on environments: their definitions, revisions, settings and tags. `opening` opens them."""

from collections.abc import Iterable
from typing import Any, Final

from flask import Flask, request
from flask.typing import ResponseReturnValue as Reply

from ...claims import LEGACY_PROJECT
from ..esc import LATEST, Conflict, EnvironmentRef, EnvironmentStore, Label, Preserved, StoredEnvironment, check_name
from . import wire
from .opening import Definitions, failure

LAST_PAGE: Final = "0"
"""The ``nextToken`` at which `pulumi env tag ls` stops; it goes on at an empty one."""

_PRESERVE: Final[dict[str, Preserved]] = {
    "preserveHistory": "history",
    "preserveEnvironmentTags": "tags",
    "preserveRevisionTags": "revision tags",
}

_ALL: Final = "/api/esc/environments"
_ONE: Final = f"{_ALL}/<organization>/<project>/<name>"


def add_environment_calls(cloud: Flask, definitions: Definitions) -> None:
    """The calls on environments under ``/api/esc/environments``, without opening them."""
    store = definitions.store
    _add_definition_calls(cloud, definitions)
    _add_state_calls(cloud, store)
    _add_revision_tag_calls(cloud, store)
    _add_tag_calls(cloud, store)

    @cloud.get(_ALL)
    def list_all() -> Reply:
        return _listing(store.list(wire.caller().organizations))

    @cloud.get(f"{_ALL}/<organization>")
    def list_one(organization: str) -> Reply:
        return _listing(store.list((organization,)))

    @cloud.post(f"{_ALL}/<organization>")
    def create(organization: str) -> Reply:
        body = wire.json_body()
        project = wire.member(body, "project", str, default="") or LEGACY_PROJECT
        store.create(EnvironmentRef(organization, project, wire.member(body, "name", str)), wire.editor())
        return {}


def _add_definition_calls(cloud: Flask, definitions: Definitions) -> None:
    store = definitions.store

    @cloud.get(_ONE, defaults={"version": LATEST})
    @cloud.get(f"{_ONE}/versions/<version>")
    def read(version: str, **_: str) -> Reply:
        revision = store.revision(wire.environment(), version)
        return wire.definition_reply(definitions.vault.conceal(revision.yaml), revision.number)

    @cloud.get(f"{_ONE}/decrypt")
    def decrypt(**_: str) -> Reply:
        latest = store.revision(wire.environment())
        return wire.definition_reply(latest.yaml, latest.number)

    @cloud.patch(_ONE)
    def update(**_: str) -> Reply:
        ref = wire.environment()
        store.revision(ref)
        yaml = definitions.sent()
        checked = definitions.evaluate(ref.organization, ref.path, yaml, login=False)
        if checked.diagnostics:
            return failure(checked)
        revision = store.update(ref, yaml, wire.editor(), expected=wire.expected_revision())
        # Not even an empty list of diagnostics: the provider takes the key for a failure.
        return {}, {wire.REVISION_HEADER: str(revision)}

    @cloud.get(f"{_ONE}/versions")
    def versions(**_: str) -> Reply:
        before, count = wire.number("before"), wire.number("count")
        with store.edit(wire.environment()) as held:
            marks = held.revision_tags.page()
            older = [each for each in reversed(held.revisions) if not before or each.number < before]
        return [
            {
                "number": each.number,
                "created": wire.timestamp(each.created),
                "creatorLogin": each.creator,
                "creatorName": each.creator,
                "tags": [mark.name for mark in marks if mark.value == each.number],
            }
            for each in older[:count]
        ]


def _add_state_calls(cloud: Flask, store: EnvironmentStore) -> None:
    @cloud.delete(_ONE)
    def delete(**_: str) -> Reply:
        store.delete(wire.environment())
        return wire.DONE

    @cloud.post(f"{_ONE}/clone")
    def clone(organization: str, project: str, **_: str) -> Reply:
        body = wire.json_body()
        project = wire.member(body, "project", str, default="") or project
        target = EnvironmentRef(organization, project, wire.member(body, "name", str))
        preserve = {kept for key, kept in _PRESERVE.items() if body.get(key)}
        store.clone(wire.environment(), target, wire.editor(), preserve)
        return wire.DONE

    @cloud.get(f"{_ONE}/metadata")
    def metadata(**_: str) -> Reply:
        with store.edit(wire.environment()) as held:
            return {"id": held.identity}

    @cloud.get(f"{_ONE}/settings")
    def settings(**_: str) -> Reply:
        with store.edit(wire.environment()) as held:
            return {"deletionProtected": held.deletion_protected}

    @cloud.patch(f"{_ONE}/settings")
    def change_settings(**_: str) -> Reply:
        protected = wire.member(wire.json_body(), "deletionProtected", bool)
        with store.edit(wire.environment()) as held:
            held.deletion_protected = protected
        return wire.DONE


def _add_revision_tag_calls(cloud: Flask, store: EnvironmentStore) -> None:
    @cloud.get(f"{_ONE}/versions/tags")
    def revision_tags(**_: str) -> Reply:
        with store.edit(wire.environment()) as held:
            page = held.revision_tags.page(request.args.get("after", ""), wire.number("count"))
        return {"tags": [_label(each, "revision") for each in page], "nextToken": ""}

    @cloud.post(f"{_ONE}/versions/tags")
    def create_revision_tag(**_: str) -> Reply:
        body = wire.json_body()
        with store.edit(wire.environment()) as held:
            held.tag_revision(wire.member(body, "name", str), wire.member(body, "revision", int), wire.editor())
        return wire.DONE

    @cloud.get(f"{_ONE}/versions/tags/<tag>")
    def revision_tag(tag: str, **_: str) -> Reply:
        with store.edit(wire.environment()) as held:
            return _label(held.revision_tag(tag), "revision")

    @cloud.patch(f"{_ONE}/versions/tags/<tag>")
    def move_revision_tag(tag: str, **_: str) -> Reply:
        revision = wire.member(wire.json_body(), "revision", int)
        with store.edit(wire.environment()) as held:
            held.tag_revision(tag, revision, wire.editor(), move=True)
        return wire.DONE

    @cloud.delete(f"{_ONE}/versions/tags/<tag>")
    def delete_revision_tag(tag: str, **_: str) -> Reply:
        with store.edit(wire.environment()) as held:
            held.revision_tags.delete(tag)
        return wire.DONE


def _add_tag_calls(cloud: Flask, store: EnvironmentStore) -> None:
    @cloud.get(f"{_ONE}/tags")
    def tags(**_: str) -> Reply:
        with store.edit(wire.environment()) as held:
            page = held.tags.page(request.args.get("after", ""), wire.number("count"))
        return {"tags": {each.name: _label(each, "value") for each in page}, "nextToken": LAST_PAGE}

    @cloud.post(f"{_ONE}/tags")
    def create_tag(**_: str) -> Reply:
        body = wire.json_body()
        name, value = check_name(wire.member(body, "name", str)), wire.member(body, "value", str)
        with store.edit(wire.environment()) as held:
            return _label(held.tags.create(name, value, wire.editor()), "value")

    @cloud.get(f"{_ONE}/tags/<tag>")
    def tag(tag: str, **_: str) -> Reply:
        with store.edit(wire.environment()) as held:
            return _label(held.tags.get(tag), "value")

    @cloud.patch(f"{_ONE}/tags/<tag>")
    def change_tag(tag: str, **_: str) -> Reply:
        body = wire.json_body()
        current, new = wire.member(body, "currentTag", dict), wire.member(body, "newTag", dict)
        new_name, value = check_name(wire.member(new, "name", str, default="") or tag), wire.member(new, "value", str)
        with store.edit(wire.environment()) as held:
            before = held.tags.get(tag).value
            if current.get("value", before) != before:
                raise Conflict(f"tag {tag!r} is {before!r}, not {current['value']!r}: read it again")
            return _label(held.tags.change(tag, wire.editor(), value=value, new_name=new_name), "value")

    @cloud.delete(f"{_ONE}/tags/<tag>")
    def delete_tag(tag: str, **_: str) -> Reply:
        with store.edit(wire.environment()) as held:
            held.tags.delete(tag)
        return wire.DONE


def _listing(environments: Iterable[StoredEnvironment]) -> Reply:
    """One page: the sandbox never has so many environments that a client must ask again."""
    listed = [
        {
            "organization": each.ref.organization,
            "project": each.ref.project,
            "name": each.ref.name,
            "created": wire.timestamp(each.revisions[0].created),
            "modified": wire.timestamp(each.revisions[-1].created),
        }
        for each in environments
    ]
    return {"environments": listed, "nextToken": ""}


def _label(label: Label[Any], key: str) -> dict[str, Any]:
    return {
        "name": label.name,
        key: label.value,
        "created": wire.timestamp(label.created),
        "modified": wire.timestamp(label.modified),
        "editorLogin": label.editor,
        "editorName": label.editor,
    }
