"""Twenty thousand texts that readers of YAML take for something else, in every place of a definition that has texts."""

import re
from collections.abc import Iterator

import pytest
import yaml

from esc_oidc.environment import Login, environment_definition
from tests.support.judge import Request, judge, unwrapped
from tests.support.scalars import scalars

ROLE_ARN = "arn:aws:iam::123456789012:role/esc"

# The regular expressions of https://yaml.org/type/ for YAML 1.1, `<<` and `=` among them, and the tags of YAML 1.2's
# core schema, https://yaml.org/spec/1.2.2/#1032-tag-resolution.
TYPES = re.compile(
    r"""
    y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF
    |~|null|Null|NULL|<<|=
    |[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(:[0-5]?[0-9])+
    |[-+]?([0-9][0-9_]*)?\.[0-9.]*([eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*
    |[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)
    |[0-9]{4}-[0-9]{2}-[0-9]{2}
    |[0-9]{4}-[0-9][0-9]?-[0-9][0-9]?([Tt]|[ \t]+)[0-9][0-9]?:[0-9]{2}:[0-9]{2}(\.[0-9]*)?
     (([ \t]*)Z|[-+][0-9][0-9]?(:[0-9]{2})?)?
    |[-+]?[0-9]+|0o[0-7]+|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
    """,
    re.VERBOSE,
)


@pytest.fixture(scope="module")
def logins() -> list[Login]:
    """Each has one session name, ten variables and ten keys of configuration; all together 20,000 texts."""
    texts = scalars(20_000)
    pairs = list(zip(texts[::2], texts[1::2], strict=True))
    groups = [(dict(pairs[at : at + 10]), dict(pairs[at + 10 : at + 20])) for at in range(0, len(pairs), 20)]
    names = scalars(len(groups), shortest=2)
    return [
        Login(name, "1h", (), environment_variables=variables, pulumi_config=config)
        for name, (variables, config) in zip(names, groups, strict=True)
    ]


def plain_scalars(definition: str) -> Iterator[str]:
    """The scalars that have no quotes."""
    for event in yaml.parse(definition, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        if isinstance(event, yaml.ScalarEvent) and not event.style:
            yield event.value


def test_pulumi_reads_every_text_as_it_was_meant(logins):
    """Pulumi's evaluator finds session names, names and values, letter by letter and as texts."""
    asked = [Request("aws/dev", definition=environment_definition(login, ROLE_ARN)) for login in logins]
    for login, verdict in zip(logins, judge(asked), strict=True):
        assert verdict.diagnostics == []
        assert [each["inputs"]["sessionName"] for each in verdict.logins] == [login.session_name]
        variables = unwrapped(verdict.properties["environmentVariables"])
        assert {name: variables.get(name) for name in login.environment_variables} == login.environment_variables
        assert unwrapped(verdict.properties["pulumiConfig"]) == login.pulumi_config


def test_what_has_no_quotes_is_text_in_every_version_of_yaml(logins):
    """Neither YAML 1.1 nor 1.2 has a type for it, in whatever case, nor without the underscores that yaml.v3 drops."""
    plain = {text for login in logins for text in plain_scalars(environment_definition(login, ROLE_ARN))}
    assert len(plain) > 1000
    dropped = {text.replace("_", "") for text in plain if text[0] in "0123456789+-."}
    spelled = {spelling for text in plain | dropped for spelling in (text, text.lower(), text.upper(), text.title())}
    assert {text for text in spelled if TYPES.fullmatch(text)} == set()


@pytest.mark.parametrize(
    "text",
    [
        "pulumi-esc", "alice@contoso.com", "1h", "1h30m", "900s", "12h", "eu-west-1", "us-gov-west-1", "AWS_REGION",
        "arn:aws:iam::123456789012:role/a/esc", "${aws.login.accessKeyId}", "<${a.b}>", "/opt/aws", "10.0.0.0/8",
        "aws:region", "aws/dev", "1.0/prod", "aws/dev@stable", "https://contoso.com/a?b=c", "v1.2.3", "2024-deploy",
        "-v",
    ],
)  # fmt: skip
def test_a_plain_word_has_no_quotes(text):
    """Ordinary texts stay as they were, so a new version of this package changes no environment for nothing."""
    login = Login(text, text, (text,), (), (text,), environment_variables={text: text}, pulumi_config={text: text})
    assert "'" not in environment_definition(login, ROLE_ARN)


@pytest.mark.parametrize("text", ["08_15", "1_0e3", "-.5_", "1:30", "y", "~", "=", "1.2.3", "0x1p-2", "1,000", ":a"])
def test_what_may_be_something_else_has_quotes(text):
    """A reader of ESC or another may take it for a number, a date, a boolean or a symbol."""
    definition = environment_definition(Login(text, "1h", (), environment_variables={text: text}), ROLE_ARN)
    assert f"sessionName: '{text}'" in definition
    assert f"'{text}': '{text}'" in definition
