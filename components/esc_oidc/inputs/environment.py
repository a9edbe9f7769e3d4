"""The inputs of PulumiEscOidc: which tokens the role admits, and what its environment contains."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, Final

from ..claims import (
    ATTRIBUTES,
    CURRENT_ENVIRONMENT,
    LEGACY_PROJECT,
    ROOT_ENVIRONMENT,
    STACK_CONFIGURATION,
    TEAM,
    TOKEN_TYPE,
    USER,
    AttributeSubject,
    DefaultSubject,
    Subject,
    audience,
    default_subject,
    environment_spellings,
    read_subject,
    stack_configuration_subject,
    subject,
)
from ..environment import CREDENTIALS, REGION_CONFIG, REGION_VARIABLE, Login
from ..trust import Trust
from . import values
from .config_paths import config_key, read_path, structured
from .parsing import Parsed, given, parse
from .references import Path, unresolved
from .role import DECIDES, ROLE_RULES, RolePlan, upper_case
from .violations import Problem, Violation, shown

ANY: Final = "dangerously_allow_any_environment"
ANY_IN_PROJECT: Final = "dangerously_allow_any_environment_in_project"
ANY_STACK: Final = "dangerously_allow_any_stack_configuration"
OMIT: Final = "dangerously_omit_current_environment"

ASKED_BY: Final = {
    "allowed_root_environments": ROOT_ENVIRONMENT,
    "allowed_users": USER,
    "allowed_token_types": TOKEN_TYPE,
    "allowed_teams": TEAM,
}
"""Which attribute an input's values stand in."""

_OPENER_ATTRIBUTES: Final = (USER, TOKEN_TYPE, TEAM)
"""The attributes that say something of who opens, not of what is opened."""

_OPENER_INPUTS: Final = frozenset({"allowed_users", "allowed_teams", "allowed_token_types"})


@dataclass(frozen=True)
class AllowedOpener:
    """Who may open, as the subject says it. None stands for any value, an empty team for no team.

    Team and organization tokens carry the organization's name as their login. Sources: design facts from
    https://www.pulumi.com/docs/esc/guides/configuring-oidc/; that the team of other tokens stands in the
    subject as an empty value is inferred from source code, never observed.
    """

    given_by: str
    login: str | None
    token_type: str
    team: str | None

    @property
    def values(self) -> Mapping[str, str | None]:
        """The value of each attribute."""
        return {USER: self.login, TOKEN_TYPE: self.token_type, TEAM: self.team}


