"""What the component can say of an existing role and environment: its inputs, or every reason why it can't.

The inputs are guessed from the trust policy's subjects and from the login. Then their own trust policy is made and
proved to admit exactly the same tokens as the live one, and the rest of both documents is compared. So a wrong guess is
a refusal, never a change.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ..claims import ISSUER, KeySubject, read_subject
from ..definitions import LoginBlock, filled, read_definition
from ..inputs import EnvironmentPlan, Parsed, Violation, printable
from ..sessions import HOUR, duration_text, seconds
from ..trust import read_iam_arn, rendered
from ..verify import UndefinedBehaviour, lint, prove
from .admission import (
    ANY,
    LEAVE,
    MEND,
    NARROW,
    Admission,
    LivePolicy,
    Reason,
    Reasons,
    matches,
    meaning,
    read_policy,
    some,
    statements_of,
)
from .aws import LiveProvider, LiveRole, RoleDetails
from .contents import AdoptedEnvironment, Contents

Parse = Callable[[Mapping[str, Any]], Parsed[EnvironmentPlan]]
"""The door of the component's inputs."""

_DEFAULT_DURATION: Final = "2h"
"""ESC's, where a login names none. Source: the schema of aws-login in Pulumi's documentation."""

_DEFAULT_SESSION: Final = "pulumi-esc"
_STACK_NAME: Final = "aws:cloudformation:stack-name"
_CONSENT: Final = "If they may get in, run it again with --accept-widening."
_WIDEN: Final = "If they may get in, run it again with --accept-widening; otherwise use two roles."


class NotAdoptable(Exception):  # noqa: N818 - an answer, not a mistake in the program
    """What exists can't be said with the component's inputs.

    Attributes:
        reasons: Every reason.
    """

    def __init__(self, *reasons: Reason) -> None:
        super().__init__("; ".join(each.what for each in reasons))
        self.reasons = reasons


@dataclass(frozen=True)
class Existing:
    """What there is.

    Attributes:
        organization, project, environment: Which environment.
        definition: Its text, as Pulumi Cloud stores it.
        login: The login in there that is adopted.
        role: The role that it assumes.
        details: What the role has besides.
        provider: The OIDC provider that the role trusts; None if it is not known.
        provider_tags: Its tags.
    """

    organization: str
    project: str
    environment: str
    definition: str
    login: LoginBlock
    role: LiveRole
    details: RoleDetails
    provider: LiveProvider | None = None
    provider_tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def base(self) -> dict[str, Any]:
        """The inputs that say which environment it is."""
        return {"organization": self.organization, "project": self.project, "environment": self.environment}


@dataclass(frozen=True)
class Wishes:
    """What the user wants other than the default.

    Attributes:
        import_provider: Whether the component becomes the provider's owner, too.
        narrow: Whether to leave out what lets too many in.
        accept_widening: Whether others may get in than today.
    """

    import_provider: bool = False
    narrow: bool = False
    accept_widening: bool = False


@dataclass(frozen=True)
class Adoption:
    """How the component says what exists.

    Attributes:
        inputs: Its inputs, in the order in which a person would write them.
        plan: What they come to.
        rewrites_policy: Whether the trust policy gets another text; who gets in is in `gained` and `lost`.
        gained: Subjects that get in and do not today.
        respelled: The same, of environments that get in today under another spelling.
        lost: Subjects that get in today and no longer will: the shortest, and all that the policy names.
        closes_audiences: Whether tokens of every audience get in today, and those of one from then on.
        environment: What becomes of the environment.
        rules: The lint rules that the adopted trust policy breaks.
        notes: What else to know.
    """

    inputs: Mapping[str, Any]
    plan: EnvironmentPlan
    rewrites_policy: bool
    gained: tuple[str, ...]
    respelled: tuple[str, ...]
    lost: tuple[str, ...]
    closes_audiences: bool
    environment: AdoptedEnvironment
    rules: tuple[str, ...]
    notes: tuple[str, ...] = ()


