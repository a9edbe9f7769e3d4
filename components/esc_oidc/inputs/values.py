"""The form of single values, one function each: None for a good value, else the rule it breaks and the way out.

Limits are those of AWS's API models (https://docs.aws.amazon.com/IAM/latest/APIReference/ and
.../STS/latest/APIReference/) and of ESC's schema. Patterns are matched whole and in ASCII.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from typing import Final

from ..claims import ATTRIBUTES, LEGACY_PROJECT, NAME, OPERATIONS, ORGANIZATION, PERSON, TOKEN_TYPES, is_name
from ..interpolation import parse
from ..sessions import HOUR, LONGEST_SESSION, SESSION_NAME, SHORTEST_SESSION, duration_text, seconds
from ..trust import ACCOUNT, MAX_SUBJECT, PARTITIONS, read_iam_arn
from .violations import Problem, listed, nearest, shown

Form = Callable[[str], Problem | None]
"""Judges one value."""

USER_TEMPLATE: Final = "${context.pulumi.user.login}"
"""The one template that an ESC session name may have: users choose the others, or they hold secrets."""

DEPLOYMENT_TEMPLATES: Final = (
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
"""The least length of a template's value where that is more than one character: Pulumi does not trim these."""

_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ISSUER: Final = re.compile(rf"https://(?:{_LABEL}\.)+(?![0-9]+/){_LABEL}/oidc", re.ASCII)
_MAX_ISSUER: Final = 255
_MANAGED_POLICY: Final = re.compile(
    rf"arn:(?:{'|'.join(PARTITIONS)}):iam::(?:aws|{ACCOUNT}):policy(/(?:[\w.,+@=-]{{1,510}}/)*)[\w+=,.@-]{{1,128}}",
    re.ASCII,
)
_MAX_POLICY_PATH: Final = 512
_PARTS: Final = 2
_TAG_SIGNS: Final = "_.:/=+-@"
_MAX_TAG_KEY: Final = 128
_MAX_TAG_VALUE: Final = 256


def matching(pattern: str, rule: str, fix: str = "Use only these characters.") -> Form:
    """A form that is one regular expression."""
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: None if compiled.fullmatch(value) else Problem(rule, fix)


def one_of(what: str, words: Collection[str]) -> Form:
    """A form that lists its values."""

    def check(value: str) -> Problem | None:
        return None if value in words else Problem(f"{what} are {listed(words)}.", _meant(value, words))

    return check


def _meant(value: str, words: Collection[str]) -> str:
    guess = nearest(value, words) or ("update" if value.casefold() == "up" and "update" in words else None)
    return f"Did you mean `{guess}`?" if guess else "Use one of these."


def organization(value: str) -> Problem | None:
    """A Pulumi Cloud organization's login."""
    rule = "the organization is its login: 1 to 80 letters, digits, `.`, `_` and `-`."
    if value.startswith("aws:"):
        return Problem(rule, f"Leave the `aws:` out: the audience is made from it. Give {shown(value[4:])}.")
    if not re.fullmatch(ORGANIZATION, value):
        return Problem(rule, "Take it from the console's address, https://app.pulumi.com/LOGIN.")
    if value == "organization":
        return Problem(
            "`organization` is what pulumi.get_organization() returns on every backend but Pulumi Cloud; the role "
            "would trust the owner of that login.",
            "Give the organization's login.",
        )
    return None


def project(value: str) -> Problem | None:
    """An ESC project."""
    if problem := environment_part(value):
        return problem
    if value != LEGACY_PROJECT and value.casefold() == LEGACY_PROJECT:
        return Problem("`default` is written in lower case.", "Write `default`, or use another project.")
    return None


def environment_part(value: str) -> Problem | None:
    """A project's or an environment's own name."""
    rule = "a project or environment has letters, digits, `.`, `_` and `-`, and is not `.` or `..`."
    if value.count("/") == _PARTS:
        org, proj, env = value.split("/")
        return Problem(
            rule,
            f"Give its parts one by one: organization={shown(org)}, project={shown(proj)}, environment={shown(env)}.",
        )
    if "/" in value:
        proj, _, env = value.partition("/")
        return Problem(rule, f"Give its parts one by one: project={shown(proj)}, environment={shown(env)}.")
    if "@" in value:
        return Problem(rule, "Leave the version out: a role trusts an environment, whatever its version.")
    return None if is_name(value) else Problem(rule, "Give the name as it stands in the environment's address.")


