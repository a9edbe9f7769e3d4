"""Every subject that Pulumi Cloud can mint, as a grammar: literal text, then a value, and so on.

Where the documentation leaves a choice, the larger set is taken, so that a proof holds for either reading: any
environment's name for either audience (which project decides the audience of an imported login is inferred), pinned
versions, token types beyond the three that the guide names ("such as"). An attribute stands once, in any place.

Sources: https://www.pulumi.com/docs/esc/guides/configuring-oidc/ and
https://www.pulumi.com/docs/deployments/guides/oidc/
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ..claims import (
    ATTRIBUTES,
    CURRENT_ENVIRONMENT,
    OPERATIONS,
    ROOT_ENVIRONMENT,
    TEAM,
    TOKEN_TYPE,
    USER,
    DeploymentSubject,
    read_subject,
)

NAME: Final = "[A-Za-z0-9._-]+"
_PERSON: Final = "[A-Za-z0-9._@+-]+"
_ENVIRONMENT: Final = f"({NAME}/)?{NAME}(@{NAME})?"

VALUES: Final = {
    "organization": NAME,
    CURRENT_ENVIRONMENT: _ENVIRONMENT,
    ROOT_ENVIRONMENT: _ENVIRONMENT,
    USER: _PERSON,
    TOKEN_TYPE: "[a-z]+",
    TEAM: f"({_PERSON})?",
    "opened": f"{_ENVIRONMENT}|<yaml>",
    "name": NAME,
    "operation": "|".join(OPERATIONS),
}
"""The regular expression of each kind of value."""

CLOUDS: Final = ("aws:", "", "azure:", "gcp:")
"""What stands before the organization in an audience. Logins to other clouds are signed with the same key."""

DEPLOYMENT_AUDIENCE: Final = ""
"""The same for Pulumi Deployments."""


@dataclass(frozen=True)
class Place:
    """Where in a subject one stands: in a value, with these attributes behind.

    Attributes:
        value: Which of `VALUES`.
        used: Attributes that stand already.
    """

    value: str
    used: frozenset[str] = frozenset()


START: Final = Place("organization")


@dataclass(frozen=True)
class Form:
    """One of the three forms of subjects.

    Attributes:
        head: The text before the organization.
        clouds: The audiences that it comes with.
        chain: Literal text and the value behind it, in order; empty for attributes in any order.
        tail: The text behind the last value.
    """

    head: str
    clouds: tuple[str, ...]
    chain: tuple[tuple[str, str], ...] = ()
    tail: str = ""

    def after(self, place: Place) -> Iterator[tuple[str, Place]]:
        """What may follow the value at a place: literal text, and the next place."""
        if not self.chain:
            for attribute in ATTRIBUTES:
                if attribute not in place.used:
                    yield f":{attribute}:", Place(attribute, place.used | {attribute})
            return
        values = ["organization", *(value for _, value in self.chain)]
        done = len(place.used)
        if done < len(self.chain):
            text, value = self.chain[done]
            yield text, Place(value, place.used | {f"{done} {values[done + 1]}"})

    def may_end(self, place: Place) -> bool:
        """Whether the value at a place may be the last."""
        return len(place.used) == len(self.chain) if self.chain else bool(place.used)


FORMS: Final = (
    Form("pulumi:environments:pulumi.organization.login:", CLOUDS),
    Form("pulumi:environments:org:", CLOUDS, ((":env:", "opened"),)),
    Form(
        "pulumi:deploy:org:",
        (DEPLOYMENT_AUDIENCE,),
        ((":project:", "name"), (":stack:", "name"), (":operation:", "operation")),
        ":scope:write",
    ),
)
"""ESC with attributes, ESC without, Deployments."""


def audiences_of(subject: str) -> tuple[str, ...]:
    """The audiences that a subject can come with; none when Pulumi Cloud mints no such subject.

    More generous than the grammar: what somebody has written into a policy, somebody expects to be minted.
    """
    read = read_subject(subject)
    if read is None or not re.fullmatch(NAME, read.organization):
        return ()
    clouds = (DEPLOYMENT_AUDIENCE,) if isinstance(read, DeploymentSubject) else CLOUDS
    return tuple(f"{cloud}{read.organization}" for cloud in clouds)
