"""The sandbox's Pulumi Cloud: a Flask application with the REST calls that Pulumi's clients make.

What they send and what they need back was found by running them: the pulumi CLI 3.260, the pulumiservice provider
1.5.0 and pulumi-esc-sdk 0.14.0.
"""

from flask import Flask

from .access_tokens import AccessTokens
from .cloud_environments import environment_calls
from .cloud_identity import issuer_calls, user_calls
from .cloud_open import open_calls
from .cloud_stacks import stack_calls, team_calls
from .cloud_tags import revision_tag_calls, tag_calls
from .cloud_wire import install
from .credentials import AwsLogin
from .opening import Definitions
from .store import EnvironmentStore
from .vault import Vault


def create_cloud(store: EnvironmentStore, access: AccessTokens, aws_login: AwsLogin) -> Flask:
    """Make a Pulumi Cloud.

    Args:
        store: Its environments.
        access: Its access tokens.
        aws_login: Its way to AWS, and its OIDC issuer.
    """
    cloud = Flask("esc_oidc_cloud", static_folder=None)
    vault = Vault()
    definitions = Definitions(store, aws_login)
    install(cloud, access)
    for calls in (
        user_calls(),
        issuer_calls(aws_login.issuer, aws_login.issuer_url),
        environment_calls(store, vault, definitions),
        open_calls(store, vault, definitions),
        revision_tag_calls(store),
        tag_calls(store),
        stack_calls(vault),
        team_calls(),
    ):
        cloud.register_blueprint(calls)
    return cloud
