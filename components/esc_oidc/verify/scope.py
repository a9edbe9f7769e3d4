"""Which statements of a document are about tokens of Pulumi Cloud."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ..claims import ISSUER
from ..trust import ACTION
from .policy import Document, Statement, matches

PULUMI_PATH: Final = ISSUER.removeprefix("https://")
"""Pulumi Cloud's issuer as ARNs and condition keys name it."""

_PROVIDER: Final = re.compile(r"arn:([^:]*):iam::([^:]*):oidc-provider/(.*)", re.DOTALL)
# A self-hosted Pulumi Cloud signs as https://HOST/oidc; others may use that form too.
_ISSUER_PATH: Final = re.compile(r"[a-z0-9.-]+/oidc")
_LIKE_OURS: Final = re.compile(r"pulumi:|(?:aws|azure|gcp):[A-Za-z0-9*?._-]*", re.IGNORECASE)


@dataclass(frozen=True)
class Provider:
    """An OIDC provider that a statement trusts."""

    arn: str
    partition: str
    account: str
    path: str

    @property
    def is_pulumi(self) -> bool:
        """Whether it says it is Pulumi's, whatever its form."""
        return "pulumi" in self.path.lower()

    @property
    def has_issuer_form(self) -> bool:
        """Whether its URL is one that Pulumi Cloud, or a self-hosted one, signs AWS's tokens as."""
        if self.path == PULUMI_PATH:
            return True
        return _ISSUER_PATH.fullmatch(self.path) is not None and not self.path.startswith("api.pulumi.com")


@dataclass(frozen=True)
class Scoped:
    """A statement about tokens of Pulumi Cloud.

    Attributes:
        statement: The statement.
        providers: Pulumi's providers among its principals.
        others: Every other principal, as written.
        is_wide: Whether a principal is ``*``.
        path: The path that its condition keys must have.
    """

    statement: Statement
    providers: tuple[Provider, ...]
    others: tuple[str, ...]
    is_wide: bool
    path: str


def providers_of(statement: Statement) -> Iterator[Provider]:
    """The OIDC providers among a statement's principals."""
    for arn in statement.principals.get("Federated", ()):
        if parts := _PROVIDER.fullmatch(arn):
            yield Provider(arn, parts[1], parts[2], parts[3])


def is_wide(statement: Statement) -> bool:
    """Whether it trusts everybody; AWS also stores ``{"Federated": "*"}``, whose meaning it does not document."""
    return any("*" in names for names in statement.principals.values())


def in_scope(document: Document) -> Iterator[Scoped]:
    """The statements that are about Pulumi Cloud."""
    for statement in document.statements:
        wide = is_wide(statement)
        if not (wide or _mentions_pulumi(statement) or _may_be_self_hosted(statement)):
            continue
        providers = tuple(
            provider for provider in providers_of(statement) if provider.is_pulumi or provider.has_issuer_form
        )
        if wide and not _mentions_pulumi(statement) and _is_for_others(statement):
            continue
        open_to_all = wide and not statement.conditions
        if not (open_to_all or providers or _covers_tokens(statement) or any(_names_tokens(statement))):
            # A role named pulumi-deployer may assume roles, too: that has nothing to do with tokens.
            continue
        yield Scoped(
            statement,
            providers,
            tuple(_others(statement, providers)),
            wide,
            _path(statement, providers),
        )


def _mentions_pulumi(statement: Statement) -> bool:
    return (
        any("pulumi" in name.lower() for names in statement.principals.values() for name in names)
        or any("pulumi" in block.key.lower() for block in statement.conditions)
        or any(value.lower().startswith("pulumi:") for block in statement.conditions for value in block.values)
    )


def _covers_tokens(statement: Statement) -> bool:
    covered = any(action == "*" or matches(action.lower(), ACTION.lower()) for action in statement.actions)
    return covered is not statement.excluding_actions


def _names_tokens(statement: Statement) -> Iterator[bool]:
    """Whether Pulumi stands where only tokens have it: the provider, a claim's key, a subject."""
    for name in statement.principals.get("Federated", ()):
        yield ":oidc-provider/" in name and "pulumi" in name.lower()
    for block in statement.conditions:
        issuer, _, claim = block.key.lower().rpartition(":")
        yield "pulumi" in issuer and not issuer.startswith(("aws", "sts", "saml"))
        yield claim == "sub" and any(value.lower().startswith("pulumi:") for value in block.values)


def _may_be_self_hosted(statement: Statement) -> bool:
    """An issuer HOST/oidc of which nothing is asked, or something that Pulumi Cloud's tokens have."""
    paths = {provider.path for provider in providers_of(statement) if provider.has_issuer_form}
    if not paths:
        return False
    asked = [block for block in statement.conditions if block.key.rpartition(":")[0].lower() in paths]
    return not asked or any(_LIKE_OURS.match(value) for block in asked for value in block.values)


def _is_for_others(statement: Statement) -> bool:
    """Whether a condition asks for a key that only another issuer's tokens, or no token, have."""
    return any("." in block.key.rpartition(":")[0] for block in statement.conditions)


def _others(statement: Statement, providers: tuple[Provider, ...]) -> Iterator[str]:
    ours = {provider.arn for provider in providers}
    for kind, names in statement.principals.items():
        for name in names:
            if name != "*" and not (kind == "Federated" and name in ours):
                yield name


def _path(statement: Statement, providers: tuple[Provider, ...]) -> str:
    for provider in providers:
        if provider.has_issuer_form:
            return provider.path
    for block in statement.conditions:
        path = block.key.rpartition(":")[0].lower()
        if "pulumi" in path and path != "api.pulumi.com" and _ISSUER_PATH.fullmatch(path):
            return path
    return PULUMI_PATH
