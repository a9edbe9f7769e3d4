"""From inputs to what must be admitted: environments x roots x openers, in the order of the attributes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Final

from ..claims import (
    ATTRIBUTES,
    CURRENT_ENVIRONMENT,
    ISSUER,
    LEGACY_PROJECT,
    ROOT_ENVIRONMENT,
    TEAM,
    TOKEN_TYPE,
    USER,
    audience,
    default_subject,
    environment_spellings,
    stack_configuration_subject,
    subject,
)
from ..trust import Trust
from .openers import OPENER_ATTRIBUTES, Opener, openers

ASKED_BY: Final = {
    "allowed_root_environments": ROOT_ENVIRONMENT,
    "allowed_users": USER,
    "allowed_token_types": TOKEN_TYPE,
    "allowed_teams": TEAM,
}
"""Which attribute an input's values stand in."""

Inputs = Mapping[str, Any]
"""Inputs by name, each good on its own; those not given are absent."""


def attributes(inputs: Inputs) -> tuple[str, ...]:
    """The subject attributes that the login asks for."""
    if "subject_attributes" in inputs:
        return tuple(inputs["subject_attributes"])
    asked = {attribute for name, attribute in ASKED_BY.items() if name in inputs}
    return tuple(name for name in ATTRIBUTES if name == CURRENT_ENVIRONMENT or name in asked)


def own_environment(inputs: Inputs) -> str:
    """The environment that holds the login, ``PROJECT/ENV``."""
    return f"{inputs['project']}/{inputs['environment']}"


def environments(inputs: Inputs) -> tuple[str, ...]:
    """The environments that may assume the role, this one first."""
    return tuple(dict.fromkeys([own_environment(inputs), *inputs.get("allowed_environments", ())]))


def everyone(inputs: Inputs) -> list[Opener]:
    """The openers, none where anyone may open whom Pulumi Cloud lets."""
    return openers(
        inputs["organization"],
        *(inputs.get(name, ()) for name in ("allowed_users", "allowed_teams", "allowed_token_types")),
    )


def declared_trust(inputs: Inputs) -> Trust:
    """The audience and the subjects that must be admitted."""
    exact, patterns = _subjects(inputs)
    return Trust(
        issuer=inputs.get("issuer", ISSUER),
        audience=audience(inputs["organization"], inputs["project"]),
        subjects=tuple(dict.fromkeys(exact)),
        patterns=tuple(dict.fromkeys(patterns)),
    )


def subject_count(inputs: Inputs) -> int:
    """How many subjects the lists make, without making them; spellings of the legacy project are not counted."""
    listed = attributes(inputs)
    roots = inputs.get("allowed_root_environments", environments(inputs)) if ROOT_ENVIRONMENT in listed else ("any",)
    openers_listed = everyone(inputs) if any(name in listed for name in OPENER_ATTRIBUTES) else ("anyone",)
    current = environments(inputs) if CURRENT_ENVIRONMENT in listed or not listed else ("any",)
    return len(current) * len(roots) * len(openers_listed)


def minted_subjects(inputs: Inputs) -> tuple[str, ...]:
    """The subjects of the environments that the inputs name, also where a pattern admits them."""
    wide = ("dangerously_allow_any_environment", "dangerously_allow_any_environment_in_project")
    return declared_trust({name: value for name, value in inputs.items() if name not in wide}).subjects


def _subjects(inputs: Inputs) -> tuple[Iterable[str], Iterable[str]]:
    organization, project = inputs["organization"], inputs["project"]
    if inputs.get("dangerously_allow_any_environment"):
        return (), (subject(organization, ()) + ":*", default_subject(organization, LEGACY_PROJECT, "*"))
    if not attributes(inputs):
        return _without_attributes(inputs), ()
    if inputs.get("dangerously_allow_any_environment_in_project"):
        named = [name for name in environments(inputs) if not name.startswith(f"{project}/")]
        return _with_attributes(inputs, named), _with_attributes(inputs, [f"{project}/*"])
    return _with_attributes(inputs, environments(inputs)), ()


def _without_attributes(inputs: Inputs) -> Iterator[str]:
    organization = inputs["organization"]
    for name in environments(inputs):
        yield default_subject(organization, *name.split("/"))
    if inputs.get("dangerously_allow_any_stack_configuration"):
        yield stack_configuration_subject(organization)


def _with_attributes(inputs: Inputs, current: Sequence[str]) -> Iterator[str]:
    listed = attributes(inputs)
    roots = inputs.get("allowed_root_environments", environments(inputs))
    choices = [
        [(CURRENT_ENVIRONMENT, name) for name in _spelled(current)] if CURRENT_ENVIRONMENT in listed else [None],
        [(ROOT_ENVIRONMENT, name) for name in _spelled(roots)] if ROOT_ENVIRONMENT in listed else [None],
        _opener_choices(inputs, listed),
    ]
    for current_pair, root_pair, opener_values in product(*choices):
        values = {**opener_values, **dict(filter(None, (current_pair, root_pair)))}
        yield subject(inputs["organization"], [(name, values[name]) for name in listed])


def _spelled(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield from environment_spellings(name)


def _opener_choices(inputs: Inputs, listed: Sequence[str]) -> Sequence[Any]:
    if not any(name in listed for name in OPENER_ATTRIBUTES):
        return [{}]
    return [{name: value for name, value in opener.values().items() if name in listed} for opener in everyone(inputs)]
