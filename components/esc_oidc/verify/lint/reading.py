"""What the rules judge: the statements about tokens of Pulumi Cloud, and what they ask of a token, read once."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final, Literal

from ...claims import (
    ATTRIBUTES,
    CURRENT_ENVIRONMENT,
    LEGACY_PROJECT,
    ORGANIZATION,
    STACK_CONFIGURATION,
    AttributeSubject,
    Audience,
    DefaultSubject,
    DeploymentSubject,
    Subject,
    read_audience,
    read_subject,
)
from ...trust import ACTION, IamArn, size
from ..policy import Block, Document, Operator, Statement, matches, operator_of, read
from ..providers import PULUMI_PATH, can_be_pulumi, providers_of, says_pulumi
from ..undefined import UndefinedBehaviour

ClaimName = Literal["aud", "sub"]
Form = Literal["exact", "pattern", "literal", "variable"]
CLAIMS: Final[tuple[ClaimName, ...]] = ("aud", "sub")

_WILDCARD: Final = re.compile(r"[*?]")
_LIKE_OURS: Final = re.compile(r"pulumi:|(?:aws|azure|gcp):[A-Za-z0-9*?._-]*", re.IGNORECASE)
# These compare a claim with values one by one; any other operator is wrong on a claim.
_COMPARING: Final = {"StringEquals", "StringEqualsIgnoreCase", "StringLike"}


def head_of(text: str) -> str:
    """What stands before the first wildcard."""
    wildcard = _WILDCARD.search(text)
    return text[: wildcard.start()] if wildcard else text


def organization_of(value: str) -> str | None:
    """The organization that a subject, or a pattern for subjects, fixes."""
    subject = read_subject(value)
    return subject.organization if subject and re.fullmatch(ORGANIZATION, subject.organization) else None


@dataclass(frozen=True, eq=False)
class Value:
    """One value that a statement compares `aud` or `sub` with.

    Attributes:
        statement: The statement.
        claim: The claim.
        text: The value, as written.
        form: ``exact`` when it stands for itself alone; ``literal`` when it looks like a pattern and is none;
            ``variable`` when it depends on the request.
    """

    statement: "PulumiStatement"
    claim: ClaimName
    text: str
    form: Form

    @cached_property
    def audience(self) -> Audience | None:
        """Its parts as a value of `aud`; None when Pulumi Cloud writes no such audience."""
        return read_audience(self.text)


class SubjectValue(Value):
    """One value of `sub`."""

    @cached_property
    def subject(self) -> Subject | None:
        """Its parts, wildcards included; None when it has none of the forms that Pulumi Cloud writes."""
        return read_subject(self.text)

    @cached_property
    def organization(self) -> str | None:
        """The organization, if it is fixed and well formed."""
        return organization_of(self.text)

    @cached_property
    def attributes(self) -> AttributeSubject | None:
        """The subject, if it is an exact one with attributes, each with a value."""
        subject = self.subject
        if self.form == "exact" and self.organization and isinstance(subject, AttributeSubject) and subject.attributes:
            return subject if str(subject) == self.text else None
        return None

    @cached_property
    def unknown_attribute(self) -> str | None:
        """The first of these attributes that Pulumi Cloud does not write, or that is listed twice."""
        names = self.attributes.names if self.attributes else ()
        return next((name for name in names if name not in ATTRIBUTES or names.count(name) > 1), None)

    @cached_property
    def known_attributes(self) -> AttributeSubject | None:
        """The subject with attributes, if Pulumi Cloud writes each of them."""
        return self.attributes if self.unknown_attribute is None else None

    @cached_property
    def open_subject(self) -> Subject | None:
        """The subject of a pattern that fixes the organization; None otherwise."""
        return self.subject if self.form == "pattern" and self.organization else None

    @cached_property
    def open_environment(self) -> str | None:
        """The environment's name in such a pattern, perhaps with wildcards; None where the pattern doesn't say it."""
        subject = self.open_subject
        if isinstance(subject, DefaultSubject) and str(subject) == self.text:
            return subject.environment
        if not isinstance(subject, AttributeSubject) or not head_of(subject.names[0]):
            return None
        # A name without a value is no attribute.
        attributes = subject.attributes if str(subject) == self.text else subject.attributes[:-1]
        for place, (name, _) in enumerate(attributes):
            if name == CURRENT_ENVIRONMENT:
                return (
                    None if any(head_of(other) != other for other in subject.names[:place]) else dict(attributes)[name]
                )
        return None

    def comes_with(self, cloud: str | None) -> bool:
        """Whether its audience can be one for this cloud, or for none: the organization alone."""
        subject = self.subject
        if isinstance(subject, DeploymentSubject):
            return cloud is None
        name = ""
        if isinstance(subject, AttributeSubject):
            name = dict(subject.attributes).get(CURRENT_ENVIRONMENT, "")
        elif isinstance(subject, DefaultSubject):
            name = subject.environment
        if "/" in head_of(name) and not name.startswith(f"{LEGACY_PROJECT}/"):
            return cloud == "aws"
        return cloud is None or name in {"", STACK_CONFIGURATION} or head_of(name) != name


@dataclass(frozen=True, eq=False)
class Condition:
    """One line of a statement's Condition.

    Attributes:
        statement: The statement.
        block: The operator, the key and the values, as written.
        operator: The operator in its parts; None when AWS has no such operator.
        issuer: What its key has before the claim, in lower case.
        claim: What its key has behind the issuer, in lower case.
    """

    statement: "PulumiStatement"
    block: Block
    operator: Operator | None
    issuer: str
    claim: str

    @property
    def is_on_a_claim(self) -> bool:
        """Whether its key is one of the provider's."""
        return self.operator is not None and self.issuer == self.statement.path

    @property
    def compares(self) -> bool:
        """Whether it says what the claim may be."""
        return self.operator is not None and self.operator.name in _COMPARING


