"""Judges a trust policy: what in it lets in more than it says, or nobody."""

from collections.abc import Iterator, Mapping

from ..claims import DeploymentSubject, read_subject
from ..trust import MAX_POLICY, MAX_SUBJECT, POLICY_QUOTA, size
from .claim_checks import Claims, check_audiences, check_keys, check_operators, exact_audiences
from .denials import outweighed
from .findings import Finding, found
from .policy import Document, read
from .scope import Scoped, in_scope
from .statement_checks import check_action, check_guard, check_principal, check_reach, reason_of, role_of
from .strangers import check_strangers
from .subject_checks import audience_kind, check_exact, check_pattern, organization_of
from .undefined import UndefinedBehaviour


def lint(trust_policy: str | Mapping[str, object], role_arn: str | None = None) -> list[Finding]:
    """Judge every statement of a trust policy for tokens of Pulumi Cloud.

    Documents about other issuers are left alone, with a note. docs/rules.md explains every rule.

    Args:
        trust_policy: JSON, or the same as a mapping.
        role_arn: The role's ARN: then providers of another account or partition are found, too.

    Returns:
        What was found, statement after statement; nothing for a policy that admits only what it names.

    Raises:
        ValueError: `role_arn` is not the ARN of a role.
    """
    role = role_of(role_arn) if role_arn is not None else None
    try:
        document = read(trust_policy)
    except UndefinedBehaviour as error:
        return [found("unreadable", None, why=reason_of(error))]
    except RecursionError:
        return [found("unreadable", None, why="The document is nested too deep to be read.")]
    scoped = list(in_scope(document))
    findings = dict.fromkeys(_document(trust_policy, document, scoped))
    if scoped:
        findings |= dict.fromkeys(_statements(document, scoped, role))
        findings |= dict.fromkeys(check_strangers(trust_policy, scoped, list(findings)))
    return sorted(findings, key=lambda finding: -1 if finding.statement is None else finding.statement)


def _document(trust_policy: str | Mapping[str, object], document: Document, scoped: list[Scoped]) -> Iterator[Finding]:
    ours = {one.statement.index for one in scoped}
    others = [statement.index for statement in document.statements if statement.index not in ours]
    if not scoped:
        yield found("other-issuer", None, what="The document")
        return
    for index in others:
        yield found("other-issuer", index, what="The statement")
    taken = size(trust_policy)
    if taken > MAX_POLICY:
        yield found("too-long", None, size=taken, most=MAX_POLICY)
    elif taken > POLICY_QUOTA:
        yield found("over-quota", None, size=taken, quota=POLICY_QUOTA)
    if not document.has_variables:
        yield found("old-version", None)
    yield from _copies(document)


def _copies(document: Document) -> Iterator[Finding]:
    sids: dict[str, int] = {}
    seen: dict[str, int] = {}
    if len(document.statements) == 1:
        return
    for statement in document.statements:
        if statement.sid:
            first = sids.setdefault(statement.sid, statement.index)
            if first != statement.index:
                yield found("duplicate-sid", statement.index, sid=statement.sid, other=first)
        said = repr((statement.effect, statement.principals, statement.actions, statement.conditions))
        first = seen.setdefault(said, statement.index)
        if first != statement.index:
            yield found("duplicate-statement", statement.index, other=first)


def _statements(document: Document, scoped: list[Scoped], role: tuple[str, str] | None) -> Iterator[Finding]:
    first: str | None = None
    for one in scoped:
        claims = Claims()
        yield from check_keys(one, claims)
        if one.statement.effect == "Deny":
            # A Deny only narrows, so that it may use any operator, principal or action; but its keys, its actions and
            # its provider must be right to do anything.
            yield from check_guard(one, role)
            continue
        yield from check_principal(one, role)
        yield from check_action(one)
        yield from check_operators(one, claims)
        yield from check_audiences(one, claims)
        yield from _subjects(one, claims)
        yield from check_reach(one, denied=outweighed(document, one))
        for _, value in claims.values("sub"):
            organization = organization_of(value)
            first = first or organization
            if organization and organization != first:
                index = one.statement.index
                yield found("organizations-several", index, organization=organization, other=first)
                break


def _subjects(scoped: Scoped, claims: Claims) -> Iterator[Finding]:
    index = scoped.statement.index
    audiences = exact_audiences(claims)
    organizations = {organization for _, organization in audiences}
    kinds = {kind for kind, _ in audiences}
    subject_organizations = set()
    yield from _long_subjects(index, claims)
    for operator, value in claims.values("sub"):
        is_open = "*" in value or "?" in value
        if "${" in value:
            yield found("policy-variable", index, value=value, claim="sub")
            continue
        if is_open and operator == "StringEquals":
            yield found("wildcard-literal", index, value=value, operator=operator)
        else:
            for rule, values in check_pattern(value) if is_open else check_exact(value):
                yield found(rule, index, **values)
        organization = organization_of(value)
        subject_organizations.add(organization)
        if organization and organizations and organization not in organizations:
            yield found("audience-organization", index, audience=min(organizations), subject=organization)
            continue
        kind = audience_kind(value)
        if kind and kinds and kind not in kinds:
            named = ", ".join(repr(audience) for _, audience in claims.values("aud"))
            yield found("audience-kind", index, subject=value, audience=named)
        elif "bare" in kinds and organization and not isinstance(read_subject(value), DeploymentSubject):
            yield found("legacy-audience", index, organization=organization)
    for organization in sorted(organizations - subject_organizations):
        # A subject that fixes no organization was found already; any audience goes with it.
        if subject_organizations and None not in subject_organizations:
            other = ", ".join(sorted(filter(None, subject_organizations)))
            yield found("audience-organization", index, audience=organization, subject=other)


def _long_subjects(index: int, claims: Claims) -> Iterator[Finding]:
    for _, value in claims.values("sub"):
        # A wildcard may stand for nothing.
        if len(value.replace("*", "")) > MAX_SUBJECT:
            yield found("subject-long", index, size=len(value), most=MAX_SUBJECT)
