"""Checks on a statement's principal and action."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from ..trust import ACTION
from .findings import Finding, found
from .policy import matches
from .scope import PULUMI_PATH, Provider, Scoped
from .undefined import UndefinedBehaviour

_ROLE_ARN: Final = re.compile(r"arn:([^:]+):iam::([0-9]{12}):role/.+")
_ACCOUNT: Final = re.compile("[0-9]{12}")
_PARTITION: Final = re.compile("aws(-[a-z-]+)?")
_OTHER_ACTIONS: Final = frozenset({"sts:assumerole", "sts:assumerolewithsaml", "sts:setcontext"})
# Tokens with session tags or a source identity need these two beside the action itself.
_COMPANIONS: Final = frozenset({"sts:tagsession", "sts:setsourceidentity"})


def role_of(arn: str) -> tuple[str, str]:
    """Partition and account of a role's ARN.

    Raises:
        ValueError: It is not the ARN of a role.
    """
    parts = _ROLE_ARN.fullmatch(arn)
    if not parts:
        raise ValueError(f"role_arn {arn!r} is not the ARN of a role: give arn:PARTITION:iam::ACCOUNT:role/NAME")
    return parts[1], parts[2]


def check_guard(scoped: Scoped, role: tuple[str, str] | None) -> Iterator[Finding]:
    """What keeps a Deny statement from doing anything: a provider that is none, an action that is none."""
    index = scoped.statement.index
    federated = scoped.statement.principals.get("Federated", ())
    if federated and not scoped.is_wide and not scoped.providers:
        yield found("principal-not-provider", index, principal=", ".join(federated))
    for provider in scoped.providers:
        yield from _check_provider(index, provider, role)
    known = [ACTION.lower(), *_OTHER_ACTIONS, *_COMPANIONS]
    for action in scoped.statement.actions:
        if not any(matches(action.lower(), name) for name in known):
            yield found("action-unknown", index, action=action)


def check_principal(scoped: Scoped, role: tuple[str, str] | None) -> Iterator[Finding]:
    """Whom an Allow statement trusts."""
    index = scoped.statement.index
    if scoped.is_wide:
        yield found("principal-wide", index)
    elif not scoped.providers:
        yield found("principal-not-provider", index, principal=", ".join(scoped.others) or "(nobody)")
        return
    for name in scoped.others:
        yield found("principal-mixed", index, principal=name)
    for provider in scoped.providers:
        if provider.has_issuer_form and provider.path != PULUMI_PATH:
            host = provider.path.partition("/")[0]
            yield found("self-hosted", index, issuer=f"https://{provider.path}", host=host)
        yield from _check_provider(index, provider, role)


def _check_provider(index: int, provider: Provider, role: tuple[str, str] | None) -> Iterator[Finding]:
    """Whether a provider can be the one that Pulumi Cloud's tokens come through to this role."""
    if not provider.has_issuer_form:
        yield found("principal-issuer", index, path=provider.path)
    if not _ACCOUNT.fullmatch(provider.account) or not _PARTITION.fullmatch(provider.partition):
        yield found("principal-not-provider", index, principal=provider.arn)
    elif role:
        if provider.partition != role[0]:
            yield found("principal-partition", index, partition=provider.partition, role_partition=role[0])
        elif provider.account != role[1]:
            yield found("principal-account", index, account=provider.account, role_account=role[1])


def check_action(scoped: Scoped) -> Iterator[Finding]:
    """What an Allow statement allows."""
    statement = scoped.statement
    index = statement.index
    if statement.excluding_actions:
        listed = ", ".join(statement.actions) or "nothing"
        yield found("action-wide", index, action=f"everything but {listed}")
        return
    covered = False
    for action in statement.actions:
        folded = action.lower()
        if "*" in folded or "?" in folded:
            covered = covered or folded == "*" or matches(folded, ACTION.lower())
            yield found("action-wide", index, action=action)
        elif folded == ACTION.lower():
            covered = True
        elif folded in _OTHER_ACTIONS:
            yield found("action-other", index, action=action)
        elif folded not in _COMPANIONS:
            yield found("action-unknown", index, action=action)
    if not covered:
        yield found("never-matches", index, why=f"no action covers {ACTION}")


def check_reach(scoped: Scoped, denied: str | None) -> Iterator[Finding]:
    """Whether an Allow statement lets in anything at all, as far as that is plain."""
    index = scoped.statement.index
    if denied:
        yield found("never-matches", index, why=denied)
    by_key: dict[str, dict[str, tuple[str, ...]]] = {}
    for block in scoped.statement.conditions:
        by_key.setdefault(block.key.lower(), {})[block.operator] = block.values
        if not block.values and "IfExists" not in block.operator and "ForAll" not in block.operator:
            yield found("never-matches", index, why=f"{block.operator} on `{block.key}` lists no values")
    for key, operators in by_key.items():
        if operators.get("StringEquals") and operators.get("StringLike") and not _meet(operators):
            why = f"no value of StringEquals on `{key}` matches StringLike on the same key"
            yield found("never-matches", index, why=why)


def _meet(operators: Mapping[str, tuple[str, ...]]) -> bool:
    patterns = operators["StringLike"]
    return any(matches(pattern, value) for value in operators["StringEquals"] for pattern in patterns)


def reason_of(error: UndefinedBehaviour) -> str:
    """The error's text as a finding's message begins it."""
    return str(error).rstrip(".") + "."
