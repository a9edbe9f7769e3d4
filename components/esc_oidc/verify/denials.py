"""Whether the document's Deny statements outweigh an Allow, so that it lets nobody in."""

from collections.abc import Iterator, Mapping
from typing import Final

from ..trust import ACTION
from .policy import CompiledStatement, Document, Statement, compile_statement, matches
from .scope import Scoped, is_wide
from .undefined import UndefinedBehaviour

_MOST: Final = 1000
"""Pairs of audience and subject that are tried; a policy within AWS's limit has fewer."""


def outweighed(document: Document, scoped: Scoped) -> str | None:
    """Why no token gets in by this Allow because of a Deny, as far as that is plain."""
    denies = [statement for statement in document.statements if statement.effect == "Deny"]
    if not denies:
        return None
    without_conditions = [statement for statement in denies if not statement.conditions and _covers_action(statement)]
    federated = {arn for statement in without_conditions for arn in statement.principals.get("Federated", ())}
    providers = {provider.arn for provider in scoped.providers}
    if any(map(is_wide, without_conditions)) or (providers and not scoped.is_wide and providers <= federated):
        return "a Deny without conditions outweighs it"
    pairs = _pairs(scoped)
    if not pairs or len(pairs) > _MOST or scoped.is_wide or not providers:
        return None
    on_claims = list(_on_claims(document, scoped.path))
    for audience, subject in pairs:
        context = {f"{scoped.path}:aud".lower(): audience, f"{scoped.path}:sub".lower(): subject}
        for arn in providers:
            if not any(deny.applies(arn, context) is True for deny in on_claims):
                return None
    return "a Deny outweighs every audience and subject that it names"


def _covers_action(statement: Statement) -> bool:
    return not statement.excluding_actions and any(
        matches(action.lower(), ACTION.lower()) for action in statement.actions
    )


def _pairs(scoped: Scoped) -> list[tuple[str, str]]:
    """Every audience with every subject, if the statement asks for both by name and for nothing else."""
    asked: Mapping[str, tuple[str, ...]] = {
        block.key.lower(): block.values
        for block in scoped.statement.conditions
        if block.operator == "StringEquals" and not any("${" in value for value in block.values)
    }
    keys = [f"{scoped.path}:aud".lower(), f"{scoped.path}:sub".lower()]
    if len(scoped.statement.conditions) != len(keys) or sorted(asked) != keys:
        return []
    return [(audience, subject) for audience in asked[keys[0]] for subject in asked[keys[1]]]


def _on_claims(document: Document, path: str) -> Iterator[CompiledStatement]:
    """The Deny statements about `aud` and `sub` alone: what else a request has is not known here."""
    keys = {f"{path}:aud".lower(), f"{path}:sub".lower()}
    for statement in document.statements:
        if statement.effect == "Deny" and keys.issuperset(block.key.lower() for block in statement.conditions):
            try:
                yield compile_statement(statement, has_variables=document.has_variables)
            except UndefinedBehaviour:
                # `undefined` says so; such a Deny may apply or not.
                continue
