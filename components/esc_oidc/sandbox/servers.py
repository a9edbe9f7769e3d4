"""The sandbox: an AWS account and a Pulumi Cloud on loopback, from start to stop."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, Self

import yaml
from botocore.exceptions import BotoCoreError, ClientError
from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server

from ..claims import ISSUER
from ..sessions import HOUR
from ..tokens import DefaultProject, Opener
from ..trust import read_iam_arn
from .aws import FIRST_ACCOUNT, Accounts, Aws, WebIdentity, lease
from .clients import client
from .cloud import AccessTokens, AwsLogin, Issuer, create_cloud
from .esc import EnvironmentRef, EnvironmentStore, StoreError
from .folder import Folder
from .stacks import Stacks

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from mypy_boto3_iam.type_defs import TagTypeDef

HOST: Final = "127.0.0.1"

SEED_FILE: Final = "sandbox.yaml"
"""The seed that `esc-oidc try` finds in a program's folder by itself."""

_SEED_KEYS: Final = {"providers", "roles", "environments"}

_ROLE_KEYS: Final = {"path": "Path", "description": "Description", "permissionsBoundary": "PermissionsBoundary"}
"""What else AWS takes of a role, by its key in a seed."""

_POLL: Final = 0.02
"""Seconds until a server notices that it shall stop; half a second by default."""


class SeedError(Exception):
    """A seed file that cannot be used; the text says where, why, and what it should have."""


