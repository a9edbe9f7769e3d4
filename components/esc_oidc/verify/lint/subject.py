"""Rules about `sub`: which environments and stacks get in, and who may open them."""

import re
from typing import Final

from ...claims import (
    CURRENT_ENVIRONMENT,
    DRIFT_OPERATIONS,
    ENVIRONMENT,
    KEYS_HEAD,
    LEGACY_PROJECT,
    NAME,
    OPERATIONS,
    STACK_CONFIGURATION,
    SUBJECT_HEADS,
    TEAM,
    TOKEN_TYPE,
    USER,
    VALUES,
    AttributeSubject,
    DefaultSubject,
    DeploymentSubject,
    KeySubject,
    default_subject,
    deployment_subject,
)
from ...trust import MAX_SUBJECT
from ..meant import meant
from .condition import is_misplaced
from .reading import PulumiStatement, SubjectValue, head_of
from .rules import AUD, DEPLOYMENTS, DEV, LOGIN, Breach, Problems, bad, equals, error, like, warning

_NAME_IT: Final = f"Name the environment: {meant('').subject}, with StringEquals."
_BY_NAME: Final = default_subject("contoso", LEGACY_PROJECT, "")[:-1]
_STACKS: Final = str(DeploymentSubject("contoso", (("project", "Core"),)))
_ATTRIBUTES_IN_LOGIN: Final = "Set `subjectAttributes: [currentEnvironment.name]` in the login, and name that subject."

_HEADS: Final = (*SUBJECT_HEADS, KEYS_HEAD)
_OPERATIONS: Final = "|".join((*OPERATIONS, *DRIFT_OPERATIONS))
# As text: `re` compiles it when it is first used, and most policies are about environments.
_DEPLOYMENT: Final = rf"{SUBJECT_HEADS[2]}[^:]+:project:{NAME}:stack:{NAME}:operation:(?:{_OPERATIONS}):scope:write"
_OPEN_DEPLOYMENT: Final = (
    rf"{SUBJECT_HEADS[2]}[^:]+:project:[^:]+:stack:[^:]+:"
    rf"(?:\*|operation:(?:\*(?::scope:write)?|(?:{_OPERATIONS}):(?:\*|scope:\*)))"
)


_FIELDS: Final = ("project", "stack", "operation", "scope")


def _is_fixed(text: str) -> bool:
    return head_of(text) == text


def _name_it(value: SubjectValue) -> str:
    """What to write instead, for the product that the value is about, as narrow as the value is."""
    written = meant(value.text)
    if written.is_whole and written.noun == "stack":
        return f"Write '{written.subject}', with StringEquals."
    return f"Name the {written.noun}: {written.subject}, with StringEquals."


@error("subject-missing", "The subject is not checked", fix="Add the environment's subject under StringEquals.")
@bad({"Condition": {"StringEquals": {AUD: "aws:contoso"}}})
def subject_missing(statement: PulumiStatement) -> Problems:
    """Every environment of the organization gets in, and so does whoever can create one."""
    if statement.conditions and not statement.limits("sub") and not is_misplaced(statement, "sub"):
        key = f"{statement.path}:sub"
        clouds = {audience.cloud for audience in statement.minted_audiences}
        whose = "stack's, or the legacy environment's," if clouds == {None} else "environment's"
        fix = f'Add "{key}" with the {whose} subject under StringEquals.'
        if name := statement.mixes_audiences_of:
            fix = (
                f"Write two statements, each with \"{key}\" under StringEquals: ESC's with 'aws:{name}' and the "
                f"environment's subject, Deployments' with {name!r} and the stack's."
            )
        yield Breach("nothing limits `sub`.", fix)


@error("subject-any", "Any subject", fix=_NAME_IT)
@bad(like("*"))
def subject_any(value: SubjectValue) -> Problems:
    """Every environment and every deployment gets in, and so does whoever can create one."""
    if not value.text.strip("*?"):
        yield Breach(f"{value.text!r} matches every subject.", _name_it(value))


@error("subject-long", "Longer than any subject", fix="Shorten the names, or list fewer `subjectAttributes`.")
@bad(
    equals(f"{DEV}{'x' * 255}"),
    see="https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html",
)
def subject_long(value: SubjectValue) -> Problems:
    """AWS accepts no token with such a subject: nobody gets in by it."""
    # A wildcard may stand for nothing.
    if len(value.text.replace("*", "")) > MAX_SUBJECT:
        yield f"a value of `sub` has {len(value.text)} characters; AWS accepts subjects of at most {MAX_SUBJECT}."


@error("subject-leading-wildcard", "A wildcard in front", fix=_NAME_IT)
@bad(like("*:currentEnvironment.name:aws/dev"))
def subject_leading_wildcard(value: SubjectValue) -> Problems:
    """What follows it can be the end of another organization's subject, whose values its members choose."""
    if not head_of(value.text) and value.text.strip("*?"):
        yield Breach(f"{value.text!r} begins with a wildcard.", _name_it(value))


