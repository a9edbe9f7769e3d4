"""What `decide` is asked and what it answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property


class UndefinedBehaviour(Exception):  # noqa: N818 - the contract's name; it is an answer, not an error of the caller
    """AWS does not document what happens here, or this evaluator does not implement it: no answer is given."""


@dataclass(frozen=True)
class Request:
    """One call of ``sts:AssumeRoleWithWebIdentity``. What is None or absent is not judged.

    Attributes:
        claims: The token's claims. `aud`, `sub` and `amr` feed the conditions; `iss`, `exp`, `nbf` and `iat`
            are judged when they are there. A claim that is null counts as absent.
        issuer: The URL of the IAM OIDC provider, ``https://HOST/PATH``. It exists in `account` and `partition`.
        account: The 12 digits of the account that holds the provider and the role.
        partition: ``aws``, ``aws-cn``, ``aws-us-gov``...
        client_ids: The provider's client IDs.
        duration: What is asked for, in ESC's form (``1h30m``).
        max_session_duration: The role's maximum, in the same form.
        session_name: The role session name, which is also the condition key ``sts:RoleSessionName``.
        context: Further condition keys, such as ``aws:SourceIp``; a key that is not here is missing. The time is
            ``aws:EpochTime`` or ``aws:CurrentTime`` if given, else the clock's.
    """

    claims: Mapping[str, object]
    issuer: str
    account: str = "123456789012"
    partition: str = "aws"
    client_ids: Sequence[str] | None = None
    duration: str | None = None
    max_session_duration: str | None = None
    session_name: str | None = None
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """What AWS would answer.

    Attributes:
        allowed: Whether credentials would be issued.
        error: AWS's error code (``AccessDenied``, ``InvalidIdentityToken``...), None when allowed.
        explain: Makes the reason. Refusals are explained only when somebody reads them.
    """

    allowed: bool
    error: str | None
    explain: Callable[[], str] = field(repr=False, compare=False)

    @cached_property
    def reason(self) -> str:
        """One short paragraph: which statement decided, on which key, and what the likely mistake is."""
        return self.explain()