class Sandbox:
    """A context manager that starts both servers, and stops them.

    Several may run one after another or at once: each has AWS accounts of its own, empty at the start.

    Args:
        issuer_url: The ``iss`` of the tokens, and so the URL that the provider in AWS must have.
        default_project: How tokens spell environments of the project ``default``.
        state: A folder that keeps AWS, environments and stacks for the next sandbox, made if need be. New each time
            are access tokens, sessions and the signing key; AWS's times are those of the start. None keeps nothing.

    Raises:
        StateError: On entering, if the folder can't be used.

    Attributes:
        aws_url: Where AWS answers; any access key will do, and one of 12 digits is that account's. Known inside.
        cloud_url: Where Pulumi Cloud answers. Known inside the block.
        account: The AWS account's number. Known inside the block.
        web_identity: What decides who may assume a role. Known inside the block.
        issuer: Pulumi Cloud's signing key.
        issuer_url: The ``iss`` of the tokens; may be set at any time.
        store: Pulumi Cloud's environments. Known inside the block.
        stacks: Pulumi Cloud's stacks. Known inside the block.
        access: Pulumi Cloud's access tokens.
    """

    aws_url: str
    cloud_url: str
    account: str
    web_identity: WebIdentity
    store: EnvironmentStore
    stacks: Stacks
    _accounts: Accounts
    _running: ExitStack

    def __init__(
        self, *, issuer_url: str = ISSUER, default_project: DefaultProject = "stripped", state: Path | None = None
    ) -> None:
        self.issuer = Issuer()
        self.issuer_url = issuer_url
        self.access = AccessTokens()
        self._default_project, self._state = default_project, state

    def __enter__(self) -> Self:
        """Start both servers."""
        with ExitStack() as starting:
            self._running = starting
            folder = starting.enter_context(Folder.open(self._state))
            self.store, self.stacks = EnvironmentStore(folder), Stacks(folder)
            # What is kept has the account's number in it.
            account = starting.enter_context(lease(f"{FIRST_ACCOUNT}" if self._state else None))
            self.account = account.number
            self._accounts = Accounts(account, lambda number: self._running.enter_context(lease(number)))
            aws = Aws(self._accounts, self.issuer.jwks, folder)
            self.web_identity = aws.web_identity
            self.aws_url = starting.enter_context(_serving(aws, "sandbox AWS"))
            aws_login = AwsLogin(self.issuer, self.aws_url, lambda: self.issuer_url, self._default_project)
            cloud = create_cloud(folder, self.store, self.stacks, self.access, aws_login)
            self.cloud_url = starting.enter_context(_serving(cloud, "sandbox Pulumi Cloud"))
            self._running = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop both servers and empty the account."""
        self._running.close()

    def session_end(self, access_key_id: str) -> datetime | None:
        """When AWS stops taking credentials that an assumed role gave; None for others."""
        return self._accounts.of_key(access_key_id).session_end(access_key_id)

    def max_session(self, role_arn: str) -> int:
        """The longest session that a role allows, in seconds; LookupError if there is no such role."""
        arn = read_iam_arn(role_arn)
        account = self._accounts.of_role(arn.account) if arn else None
        role = account.role(role_arn, arn.partition) if arn and account else None
        if role is None:
            raise LookupError(f"there is no role {role_arn} in the sandbox")
        return int(role.max_session_duration)

    def access_token(self, opener: Opener, organizations: Iterable[str] = ()) -> str:
        """An access token of Pulumi Cloud; see `AccessTokens.issue`."""
        return self.access.issue(opener, organizations)

    def sow(self, path: Path) -> None:
        """Create what a seed file lists.

        `providers` are a list of `url`, `clientIds` and perhaps `thumbprints` and `tags`; `roles` a list of `name`,
        `trustPolicy` and perhaps `path`, `description`, `permissionsBoundary`, `maxSessionDuration` in seconds,
        `policyArns`, `inlinePolicies` and `tags`; `environments` a map from ORG/PROJECT/ENV to a definition, which is
        read as ESC reads it. A definition that is a text, such as a block ``|``, is stored letter by letter.

        Raises:
            SeedError: The file can't be read or lists something else.
        """
        try:
            text = path.read_text(encoding="utf-8")
            seed = yaml.safe_load(text) or {}
            if unknown := seed.keys() - _SEED_KEYS:
                allowed = ", ".join(sorted(_SEED_KEYS))
                raise SeedError(f"{path}: {', '.join(sorted(unknown))}: a seed has {allowed} only.")
            self._sow(seed, _definitions(text))
        except (OSError, UnicodeDecodeError, yaml.YAMLError, BotoCoreError, ClientError, StoreError) as error:
            raise SeedError(f"{path}: {error}") from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise SeedError(f"{path}: this is not the shape of a seed ({type(error).__name__}: {error}).") from error

    def _sow(self, seed: Mapping[str, Any], definitions: Iterable[tuple[str, str]]) -> None:
        iam = client("iam", self.aws_url)
        for provider in seed.get("providers", ()):
            iam.create_open_id_connect_provider(
                Url=provider["url"],
                ClientIDList=provider["clientIds"],
                ThumbprintList=provider.get("thumbprints", []),
                Tags=_tags(provider),
            )
        for role in seed.get("roles", ()):
            name = role["name"]
            further = {key: role[word] for word, key in _ROLE_KEYS.items() if word in role}
            iam.create_role(
                RoleName=name,
                AssumeRolePolicyDocument=json.dumps(role["trustPolicy"]),
                MaxSessionDuration=role.get("maxSessionDuration", HOUR),
                Tags=_tags(role),
                **further,
            )
            for arn in role.get("policyArns", ()):
                iam.attach_role_policy(RoleName=name, PolicyArn=arn)
            for policy, document in role.get("inlinePolicies", {}).items():
                iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
        for name, definition in definitions:
            ref = EnvironmentRef(*name.split("/"))
            self.store.create(ref, "seed")
            self.store.update(ref, definition, "seed")


def _definitions(seed: str) -> Iterator[tuple[str, str]]:
    """The name and the definition of each environment, letter by letter: only ESC's reader knows what it says."""
    root = yaml.compose(seed, Loader=yaml.SafeLoader)
    for section, environments in root.value if root else ():
        if section.value == "environments":
            for name, definition in environments.value:
                if isinstance(definition, yaml.ScalarNode):
                    yield name.value, definition.value
                    continue
                begin, end = definition.start_mark, definition.end_mark
                yield name.value, (" " * begin.column + seed[begin.index : end.index]).rstrip(" ")


def _tags(seed: Mapping[str, Any]) -> "list[TagTypeDef]":
    return [{"Key": key, "Value": value} for key, value in seed.get("tags", {}).items()]


class _Silent(MotoRequestHandler):
    timeout = 60
    """Seconds without a byte until a client is given up."""

    def log(self, *_: Any, **__: Any) -> None:
        """Say nothing: a request log between the lines of a program is noise."""


@contextmanager
def _serving(application: "WSGIApplication", name: str) -> Iterator[str]:
    """Serve an application on a port that the system picks, until the end of the block; gives its URL."""
    server = make_server(HOST, 0, application, threaded=True, request_handler=_Silent)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": _POLL}, name=name, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
