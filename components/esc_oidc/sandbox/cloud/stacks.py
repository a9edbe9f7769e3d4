"""Pulumi Cloud's calls on stacks: their state, tags, secrets, updates and history, and their deployment settings.

Two things of the real one are left out, which clients do without: journals, and checkpoints that say what changed only.
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from flask import Flask, request
from flask.typing import ResponseReturnValue as Reply

from ..esc import InvalidRequest, NotFound, Vault
from ..folder import Table
from ..stacks import LEASE, Deployment, LeaseOver, Secrets, Stack, StackRef, Stacks, Update
from . import wire

_PROJECT: Final = "/api/stacks/<organization>/<project>"
_ONE: Final = f"{_PROJECT}/<stack>"
_UPDATE: Final = f"{_ONE}/update/<update>"
"""Of every kind: `update` is the word for all."""

_CAPABILITIES: Final = (
    # Secrets go out together, not one by one.
    {"capability": "batch-encrypt"},
    # Without it the CLI writes version 3, and drops the `features` of the state.
    {"capability": "deployment-schema-version", "version": 1, "configuration": {"version": 4}},
)


def add_stack_calls(cloud: Flask, stacks: Stacks, vault: Vault, settings: Table) -> None:
    """The calls on stacks under ``/api/stacks``, and those that list them."""
    _add_existence_calls(cloud, stacks)
    _add_secret_calls(cloud, stacks)
    _add_state_calls(cloud, stacks)
    _add_update_calls(cloud, stacks)
    _add_lease_calls(cloud, stacks)
    _add_history_calls(cloud, stacks)
    _add_settings_calls(cloud, vault, settings)
    _add_policy_calls(cloud)

    @cloud.get("/api/capabilities")
    def capabilities() -> Reply:
        return {"capabilities": _CAPABILITIES}


def _add_existence_calls(cloud: Flask, stacks: Stacks) -> None:  # noqa: C901 - one nested function per call
    @cloud.get("/api/user/stacks")
    def list_stacks() -> Reply:
        stacks_of = stacks.all(wire.caller().organizations)
        return {"stacks": [_listed(each) for each in stacks_of if _asked_for(each, request.args)]}

    @cloud.route(_PROJECT, methods=["HEAD"])
    def project_exists(organization: str, project: str) -> Reply:
        if not any(each.ref.project == project for each in stacks.all((organization,))):
            raise NotFound(f"project {project} not found")
        return ""

    @cloud.post(_PROJECT)
    def create_stack(organization: str, project: str) -> Reply:
        body = wire.json_body()
        if body.get("config"):
            raise InvalidRequest("The sandbox keeps no configuration of stacks: leave --remote-config out.")
        if body.get("teams"):
            raise InvalidRequest("The sandbox gives teams no stacks: leave --teams out.")
        ref = StackRef(organization, project, wire.member(body, "stackName", str))
        state = Deployment.sent(ref, json.dumps(body["state"]).encode()) if body.get("state") else None
        stacks.create(ref, _tags(body), state)
        return {}

    @cloud.get(_ONE)
    def read_stack(**_: str) -> Reply:
        with stacks.edit(_ref()) as stack:
            return _described(stack)

    @cloud.delete(_ONE)
    def delete_stack(**_: str) -> Reply:
        stacks.delete(_ref(), force=request.args.get("force") == "true")
        return wire.DONE

    @cloud.patch(f"{_ONE}/tags")
    def write_tags(**_: str) -> Reply:
        tags = _tags({"tags": wire.json_body()})
        with stacks.edit(_ref()) as stack:
            stack.tags = tags
        return wire.DONE

    @cloud.post(f"{_ONE}/rename")
    def rename(**_: str) -> Reply:
        ref, body = _ref(), wire.json_body()
        stacks.rename(ref, StackRef(ref.organization, body.get("newProject") or ref.project, body.get("newName", "")))
        return wire.DONE

    @cloud.put(f"{_ONE}/config")
    def write_config(**_: str) -> Reply:
        raise InvalidRequest("The sandbox keeps no configuration of stacks: keep it in the stack's file.")


def _add_secret_calls(cloud: Flask, stacks: Stacks) -> None:
    def of_stack() -> Secrets:
        with stacks.edit(_ref()) as stack:
            return Secrets(stack.keys)

    @cloud.post(f"{_ONE}/encrypt")
    def encrypt(**_: str) -> Reply:
        return {"ciphertext": of_stack().encrypt(wire.member(wire.json_body(), "plaintext", str))}

    @cloud.post(f"{_ONE}/batch-encrypt")
    def encrypt_all(**_: str) -> Reply:
        secrets = of_stack()
        return {"ciphertexts": [secrets.encrypt(each) for each in wire.members("plaintexts", str)]}

    @cloud.post(f"{_ONE}/decrypt")
    def decrypt_one(**_: str) -> Reply:
        return {"plaintext": of_stack().decrypt(wire.member(wire.json_body(), "ciphertext", str))}

    @cloud.post(f"{_ONE}/batch-decrypt")
    def decrypt_all(**_: str) -> Reply:
        secrets = of_stack()
        return {"plaintexts": {each: secrets.decrypt(each) for each in wire.members("ciphertexts", str)}}

    @cloud.post(f"{_ONE}/decrypt/<any('log-decryption', 'log-batch-decryption'):log>")
    def log_decryption(**_: str) -> Reply:
        return wire.DONE


def _add_state_calls(cloud: Flask, stacks: Stacks) -> None:
    @cloud.get(f"{_ONE}/export", defaults={"version": None})
    @cloud.get(f"{_ONE}/export/<int:version>")
    def export_state(version: int | None, **_: str) -> Reply:
        with stacks.edit(_ref()) as stack:
            ref, deployment = stack.ref, stack.deployment(version)
        # Without a deployment, or without its version, the CLI can't read it.
        return (
            deployment.exported(ref, request.host_url.rstrip("/")) if deployment else {"version": 3, "deployment": {}}
        )

    @cloud.post(f"{_ONE}/import")
    def import_state(**_: str) -> Reply:
        ref, imported = _ref(), Update(str(uuid.uuid4()), "import", wire.editor())
        deployment = Deployment.sent(ref, wire.body())
        with stacks.edit(ref) as stack:
            stack.import_state(imported, deployment)
        return {"updateId": imported.identity}

    @cloud.get(_UPDATE)
    def read_update(update: str, **_: str) -> Reply:
        with stacks.edit(_ref()) as stack:
            # A continuationToken would say that there is more to come.
            return {"status": stack.status(stack.update(update)), "events": []}


def _add_update_calls(cloud: Flask, stacks: Stacks) -> None:
    @cloud.post(f"{_ONE}/<any(update, preview, refresh, destroy):kind>")
    def create_update(kind: str, **_: str) -> Reply:
        body = wire.json_body()
        preview = kind == "preview" or bool((body.get("options") or {}).get("dryRun"))
        config, metadata = (body.get(key) or {} for key in ("config", "metadata"))
        created = Update(str(uuid.uuid4()), kind, wire.editor(), preview, config, metadata)
        with stacks.edit(_ref()) as stack:
            stack.plan(created)
        return {"updateID": created.identity}

    @cloud.post(_UPDATE)
    def start_update(update: str, **_: str) -> Reply:
        body = wire.json_body()
        tags = _tags(body) if body.get("tags") is not None else None
        with stacks.edit(_ref()) as stack:
            started = stack.start(update, tags)
            # Without a journalVersion the CLI sends whole checkpoints.
            return {"version": stack.version, "token": started.lease, "tokenExpiration": int(started.lease_end)}

    @cloud.post(f"{_UPDATE}/cancel")
    def cancel_update(update: str, **_: str) -> Reply:
        with stacks.edit(_ref()) as stack:
            stack.cancel(update)
        return wire.DONE


def _add_lease_calls(cloud: Flask, stacks: Stacks) -> None:
    """The four calls that carry an update out; see `wire.BY_LEASE`."""

    @contextmanager
    def leased() -> Iterator[tuple[Stack, Update]]:
        try:
            with stacks.edit(_ref()) as stack:
                yield stack, stack.leased((request.view_args or {})["update"], wire.lease())
        except NotFound as error:
            raise LeaseOver(str(error)) from error

    @cloud.post(f"{_UPDATE}/renew_lease")
    def renew_lease(**_: str) -> Reply:
        duration = wire.member(wire.json_body(), "duration", int)
        with leased() as (stack, update):
            update.lease_end = stack.now() + min(duration, LEASE)
            return {"token": update.lease, "tokenExpiration": int(update.lease_end)}

    @cloud.patch(f"{_UPDATE}/checkpoint")
    def save_checkpoint(**_: str) -> Reply:
        deployment = Deployment.sent(_ref(), wire.body())
        with leased() as (stack, update):
            if update.preview:
                raise InvalidRequest("A preview saves nothing.")
            stack.deployments[update.version] = deployment
        return wire.DONE

    @cloud.post(f"{_UPDATE}/events/batch")
    def record_events(**_: str) -> Reply:
        events = {wire.member(each, "sequence", int): each for each in wire.members("events", dict)}
        summaries = [each["summaryEvent"] for each in events.values() if each.get("summaryEvent")]
        with leased() as (_stack, update):
            update.events |= events
            for summary in summaries:
                update.changes = summary.get("resourceChanges") or {}
        return wire.DONE

    @cloud.post(f"{_UPDATE}/complete")
    def complete_update(**_: str) -> Reply:
        status = wire.member(wire.json_body(), "status", str)
        if status not in ("succeeded", "failed", "cancelled"):
            raise InvalidRequest(f"'status' must be succeeded, failed or cancelled, got {status!r}")
        with leased() as (stack, update):
            stack.end(update, status)
        return wire.DONE


def _add_history_calls(cloud: Flask, stacks: Stacks) -> None:
    @cloud.get(f"{_ONE}/updates")
    def history(**_: str) -> Reply:
        size, page = wire.number("pageSize"), wire.number("page") or 1
        with stacks.edit(_ref()) as stack:
            shown = stack.history()[(page - 1) * size : page * size] if size else stack.history()
            return {"updates": [_info(stack, each) for each in shown]}

    @cloud.get(f"{_ONE}/updates/latest")
    def latest_update(**_: str) -> Reply:
        with stacks.edit(_ref()) as stack:
            if not (updates := stack.history()):
                raise NotFound(f"stack {stack.ref} has never been updated")
            return {"info": _info(stack, updates[0])}

    @cloud.get(f"{_UPDATE}/events")
    def read_events(update: str, **_: str) -> Reply:
        if request.args.get("type") or request.args.get("urn"):
            raise InvalidRequest("The sandbox filters no events: leave --type and --urn out.")
        with stacks.edit(_ref()) as stack:
            events = stack.update(update).events
            return {"events": [events[each] for each in sorted(events)], "continuationToken": None}


def _add_settings_calls(cloud: Flask, vault: Vault, settings: Table) -> None:
    """Deployment settings, also of stacks that nobody made: their provider asks for the settings only."""
    one = f"{_ONE}/deployments/settings"

    @cloud.put(one)
    def write_settings(**_: str) -> Reply:
        settings.put(request.path, sealed := vault.seal(wire.json_body()))
        return {**sealed}

    @cloud.get(one)
    def read_settings(**_: str) -> Reply:
        if request.path not in settings:
            raise NotFound(f"{request.path}: the stack has none")
        return {**settings[request.path]}

    @cloud.delete(one)
    def delete_settings(**_: str) -> Reply:
        if request.path not in settings:
            raise NotFound(f"{request.path}: the stack has none")
        settings.put(request.path, None)
        return wire.DONE


def _add_policy_calls(cloud: Flask) -> None:
    """There are no policies; `pulumi policy ls` takes a missing call for an error."""

    @cloud.get("/api/orgs/<organization>/policypacks")
    def policy_packs(**_: str) -> Reply:
        return {"policyPacks": []}

    @cloud.get("/api/orgs/<organization>/policygroups")
    def policy_groups(**_: str) -> Reply:
        return {"policyGroups": []}

    @cloud.get(f"{_ONE}/policypacks")
    def required_policies(**_: str) -> Reply:
        return {"requiredPolicies": []}


def _ref() -> StackRef:
    """The stack that the present request's path names."""
    parts = request.view_args or {}
    return StackRef(parts["organization"], parts["project"], parts["stack"])


