"""The form of single values, one function each: None for a good value, else the rule it breaks and the way out.

Limits are AWS's API models' (https://docs.aws.amazon.com/IAM/latest/APIReference/ and .../STS/latest/APIReference/)
and the ESC schema's. Patterns are matched whole and in ASCII.
"""

import json
import re
from collections.abc import Callable
from typing import Final

from ..claims import ATTRIBUTES, LEGACY_PROJECT, TOKEN_TYPES
from ..interpolation import parse
from ..sessions import seconds
from .violations import Problem, listed, nearest

Format = Callable[[str], Problem | None]
"""Judges one value."""

SESSION_NAME_TEMPLATE: Final = "${context.pulumi.user.login}"
QUARTER_HOUR: Final = 15 * 60
HOUR: Final = 3600
HALF_DAY: Final = 12 * HOUR

_NAME: Final = r"[A-Za-z0-9._-]+"
_PARTITION: Final = r"aws(?:-[a-z]+)*"
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ISSUER: Final = re.compile(rf"https://(?:{_LABEL}\.)+(?![0-9]+/){_LABEL}/oidc", re.ASCII)
_PROVIDER_ARN: Final = re.compile(rf"arn:({_PARTITION}):iam::([0-9]{{12}}):oidc-provider/(.+)", re.ASCII)
_MAX_ISSUER: Final = 255
_MAX_INLINE_POLICY: Final = 10_240


def matching(pattern: str, rule: str, fix: str) -> Format:
    """A format that is one regular expression."""
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: None if compiled.fullmatch(value) else Problem(rule, fix)


def organization(value: str) -> Problem | None:
    """A Pulumi Cloud organization's login."""
    rule = "the organization is its login, 1 to 80 letters, digits, `.`, `_` and `-`."
    if value.startswith("aws:"):
        return Problem(rule, f"Leave the `aws:` out: the audience is made from it. Give {value[4:]!r}.")
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,80}", value, re.ASCII):
        return Problem(rule, "Take it from the console's address, https://app.pulumi.com/LOGIN.")
    if value == "organization":
        return Problem(
            "`organization` is what pulumi.get_organization() answers where the backend is not Pulumi Cloud; "
            "the role would trust whoever owns that login.",
            "Give the organization's login.",
        )
    return None


def project(value: str) -> Problem | None:
    """An ESC project."""
    if problem := environment_part(value):
        return problem
    if value != LEGACY_PROJECT and value.casefold() == LEGACY_PROJECT:
        return Problem("`default` is written in lower case.", "Write `default`, or take another project.")
    return None


def environment_part(value: str) -> Problem | None:
    """A project's or an environment's own name."""
    rule = "a project or environment has letters, digits, `.`, `_` and `-`, and is not `.` or `..`."
    if value.count("/") == 2:  # noqa: PLR2004 - ORG/PROJECT/ENV
        org, proj, env = value.split("/")
        return Problem(rule, f"Give its parts one by one: organization={org!r}, project={proj!r}, environment={env!r}.")
    if "/" in value:
        proj, _, env = value.partition("/")
        return Problem(rule, f"Give its parts one by one: project={proj!r}, environment={env!r}.")
    if "@" in value:
        return Problem(rule, "Leave the version out: a role trusts an environment, whatever its version.")
    if not re.fullmatch(_NAME, value, re.ASCII) or value in {".", ".."}:
        return Problem(rule, "Give the name as it stands in the environment's address.")
    return None


def environment_reference(value: str) -> Problem | None:
    """An environment of the organization, ``PROJECT/ENV``."""
    proj, slash, env = value.partition("/")
    if not slash:
        return Problem("an environment is written PROJECT/ENV.", f"Put its project first: 'PROJECT/{value}'.")
    if "/" in env:
        return Problem(
            "an environment is written PROJECT/ENV; it is always one of this organization.",
            f"Leave the organization out: {value.partition('/')[2]!r}.",
        )
    if problem := project(proj) or environment_part(env):
        return problem
    return None


def subject_attribute(value: str) -> Problem | None:
    """A subject attribute that Pulumi Cloud accepts."""
    if value in ATTRIBUTES:
        return None
    rule = f"subject attributes are {listed(ATTRIBUTES)}."
    if value == "pulumi.token.name":
        return Problem(
            "Pulumi Cloud does not put `pulumi.token.name` into a subject: whoever makes a token chooses its name.",
            "Use `pulumi.token.type` or `pulumi.token.team`.",
        )
    if value == "pulumi.organization.login":
        return Problem("`pulumi.organization.login` already begins every subject with attributes.", "Leave it out.")
    guess = nearest(value, ATTRIBUTES)
    return Problem(rule, f"Did you mean `{guess}`?" if guess else "Take one of these.")


