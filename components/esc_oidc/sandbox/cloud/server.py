"""The sandbox's Pulumi Cloud: a Flask application with the REST calls that Pulumi's clients make.

What they send and what they need back was found by running them: the pulumi CLI 3.260, the pulumiservice provider
1.5.0 and pulumi-esc-sdk 0.14.0.
"""

from flask import Flask, request
from flask.typing import ResponseReturnValue as Reply

from ...tokens import Opener
from ..esc import EnvironmentStore, InvalidRequest, Vault, check_name
from ..folder import Folder, Table
from ..stacks import Stacks
from . import wire
from .environments import add_environment_calls
from .issuer import AwsLogin
from .opening import Definitions, add_open_calls
from .stacks import add_stack_calls


def create_cloud(
    folder: Folder, store: EnvironmentStore, stacks: Stacks, access: wire.AccessTokens, aws_login: AwsLogin
) -> Flask:
    """Make a Pulumi Cloud of these environments, stacks and access tokens.

    Args:
        folder: Where it keeps what else is to be kept.
        store: Its environments.
        stacks: Its stacks.
        access: Who may do what.
        aws_login: Its way to AWS, which has its OIDC issuer.
    """
    cloud = Flask("esc_oidc_cloud", static_folder=None)
    # `versions/latest` is a path of its own, not a redirection.
    cloud.url_map.redirect_defaults = False
    vault = Vault()
    definitions = Definitions(store, vault, aws_login)
    wire.install(cloud, access)
    add_user_calls(cloud)
    add_sandbox_calls(cloud, access, aws_login.aws_url)
    add_issuer_calls(cloud, aws_login)
    add_environment_calls(cloud, definitions)
    add_open_calls(cloud, definitions)
    add_stack_calls(cloud, stacks, vault, Table(folder, "deployment-settings.json"))
    add_team_calls(cloud, Table(folder, "teams.json"))
    return cloud


def add_user_calls(cloud: Flask) -> None:
    """The calls of a client that finds out where it is, under ``/api``."""

    @cloud.get("/api/user")
    def user() -> Reply:
        opener = wire.caller().opener
        organizations = [{"githubLogin": each, "name": each} for each in wire.caller().organizations]
        known = {"githubLogin": opener.login, "name": opener.login, "organizations": organizations}
        # A token that is nobody's says whose it is: a team's or the organization's, never both.
        whose = {"name": "sandbox", opener.token_type: opener.team or opener.login}
        return known if opener.is_person else {**known, "tokenInfo": whose}

    @cloud.get("/api/user/organizations/default")
    def default_organization() -> Reply:
        return {"GitHubLogin": wire.caller().organizations[0]}


def add_sandbox_calls(cloud: Flask, access: wire.AccessTokens, aws_url: str) -> None:
    """The sandbox's own calls: where it is, and how one of its callers becomes another one."""

    @cloud.get(wire.OWN)
    def sandbox() -> Reply:
        return {"awsUrl": aws_url, "organizations": wire.caller().organizations}

    @cloud.post(f"{wire.OWN}/access-tokens")
    def issue() -> Reply:
        body = wire.json_body()
        login, kind, team = (wire.member(body, key, str) for key in ("login", "tokenType", "team"))
        organizations = wire.member(body, "organizations", list)
        for organization in [*organizations, *([] if kind == "personal" else [login])]:
            if organization not in wire.caller().organizations:
                raise InvalidRequest(f"this token is not good for the organization {organization!r}")
        try:
            return {"accessToken": access.issue(Opener(login, kind, team), organizations)}
        except ValueError as error:
            raise InvalidRequest(str(error)) from error


def add_issuer_calls(cloud: Flask, login: AwsLogin) -> None:
    """What the OIDC issuer publishes, under ``/oidc``. Anybody may read it."""

    @cloud.get("/oidc/.well-known/openid-configuration")
    def discovery() -> Reply:
        # The real issuer's keys are on the internet; these are where the caller found this document.
        return login.issuer.discovery(login.issuer_url(), f"{request.host_url}oidc/.well-known/jwks")

    @cloud.get("/oidc/.well-known/jwks")
    def jwks() -> Reply:
        return login.issuer.jwks()


def add_team_calls(cloud: Flask, grants: Table) -> None:
    """The calls on teams under ``/api/orgs``: what is granted is kept and not enforced, see `AccessTokens`."""
    all_ = "/api/orgs/<organization>/teams"
    one = f"{all_}/<team>"

    @cloud.get(all_)
    def list_teams(**_: str) -> Reply:
        inside = f"{request.path}/"
        named = {key.removeprefix(inside).partition("/")[0] for key in grants.copy() if key.startswith(inside)}
        return {"teams": [{"name": team} for team in sorted(named)]}

    @cloud.get(one)
    def read_team(team: str, **_: str) -> Reply:
        granted = [grant for key, grant in grants.copy().items() if key.startswith(f"{request.path}/")]
        return {"name": team, "environments": granted}

    @cloud.patch(one)
    def change_team(team: str, **_: str) -> Reply:
        check_name(team)
        body = wire.json_body()
        adding = "addEnvironmentPermission" in body
        grant = wire.member(body, "addEnvironmentPermission" if adding else "removeEnvironment", dict)
        project, name = (check_name(wire.member(grant, key, str)) for key in ("projectName", "envName"))
        if adding:
            wire.member(grant, "permission", str)
        grants.put(f"{request.path}/{project}/{name}", grant if adding else None)
        return wire.DONE