@error("organization-open", "The organization is open", fix=_NAME_IT)
@bad(like(f"{LOGIN}*"))
def organization_open(value: SubjectValue) -> Problems:
    """Anyone can create an organization whose name matches."""
    head, subject = head_of(value.text), value.subject
    is_open = not _is_fixed(subject.organization) if subject else any(form.startswith(head) for form in _HEADS)
    if head and is_open:
        yield Breach(f"{value.text!r} does not fix the organization.", _name_it(value))


@error("organization-wide", "The whole organization", fix=_NAME_IT)
@bad(like(f"{_BY_NAME}:*"))
def organization_wide(value: SubjectValue) -> Problems:
    """One environment that anybody may edit is enough to get in."""
    subject, environment = value.open_subject, value.open_environment
    if environment is not None:
        is_wide = not _is_fixed(environment) and "/" not in head_of(environment)
    elif isinstance(subject, AttributeSubject):
        is_wide = not head_of(subject.names[0])
    else:
        is_wide = isinstance(subject, DefaultSubject) and "env:".startswith(head_of(subject.environment))
    if is_wide:
        message = (
            f"every environment of {value.organization} may assume this role, and so may whoever can create one in any "
            "project."
        )
        yield Breach(message, _name_it(value))


@error("project-wide", "The whole project", fix=_NAME_IT)
@bad(like(f"{LOGIN}:currentEnvironment.name:aws/*"))
def project_wide(value: SubjectValue) -> Problems:
    """Whoever may create an environment in the project gets in."""
    environment = value.open_environment or ""
    project, slash, name = head_of(environment).partition("/")
    if slash and not name and not _is_fixed(environment):
        message = (
            f"every environment of project {project} may assume this role, and so may whoever can create one in the "
            "project."
        )
        yield Breach(message, _name_it(value))


@error(
    "stacks-wide",
    "Every stack",
    fix=f"Name each stack: {deployment_subject('ORGANIZATION', 'PROJECT', 'STACK', 'OPERATION')}.",
)
@bad(
    like(f"{_STACKS}:*", "contoso"),
    good=equals(f"{_STACKS}:stack:dev:operation:update:scope:write", "contoso"),
    see=DEPLOYMENTS,
)
def stacks_wide(value: SubjectValue) -> Problems:
    """A stack's name costs nothing: whoever may create one gets in."""
    subject = value.open_subject
    if isinstance(subject, DeploymentSubject) and _is_in_order(subject) and not _names_a_stack(subject):
        message = f"every stack that {value.text!r} matches may assume this role, and so may whoever can create one."
        yield Breach(message, _name_it(value))


def _is_of_a_stack(value: SubjectValue) -> bool:
    return isinstance(value.open_subject, DeploymentSubject) and _names_a_stack(value.open_subject)


def _names_a_stack(subject: DeploymentSubject) -> bool:
    fields = dict(subject.fields)
    return _is_in_order(subject) and all(fields.get(name) and _is_fixed(fields[name]) for name in _FIELDS[:2])


def _is_in_order(subject: DeploymentSubject) -> bool:
    """Whether the fields of a pattern, as far as it fixes them, are those that Pulumi Cloud writes."""
    for place, (name, value) in enumerate(subject.fields):
        expected = "".join(_FIELDS[place : place + 1])
        if name != expected:
            return not _is_fixed(name) and expected.startswith(head_of(name))
        if not _is_fixed(value):
            break  # a wildcard may run over any number of fields
    return True


@error("middle-wildcard", "A wildcard in the middle", fix=_NAME_IT)
@bad(like(f"{LOGIN}:pulumi.user.login:*:currentEnvironment.name:aws/dev"))
def middle_wildcard(value: SubjectValue) -> Problems:
    """A longer subject with more attributes matches too, as long as it ends in the same way."""
    is_any_operation = re.fullmatch(_OPEN_DEPLOYMENT, value.text) is not None and _is_of_a_stack(value)
    if value.open_subject and re.search(r"[*?][^*?]", value.text) and not is_any_operation and _can_match(value):
        yield Breach(f"{value.text!r} continues after a wildcard, which also matches `:` and `/`.", _name_it(value))


