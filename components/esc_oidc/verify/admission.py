"""What a trust policy asks of `aud` and `sub`, statement by statement, ready to be proved."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from ..claims import issuer_path
from ..trust import Trust, provider_arn
from .policy import Document, Statement, compile_statement, matches, read
from .scope import providers_of
from .undefined import UndefinedBehaviour

_OPERATORS: Final = frozenset({"StringEquals", "StringLike"})


@dataclass(frozen=True)
class Ask:
    """One condition: the claim is one of the exact values, or matches one of the patterns."""

    claim: str
    exact: tuple[str, ...]
    patterns: tuple[str, ...]


@dataclass(frozen=True)
class Clause:
    """One statement that covers these tokens: all that it asks must hold."""

    allows: bool
    asks: tuple[Ask, ...]

    @property
    def is_open(self) -> bool:
        """Whether a subject that stands nowhere literally can match."""
        return all(ask.patterns for ask in self.asks if ask.claim == "sub")


@dataclass(frozen=True)
class Admission:
    """A trust policy beside a declaration.

    Attributes:
        clauses: The statements that cover tokens of the declared issuer.
        exact: Subjects that stand literally in either.
        patterns: Subjects with wildcards that are declared.
        declared: The declaration.
        account: The account of the trusted provider.
        partition: Its partition.
    """

    clauses: tuple[Clause, ...]
    exact: tuple[str, ...]
    declared: Trust
    account: str
    partition: str

    def declares(self, audience: str, subject: str) -> bool:
        """Whether a token is declared."""
        return audience == self.declared.audience and (
            subject in self.declared.subjects or any(matches(pattern, subject) for pattern in self.declared.patterns)
        )


def admission_of(trust_policy: str | Mapping[str, object], trust: Trust) -> Admission:
    """Read a policy of Allow and Deny with StringEquals and StringLike on `aud` and `sub`.

    Raises:
        UndefinedBehaviour: It uses other elements.
    """
    document = read(trust_policy)
    path = issuer_path(trust.issuer)
    partition, account = _provider(document, path)
    arn = provider_arn(trust.issuer, account, partition)
    clauses = tuple(
        clause for statement in document.statements if (clause := _clause(document, statement, arn, path)) is not None
    )
    exact = [value for clause in clauses for ask in clause.asks if ask.claim == "sub" for value in ask.exact]
    return Admission(clauses, tuple(dict.fromkeys([*trust.subjects, *exact])), trust, account, partition)


def _provider(document: Document, path: str) -> tuple[str, str]:
    found = {
        (provider.partition, provider.account)
        for statement in document.statements
        for provider in providers_of(statement)
        if provider.path == path
    }
    if len(found) > 1:
        raise UndefinedBehaviour(
            "The policy trusts this issuer's providers of several accounts; only the one in the role's own account "
            "counts, and the policy does not say which that is."
        )
    return found.pop() if found else ("aws", "123456789012")


def _clause(document: Document, statement: Statement, arn: str, path: str) -> Clause | None:
    if statement.excluding_actions:
        raise UndefinedBehaviour(f"NotAction in {statement.name} is not what can be proved: name the action.")
    compiled = compile_statement(statement, has_variables=document.has_variables)
    if not compiled.covers_action or not compiled.covers_principal(arn):
        return None
    asks = []
    for block in statement.conditions:
        prefix, _, claim = block.key.lower().rpartition(":")
        if block.operator not in _OPERATORS or prefix != path or claim not in {"aud", "sub"}:
            raise UndefinedBehaviour(
                f"{block.operator} on `{block.key}` in {statement.name} is not what can be proved: StringEquals and "
                f"StringLike on `{path}:aud` and `{path}:sub`."
            )
        if not block.values or (document.has_variables and any("${" in value for value in block.values)):
            raise UndefinedBehaviour(
                f"{block.operator} on `{block.key}` in {statement.name} has no value or a policy variable, which "
                "cannot be proved: write the values themselves."
            )
        asks.append(_ask(claim, block.operator, block.values))
    return Clause(statement.effect == "Allow", tuple(asks))


def _ask(claim: str, operator: str, values: Iterable[str]) -> Ask:
    patterns = tuple(value for value in values if operator == "StringLike" and re.search(r"[*?]", value))
    return Ask(claim, tuple(value for value in values if value not in patterns), patterns)
