"""The definition of the ESC environment: the login that asks AWS for exactly the declared token."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import yaml

from .interpolation import escape

CREDENTIALS: Final = MappingProxyType(
    {
        "AWS_ACCESS_KEY_ID": "${aws.login.accessKeyId}",
        "AWS_SECRET_ACCESS_KEY": "${aws.login.secretAccessKey}",
        "AWS_SESSION_TOKEN": "${aws.login.sessionToken}",
    }
)
"""The environment variables that hand the credentials to the AWS SDKs and the AWS CLI."""

REGION_VARIABLE: Final = "AWS_REGION"
REGION_CONFIG: Final = "aws:region"


@dataclass(frozen=True)
class Login:
    """Everything in the definition but the role's ARN, which only AWS knows.

    The texts in `environment_variables` and `pulumi_config` are ESC text (``${...}`` refers to a value, ``$$`` is a
    dollar sign); everything else is literal.
    """

    session_name: str
    duration: str
    subject_attributes: tuple[str, ...]
    session_policy_arns: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    export_environment_variables: bool = True
    region: str | None = None
    environment_variables: Mapping[str, str] = field(default_factory=dict)
    pulumi_config: Mapping[str, Any] = field(default_factory=dict)


def environment_definition(login: Login, role_arn: str) -> str:
    """The environment's YAML, without a trailing newline. Keys without a value are left out.

    It is laid out as Pulumi's own commands write it, so that `pulumi env set` and whoever adopts what
    `pulumi env setup aws` wrote see no change where there is none.
    """
    oidc = _without_empty(
        {
            "roleArn": escape(role_arn),
            "sessionName": login.session_name,
            "duration": login.duration,
            "policyArns": [escape(arn) for arn in login.session_policy_arns],
            "subjectAttributes": list(login.subject_attributes),
        }
    )
    values = {"aws": {"login": {"fn::open::aws-login": {"oidc": oidc}}}, **exported(login)}
    definition = _without_empty({"imports": list(login.imports), "values": values})
    # In Unicode the emitter would leave line breaks beyond ASCII unescaped.
    text = yaml.dump(
        definition,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=False,
        default_flow_style=False,
        indent=4,
        width=_NO_WRAP,
    )
    return text.rstrip("\n")


def exported(login: Login) -> dict[str, Any]:
    """What the environment has beside the login, by its keys in the definition."""
    region_variable = {REGION_VARIABLE: login.region} if login.region else {}
    region_config = {REGION_CONFIG: login.region} if login.region else {}
    credentials = CREDENTIALS if login.export_environment_variables else {}
    return _without_empty(
        {
            "environmentVariables": {**credentials, **region_variable, **_sorted(login.environment_variables)},
            "pulumiConfig": {**region_config, **_sorted(login.pulumi_config)},
        }
    )


def _without_empty(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if value}


def _sorted(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """In a stable order: maps that come through Pulumi's engine have none."""
    return dict(sorted(mapping.items()))


_NO_WRAP: Final = 2**31 - 1

# Names, ARNs, paths and references; and what begins like a number but holds a letter or a sign that no number and no
# date has, such as `1h`. The rest is quoted: readers disagree on it. yaml.v3, which ESC reads with, drops `_` from
# what begins with a digit, a sign or a dot before it looks for a number; YAML 1.1 has `1:30`, `y` and `=`.
_WORD: Final = re.compile(r"[A-Za-z_]|(?!:).*[ghj-mqrsuvwGHJ-MQRSUVW/@$%]", re.DOTALL)
_NO_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


class _Dumper(yaml.SafeDumper):
    """Quotes every text that is not plainly a word, whichever version of YAML its reader follows.

    Lists are indented, as yaml.v3 writes them. PyYAML's C emitter, several times faster, can't do that.
    """

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - PyYAML's signature
        """Begin a level."""
        super().increase_indent(flow, indentless=False)

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: tuple[bool, bool]) -> str:
        """What a reader takes a node for; all scalars of a definition are texts. An empty tag makes it quoted."""
        if kind is not yaml.ScalarNode:
            return super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call, no-any-return]
        is_text = not implicit[0] or (_WORD.match(value) and value.lower() not in _NO_WORDS)
        return _TEXT if is_text else ""


_TEXT: Final = yaml.resolver.BaseResolver.DEFAULT_SCALAR_TAG
