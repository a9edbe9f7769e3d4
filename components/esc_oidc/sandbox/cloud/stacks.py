"""Pulumi Cloud's calls on stacks: their states, tags, secrets, updates and history, and their deployment settings.

Two things of the real one are left out, which clients do without: journals, and checkpoints with changes only.
"""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from flask import Flask, request
from flask.typing import ResponseReturnValue as Reply

from ..esc import Cipher, InvalidRequest, NotFound, Vault
from ..folder import Table
from ..stacks import LEASE, Deployment, Stack, StackRef, Stacks, Update
from . import wire

_PROJECT: Final = "/api/stacks/<organization>/<project>"
_ONE: Final = f"{_PROJECT}/<stack>"
# Of every kind: `update` is the word for all.
_UPDATE: Final = "/update/<update>"

_CAPABILITIES: Final = (
    # Secrets go out together, not one by one.
    {"capability": "batch-encrypt"},
    # Without it the CLI writes version 3, and drops the `features` of the state.
    {"capability": "deployment-schema-version", "version": 1, "configuration": {"version": 4}},
)

_SECRET: Final = {"encrypt": ("plaintext", "ciphertext"), "decrypt": ("ciphertext", "plaintext")}
"""What is sent, and what comes back."""

_CIPHER: Final = Cipher("stacks")
"""One for all stacks: a stack's file outlives the sandbox, and every name that the stack had."""

_NO_CONFIGURATION: Final = "The sandbox keeps no configuration of stacks: keep it in the stack's file."

Call = TypeVar("Call", bound=Callable[..., Reply | None])


def add_stack_calls(cloud: Flask, stacks: Stacks, vault: Vault, settings: Table) -> None:
    """The calls on stacks under ``/api/stacks``, and those that list them."""
    _add_state_calls(cloud, stacks)
    _add_secret_calls(cloud, stacks)
    _add_update_calls(cloud, stacks)
    _add_settings_calls(cloud, vault, settings)

    @cloud.get("/api/capabilities")
    def capabilities() -> Reply:
        return {"capabilities": _CAPABILITIES}

    @cloud.get("/api/user/stacks")
    def list_stacks() -> Reply:
        listed = stacks.list(wire.caller().organizations)
        return {"stacks": [_listed(each) for each in listed if _asked_for(each)]}

    @cloud.get(f"{_ONE}/policypacks")
    @cloud.get("/api/orgs/<organization>/policypacks")
    @cloud.get("/api/orgs/<organization>/policygroups")
    def policies(**_: str) -> Reply:
        # `pulumi policy ls` takes a missing list for an error.
        return {"requiredPolicies": [], "policyPacks": [], "policyGroups": []}

    @cloud.route(_PROJECT, methods=["HEAD"])
    def project_exists(organization: str, project: str) -> Reply:
        if not any(each.ref.project == project for each in stacks.list((organization,))):
            raise NotFound(f"project {project} not found")
        return ""

    @cloud.post(_PROJECT)
    def create_stack(organization: str, project: str) -> Reply:
        body = wire.json_body()
        if body.get("config"):
            raise InvalidRequest(_NO_CONFIGURATION)
        if body.get("teams"):
            raise InvalidRequest("The sandbox gives teams no stacks: leave --teams out.")
        ref = StackRef(organization, project, wire.member(body, "stackName", str))
        state = wire.member(body, "state", dict, default={})
        deployment = Deployment.sent(ref, state, json.dumps(state).encode()) if state else None
        stacks.create(ref, _tags(body.get("tags") or {}), deployment)
        return {}


def _on_stack(cloud: Flask, stacks: Stacks, method: str, path: str) -> Callable[[Call], Call]:
    """Register a call that gets the stack of its path, locked, and answers without content if it gives nothing."""

    def register(call: Call) -> Call:
        def answer(organization: str, project: str, stack: str, **rest: Any) -> Reply:
            wire.body()  # nobody waits for a client while holding the lock
            with stacks.edit(StackRef(organization, project, stack)) as held:
                reply = call(held, **rest)
            return wire.DONE if reply is None else reply

        cloud.add_url_rule(_ONE + path, f"{method} {path}", answer, methods=[method])
        return call

    return register