@warning("open-end", "More attributes, whatever they say", fix="List the values, with StringEquals.")
@bad(like(f"{DEV}:*"))
def open_end(value: SubjectValue) -> Problems:
    """The environment or stack is named; who opens it, and what else the login asks for, is not."""
    subject, environment = value.open_subject, value.open_environment
    if isinstance(subject, DeploymentSubject):
        is_open = _is_of_a_stack(value) and re.fullmatch(_OPEN_DEPLOYMENT, value.text) is not None
    else:
        names_it = isinstance(subject, AttributeSubject) and environment is not None and _is_fixed(environment)
        is_open = names_it and value.text.endswith(":*")
    if is_open:
        what = "whatever stands at its end"
        if isinstance(subject, DeploymentSubject):
            what = "any scope" if _is_fixed(dict(subject.fields).get("operation", "*")) else "any operation"
        yield f"{value.text!r} accepts {what}."


@error("yaml-subject", "Any stack's configuration", fix=_ATTRIBUTES_IN_LOGIN)
@bad(equals(f"{_BY_NAME}:<yaml>"))
def yaml_subject(value: SubjectValue) -> Problems:
    """The subject of every login without attributes has `<yaml>` literally when `pulumi up` opens it."""
    if value.organization and _is_yaml(value):
        yield (
            f"every environment of {value.organization} may assume this role when a stack's `environment:` list opens "
            "it, and so may whoever can create one in any project."
        )


def _is_yaml(value: SubjectValue) -> bool:
    return isinstance(value.subject, DefaultSubject) and value.subject.environment == STACK_CONFIGURATION


@error(
    "current-environment-missing",
    "The login's environment is not named",
    fix="List `currentEnvironment.name` first, and name its value.",
)
@bad(equals(f"{LOGIN}:pulumi.user.login:alice"), good=equals(f"{DEV}:pulumi.user.login:alice"))
def current_environment_missing(value: SubjectValue) -> Problems:
    """A user's name or the opened environment says who opens, not which environment's login block asks."""
    pattern, exact = value.open_subject, value.known_attributes
    if isinstance(pattern, AttributeSubject):
        is_missing = value.open_environment is None and head_of(pattern.names[0]) != ""
    else:
        is_missing = exact is not None and CURRENT_ENVIRONMENT not in exact.names
    if is_missing:
        yield (
            f"whoever may edit any environment of {value.organization} can name this role in it and wait for the right "
            "person to open it."
        )


@error("user-is-organization", "The organization as a user", fix="Name a person, or list `pulumi.token.type` too.")
@bad(
    equals(f"{DEV}:pulumi.user.login:contoso"),
    good=equals(f"{DEV}:pulumi.user.login:contoso:pulumi.token.type:organization"),
)
def user_is_organization(value: SubjectValue) -> Problems:
    """All machine tokens of the organization get in, whoever made them."""
    subject = value.known_attributes
    had = dict(subject.attributes) if subject else {}
    user = had.get(USER, "")
    if subject and user.lower() == subject.organization.lower() and TOKEN_TYPE not in had and not had.get(TEAM):
        yield f"every team and organization token has {user!r} as its `pulumi.user.login`."


@error("subject-form", "Not a subject of Pulumi Cloud", fix=_NAME_IT)
@bad(equals("pulumi:environment:org:contoso:env:aws/dev"))
def subject_form(value: SubjectValue) -> Problems:
    """Nobody gets in."""
    if not (_is_minted(value) if value.form == "exact" else _can_match(value)):
        subject, order = value.subject, ""
        if (
            isinstance(subject, DeploymentSubject)
            and {*_FIELDS[:2]} <= {*dict(subject.fields)}
            and not _is_in_order(subject)
        ):
            order = f": its fields are {', '.join(_FIELDS[:-1])} and {_FIELDS[-1]}, in this order"
        yield Breach(f"{value.text!r} is not a subject that Pulumi Cloud writes{order}.", _name_it(value))


def _is_minted(value: SubjectValue) -> bool:
    """Whether an exact subject is well formed; `subject-attribute` judges the attributes' names."""
    subject = value.subject
    if subject is None or not value.organization:
        return False
    if isinstance(subject, AttributeSubject):
        known = value.known_attributes.attributes if value.known_attributes else ()
        return value.attributes is not None and all(re.fullmatch(VALUES[name], had) for name, had in known)
    if isinstance(subject, KeySubject):
        return str(subject) == value.text
    if isinstance(subject, DefaultSubject):
        return _is_yaml(value) or (
            str(subject) == value.text and re.fullmatch(ENVIRONMENT, subject.environment) is not None
        )
    return re.fullmatch(_DEPLOYMENT, value.text) is not None


def _can_match(value: SubjectValue) -> bool:
    """Whether what a pattern fixes is part of a subject that Pulumi Cloud writes."""
    subject, pattern, environment = value.subject, value.open_subject, value.open_environment
    if subject is None:
        return any(form.startswith(head_of(value.text)) for form in _HEADS)
    if pattern is None:
        return not _is_fixed(subject.organization)
    if isinstance(pattern, DeploymentSubject):
        is_known = not _names_a_stack(pattern) or re.fullmatch(_OPEN_DEPLOYMENT, value.text) is not None
        return is_known and _is_in_order(pattern)
    if environment is not None:
        return not _is_fixed(environment) or re.fullmatch(ENVIRONMENT, environment) is not None
    if isinstance(pattern, DefaultSubject):
        return "env:".startswith(head_of(pattern.environment))
    return isinstance(pattern, AttributeSubject)


