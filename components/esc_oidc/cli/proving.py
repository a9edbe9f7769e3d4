"""`esc-oidc prove`: does a trust policy admit exactly what was declared, out of all that Pulumi Cloud can mint."""

import re
from collections.abc import Sequence
from dataclasses import asdict

import yaml

from ..claims import ISSUER
from ..inputs import DeploymentPlan, EnvironmentPlan, Parsed, parse_deployments, parse_environment
from ..verify import Trust, UndefinedBehaviour, lint, prove
from .output import Style, console, fail, print_json
from .reading import one_policy, text_of
from .verdicts import Verdicts


def prove_policy(policy: str, trust: Trust, style: Style) -> int:
    """Print the proof, or the shortest subject that refutes it. Gives the exit status: 1 when it does not hold."""
    found = one_policy(policy)
    if found.located.policy is None:
        fail(f"{found}: the policy is not known yet, or encrypted.")
    if found.located.role_arn and (
        foreign := [
            each
            for each in lint(found.located.policy, found.located.role_arn)
            if each.rule in {"principal-account", "principal-partition"}
        ]
    ):
        fail(f"{found}: this proves nothing, the role is elsewhere: {foreign[0].message} {foreign[0].fix}")
    try:
        proof = prove(found.located.policy, trust)
    except UndefinedBehaviour as error:
        fail(f"{found}: this cannot be proved: {error}")
    if not style.is_text:
        print_json({"version": 1, **asdict(proof)})
    elif not (style.quiet and proof.holds):
        verdict = "PROVED" if proof.holds else "REFUTED"
        verdicts = Verdicts(console())
        verdicts.line(verdict, "bold green" if proof.holds else "bold red")
        verdicts.line(proof.reason, "", 0)
    return 0 if proof.holds else 1


def declared_by_inputs(source: str) -> Trust:
    """What the inputs of a component declare, from a YAML or JSON file of them in either spelling."""
    try:
        given = yaml.safe_load(text_of(source))
    except yaml.YAMLError as error:
        fail(f"{source}: {error}")
    if not isinstance(given, dict):
        fail(f"{source}: the inputs are a mapping, as PulumiEscOidc or PulumiDeploymentsOidc takes them.")
    inputs = {re.sub(r"([A-Z])", r"_\1", str(key)).lower(): value for key, value in given.items()}
    for_deployments = "stacks" in inputs or "dangerously_allow_any_stack_in_project" in inputs
    from esc_oidc import PulumiDeploymentsOidcArgs, PulumiEscOidcArgs  # noqa: PLC0415 - imports Pulumi

    parsed: Parsed[DeploymentPlan] | Parsed[EnvironmentPlan] = (
        parse_deployments(PulumiDeploymentsOidcArgs, "prove", inputs)
        if for_deployments
        else parse_environment(PulumiEscOidcArgs, "prove", inputs)
    )
    if parsed.violations:
        fail("\n  - ".join([f"{source}: the inputs are not valid:", *map(str, parsed.violations)]))
    return parsed.plan.trust


def declared_by_hand(audience: str | None, subjects: Sequence[str], issuer: str | None) -> Trust:
    """A declaration given as audience and subjects; `*` in a subject stands for any run of characters."""
    if audience is None or not subjects:
        fail("say what is declared: --inputs FILE, or --audience and at least one --subject.")
    patterns = tuple(subject for subject in subjects if "*" in subject)
    exact = tuple(subject for subject in subjects if "*" not in subject)
    return Trust(issuer or ISSUER, audience, exact, patterns)
