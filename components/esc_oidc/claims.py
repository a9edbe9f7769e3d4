"""What Pulumi Cloud writes into the tokens it signs: one grammar of audiences and subjects, written and read here.

Sources: https://www.pulumi.com/docs/esc/guides/configuring-oidc/ and
https://www.pulumi.com/docs/deployments/guides/oidc/ for the formats; the ESC evaluator
(github.com/pulumi/esc) for which environment is the current one and which the root.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

ISSUER: Final = "https://api.pulumi.com/oidc"
"""The issuer of Pulumi Cloud. A self-hosted one is ``https://HOST/oidc``."""

CURRENT_ENVIRONMENT: Final = "currentEnvironment.name"
ROOT_ENVIRONMENT: Final = "rootEnvironment.name"
USER: Final = "pulumi.user.login"
TOKEN_TYPE: Final = "pulumi.token.type"  # noqa: S105 - the attribute's name
TEAM: Final = "pulumi.token.team"

ORGANIZATION_LOGIN: Final = "pulumi.organization.login"
"""Accepted as well; it adds nothing, since subjects with attributes begin with it."""

ATTRIBUTES: Final = (CURRENT_ENVIRONMENT, ROOT_ENVIRONMENT, USER, TOKEN_TYPE, TEAM)
"""Every subject attribute that Pulumi Cloud accepts and that adds something, in the documentation's order."""

TOKEN_TYPES: Final = ("personal", "team", "organization")
"""The values of ``pulumi.token.type`` that the documentation names.

Source: https://www.pulumi.com/docs/esc/concepts/built-in-properties/
"""

OPERATIONS: Final = ("preview", "update", "refresh", "destroy")
"""What Pulumi Deployments may be doing with a stack."""

DRIFT_OPERATIONS: Final = ("detect-drift", "remediate-drift")
"""Operations that its API names too. Whether a token ever carries one was not observed.

Source: https://github.com/pulumi/pulumi/blob/master/sdk/go/common/apitype/deployments.go
"""

LEGACY_PROJECT: Final = "default"
"""The project of environments that are older than ESC's projects; audience and subject leave it out."""

STACK_CONFIGURATION: Final = "<yaml>"
"""The environment in a subject without attributes when a stack's `environment:` list opened it, whichever it is.

Source: https://www.pulumi.com/docs/esc/guides/configuring-oidc/aws/#subject-claim-example
"""

NAME: Final = r"[A-Za-z0-9._-]+"
"""The name of an ESC project or environment, or of a Pulumi project or stack, as a regular expression."""

ORGANIZATION: Final = r"[A-Za-z0-9._-]{1,80}"
"""An organization's login, likewise."""

PERSON: Final = r"[A-Za-z0-9._@+-]+"
"""The login of a user or the name of a team, likewise."""

ENVIRONMENT: Final = rf"(?:{NAME}/)?{NAME}(?:@{NAME})?"
"""An environment as an attribute's value names it, likewise: without a project in the legacy one, with a version where
an import pins one."""

VALUES: Final[Mapping[str, str]] = {
    CURRENT_ENVIRONMENT: ENVIRONMENT,
    ROOT_ENVIRONMENT: ENVIRONMENT,
    USER: PERSON,
    TOKEN_TYPE: "[a-z]+",  # the documentation says "such as" personal, team and organization
    TEAM: f"(?:{PERSON})?",
}
"""The values of each attribute, likewise."""

_WITH_ATTRIBUTES: Final = "pulumi:environments:pulumi.organization.login:"
_BY_NAME: Final = "pulumi:environments:org:"
_DEPLOYMENT: Final = "pulumi:deploy:org:"
SUBJECT_HEADS: Final = (_WITH_ATTRIBUTES, _BY_NAME, _DEPLOYMENT)
"""How subjects begin, up to the organization: ESC with attributes, ESC without, Pulumi Deployments."""

KEYS_HEAD: Final = "pulumi:cmk:pulumi.organization.login:"
"""The same of customer-managed keys; the organization ends their subject, and the audience is that of AWS logins.

Source: https://www.pulumi.com/docs/administration/guides/customer-managed-keys/aws-kms/
"""

_AUDIENCE: Final = re.compile(rf"(?:(?P<cloud>[A-Za-z0-9]+):)?(?P<organization>{ORGANIZATION})")


def is_name(text: str) -> bool:
    """Whether Pulumi accepts this as the name of a project, an environment or a stack."""
    return re.fullmatch(NAME, text) is not None and text not in {".", ".."}


def issuer_path(issuer: str) -> str:
    """The issuer without its scheme: how ARNs and condition keys name it."""
    return issuer.removeprefix("https://")


def condition_key(issuer: str, claim: str) -> str:
    """The key under which AWS shows a claim to a trust policy: the issuer without its scheme, and the claim.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
    """
    return f"{issuer_path(issuer)}:{claim}"


@dataclass(frozen=True)
class Audience:
    """An `aud` of Pulumi Cloud, read.

    Attributes:
        cloud: What the token is for, such as ``aws`` or ``azure``; None in the legacy project and for Deployments,
            whose audience is the organization alone.
        organization: The organization's login.
    """

    cloud: str | None
    organization: str

    def __str__(self) -> str:
        return f"{self.cloud}:{self.organization}" if self.cloud else self.organization


def read_audience(audience: str) -> Audience | None:
    """The parts of an audience; None if Pulumi Cloud writes no audience of this form."""
    parts = _AUDIENCE.fullmatch(audience)
    return Audience(parts["cloud"], parts["organization"]) if parts else None


def audience(organization: str, project: str) -> str:
    """The ``aud`` of a login in an ESC environment of this project."""
    return str(Audience(None if project == LEGACY_PROJECT else "aws", organization))


