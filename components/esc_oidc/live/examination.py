"""An environment, an organization or a role, examined: every way in, what repairs it, and what is too wide."""

import json
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from ..claims import TEAM, USER, AttributeSubject, read_subject
from ..tokens import Opener
from ..verify import Finding
from .cloud import CloudError, Grant
from .diagnosis import Diagnosis, Doctor, Target, Way, ways_through
from .environments import Obstacle
from .repairs import TOO_MANY, Repair, Setup, narrowed, principals_of, repaired, statements_of

Progress = Callable[[int, int], None]
"""Called with how many are done, and of how many."""


@dataclass(frozen=True)
class RoleFindings:
    """What is wrong with a role's trust policy.

    Attributes:
        role: Its ARN.
        findings: What `lint` finds.
        narrowing: What makes it admit the logins that were examined and no longer what is too wide; None if there is
            nothing to narrow, or no way to say it.
    """

    role: str
    findings: tuple[Finding, ...]
    narrowing: Repair | None = None

    @property
    def is_too_wide(self) -> bool:
        """Whether it lets in more than named environments of one organization."""
        return any(each.rule in TOO_MANY for each in self.findings)


@dataclass(frozen=True)
class Examination:
    """What was found out about an environment.

    Attributes:
        environment: ``PROJECT/ENV``.
        opener: Who would open it.
        diagnoses: What comes of each way: by name and for a stack, then through each environment that imports it.
        obstacles: What stands in the way before any login.
        repairs: What lets in the ways that are refused.
        roles: What is wrong with the roles that its logins name.
        other_logins: Logins to AWS with static credentials, which ask for no token.
    """

    environment: str
    opener: Opener
    diagnoses: tuple[Diagnosis, ...]
    obstacles: tuple[Obstacle, ...]
    repairs: tuple[Repair, ...]
    roles: tuple[RoleFindings, ...]
    other_logins: tuple[str, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether somebody is refused."""
        return any(each.verdict == "refused" for each in self.diagnoses) or any(
            each.is_certain for each in self.obstacles
        )

    @property
    def is_unknown(self) -> bool:
        """Whether something could not be judged."""
        return bool(self.obstacles) or any(each.verdict == "unknown" for each in self.diagnoses)

    @property
    def is_too_wide(self) -> bool:
        """Whether a role lets in more than it should."""
        return any(each.is_too_wide for each in self.roles)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was not judged, each once."""
        return tuple(dict.fromkeys(note for each in self.diagnoses for note in each.notes))

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON has it."""
        return {
            "environment": self.environment,
            "opener": asdict(self.opener),
            "ways": [diagnosis_json(each) for each in self.diagnoses],
            "obstacles": [{"path": list(each.chain), "reason": each.reason} for each in self.obstacles],
            "repairs": [repair_json(each) for each in self.repairs],
            "roles": [
                {
                    "role": each.role,
                    "findings": [asdict(finding) for finding in each.findings],
                    "narrowing": each.narrowing and repair_json(each.narrowing),
                }
                for each in self.roles
            ],
            "otherLogins": list(self.other_logins),
            "notes": list(self.notes),
        }


def diagnosis_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """A diagnosis as JSON has it: the way, the verdict, the reason, the token's claims and AWS's answer."""
    way, provider = diagnosis.way, diagnosis.target.provider if diagnosis.target else None
    return {
        "opened": way.opened,
        "how": "stack" if way.for_stack else "name",
        "path": list(way.held.chain),
        "login": way.held.login.path,
        "role": diagnosis.target.arn if diagnosis.target else None,
        "provider": asdict(provider) if provider else None,
        "verdict": diagnosis.verdict,
        "reason": diagnosis.reason,
        "token": {name: diagnosis.token[name] for name in ("iss", "aud", "sub") if name in diagnosis.token},
        "decision": diagnosis.decision.to_json() if diagnosis.decision else None,
    }


def repair_json(repair: Repair) -> dict[str, Any]:
    """A repair as JSON has it; `command` is for a shell, `arguments` are its words."""
    return {
        "says": repair.says,
        "command": shlex.join(repair.command),
        "arguments": list(repair.command),
        "admits": list(repair.admits),
    }


def examine(doctor: Doctor, environment: str, opener: Opener, importers: Iterable[str] = ()) -> Examination:
    """Judge every way to open an environment, and find what repairs it.

    Args:
        doctor: Whom to ask.
        environment: ``PROJECT/ENV``.
        opener: Who would open it.
        importers: The environments that may import it; those that don't are left out.
    """
    ways, obstacles = doctor.ways(environment, opener)
    diagnoses = [doctor.judge(way, obstacles) for way in ways]
    for importer in doctor.importers(environment, importers):
        further, in_between = doctor.ways(importer, opener)
        own = {way.held.login for way in ways}
        diagnoses += [doctor.judge(way, in_between) for way in further if way.held.login in own]
    environments = doctor.environments
    setup = repaired(environments.organization, doctor.issuer, environments, diagnoses)
    roles = tuple(role_findings(doctor, diagnoses, setup))
    others = () if obstacles else environments.definition(environment).other_logins
    return Examination(
        environment, opener, tuple(diagnoses), tuple(obstacles), tuple(setup.repairs.values()), roles, others
    )


def role_findings(doctor: Doctor, diagnoses: Sequence[Diagnosis], setup: Setup) -> Iterable[RoleFindings]:
    """What is wrong with each role that these ways lead to, and what narrows it once the repairs are made."""
    targets = {each.target.arn: each.target for each in diagnoses if each.target}
    for arn, target in targets.items():
        if target.role is None:
            continue
        role = setup.targets[arn].role or target.role
        leading = [each.way for each in diagnoses if each.target and each.target.arn == arn]
        yield RoleFindings(arn, tuple(doctor.findings(target.role)), narrowed(setup, leading, role))


@dataclass(frozen=True)
class Reach:
    """One way in which somebody gets a role's credentials, or would if the policy let them.

    Attributes:
        diagnosis: The way, and what comes of it for `opener`.
        opener: Who: one whom the trust policy or the command names; None if it makes no difference who opens.
        grants: The teams that may open the environment, as far as Pulumi Cloud says so.
    """

    diagnosis: Diagnosis
    opener: Opener | None
    grants: tuple[Grant, ...]


@dataclass(frozen=True)
class RoleExamination:
    """Who can reach a role.

    Attributes:
        role: Its ARN.
        reaches: Every way that leads to it, whoever is admitted and refused.
        roles: What is wrong with its policy; empty if there is no such role.
        obstacles: What could not be followed.
        notes: What is not known, as sentences.
    """

    role: str
    reaches: tuple[Reach, ...]
    roles: tuple[RoleFindings, ...]
    obstacles: tuple[Obstacle, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON has it."""
        return {
            "role": self.role,
            "ways": [
                {
                    **diagnosis_json(each.diagnosis),
                    "opener": asdict(each.opener) if each.opener else None,
                    "grants": [asdict(grant) for grant in each.grants],
                }
                for each in self.reaches
            ],
            "findings": [asdict(finding) for each in self.roles for finding in each.findings],
            "obstacles": [{"path": list(each.chain), "reason": each.reason} for each in self.obstacles],
            "notes": list(self.notes),
        }


_MAY_OPEN: Final = frozenset({"open", "write", "admin"})


def examine_role(
    doctor: Doctor, role_arn: str, openers: Sequence[Opener], names: Sequence[str], grants: Callable[[], list[Grant]]
) -> RoleExamination:
    """Find every environment whose opening gives a role's credentials, and to whom. Raises Unreadable.

    Args:
        doctor: Whom to ask.
        role_arn: The role.
        openers: People and tokens to ask about, besides those that the trust policy names.
        names: The environments to look at.
        grants: Reads what teams may do.
    """
    environments, target = doctor.environments, doctor.target(role_arn)
    notes: list[str] = list(target.notes)
    if target.role is None:
        notes.append(f"There is no role {role_arn}.")
    organization = environments.organization
    others = (Opener(organization, "organization"), Opener(organization, "team", ANYBODY), Opener(ANYBODY))
    named = _named_in(target.role.policy) if target.role else ()
    asked = list(dict.fromkeys([*openers, *named, *others]))
    notes += _also_trusted(target)
    try:
        teams = grants()
    except CloudError as error:
        teams = []
        notes.append(f"Who may open which environment is not known: {error}")
    reaches: list[Reach] = []
    unknown: list[Obstacle] = []
    found: list[Diagnosis] = []
    for way in ways_through(environments, role_arn, asked[0], names):
        obstacles = environments.reached_from(way.opened).obstacles
        by_who = _depends_on_who(way)
        may = tuple(each for each in teams if each.environment == way.opened and each.permission in _MAY_OPEN)
        for opener in asked if by_who else asked[:1]:
            diagnosis = doctor.judge(Way(way.opened, way.for_stack, way.held, opener), obstacles)
            found.append(diagnosis)
            reaches.append(Reach(diagnosis, opener if by_who else None, may))
    for name in names:
        for held in environments.reached_from(name).logins:
            if "roleArn" in held.login.unknown:
                reason = "its login's role is known only when it is opened: it may be this one."
                unknown.append(Obstacle(held.chain, reason, is_certain=False))
    followed = {each.chain: each for name in names for each in environments.reached_from(name).obstacles}
    setup = repaired(environments.organization, doctor.issuer, environments, [])
    roles = tuple(role_findings(doctor, found, replace(setup, targets={role_arn: target})))
    if not found and target.role is not None:
        roles = (RoleFindings(role_arn, tuple(doctor.findings(target.role))),)
    return RoleExamination(role_arn, tuple(reaches), roles, (*followed.values(), *unknown), tuple(notes))


ANYBODY: Final = "anybody-else"
"""Stands for people and teams whom neither the command nor the trust policy names."""


def _also_trusted(target: Target) -> list[str]:
    """Who else may assume the role, as notes."""
    if target.role is None:
        return []
    pulumi = target.provider.arn if target.provider else None
    allows = [each for each in statements_of(json.loads(target.role.policy)) if each.get("Effect") == "Allow"]
    others = dict.fromkeys(name for each in allows for name in principals_of(each) if name != pulumi)
    return (
        [f"The role also trusts {', '.join(map(str, others))}: whom that lets in was not looked at."] if others else []
    )


def _depends_on_who(way: Way) -> bool:
    """Whether the token says who opens."""
    attributes = way.held.login.subject_attributes
    return attributes is None or any(name.startswith("pulumi.") for name in attributes)


def _named_in(policy: str) -> Iterable[Opener]:
    """The people and teams whom exact subjects of a policy name."""
    for value in _texts(statements_of(json.loads(policy))):
        subject = read_subject(value)
        if not isinstance(subject, AttributeSubject) or "*" in value or "?" in value:
            continue
        named = dict(subject.attributes)
        if named.get(TEAM):
            yield Opener(subject.organization, "team", named[TEAM])
        elif named.get(USER) and named[USER] != subject.organization:
            yield Opener(named[USER])


def _texts(value: object) -> Iterable[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
