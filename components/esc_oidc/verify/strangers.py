"""The net under the rules: does a token that nobody named get in?"""

from collections.abc import Iterator, Mapping, Sequence

from ..claims import (
    CURRENT_ENVIRONMENT,
    USER,
    default_subject,
    deployment_subject,
    stack_configuration_subject,
    subject,
)
from .decisions import Request, compile_policy
from .findings import Finding, found
from .scope import PULUMI_PATH, Scoped
from .statement_checks import reason_of
from .subject_checks import organization_of
from .undefined import UndefinedBehaviour

_STRANGER = "somebody-else"


def check_strangers(
    trust_policy: str | Mapping[str, object], scoped: Sequence[Scoped], findings: Sequence[Finding]
) -> Iterator[Finding]:
    """Ask `decide` about tokens of environments, organizations and clouds that no policy names."""
    try:
        policy = compile_policy(trust_policy)
    except UndefinedBehaviour as error:
        if not any(finding.rule in {"operator-unknown", "key-issuer", "policy-variable"} for finding in findings):
            yield found("undefined", None, why=reason_of(error))
        return
    if all(_names_values(one) for one in scoped):
        return
    provider = next((provider for one in scoped for provider in one.providers), None)
    account, partition = (provider.account, provider.partition) if provider else ("123456789012", "aws")
    issuer = f"https://{scoped[0].path or PULUMI_PATH}"
    for audience, sub in _strangers(_organization(scoped)):
        request = Request({"aud": audience, "sub": sub}, issuer, account=account, partition=partition)
        try:
            allowed = policy.decide(request).allowed
        except UndefinedBehaviour as error:
            yield found("undefined", None, why=reason_of(error))
            return
        if allowed:
            yield found("admits-strangers", None, audience=audience, subject=sub)
            return


def _names_values(one: Scoped) -> bool:
    """Whether it is a Deny, or lists exact subjects, which the rules have judged one by one."""
    operators = {block.operator for block in one.statement.conditions}
    return one.statement.effect == "Deny" or (
        operators == {"StringEquals"}
        and not one.is_wide
        and any(block.key.lower() == f"{one.path}:sub" for block in one.statement.conditions)
    )


def _organization(scoped: Sequence[Scoped]) -> str:
    for one in scoped:
        for block in one.statement.conditions:
            for value in block.values:
                if organization := organization_of(value):
                    return organization
                if value.startswith("aws:") and value[4:].isalnum():
                    return value[4:]
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
