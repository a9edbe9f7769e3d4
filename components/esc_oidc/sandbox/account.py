"""One AWS account inside moto, whose state is one per process: how sandboxes keep out of each other's way."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Any, Final

from moto.core.base_backend import BackendDict
from moto.core.config import default_user_config
from moto.core.model_instances import reset_model_data
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

FIRST_ACCOUNT: Final = 123456789012
"""The account of a sandbox that runs alone; one beside it has the next number."""

_MOST: Final = 1000
_lock: Final = Lock()
_leased: Final[set[int]] = set()


@dataclass(frozen=True)
class Account:
    """An account of our own among those that moto holds.

    Attributes:
        number: Its 12 digits.
    """

    number: str

    def reset(self) -> None:
        """Forget everything in the account, in every service. AWS's own policies come back by themselves."""
        # moto itself resets all accounts or none.
        every = list(BackendDict._instances)  # type: ignore[misc] # noqa: SLF001 - it is generic, and private
        for backends in every:
            backends.pop(self.number, None)

    def role(self, arn: str, partition: str) -> Any | None:
        """What moto knows of a role, or None."""
        return next((each for each in self.iam(partition).roles.values() if each.arn == arn), None)

    def provider(self, arn: str, partition: str) -> Any | None:
        """What moto knows of an OIDC provider, or None."""
        return self.iam(partition).open_id_providers.get(arn)

    def session_end(self, access_key_id: str) -> datetime | None:
        """When the credentials of an assumed role expire; None when they are none of this account's."""
        for backends in sts_backends[self.number].values():
            for session in backends.assumed_roles:
                if session.access_key_id == access_key_id:
                    end: datetime = session.expiration
                    return end.astimezone(UTC) if end.tzinfo else end.replace(tzinfo=UTC)
        return None

    def iam(self, partition: str) -> Any:
        """The account's IAM in moto, for a partition such as ``aws``."""
        return iam_backends[self.number][partition]


@contextmanager
def lease(wanted: str | None = None) -> Iterator[Account]:
    """An empty account that no other sandbox of this process uses, until the end of the block.

    Args:
        wanted: Its 12 digits; None for any.

    Raises:
        RuntimeError: Another sandbox has it, or a thousand sandboxes run already.
    """
    with _lock:
        candidates = range(FIRST_ACCOUNT, FIRST_ACCOUNT + _MOST) if wanted is None else (int(wanted),)
        number = next((each for each in candidates if each not in _leased), None)
        if number is None:
            what = f"account {wanted} is another sandbox's" if wanted else f"{_MOST} sandboxes run in this process"
            raise RuntimeError(f"{what}: close some")
        _leased.add(number)
        # The policies that AWS manages. The same as MOTO_IAM_LOAD_MANAGED_POLICIES=true, without a trace in the
        # environment, which the programs that we start would inherit.
        default_user_config["iam"] = {"load_aws_managed_policies": True}
    account = Account(f"{number:012}")
    account.reset()
    try:
        yield account
    finally:
        account.reset()
        with _lock:
            _leased.discard(number)
            if not _leased:
                default_user_config["iam"] = {"load_aws_managed_policies": False}
                # moto keeps a list of every object there ever was, which grows by 5 MB with each account.
                reset_model_data()
