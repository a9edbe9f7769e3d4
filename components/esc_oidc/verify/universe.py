"""The tokens that Pulumi Cloud can mint for an organization, as far as its documentation says, and all it leaves open.

Sources, besides those of `esc_oidc.claims`: https://www.pulumi.com/docs/esc/guides/configuring-oidc/ and its pages on
Azure, Doppler, Google Cloud, Infisical and Vault, and https://www.pulumi.com/docs/esc/providers/login/snowflake-login/
for audiences. docs/trust.md lists the source of each part.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from ..claims import (
    CURRENT_ENVIRONMENT,
    DRIFT_OPERATIONS,
    KEYS_HEAD,
    OPERATIONS,
    ORGANIZATION_LOGIN,
    ROOT_ENVIRONMENT,
    STACK_CONFIGURATION,
    SUBJECT_HEADS,
    TEAM,
    TOKEN_TYPE,
    TOKEN_TYPES,
    USER,
    AttributeSubject,
    DeploymentSubject,
    read_subject,
)
from .automata import AnyOf, Form, Items, OneOf, Some

_LOWER: Final = "abcdefghijklmnopqrstuvwxyz"
_NAME: Final = (Some(f"{_LOWER}ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."),)
_PERSON: Final = (Some(f"{_NAME[0].characters}@+"),)
_WITH_PROJECT: Final = (*_NAME, "/", *_NAME)
_WITH_OR_WITHOUT: Final = (*_NAME, OneOf(((), ("/", *_NAME))))
_PINNED_TOO: Final = (*_WITH_OR_WITHOUT, OneOf(((), ("@", *_NAME))))

CLOUDS: Final = ("aws", "azure", "gcp", "doppler", "infisical", "snowflake")
"""What the guides name before an organization in an audience."""

_ATTRIBUTES, _BY_NAME, _DEPLOYMENT, _KEYS = ((head,) for head in (*SUBJECT_HEADS, KEYS_HEAD))


@lru_cache(maxsize=1)
def everything() -> tuple[Form, ...]:
    """Every token, where the documentation leaves something open in the largest reading.

    Any cloud in an audience; of subjects, attributes repeated, in any order, or none; values of every form that is
    inferred (pinned versions, no project, an empty team or token type); any token type; any operation.
    """
    characters = f"{_LOWER}-_"
    anything: Items = (Some(_PERSON[0].characters, may_be_empty=True),)
    return _largest((_NAME,), (Some(characters, may_be_empty=True),), (Some(characters),), _NAME, anything)


@lru_cache(maxsize=256)
def known(organization: str | None) -> tuple[Form, ...]:
    """The same with known words alone, of one organization or somewhat more than that of any: nothing is invented."""
    operations: Items = (OneOf(tuple((word,) for word in (*OPERATIONS, *DRIFT_OPERATIONS))),)
    # "Each context.pulumi.token property resolves to an empty string when it doesn't apply to the credential in use."
    kinds: Items = (OneOf(((), *((word,) for word in TOKEN_TYPES))),)
    name: Items = (organization,) if organization else _NAME
    return _largest(tuple((cloud,) for cloud in CLOUDS), kinds, operations, name, name)


def _largest(
    clouds: tuple[Items, ...], kind: Items, operation: Items, organization: Items, login: Items
) -> tuple[Form, ...]:
    cloud: Items = (OneOf(((), *((*each, ":") for each in clouds))),)
    values: dict[str, Items] = {
        CURRENT_ENVIRONMENT: _PINNED_TOO,
        ROOT_ENVIRONMENT: _PINNED_TOO,
        USER: _PERSON,
        TOKEN_TYPE: kind,
        TEAM: (Some(_PERSON[0].characters, may_be_empty=True),),
        ORGANIZATION_LOGIN: login,
    }
    attributes = AnyOf(tuple((f":{name}:", *value) for name, value in values.items()), repeatable=True)
    return (
        Form(cloud, _ATTRIBUTES, organization, (attributes,)),
        Form(cloud, _BY_NAME, organization, (":env:", OneOf((_PINNED_TOO, (STACK_CONFIGURATION,))))),
        Form((), _DEPLOYMENT, organization, _deployment(operation)),
        Form(cloud, _KEYS, organization, ()),
    )


def invented_in(audience: str, sub: str) -> Iterator[tuple[str, str]]:
    """The parts of a token with a word that nobody has documented, each with the word: Pulumi may add such."""
    subject, (product, _, organization) = read_subject(sub), audience.rpartition(":")
    if product not in {"", *CLOUDS}:
        yield "product in the audience", product
    if isinstance(subject, DeploymentSubject):
        operation = dict(subject.fields).get("operation")
        if operation is not None and operation not in {*OPERATIONS, *DRIFT_OPERATIONS}:
            yield "operation", operation
    elif isinstance(subject, AttributeSubject):
        for name, value in subject.attributes:
            listed = {TOKEN_TYPE: (*TOKEN_TYPES, ""), ORGANIZATION_LOGIN: (organization,)}.get(name)
            if listed and value not in listed:
                yield name, value


@lru_cache(maxsize=256)
def documented(organization: str | None) -> tuple[Form, ...]:
    """The tokens that Pulumi documents, of one organization, or somewhat more than that of any.

    Automata can't compare: of any organization, a team's token may name a person, and attributes another organization.
    """
    name: Items = (organization,) if organization else _NAME
    clouds: Items = (OneOf(tuple((f"{cloud}:",) for cloud in CLOUDS)),)
    forms: list[Form] = []
    # The organization alone: of the project `default`, of logins to Vault and of Deployments.
    for cloud, environment in ((clouds, _WITH_PROJECT), ((), _WITH_OR_WITHOUT)):
        beginnings: list[Items] = []
        for values in _attribute_values(name if organization else _PERSON):
            pairs = {CURRENT_ENVIRONMENT: environment, ROOT_ENVIRONMENT: _WITH_OR_WITHOUT, **values}
            pairs[ORGANIZATION_LOGIN] = name
            choices = tuple((f":{attribute}:", *value) for attribute, value in pairs.items())
            for first in choices:
                others = tuple(choice for choice in choices if choice != first)
                beginnings.append((*first, AnyOf(others, repeatable=False)))
        forms.append(Form(cloud, _ATTRIBUTES, name, (OneOf(tuple(beginnings)),)))
        forms.append(Form(cloud, _BY_NAME, name, (":env:", OneOf((environment, (STACK_CONFIGURATION,))))))
    operations = tuple((operation,) for operation in OPERATIONS)
    return (
        *forms,
        Form((), _DEPLOYMENT, name, _deployment((OneOf(operations),))),
        Form(("aws:",), _KEYS, name, ()),
    )


def _attribute_values(organization: Items) -> Iterator[dict[str, Items]]:
    """What the attributes of who opens can be at once: only a person's token names a person, only a team's a team."""
    personal, team, of_organization = ((kind,) for kind in TOKEN_TYPES)
    yield {USER: _PERSON, TOKEN_TYPE: personal}
    yield {USER: organization, TOKEN_TYPE: team, TEAM: _PERSON}
    yield {USER: organization, TOKEN_TYPE: of_organization}


def _deployment(operation: Items) -> Items:
    return (":project:", *_NAME, ":stack:", *_NAME, ":operation:", *operation, ":scope:write")
