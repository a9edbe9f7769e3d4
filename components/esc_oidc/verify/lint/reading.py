"""What the rules judge: the statements about tokens of Pulumi Cloud, and what they ask of a token, read once."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import takewhile
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
    KeySubject,
    Subject,
    read_audience,
    read_subject,
)
from ...trust import IamArn, size
from ..policy import Block, Document, Operator, Statement, covers_login, matches, operator_of, read
from ..providers import GITHUB_AUDIENCE, PULUMI_PATH, can_be_pulumi, providers_of, says_pulumi
from ..undefined import UndefinedBehaviour

ClaimName = Literal["aud", "sub"]
ValueForm = Literal["exact", "pattern", "literal", "variable"]
CLAIMS: Final[tuple[ClaimName, ...]] = ("aud", "sub")

CUSTOM_AUDIENCES: Final = "/oidc/v2"
"""How the issuer of tokens with custom audiences ends."""

_FIXED: Final = re.compile(ORGANIZATION)
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
    return subject.organization if subject and _FIXED.fullmatch(subject.organization) else None


class ClaimValue:
    """One value that a statement compares `aud` or `sub` with.

    Attributes:
        statement: The statement.
        claim: The claim.
        text: The value, as written.
        form: ``exact`` when it stands for itself alone; ``literal`` when it looks like a pattern and is none;
            ``variable`` when it depends on the request.
    """

    def __init__(self, statement: "PulumiStatement", claim: ClaimName, text: str, form: ValueForm) -> None:
        self.statement, self.claim, self.text, self.form = statement, claim, text, form

    @cached_property
    def audience(self) -> Audience | None:
        """Its parts as a value of `aud`; None when Pulumi Cloud writes no such audience."""
        return None if self.text == GITHUB_AUDIENCE else read_audience(self.text)


class SubjectValue(ClaimValue):
    """One value of `sub`.

    Attributes:
        subject: Its parts, wildcards included; None when it has none of the forms that Pulumi Cloud writes.
        organization: The organization, if it is fixed and well formed.
        attributes: The subject, if it is an exact one with attributes, each with a value.
        unknown_attribute: The first of these attributes that Pulumi Cloud does not write, or that is listed twice.
        known_attributes: The subject with attributes, if Pulumi Cloud writes each of them.
        open_subject: The subject of a pattern that fixes the organization; None otherwise.
        open_environment: The environment's name in such a pattern, perhaps with wildcards; None where the pattern
            doesn't say it.
    """

    def __init__(self, statement: "PulumiStatement", claim: ClaimName, text: str, form: ValueForm) -> None:
        super().__init__(statement, claim, text, form)
        self.subject, self.organization = read_subject(text), organization_of(text)
        fixed = self.subject if self.organization else None
        self.attributes: AttributeSubject | None = None
        if form == "exact" and isinstance(fixed, AttributeSubject) and fixed.attributes and str(fixed) == text:
            self.attributes = fixed
        names = self.attributes.names if self.attributes else ()
        self.unknown_attribute = next((name for name in names if name not in ATTRIBUTES or names.count(name) > 1), None)
        self.known_attributes = self.attributes if self.unknown_attribute is None else None
        self.open_subject = fixed if form == "pattern" else None
        self.open_environment = _environment_in(self.open_subject, text)

    @property
    def minted_audience(self) -> str | None:
        """The audience that it comes with; None if the subject fixes no organization."""
        if self.organization is None:
            return None
        return str(Audience("aws" if self.comes_with("aws") else None, self.organization))

    def comes_with(self, cloud: str | None) -> bool:
        """Whether its audience can be one for this cloud, or for none: the organization alone."""
        subject = self.subject
        if isinstance(subject, DeploymentSubject):
            return cloud is None
        if isinstance(subject, KeySubject):
            return cloud == "aws"
        name = ""
        if isinstance(subject, AttributeSubject):
            name = dict(subject.attributes).get(CURRENT_ENVIRONMENT, "")
        elif isinstance(subject, DefaultSubject):
            name = subject.environment
        if "/" in head_of(name) and not name.startswith(f"{LEGACY_PROJECT}/"):
            return cloud == "aws"
        return cloud is None or name in {"", STACK_CONFIGURATION} or head_of(name) != name


def _environment_in(pattern: Subject | None, text: str) -> str | None:
    is_whole = str(pattern) == text
    if isinstance(pattern, DefaultSubject):
        return pattern.environment if is_whole else None
    if not isinstance(pattern, AttributeSubject) or not head_of(pattern.names[0]):
        return None
    # A name without a value is no attribute.
    attributes = pattern.attributes if is_whole else pattern.attributes[:-1]
    # Behind a wildcard in a name, nothing says what stands where.
    known = takewhile(lambda pair: head_of(pair[0]) == pair[0], attributes)
    return dict(attributes)[CURRENT_ENVIRONMENT] if CURRENT_ENVIRONMENT in dict(known) else None


@dataclass(frozen=True, eq=False)
class AskedCondition:
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

    def admits(self, text: str) -> bool:
        """Whether the claim may have this value, as far as a comparing operator, negated or not, says so."""
        name = self.operator.name.replace("Not", "") if self.operator else ""
        if name not in _COMPARING:
            return True
        if name == "StringLike":
            found = any(matches(wanted, text) for wanted in self.block.values)
        elif name == "StringEquals":
            found = text in self.block.values
        else:
            found = text.lower() in map(str.lower, self.block.values)
        return found is not (self.operator is not None and self.operator.is_negated)


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
        allows: Whether it is an Allow.
        other_paths: The issuers, without the scheme, of those of the providers that sign other tokens than AWS logins'.
        conditions: Its conditions, in their order.
        asked: The conditions on each claim.
        audiences: What `aud` may be.
        minted_audiences: Those that Pulumi Cloud mints for AWS.
        subjects: What `sub` may be.
    """

    def __init__(
        self, written: Statement, document: Document, role: IamArn | None, providers: tuple[IamArn, ...]
    ) -> None:
        self.written, self.document, self.role, self.providers = written, document, role, providers
        ours = {("Federated", str(provider)) for provider in providers}
        named = [(kind, name) for kind, names in written.principals.items() for name in names]
        self.others = tuple(name for kind, name in named if name != "*" and (kind, name) not in ours)
        self.is_wide, self.path = trusts_everybody(written), _path(written, providers)
        self.allows = written.effect == "Allow"
        parts = ((block, *block.key.lower().rpartition(":")) for block in written.conditions)
        self.conditions = tuple(
            AskedCondition(self, block, _operator(block.operator), issuer, claim) for block, issuer, _, claim in parts
        )
        on_claims = [condition for condition in self.conditions if condition.is_on_a_claim]
        self.asked: Mapping[ClaimName, list[AskedCondition]] = {
            claim: [each for each in on_claims if each.claim == claim] for claim in CLAIMS
        }
        self.audiences = [ClaimValue(self, "aud", text, form) for text, form in self._values("aud")]
        self.subjects = [SubjectValue(self, "sub", text, form) for text, form in self._values("sub")]
        read = (value.audience for value in self.audiences)
        self.other_paths = frozenset(
            provider.name.lower() for provider in providers if not can_be_pulumi(provider.name)
        )
        self.minted_audiences = [audience for audience in read if audience and audience.cloud in {None, "aws"}]

    def limits(self, claim: ClaimName) -> bool:
        """Whether a condition, or a Deny of everything else, says what the claim may be."""
        return any(condition.compares for condition in self.asked[claim]) or self.left_by_denies(claim) is not None

    def left_by_denies(self, claim: ClaimName) -> tuple[str, ...] | None:
        """The values of a claim that a Deny of all others leaves to this Allow; None if there is no such Deny."""
        for deny in self.document.statements if self.allows else ():
            if deny.effect != "Deny" or len(deny.conditions) != 1 or not covers_login(deny):
                continue
            (block,) = deny.conditions
            covered = {str(provider) for provider in self.providers} <= {*deny.principals.get("Federated", ())}
            if (
                block.operator in {"StringNotEquals", "StringNotEqualsIfExists"}
                and block.key.lower() == f"{self.path}:{claim}".lower()
                and block.values
                and not any("${" in value for value in block.values)
                and (trusts_everybody(deny) or (covered and self.providers and not self.is_wide))
            ):
                return tuple(value for value in block.values if all(each.admits(value) for each in self.asked[claim]))
        return None

    def is_named_otherwise(self, value: ClaimValue) -> bool:
        """Whether a pattern only narrows values that are named beside it, or that a Deny leaves."""
        if value.form != "pattern":
            return False
        is_beside = any(condition.block.operator == "StringEquals" for condition in self.asked[value.claim])
        return is_beside or self.left_by_denies(value.claim) is not None

    @property
    def mixes_audiences_of(self) -> str | None:
        """The organization of which it takes both audiences, that of ESC's logins and that of Deployments."""
        taken = {(audience.cloud, audience.organization) for audience in self.minted_audiences}
        return min((name for cloud, name in taken if cloud is None and ("aws", name) in taken), default=None)

    @property
    def is_for_other_tokens(self) -> bool:
        """Whether it is about another kind of Pulumi Cloud's tokens throughout, such as those of ``/oidc/v2``."""
        if not self.other_paths or len(self.other_paths) < len(self.providers):
            return False
        issuers = {condition.issuer for condition in self.conditions}
        return issuers <= self.other_paths or all(path.endswith(CUSTOM_AUDIENCES) for path in self.other_paths)

    def _values(self, claim: ClaimName) -> Iterator[tuple[str, ValueForm]]:
        for condition in self.asked[claim]:
            like = condition.operator is not None and condition.operator.name.endswith("Like")
            with_wildcards: ValueForm = "pattern" if like else "literal"
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


def _about_pulumi(document: Document, role: IamArn | None) -> Iterator[PulumiStatement]:
    for statement in document.statements:
        wide, mentioned = trusts_everybody(statement), _mentions_pulumi(statement)
        if not (wide or mentioned or _may_be_self_hosted(statement)):
            continue
        if wide and not mentioned and _is_for_others(statement):
            continue
        named = providers_of(statement)
        providers = tuple(each for each in named if says_pulumi(each.name) or can_be_pulumi(each.name))
        open_to_all = wide and not statement.conditions
        # A role named pulumi-deployer may assume roles, too: that has nothing to do with tokens.
        if open_to_all or providers or covers_login(statement) or any(_names_tokens(statement)):
            yield PulumiStatement(statement, document, role, providers)


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