def _add_state_calls(cloud: Flask, stacks: Stacks) -> None:
    @_on_stack(cloud, stacks, "GET", "")
    def read_stack(stack: Stack) -> Reply:
        last, running = stack.history()[:1], stack.running()
        operation = running and {"kind": running.kind, "author": running.author, "started": running.started}
        return {
            **_names(stack.ref),
            "id": stack.identity,
            "activeUpdate": last[0].identity if last else "",
            "tags": stack.tags,
            "version": stack.version,
            **({"currentOperation": operation} if operation else {}),
        }

    @cloud.delete(_ONE)
    def delete_stack(organization: str, project: str, stack: str) -> Reply:
        stacks.delete(StackRef(organization, project, stack), force=request.args.get("force") == "true")
        return wire.DONE

    @cloud.post(f"{_ONE}/rename")
    def rename_stack(organization: str, project: str, stack: str) -> Reply:
        body = wire.json_body()
        new_project = wire.member(body, "newProject", str, default="") or project
        new = StackRef(organization, new_project, wire.member(body, "newName", str))
        stacks.rename(StackRef(organization, project, stack), new)
        return wire.DONE

    @_on_stack(cloud, stacks, "PATCH", "/tags")
    def write_tags(stack: Stack) -> None:
        stack.tags = _tags(wire.json_body())

    @_on_stack(cloud, stacks, "PUT", "/config")
    def write_config(_: Stack) -> None:
        raise InvalidRequest(_NO_CONFIGURATION)

    @_on_stack(cloud, stacks, "GET", "/export/<version>")
    @_on_stack(cloud, stacks, "GET", "/export")
    def export_state(stack: Stack, version: str = "") -> Reply:
        deployment = stack.deployment(wire.whole("the version", version))
        # Without a deployment, or without its version, the CLI can't read it.
        none = {"version": 3, "deployment": {}}
        return deployment.exported(stack.ref, request.host_url.rstrip("/")) if deployment else none

    @_on_stack(cloud, stacks, "POST", "/import")
    def import_state(stack: Stack) -> Reply:
        deployment, imported = _deployment(stack.ref), Update("import", wire.editor())
        stack.plan(imported)
        stack.start(imported)
        stack.deployments[imported.version] = deployment
        stack.end(imported, "succeeded")
        return {"updateId": imported.identity}


def _add_secret_calls(cloud: Flask, stacks: Stacks) -> None:
    def changed(verb: str, text: str) -> str:
        return base64.b64encode(getattr(_CIPHER, verb)(_decoded(text))).decode()

    @_on_stack(cloud, stacks, "POST", "/<any(encrypt, decrypt):verb>")
    def change_secret(_: Stack, verb: str) -> Reply:
        given, made = _SECRET[verb]
        return {made: changed(verb, wire.member(wire.json_body(), given, str))}

    @_on_stack(cloud, stacks, "POST", "/batch-<any(encrypt, decrypt):verb>")
    def change_secrets(_: Stack, verb: str) -> Reply:
        given, made = _SECRET[verb]
        both = [(each, changed(verb, each)) for each in wire.members(f"{given}s", str)]
        # Of what is decrypted the CLI wants a map, of what is encrypted a list.
        return {f"{made}s": dict(both) if verb == "decrypt" else [new for _, new in both]}

    @_on_stack(cloud, stacks, "POST", "/decrypt/<any('log-decryption', 'log-batch-decryption'):_log>")
    def log_decryption(_: Stack, _log: str) -> None:
        """Nobody reads it."""


def _add_update_calls(cloud: Flask, stacks: Stacks) -> None:  # noqa: C901 - one nested function per call
    @_on_stack(cloud, stacks, "POST", "/<any(update, preview, refresh, destroy):kind>")
    def create_update(stack: Stack, kind: str) -> Reply:
        parts, body = ("config", "metadata", "options"), wire.json_body()
        config, metadata, options = (wire.member(body, key, dict, default={}) for key in parts)
        preview = kind == "preview" or bool(options.get("dryRun"))
        stack.plan(update := Update(kind, wire.editor(), preview, config, metadata))
        return {"updateID": update.identity}

    @_on_stack(cloud, stacks, "GET", _UPDATE)
    def read_update(stack: Stack, update: str) -> Reply:
        # A continuationToken would say that there is more to come.
        return {"status": stack.status(stack.update(update)), "events": []}

    @_on_stack(cloud, stacks, "POST", _UPDATE)
    def start_update(stack: Stack, update: str) -> Reply:
        tags = _tags(wire.json_body().get("tags") or stack.tags)
        stack.start(started := stack.update(update))
        stack.tags = stack.tags if started.preview else tags
        # Without a journalVersion the CLI sends whole checkpoints.
        return {"version": stack.version, "token": started.lease, "tokenExpiration": int(started.lease_end)}

    @_on_stack(cloud, stacks, "POST", f"{_UPDATE}/cancel")
    def cancel_update(stack: Stack, update: str) -> None:
        stack.end(stack.update(update), "cancelled")

    # The next four are the calls `wire.BY_LEASE`.

    @_on_stack(cloud, stacks, "POST", f"{_UPDATE}/renew_lease")
    def renew_lease(stack: Stack, update: str) -> Reply:
        leased = stack.leased(update, wire.lease())
        if (duration := wire.member(wire.json_body(), "duration", int)) < 1:
            raise InvalidRequest(f"'duration' must be 1 second or more, got {duration}")
        leased.lease_end = stack.now() + min(duration, LEASE)
        return {"token": leased.lease, "tokenExpiration": int(leased.lease_end)}

    @_on_stack(cloud, stacks, "PATCH", f"{_UPDATE}/checkpoint")
    def save_checkpoint(stack: Stack, update: str) -> None:
        leased = stack.leased(update, wire.lease())
        if leased.preview:
            raise InvalidRequest("A preview saves nothing.")
        stack.deployments[leased.version] = _deployment(stack.ref)

    @_on_stack(cloud, stacks, "POST", f"{_UPDATE}/events/batch")
    def record_events(stack: Stack, update: str) -> None:
        leased = stack.leased(update, wire.lease())
        for event in wire.members("events", dict):
            leased.events[wire.member(event, "sequence", int)] = event
            if summary := wire.member(event, "summaryEvent", dict, default={}):
                leased.changes = wire.member(summary, "resourceChanges", dict, default={})

    @_on_stack(cloud, stacks, "POST", f"{_UPDATE}/complete")
    def complete_update(stack: Stack, update: str) -> None:
        status = wire.json_body().get("status")
        if status not in ("succeeded", "failed"):
            raise InvalidRequest(f"'status' must be succeeded or failed, got {status!r}")
        stack.end(stack.leased(update, wire.lease()), status)

    @_on_stack(cloud, stacks, "GET", f"{_UPDATE}/events")
    def read_events(stack: Stack, update: str) -> Reply:
        if request.args.get("type") or request.args.get("urn"):
            raise InvalidRequest("The sandbox filters no events: leave --type and --urn out.")
        return {"events": [each for _, each in sorted(stack.update(update).events.items())], "continuationToken": None}

    @_on_stack(cloud, stacks, "GET", "/updates")
    def history(stack: Stack) -> Reply:
        updates, size, page = stack.history(), wire.number("pageSize"), wire.number("page") or 1
        shown = updates[(page - 1) * size : page * size] if size else updates
        return {"updates": [_info(stack, each) for each in shown]}

    @_on_stack(cloud, stacks, "GET", "/updates/latest")
    def latest_update(stack: Stack) -> Reply:
        if not (updates := stack.history()):
            raise NotFound(f"stack {stack.ref} has never been updated")
        return {"info": _info(stack, updates[0])}