def _names(ref: StackRef) -> dict[str, str]:
    return {"orgName": ref.organization, "projectName": ref.project, "stackName": ref.name}


def _described(stack: Stack) -> dict[str, Any]:
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


def _listed(stack: Stack) -> dict[str, Any]:
    entry = {**_names(stack.ref), "id": stack.identity, "resourceCount": stack.resource_count()}
    if updates := stack.history():
        entry["lastUpdate"] = 0 if stack.running() else updates[0].started
    return entry


def _asked_for(stack: Stack, query: Mapping[str, str]) -> bool:
    own = {"organization": stack.ref.organization, "project": stack.ref.project}
    tag = query.get("tagName")
    return (
        all(query.get(key, value) == value for key, value in own.items())
        and (tag is None or tag in stack.tags)
        and ("tagValue" not in query or stack.tags.get(tag or "") == query["tagValue"])
    )


def _tags(body: Mapping[str, Any]) -> dict[str, str]:
    tags = wire.member(body, "tags", dict) if body.get("tags") else {}
    if not all(isinstance(each, str) for each in tags.values()):
        raise InvalidRequest("'tags' must be texts")
    return tags


def _info(stack: Stack, update: Update) -> dict[str, Any]:
    """An update in the history."""
    status = stack.status(update)
    # A history has no word for what was cancelled (inferred).
    result = {"running": "in-progress", "cancelled": "failed"}.get(status, status)
    return {
        "kind": update.kind,
        "startTime": update.started,
        "endTime": update.ended or (int(update.lease_end) if status == "failed" else 0),
        "message": update.metadata.get("message", ""),
        "environment": update.metadata.get("environment") or {},
        "config": update.config,
        "result": result,
        "version": update.version,
        "resourceChanges": update.changes,
        "resourceCount": stack.resource_count(update.version),
    }