def environment_reference(value: str) -> Problem | None:
    """An environment of the organization, ``PROJECT/ENV``."""
    return _environment(value, "")


def _environment(name: str, version: str) -> Problem | None:
    proj, slash, env = name.partition("/")
    if not slash:
        fix = f"Put its project first: {shown(f'PROJECT/{name}{version}')}."
        return Problem("an environment is written PROJECT/ENV.", fix)
    if "/" in env:
        return Problem(
            "an environment is written PROJECT/ENV; it is always one of this organization.",
            f"Leave the organization out: {shown(f'{env}{version}')}.",
        )
    return project(proj) or environment_part(env)


def environment_version(value: str) -> Problem | None:
    """An environment of the organization, ``PROJECT/ENV``, and which version of it: ``@stable``, ``@12`` or none."""
    name, at, version = value.partition("@")
    if at and not re.fullmatch(NAME, version):
        rule = "a version is a tag or a number behind `@`, of letters, digits, `.`, `_` and `-`."
        return Problem(rule, f"Write it like {shown(f'{name}@stable')}.")
    return _environment(name, f"{at}{version}")


def iac_project(value: str) -> Problem | None:
    """A Pulumi project, as in Pulumi.yaml."""
    return _iac_name(value, "project", "Give its name alone, as in Pulumi.yaml.")


def stack(value: str) -> Problem | None:
    """A stack's own name."""
    return _iac_name(value, "stack", f"Give its name alone: {shown(value.rpartition('/')[2])}.")


def _iac_name(value: str, what: str, alone: str) -> Problem | None:
    if is_name(value) and len(value) <= 100:  # noqa: PLR2004 - said in the rule
        return None
    rule = f"a {what} has 1 to 100 letters, digits, `.`, `_` and `-`, and is not `.` or `..`."
    if value.count("/") == _PARTS:
        org, proj, name = value.split("/")
        fix = f"Give its parts one by one: organization={shown(org)}, project={shown(proj)}, stacks=[{shown(name)}]."
        return Problem(rule, fix)
    return Problem(rule, alone if "/" in value else "Give the name as `pulumi stack ls` shows it.")


def subject_attribute(value: str) -> Problem | None:
    """A subject attribute that Pulumi Cloud accepts."""
    if value == "pulumi.token.name":
        return Problem(
            "Pulumi Cloud does not put `pulumi.token.name` into a subject, because users choose the names of tokens.",
            "Use `pulumi.token.type` or `pulumi.token.team`.",
        )
    if value == "pulumi.organization.login":
        return Problem("`pulumi.organization.login` already begins every subject with attributes.", "Leave it out.")
    return one_of("subject attributes", ATTRIBUTES)(value)


token_type = one_of("token types", TOKEN_TYPES)
operation = one_of("operations", OPERATIONS)
user_or_team = matching(
    PERSON,
    "the name of a user or team has letters, digits and `._@+-`.",
    "Give the login or the team's name, as in its address in the console.",
)


def exact_subject(value: str) -> Problem | None:
    """A subject that is admitted as it stands; the plans say whether Pulumi Cloud mints it."""
    if re.search("[*?]", value):
        return Problem("each is one exact subject, without `*` and `?`.", "List every subject that you mean.")
    if len(value) > MAX_SUBJECT:
        return Problem(
            f"AWS takes subjects of at most {MAX_SUBJECT} characters.", "Leave it out: nobody gets in by it."
        )
    return None


def issuer(value: str) -> Problem | None:
    """The issuer's URL, exactly ``https://HOST/oidc``."""
    if _ISSUER.fullmatch(value) and len(value) <= _MAX_ISSUER:
        return None
    return Problem(
        "an issuer is exactly https://HOST/oidc, HOST a lower-case DNS name with a dot and without a port.",
        "Pulumi Cloud's is https://api.pulumi.com/oidc; a self-hosted one has your API's host.",
    )


