"""`esc-oidc claims`: what stands in the token, for each way of opening an environment or running a stack."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .. import inputs
from ..claims import ATTRIBUTES, ISSUER, LEGACY_PROJECT, OPERATIONS, STACK_CONFIGURATION
from ..tokens import DefaultProject, Opener, Opening, deployment_claims, login_claims
from .output import Format as OutputFormat
from .output import console, fail, print_json

Token = tuple[str, dict[str, str]]
"""One way to a token, and the claims in it."""


@dataclass(frozen=True)
class Openers:
    """Who opens.

    Args:
        user: A person's login.
        team: A team, by a token of its own.
    """

    user: str
    team: str


def print_claims(tokens: Iterator[Token], output: OutputFormat) -> int:
    """Print issuer, audience and subject of each. Gives the exit status, always 0."""
    shown = [(how, {name: claims[name] for name in ("iss", "aud", "sub")}) for how, claims in tokens]
    if output is OutputFormat.JSON:
        print_json({"version": 1, "tokens": [{"how": how, **claims} for how, claims in shown]})
        return 0
    out = console()
    for how, claims in shown:
        out.print(how, style="bold")
        for name, value in claims.items():
            out.print(f"  {name}  {value}")  # whole, to be copied: the terminal wraps it
    return 0


def environment_tokens(
    reference: str, attributes: Sequence[str], openers: Openers, importer: str | None, issuer: str | None
) -> Iterator[Token]:
    """The tokens of a login in this environment: by name, for a stack, through an import, by other tokens."""
    org, proj, env = _parts(reference, "ORG/PROJECT/ENV", inputs.project, inputs.environment_part)
    for attribute in attributes:
        if attribute not in ATTRIBUTES:
            fail(f"--attribute {attribute}: Pulumi Cloud takes {', '.join(ATTRIBUTES)}.")
    current = f"{proj}/{env}"
    importer = importer or f"{proj}/app"
    if importer.count("/") != 1:
        fail(f"--importer {importer}: write PROJECT/ENV.")
    user, team, person = openers.user, openers.team, Opener(openers.user)
    ways: list[tuple[str, str, str, Opener]] = [
        (f"pulumi env open {reference}, by {user}", current, current, person),
        (f"pulumi up of a stack that lists {current}, by {user}", STACK_CONFIGURATION, current, person),
        (f"pulumi env open {org}/{importer}, which imports {current}, by {user}", importer, importer, person),
        (f"pulumi env open {reference}, with a token of team {team}", current, current, Opener(org, "team", team)),
        (f"pulumi env open {reference}, with an organization token", current, current, Opener(org, "organization")),
    ]
    spellings: Sequence[DefaultProject] = ["stripped", "as written"] if proj == LEGACY_PROJECT else ["stripped"]
    for how, opened, root, opener in ways:
        for spelling in spellings:
            claims = login_claims(
                Opening(org, opened, opener),
                current_environment=current,
                root_environment=root,
                subject_attributes=attributes,
                issuer=issuer or ISSUER,
                default_project=spelling,
            )
            remark = f" (project `default` {spelling}: sources conflict)" if len(spellings) > 1 else ""
            yield how + remark, claims


def deployment_tokens(reference: str, issuer: str | None) -> Iterator[Token]:
    """The tokens of Pulumi Deployments for each operation on this stack."""
    org, proj, stack = _parts(reference, "ORG/PROJECT/STACK", inputs.iac_project, inputs.stack)
    for operation in OPERATIONS:
        claims = deployment_claims(org, proj, stack, operation, issuer=issuer or ISSUER)
        yield f"Pulumi Deployments, {operation} of {reference}", claims


def _parts(reference: str, form: str, project_form: inputs.Form, last: inputs.Form) -> tuple[str, str, str]:
    parts = reference.split("/")
    if len(parts) != 3:  # noqa: PLR2004 - ORG/PROJECT/ENV
        fail(f"{reference}: write {form}.")
    for part, check in zip(parts, (inputs.organization, project_form, last), strict=True):
        if problem := check(part):
            fail(f"{reference}: {part!r}: {problem.rule} {problem.fix}")
    return parts[0], parts[1], parts[2]