@dataclass(frozen=True, eq=False)
class PulumiStatement:
    """A statement about tokens of Pulumi Cloud.

    Attributes:
        written: The statement.
        document: The document that it stands in.
        role: The role's ARN, if it is known.
        providers: Pulumi's providers among its principals.
        others: Every other principal, as written.
        is_wide: Whether a principal is ``*``.
        path: The issuer that its condition keys must have, without the scheme.
    """

    written: Statement
    document: Document
    role: IamArn | None
    providers: tuple[IamArn, ...]
    others: tuple[str, ...]
    is_wide: bool
    path: str

    @property
    def allows(self) -> bool:
        """Whether it is an Allow."""
        return self.written.effect == "Allow"

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """Its conditions, in their order."""
        parts = ((block, *block.key.lower().rpartition(":")) for block in self.written.conditions)
        return tuple(
            Condition(self, block, _operator(block.operator), issuer, claim) for block, issuer, _, claim in parts
        )

    @cached_property
    def audiences(self) -> tuple[Value, ...]:
        """What `aud` may be."""
        return tuple(Value(self, "aud", text, form) for text, form in self._values("aud"))

    @cached_property
    def subjects(self) -> tuple[SubjectValue, ...]:
        """What `sub` may be."""
        return tuple(SubjectValue(self, "sub", text, form) for text, form in self._values("sub"))

    @cached_property
    def minted_audiences(self) -> tuple[Audience, ...]:
        """The audiences that Pulumi Cloud mints for AWS."""
        read = (value.audience for value in self.audiences)
        return tuple(audience for audience in read if audience and audience.cloud in {None, "aws"})

    @cached_property
    def asked(self) -> Mapping[ClaimName, tuple[Condition, ...]]:
        """The conditions on each claim."""
        on_claims = [condition for condition in self.conditions if condition.is_on_a_claim]
        return {claim: tuple(each for each in on_claims if each.claim == claim) for claim in CLAIMS}

    def limits(self, claim: ClaimName) -> bool:
        """Whether a condition says what the claim may be."""
        return any(condition.compares for condition in self.asked[claim])

    def _values(self, claim: ClaimName) -> Iterator[tuple[str, Form]]:
        for condition in self.asked[claim]:
            with_wildcards: Form = "pattern" if condition.block.operator.endswith("Like") else "literal"
            for text in condition.block.values if condition.compares else ():
                yield text, "variable" if "${" in text else "exact" if head_of(text) == text else with_wildcards


