"""Reads a subject of Pulumi Cloud, or a pattern for some, into its parts.

Sources: https://www.pulumi.com/docs/esc/guides/configuring-oidc/ and
https://www.pulumi.com/docs/deployments/guides/oidc/; `claims` composes what is read here.
"""

from dataclasses import dataclass
from typing import Final

from ..claims import stack_configuration_subject

STACK_CONFIGURATION: Final = stack_configuration_subject("").rsplit(":", 1)[1]
"""What stands for the environment when a stack's `environment:` list opened it: the literal ``<yaml>``."""

_WITH_ATTRIBUTES: Final = "pulumi:environments:pulumi.organization.login:"
_BY_NAME: Final = "pulumi:environments:org:"
_DEPLOYMENT: Final = "pulumi:deploy:org:"


@dataclass(frozen=True)
class AttributeSubject:
    """An ESC login with `subjectAttributes`."""

    organization: str
    attributes: tuple[tuple[str, str], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes, in their order."""
        return tuple(name for name, _ in self.attributes)


@dataclass(frozen=True)
class DefaultSubject:
    """An ESC login without `subjectAttributes`."""

    organization: str
    environment: str


@dataclass(frozen=True)
class DeploymentSubject:
    """Pulumi Deployments."""

    organization: str
    fields: tuple[tuple[str, str], ...]


Subject = AttributeSubject | DefaultSubject | DeploymentSubject


def read_subject(subject: str) -> Subject | None:
    """The parts of a subject; None when Pulumi Cloud mints none of this form."""
    if subject.startswith(_WITH_ATTRIBUTES):
        organization, attributes = _pairs(subject.removeprefix(_WITH_ATTRIBUTES))
        return AttributeSubject(organization, attributes)
    if subject.startswith(_BY_NAME):
        organization, _, rest = subject.removeprefix(_BY_NAME).partition(":")
        return DefaultSubject(organization, rest.removeprefix("env:"))
    if subject.startswith(_DEPLOYMENT):
        organization, fields = _pairs(subject.removeprefix(_DEPLOYMENT))
        return DeploymentSubject(organization, fields)
    return None


def describe(subject: Subject) -> str:
    """What kind of login it is, in words."""
    if isinstance(subject, AttributeSubject):
        return f"an ESC login with subjectAttributes {list(subject.names)}"
    if isinstance(subject, DefaultSubject):
        return "an ESC login without subjectAttributes"
    return "Pulumi Deployments"


def _pairs(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    organization, *rest = text.split(":")
    rest += [""] * (len(rest) % 2)
    return organization, tuple(zip(rest[::2], rest[1::2], strict=True))
