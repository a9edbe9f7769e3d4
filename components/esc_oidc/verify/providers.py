"""The OIDC providers that a trust policy names, and which of them can be Pulumi Cloud's."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from ..claims import ISSUER, issuer_path
from ..trust import IamArn, read_iam_arn
from .policy import Statement, read

PULUMI_PATH: Final = issuer_path(ISSUER)
"""Pulumi Cloud's issuer as ARNs and condition keys name it."""

OTHERS: Final = {
    "token.actions.githubusercontent.com": "GitHub Actions",
    "gitlab.com": "GitLab",
    "app.terraform.io": "HCP Terraform",
}
"""Whose the other providers are that roles trust most often, by their issuer without its scheme."""

GITHUB_AUDIENCE: Final = "sts.amazonaws.com"
"""What tokens of GitHub Actions have as their audience when they are for AWS."""

# A self-hosted Pulumi Cloud signs as https://HOST/oidc; others may use that form too.
_SELF_HOSTED: Final = re.compile(r"(?!api\.pulumi\.com)[a-z0-9.-]+/oidc")


def can_be_pulumi(path: str) -> bool:
    """Whether Pulumi Cloud, or a self-hosted one, signs AWS's tokens as this issuer, written without its scheme."""
    return path == PULUMI_PATH or _SELF_HOSTED.fullmatch(path) is not None


def says_pulumi(path: str) -> bool:
    """Whether a provider's path claims to be Pulumi's, whatever its form."""
    return "pulumi" in path.lower()


def providers_of(statement: Statement) -> Iterator[IamArn]:
    """The OIDC providers among a statement's principals; the name of each is its issuer without the scheme."""
    for principal in statement.principals.get("Federated", ()):
        if (arn := read_iam_arn(principal)) and arn.kind == "oidc-provider":
            yield arn


def trusted_providers(trust_policy: str | Mapping[str, object]) -> list[IamArn]:
    """Every OIDC provider that a trust policy names, those that can be Pulumi Cloud's first.

    Raises:
        UndefinedBehaviour: It is not a policy that IAM accepts.
    """
    named = [provider for statement in read(trust_policy).statements for provider in providers_of(statement)]
    return sorted(named, key=lambda provider: (not says_pulumi(provider.name), not can_be_pulumi(provider.name)))
