"""What Pulumi Cloud writes into the tokens it signs: issuer, audience and subject.

Sources: https://www.pulumi.com/docs/esc/guides/configuring-oidc/ and
https://www.pulumi.com/docs/deployments/guides/oidc/ for the formats; the ESC evaluator
(github.com/pulumi/esc) for which environment is the current one and which the root.
"""

from collections.abc import Iterable, Sequence
from typing import Final

ISSUER: Final = "https://api.pulumi.com/oidc"
"""The issuer of Pulumi Cloud. A self-hosted one is ``https://HOST/oidc``."""

CURRENT_ENVIRONMENT: Final = "currentEnvironment.name"
ROOT_ENVIRONMENT: Final = "rootEnvironment.name"
USER: Final = "pulumi.user.login"
TOKEN_TYPE: Final = "pulumi.token.type"  # noqa: S105 - the attribute's name
TEAM: Final = "pulumi.token.team"

ATTRIBUTES: Final = (CURRENT_ENVIRONMENT, ROOT_ENVIRONMENT, USER, TOKEN_TYPE, TEAM)
"""Every subject attribute that Pulumi Cloud accepts and that adds something, in the documentation's order."""

TOKEN_TYPES: Final = ("personal", "team", "organization")
"""The values of ``pulumi.token.type`` that the documentation names."""

OPERATIONS: Final = ("preview", "update", "refresh", "destroy")
"""What Pulumi Deployments may be doing with a stack."""

LEGACY_PROJECT: Final = "default"
"""The project of environments made before ESC had projects; audience and subject leave it out."""


def condition_key(issuer: str, claim: str) -> str:
    """The key under which AWS shows a claim to a trust policy: the issuer without its scheme, and the claim.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
    """
    return f"{issuer.removeprefix('https://')}:{claim}"


def audience(organization: str, project: str) -> str:
    """The ``aud`` of a login in an ESC environment of this project."""
    return organization if project == LEGACY_PROJECT else f"aws:{organization}"


def deployment_audience(organization: str) -> str:
    """The ``aud`` of Pulumi Deployments."""
    return organization


def subject(organization: str, attributes: Iterable[tuple[str, str]]) -> str:
    """The ``sub`` of a login that lists subject attributes, in the order in which it lists them."""
    values = "".join(f":{attribute}:{value}" for attribute, value in attributes)
    return f"pulumi:environments:pulumi.organization.login:{organization}{values}"


def default_subject(organization: str, project: str, environment: str) -> str:
    """The ``sub`` of a login without subject attributes, when its environment is opened by name.

    `pulumi up` does not open by name: then the subject is `stack_configuration_subject`.
    """
    name = environment if project == LEGACY_PROJECT else f"{project}/{environment}"
    return f"pulumi:environments:org:{organization}:env:{name}"


def stack_configuration_subject(organization: str) -> str:
    """The ``sub`` of any login without subject attributes that a stack's `environment:` list opened.

    It is the same for every environment of the organization.
    """
    return f"pulumi:environments:org:{organization}:env:<yaml>"


def deployment_subject(organization: str, project: str, stack: str, operation: str) -> str:
    """The ``sub`` of Pulumi Deployments when it runs an operation on a stack."""
    return f"pulumi:deploy:org:{organization}:project:{project}:stack:{stack}:operation:{operation}:scope:write"


def environment_spellings(environment: str) -> Sequence[str]:
    """How an environment, ``PROJECT/ENV``, may stand in an attribute's value.

    For the legacy project sources conflict: the guide strips the project, Pulumi's evaluator does not
    (https://github.com/pulumi/pulumi/pull/23911). Both are to be admitted: they name the same environment.
    """
    project, _, name = environment.partition("/")
    return (name, environment) if project == LEGACY_PROJECT else (environment,)