def audience(value: str) -> Problem | None:
    """An audience of Pulumi Cloud."""
    if value.endswith(".amazonaws.com"):
        rule = "an audience of Pulumi Cloud is NAME or aws:NAME; AWS's own name is the audience that other issuers use."
        return Problem(rule, "Leave it out: no token of this issuer has it.")
    return _audience(value)


_audience = matching(
    f"(?:aws:)?{ORGANIZATION}",
    "an audience of Pulumi Cloud is NAME or aws:NAME, NAME an organization's login.",
    "Leave any others out.",
)
thumbprint = matching("[0-9A-Fa-f]{40}", "a thumbprint has 40 hexadecimal digits.", "Leave it out: AWS needs none.")


def oidc_provider_arn(value: str) -> Problem | None:
    """The ARN of an IAM OIDC provider."""
    arn = read_iam_arn(value)
    if not (arn and arn.is_of_an_account and arn.kind == "oidc-provider" and arn.name and "\n" not in arn.name):
        return Problem(
            "an OIDC provider's ARN is arn:PARTITION:iam::ACCOUNT:oidc-provider/HOST/PATH.",
            "Run `aws iam list-open-id-connect-providers` to find it.",
        )
    return None if arn.partition in PARTITIONS else _no_partition(arn.partition)


def managed_policy_arn(value: str) -> Problem | None:
    """The ARN of a managed policy."""
    parts = _MANAGED_POLICY.fullmatch(value)
    if parts and len(parts[1]) <= _MAX_POLICY_PATH:
        return None
    arn = read_iam_arn(value)
    if arn and arn.kind == "policy" and arn.partition not in PARTITIONS:
        return _no_partition(arn.partition)
    return Problem(
        "a managed policy's ARN is arn:PARTITION:iam::ACCOUNT:policy/NAME or .../PATH/NAME, ACCOUNT `aws` for AWS's "
        "own, with letters, digits and `_+=,.@-` only: no wildcards and no variables.",
        "Run `aws iam list-policies` to find it.",
    )


def _no_partition(name: str) -> Problem:
    guess = nearest(name, PARTITIONS)
    fix = f"{shown(name)} is not one of them. " + (f"Did you mean `{guess}`?" if guess else "Use one that is.")
    return Problem(f"the partitions of AWS are {listed(PARTITIONS)}.", fix)


_ROLE_CHARACTERS: Final = r"[\w+=,.@-]"
role_name = matching(_ROLE_CHARACTERS + "{1,64}", "a role's name has 1 to 64 letters, digits and `_+=,.@-`.")
role_path = matching(
    r"/|/[\x21-\x7e]{1,510}/",
    "a role's path is `/`, or begins and ends with `/` and has up to 512 printable ASCII characters.",
    "Write it like `/pulumi/esc/`.",
)
role_description = matching(
    r"[\t\n\r\x20-\x7e\xa1-\xff]{1,1000}",
    "a role's description has up to 1000 printable Latin-1 characters.",
    "Shorten it, and use only these characters.",
)
policy_name = matching(_ROLE_CHARACTERS + "{1,128}", "a policy's name has 1 to 128 letters, digits and `_+=,.@-`.")


def tag_key(value: str) -> Problem | None:
    """The key of a tag."""
    if _is_tag(value, _MAX_TAG_KEY) and not value.casefold().startswith("aws:"):
        return None
    return Problem(
        f"a tag's key has 1 to {_MAX_TAG_KEY} letters of any alphabet, digits, spaces and `{_TAG_SIGNS}`, and does not "
        "begin with `aws:`.",
        "Choose another key.",
    )


def tag_value(value: str) -> Problem | None:
    """The value of a tag."""
    if _is_tag(value, _MAX_TAG_VALUE):
        return None
    return Problem(
        f"a tag's value has up to {_MAX_TAG_VALUE} letters of any alphabet, digits, spaces and `{_TAG_SIGNS}`.",
        "Use only these characters.",
    )


def _is_tag(text: str, most: int) -> bool:
    r"""Whether it matches IAM's ``[\p{L}\p{Z}\p{N}_.:/=+\-@]*``; what AWS counts are UTF-16's units."""
    return len(text.encode("utf-16-le")) <= 2 * most and all(
        each in _TAG_SIGNS or unicodedata.category(each)[0] in "LZN" for each in text
    )


