"""Who may assume the role, and the trust policy that says so to AWS."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from .claims import condition_key, issuer_path

ACTION: Final = "sts:AssumeRoleWithWebIdentity"
"""The action that a login with a token calls."""

MAX_SUBJECT: Final = 255
"""AWS takes a ``sub`` of 6 to 255 characters (STS, AssumeRoleWithWebIdentity: SubjectFromWebIdentityToken)."""

POLICY_QUOTA: Final = 2048
"""The default quota for a trust policy, in characters without white space.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

MAX_POLICY: Final = 4096
"""What that quota can be raised to."""

ACCOUNT_TO_COME: Final = "000000000000"
"""An account that is not known yet. Every account number has twelve digits."""

PARTITIONS: Final = (
    "aws",
    "aws-cn",
    "aws-eusc",
    "aws-iso",
    "aws-iso-b",
    "aws-iso-e",
    "aws-iso-f",
    "aws-us-gov",
)
"""Every partition of AWS. Source: botocore's `data/partitions.json`, version 1.44.5."""

PARTITION: Final = r"aws(?:-[a-z]+)*"
"""How the names of partitions are formed, also those of partitions to come, as a regular expression."""

ACCOUNT: Final = r"[0-9]{12}"

_IAM_ARN: Final = re.compile(r"arn:([^:]*):iam::([^:]*):([^:/]+)/(.*)", re.DOTALL)


@dataclass(frozen=True)
class IamArn:
    """An ARN of IAM, ``arn:PARTITION:iam::ACCOUNT:KIND/NAME``.

    Attributes:
        partition: ``aws``, ``aws-cn``, ``aws-us-gov``...
        account: The 12 digits of the account; ``aws`` for AWS's own managed policies.
        kind: ``oidc-provider``, ``role``, ``policy``.
        name: Of a provider the issuer without its scheme; of the others path and name.
    """

    partition: str
    account: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"arn:{self.partition}:iam::{self.account}:{self.kind}/{self.name}"

    @property
    def is_of_an_account(self) -> bool:
        """Whether partition and account have AWS's form."""
        return bool(re.fullmatch(PARTITION, self.partition, re.ASCII) and re.fullmatch(ACCOUNT, self.account, re.ASCII))


def read_iam_arn(arn: str) -> IamArn | None:
    """The parts of an ARN, which are not checked; None if it is not an ARN of IAM."""
    parts = _IAM_ARN.fullmatch(arn)
    return IamArn(*parts.groups()) if parts else None


@lru_cache(maxsize=1024)
def provider_arn(issuer: str, account: str = ACCOUNT_TO_COME, partition: str = "aws") -> str:
    """The ARN of the IAM OIDC provider for this issuer: AWS makes it from the URL alone.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html

    Raises:
        ValueError: The URL cannot be that of an IAM OIDC provider, which begins with ``https://``.
    """
    path = issuer_path(issuer)
    if path == issuer or not path:
        raise ValueError(f"issuer {issuer!r} cannot be an IAM OIDC provider: give its URL, https://HOST/PATH")
    return str(IamArn(partition, account, "oidc-provider", path))


@dataclass(frozen=True)
class Trust:
    """What must be admitted, and nothing else: one audience, and the subjects under it.

    Args:
        issuer: The URL of whoever signs, ``https://HOST/oidc``.
        audience: The one value of ``aud``.
        subjects: Values of ``sub``, exact.
        patterns: Values of ``sub`` in which ``*`` stands for any run of characters.
    """

    issuer: str
    audience: str
    subjects: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()


def trust_policy(trust: Trust, provider: str) -> dict[str, Any]:
    """The trust policy that admits exactly this trust's tokens, from the provider with this ARN.

    Exact subjects and patterns stand in statements of their own: AWS wants every operator of a statement to
    hold, so that StringEquals and StringLike on one key in one statement would admit only what satisfies both.
    """
    operators = {"StringEquals": trust.subjects, "StringLike": trust.patterns}
    return {
        "Version": "2012-10-17",
        "Statement": [
            _statement(trust, provider, operator, values) for operator, values in operators.items() if values
        ],
    }


def _statement(trust: Trust, provider: str, operator: str, subjects: Sequence[str]) -> dict[str, Any]:
    condition: dict[str, dict[str, Any]] = {"StringEquals": {condition_key(trust.issuer, "aud"): trust.audience}}
    # AWS gives a list of one back as a bare string; writing it so keeps what we send and what we read alike.
    values = subjects[0] if len(subjects) == 1 else list(subjects)
    condition.setdefault(operator, {})[condition_key(trust.issuer, "sub")] = values
    return {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": ACTION,
        "Condition": condition,
    }


@dataclass(frozen=True)
class RenderedPolicy:
    """A trust policy as it is sent to AWS.

    Attributes:
        text: JSON without white space.
        size: How much of the quota it takes, in characters.
    """

    text: str
    size: int


def rendered(trust: Trust, provider: str) -> RenderedPolicy:
    """The trust policy of `trust_policy`, as it is sent to AWS."""
    text = json.dumps(trust_policy(trust, provider), separators=(",", ":"))
    return RenderedPolicy(text, size(text))


def size(policy: str | Mapping[str, Any]) -> int:
    """How much of the quota a policy takes: its characters without white space."""
    text = policy if isinstance(policy, str) else json.dumps(policy, separators=(",", ":"))
    return len(re.sub(r"\s", "", text))
