"""Pulumi Cloud's calls on stacks, their deployment settings, and what teams may do with environments."""

from typing import Any

from flask import Blueprint, Response, jsonify, request

from ..esc import NotFound, Vault, check_name
from . import wire


def stack_calls(vault: Vault) -> Blueprint:
    """The calls on stacks under ``/api/stacks``.

    Every stack exists and has never been updated: the sandbox keeps no state of stacks, only their deployment
    settings.
    """
    calls = Blueprint("stacks", __name__, url_prefix="/api/stacks/<organization>/<project>/<stack>")
    settings: dict[str, Any] = {}

    @calls.get("")
    def read(organization: str, project: str, stack: str) -> Response:
        names = {"orgName": organization, "projectName": project, "stackName": stack}
        return jsonify({**names, "activeUpdate": "", "tags": {}, "version": 0})

    @calls.put("/deployments/settings")
    def write_settings(**_: str) -> Response:
        settings[request.path] = vault.seal(wire.json_body())
        return jsonify(settings[request.path])

    @calls.get("/deployments/settings")
    def read_settings(**_: str) -> Response:
        if request.path not in settings:
            raise NotFound(f"{request.path}: the stack has none")
        return jsonify(settings[request.path])

    @calls.delete("/deployments/settings")
    def delete_settings(**_: str) -> Response:
        if settings.pop(request.path, None) is None:
            raise NotFound(f"{request.path}: the stack has none")
        return wire.empty_reply()

    return calls


def team_calls() -> Blueprint:
    """The calls on teams under ``/api/orgs``: what is granted is kept and not enforced, see `AccessTokens`."""
    calls = Blueprint("teams", __name__, url_prefix="/api/orgs/<organization>/teams/<team>")
    grants: dict[tuple[str, str, str, str], dict[str, str]] = {}

    @calls.get("")
    def read(organization: str, team: str) -> Response:
        granted = [grant for key, grant in grants.copy().items() if key[:2] == (organization, team)]
        return jsonify({"name": team, "environments": granted})

    @calls.patch("")
    def change(organization: str, team: str) -> Response:
        body = wire.json_body()
        adding = "addEnvironmentPermission" in body
        grant = wire.member(body, "addEnvironmentPermission" if adding else "removeEnvironment", dict)
        project, name = (check_name(wire.member(grant, key, str)) for key in ("projectName", "envName"))
        if adding:
            wire.member(grant, "permission", str)
            grants[organization, team, project, name] = grant
        else:
            grants.pop((organization, team, project, name), None)
        return wire.empty_reply()

    return calls