def token_type(value: str) -> Problem | None:
    """A kind of access token that Pulumi Cloud's documentation names."""
    if value in TOKEN_TYPES:
        return None
    guess = nearest(value, TOKEN_TYPES)
    return Problem(
        f"token types are {listed(TOKEN_TYPES)}.",
        f"Did you mean `{guess}`?" if guess else "Take one of these.",
    )


def issuer(value: str) -> Problem | None:
    """The issuer's URL, exactly ``https://HOST/oidc``."""
    if _ISSUER.fullmatch(value) and len(value) <= _MAX_ISSUER:
        return None
    return Problem(
        "an issuer is exactly https://HOST/oidc, HOST a lower-case DNS name with a dot and without a port.",
        "Pulumi Cloud's is https://api.pulumi.com/oidc; a self-hosted one has your API's host.",
    )


def oidc_provider_arn(value: str) -> Problem | None:
    """The ARN of an IAM OIDC provider."""
    if _PROVIDER_ARN.fullmatch(value):
        return None
    return Problem(
        "an OIDC provider's ARN is arn:PARTITION:iam::ACCOUNT:oidc-provider/HOST/PATH.",
        "See `aws iam list-open-id-connect-providers`.",
    )


def provider_arn_parts(arn: str) -> tuple[str, str, str]:
    """Partition, account and URL (without its scheme) of a provider's or role's ARN that has the right form."""
    _, partition, _, _, account, resource = arn.split(":", 5)
    return partition, account, resource.partition("/")[2]


def managed_policy_arn(value: str) -> Problem | None:
    """The ARN of a managed policy."""
    pattern = rf"arn:{_PARTITION}:iam::(?:aws|[0-9]{{12}}):policy/[\x21-\x7e]{{1,1990}}"
    if re.fullmatch(pattern, value, re.ASCII):
        return None
    return Problem(
        "a managed policy's ARN is arn:PARTITION:iam::ACCOUNT:policy/NAME, ACCOUNT `aws` for AWS's own.",
        "See `aws iam list-policies`.",
    )


def inline_policy(value: str) -> Problem | None:
    """A policy document, as JSON."""
    rule = "an inline policy is a JSON object with a `Statement`, up to 10,240 characters without white space."
    try:
        document = json.loads(value)
    except (ValueError, RecursionError) as error:
        return Problem(rule, f"It is not JSON: {error}.")
    if not isinstance(document, dict) or "Statement" not in document:
        return Problem(rule, "Pass json.dumps of the document.")
    if len(re.sub(r"\s", "", value)) > _MAX_INLINE_POLICY:
        return Problem(rule, "Make it a managed policy and name that in `policy_arns`.")
    return None


def _duration(low: int, high: str) -> Format:
    def check(value: str) -> Problem | None:
        try:
            length = seconds(value)
        except ValueError:
            return Problem("a duration is written in hours, minutes and seconds: 1h, 90m, 1h30m.", "Write it so.")
        if not low <= length <= HALF_DAY:
            return Problem(f"AWS allows {high}.", "Choose one of these; whoever needs longer logs in again.")
        return None

    return check


duration = _duration(QUARTER_HOUR, "a session of 15m to 12h")
max_session_duration = _duration(HOUR, "a role a maximum session of 1h to 12h")


def session_name(value: str) -> Problem | None:
    """The name of the session, as CloudTrail shows it."""
    # The template becomes a login, whose length is not known; AWS takes two characters at the least.
    filled = value.replace(SESSION_NAME_TEMPLATE, "uu")
    if re.fullmatch(r"[\w+=,.@-]{2,64}", filled, re.ASCII):
        return None
    rule = "a session name has 2 to 64 letters, digits and `_+=,.@-`."
    if "${" in filled:
        return Problem(
            f"{rule[:-1]}, and no template but `{SESSION_NAME_TEMPLATE}`: users choose the others, or they are secret.",
            "Use that one or none.",
        )
    return Problem(rule, "Choose such a name.")


def esc_text(value: str) -> Problem | None:
    """ESC text: ``${...}`` refers to a value, ``$$`` is a dollar."""
    if re.search("[\0\ud800-\udfff]", value):
        rule = "it is Unicode text, without U+0000 and without halves of surrogate pairs, which no variable can hold."
        return Problem(rule, "Encode it, in Base64 for instance.")
    _, errors = parse(value)
    if not errors:
        return None
    return Problem(
        f"it is ESC text, where `${{...}}` refers to a value: {errors[0]}.",
        "Write `$$` for a dollar that is one.",
    )
