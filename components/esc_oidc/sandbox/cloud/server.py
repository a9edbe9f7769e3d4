"""The sandbox's Pulumi Cloud: a Flask application with the REST calls that Pulumi's clients make.

What they send and what they need back was found by running them: the pulumi CLI 3.260, the pulumiservice provider
1.5.0 and pulumi-esc-sdk 0.14.0.
"""

from flask import Blueprint, Flask, Response, jsonify, request

from ..esc import EnvironmentStore, Vault
from .environments import environment_calls
from .issuer import AwsLogin
from .opening import Definitions, open_calls
from .stacks import stack_calls, team_calls
from .wire import AccessTokens, caller, install


def create_cloud(store: EnvironmentStore, access: AccessTokens, aws_login: AwsLogin) -> Flask:
    """Make a Pulumi Cloud of these environments and access tokens, with its way to AWS, which has its OIDC issuer."""
    cloud = Flask("esc_oidc_cloud", static_folder=None)
    # `versions/latest` is a path of its own, not a redirection.
    cloud.url_map.redirect_defaults = False
    vault = Vault()
    definitions = Definitions(store, aws_login)
    install(cloud, access)
    for calls in (
        user_calls(),
        issuer_calls(aws_login),
        environment_calls(store, vault, definitions),
        open_calls(store, vault, definitions),
        stack_calls(vault),
        team_calls(),
    ):
        cloud.register_blueprint(calls)
    return cloud


def user_calls() -> Blueprint:
    """The calls of a client that finds out where it is, under ``/api``."""
    calls = Blueprint("user", __name__, url_prefix="/api")

    @calls.get("/user")
    def user() -> Response:
        login = caller().opener.login
        organizations = [{"githubLogin": each, "name": each} for each in caller().organizations]
        return jsonify({"githubLogin": login, "name": login, "organizations": organizations})

    @calls.get("/user/organizations/default")
    def default_organization() -> Response:
        return jsonify({"GitHubLogin": caller().organizations[0]})

    @calls.get("/capabilities")
    def capabilities() -> Response:
        return jsonify({"capabilities": []})

    return calls


def issuer_calls(login: AwsLogin) -> Blueprint:
    """What the OIDC issuer publishes, under ``/oidc``. Anybody may read it."""
    calls = Blueprint("issuer", __name__, url_prefix="/oidc/.well-known")

    @calls.get("/openid-configuration")
    def discovery() -> Response:
        # The real issuer's keys are on the internet; these are where the caller found this document.
        return jsonify(login.issuer.discovery(login.issuer_url(), f"{request.host_url}oidc/.well-known/jwks"))

    @calls.get("/jwks")
    def jwks() -> Response:
        return jsonify(login.issuer.jwks())

    return calls
