"""Checks on single values of `sub`: what does this one let in?"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from ..claims import (
    ATTRIBUTES,
    CURRENT_ENVIRONMENT,
    LEGACY_PROJECT,
    OPERATIONS,
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

Problem = tuple[str, Mapping[str, object]]
"""A rule's id and the values for its templates."""

LOGIN: Final = "pulumi:environments:pulumi.organization.login:"
BY_NAME: Final = "pulumi:environments:org:"
DEPLOYMENT: Final = "pulumi:deploy:org:"

_ORGANIZATION: Final = re.compile(r"[A-Za-z0-9._-]{1,80}")
_ENVIRONMENT: Final = r"(?:[A-Za-z0-9._-]+/)?[A-Za-z0-9._-]+(?:@[A-Za-z0-9._-]+)?"
_PERSON: Final = r"[A-Za-z0-9._@+-]+"
_VALUES: Final = {
    CURRENT_ENVIRONMENT: re.compile(_ENVIRONMENT),
    ROOT_ENVIRONMENT: re.compile(_ENVIRONMENT),
    USER: re.compile(_PERSON),
    # "Such as" personal, team and organization.
    TOKEN_TYPE: re.compile("[a-z]+"),
    TEAM: re.compile(f"(?:{_PERSON})?"),
}
_OPEN_DEPLOYMENT: Final = re.compile(
    rf"project:[^:]+:stack:[^:]+:(?:\*|operation:(?:\*(?::scope:write)?|(?:{'|'.join(OPERATIONS)}):(?:\*|scope:\*)))"
)
_DEPLOYMENT_FIELDS: Final = ("project", "stack", "operation", "scope")


def check_exact(value: str) -> Iterator[Problem]:
    """What is wrong with an exact subject."""
    subject = read_subject(value)
    if subject is None or not _ORGANIZATION.fullmatch(subject.organization):
        yield "subject-form", {"value": value}
    elif isinstance(subject, AttributeSubject):
        yield from _check_attributes(value, subject)
    elif isinstance(subject, DefaultSubject):
        if subject.environment == STACK_CONFIGURATION:
            yield "yaml-subject", {"organization": subject.organization}
        elif f"{BY_NAME}{subject.organization}:env:{subject.environment}" != value or not re.fullmatch(
            _ENVIRONMENT, subject.environment
        ):
            yield "subject-form", {"value": value}
        else:
            yield "without-attributes", {"value": value}
    elif not _is_deployment(subject):
        yield "subject-form", {"value": value}
    if subject is not None and subject.organization != subject.organization.lower():
        yield "upper-case", {"value": subject.organization}


def _check_attributes(value: str, subject: AttributeSubject) -> Iterator[Problem]:
    names = subject.names
    values = dict(subject.attributes)
    unknown = [name for name in names if name not in ATTRIBUTES or names.count(name) > 1]
    if not names or (value.count(":") - LOGIN.count(":")) % 2:
        yield "subject-form", {"value": value}
        return
    if unknown:
        yield "subject-attribute", {"attribute": unknown[0], "value": value}
        return
    if any(not _VALUES[name].fullmatch(had) for name, had in values.items()):
        yield "subject-form", {"value": value}
    if CURRENT_ENVIRONMENT not in names:
        yield "current-environment-missing", {"organization": subject.organization}
    elif names[0] != CURRENT_ENVIRONMENT:
        yield "attribute-order", {}
    user = values.get(USER, "")
    if user.lower() == subject.organization.lower() and TOKEN_TYPE not in names and not values.get(TEAM):
        yield "user-is-organization", {"user": user}
    if values.get(TEAM) == "":
        yield "empty-team", {}
    current = values.get(CURRENT_ENVIRONMENT, "")
    if current != current.lower():
        yield "upper-case", {"value": current}


def _is_deployment(subject: DeploymentSubject) -> bool:
    fields = dict(subject.fields)
    return (
        tuple(name for name, _ in subject.fields) == _DEPLOYMENT_FIELDS
        and fields["operation"] in OPERATIONS
        and fields["scope"] == "write"
        and all(_ORGANIZATION.fullmatch(fields[name]) for name in ("project", "stack"))
    )


def check_pattern(value: str) -> Iterator[Problem]:
    """What is wrong with a pattern. Whatever is not known to be narrow is."""
    problems = [(rule, {"value": value} | dict(values)) for rule, values in _check_pattern(value)]
    yield from problems or [("partial-segment", {"value": value})]