@dataclass(frozen=True, kw_only=True)
class EnvironmentPlan(RolePlan):
    """The inputs of PulumiEscOidc, and what follows from them. PulumiEscOidcArgs says what each means."""

    project: str = given(values.project)
    environment: str = given(values.environment_part)
    subject_attributes: tuple[str, ...] | None = given(
        values.subject_attribute, default=None, narrows=True, may_be_empty=True
    )
    allowed_environments: tuple[str, ...] = given(values.environment_reference, default=(), narrows=True)
    allowed_root_environments: tuple[str, ...] = given(values.environment_reference, default=(), narrows=True)
    allowed_users: tuple[str, ...] = given(values.user_or_team, default=(), narrows=True)
    allowed_teams: tuple[str, ...] = given(values.user_or_team, default=(), narrows=True)
    allowed_token_types: tuple[str, ...] = given(values.token_type, default=(), narrows=True)
    dangerously_allow_any_environment_in_project: bool = given(default=False)
    dangerously_allow_any_environment: bool = given(default=False)
    dangerously_omit_current_environment: bool = given(default=False)
    dangerously_allow_any_stack_configuration: bool = given(default=False)
    session_name: str = given(values.session_name, default="pulumi-esc")
    create_environment: bool = given(default=True, plain=DECIDES)
    export_environment_variables: bool = given(default=True)
    region: str | None = given(values.region, default=None)
    environment_variables: Mapping[str, str] = given(
        values.esc_text, default=dict, keys=values.variable_name, may_be_empty=True
    )
    pulumi_config: Mapping[str, str] = given(values.esc_text, default=dict, keys=config_key)
    imports: tuple[str, ...] = given(values.environment_version, default=())

    @property
    def reference(self) -> str:
        """The environment that holds the login, ``PROJECT/ENV``."""
        return f"{self.project}/{self.environment}"

    @property
    def environment_ref(self) -> str:
        """The same, ``ORG/PROJECT/ENV``."""
        return f"{self.organization}/{self.reference}"

    @cached_property
    def audience(self) -> str:
        """The one audience that the role admits."""
        return audience(self.organization, self.project)

    @cached_property
    def attributes(self) -> tuple[str, ...]:
        """The subject attributes that the login asks for."""
        if "subject_attributes" in self.names:
            return self.subject_attributes or ()
        asked = {attribute for name, attribute in ASKED_BY.items() if name in self.names}
        # An individual account's login is the organization's name, which stands in the organization's own tokens, too.
        # Outputs don't decide this: a preview that doesn't know them would not know the definition either.
        if self.later.isdisjoint({"organization", "allowed_users"}) and any(
            map(self.is_organization, self.known("allowed_users", ()))
        ):
            asked.add(TOKEN_TYPE)
        return tuple(name for name in ATTRIBUTES if name == CURRENT_ENVIRONMENT or name in asked)

    def is_organization(self, user: str) -> bool:
        """Whether a user's login is the organization's name, in any case."""
        return user.casefold() == self.organization.casefold()

    @cached_property
    def environments(self) -> tuple[str, ...]:
        """The environments whose logins may assume the role, this one first."""
        return tuple(dict.fromkeys([self.reference, *self.allowed_environments]))

    @property
    def roots(self) -> tuple[str, ...]:
        """The environments that may be opened, where the subject says which one was."""
        return self.allowed_root_environments or self.environments

    @cached_property
    def openers(self) -> tuple[AllowedOpener, ...]:
        """Who may open; empty if anyone with access may."""
        by_type = {
            "personal": AllowedOpener("allowed_token_types", None, "personal", ""),
            "team": AllowedOpener("allowed_token_types", self.organization, "team", None),
            "organization": AllowedOpener("allowed_token_types", self.organization, "organization", ""),
        }
        return (
            *(AllowedOpener("allowed_users", user, "personal", "") for user in self.allowed_users),
            *(AllowedOpener("allowed_teams", self.organization, "team", team) for team in self.allowed_teams),
            *(by_type[name] for name in self.allowed_token_types),
        )

    @cached_property
    def declared(self) -> Trust:
        """What the role admits for good: environments x roots x openers, or what a `dangerously_` input opens."""
        exact: Iterable[str] = ()
        patterns: Iterable[str] = ()
        if self.dangerously_allow_any_environment:
            any_subject = subject(self.organization, ()) + ":*"
            patterns = any_subject, default_subject(self.organization, LEGACY_PROJECT, "*")
        elif self.dangerously_allow_any_environment_in_project:
            elsewhere = [name for name in self.environments if not name.startswith(f"{self.project}/")]
            exact, patterns = self.subjects_of(elsewhere), self.subjects_of([f"{self.project}/*"])
        else:
            exact = self.subjects_of(self.environments)
        return Trust(self.issuer, self.audience, tuple(dict.fromkeys(exact)), tuple(dict.fromkeys(patterns)))

    def subjects_of(self, current: Iterable[str]) -> Iterator[str]:
        """The subjects of logins that stand in these environments."""
        if not self.attributes:
            for name in current:
                yield default_subject(self.organization, *name.split("/"))
            if self.dangerously_allow_any_stack_configuration:
                yield stack_configuration_subject(self.organization)
            return
        choices = product(
            self._choices(CURRENT_ENVIRONMENT, current), self._choices(ROOT_ENVIRONMENT, self.roots), self._opened_by()
        )
        for environment, root, opener in choices:
            found = {**environment, **root, **opener}
            yield subject(self.organization, [(name, found[name]) for name in self.attributes])

    def _choices(self, attribute: str, names: Iterable[str]) -> list[dict[str, str]]:
        if attribute not in self.attributes:
            return [{}]
        return [{attribute: spelled} for name in names for spelled in environment_spellings(name)]

    def _opened_by(self) -> list[dict[str, str]]:
        listed = [name for name in self.attributes if name in _OPENER_ATTRIBUTES]
        if not listed:
            return [{}]
        # `_openers_are_exact` has refused openers who leave a listed attribute open.
        return [
            {name: value for name in listed if (value := opener.values[name]) is not None} for opener in self.openers
        ]

    def problem_in_transition(self, subject: Subject | None) -> Problem | None:
        """Why a transitional subject, read, can't be admitted."""
        if not isinstance(subject, AttributeSubject | DefaultSubject) or not subject.is_well_formed:
            rule = "this is not the subject of a login in ESC, as Pulumi Cloud writes it."
            return Problem(rule, "Take it from the output `subjects`, or from `esc-oidc claims`.")
        attributes = dict(subject.attributes) if isinstance(subject, AttributeSubject) else {}
        if self.is_organization(attributes.get(USER, "")) and TOKEN_TYPE not in attributes:
            rule = "every team and organization token has the organization's name as its login."
            return Problem(rule, f"Leave it out, or list a subject with `{TOKEN_TYPE}`.")
        current = _current_environment_of(subject)
        if current is None or current == STACK_CONFIGURATION:
            name, rule = (
                (OMIT, f"without `{CURRENT_ENVIRONMENT}`, whoever may edit any environment can get it.")
                if current is None
                else (ANY_STACK, "every login without attributes has it when a stack's `environment:` list opens it.")
            )
            fix = f"Leave it out, or set `{name}` for as long as you list it."
            return None if getattr(self, name) else Problem(rule, fix)
        legacy = "/" not in current or current.startswith(f"{LEGACY_PROJECT}/")
        if legacy != (self.project == LEGACY_PROJECT):
            rule = "environments of the legacy project `default` have another audience than all others."
            return Problem(rule, "Leave it out: declare a second PulumiEscOidc for the other environment.")
        return None

    @property
    def subject_count(self) -> int:
        """How many subjects the lists make, without making them; spellings of the legacy project are not counted."""
        listed = self.attributes
        roots = len(self.roots) if ROOT_ENVIRONMENT in listed else 1
        openers = len(self.openers) if any(name in listed for name in _OPENER_ATTRIBUTES) else 1
        current = len(self.environments) if CURRENT_ENVIRONMENT in listed or not listed else 1
        return current * roots * openers

    @property
    def names_in_subjects(self) -> Mapping[str, tuple[str, ...]]:
        """The names that stand in subjects, by the input that gives them; only inputs that were given."""
        found = {name: (getattr(self, name),) for name in ("organization", "project", "environment")}
        lists = ("allowed_environments", *ASKED_BY)
        return found | {name: getattr(self, name) for name in lists if name in self.names}

    @property
    def login(self) -> Login:
        """Everything in the environment's definition but the role's ARN."""
        return Login(
            session_name=self.session_name,
            duration=self.duration,
            subject_attributes=self.attributes,
            session_policy_arns=self.session_policy_arns,
            imports=self.imports,
            export_environment_variables=self.export_environment_variables,
            region=self.region,
            environment_variables=self.environment_variables,
            pulumi_config=structured(self.pulumi_config)[0],
        )

    def admission_warnings(self) -> Iterable[Iterator[str]]:
        """What should be known of who gets in."""
        return (warning(self) for warning in _WARNINGS)


