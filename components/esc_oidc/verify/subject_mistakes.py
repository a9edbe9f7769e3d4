"""The likely mistake behind a subject that does not match."""

from collections.abc import Callable
from typing import Final

from ..claims import (
    CURRENT_ENVIRONMENT,
    LEGACY_PROJECT,
    ROOT_ENVIRONMENT,
    STACK_CONFIGURATION,
    TEAM,
    TOKEN_TYPE,
    USER,
    AttributeSubject,
    DefaultSubject,
    DeploymentSubject,
    Subject,
    read_subject,
)
from .variables import matches


def _kind_of(subject: Subject) -> str:
    """What kind of login it is, in words."""
    if isinstance(subject, AttributeSubject):
        return f"an ESC login with subjectAttributes {list(subject.names)}"
    if isinstance(subject, DefaultSubject):
        return "an ESC login without subjectAttributes"
    return "Pulumi Deployments"


def subject_mistake(wanted: str, had: str) -> str | None:
    """The likely mistake when the token's subject `had` does not match `wanted`, which may be a pattern."""
    if trailing := _trailing(wanted, had):
        return trailing
    wants, has = read_subject(wanted), read_subject(had)
    if not wants:
        return (
            "the policy's subject is none that Pulumi Cloud mints: it begins with `pulumi:environments:` or "
            f"`pulumi:deploy:`. This token's is {had!r}."
        )
    if not has:
        return "the token's subject is none that Pulumi Cloud mints: is the token from another issuer?"
    return next((mistake for rule in _RULES if (mistake := rule(wants, has))), None)


def _trailing(wanted: str, had: str) -> str | None:
    """A colon or white space that was left at the end of the policy's subject; only an empty team ends so."""
    kept = wanted.rstrip(": \t\r\n")
    if kept == wanted or kept.endswith(f":{TEAM}"):
        return None
    says = f"the policy's subject ends in {wanted[len(kept) :]!r}, which is too much: "
    if matches(kept, had):
        return f"{says}write {kept!r}."
    further = subject_mistake(kept, had)
    return f"{says}leave that out. Also: {further}" if further else f"{says}leave that out."


def is_deployment_beside_esc(wanted: str, had: str) -> bool:
    """Whether one subject is from Pulumi Deployments and the other from ESC, so that nothing else needs saying."""
    kinds = {type(read_subject(wanted)), type(read_subject(had))}
    return DeploymentSubject in kinds and len(kinds - {type(None)}) > 1


def _stack_configuration(wants: Subject, has: Subject) -> str | None:
    if isinstance(has, DefaultSubject) and has.environment == STACK_CONFIGURATION:
        named = list(wants.names) if isinstance(wants, AttributeSubject) else []
        if any("*" in name or "?" in name or not name for name in named):
            named = []
        in_policy = "" if isinstance(wants, AttributeSubject) else " and name the environment in the policy"
        return (
            f"the environment was opened through a stack's `environment:` list (`pulumi up`), and without "
            f"subjectAttributes every such login has the subject {STACK_CONFIGURATION}. Add `subjectAttributes: "
            f"[{', '.join(named or [CURRENT_ENVIRONMENT])}]` to the login{in_policy}."
        )
    if isinstance(wants, DefaultSubject) and wants.environment == STACK_CONFIGURATION:
        return (
            f"the policy admits {STACK_CONFIGURATION}, which only logins without subjectAttributes through a stack's "
            "`environment:` list have, and this environment was opened otherwise. Name the environment instead."
        )
    return None


def _kind(wants: Subject, has: Subject) -> str | None:
    if type(wants) is type(has):
        return None
    if DeploymentSubject in {type(wants), type(has)}:
        return (
            f"the policy is for {_kind_of(wants)}, and this token is from {_kind_of(has)}: their subjects never match. "
            "Give each a role of its own."
        )
    if isinstance(has, AttributeSubject):
        return (
            f"the policy is for {_kind_of(wants)}, and this token is from {_kind_of(has)}: `pulumi:environments:org:` "
            "never matches the subject that attributes make, nor does its wildcard. Write the attribute form in the "
            "policy."
        )
    names = list(wants.names) if isinstance(wants, AttributeSubject) else []
    return (
        f"the policy is for {_kind_of(wants)}, and this token is from {_kind_of(has)}. Add `subjectAttributes: "
        f"[{', '.join(names)}]` to the login, in this order."
    )


def _organization(wants: Subject, has: Subject) -> str | None:
    if matches(wants.organization, has.organization):
        return None
    if wants.organization.lower() == has.organization.lower():
        return f"the organization differs in upper and lower case. Write {has.organization!r}."
    return (
        f"the token is of another organization: {has.organization!r}, not {wants.organization!r}. Use the "
        "organization's login from the console's URL, not its display name."
    )