@dataclass(frozen=True, eq=False)
class TrustPolicy:
    """A trust policy: as it was given, as it was read, and its statements about tokens of Pulumi Cloud."""

    given: str | Mapping[str, object]
    document: Document
    statements: tuple[PulumiStatement, ...]

    @cached_property
    def size(self) -> int:
        """Its characters without white space."""
        return size(self.given)


def read_policy(trust_policy: str | Mapping[str, object], role: IamArn | None) -> TrustPolicy:
    """Read a trust policy.

    Raises:
        UndefinedBehaviour: It is not a policy that IAM accepts.
        RecursionError: It is nested too deeply.
    """
    document = read(trust_policy)
    return TrustPolicy(trust_policy, document, tuple(_about_pulumi(document, role)))


def trusts_everybody(statement: Statement) -> bool:
    """Whether a principal is ``*``; AWS also stores ``{"Federated": "*"}``, whose meaning it does not document."""
    return any("*" in names for names in statement.principals.values())


def covers_tokens(statement: Statement) -> bool:
    """Whether its actions cover the one that tokens need."""
    covered = any(action in {ACTION, "*"} or matches(action.lower(), ACTION.lower()) for action in statement.actions)
    return covered is not statement.excluding_actions


def _about_pulumi(document: Document, role: IamArn | None) -> Iterator[PulumiStatement]:
    for statement in document.statements:
        wide, mentioned = trusts_everybody(statement), _mentions_pulumi(statement)
        if not (wide or mentioned or _may_be_self_hosted(statement)):
            continue
        if wide and not mentioned and _is_for_others(statement):
            continue
        providers = tuple(
            provider
            for provider in providers_of(statement)
            if says_pulumi(provider.name) or can_be_pulumi(provider.name)
        )
        open_to_all = wide and not statement.conditions
        if not (open_to_all or providers or covers_tokens(statement) or any(_names_tokens(statement))):
            # A role named pulumi-deployer may assume roles, too: that has nothing to do with tokens.
            continue
        ours = {str(provider) for provider in providers}
        others = tuple(
            name
            for kind, names in statement.principals.items()
            for name in names
            if name != "*" and not (kind == "Federated" and name in ours)
        )
        yield PulumiStatement(statement, document, role, providers, others, wide, _path(statement, providers))


@lru_cache(maxsize=128)
def _operator(name: str) -> Operator | None:
    try:
        return operator_of(name)
    except UndefinedBehaviour:
        return None


def _mentions_pulumi(statement: Statement) -> bool:
    return (
        any("pulumi" in name.lower() for names in statement.principals.values() for name in names)
        or any("pulumi" in block.key.lower() for block in statement.conditions)
        or any(value.lower().startswith("pulumi:") for block in statement.conditions for value in block.values)
    )


def _names_tokens(statement: Statement) -> Iterator[bool]:
    """Whether Pulumi stands where only tokens have it: the provider, a claim's key, a subject."""
    for name in statement.principals.get("Federated", ()):
        yield ":oidc-provider/" in name and "pulumi" in name.lower()
    for block in statement.conditions:
        issuer, _, claim = block.key.lower().rpartition(":")
        yield "pulumi" in issuer and not issuer.startswith(("aws", "sts", "saml"))
        yield claim == "sub" and any(value.lower().startswith("pulumi:") for value in block.values)


def _may_be_self_hosted(statement: Statement) -> bool:
    """An issuer HOST/oidc of which nothing is asked, or something that Pulumi Cloud's tokens have."""
    paths = {provider.name for provider in providers_of(statement) if can_be_pulumi(provider.name)}
    asked = [block for block in statement.conditions if block.key.rpartition(":")[0].lower() in paths]
    return bool(paths) and (not asked or any(_LIKE_OURS.match(value) for block in asked for value in block.values))


def _is_for_others(statement: Statement) -> bool:
    """Whether a condition asks for a key that only another issuer's tokens, or no token, have."""
    return any("." in block.key.rpartition(":")[0] for block in statement.conditions)


def _path(statement: Statement, providers: tuple[IamArn, ...]) -> str:
    named = [provider.name for provider in providers]
    keys = [block.key.rpartition(":")[0].lower() for block in statement.conditions]
    possible = [*named, *(key for key in keys if says_pulumi(key))]
    return next(filter(can_be_pulumi, possible), PULUMI_PATH)