def not_text(value: str) -> Problem | None:
    """What no text may have, whatever it is for: it couldn't be sent anywhere."""
    if not re.search("[\ud800-\udfff]", value):
        return None
    return Problem(
        "this is not Unicode text: it has half of a surrogate pair.", "Find out where it was cut or decoded wrongly."
    )


def component_name(name: object) -> Problem | None:
    """The component's name, which Pulumi sends to its engine."""
    if not isinstance(name, str) or not name:
        return Problem("a component has a name, which is a string.", "Give it one.")
    return not_text(name)


def generated_role_name(component: str) -> Problem | None:
    """The component's name, where the role's name is generated from it: Pulumi adds seven random characters."""
    most, random = 64, 7
    if not re.fullmatch(f"{_ROLE_CHARACTERS}+", component, re.ASCII):
        rule = "the role's name is made from the component's, and has letters, digits and `_+=,.@-` only."
    elif len(f"{component}-role-") + random > most:
        rule = f"the role's name would be {shown(f'{component}-role-')} and {random} characters, over {most} in all."
    else:
        return None
    return Problem(rule, "Give `role_name`, or choose another component name.")


def _duration(least: int, range_: str) -> Form:
    def check(value: str) -> Problem | None:
        try:
            length = seconds(value)
        except ValueError:
            rule = "a duration is written in hours, minutes and seconds: 1h, 90m, 1h30m."
            meant = int(value) if re.fullmatch("[0-9]{1,5}", value) else 0
            is_seconds = least <= meant <= LONGEST_SESSION
            return Problem(rule, f"Pass {duration_text(meant)!r}." if is_seconds else "Write it like 1h30m.")
        if least <= length <= LONGEST_SESSION:
            return None
        return Problem(f"AWS allows {range_}.", "Choose a duration in this range.")

    return check


duration = _duration(SHORTEST_SESSION, "a session of 15m to 12h")
max_session_duration = _duration(HOUR, "a role a maximum session of 1h to 12h")


def session_name(value: str) -> Problem | None:
    """The name of an ESC login's session, as CloudTrail shows it."""
    # The template becomes a login, whose length is not known; AWS takes two characters at the least.
    filled = value.replace(USER_TEMPLATE, "uu")
    if SESSION_NAME.fullmatch(filled):
        return None
    rule = "a session name has 2 to 64 letters, digits and `_+=,.@-`."
    if "${" in filled:
        return Problem(
            f"{rule[:-1]}, and no template but `{USER_TEMPLATE}`: users choose the others, or they are secret.",
            "Use that one or none.",
        )
    return Problem(rule, "Use only these characters.")


def deployment_session_name(value: str) -> Problem | None:
    """The name of a deployment's session, in which Pulumi Deployments replaces templates."""
    filled = _TEMPLATE.sub(lambda template: "u" * _LEAST.get(template[1], 1), value)
    # A template's value may be longer than the one character that it counts for.
    if SESSION_NAME.fullmatch(filled if filled == value else filled + "u" * (len(filled) == 1)):
        return None
    rule = "a session name has 2 to 64 letters, digits and `_+=,.@-`, and templates written ${NAME}."
    if "$" in filled:
        return Problem(rule, f"The templates' names are {listed(DEPLOYMENT_TEMPLATES)}.")
    return Problem(rule, "Use only these characters.")


def unknown_templates(value: str) -> Sequence[str]:
    """The templates in a deployment's session name that Pulumi does not document."""
    return [name for name in _TEMPLATE.findall(value) if name not in DEPLOYMENT_TEMPLATES]


def esc_text(value: str) -> Problem | None:
    """ESC text: ``${...}`` refers to a value, ``$$`` is a dollar."""
    if "\0" in value:
        return Problem("it is text without U+0000, which no variable can hold.", "Encode it, in Base64 for instance.")
    _, errors = parse(value)
    if not errors:
        return None
    return Problem(
        "it is ESC text, where `${...}` refers to a value.",
        f"Write `$$` for a literal dollar sign: {errors[0]}.",
    )


region = matching(r"[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}", "a region is written like us-east-1.", "Give its code.")
variable_name = matching(
    r"[A-Za-z_][A-Za-z0-9_.-]*",
    "an environment variable's name has letters, digits, `_`, `.` and `-`, and begins with a letter or `_`.",
)