def _attributes(wants: Subject, has: Subject) -> str | None:
    if not isinstance(wants, AttributeSubject) or not isinstance(has, AttributeSubject):
        return None
    if wants.names == has.names or any("*" in name for name in wants.names):
        return None
    fix = (
        f"Write `subjectAttributes: [{', '.join(wants.names)}]` into the login, or compose the policy's subject from "
        f"{list(has.names)}."
    )
    if sorted(wants.names) == sorted(has.names):
        return (
            f"the attributes stand in another order: the policy has {list(wants.names)}, the login {list(has.names)}, "
            f"and the order is part of the subject. {fix}"
        )
    missing = [name for name in wants.names if name not in has.names]
    extra = [name for name in has.names if name not in wants.names]
    parts = [
        *([f"the login lacks {', '.join(missing)}"] if missing else []),
        *([f"the login has {', '.join(extra)} too much"] if extra else []),
    ]
    return f"not the same attributes: {' and '.join(parts) or 'one stands twice'}. {fix}"


def _environment(wants: Subject, has: Subject) -> str | None:
    for what, wanted, had in _environments(wants, has):
        if not matches(wanted, had):
            return _environment_mistake(what, wanted, had)
    return None


def _environments(wants: Subject, has: Subject) -> list[tuple[str, str, str]]:
    if isinstance(wants, DefaultSubject) and isinstance(has, DefaultSubject):
        return [("environment", wants.environment, has.environment)]
    if isinstance(wants, AttributeSubject) and isinstance(has, AttributeSubject):
        values = dict(has.attributes)
        return [
            (name, wanted, values[name])
            for name, wanted in wants.attributes
            if name in {CURRENT_ENVIRONMENT, ROOT_ENVIRONMENT} and name in values
        ]
    return []


def _environment_mistake(what: str, wanted: str, had: str) -> str:
    return f"{what}: {_legacy_project(wanted, had) or _pinned(what, wanted, had) or _other_environment(wanted, had)}"


def _legacy_project(wanted: str, had: str) -> str | None:
    prefix = f"{LEGACY_PROJECT}/"
    if had == wanted.removeprefix(prefix):
        happened = "is left out of"
    elif wanted == had.removeprefix(prefix):
        happened = "stands in"
    else:
        return None
    return (
        f"the legacy project `{LEGACY_PROJECT}` {happened} this token's subject. Write {had!r} instead of {wanted!r}, "
        "or admit both: Pulumi's sources differ on which one is minted."
    )


def _pinned(what: str, wanted: str, had: str) -> str | None:
    environment, _, pin = had.partition("@")
    if not pin or not matches(wanted, environment):
        return None
    # The root is what was opened itself; the current environment may be an import of it.
    done, do = ("opened", "Open") if what == ROOT_ENVIRONMENT else ("imported", "Import")
    return (
        f"the environment was {done} at a pinned version, and the pin is part of the subject. {do} {environment!r} "
        f"without '@{pin}'."
    )


def _other_environment(wanted: str, had: str) -> str:
    if wanted.lower() == had.lower():
        return f"they differ only in upper and lower case. Write {had!r}."
    (project, _, name), (other_project, _, other_name) = wanted.partition("/"), had.partition("/")
    what = "another environment"
    if project == other_project:
        what = "the right project, another environment"
    elif name == other_name:
        what = "an environment of the same name in another project"
    return (
        f"{what}: {had!r}, not {wanted!r}. If it may assume this role, add its subject to the policy; otherwise open "
        "the right environment."
    )


def _opener(wants: Subject, has: Subject) -> str | None:
    # A pattern may have its wildcard across attributes: then they cannot be compared one by one.
    if not isinstance(wants, AttributeSubject) or not isinstance(has, AttributeSubject) or wants.names != has.names:
        return None
    pairs = zip(wants.attributes, has.attributes, strict=True)
    differing = [(name, wanted, had) for (name, wanted), (_, had) in pairs if not matches(wanted, had)]
    return _opener_mistake(*differing[0], has.organization) if differing else None


def _opener_mistake(name: str, wanted: str, had: str, organization: str) -> str:
    if name == USER and had == organization:
        return (
            f"the policy names the user {wanted!r}, and a team or organization token opened the environment: those "
            "carry the organization's name as pulumi.user.login. Log in with a personal token, or admit the token "
            f"by {TOKEN_TYPE}."
        )
    if wanted.lower() == had.lower():
        return f"{name} differs only in upper and lower case. Write {had!r}."
    if not had:
        return f"{name} is empty in the token, and the policy wants {wanted!r}: not such a token opened it."
    return (
        f"{name} is {had!r}, and the policy wants {wanted!r}. If {had!r} may assume this role, add its subject to the "
        "policy."
    )


def _deployment(wants: Subject, has: Subject) -> str | None:
    if not isinstance(wants, DeploymentSubject) or not isinstance(has, DeploymentSubject):
        return None
    for (name, wanted), (other, had) in zip(wants.fields, has.fields, strict=False):
        if name == other and not matches(wanted, had):
            return (
                f"another {name} of Pulumi Deployments: {had!r}, not {wanted!r}. If it may assume this role, add its "
                "subject to the policy."
            )
    return None


# The first that recognizes the difference speaks.
_RULES: Final[tuple[Callable[[Subject, Subject], str | None], ...]] = (
    _stack_configuration,
    _kind,
    _organization,
    _attributes,
    _environment,
    _opener,
    _deployment,
)