def _upper_case(plan: EnvironmentPlan) -> Iterator[str]:
    yield from upper_case({name: plan.known(name, "") for name in ("organization", "project", "environment")})


def _legacy_project(plan: EnvironmentPlan) -> Iterator[str]:
    if plan.project == LEGACY_PROJECT:
        yield (
            f"project: the audience of the legacy project `default` is {plan.organization!r}, which is also that of "
            "Pulumi Deployments and of other clouds' logins in that project: a token handed to those can be replayed "
            "here. Move the environment to another project."
        )


def _current_environment_first(plan: EnvironmentPlan) -> Iterator[str]:
    if CURRENT_ENVIRONMENT in plan.attributes[1:]:
        yield f"subject_attributes: list `{CURRENT_ENVIRONMENT}` first, as is usual; the order is part of the subject."


def _empty_team(plan: EnvironmentPlan) -> Iterator[str]:
    if TEAM in plan.attributes and any(opener.team == "" for opener in plan.openers):
        yield (
            "subject_attributes: for people, and for tokens that are not a team's, the subject has an empty "
            f"`{TEAM}`. That Pulumi Cloud writes it so is inferred from its source code, never observed: test it "
            "before you rely on it."
        )


def _dangerously_any(plan: EnvironmentPlan) -> Iterator[str]:
    if plan.dangerously_allow_any_environment:
        yield f"{ANY}: every environment of {plan.organization} may assume this role, {_OR_CREATE} any project."


