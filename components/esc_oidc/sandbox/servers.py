"""The sandbox: an AWS account and a Pulumi Cloud on loopback, from start to stop."""

from collections.abc import Iterable
from contextlib import ExitStack
from datetime import datetime
from types import TracebackType
from typing import Self

from ..claims import ISSUER
from ..tokens import DefaultProject, Opener
from .access_tokens import AccessTokens
from .account import Account, lease
from .accounts import Accounts
from .aws import Aws
from .cloud import create_cloud
from .credentials import AwsLogin
from .issuer import Issuer
from .loopback import serving
from .store import EnvironmentStore


class Sandbox:
    """A context manager that starts both servers, and stops them.

    Several may run one after another or at once: each has AWS accounts of its own, empty at the start.

    Args:
        issuer_url: The ``iss`` of the tokens, and so the URL that the provider in AWS must have.
        default_project: How tokens spell environments of the project ``default``.

    Attributes:
        aws_url: Where AWS answers; any access key will do, and one of 12 digits is that account's. Known inside.
        cloud_url: Where Pulumi Cloud answers. Known inside the block.
        account: The AWS account's number. Known inside the block.
        issuer: Pulumi Cloud's signing key.
        issuer_url: The ``iss`` of the tokens; may be set at any time.
        store: Pulumi Cloud's environments.
        access: Pulumi Cloud's access tokens.
    """

    aws_url: str
    cloud_url: str
    account: str
    _accounts: Accounts

    def __init__(self, *, issuer_url: str = ISSUER, default_project: DefaultProject = "stripped") -> None:
        self.issuer = Issuer()
        self.issuer_url = issuer_url
        self.store = EnvironmentStore()
        self.access = AccessTokens()
        self._default_project = default_project
        self._running = ExitStack()

    def __enter__(self) -> Self:
        """Start both servers."""
        with ExitStack() as starting:
            account = starting.enter_context(lease())
            self.account = account.number
            self._accounts = Accounts(account, self._open_account)
            self.aws_url = starting.enter_context(serving(Aws(self._accounts, self.issuer.jwks), "sandbox AWS"))
            aws_login = AwsLogin(self.issuer, self.aws_url, lambda: self.issuer_url, self._default_project)
            cloud = create_cloud(self.store, self.access, aws_login)
            self.cloud_url = starting.enter_context(serving(cloud, "sandbox Pulumi Cloud"))
            self._running = starting.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop both servers and empty the account."""
        self._running.close()

    def _open_account(self, number: str) -> Account:
        return self._running.enter_context(lease(number))

    def session_end(self, access_key_id: str) -> datetime | None:
        """When AWS stops taking credentials that an assumed role gave; None for others."""
        return self._accounts.of_key(access_key_id).session_end(access_key_id)

    def max_session(self, role_arn: str) -> int:
        """The longest session that a role allows, in seconds.

        Raises:
            LookupError: There is no such role.
        """
        _, partition, _, _, number, _ = role_arn.split(":", 5)
        account = self._accounts.of_role(number)
        role = account.role(role_arn, partition) if account else None
        if role is None:
            raise LookupError(f"there is no role {role_arn} in the sandbox")
        return int(role.max_session_duration)

    def access_token(self, opener: Opener, organizations: Iterable[str] = ()) -> str:
        """An access token of Pulumi Cloud; see `AccessTokens.issue`.

        Raises:
            InvalidRequest: The opener cannot have a token for these organizations.
        """
        return self.access.issue(opener, organizations)