def deployment_audience(organization: str) -> str:
    """The ``aud`` of Pulumi Deployments."""
    return str(Audience(None, organization))


@dataclass(frozen=True)
class AttributeSubject:
    """The `sub` of an ESC login with `subjectAttributes`, in the order in which the login lists them."""

    organization: str
    attributes: tuple[tuple[str, str], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes, in their order."""
        return tuple(name for name, _ in self.attributes)

    @property
    def is_well_formed(self) -> bool:
        """Whether the attributes are some that add something, each once, with values of their form."""
        values = dict(self.attributes)
        known = 0 < len(values) == len(self.attributes) and values.keys() <= VALUES.keys()
        environments = [values[name] for name in (CURRENT_ENVIRONMENT, ROOT_ENVIRONMENT) if name in values]
        names = all(is_name(part) for each in environments for part in re.split("[/@]", each))
        return known and names and all(re.fullmatch(VALUES[name], value) for name, value in self.attributes)

    def __str__(self) -> str:
        return _WITH_ATTRIBUTES + _joined(self.organization, self.attributes)


@dataclass(frozen=True)
class DefaultSubject:
    """The `sub` of an ESC login without `subjectAttributes`.

    Attributes:
        organization: The organization's login.
        environment: The environment that was opened: ``PROJECT/ENV``, ``ENV`` in the legacy project, or
            `STACK_CONFIGURATION`.
    """

    organization: str
    environment: str

    @property
    def is_well_formed(self) -> bool:
        """Whether it names an environment, or any that a stack lists."""
        names = all(is_name(part) for part in re.split("[/@]", self.environment))
        named = re.fullmatch(ENVIRONMENT, self.environment) is not None and names
        return self.environment == STACK_CONFIGURATION or named

    def __str__(self) -> str:
        return f"{_BY_NAME}{self.organization}:env:{self.environment}"


@dataclass(frozen=True)
class DeploymentSubject:
    """The `sub` of Pulumi Deployments: ``project``, ``stack``, ``operation`` and ``scope``, with their values."""

    organization: str
    fields: tuple[tuple[str, str], ...]

    @property
    def is_well_formed(self) -> bool:
        """Whether it names an operation that Pulumi's API names, on one stack."""
        if tuple(name for name, _ in self.fields) != ("project", "stack", "operation", "scope"):
            return False
        values = dict(self.fields)
        operations = (*OPERATIONS, *DRIFT_OPERATIONS)
        named = is_name(values["project"]) and is_name(values["stack"]) and values["operation"] in operations
        return named and values["scope"] == "write"

    def __str__(self) -> str:
        return _DEPLOYMENT + _joined(self.organization, self.fields)


@dataclass(frozen=True)
class KeySubject:
    """The `sub` with which Pulumi Cloud uses an organization's customer-managed keys."""

    organization: str

    def __str__(self) -> str:
        return f"{KEYS_HEAD}{self.organization}"


Subject = AttributeSubject | DefaultSubject | DeploymentSubject | KeySubject


def read_subject(subject: str) -> Subject | None:
    """The parts of a subject, or of a pattern for some; None if Pulumi Cloud mints no subject of this form.

    The parts are not checked. A subject is well formed if ``str`` of its parts gives it back.
    """
    if subject.startswith(_WITH_ATTRIBUTES):
        return AttributeSubject(*_pairs(subject.removeprefix(_WITH_ATTRIBUTES)))
    if subject.startswith(_BY_NAME):
        organization, _, rest = subject.removeprefix(_BY_NAME).partition(":")
        return DefaultSubject(organization, rest.removeprefix("env:"))
    if subject.startswith(_DEPLOYMENT):
        return DeploymentSubject(*_pairs(subject.removeprefix(_DEPLOYMENT)))
    if subject.startswith(KEYS_HEAD):
        return KeySubject(subject.removeprefix(KEYS_HEAD).partition(":")[0])
    return None


def subject(organization: str, attributes: Iterable[tuple[str, str]]) -> str:
    """The ``sub`` of a login that lists subject attributes, in the order in which it lists them."""
    return str(AttributeSubject(organization, tuple(attributes)))


def default_subject(organization: str, project: str, environment: str) -> str:
    """The ``sub`` of a login without subject attributes, when its environment is opened by name.

    `pulumi up` does not open by name: then the subject is `stack_configuration_subject`.
    """
    name = environment if project == LEGACY_PROJECT else f"{project}/{environment}"
    return str(DefaultSubject(organization, name))


def stack_configuration_subject(organization: str) -> str:
    """The ``sub`` of any login without subject attributes that a stack's `environment:` list opened.

    It is the same for every environment of the organization.
    """
    return str(DefaultSubject(organization, STACK_CONFIGURATION))


def deployment_subject(organization: str, project: str, stack: str, operation: str) -> str:
    """The ``sub`` of Pulumi Deployments when it runs an operation on a stack."""
    fields = (("project", project), ("stack", stack), ("operation", operation), ("scope", "write"))
    return str(DeploymentSubject(organization, fields))


def environment_spellings(environment: str) -> Sequence[str]:
    """How an attribute's value may spell an environment, ``PROJECT/ENV``.

    For the legacy project sources conflict: the guide strips the project, Pulumi's evaluator does not
    (https://github.com/pulumi/pulumi/pull/23911). Admit both: they name the same environment.
    """
    project, _, name = environment.partition("/")
    return (name, environment) if project == LEGACY_PROJECT else (environment,)


def _joined(organization: str, pairs: Iterable[tuple[str, str]]) -> str:
    return organization + "".join(f":{name}:{value}" for name, value in pairs)


def _pairs(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    organization, *rest = text.split(":")
    rest += [""] * (len(rest) % 2)
    return organization, tuple(zip(rest[::2], rest[1::2], strict=True))