def _dangerously_any_in_project(plan: EnvironmentPlan) -> Iterator[str]:
    if plan.dangerously_allow_any_environment_in_project:
        yield f"{ANY_IN_PROJECT}: every environment of project {plan.project} may assume this role, {_OR_CREATE} it."


def _dangerously_omitted(plan: EnvironmentPlan) -> Iterator[str]:
    if plan.dangerously_omit_current_environment:
        yield (
            f"{OMIT}: whoever may edit any environment of {plan.organization} can name this role in it and wait for "
            "the right person to open it."
        )


def _dangerously_any_stack(plan: EnvironmentPlan) -> Iterator[str]:
    if plan.dangerously_allow_any_stack_configuration:
        yield (
            f"{ANY_STACK}: every environment of {plan.organization} may assume this role when a stack's "
            f"`environment:` list opens it, {_OR_CREATE} any project."
        )


_OR_CREATE: Final = "and so may whoever can create one in"

_WARNINGS: Final = (
    _upper_case,
    _legacy_project,
    _current_environment_first,
    _empty_team,
    _dangerously_any,
    _dangerously_any_in_project,
    _dangerously_omitted,
    _dangerously_any_stack,
)


def _one_audience(plan: EnvironmentPlan) -> Iterator[Violation]:
    legacy = plan.project == LEGACY_PROJECT
    for index, name in enumerate(plan.allowed_environments):
        if name.startswith(f"{LEGACY_PROJECT}/") != legacy:
            yield Violation(
                f"allowed_environments[{index}]",
                name,
                "environments of the legacy project `default` have another audience than all others, and one role "
                "of this component trusts one audience.",
                "Declare a second PulumiEscOidc for it, with `oidc_provider_arn` of this one's provider.",
            )


def _current_environment(plan: EnvironmentPlan) -> Iterator[Violation]:
    listed = plan.subject_attributes
    omitted = listed is not None and CURRENT_ENVIRONMENT not in listed
    for_a_while = any(_current_environment_of(read_subject(text)) is None for text in plan.transitional_subjects)
    if omitted and not plan.dangerously_omit_current_environment:
        yield Violation(
            "subject_attributes",
            list(listed or ()),
            f"without `{CURRENT_ENVIRONMENT}`, whoever may edit any environment of the organization can name this "
            "role in it and wait for the right person to open it.",
            f"List `{CURRENT_ENVIRONMENT}`, or set `{OMIT}` if that is what you want.",
        )
    if plan.dangerously_omit_current_environment and not omitted and not for_a_while:
        yield Violation(OMIT, True, f"it changes nothing: `{CURRENT_ENVIRONMENT}` is in the subject.", "Leave it out.")
    if omitted and listed and "allowed_environments" in plan.names:
        yield Violation(
            "allowed_environments",
            plan.shown("allowed_environments"),
            f"the subject does not say which environment holds the login: `{CURRENT_ENVIRONMENT}` is not listed.",
            f"List `{CURRENT_ENVIRONMENT}` in `subject_attributes`, or leave `allowed_environments` out.",
        )


