"""The inputs that both components share: the identity provider, the role, and its sessions."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from ..claims import ISSUER, Subject, issuer_path, read_subject
from ..sessions import HOUR, seconds
from ..trust import (
    MAX_POLICY,
    MAX_SUBJECT,
    PARTITIONS,
    POLICY_QUOTA,
    RenderedPolicy,
    Trust,
    provider_arn,
    read_iam_arn,
    rendered,
    size,
)
from . import values
from .parsing import KNOWN_NOW, Plan, as_far_as_known, given
from .policies import MAX_INLINE_POLICIES, inline_policy
from .violations import Problem, Violation, shown

_LONG_SESSION: Final = 4 * HOUR
_ATTACHMENT_QUOTA: Final = 10
_MAX_ATTACHMENTS: Final = 20
_ADMINISTRATOR: Final = ":policy/AdministratorAccess"
_MAX_TAGS: Final = 50
_MAX_TRANSITIONAL: Final = 20
_SHOWN_SUBJECTS: Final = 3

CREATED_BY: Final = "esc-oidc:created-by"
"""The tag of a provider that a component creates and would delete: it says which component that is."""

DECIDES: Final = Problem("it decides which resources exist.", KNOWN_NOW)
"""Why an input can't be an Output, and what to do."""

_NAMES: Final = Problem("it decides which resources exist and what they are called.", KNOWN_NOW)
_NAMED_AFTER_ARNS: Final = Problem(
    "attachments are named after these ARNs; named by place, a change of the list would detach policies.",
    "Pass each ARN that is an Output in `named_policy_arns`, under a name of its own.",
)
_IDENTIFIES: Final = Problem("it says which role this is, and another one replaces the role.", KNOWN_NOW)