def find_login(definition: str, path: str | None = None) -> LoginBlock:
    """The one login in a definition, or the one at this path.

    Raises:
        BadDefinition: It can't be read.
        NotAdoptable: There is no login of its own, or none is named among several.
    """
    found = read_definition(definition)
    logins = [each for each in found.logins if path in {None, each.path}]
    if len(logins) == 1:
        return logins[0]
    if logins:
        paths = ", ".join(printable(each.path) for each in logins)
        raise NotAdoptable(Reason(f"the environment has {len(logins)} logins: {paths}.", "Name one with --login."))
    if found.logins:
        paths = ", ".join(printable(each.path) for each in found.logins)
        raise NotAdoptable(Reason(f"there is no login at {printable(path or '')}.", f"There is {paths}."))
    if found.other_logins:
        what = f"the login at {printable(', '.join(found.other_logins))} has static credentials, and asks for no token."
        raise NotAdoptable(Reason(what, "Let the component make a role and a login of its own, and remove this one."))
    imports = ", ".join(printable(each.name) for each in found.imports)
    offer = f"It imports {imports}: adopt the one that holds the login." if imports else "There is nothing to adopt."
    raise NotAdoptable(Reason("the environment holds no login of its own.", offer))


def role_arn_of(login: LoginBlock) -> str | None:
    """The ARN of the role that a login assumes; None if it is known only once the environment is opened."""
    return filled(login.role_arn, {}) if login.role_arn else None


def adopt(existing: Existing, wishes: Wishes, parse: Parse) -> Adoption:
    """The component's inputs for what exists.

    Raises:
        NotAdoptable: It can't be said with them, or not without consent.
    """
    return _Adopting(existing, wishes, parse).adoption()


