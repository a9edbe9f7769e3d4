"""The AWS accounts of a sandbox, inside moto, whose state is one per process.

A sandbox begins with one account, and opens the others that somebody's access key asks for.
"""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from random import Random, SystemRandom
from threading import RLock
from typing import Any, Final

from moto.core.base_backend import BackendDict
from moto.core.config import default_user_config
from moto.core.model_instances import reset_model_data
from moto.iam.models import iam_backends
from moto.moto_api._internal import mock_random
from moto.sts.models import sts_backends

FIRST_ACCOUNT: Final = 123456789012
"""The account of a sandbox that runs alone; one beside it has the next number."""

turn: Final = RLock()
"""Held by whoever reads or changes what moto knows of IAM and STS.

moto's server has a thread for each request and no locks: a role that is made while another thread walks through the
roles is an error there. One lock for all that is here, so that no two threads can wait for each other; nobody may call
the sandbox over HTTP while holding it.
"""

_leased: Final[set[int]] = set()

_NUMBER: Final = re.compile(r"[0-9]{12}", re.ASCII)
_KEY: Final = re.compile(r"Credential=([^/]+)/")


class _Randomness(threading.local):
    source: Random = SystemRandom()


_randomness: Final = _Randomness()


@contextmanager
def same_ids(seed: int) -> Iterator[None]:
    """Let moto draw its ids from a seed, in this thread: what is done again has the same ones.

    moto has one source for all threads, which is hooked here and draws as before in all the others.
    """
    for method in ("getrandbits", "random"):
        setattr(mock_random, method, lambda *bits, method=method: getattr(_randomness.source, method)(*bits))
    _randomness.source = Random(seed)  # noqa: S311 - ids, not secrets
    try:
        yield
    finally:
        _randomness.source = SystemRandom()


@dataclass(frozen=True)
class Account:
    """An account of our own among those that moto holds, by its 12 digits."""

    number: str

    def reset(self) -> None:
        """Forget everything in the account, in every service. AWS's own policies come back by themselves."""
        with turn:
            # moto itself resets all accounts or none.
            for backends in list(BackendDict._instances):  # type: ignore[misc] # noqa: SLF001 - it is generic, and private
                backends.pop(self.number, None)
                # Whose the buckets are S3 remembers for all accounts together.
                owners = getattr(backends, "bucket_accounts", {})
                for bucket in [name for name, (_, owner) in owners.items() if owner == self.number]:
                    del owners[bucket]

    def role(self, arn: str, partition: str) -> Any | None:
        """What moto knows of a role, or None."""
        with turn:
            return next((each for each in self._iam(partition).roles.values() if each.arn == arn), None)

    def provider(self, arn: str, partition: str) -> Any | None:
        """What moto knows of an OIDC provider, or None."""
        with turn:
            return self._iam(partition).open_id_providers.get(arn)

    def session_end(self, access_key_id: str) -> datetime | None:
        """When the credentials of an assumed role expire; None if they are none of this account's."""
        with turn:
            sessions = [each for backend in sts_backends[self.number].values() for each in backend.assumed_roles]
        for session in sessions:
            if session.access_key_id == access_key_id:
                end: datetime = session.expiration
                return end.astimezone(UTC) if end.tzinfo else end.replace(tzinfo=UTC)
        return None

    def _iam(self, partition: str) -> Any:
        return iam_backends[self.number][partition]


@contextmanager
def lease(wanted: str | None = None) -> Iterator[Account]:
    """An empty account that no other sandbox of this process uses, until the end of the block.

    It has the wanted number, if there is one; RuntimeError if another sandbox has that.
    """
    with turn:
        number = next(each for each in count(FIRST_ACCOUNT) if each not in _leased) if wanted is None else int(wanted)
        if number in _leased:
            raise RuntimeError(f"account {wanted} is another sandbox's: close that first")
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
        with turn:
            _leased.discard(number)
            if not _leased:
                default_user_config["iam"] = {"load_aws_managed_policies": False}
                # moto keeps a list of every object there ever was, which grows by 5 MB with each account.
                reset_model_data()


class Accounts:
    """Which account a request is for. May be used from any thread.

    An access key ID of 12 digits is that account's, and opens it: the convention of other emulators. The credentials
    of an assumed role are its account's. All other keys are the first account's.
    """

    def __init__(self, first: Account, open_account: Callable[[str], Account]) -> None:
        self._first, self._open_account = first, open_account
        self._accounts = {first.number: first}

    def of_request(self, authorization: str) -> Account:
        """The account of whoever signed a request, by its Authorization header."""
        match = _KEY.search(authorization)
        return self.of_key(match[1] if match else "")

    def of_key(self, key: str) -> Account:
        """The account of an access key ID."""
        with turn:
            if _NUMBER.fullmatch(key) and key not in self._accounts:
                self._accounts[key] = self._open_account(key)
            accounts = dict(self._accounts)
        return accounts.get(key) or next((each for each in accounts.values() if each.session_end(key)), self._first)

    def of_role(self, number: str) -> Account | None:
        """The account with this number, if there is one: a role's ARN opens none."""
        with turn:
            return self._accounts.get(number)
