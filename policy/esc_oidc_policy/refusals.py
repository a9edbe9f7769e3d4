"""Whether a role refuses everything that a login can ask with, and why.

Who opens, and from where, is not known here: a login is reported only when no opening of its environment, by anybody,
by name or through an import or a stack, can be admitted. What this cannot judge counts as admitted.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from esc_oidc.claims import (
    CURRENT_ENVIRONMENT,
    ISSUER,
    LEGACY_PROJECT,
    ROOT_ENVIRONMENT,
    TEAM,
    TOKEN_TYPE,
    audience,
    default_subject,
    environment_spellings,
    issuer_path,
    subject,
)
from esc_oidc.trust import provider_arn
from esc_oidc.verify import CompiledPolicy, Request, UndefinedBehaviour
from esc_oidc.verify.policy import Block, Document, Statement, compile_statement, read
from esc_oidc.verify.scope import providers_of

from .logins import Login
from .patterns import OPEN, Pattern, glob, meet, opened

_COMPARED: Final = frozenset({"StringEquals", "StringLike"})

DEFAULT_MAXIMUM: Final = 3600
"""Seconds; the longest session of a role that says nothing.

Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
"""


@dataclass(frozen=True)
class Environment:
    """An ESC environment: where it is."""

    organization: str
    project: str
    name: str

    @property
    def reference(self) -> str:
        """How Pulumi's commands name it."""
        return f"{self.organization}/{self.project}/{self.name}"


@dataclass(frozen=True)
class Role:
    """A role: its ARN, its trust policy as JSON, and the seconds of its longest session."""

    arn: str
    trust_policy: str
    max_session_seconds: int = DEFAULT_MAXIMUM


def find_refusal(
    environment: Environment, login: Login, role: Role, client_ids: Mapping[str, Sequence[str]]
) -> str | None:
    """Why nobody who opens this environment gets in; None if somebody may.

    Args:
        environment: The environment that holds the login.
        login: The login, which names the role.
        role: The role.
        client_ids: The client IDs of the OIDC providers that are known, by their ARN.
    """
    try:
        document = read(role.trust_policy)
        # The issuers that the role trusts first: the reason is about the first.
        trusted = [
            f"https://{provider.path}"
            for statement in document.statements
            for provider in providers_of(statement)
            if provider.has_issuer_form
        ]
        decisions = []
        for issuer in dict.fromkeys([*trusted, ISSUER]):
            policy = _policy(document, issuer)
            request = _request(login, role, issuer, client_ids)
            for token in _tokens(environment, login, document, issuer):
                decision = policy.decide(replace(request, claims=token))
                if decision.allowed:
                    return None
                decisions.append((token, decision))
    except UndefinedBehaviour:
        # The rules of `lint` speak about such a document.
        return None
    token, decision = decisions[0]
    return (
        f"The login `{login.place}` of {environment.reference} names {role.arn}, which refuses every token that it can "
        f"ask with: {decision.error}. With `sub` {token['sub']!r}, for one: {decision.reason}"
    )


def _policy(document: Document, issuer: str) -> CompiledPolicy:
    """The policy without what may or may not hold: more gets in than really does."""
    # A Deny may be about some openings only.
    return CompiledPolicy(
        denies=(),
        allows=tuple(
            compile_statement(_relaxed(statement, issuer, document), has_variables=document.has_variables)
            for statement in document.statements
            if statement.effect == "Allow"
        ),
    )


def _request(login: Login, role: Role, issuer: str, client_ids: Mapping[str, Sequence[str]]) -> Request:
    """What is the same for every token."""
    _, partition, _, _, account, _ = role.arn.split(":", 5)
    return Request(
        {},
        issuer,
        account=account,
        partition=partition,
        client_ids=client_ids.get(provider_arn(issuer, account, partition)),
        duration=login.duration,
        max_session_duration=f"{role.max_session_seconds}s",
        session_name=login.session_name,
    )


def _relaxed(statement: Statement, issuer: str, document: Document) -> Statement:
    """The statement without the conditions of which nobody knows beforehand whether they hold."""
    return replace(
        statement,
        conditions=tuple(block for block in statement.conditions if _is_certain(block, issuer, document)),
    )


def _is_certain(block: Block, issuer: str, document: Document) -> bool:
    prefix, _, claim = block.key.lower().rpartition(":")
    if document.has_variables and any("${" in value for value in block.values):
        return False
    if prefix == issuer_path(issuer):
        return claim in {"aud", "sub"} and block.operator in _COMPARED
    # No request has a claim of another issuer beside one of this; `aws:SourceIp` and the like it may have.
    is_of_an_issuer = ("." in prefix or "/" in prefix) and not prefix.startswith(("aws:", "sts:"))
    return block.operator in _COMPARED and is_of_an_issuer


def _tokens(environment: Environment, login: Login, document: Document, issuer: str) -> Iterator[Mapping[str, str]]:
    """For each subject that the policy admits, one that the login can have; and an ordinary one."""
    aud = audience(environment.organization, environment.project)
    patterns = _subjects(environment, login.subject_attributes)
    for value in dict.fromkeys(_admitted(document, issuer)):
        for pattern in patterns:
            sub = meet(pattern, value)
            if sub is not None:
                yield {"aud": aud, "sub": sub}
    yield {"aud": aud, "sub": _ordinary(environment, login.subject_attributes)}


def _admitted(document: Document, issuer: str) -> Iterator[Pattern]:
    for statement in document.statements:
        for block in statement.conditions:
            if block.key.lower() == f"{issuer_path(issuer)}:sub" and block.operator in _COMPARED:
                for value in block.values:
                    # Under StringEquals no subject has what looks like a wildcard; `decide` tells them apart.
                    yield glob(value)


def _subjects(environment: Environment, attributes: Sequence[str]) -> list[Pattern]:
    """Every subject that the login can have, whoever opens it from wherever."""
    if not attributes:
        # The subject names the environment that was opened, which may import this one.
        return [opened(default_subject(environment.organization, LEGACY_PROJECT, OPEN))]
    return [
        opened(
            subject(
                environment.organization,
                [(attribute, current if attribute == CURRENT_ENVIRONMENT else OPEN) for attribute in attributes],
            )
        )
        for spelling in environment_spellings(f"{environment.project}/{environment.name}")
        # An import may pin a version.
        for current in (spelling, f"{spelling}@{OPEN}")
    ]


def _ordinary(environment: Environment, attributes: Sequence[str]) -> str:
    """The subject when somebody opens the environment by name."""
    if not attributes:
        return default_subject(environment.organization, environment.project, environment.name)
    name = environment_spellings(f"{environment.project}/{environment.name}")[0]
    values = {CURRENT_ENVIRONMENT: name, ROOT_ENVIRONMENT: name, TOKEN_TYPE: "personal", TEAM: ""}
    return subject(environment.organization, [(attribute, values.get(attribute, "ANYONE")) for attribute in attributes])
