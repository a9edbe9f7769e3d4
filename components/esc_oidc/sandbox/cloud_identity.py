"""Pulumi Cloud's calls on who calls, what the server can do, and how its OIDC issuer is verified."""

from collections.abc import Callable

from flask import Blueprint, Response, jsonify, request

from .cloud_wire import caller
from .issuer import Issuer


def user_calls() -> Blueprint:
    """The calls of a client that finds out where it is, under ``/api``."""
    calls = Blueprint("user", __name__, url_prefix="/api")

    @calls.get("/user")
    def user() -> Response:
        login = caller().opener.login
        return jsonify({"githubLogin": login, "name": login, "organizations": _organizations()})

    @calls.get("/user/organizations")
    def organizations() -> Response:
        return jsonify({"organizations": _organizations()})

    @calls.get("/user/organizations/default")
    def default_organization() -> Response:
        return jsonify({"GitHubLogin": caller().organizations[0]})

    @calls.get("/capabilities")
    def capabilities() -> Response:
        return jsonify({"capabilities": []})

    return calls


def issuer_calls(issuer: Issuer, issuer_url: Callable[[], str]) -> Blueprint:
    """What the OIDC issuer publishes, under ``/oidc``. Anybody may read it."""
    calls = Blueprint("issuer", __name__, url_prefix="/oidc/.well-known")

    @calls.get("/openid-configuration")
    def discovery() -> Response:
        # The real issuer's keys are on the internet; these are where the caller found this document.
        return jsonify(issuer.discovery(issuer_url(), f"{request.host_url}oidc/.well-known/jwks"))

    @calls.get("/jwks")
    def jwks() -> Response:
        return jsonify(issuer.jwks())

    return calls


def _organizations() -> list[dict[str, str]]:
    return [{"githubLogin": each, "name": each} for each in caller().organizations]
