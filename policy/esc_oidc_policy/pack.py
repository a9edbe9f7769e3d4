"""The pack: one policy for each rule of `lint`, named after it, and one about logins that a role refuses."""

import re
from collections.abc import Sequence
from typing import Any, Final

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from esc_oidc.verify import RULES, Finding, Rule

from .logins import find_logins
from .properties import TRUST_POLICIES, read_client_ids, read_environment, read_role, read_trust_policy
from .refusals import find_refusal
from .roles import NOTE, judge

NAME: Final = "esc-oidc"
TAGS: Final = ("aws", "iam", "oidc", "pulumi-esc")

LOGIN_REFUSED: Final = "login-refused"
"""The policy that is no rule of `lint`: it looks at a whole stack."""

NEEDS_ROLE_ARN: Final = frozenset({"principal-account", "principal-partition"})
"""The rules that compare the trust policy with the role's own ARN, which AWS makes and only the whole stack has."""

EXCLUDE_ROLES: Final = "excludeRoles"
EXCLUDE_ENVIRONMENTS: Final = "excludeEnvironments"

_LEVELS: Final = {"error": EnforcementLevel.MANDATORY, "warning": EnforcementLevel.ADVISORY}
_SEVERITIES: Final = {"error": Severity.HIGH, "warning": Severity.LOW}


def serve() -> None:
    """Give the policies to Pulumi, until it ends this process."""
    PolicyPack(
        name=NAME,
        policies=policies(),
        display_name="Pulumi Cloud's access to AWS",
        description="Roles that trust Pulumi Cloud admit what they name and nobody else.",
        provider="aws",
        tags=list(TAGS),
    )


def policies() -> list[Policy]:
    """Every policy: the rules in the order of docs/rules.md, then `LOGIN_REFUSED`."""
    rules = [_rule_policy(rule) for rule in RULES.values() if rule.id != NOTE]
    return [*rules, _login_policy()]


def _rule_policy(rule: Rule) -> Policy:
    described: dict[str, Any] = {
        "name": rule.id,
        "display_name": rule.title,
        "description": f"{rule.title}. {rule.why}",
        "enforcement_level": _LEVELS[rule.severity],
        "severity": _SEVERITIES[rule.severity],
        "config_schema": _excluding(EXCLUDE_ROLES, "Roles"),
        "tags": list(TAGS),
        "remediation_steps": rule.fix,
        "url": rule.source,
    }
    if rule.id in NEEDS_ROLE_ARN:
        return StackValidationPolicy(validate=_on_stack(rule.id), **described)
    return ResourceValidationPolicy(validate=_on_role(rule.id), **described)


def _on_role(rule: str) -> Any:
    def validate(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
        if args.resource_type not in TRUST_POLICIES:
            args.not_applicable("It is no IAM role.")
        if _is_excluded(args.get_config().get(EXCLUDE_ROLES), args.urn, args.name):
            args.not_applicable(f"{EXCLUDE_ROLES} lists it.")
        try:
            trust_policy = read_trust_policy(args.resource_type, args.props)
        except UnknownValueError:
            # Otherwise each rule would say so about each role.
            args.not_applicable("Its trust policy is known only when the provider exists.")
        for finding in judge(trust_policy or ""):
            if finding.rule == rule:
                report_violation(_message(finding), args.urn)

    return validate


def _on_stack(rule: str) -> Any:
    def validate(args: StackValidationArgs, report_violation: ReportViolation) -> None:
        for resource in args.resources:
            role = read_role(resource)
            if role and not _is_excluded(args.get_config().get(EXCLUDE_ROLES), resource.urn, resource.name):
                for finding in judge(role.trust_policy, role.arn):
                    if finding.rule == rule:
                        report_violation(_message(finding), resource.urn)

    return validate


def _login_policy() -> Policy:
    return StackValidationPolicy(
        name=LOGIN_REFUSED,
        display_name="A login that its role refuses",
        description="An ESC environment names a role of this stack that admits none of the tokens that its login asks "
        "with. Opening the environment fails, whoever opens it.",
        enforcement_level=EnforcementLevel.MANDATORY,
        severity=Severity.MEDIUM,
        config_schema=_excluding(EXCLUDE_ENVIRONMENTS, "Environments"),
        tags=list(TAGS),
        remediation_steps="Write the subject that the login asks with into the role's trust policy, or the attributes "
        "that the trust policy wants into the login.",
        url="https://www.pulumi.com/docs/esc/guides/configuring-oidc/",
        validate=_validate_logins,
    )


def _validate_logins(args: StackValidationArgs, report_violation: ReportViolation) -> None:
    found = [role for resource in args.resources if (role := read_role(resource))]
    roles = {role.arn: role for role in found}
    client_ids = read_client_ids(args.resources)
    for resource in args.resources:
        read = read_environment(resource)
        if read is None:
            continue
        environment, definition = read
        names = (resource.urn, resource.name, environment.reference)
        if _is_excluded(args.get_config().get(EXCLUDE_ENVIRONMENTS), *names):
            continue
        for login in find_logins(definition):
            role = roles.get(login.role_arn)
            if role and (refusal := find_refusal(environment, login, role, client_ids)):
                report_violation(refusal, resource.urn)


def _excluding(name: str, what: str) -> PolicyConfigSchema:
    more = ", or ORGANIZATION/PROJECT/ENVIRONMENT" if name == EXCLUDE_ENVIRONMENTS else ""
    described = f"{what} that this does not hold for, each its name in the program or its URN{more}. `*` in one stands "
    return PolicyConfigSchema(
        properties={
            name: {
                "type": "array",
                "items": {"type": "string", "minLength": 1},
                "default": [],
                "description": f"{described}for any run of characters.",
            }
        }
    )


def _is_excluded(patterns: Sequence[str] | None, *names: str) -> bool:
    return any(
        re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name, re.DOTALL)
        for pattern in patterns or ()
        for name in names
    )


def _message(finding: Finding) -> str:
    place = "The document" if finding.statement is None else f"Statement {finding.statement}"
    return f"{place}: {finding.message} {finding.fix}"
