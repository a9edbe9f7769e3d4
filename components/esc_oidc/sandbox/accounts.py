"""The AWS accounts of one sandbox: the one that it begins with, and those that somebody's access key asks for."""

import re
from collections.abc import Callable
from threading import Lock
from typing import Final

from .account import Account

_NUMBER: Final = re.compile(r"[0-9]{12}", re.ASCII)
_KEY: Final = re.compile(r"Credential=([^/]+)/")


class Accounts:
    """Which account a request is for. May be used from any thread.

    An access key ID of 12 digits is that account's, and opens it: the convention of other emulators. The credentials
    of an assumed role are its account's. All other keys are the first account's.

    Args:
        first: The account that the sandbox begins with.
        open_account: Leases another one, by its number, for as long as the sandbox runs.
    """

    def __init__(self, first: Account, open_account: Callable[[str], Account]) -> None:
        self.first = first
        self._open_account = open_account
        self._lock = Lock()
        self._accounts = {first.number: first}

    def of_request(self, authorization: str) -> Account:
        """The account of whoever signed a request, by its Authorization header."""
        match = _KEY.search(authorization)
        return self.of_key(match[1] if match else "")

    def of_key(self, key: str) -> Account:
        """The account of an access key ID."""
        if _NUMBER.fullmatch(key):
            return self._opened(key)
        return next((each for each in self._all() if each.session_end(key)), self.first)

    def of_role(self, number: str) -> Account | None:
        """The account with this number, if there is one: a role's ARN opens none."""
        with self._lock:
            return self._accounts.get(number)

    def _opened(self, number: str) -> Account:
        with self._lock:
            if number not in self._accounts:
                self._accounts[number] = self._open_account(number)
            return self._accounts[number]

    def _all(self) -> list[Account]:
        with self._lock:
            return list(self._accounts.values())
