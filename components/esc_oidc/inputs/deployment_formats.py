"""The form of values that only PulumiDeploymentsOidc takes: None for a good value, else the rule and the way out."""

import re
from collections.abc import Sequence
from typing import Final

from ..claims import OPERATIONS
from .violations import Problem, listed, nearest

SESSION_NAME_TEMPLATES: Final = (
    "organization.name",
    "project.name",
    "stack.name",
    "deployment.operation",
    "operation",
    "deployment.version",
    "deployment.id",
)
"""What Pulumi Deployments replaces in a session name.

Sources: https://www.pulumi.com/docs/deployments/guides/oidc/aws/; for `operation`, where that has
`deployment.operation`, https://www.pulumi.com/docs/reference/cloud-rest-api/schema/operationcontextawsoidcconfiguration/.
"""

_TEMPLATE: Final = re.compile(r"\$\{([A-Za-z]+(?:\.[A-Za-z]+)*)\}")
_LEAST: Final = {"deployment.operation": len("update"), "operation": len("update"), "deployment.id": 36}
"""How long a template's value is at least, where that is more than one character: Pulumi does not trim these."""

_ALSO_CALLED: Final = {"up": "update"}
"""What the command line calls an operation."""


def project(value: str) -> Problem | None:
    """A Pulumi project, as in Pulumi.yaml."""
    return _name(value, "project", "Give its name alone, as in Pulumi.yaml.")


def stack(value: str) -> Problem | None:
    """A stack's own name."""
    return _name(value, "stack", f"Give its name alone: {value.rpartition('/')[2]!r}.")


def _name(value: str, what: str, alone: str) -> Problem | None:
    if re.fullmatch(r"[A-Za-z0-9._-]{1,100}", value, re.ASCII) and value not in {".", ".."}:
        return None
    rule = f"a {what} has 1 to 100 letters, digits, `.`, `_` and `-`, and is not `.` or `..`."
    if value.count("/") == 2:  # noqa: PLR2004 - ORG/PROJECT/STACK
        org, proj, name = value.split("/")
        fix = f"Give its parts one by one: organization={org!r}, project={proj!r}, stacks=[{name!r}]."
        return Problem(rule, fix)
    return Problem(rule, alone if "/" in value else "Give the name as `pulumi stack ls` shows it.")


def operation(value: str) -> Problem | None:
    """An operation that Pulumi Deployments runs."""
    if value in OPERATIONS:
        return None
    guess = nearest(value, OPERATIONS) or _ALSO_CALLED.get(value.casefold())
    return Problem(
        f"operations are {listed(OPERATIONS)}.", f"Did you mean `{guess}`?" if guess else "Take one of these."
    )


def session_name(value: str) -> Problem | None:
    """The name of the session, in which Pulumi Deployments replaces templates."""
    filled = _TEMPLATE.sub(lambda template: "u" * _LEAST.get(template[1], 1), value)
    least = 2 if filled == value else 1
    if re.fullmatch(rf"[\w+=,.@-]{{{least},64}}", filled, re.ASCII):
        return None
    rule = "a session name has 2 to 64 letters, digits and `_+=,.@-`, and templates written ${NAME}."
    if "$" in filled:
        return Problem(rule, f"The templates' names are {listed(SESSION_NAME_TEMPLATES)}.")
    return Problem(rule, "Choose such a name.")


def unknown_templates(value: str) -> Sequence[str]:
    """The templates in a session name that Pulumi does not document."""
    return [name for name in _TEMPLATE.findall(value) if name not in SESSION_NAME_TEMPLATES]