def _add_settings_calls(cloud: Flask, vault: Vault, settings: Table) -> None:
    """Deployment settings, also of stacks that nobody made: their provider asks for the settings only."""
    one = f"{_ONE}/deployments/settings"

    def kept(stack: Mapping[str, str]) -> dict[str, Any]:
        StackRef(*stack.values())
        if request.path not in settings:
            raise NotFound(f"{request.path}: the stack has none")
        return dict(settings[request.path])

    @cloud.put(one)
    def write_settings(**stack: str) -> Reply:
        StackRef(*stack.values())
        settings.put(request.path, vault.seal(wire.json_body()))
        return kept(stack)

    @cloud.get(one)
    def read_settings(**stack: str) -> Reply:
        return kept(stack)

    @cloud.delete(one)
    def delete_settings(**stack: str) -> Reply:
        kept(stack)
        settings.put(request.path, None)
        return wire.DONE


def _deployment(ref: StackRef) -> Deployment:
    """The state that the present request brings."""
    body = wire.body()
    return Deployment.sent(ref, wire.read_json(body), body)


def _names(ref: StackRef) -> dict[str, str]:
    return {"orgName": ref.organization, "projectName": ref.project, "stackName": ref.name}


def _tags(tags: Any) -> dict[str, str]:
    if not isinstance(tags, dict) or not all(isinstance(each, str) for each in tags.values()):
        raise InvalidRequest("tags must be a JSON object of texts")
    return tags


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise InvalidRequest(f"{error}: give base64") from error


def _asked_for(stack: Stack) -> bool:
    """Whether the query in the present request asks for a stack."""
    query: Mapping[str, str] = request.args
    tag = stack.tags.get(query.get("tagName", ""))
    own = {"organization": stack.ref.organization, "project": stack.ref.project, "tagValue": tag}
    return not ("tagName" in query and tag is None) and all(query.get(key, own[key]) == own[key] for key in own)


def _listed(stack: Stack) -> dict[str, Any]:
    entry = {**_names(stack.ref), "id": stack.identity, "resourceCount": stack.resource_count()}
    if updates := stack.history():
        entry["lastUpdate"] = 0 if stack.running() else updates[0].started
    return entry


def _info(stack: Stack, update: Update) -> dict[str, Any]:
    """An update in the history, which has no word for what was cancelled (inferred)."""
    status = stack.status(update)
    return {
        "kind": update.kind,
        "startTime": update.started,
        "endTime": update.ended or (int(update.lease_end) if status == "failed" else 0),
        "message": update.metadata.get("message", ""),
        "environment": update.metadata.get("environment") or {},
        "config": update.config,
        "result": {"running": "in-progress", "cancelled": "failed"}.get(status, status),
        "version": update.version,
        "resourceChanges": update.changes,
        "resourceCount": stack.resource_count(update.version),
    }
