"""Rules about whom a policy lets in after all: nobody, strangers, or nobody knows who."""

from collections.abc import Iterator, Mapping
from typing import Final

from ...claims import (
    CURRENT_ENVIRONMENT,
    USER,
    default_subject,
    deployment_subject,
    read_audience,
    stack_configuration_subject,
    subject,
)
from ...trust import ACTION, provider_arn
from ..policy import (
    CompiledStatement,
    Statement,
    Undecided,
    compile_statement,
    covers_login,
    deciding_statement,
    matches,
)
from ..undefined import UndefinedBehaviour
from .condition import key_issuer, operator_unknown
from .reading import PulumiStatement, TrustPolicy, organization_of, trusts_everybody
from .rules import IAM, STATEMENT, Breach, Problems, bad, equals, error

_FABRIKAM: Final = subject("fabrikam", [(CURRENT_ENVIRONMENT, "aws/dev")])
_STRANGER: Final = "somebody-else"
_MOST_PAIRS: Final = 1000
"""Pairs of audience and subject that are tried against a Deny; a policy within AWS's limit has fewer."""


@error("never-matches", "The statement can never match", fix="Correct it, or remove it.")
@bad({"Action": []}, see=f"{IAM}reference_policies_evaluation-logic.html")
def never_matches(statement: PulumiStatement) -> Problems:
    """It lets nobody in, whatever it was written for; what somebody adds to make it work is often too wide."""
    if not statement.written.excluding_actions and not covers_login(statement.written):
        yield f"it can never match: no action covers {ACTION}."
    if denied := _outweighed(statement):
        yield f"it can never match: {denied}."
    by_key: dict[str, dict[str, tuple[str, ...]]] = {}
    for block in statement.written.conditions:
        by_key.setdefault(block.key.lower(), {})[block.operator] = block.values
        if not block.values and "IfExists" not in block.operator and "ForAll" not in block.operator:
            yield f"it can never match: {block.operator} on `{block.key}` lists no values."
    for key, operators in by_key.items():
        exact, patterns = operators.get("StringEquals"), operators.get("StringLike")
        if exact and patterns and not any(matches(pattern, value) for value in exact for pattern in patterns):
            yield f"it can never match: no value of StringEquals on `{key}` matches StringLike on the same key."


def _outweighed(allow: PulumiStatement) -> str | None:
    """Why no token gets in by this Allow because of a Deny, as far as that is plain."""
    denies = [statement for statement in allow.document.statements if statement.effect == "Deny"]
    unconditional = [
        each for each in denies if not each.conditions and not each.excluding_actions and covers_login(each)
    ]
    denied = {arn for statement in unconditional for arn in statement.principals.get("Federated", ())}
    providers = set(map(str, allow.providers))
    if any(map(trusts_everybody, unconditional)) or (providers and not allow.is_wide and providers <= denied):
        return "a Deny without conditions outweighs it"
    pairs = _pairs(allow) if denies and providers and not allow.is_wide else []
    if not pairs or len(pairs) > _MOST_PAIRS:
        return None
    compiled = list(_on_claims(allow, denies))
    for pair in pairs:
        context = dict(zip(_keys(allow), pair, strict=True))
        if any(not any(deny.applies(arn, context) is True for deny in compiled) for arn in providers):
            return None
    return "a Deny outweighs every audience and subject that it names"


def _keys(statement: PulumiStatement) -> tuple[str, str]:
    return f"{statement.path}:aud".lower(), f"{statement.path}:sub".lower()


def _pairs(statement: PulumiStatement) -> list[tuple[str, str]]:
    """Every audience with every subject, if the statement asks for both by name and for nothing else."""
    asked: Mapping[str, tuple[str, ...]] = {
        block.key.lower(): block.values
        for block in statement.written.conditions
        if block.operator == "StringEquals" and not any("${" in value for value in block.values)
    }
    aud, sub = _keys(statement)
    if len(statement.conditions) != 2 or asked.keys() != {aud, sub}:  # noqa: PLR2004 - the two
        return []
    return [(audience, subject) for audience in asked[aud] for subject in asked[sub]]


def _on_claims(allow: PulumiStatement, denies: list[Statement]) -> Iterator[CompiledStatement]:
    """The Deny statements about `aud` and `sub` alone: what else a request has is not known here."""
    for statement in denies:
        if {block.key.lower() for block in statement.conditions}.issubset(_keys(allow)):
            try:
                yield compile_statement(statement, has_variables=allow.document.has_variables)
            except UndefinedBehaviour:
                # `undefined` says so; such a Deny may apply or not.
                continue


