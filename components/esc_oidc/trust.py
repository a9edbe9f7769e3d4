"""Who may assume the role, and the trust policy that says so to AWS."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .claims import condition_key

MAX_SUBJECT: Final = 255
"""AWS takes a ``sub`` of 6 to 255 characters (STS, AssumeRoleWithWebIdentity: SubjectFromWebIdentityToken)."""

POLICY_QUOTA: Final = 2048
"""The default quota for a trust policy, in characters without white space.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

MAX_POLICY: Final = 4096
"""What that quota can be raised to."""

ACCOUNT_TO_COME: Final = "000000000000"
"""Stands for an account that is not known yet; every account number has twelve digits."""


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

    @property
    def all_subjects(self) -> list[str]:
        """Exact subjects first, then patterns."""
        return [*self.subjects, *self.patterns]


def provider_arn(issuer: str, account: str = ACCOUNT_TO_COME, partition: str = "aws") -> str:
    """The ARN of the IAM OIDC provider for this issuer: AWS makes it from the URL alone."""
    return f"arn:{partition}:iam::{account}:oidc-provider/{issuer.removeprefix('https://')}"


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
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }


def render(policy: Mapping[str, Any]) -> str:
    """The policy as the JSON text that is sent to AWS, without white space."""
    return json.dumps(policy, separators=(",", ":"))


def size(policy: Mapping[str, Any]) -> int:
    """How much of the quota a policy takes: its characters without white space."""
    return len(re.sub(r"\s", "", render(policy)))
