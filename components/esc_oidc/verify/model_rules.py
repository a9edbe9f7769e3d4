"""What a rule is, and the policy that the rules' examples change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Severity = Literal["error", "warning"]

PROVIDER: Final = "arn:aws:iam::123456789012:oidc-provider/api.pulumi.com/oidc"
AUD: Final = "api.pulumi.com/oidc:aud"
SUB: Final = "api.pulumi.com/oidc:sub"
LOGIN: Final = "pulumi:environments:pulumi.organization.login:contoso"
DEV: Final = f"{LOGIN}:currentEnvironment.name:aws/dev"
GUIDE: Final = "https://www.pulumi.com/docs/esc/guides/configuring-oidc/"
DEPLOYMENTS: Final = "https://www.pulumi.com/docs/deployments/guides/oidc/"
IAM: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"


def conditions(sub: object = DEV, aud: object = "aws:contoso", like: object = None) -> Mapping[str, Any]:
    """A statement's Condition: this audience, and these subjects under StringEquals or, as `like`, StringLike."""
    if like is None:
        return {"Condition": {"StringEquals": {AUD: aud, SUB: sub}}}
    return {"Condition": {"StringEquals": {AUD: aud}, "StringLike": {SUB: like}}}


STATEMENT: Final[Mapping[str, Any]] = {
    "Effect": "Allow",
    "Principal": {"Federated": PROVIDER},
    "Action": "sts:AssumeRoleWithWebIdentity",
    **conditions(),
}
"""A statement that breaks no rule; an example is what differs from it."""


@dataclass(frozen=True)
class Rule:
    """Something that a trust policy should not do.

    Attributes:
        id: Its stable name.
        severity: ``error`` for what lets in more than named environments of one organization, or what cannot do
            what it was written for; ``warning`` for what should be known.
        title: What it is about, in one line.
        says: The finding's message, a template for `str.format`.
        why: What can happen.
        fix: What to do.
        source: Where the fact behind it stands.
        bad: Elements of the statement, or of the document, that break it.
        good: The same, put right.
    """

    id: str
    severity: Severity
    title: str
    says: str
    why: str
    fix: str
    source: str
    bad: Mapping[str, Any]
    good: Mapping[str, Any] = field(default_factory=conditions)


def example(elements: Mapping[str, Any]) -> dict[str, Any]:
    """The whole trust policy that an example stands for."""
    document = {name: value for name, value in elements.items() if name in {"Version", "Statement"}}
    statement = {name: value for name, value in elements.items() if name not in document}
    return {"Version": "2012-10-17", "Statement": [{**STATEMENT, **statement}], **document}
