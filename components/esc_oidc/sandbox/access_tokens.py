"""Access tokens of the sandbox's Pulumi Cloud: who presents one, and for which organizations it is good."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock

from ..tokens import Opener
from .names import InvalidRequest


@dataclass(frozen=True)
class Caller:
    """Who makes a request.

    Attributes:
        opener: What tokens say of the caller.
        organizations: What the caller may see and do everything in, the default organization first.
    """

    opener: Opener
    organizations: tuple[str, ...]


class AccessTokens:
    """Every access token that was issued. All methods may be called from any thread.

    There are no finer permissions: whoever has a token of an organization may open each of its environments.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._callers: dict[str, Caller] = {}

    def issue(self, opener: Opener, organizations: Iterable[str] = ()) -> str:
        """Make an access token.

        Args:
            opener: Whose token it is.
            organizations: Of which a person is a member. A team or organization token is good for its own
                organization, whose name is its login, and for no other.

        Raises:
            InvalidRequest: A person without any organization, or organizations for a token of another type.
        """
        members = tuple(organizations)
        if opener.is_person:
            if not members:
                raise InvalidRequest(f"the token of {opener.login!r} needs an organization")
        elif members not in ((), (opener.login,)):
            raise InvalidRequest(f"a token of the organization {opener.login!r} is good for no other")
        token = f"pul-{secrets.token_hex(20)}"
        with self._lock:
            self._callers[token] = Caller(opener, members or (opener.login,))
        return token

    def caller(self, token: str) -> Caller | None:
        """Whose token this is, or None when nobody issued it."""
        with self._lock:
            return self._callers.get(token)
