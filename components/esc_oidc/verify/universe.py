"""The tokens that Pulumi Cloud can mint for an organization, as far as its documentation says, and all it leaves open.

Sources, besides those of `esc_oidc.claims`: https://www.pulumi.com/docs/esc/guides/configuring-oidc/ and its pages on
Azure, Doppler, Google Cloud, Infisical, Snowflake and Vault for audiences, and the guide to customer-managed keys for
theirs. docs/trust.md lists the source of each part.
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
    inferred (pinned versions, no project, an empty team); any token type; any operation.
    """
    cloud: Items = (OneOf(((), (*_NAME, ":"))),)
    values: dict[str, Items] = {
        CURRENT_ENVIRONMENT: _PINNED_TOO,
        ROOT_ENVIRONMENT: _PINNED_TOO,
        USER: _PERSON,
        TOKEN_TYPE: (Some(f"{_LOWER}-_"),),
        TEAM: (Some(_PERSON[0].characters, may_be_empty=True),),
        ORGANIZATION_LOGIN: (Some(_PERSON[0].characters, may_be_empty=True),),
    }
    attributes = AnyOf(tuple((f":{name}:", *value) for name, value in values.items()), repeatable=True)
    return (
        Form(cloud, _ATTRIBUTES, _NAME, (attributes,)),
        Form(cloud, _BY_NAME, _NAME, (":env:", OneOf((_PINNED_TOO, (STACK_CONFIGURATION,))))),
        Form((), _DEPLOYMENT, _NAME, _deployment((Some(f"{_LOWER}-_"),))),
        Form(cloud, _KEYS, _NAME, ()),
    )


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
    operations = tuple((operation,) for operation in (*OPERATIONS, *DRIFT_OPERATIONS))
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
