"""Pulumi Cloud's calls on stacks, their deployment settings, and what teams may do with environments."""

from threading import Lock
from typing import Any

from flask import Blueprint, Response, jsonify

from ..esc import NotFound, Vault, check_name
from . import wire


def stack_calls(vault: Vault) -> Blueprint:
    """The calls on stacks under ``/api/stacks``.

    Every stack exists and has never been updated: the sandbox keeps no state of stacks, only their deployment
    settings.
    """
    calls = Blueprint("stacks", __name__, url_prefix="/api/stacks/<organization>/<project>/<stack>")
    lock = Lock()
    settings: dict[tuple[str, str, str], Any] = {}

    @calls.get("")
    def read(organization: str, project: str, stack: str) -> Response:
        return jsonify(
            {
                "orgName": organization,
                "projectName": project,
                "stackName": stack,
                "activeUpdate": "",
                "tags": {},
                "version": 0,
            }
        )

    @calls.put("/deployments/settings")
    def write_settings(organization: str, project: str, stack: str) -> Response:
        sealed = vault.seal(wire.json_body())
        with lock:
            settings[organization, project, stack] = sealed
        return jsonify(sealed)

    @calls.get("/deployments/settings")
    def read_settings(organization: str, project: str, stack: str) -> Response:
        with lock:
            if (organization, project, stack) not in settings:
                raise NotFound(f"stack {organization}/{project}/{stack} has no deployment settings")
            return jsonify(settings[organization, project, stack])

    @calls.delete("/deployments/settings")
    def delete_settings(organization: str, project: str, stack: str) -> Response:
        with lock:
            if settings.pop((organization, project, stack), None) is None:
                raise NotFound(f"stack {organization}/{project}/{stack} has no deployment settings")
        return wire.empty_reply()

    return calls


def team_calls() -> Blueprint:
    """The calls on teams under ``/api/orgs``: what is granted is kept and not enforced, see `AccessTokens`."""
    calls = Blueprint("teams", __name__, url_prefix="/api/orgs/<organization>/teams/<team>")
    lock = Lock()
    grants: dict[tuple[str, str], dict[tuple[str, str], dict[str, str]]] = {}

    @calls.get("")
    def read(organization: str, team: str) -> Response:
        with lock:
            return jsonify({"name": team, "environments": list(grants.get((organization, team), {}).values())})

    @calls.patch("")
    def change(organization: str, team: str) -> Response:
        body = wire.json_body()
        with lock:
            granted = grants.setdefault((organization, team), {})
            if "addEnvironmentPermission" in body:
                grant = wire.member(body, "addEnvironmentPermission", dict)
                wire.member(grant, "permission", str)
                granted[_key(grant)] = grant
            else:
                granted.pop(_key(wire.member(body, "removeEnvironment", dict)), None)
        return wire.empty_reply()

    return calls


def _key(grant: dict[str, str]) -> tuple[str, str]:
    return check_name(wire.member(grant, "projectName", str)), check_name(wire.member(grant, "envName", str))