def _check_pattern(value: str) -> Iterator[Problem]:
    if not value.strip("*?"):
        yield "subject-any", {}
        return
    if value[0] in "*?":
        yield "subject-leading-wildcard", {}
        return
    head = _head(value)
    form = next((form for form in (LOGIN, BY_NAME, DEPLOYMENT) if head.startswith(form)), None)
    if form is None:
        possible = any(form.startswith(head) for form in (LOGIN, BY_NAME, DEPLOYMENT))
        yield ("organization-open" if possible else "subject-form"), {}
        return
    organization, colon, rest = value.removeprefix(form).partition(":")
    if not colon or _head(organization) != organization:
        yield "organization-open", {}
        return
    if not _ORGANIZATION.fullmatch(organization):
        yield "subject-form", {}
        return
    yield from _check_wildcards(rest)
    if form == LOGIN:
        yield from _open_attributes(organization, rest)
    elif form == BY_NAME:
        yield from _open_environment(organization, rest)
    else:
        yield from _open_deployment(rest)
    if organization != organization.lower():
        yield "upper-case", {"value": organization}


def _check_wildcards(rest: str) -> Iterator[Problem]:
    runs = list(re.finditer(r"[*?]+", rest))
    if any(run.end() < len(rest) for run in runs):
        yield "middle-wildcard", {}
    for run in runs:
        before, after = rest[: run.start()][-1:], rest[run.end() :][:1]
        if "?" in run[0] or before not in {"", ":", "/"} or after not in {"", ":", "/"}:
            yield "partial-segment", {}
            return


def _open_attributes(organization: str, rest: str) -> Iterator[Problem]:
    names, values = rest.split(":")[::2], rest.split(":")[1::2]
    fixed = dict(zip(names, values, strict=False))
    if not _head(names[0]):
        yield "organization-wide", {"organization": organization}
    elif CURRENT_ENVIRONMENT not in fixed or _head(":".join(names[: names.index(CURRENT_ENVIRONMENT)])) != ":".join(
        names[: names.index(CURRENT_ENVIRONMENT)]
    ):
        yield "current-environment-missing", {"organization": organization}
    else:
        current = fixed[CURRENT_ENVIRONMENT]
        yield from _open_name(organization, current)
        if rest.endswith(":*") and _head(current) == current:
            yield "open-end", {}


def _open_environment(organization: str, rest: str) -> Iterator[Problem]:
    if not rest.startswith("env:"):
        yield (
            ("organization-wide" if "env:".startswith(_head(rest)) else "subject-form"),
            {"organization": organization},
        )
    else:
        yield from _open_name(organization, rest.removeprefix("env:"))


def _open_name(organization: str, name: str) -> Iterator[Problem]:
    """How much of an environment's name is open."""
    head = _head(name)
    if head == name:
        if not re.fullmatch(_ENVIRONMENT, name):
            yield "subject-form", {}
    elif "/" in head:
        project, _, environment = head.partition("/")
        if not environment:
            yield "project-wide", {"project": project}
    else:
        yield "organization-wide", {"organization": organization}


def _open_deployment(rest: str) -> Iterator[Problem]:
    fields = dict(zip(rest.split(":")[::2], rest.split(":")[1::2], strict=False))
    named = [_head(fields.get(name, "*")) == fields.get(name, "*") for name in ("project", "stack")]
    if not all(named) or not rest.startswith("project:"):
        yield "stacks-wide", {}
    elif _OPEN_DEPLOYMENT.fullmatch(rest):
        yield "open-end", {}
    else:
        yield "subject-form", {}


def _head(text: str) -> str:
    """What stands before the first wildcard."""
    return re.split(r"[*?]", text, maxsplit=1)[0]


def audience_kind(value: str) -> str | None:
    """Which audience a subject comes with: ``aws``, ``bare`` (the organization alone), or None for either."""
    subject: Subject | None = read_subject(value)
    if isinstance(subject, DeploymentSubject):
        return "bare"
    name = ""
    if isinstance(subject, AttributeSubject):
        name = dict(subject.attributes).get(CURRENT_ENVIRONMENT, "")
    elif isinstance(subject, DefaultSubject):
        name = subject.environment
    head = _head(name)
    if "/" in head and not name.startswith(f"{LEGACY_PROJECT}/"):
        return "aws"
    return "bare" if head == name and name and name != STACK_CONFIGURATION else None


def organization_of(value: str) -> str | None:
    """The organization that a subject or pattern fixes."""
    subject = read_subject(value)
    if subject is None or not _ORGANIZATION.fullmatch(subject.organization):
        return None
    return subject.organization