def _current_environment_of(subject: Subject | None) -> str | None:
    """The environment that the subject names, which holds the login; None if it names none."""
    if isinstance(subject, DefaultSubject):
        return subject.environment
    return dict(subject.attributes).get(CURRENT_ENVIRONMENT) if isinstance(subject, AttributeSubject) else None


def _values_have_attributes(plan: EnvironmentPlan) -> Iterator[Violation]:
    if plan.subject_attributes is None:
        return
    for name, attribute in ASKED_BY.items():
        if name in plan.names and attribute not in plan.subject_attributes:
            yield Violation(
                name,
                plan.shown(name),
                f"its values stand in the attribute `{attribute}`, which `subject_attributes` does not list.",
                f"List `{attribute}`, or leave `subject_attributes` out: it follows from the other inputs.",
            )


def _attributes_have_values(plan: EnvironmentPlan) -> Iterator[Violation]:
    for index, attribute in enumerate(plan.subject_attributes or ()):
        if attribute in _OPENER_ATTRIBUTES and not plan.names & _OPENER_INPUTS:
            source = next(name for name, asked in ASKED_BY.items() if asked == attribute)
            yield Violation(
                f"subject_attributes[{index}]",
                attribute,
                "no input says which values of this attribute may get in.",
                f"Give `{source}`, or leave the attribute out.",
            )


def _stack_configuration(plan: EnvironmentPlan) -> Iterator[Violation]:
    has_it = {*plan.transitional_subjects} & {stack_configuration_subject(plan.organization)}
    if plan.dangerously_allow_any_stack_configuration and plan.subject_attributes != () and not has_it:
        yield Violation(
            ANY_STACK,
            True,
            "it changes nothing: only a login without subject attributes has the subject `<yaml>`.",
            "Leave it out: with attributes, `pulumi up` works as it is.",
        )


def _any_environment_in_project(plan: EnvironmentPlan) -> Iterator[Violation]:
    if not plan.dangerously_allow_any_environment_in_project:
        return
    if plan.subject_attributes is not None and CURRENT_ENVIRONMENT not in plan.subject_attributes:
        yield Violation(
            ANY_IN_PROJECT,
            True,
            f"it changes nothing: `{CURRENT_ENVIRONMENT}`, whose values it opens, is not in the subject.",
            f"List `{CURRENT_ENVIRONMENT}` in `subject_attributes`, or leave this out.",
        )
    if plan.project == LEGACY_PROJECT:
        yield Violation(
            ANY_IN_PROJECT,
            True,
            "subjects of the legacy project `default` do not name their project: any environment there would mean any "
            "environment at all.",
            "List environments in `allowed_environments`, or move them to another project.",
        )


def _any_environment_stands_alone(plan: EnvironmentPlan) -> Iterator[Violation]:
    if not plan.dangerously_allow_any_environment:
        return
    others = [name for name in (ANY_IN_PROJECT, OMIT, ANY_STACK) if plan.known(name)]
    for name in ("subject_attributes", "allowed_environments", *ASKED_BY, "transitional_subjects", *others):
        if name in plan.names:
            yield Violation(
                name,
                plan.shown(name),
                f"`{ANY}` admits every environment of the organization, whoever opens it; this would change nothing.",
                f"Leave out one of the two, `{ANY}` if you can.",
            )


def _organization_is_no_user(plan: EnvironmentPlan) -> Iterator[Violation]:
    for index, user in enumerate(plan.allowed_users):
        if plan.is_organization(user) and TOKEN_TYPE not in plan.attributes:
            yield Violation(
                f"allowed_users[{index}]",
                user,
                "every team and organization token has the organization's name as its login.",
                f"If it is a person's login, too, give `subject_attributes`, with `{TOKEN_TYPE}` among them.",
            )


