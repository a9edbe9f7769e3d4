"""Checks on a statement's conditions: operators, keys, and the audience."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from .findings import Finding, found
from .policy import Block, Operator, operator_of
from .scope import Scoped
from .undefined import UndefinedBehaviour

_AUDIENCE: Final = re.compile(r"(?:(?P<cloud>[A-Za-z0-9]+):)?(?P<organization>[A-Za-z0-9._-]{1,80})")
# Values of these are compared with what the token has, one by one; the others are wrong on a claim as such.
_COMPARING: Final = {
    "StringEquals": "StringEquals",
    "StringEqualsIgnoreCase": "StringEquals",
    "StringLike": "StringLike",
}


@dataclass
class Claims:
    """What a statement asks of the token: its conditions on `aud` and `sub`, by claim."""

    blocks: dict[str, list[tuple[Operator, Block]]] = field(default_factory=lambda: {"aud": [], "sub": []})

    def values(self, claim: str) -> Iterator[tuple[str, str]]:
        """Operator (``StringEquals`` or ``StringLike``) and value of everything that the claim may be."""
        for operator, block in self.blocks[claim]:
            if operator.name in _COMPARING:
                for value in block.values:
                    yield _COMPARING[operator.name], value

    def limits(self, claim: str) -> bool:
        """Whether anything says what the claim may be."""
        return any(operator.name in _COMPARING for operator, _ in self.blocks[claim])

    @property
    def are_exact(self) -> bool:
        """Whether `aud` and `sub` are both compared with StringEquals, so that any other condition only narrows."""
        return all(any(block.operator == "StringEquals" for _, block in blocks) for blocks in self.blocks.values())


def check_keys(scoped: Scoped, claims: Claims) -> Iterator[Finding]:
    """Operators and keys; the conditions on `aud` and `sub` are put into `claims`."""
    index, path = scoped.statement.index, scoped.path
    methods = []
    for block in scoped.statement.conditions:
        try:
            operator = operator_of(block.operator)
        except UndefinedBehaviour as error:
            yield found("operator-unknown", index, why=str(error))
            continue
        prefix, _, claim = block.key.rpartition(":")
        lower = prefix.lower()
        if lower == path:
            if claim.lower() in {"aud", "sub"}:
                claims.blocks[claim.lower()].append((operator, block))
            elif claim.lower() == "amr" and scoped.statement.effect == "Allow":
                methods.append(block.key)
            else:
                yield found("key-claim", index, key=block.key)
        elif lower.startswith(("https:", "http:")):
            yield found("key-scheme", index, key=block.key, right=f"{path}:{claim}")
        elif not prefix or "." in prefix or "/" in prefix or "pulumi" in lower:
            yield found("key-issuer", index, key=block.key, path=path, right=f"{path}:{claim}")
    for key in methods:
        yield found("key-amr" if claims.are_exact else "key-claim", index, key=key)


def check_operators(scoped: Scoped, claims: Claims) -> Iterator[Finding]:
    """Whether `aud` and `sub` are asked, by operators that say who gets in."""
    index, path = scoped.statement.index, scoped.path
    if not scoped.statement.conditions:
        yield found("condition-missing", index)
        return
    for claim, rule in (("aud", "audience-missing"), ("sub", "subject-missing")):
        if not claims.limits(claim):
            yield found(rule, index, key=f"{path}:{claim}")
        for operator, block in claims.blocks[claim]:
            yield from _check_operator(index, claim, operator, block)
        names = [block.operator for operator, block in claims.blocks[claim] if operator.name in _COMPARING]
        if len(names) > 1:
            yield found("two-operators", index, operators=" and ".join(names), claim=claim)


def _check_operator(index: int, claim: str, operator: Operator, block: Block) -> Iterator[Finding]:
    problems = {
        "set-operator": operator.set_operator is not None,
        "if-exists": operator.if_exists,
        "negated-operator": operator.is_negated,
        "ignore-case": operator.name.endswith("IgnoreCase"),
        "null-operator": operator.name == "Null",
        "operator-type": not operator.name.startswith("String") and operator.name != "Null",
    }
    for rule, is_broken in problems.items():
        if is_broken:
            yield found(rule, index, operator=block.operator, claim=claim)


def check_audiences(scoped: Scoped, claims: Claims) -> Iterator[Finding]:
    """The values of `aud`, each on its own."""
    index = scoped.statement.index
    for operator, value in claims.values("aud"):
        parts = _AUDIENCE.fullmatch(value)
        if "${" in value:
            yield found("policy-variable", index, value=value, claim="aud")
        elif "*" in value or "?" in value:
            if operator == "StringLike":
                yield found("audience-wildcard", index, value=value)
            else:
                yield found("wildcard-literal", index, value=value, operator=operator)
        elif not parts:
            yield found("audience-form", index, value=value)
        elif parts["cloud"] not in {None, "aws"}:
            yield found("audience-cloud", index, value=value)


def exact_audiences(claims: Claims) -> Sequence[tuple[str, str]]:
    """The audiences that Pulumi Cloud can mint for AWS, each as kind (``aws`` or ``bare``) and organization."""
    exact = []
    for _, value in claims.values("aud"):
        parts = _AUDIENCE.fullmatch(value)
        if parts and parts["cloud"] in {None, "aws"}:
            exact.append((parts["cloud"] or "bare", parts["organization"]))
    return exact
