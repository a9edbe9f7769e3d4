"""The tokens that Pulumi Cloud mints: who opened what, in which way, and the claims that follow.

Nothing is signed here; the sandbox has an issuer with a real key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from . import claims

TokenType = Literal["personal", "team", "organization"]
"""The values of ``pulumi.token.type`` that the documentation names."""

DefaultProject = Literal["stripped", "as written"]
"""How attributes spell environments of the project ``default``.

``stripped`` follows Pulumi's guide (``dev``), ``as written`` Pulumi's evaluator (``default/dev``): see
`claims.environment_spellings`.
"""


class UnknownSubjectAttribute(ValueError):  # noqa: N818 - an answer, not a mistake in the program
    """A login lists a subject attribute that Pulumi Cloud does not accept, or does not document."""


@dataclass(frozen=True)
class Opener:
    """Who opens an environment, as the access token of the request tells Pulumi Cloud.

    Attributes:
        login: The person's login; of a team or organization token, the **organization's** name.
        token_type: ``personal``, ``team`` or ``organization``.
        team: The team of a team token, else empty.

    Raises:
        ValueError: A team without a team token, a team token without a team, or an unknown type.
    """

    login: str
    token_type: TokenType = "personal"  # noqa: S105 - a type, not a secret
    team: str = ""

    def __post_init__(self) -> None:
        if self.token_type not in claims.TOKEN_TYPES:
            raise ValueError(f"token type {self.token_type!r} is none of {', '.join(claims.TOKEN_TYPES)}")
        if bool(self.team) != (self.token_type == "team"):  # noqa: S105 - a type, not a secret
            raise ValueError(f"a {self.token_type} token of team {self.team!r}: only a team token has a team")

    @property
    def is_person(self) -> bool:
        """Whether this is a personal token rather than a team's or the organization's."""
        return self.token_type == "personal"  # noqa: S105 - a type, not a secret

    def of(self, organization: str) -> "Opener":
        """The counterpart in another organization: the same person, or that organization's token."""
        return self if self.is_person else Opener(organization, self.token_type, self.team)

    def __str__(self) -> str:
        if self.is_person:
            return self.login
        return f"a token of team {self.team}" if self.team else f"a token of the organization {self.login}"


@dataclass(frozen=True)
class Opening:
    """How a login came to be evaluated.

    Attributes:
        organization: The organization in whose name the environment was opened.
        environment: ``PROJECT/ENV`` that was opened by name, or `claims.STACK_CONFIGURATION` through a stack's
            `environment:` list.
        opener: Who opened it.
    """

    organization: str
    environment: str
    opener: Opener


def project_of(environment: str) -> str:
    """The project of an environment as a definition writes it: ``PROJECT/ENV``, or ``ENV`` for ``default``.

    A login inside a stack's own definition (`claims.STACK_CONFIGURATION`) is in no project; that text comes back.
    """
    if environment == claims.STACK_CONFIGURATION:
        return environment
    project, slash, _ = environment.partition("/")
    return project if slash else claims.LEGACY_PROJECT


def login_claims(  # noqa: PLR0913 - a token says each of these
    opening: Opening,
    *,
    current_environment: str,
    root_environment: str,
    subject_attributes: Sequence[str] = (),
    issuer: str = claims.ISSUER,
    default_project: DefaultProject = "stripped",
) -> dict[str, str]:
    """The claims of the token that a login block presents, without its times.

    Sources: https://www.pulumi.com/docs/esc/guides/configuring-oidc/ for ``aud``, ``sub``, ``current_env``,
    ``root_env`` and ``trigger_user``. Inferred, not observed on the server: the block's project decides the
    audience; without attributes the subject names what was opened; an absent team is an empty value.

    Args:
        opening: How the environment was opened, and by whom.
        current_environment: The environment that holds the block, as the evaluator names it.
        root_environment: The environment that was opened, as the evaluator names it.
        subject_attributes: What the block lists; none gives the subject without attributes.
        issuer: The ``iss`` to write.
        default_project: How environments of the project ``default`` are spelled.

    Raises:
        UnknownSubjectAttribute: An attribute outside `claims.ATTRIBUTES`.
    """
    current = _spelled(current_environment, default_project)
    root = _spelled(root_environment, default_project)
    values = {
        claims.CURRENT_ENVIRONMENT: current,
        claims.ROOT_ENVIRONMENT: root,
        claims.USER: opening.opener.login,
        claims.TOKEN_TYPE: opening.opener.token_type,
        claims.TEAM: opening.opener.team,
    }
    for attribute in subject_attributes:
        if attribute not in values:
            allowed = ", ".join(claims.ATTRIBUTES)
            raise UnknownSubjectAttribute(f"subject attribute {attribute!r} is not allowed; use one of {allowed}")
    return {
        "iss": issuer,
        "aud": claims.audience(opening.organization, project_of(current_environment)),
        "sub": (
            claims.subject(opening.organization, [(name, values[name]) for name in subject_attributes])
            if subject_attributes
            else _subject_without_attributes(opening)
        ),
        "current_env": current,
        "root_env": root,
        "trigger_user": opening.opener.login,
    }


def deployment_claims(
    organization: str,
    project: str,
    stack: str,
    operation: str,
    *,
    issuer: str = claims.ISSUER,
) -> dict[str, str]:
    """The claims of the token that Pulumi Deployments presents, without its times.

    Source: https://www.pulumi.com/docs/deployments/guides/oidc/.
    """
    return {
        "iss": issuer,
        "aud": claims.deployment_audience(organization),
        "sub": claims.deployment_subject(organization, project, stack, operation),
        "org": organization,
        "project": project,
        "stack": stack,
        "operation": operation,
        "scope": "write",
    }


def _subject_without_attributes(opening: Opening) -> str:
    if opening.environment == claims.STACK_CONFIGURATION:
        return claims.stack_configuration_subject(opening.organization)
    project, _, name = opening.environment.partition("/")
    return claims.default_subject(opening.organization, project, name)


def _spelled(environment: str, default_project: DefaultProject) -> str:
    return claims.environment_spellings(environment)[0] if default_project == "stripped" else environment
