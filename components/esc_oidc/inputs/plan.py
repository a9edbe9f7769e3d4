"""What checked inputs come to: the role's part, which every component shares, and PulumiEscOidc's own."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ..environment import Login
from ..sessions import seconds
from ..trust import Trust, provider_arn
from .environment_relations import ENVIRONMENT_RELATIONS
from .examination import depends_on_output, examine
from .fields import ENVIRONMENT_FIELDS, Field
from .relations import Relation, generated_role_name, longest_session, relate
from .subjects import attributes, declared_trust, own_environment
from .violations import Violation
from .warnings import environment_warnings, provider_warnings, role_warnings, size_warning

DEFAULTS: Final[Mapping[str, Any]] = {
    "duration": "1h",
    "session_name": "pulumi-esc",
    "create_environment": True,
    "export_environment_variables": True,
    "dangerously_allow_any_environment_in_project": False,
    "dangerously_allow_any_environment": False,
    "dangerously_omit_current_environment": False,
    "dangerously_allow_any_stack_configuration": False,
    "retain_oidc_provider": False,
    "force_detach_policies": False,
}
"""What an input is when it is not given. `issuer` has its default in `claims`; the others have none."""


@dataclass(frozen=True)
class RolePlan:
    """Everything that the provider and the role need but what AWS alone knows."""

    inputs: Mapping[str, Any]
    trust: Trust
    client_ids: tuple[str, ...]
    max_session_seconds: int
    over_quota: bool
    warnings: tuple[str, ...]
    secrets: tuple[str, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True)
class EnvironmentPlan(RolePlan):
    """The same, and what the environment needs."""

    login: Login
    environment_ref: str


def violations_of(
    fields: Mapping[str, Field], relations: Sequence[Relation], name: str, given: Mapping[str, Any]
) -> list[Violation]:
    """Everything that is wrong with the inputs of the component of this name, at once.

    LATER stands in the place of an Output; what depends on one is checked when its value is known.
    """
    violations = list(examine(fields, given))
    if given.get("role_name") is None:
        violations += generated_role_name(name)
    present = {key: value for key, value in given.items() if value is not None and key in fields}
    bad = {violation.name for violation in violations}
    later = {key for key, value in present.items() if depends_on_output(value)}
    known = {key: _as_list(value) for key, value in present.items() if key not in bad | later}
    violations += relate(relations, known, present.keys(), bad | later)
    return violations


def _as_list(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def with_defaults(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs that count: None is "not given"."""
    return {**defaults, **{name: value for name, value in given.items() if value is not None}}


def role_plan(inputs: Mapping[str, Any], trust: Trust, warnings: Iterable[str]) -> RolePlan:
    """What the provider and the role of a component come to.

    Args:
        inputs: Inputs without a violation, with their defaults.
        trust: What the role must admit.
        warnings: What is to be said of who gets in.
    """
    over_quota = tuple(size_warning(trust, inputs.get("oidc_provider_arn") or provider_arn(trust.issuer)))
    return RolePlan(
        inputs=inputs,
        trust=trust,
        client_ids=(trust.audience, *inputs.get("additional_audiences", ())),
        max_session_seconds=seconds(longest_session(inputs)),
        over_quota=bool(over_quota),
        warnings=(*warnings, *provider_warnings(inputs), *role_warnings(inputs), *over_quota),
    )


def check(name: str, given: Mapping[str, Any]) -> list[Violation]:
    """Everything that is wrong with the inputs of the PulumiEscOidc of this name; see `violations_of`."""
    return violations_of(ENVIRONMENT_FIELDS, ENVIRONMENT_RELATIONS, name, given)


def plan(given: Mapping[str, Any]) -> EnvironmentPlan:
    """What inputs of PulumiEscOidc without a violation come to."""
    inputs = with_defaults(DEFAULTS, given)
    return EnvironmentPlan(
        **vars(role_plan(inputs, declared_trust(inputs), environment_warnings(inputs))),
        login=_login(inputs),
        environment_ref=f"{inputs['organization']}/{own_environment(inputs)}",
    )


def _login(inputs: Mapping[str, Any]) -> Login:
    return Login(
        session_name=inputs["session_name"],
        duration=inputs["duration"],
        subject_attributes=attributes(inputs),
        session_policy_arns=tuple(inputs.get("session_policy_arns", ())),
        imports=tuple(inputs.get("imports", ())),
        export_environment_variables=inputs["export_environment_variables"],
        region=inputs.get("region"),
        environment_variables=inputs.get("environment_variables", {}),
        pulumi_config=inputs.get("pulumi_config", {}),
    )
