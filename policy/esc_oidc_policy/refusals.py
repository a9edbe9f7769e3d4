"""Whether a role refuses everything that a login can ask with, and why.

Who opens, and from where, is not known here: a login is reported only when no opening of its environment, by anybody,
by name or through an import or a stack, can be admitted. What this cannot judge counts as admitted.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

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
from esc_oidc.trust import provider_arn, read_iam_arn
from esc_oidc.verify import Request, UndefinedBehaviour, can_be_pulumi, compile_policy, trusted_providers

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
        trusted = [f"https://{arn.name}" for arn in trusted_providers(role.trust_policy) if can_be_pulumi(arn.name)]
        # Only now is it sure that the text is a policy.
        document = json.loads(role.trust_policy)
        decisions = []
        # The issuers that the role trusts come first: the reason is about the first.
        for issuer in dict.fromkeys([*trusted, ISSUER]):
            policy = compile_policy(_relaxed(document, issuer))
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


def _statements(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    statements = document["Statement"]
    return [statements] if isinstance(statements, Mapping) else statements


def _relaxed(document: Mapping[str, Any], issuer: str) -> Mapping[str, Any]:
    """The policy without what may or may not hold: it admits more than the real one.

    A Deny may be about some openings only; in its place stands one that is about no token.
    """
    no_deny = {"Effect": "Deny", "Principal": "*", "Action": "sts:TagSession"}
    return {
        **document,
        "Statement": [
            _without_doubts(statement, document, issuer) if statement["Effect"] == "Allow" else no_deny
            for statement in _statements(document)
        ],
    }


def _without_doubts(statement: Mapping[str, Any], document: Mapping[str, Any], issuer: str) -> Mapping[str, Any]:
    """The statement with only those conditions of which it is known beforehand whether they hold."""
    has_variables = document.get("Version") == "2012-10-17"
    certain: dict[str, dict[str, Any]] = {}
    for operator, key, values in _conditions(statement):
        is_known = operator in _COMPARED and _is_of_a_claim(key, issuer)
        if is_known and not (has_variables and any("${" in str(value) for value in values)):
            certain.setdefault(operator, {})[key] = values
    return {**statement, "Condition": certain}


def _conditions(statement: Mapping[str, Any]) -> Iterator[tuple[str, str, list[Any]]]:
    """Operator, key and values of each condition."""
    for operator, keys in statement.get("Condition", {}).items():
        for key, values in keys.items():
            yield operator, key, values if isinstance(values, list) else [values]


def _request(login: Login, role: Role, issuer: str, client_ids: Mapping[str, Sequence[str]]) -> Request:
    """What is the same for every token."""
    arn = read_iam_arn(role.arn)
    account, partition = (arn.account, arn.partition) if arn else ("", "")
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


def _is_of_a_claim(key: str, issuer: str) -> bool:
    prefix, _, claim = key.lower().rpartition(":")
    if prefix == issuer_path(issuer):
        return claim in {"aud", "sub"}
    # No request has a claim of another issuer beside one of this; `aws:SourceIp` and the like it may have.
    return ("." in prefix or "/" in prefix) and not prefix.startswith(("aws:", "sts:"))


def _tokens(
    environment: Environment, login: Login, document: Mapping[str, Any], issuer: str
) -> Iterator[Mapping[str, str]]:
    """For each subject that the policy admits, one that the login can have; and an ordinary one."""
    aud = audience(environment.organization, environment.project)
    patterns = _subjects(environment, login.subject_attributes)
    for value in dict.fromkeys(_admitted(document, issuer)):
        for pattern in patterns:
            sub = meet(pattern, value)
            if sub is not None:
                yield {"aud": aud, "sub": sub}
    yield {"aud": aud, "sub": _ordinary(environment, login.subject_attributes)}


def _admitted(document: Mapping[str, Any], issuer: str) -> Iterator[Pattern]:
    for statement in _statements(document):
        for operator, key, values in _conditions(statement):
            if key.lower() == f"{issuer_path(issuer)}:sub" and operator in _COMPARED:
                # Under StringEquals no subject has what looks like a wildcard; `decide` tells them apart.
                yield from (glob(str(value)) for value in values)


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
