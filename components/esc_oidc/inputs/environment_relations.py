"""Rules between the inputs of PulumiEscOidc: who gets in, and the environment's definition."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

from ..claims import CURRENT_ENVIRONMENT, LEGACY_PROJECT, TOKEN_TYPE, audience
from ..environment import CREDENTIALS, REGION_CONFIG, REGION_VARIABLE
from ..trust import provider_arn
from .limits import count_limit, policy_limit, subject_limit
from .openers import OPENER_ATTRIBUTES, open_ended
from .relations import SHARED_RELATIONS, further_audiences, needs
from .subjects import ASKED_BY, attributes, declared_trust, everyone, minted_subjects, own_environment, subject_count
from .violations import Violation

OMIT: Final = "dangerously_omit_current_environment"
ANY_IN_PROJECT: Final = "dangerously_allow_any_environment_in_project"
ANY: Final = "dangerously_allow_any_environment"
ANY_STACK: Final = "dangerously_allow_any_stack_configuration"

_OPENER_INPUTS: Final = ("allowed_users", "allowed_teams", "allowed_token_types")
_TRUST_INPUTS: Final = (
    "organization", "project", "environment", "subject_attributes", "allowed_environments",
    "allowed_root_environments", *_OPENER_INPUTS, ANY_IN_PROJECT, ANY, OMIT, ANY_STACK,
)  # fmt: skip


@needs("project", "allowed_environments")
def _one_audience(known: Mapping[str, Any], _given: AbstractSet[str]) -> Iterator[Violation]:
    legacy = known["project"] == LEGACY_PROJECT
    for index, name in enumerate(known.get("allowed_environments", ())):
        if name.startswith(f"{LEGACY_PROJECT}/") != legacy:
            yield Violation(
                f"allowed_environments[{index}]",
                name,
                "environments of the legacy project `default` have another audience than all others, and one role "
                "of this component trusts one audience.",
                "Declare a second PulumiEscOidc for it, with `oidc_provider_arn` of this one's provider.",
            )


@needs("subject_attributes", OMIT)
def _current_environment(known: Mapping[str, Any], given: AbstractSet[str]) -> Iterator[Violation]:
    omitted = CURRENT_ENVIRONMENT not in known.get("subject_attributes", (CURRENT_ENVIRONMENT,))
    if omitted and not known.get(OMIT):
        yield Violation(
            "subject_attributes",
            known["subject_attributes"],
            f"without `{CURRENT_ENVIRONMENT}`, whoever may edit any environment of the organization can name this "
            "role in it and wait for the right person to open it.",
            f"List `{CURRENT_ENVIRONMENT}`, or set `{OMIT}` if that is what you want.",
        )
    if known.get(OMIT) and not omitted:
        yield Violation(OMIT, True, f"it changes nothing: `{CURRENT_ENVIRONMENT}` is in the subject.", "Leave it out.")
    if omitted and known["subject_attributes"] and "allowed_environments" in given:
        yield Violation(
            "allowed_environments",
            known.get("allowed_environments", "(given)"),
            f"the subject does not say which environment holds the login: `{CURRENT_ENVIRONMENT}` is not listed.",
            f"List `{CURRENT_ENVIRONMENT}` in `subject_attributes`, or leave `allowed_environments` out.",
        )


@needs("subject_attributes")
def _values_have_attributes(known: Mapping[str, Any], given: AbstractSet[str]) -> Iterator[Violation]:
    listed = known.get("subject_attributes")
    for name, attribute in ASKED_BY.items():
        if listed is not None and name in given and attribute not in listed:
            yield Violation(
                name,
                known.get(name, "(given)"),
                f"its values stand in the attribute `{attribute}`, which `subject_attributes` does not list.",
                f"List `{attribute}`, or leave `subject_attributes` out: it follows from the other inputs.",
            )


@needs("subject_attributes")
def _attributes_have_values(known: Mapping[str, Any], given: AbstractSet[str]) -> Iterator[Violation]:
    for index, attribute in enumerate(known.get("subject_attributes", ())):
        if attribute in OPENER_ATTRIBUTES and not given & set(_OPENER_INPUTS):
            source = next(name for name, asked in ASKED_BY.items() if asked == attribute)
            yield Violation(
                f"subject_attributes[{index}]",
                attribute,
                "no input says which values of this attribute may get in.",
                f"Give `{source}`, or leave the attribute out.",
            )


@needs("subject_attributes", ANY_STACK)
def _stack_configuration(known: Mapping[str, Any], _given: AbstractSet[str]) -> Iterator[Violation]:
    if known.get(ANY_STACK) and known.get("subject_attributes") != []:
        yield Violation(
            ANY_STACK,
            True,
            "it changes nothing: only a login without subject attributes has the subject `<yaml>`.",
            "Leave it out: with attributes, `pulumi up` works as it is.",
        )


@needs("project", "subject_attributes", ANY_IN_PROJECT)
def _any_environment_in_project(known: Mapping[str, Any], _given: AbstractSet[str]) -> Iterator[Violation]:
    if not known.get(ANY_IN_PROJECT):
        return
    if known["project"] == LEGACY_PROJECT:
        yield Violation(
            ANY_IN_PROJECT,
            True,
            "subjects of the legacy project `default` do not say their project: any environment there would be any "
            "environment at all.",
            "List environments in `allowed_environments`, or move them to another project.",
        )
    if CURRENT_ENVIRONMENT not in known.get("subject_attributes", (CURRENT_ENVIRONMENT,)):
        yield Violation(
            ANY_IN_PROJECT,
            True,
            f"it changes nothing: `{CURRENT_ENVIRONMENT}`, whose values it opens, is not in the subject.",
            f"List `{CURRENT_ENVIRONMENT}` in `subject_attributes`, or leave this out.",
        )


@needs(ANY)
def _any_environment_stands_alone(known: Mapping[str, Any], given: AbstractSet[str]) -> Iterator[Violation]:
    if not known.get(ANY):
        return
    for name in _TRUST_INPUTS:
        widens = name.startswith("dangerously_") and name != ANY and known.get(name)
        narrows = (name.startswith("allowed_") or name == "subject_attributes") and name in given
        if widens or narrows:
            yield Violation(
                name,
                known.get(name, "(given)"),
                f"`{ANY}` admits every environment of the organization, whoever opens it; this would change nothing.",
                f"Leave out one of the two, `{ANY}` if you can.",
            )


@needs("organization", "allowed_users", "subject_attributes")
def _organization_is_no_user(known: Mapping[str, Any], given: AbstractSet[str]) -> Iterator[Violation]:
    listed = known.get("subject_attributes", (TOKEN_TYPE,) if "allowed_token_types" in given else ())
    for index, user in enumerate(known.get("allowed_users", ())):
        if user.casefold() == known["organization"].casefold() and TOKEN_TYPE not in listed:
            yield Violation(
                f"allowed_users[{index}]",
                user,
                "every team and organization token has the organization's name as its login.",
                f"If a person has this login too, list `{TOKEN_TYPE}` in `subject_attributes` as well.",
            )


@needs("organization", "subject_attributes", *_OPENER_INPUTS)
def _openers_are_exact(known: Mapping[str, Any], _given: AbstractSet[str]) -> Iterator[Violation]:
    yield from open_ended(everyone(known), attributes(known))


@needs("region", "export_environment_variables", "environment_variables", "pulumi_config")
def _written_by_the_component(known: Mapping[str, Any], _given: AbstractSet[str]) -> Iterator[Violation]:
    exported = known.get("export_environment_variables", True)
    yield from _taken(known, "environment_variables", CREDENTIALS if exported else (), "export_environment_variables")
    if "region" in known:
        yield from _taken(known, "environment_variables", (REGION_VARIABLE,), "region")
        yield from _taken(known, "pulumi_config", (REGION_CONFIG,), "region")


def _taken(known: Mapping[str, Any], name: str, keys: Any, writer: str) -> Iterator[Violation]:
    for key in known.get(name, ()):
        if key in keys:
            yield Violation(f"{name} (a key)", key, f"`{writer}` writes it already.", "Leave one of the two out.")


@needs("project", "environment", "imports")
def _imports_others(known: Mapping[str, Any], _given: AbstractSet[str]) -> Iterator[Violation]:
    for index, name in enumerate(known.get("imports", ())):
        if name == own_environment(known):
            yield Violation(f"imports[{index}]", name, "an environment cannot import itself.", "Leave it out.")


@needs("issuer", *_TRUST_INPUTS)
def _aws_limits(known: Mapping[str, Any], _given: AbstractSet[str]) -> Iterator[Violation]:
    if any(open_ended(everyone(known), attributes(known))):
        return
    too_many = list(count_limit(known, subject_count(known)))
    yield from too_many
    if not too_many:
        trust = declared_trust(known)
        yield from subject_limit(
            known, minted_subjects(known), "Shorten the names that stand in it, or list fewer attributes."
        )
        yield from policy_limit(known, trust, provider_arn(trust.issuer))


ENVIRONMENT_RELATIONS: Final = (
    *SHARED_RELATIONS,
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
    further_audiences(lambda known: audience(known["organization"], known["project"]), "organization", "project"),
    _aws_limits,
)
"""Every rule between the inputs of PulumiEscOidc."""