def _openers_are_exact(plan: EnvironmentPlan) -> Iterator[Violation]:
    for opener in plan.openers:
        for attribute, value in opener.values.items():
            if value is None and attribute in plan.attributes:
                what, instead = (
                    ("login", "name them all in `allowed_users`, or leave `allowed_users` out")
                    if attribute == USER
                    else ("team", "leave `allowed_teams` out: every team token includes theirs")
                )
                yield Violation(
                    opener.given_by,
                    opener.token_type,
                    f"`{attribute}` is in the subject, and a {opener.token_type} token may have any {what} there.",
                    f"Then {instead}; and leave `{attribute}` out of `subject_attributes`.",
                )


def _written_by_the_component(plan: EnvironmentPlan) -> Iterator[Violation]:
    credentials = CREDENTIALS if plan.export_environment_variables else ()
    variables = {key: key for key in plan.environment_variables}
    yield from _taken("environment_variables", variables, credentials, "export_environment_variables")
    if "region" in plan.names:
        yield from _taken("environment_variables", variables, (REGION_VARIABLE,), "region")
        into = {key: str(read_path(key)[0]) for key in plan.pulumi_config}
        yield from _taken("pulumi_config", into, (REGION_CONFIG,), "region")


def _taken(name: str, written: Mapping[str, str], keys: Collection[str], writer: str) -> Iterator[Violation]:
    for key, target in written.items():
        if target in keys:
            yield Violation(f"{name} (a key)", key, f"`{writer}` writes it already.", "Leave one of the two out.")


def _imports_others(plan: EnvironmentPlan) -> Iterator[Violation]:
    for index, name in enumerate(plan.imports):
        if name.partition("@")[0] == plan.reference:
            yield Violation(f"imports[{index}]", name, "an environment can't import itself.", "Leave it out.")


def _configuration_is_one_structure(plan: EnvironmentPlan) -> Iterator[Violation]:
    for key, problem in structured(plan.pulumi_config)[1].items():
        yield Violation("pulumi_config (a key)", key, problem.rule, problem.fix)


def _references_resolve(plan: EnvironmentPlan) -> Iterator[Violation]:
    given_in: dict[Path, tuple[str, str]] = {
        **{("environmentVariables", key): ("environment_variables", key) for key in plan.environment_variables},
        **{("pulumiConfig", *read_path(key)): ("pulumi_config", key) for key in plan.pulumi_config},
    }
    login = Login(
        session_name="",
        duration="",
        subject_attributes=(),
        imports=plan.imports,
        export_environment_variables=plan.export_environment_variables,
        region=plan.known("region", "not known yet"),
        environment_variables=plan.environment_variables,
        pulumi_config=structured(plan.pulumi_config)[0],
    )
    for place, problem in unresolved(login, plan.reference).items():
        name, key = given_in[place]
        yield Violation(f"{name}[{shown(key)}]", getattr(plan, name)[key], problem.rule, problem.fix)


def _aws_limits(plan: EnvironmentPlan) -> Iterator[Violation]:
    if any(_openers_are_exact(plan)):
        return
    too_many = list(plan.count_limit(plan.subject_count))
    yield from too_many
    if not too_many:
        wide = plan.dangerously_allow_any_environment or plan.dangerously_allow_any_environment_in_project
        minted = plan.subjects_of(plan.environments) if wide else plan.declared.subjects
        yield from plan.subject_limit(minted, "Shorten the names that stand in it, or list fewer attributes.")
        yield from plan.policy_limit(plan.longest_provider_arn)


_RULES: Final = (
    *ROLE_RULES,
    _one_audience,
    _current_environment,
    _values_have_attributes,
    _attributes_have_values,
    _stack_configuration,
    _any_environment_in_project,
    _any_environment_stands_alone,
    _organization_is_no_user,
    _openers_are_exact,
    _written_by_the_component,
    _imports_others,
    _configuration_is_one_structure,
    _references_resolve,
    _aws_limits,
)


def parse_environment(
    arguments: type, component: str, raw: Mapping[str, Any], later: frozenset[str] = frozenset()
) -> Parsed[EnvironmentPlan]:
    """Judge the inputs of the PulumiEscOidc of this name; see `parsing.parse`."""
    return parse(EnvironmentPlan, _RULES, arguments, component, raw, later)