@error("subject-attribute", "Not a subject attribute", fix="List the login's attributes, in its order.")
@bad(equals(f"{DEV}:pulumi.token.name:ci"))
def subject_attribute(value: SubjectValue) -> Problems:
    """Nobody gets in: Pulumi Cloud writes five attributes into subjects, and no others.

    They are currentEnvironment.name, rootEnvironment.name, pulumi.user.login, pulumi.token.type and pulumi.token.team;
    a token's name is not one, because whoever creates the token chooses it.
    """
    if value.unknown_attribute is not None:
        yield f"{value.unknown_attribute!r} in {value.text!r} is not a subject attribute, or is listed twice."


@warning("without-attributes", "A login without subject attributes", fix=_ATTRIBUTES_IN_LOGIN)
@bad(equals(f"{_BY_NAME}:aws/dev"))
def without_attributes(value: SubjectValue) -> Problems:
    """A login in any environment that it imports has this subject too; `pulumi up` gets another (both inferred)."""
    if (
        value.form == "exact"
        and isinstance(value.subject, DefaultSubject)
        and _is_minted(value)
        and not _is_yaml(value)
    ):
        yield f"{value.text!r} names the environment that is opened, and `pulumi up` opens none by name."


@warning("attribute-order", "The current environment is not first", fix="List it first, here and in the login.")
@bad(
    equals(f"{LOGIN}:pulumi.user.login:alice:currentEnvironment.name:aws/dev"),
    good=equals(f"{DEV}:pulumi.user.login:alice"),
)
def attribute_order(value: SubjectValue) -> Problems:
    """A login that lists the same attributes in another order is refused."""
    subject = value.known_attributes
    if subject and CURRENT_ENVIRONMENT in subject.names[1:]:
        yield "`currentEnvironment.name` usually comes first, and the order is part of the subject."


@warning("empty-team", "An empty team", fix="Test it before you rely on it.")
@bad(
    equals(f"{DEV}:pulumi.user.login:alice:pulumi.token.team:"),
    good=equals(f"{DEV}:pulumi.token.team:ops"),
    see="https://github.com/pulumi/esc",
)
def empty_team(value: SubjectValue) -> Problems:
    """If Pulumi Cloud writes something else, these tokens are refused."""
    subject = value.known_attributes
    if subject and dict(subject.attributes).get(TEAM) == "":
        yield (
            "the subject of users, and of tokens other than team tokens, has an empty `pulumi.token.team`; that Pulumi "
            "Cloud writes it like this is inferred from its source code, never observed."
        )


@warning("upper-case", "Upper case", fix="Check how Pulumi Cloud writes it.")
@bad(equals(f"{LOGIN}:currentEnvironment.name:aws/Dev"))
def upper_case(value: SubjectValue) -> Problems:
    """A name that Pulumi Cloud writes in lower case does not match."""
    subject, exact = value.subject if value.form == "exact" else value.open_subject, value.known_attributes
    names = [dict(exact.attributes).get(CURRENT_ENVIRONMENT, "")] if exact else []
    for name in (*names, subject.organization if subject else ""):
        if name != name.lower():
            yield f"{name!r} has upper case, and AWS compares case-sensitively."


_HOW_WIDE: Final = (
    subject_any,
    subject_leading_wildcard,
    organization_open,
    middle_wildcard,
    organization_wide,
    project_wide,
    stacks_wide,
    open_end,
    subject_form,
    current_environment_missing,
    upper_case,
)


@error("partial-segment", "A wildcard inside a name", fix=_NAME_IT)
@bad(like(f"{DEV}*"))
def partial_segment(value: SubjectValue) -> Problems:
    """`aws/dev*` also matches aws/developer-playground, and whatever somebody gives such a name tomorrow."""
    within_a_name = value.open_subject and re.search(r"\?|[^:/*]\*|\*[^:/*]", value.text)
    # Whatever no other rule knows to be narrow is wide.
    if within_a_name or not any(any(check.find(value)) for check in _HOW_WIDE):
        yield Breach(f"a wildcard in {value.text!r} is not a whole segment.", _name_it(value))


OF_PATTERNS: Final = (partial_segment, *_HOW_WIDE)
OF_EXACT_VALUES: Final = (
    yaml_subject,
    subject_form,
    subject_attribute,
    without_attributes,
    current_environment_missing,
    attribute_order,
    user_is_organization,
    empty_team,
    upper_case,
)