@dataclass(frozen=True, kw_only=True)
class RolePlan(Plan, ABC):
    """The inputs of every component that declares a role, and what follows from them.

    The components' argument types say what each input means.
    """

    organization: str = given(values.organization)
    oidc_provider_arn: str | None = given(values.oidc_provider_arn, default=None)
    issuer: str = given(values.issuer, default=ISSUER)
    thumbprints: tuple[str, ...] = given(values.thumbprint, default=(), most=(5, "AWS takes at most 5 thumbprints."))
    additional_audiences: tuple[str, ...] = given(
        values.audience,
        default=(),
        most=(99, "AWS takes at most 100 client IDs, this component's own one among them."),
    )
    retain_oidc_provider: bool = given(default=False)
    role_name: str | None = given(values.role_name, default=None, plain=_IDENTIFIES)
    role_path: str | None = given(values.role_path, default=None, plain=_IDENTIFIES)
    role_description: str | None = given(values.role_description, default=None)
    permissions_boundary_arn: str | None = given(values.managed_policy_arn, default=None, narrows=True)
    policy_arns: tuple[str, ...] = given(values.managed_policy_arn, default=(), plain=_NAMED_AFTER_ARNS)
    named_policy_arns: Mapping[str, str] = given(
        values.managed_policy_arn, default=dict, keys=values.policy_name, plain=_NAMES
    )
    inline_policies: Mapping[str, str] = given(
        inline_policy, default=dict, keys=values.policy_name, plain=_NAMES, documents=True
    )
    force_detach_policies: bool = given(default=False)
    max_session_duration: str | None = given(values.max_session_duration, default=None)
    tags: Mapping[str, str] = given(
        values.tag_value,
        default=dict,
        keys=values.tag_key,
        may_be_empty=True,
        most=(_MAX_TAGS, f"AWS takes at most {_MAX_TAGS} tags."),
    )
    duration: str = given(values.duration, default="1h")
    session_policy_arns: tuple[str, ...] = given(
        values.managed_policy_arn, default=(), narrows=True, most=(10, "AWS takes at most 10 session policies.")
    )
    transitional_subjects: tuple[str, ...] = given(
        values.exact_subject,
        default=(),
        most=(_MAX_TRANSITIONAL, f"a transition has at most {_MAX_TRANSITIONAL} subjects."),
    )

    @property
    @abstractmethod
    def declared(self) -> Trust:
        """What the role admits for good: the audience, and the subjects under it."""

    @cached_property
    def trust(self) -> Trust:
        """What the role must admit: what is declared, and for a while the transitional subjects."""
        subjects = dict.fromkeys((*self.declared.subjects, *self.transitional_subjects))
        return replace(self.declared, subjects=tuple(subjects))

    @property
    @abstractmethod
    def audience(self) -> str:
        """The one audience that the role admits."""

    @property
    def subjects(self) -> list[str]:
        """The subjects that the role admits, exact ones first, then patterns."""
        return [*self.trust.subjects, *self.trust.patterns]

    @property
    def max_session_seconds(self) -> int:
        """The longest session that the role allows: what is given, else the larger of `duration` and 1h."""
        return seconds(self.max_session_duration) if self.max_session_duration else max(HOUR, seconds(self.duration))

    @cached_property
    def expected_provider_arn(self) -> str:
        """The provider's ARN: the adopted one's, or one as long as AWS makes it in the partition `aws`."""
        return self.oidc_provider_arn or provider_arn(self.issuer)

    @property
    def longest_provider_arn(self) -> str:
        """The longest ARN that the provider may have: AWS has yet to make it, and only AWS knows in which partition."""
        return self.oidc_provider_arn or provider_arn(self.issuer, partition=max(PARTITIONS, key=len))

    def policy(self, provider: str) -> RenderedPolicy:
        """The role's trust policy, for the provider with this ARN."""
        if provider not in self._policies:
            trust = self.trust
            if self.transitional_subjects:
                # Exchanging declared and transitional subjects, the second step of a transition, changes nothing here.
                trust = replace(trust, subjects=tuple(sorted(trust.subjects)))
            self._policies[provider] = rendered(trust, provider)
        return self._policies[provider]

    @cached_property
    def _policies(self) -> dict[str, RenderedPolicy]:
        return {}

    @property
    def policies_by_place(self) -> list[tuple[str, str]]:
        """The ARNs of all policies that are known, each with the place that gives it."""
        boundary = self.known("permissions_boundary_arn")
        placed = [("permissions_boundary_arn", boundary)] if boundary else []
        for name in ("policy_arns", "session_policy_arns"):
            placed += [(f"{name}[{index}]", arn) for index, arn in enumerate(self.known(name, ()))]
        named = self.known("named_policy_arns", {})
        return placed + [(f"named_policy_arns[{shown(key)}]", arn) for key, arn in named.items()]

    def of_another_partition(self, than: str, what: str) -> Iterator[Violation]:
        """Names the policies in another partition than this ARN: a role has everything in its own.

        Args:
            than: An ARN of the role's partition.
            what: What it is the ARN of.
        """
        own = read_iam_arn(than)
        for place, text in self.policies_by_place:
            arn = read_iam_arn(text)
            if own and arn and arn.partition != own.partition:
                yield Violation(
                    place,
                    text,
                    f"a role has everything in one partition of AWS: this is in {arn.partition}, and {what} is in "
                    f"{own.partition}.",
                    "Pass the one of the role's own partition.",
                )

    @abstractmethod
    def problem_in_transition(self, subject: Subject | None) -> Problem | None:
        """Why a transitional subject, read, can't be admitted; None for one that Pulumi Cloud mints for this audience.

        Its organization is judged elsewhere.
        """

    @property
    @abstractmethod
    def names_in_subjects(self) -> Mapping[str, tuple[str, ...]]:
        """The names that stand in subjects, by the input that gives them; only inputs that were given."""

    @abstractmethod
    def admission_warnings(self) -> Iterable[Iterator[str]]:
        """What should be known of who gets in."""

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What is allowed but should be known all the same, each as far as the inputs that it reads are known."""
        found = (*self.admission_warnings(), *(warning(self) for warning in _WARNINGS))
        return tuple(text for warning in found for text in as_far_as_known(warning))

    def policy_limit(self, provider: str) -> Iterator[Violation]:
        """Says whether the trust policy, for the provider with this ARN, is longer than any quota allows."""
        taken, trust = self.policy(provider).size, self.trust
        # A subject over its own limit is what to mend; without one, only a list of names makes a policy this long.
        if taken <= MAX_POLICY or any(len(subject) > MAX_SUBJECT for subject in self.subjects):
            return
        count = len(self.subjects)
        first = Trust(trust.issuer, trust.audience, trust.subjects[:1], trust.patterns[: 0 if trust.subjects else 1])
        alone = rendered(first, provider).size
        fit = 1 + int((MAX_POLICY - alone) / ((taken - alone) / (count - 1)))
        source, names = self._longest_list()
        where = "" if self.oidc_provider_arn else ", where AWS's ARNs are longest"
        yield Violation(
            source,
            list(names),
            f"the trust policy would have {taken} characters for its {count} subjects{where}; AWS takes at most "
            f"{MAX_POLICY}: {fit} subjects like these fit.",
            "List fewer, or share them among several roles.",
        )

    def count_limit(self, count: int) -> Iterator[Violation]:
        """Says whether there are more subjects than any policy holds, before they are made.

        Three lists of a hundred names make a million.
        """
        # `pulumi:environments:pulumi.organization.login:` and `pulumi:deploy:org:...:operation:` are longer than that.
        most = MAX_POLICY // 32
        if count > most:
            source, names = self._longest_list()
            yield Violation(
                source,
                list(names),
                f"these make {count} subjects, and a trust policy of at most {MAX_POLICY} characters holds no more "
                f"than {most} of the shortest.",
                "List fewer, or share them among several roles.",
            )

    def subject_limit(self, subjects: Iterable[str], fix: str) -> Iterator[Violation]:
        """Names the input with the longest name in each subject that AWS does not take."""
        for subject in subjects:
            if len(subject) > MAX_SUBJECT:
                _, source, name = max(
                    (len(name), source, name)
                    for source, names in self.names_in_subjects.items()
                    for name in names
                    if name in subject
                )
                yield Violation(
                    source,
                    name,
                    f"with it, a subject has {len(subject)} characters, and AWS takes at most {MAX_SUBJECT}: "
                    f"{subject}.",
                    fix,
                )

    def _longest_list(self) -> tuple[str, tuple[str, ...]]:
        found = {**self.names_in_subjects, "transitional_subjects": self.transitional_subjects}
        return max(found.items(), key=lambda item: (len(item[1]), item[0]))


def upper_case(names: Mapping[str, str]) -> Iterator[str]:
    """Warnings about names, each by its input, that may be spelled in another case elsewhere."""
    for source, name in names.items():
        if name != name.lower():
            yield f"{source}: {name!r} has upper case, and AWS compares exactly. Check how Pulumi Cloud writes it."


def _another_issuer(plan: RolePlan) -> Iterator[str]:
    if plan.issuer != ISSUER:
        host = issuer_path(plan.issuer).partition("/")[0]
        yield f"issuer: {plan.issuer} signs the tokens, not Pulumi Cloud: whoever runs {host} can assume this role."


def _another_organization(plan: RolePlan) -> Iterator[str]:
    for name in plan.additional_audiences:
        if name.removeprefix("aws:") != plan.organization:
            yield (
                f"additional_audiences: {name!r} is another organization's audience, not that of {plan.organization!r}."
            )


def _long_session(plan: RolePlan) -> Iterator[str]:
    if plan.max_session_seconds > _LONG_SESSION:
        longest = plan.max_session_duration or plan.duration
        yield f"max_session_duration: sessions of up to {longest} can't be revoked early; prefer 4h or less."


def _administrator(plan: RolePlan) -> Iterator[str]:
    if "permissions_boundary_arn" in plan.names:
        return
    given_by = {"policy_arns": plan.policy_arns, "named_policy_arns": plan.known("named_policy_arns", {}).values()}
    for name, arns in given_by.items():
        if any(arn.endswith(_ADMINISTRATOR) for arn in arns):
            yield (
                f"{name}: whoever gets in is an administrator of the account. Set `permissions_boundary_arn`, or "
                "attach a narrower policy."
            )


def _many_policies(plan: RolePlan) -> Iterator[str]:
    attached = len(plan.policy_arns) + len(plan.named_policy_arns)
    if attached > _ATTACHMENT_QUOTA:
        yield f"policy_arns: {attached} policies are over AWS's default quota of {_ATTACHMENT_QUOTA} for a role."


def _long_policy(plan: RolePlan) -> Iterator[str]:
    taken = plan.policy(plan.expected_provider_arn).size
    if taken > POLICY_QUOTA:
        yield (
            f"subjects: the trust policy has {taken} characters, over AWS's default quota of {POLICY_QUOTA}. "
            "Request a higher quota ('Role trust policy length'), or name fewer."
        )


def _transition(plan: RolePlan) -> Iterator[str]:
    extra = [subject for subject in plan.transitional_subjects if subject not in plan.declared.subjects]
    if extra:
        rest = len(extra) - _SHOWN_SUBJECTS
        more = f" and {rest} more" if rest > 0 else ""
        yield (
            f"transitional_subjects: besides what the other inputs declare, the role admits "
            f"{', '.join(extra[:_SHOWN_SUBJECTS])}{more}. Remove this input, in an update of its own, once every "
            "login asks for what the other inputs declare."
        )
    elif plan.transitional_subjects:
        yield "transitional_subjects: the other inputs declare all of them. Remove this input."


_WARNINGS: Final = (
    _transition,
    _another_issuer,
    _another_organization,
    _long_session,
    _administrator,
    _many_policies,
    _long_policy,
)


def _session_fits_role(plan: RolePlan) -> Iterator[Violation]:
    maximum = plan.max_session_duration
    if maximum and seconds(plan.duration) > seconds(maximum):
        yield Violation(
            "duration",
            plan.duration,
            f"a session can't be longer than the role allows, max_session_duration = {maximum!r}.",
            "Shorten it, or raise `max_session_duration`.",
        )


def _adopted_provider_signs(plan: RolePlan) -> Iterator[Violation]:
    arn = plan.oidc_provider_arn
    if arn and arn.partition("/")[2] != issuer_path(plan.issuer):
        yield Violation(
            "oidc_provider_arn",
            arn,
            f"this is not the provider of {plan.issuer}.",
            f"Pass the ARN that ends in /{issuer_path(plan.issuer)}, or the `issuer` of this one.",
        )


def _adopted_provider_is_left_alone(plan: RolePlan) -> Iterator[Violation]:
    if "oidc_provider_arn" not in plan.names:
        return
    for name in ("thumbprints", "additional_audiences", "retain_oidc_provider"):
        if plan.known(name):
            yield Violation(
                name,
                plan.shown(name),
                "it describes a provider that the component creates, and `oidc_provider_arn` adopts one.",
                "Leave it out, and change the provider where it is declared.",
            )


def attachment_name(arn: str) -> str:
    """What the attachment of a managed policy is called: reordering a list changes no name."""
    return f"{arn.rpartition('/')[2]}-{hashlib.sha256(arn.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class ChildNames:
    """What a component's resources are called: they begin with its own name.

    Attributes:
        component: Its name.
    """

    component: str

    @property
    def provider(self) -> str:
        """The OIDC provider."""
        return f"{self.component}-provider"

    @property
    def role(self) -> str:
        """The role."""
        return f"{self.component}-role"

    @property
    def environment(self) -> str:
        """The ESC environment."""
        return f"{self.component}-environment"

    def attachment(self, key: str) -> str:
        """The attachment of a managed policy: the key is `attachment_name` of its ARN, or one that the user chose."""
        return f"{self.component}-policy-{key}"

    def inline(self, policy: str) -> str:
        """The inline policy of this name."""
        return f"{self.component}-inline-{policy}"


def _policies_differ(plan: RolePlan) -> Iterator[Violation]:
    names = {attachment_name(arn) for arn in plan.policy_arns}
    for key in plan.named_policy_arns:
        if key in names:
            rule = "the attachment of a policy in `policy_arns` has this name."
            yield Violation("named_policy_arns (a key)", key, rule, "Choose another key.")
    seen = {arn: f"policy_arns[{index}]" for index, arn in enumerate(plan.policy_arns)}
    for key, arn in plan.named_policy_arns.items():
        other = seen.setdefault(arn, place := f"named_policy_arns[{key!r}]")
        if other != place:
            rule = f"`{other}` attaches it already, and a role has each policy once: removing one detaches both."
            yield Violation(place, arn, rule, "Leave one of the two out.")


def _policies_fit(plan: RolePlan) -> Iterator[Violation]:
    attached = len(plan.policy_arns) + len(plan.named_policy_arns)
    if attached > _MAX_ATTACHMENTS:
        rule = f"AWS attaches at most {_MAX_ATTACHMENTS} managed policies to a role."
        name, value = max(
            (("policy_arns", list(plan.policy_arns)), ("named_policy_arns", dict(plan.named_policy_arns))),
            key=lambda item: len(item[1]),
        )
        yield Violation(name, value, rule, f"Leave out {attached - _MAX_ATTACHMENTS} of {attached}.")


def _room_for_the_creator(plan: RolePlan) -> Iterator[Violation]:
    if "oidc_provider_arn" in plan.names or plan.retain_oidc_provider:
        return
    for key in plan.tags:
        if key.casefold() == CREATED_BY:
            rule = "the component writes this tag onto the provider that it creates."
            yield Violation("tags (a key)", key, rule, "Leave it out.")
    if len(plan.tags) == _MAX_TAGS:
        rule = f"AWS takes at most {_MAX_TAGS} tags, and the provider gets one more, `{CREATED_BY}`."
        yield Violation("tags", dict(plan.tags), rule, "Leave one out.")


def _tag_keys_differ(plan: RolePlan) -> Iterator[Violation]:
    seen: dict[str, str] = {}
    for key in plan.tags:
        other = seen.setdefault(key.casefold(), key)
        if other != key:
            yield Violation("tags (a key)", key, f"IAM takes it for the same key as {other!r}.", "Leave one out.")


def _thumbprints_differ(plan: RolePlan) -> Iterator[Violation]:
    seen: dict[str, str] = {}
    for index, thumbprint in enumerate(plan.thumbprints):
        if seen.setdefault(thumbprint.lower(), thumbprint) != thumbprint:
            rule = "the list has it twice, in upper and in lower case."
            yield Violation(f"thumbprints[{index}]", thumbprint, rule, "Leave one out.")


def _one_partition(plan: RolePlan) -> Iterator[Violation]:
    provider = plan.known("oidc_provider_arn")
    arns = [("oidc_provider_arn", provider), *plan.policies_by_place] if provider else plan.policies_by_place
    if arns:
        place, arn = arns[0]
        yield from plan.of_another_partition(arn, f"`{place}`")


def _inline_policies_fit(plan: RolePlan) -> Iterator[Violation]:
    sizes = {key: size(policy) for key, policy in plan.inline_policies.items()}
    if sum(sizes.values()) > MAX_INLINE_POLICIES:
        longest = max(sizes, key=lambda key: sizes[key])
        yield Violation(
            f"inline_policies[{shown(longest)}]",
            plan.inline_policies[longest],
            f"a role's inline policies have at most {MAX_INLINE_POLICIES:,} characters without white space, all "
            f"together: these have {sum(sizes.values()):,}, and this one {sizes[longest]:,}.",
            "Make it a managed policy and name that in `policy_arns`.",
        )


def _further_audiences(plan: RolePlan) -> Iterator[Violation]:
    for index, name in enumerate(plan.additional_audiences):
        if name == plan.audience:
            yield Violation(
                f"additional_audiences[{index}]", name, "the provider has this audience anyway.", "Leave it out."
            )


def _transitional_subjects(plan: RolePlan) -> Iterator[Violation]:
    for index, text in enumerate(plan.transitional_subjects):
        subject = read_subject(text)
        problem = plan.problem_in_transition(subject if str(subject) == text else None)
        if problem is None and subject and subject.organization != plan.organization:
            rule = f"it is of another organization than the role, {plan.organization!r}."
            problem = Problem(rule, "Leave it out: its tokens have another audience.")
        if problem:
            yield Violation(f"transitional_subjects[{index}]", text, problem.rule, problem.fix)


ROLE_RULES: Final = (
    _transitional_subjects,
    _session_fits_role,
    _adopted_provider_signs,
    _adopted_provider_is_left_alone,
    _policies_differ,
    _policies_fit,
    _tag_keys_differ,
    _room_for_the_creator,
    _thumbprints_differ,
    _one_partition,
    _inline_policies_fit,
    _further_audiences,
)
"""What must hold between the inputs that both components share."""