@error("organizations-several", "More than one organization", fix="Give each organization its own role.")
@bad({"Statement": [STATEMENT, {**STATEMENT, **equals(_FABRIKAM, "aws:fabrikam")}]}, good={"Statement": [STATEMENT]})
def organizations_several(policy: TrustPolicy) -> Problems:
    """The members of either organization decide alone who gets in."""
    first: str | None = None
    for statement in policy.statements:
        named = [value.organization for value in statement.subjects if value.organization] if statement.allows else []
        if statement.allows and not statement.limits("sub"):
            named = [audience.organization for audience in statement.minted_audiences]
        first = first or next(iter(named), None)
        if other := next((organization for organization in named if organization != first), None):
            message = f"the document trusts {other!r} here and {first!r} elsewhere."
            yield Breach(message, statement=statement.written.index)


@error(
    "undefined",
    "AWS does not say what this means",
    fix="Write values that AWS documents for it; on `aud` and `sub`, name who may get in, with StringEquals.",
)
@bad(
    equals(Bool={"aws:SecureTransport": "yes"}),
    good=equals(Bool={"aws:SecureTransport": "true"}),
    see=f"{IAM}reference_policies.html",
)
def undefined(answer: "Answer") -> Problems:
    """Who gets in then depends on what AWS happens to do today."""
    if isinstance(answer, UndefinedBehaviour):
        yield f"{str(answer).rstrip('.')}."


@error(
    "admits-strangers",
    "A stranger's token gets in",
    fix="Ask for both `aud` and `sub` in every Allow, with StringEquals.",
)
@bad({"Condition": {}})
def admits_strangers(answer: "Answer") -> Problems:
    """Whatever the reason, more gets in than named environments of one organization."""
    if isinstance(answer, tuple):
        audience, sub = answer
        yield f"a token with audience {audience!r} and subject {sub!r} gets in; no statement names it."


Answer = tuple[str, str] | UndefinedBehaviour | None
"""Audience and subject of a stranger who gets in, or why AWS leaves that open; None when no stranger gets in."""


def stranger_in(policy: TrustPolicy) -> Answer:
    """The net under the rules: ask about environments, organizations and clouds that no policy names."""
    document, statements = policy.document, policy.statements
    try:
        compiled = [compile_statement(each, has_variables=document.has_variables) for each in document.statements]
    except UndefinedBehaviour as problem:
        return None if any(map(_is_explained, statements)) else problem
    if all(map(_names_values, statements)):
        return None
    denies_first = sorted(compiled, key=lambda statement: statement.written.effect == "Allow")
    named = [provider for each in statements for provider in each.providers]
    account, partition = (named[0].account, named[0].partition) if named else ("123456789012", "aws")
    arn = provider_arn(f"https://{statements[0].path}", account, partition)
    try:
        for pair in _strangers(_organization(statements)):
            decides = deciding_statement(denies_first, arn, dict(zip(_keys(statements[0]), pair, strict=True)))
            if isinstance(decides, Undecided) or (decides and decides.written.effect == "Allow"):
                return pair
    except UndefinedBehaviour as problem:
        return problem
    return None


def _is_explained(statement: PulumiStatement) -> bool:
    """Whether another rule says why AWS leaves open what it means."""
    values = (*statement.audiences, *statement.subjects) if statement.allows else ()
    return any(value.form == "variable" for value in values) or any(
        any(check.find(condition)) for check in (operator_unknown, key_issuer) for condition in statement.conditions
    )


def _names_values(statement: PulumiStatement) -> bool:
    """Whether it is a Deny, or lists exact subjects, which the rules have judged one by one."""
    operators = {block.operator for block in statement.written.conditions}
    return not statement.allows or (
        operators == {"StringEquals"} and not statement.is_wide and bool(statement.asked["sub"])
    )


def _organization(statements: tuple[PulumiStatement, ...]) -> str:
    """The organization that the policy is most likely about."""
    for value in (value for each in statements for block in each.written.conditions for value in block.values):
        audience = read_audience(value)
        if organization := organization_of(value) or (audience and audience.cloud == "aws" and audience.organization):
            return organization
    return "contoso"


def _strangers(organization: str) -> Iterator[tuple[str, str]]:
    """Audience and subject of tokens that no sound policy admits."""
    environment = f"{_STRANGER}/{_STRANGER}"
    for owner in (_STRANGER, organization):
        logins = (
            subject(owner, [(CURRENT_ENVIRONMENT, environment)]),
            subject(owner, [(USER, _STRANGER), (CURRENT_ENVIRONMENT, environment)]),
            subject(owner, [(USER, _STRANGER)]),
            default_subject(owner, _STRANGER, _STRANGER),
            stack_configuration_subject(owner),
        )
        for audience in (f"aws:{owner}", owner, f"azure:{owner}"):
            for login in logins:
                yield audience, login
        for operation in ("preview", "update"):
            yield owner, deployment_subject(owner, _STRANGER, _STRANGER, operation)