class _Adopting:
    """The adoption of one role and one environment."""

    def __init__(self, existing: Existing, wishes: Wishes, parse: Parse) -> None:
        self._existing = existing
        self._wishes = wishes
        self._parse = parse
        self._reasons = Reasons()
        self._notes: list[str] = []

    def adoption(self) -> Adoption:
        """The result."""
        existing, login = self._existing, self._existing.login
        for name in login.unknown:
            if name != "roleArn":
                what = f"the login's {name} refers to something that is known only once the environment is opened."
                self._reasons.add(what, "Write its value into the login first.")
        described = self._described()
        self._check(self._parse({**existing.base, **described}))
        policy = self._policy()
        trusted = self._provider(policy) if policy else {}
        if policy is None or login.subject_attributes is None:
            raise NotAdoptable(*self._reasons.all())
        reference = "/".join(existing.base.values())
        admission = Admission(policy, reference, login.subject_attributes, self._reasons)
        admitted = admission.narrowed() if self._wishes.narrow else admission.inputs()
        contents = Contents(existing.definition, login)
        inputs = self._without_default_attributes({**existing.base, **admitted, **trusted, **described})
        found, wrong = contents.inputs(), list[Violation]()
        parsed = self._parse({**inputs, **found})
        if any(each.name in found for each in parsed.violations):
            wrong = [each for each in parsed.violations if each.name in found]
            parsed = self._parse(inputs)
        self._check(parsed)
        difference = _Difference((), (), ())
        if not parsed.violations:
            try:
                difference = self._compared(admission, parsed.plan)
            except UndefinedBehaviour as error:
                self._reasons.add(f"who gets in can't be proved: {error}", LEAVE)
        if self._reasons:
            raise NotAdoptable(*self._reasons.all())
        environment = contents.adopted(
            parsed.plan, existing.role.arn, [f"{each.name}, which the component does not take" for each in wrong]
        )
        inputs |= found if environment.is_imported else {"create_environment": False}
        plan = self._parse(inputs).plan
        written = json.loads(plan.policy(str(policy.provider)).text)
        return Adoption(
            inputs,
            plan,
            _comparable(json.loads(existing.role.policy)) != _comparable(written),
            difference.gained,
            difference.respelled,
            difference.lost,
            policy.lacks_audience,
            environment,
            tuple(dict.fromkeys(each.rule for each in lint(written, existing.role.arn))),
            tuple(self._notes),
        )

    def _check(self, parsed: Parsed[EnvironmentPlan]) -> None:
        for each in parsed.violations:
            self._reasons.add(f"{each.input} can't be written: {each.rule}", f"{MEND} {each.fix}")

    def _policy(self) -> LivePolicy | None:
        try:
            return read_policy(self._existing.role.policy, self._reasons)
        except ValueError:
            self._reasons.add("the role's trust policy is none that AWS would take.", MEND)
            return None

    def _without_default_attributes(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs, without `subject_attributes` where they follow from the others."""
        others = {name: value for name, value in inputs.items() if name != "subject_attributes"}
        default = list(self._parse(others).plan.attributes)
        return others if inputs.get("subject_attributes") == default else dict(inputs)

    # What changes for whom

    def _compared(self, admission: Admission, plan: EnvironmentPlan) -> "_Difference":
        """Who gets in other than today. What needs consent and has none becomes a reason."""
        policy, declared = admission.policy, plan.trust
        today = policy.trust(admission.audience)
        gained = [
            each for each in declared.subjects if each not in today.subjects and not matches(today.patterns, each)
        ]
        lost = [each for each in policy.exact if each not in declared.subjects and not matches(declared.patterns, each)]
        if not self._reasons:
            gained, lost = self._proved(admission, plan, gained, lost)
        named = {meaning(each) for each in policy.exact}
        respelled = tuple(each for each in gained if meaning(each) in named)
        new = tuple(each for each in gained if each not in respelled)
        if admission.wide and not self._wishes.narrow:
            for verb, subjects in (("also admit", new), ("no longer admit", lost)):
                if subjects:
                    what = f"the trust policy has {some(map(repr, admission.wide))}, which no input stands for: the"
                    self._reasons.add(f"{what} nearest, {ANY}, would {verb} {some(subjects)}.", NARROW)
            return _Difference(new, respelled, tuple(lost))
        if lost and not self._wishes.narrow and not self._reasons:
            self._reasons.add(f"the component would no longer admit {some(lost)}.", NARROW)
        if new and not self._wishes.accept_widening and not self._gets_in_today(admission, plan):
            if not admission.names_this_environment and not admission.wide:
                what, offer = "the trust policy lacks this environment: the component would add", _CONSENT
            elif plan.attributes == self._existing.login.subject_attributes:
                what, offer = "the component admits every combination of its lists, and would add", _WIDEN
            else:
                what, offer = "some do not get in today who would: the component would add", _CONSENT
            if admission.rows or not self._reasons:
                self._reasons.add(f"{what} {some(new)}.", offer)
        return _Difference(new, respelled, tuple(lost))

    def _gets_in_today(self, admission: Admission, plan: EnvironmentPlan) -> bool:
        """Whether subjects are new only because the login asks for other attributes from now on."""
        if not self._wishes.narrow or plan.attributes == self._existing.login.subject_attributes:
            return False
        arn, today = str(admission.policy.provider), admission.policy.trust(admission.audience)
        if not today.subjects and not today.patterns:
            return False
        trusts = today, admission.as_today(plan.trust.subjects)
        statements = [each for trust in trusts for each in statements_of(json.loads(rendered(trust, arn).text))]
        return prove({"Version": "2012-10-17", "Statement": statements}, today).holds

    def _proved(
        self, admission: Admission, plan: EnvironmentPlan, gained: list[str], lost: list[str]
    ) -> tuple[list[str], list[str]]:
        """The same subjects, and the shortest that a proof over all tokens finds; nothing if both admit the same."""
        policy, live = admission.policy, json.loads(self._existing.role.policy)
        today = policy.trust(admission.audience)
        proof = prove(live, plan.trust)
        if proof.holds:
            return [], []
        # Of other audiences nothing more is to be said than that they go: see Adoption.closes_audiences.
        statements = [
            each
            for trust in (today, plan.trust)
            for each in statements_of(json.loads(rendered(trust, str(policy.provider)).text))
        ]
        both = {**live, "Statement": statements}
        more = prove(both, today).counterexample
        less = prove(both, plan.trust).counterexample
        if more and plan.trust.patterns:
            gained = list(dict.fromkeys([*gained, more.subject]))
        if less and isinstance(read_subject(less.subject), KeySubject):
            # Not a login at all; what a policy admits that asks for the audience alone.
            self._notes.append(f"Pulumi Cloud's tokens for customer-managed keys, {less.subject}, get in no longer.")
            with_keys = replace(plan.trust, subjects=(*plan.trust.subjects, less.subject))
            less = prove(both, with_keys).counterexample
        if less and less.documented:
            lost = list(dict.fromkeys([less.subject, *lost]))
        elif less:
            # What asks for the audience alone admits these, and nobody has them.
            what = "Tokens of a form that Pulumi documents nowhere get in no longer, such as one with the subject"
            self._notes.append(f"{what} {less.subject}.")
        elif not (gained or lost or more or policy.lacks_audience):
            self._reasons.add(f"the component would admit others: {proof.reason}", LEAVE)
        return gained, lost

    # The provider and the role

    def _provider(self, policy: LivePolicy) -> dict[str, Any]:
        """The inputs for the provider."""
        existing, arn = self._existing, str(policy.provider)
        own, provider = read_iam_arn(existing.role.arn), existing.provider
        issuer = {} if policy.issuer == ISSUER else {"issuer": policy.issuer}
        audience = self._parse(existing.base).plan.known("audience", "")
        if own and (own.account, own.partition) != (policy.provider.account, policy.provider.partition):
            what = f"the role is in account {own.account}, and its provider in {policy.provider.account}:"
            self._reasons.add(f"{what} nobody gets in.", MEND)
        elif provider is None:
            self._notes.append("The provider was not read: see for yourself that it lists the audience.")
        elif audience not in provider.client_ids:
            command = f"aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn {arn}"
            what = f"the provider lacks the audience {audience}: nobody gets in."
            self._reasons.add(what, f"{MEND} {command} --client-id {audience}")
        if not self._wishes.import_provider:
            return {"oidc_provider_arn": arn, **issuer}
        if provider is None:
            self._reasons.add("the provider was not read, so it can't be imported.", "Leave out --import-provider.")
            return issuer
        if _own_tags(existing.provider_tags) != _own_tags(existing.details.tags):
            what = "the provider has other tags than the role, and the component gives both the same."
            self._reasons.add(what, "Leave out --import-provider, or give both the same tags first.")
        further = [each for each in provider.client_ids if each != audience]
        return {**issuer, **({"additional_audiences": further} if further else {}), "retain_oidc_provider": True}

    def _described(self) -> dict[str, Any]:
        """The inputs for all that the role has besides, and for its sessions."""
        existing, details, login = self._existing, self._existing.details, self._existing.login
        path, _, name = existing.role.arn.partition(":role/")[2].rpartition("/")
        if _STACK_NAME in details.tags:
            what = f"CloudFormation owns the role: it is in the stack {details.tags[_STACK_NAME]!r}."
            self._reasons.add(what, "Take it out of that stack first, with the deletion policy Retain.")
        duration = login.duration or _DEFAULT_DURATION
        try:
            longest = max(HOUR, seconds(duration))
        except ValueError:
            longest = HOUR  # the inputs' door says that it is none
        maximum = existing.role.max_session_duration
        found = {
            "role_name": name,
            "role_path": f"/{path}/" if path else "",
            "role_description": details.description,
            "permissions_boundary_arn": details.boundary,
            "policy_arns": list(details.attached),
            "inline_policies": {key: json.loads(text) for key, text in details.inline.items()},
            "max_session_duration": duration_text(maximum) if maximum != longest else "",
            "duration": duration if duration != "1h" else "",
            "session_name": login.session_name if login.session_name != _DEFAULT_SESSION else "",
            "session_policy_arns": [filled(each, {}) or each for each in login.policy_arns or ()],
            "tags": _own_tags(details.tags),
        }
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True)
class _Difference:
    """Who gets in other than today."""

    gained: tuple[str, ...]
    respelled: tuple[str, ...]
    lost: tuple[str, ...]


def _comparable(policy: object) -> Any:
    """What AWS's provider for Pulumi takes for the same: order and lists of one don't count."""
    if isinstance(policy, dict):
        return {key: _comparable(item) for key, item in policy.items()}
    if isinstance(policy, list):
        items = sorted((_comparable(item) for item in policy), key=lambda each: json.dumps(each, sort_keys=True))
        return items[0] if len(items) == 1 else items
    return policy


def _own_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that a user may set: those that begin with ``aws:`` are AWS's."""
    return {key: value for key, value in tags.items() if not key.lower().startswith("aws:")}
