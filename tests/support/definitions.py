"""Inputs of every kind that a definition depends on, and what the environment must come to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from esc_oidc import environment
from esc_oidc.inputs import EnvironmentPlan
from tests.support.inputs import check, plan
from tests.support.judge import ANONYMOUS, CONTEXT, CREDENTIALS, Request

BASE = {"organization": "contoso", "project": "aws", "environment": "dev"}
ROLE = "arn:aws:iam::123456789012:role"
BOUNDARY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
IMPORTED = {"base/one": "values: {environmentVariables: {FROM_ONE: one, BOTH: one}, one: {two: [3]}}"}


@dataclass(frozen=True)
class Case:
    """A component's inputs, and what its environment must come to."""

    inputs: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    session_name: str = "pulumi-esc"
    role: str = "/esc"
    credentials: bool = True

    @property
    def given(self) -> dict[str, Any]:
        """All inputs of the component."""
        return {**BASE, **self.inputs}

    @property
    def plan(self) -> EnvironmentPlan:
        """The plan of these inputs, which are valid."""
        assert check("esc", self.given) == []
        return plan(self.given)

    @property
    def own(self) -> str:
        """The environment that holds the login."""
        return f"{self.given['project']}/{self.given['environment']}"

    @property
    def definition(self) -> str:
        """The definition that the component emits."""
        return environment.environment_definition(self.plan.login, ROLE + self.role)

    @property
    def login(self) -> dict[str, Any]:
        """The inputs of the login, as they were declared."""
        optional = {
            "policyArns": list(self.given.get("session_policy_arns", ())),
            "subjectAttributes": list(self.given.get("subject_attributes", ["currentEnvironment.name"])),
        }
        return {
            "roleArn": ROLE + self.role,
            "sessionName": self.session_name,
            "duration": self.given.get("duration", "1h"),
            **{key: value for key, value in optional.items() if value},
        }

    @property
    def requests(self) -> tuple[Request, Request, Request]:
        """The environment opened by its name, through one that imports it, and from a stack's `environment:` list."""
        environments = {
            **IMPORTED,
            self.own: self.definition,
            "app/prod": f"imports: [{self.own}]\nvalues: {{app: '${{aws.login.accessKeyId}}'}}",
        }
        return (
            Request(self.own, environments, context=CONTEXT),
            Request("app/prod", environments, context=CONTEXT),
            Request(ANONYMOUS, environments, f"imports: [{self.own}]", CONTEXT),
        )

    @property
    def roots(self) -> tuple[str, str, str]:
        """The environment that the login sees as opened, for each of these requests."""
        return self.own, "app/prod", self.own


def texts(*pairs: tuple[str, str]) -> Case:
    """Environment variables and configuration with these texts, each with what it means."""
    written = {f"V{index}": text for index, (text, _) in enumerate(pairs)}
    meant = {f"V{index}": meaning for index, (_, meaning) in enumerate(pairs)}
    return Case({"environment_variables": written, "pulumi_config": written}, meant, meant)


def plain(*each: str) -> Case:
    """Texts that mean themselves."""
    return texts(*((text, text) for text in each))


CASES = {
    "nothing but what is required": Case(),
    "project default": Case({"project": "default"}),
    "names of digits and points": Case({"project": "1.0", "environment": "2001-01-01"}),
    "names that are booleans": Case({"project": "true", "environment": "null"}),
    "role path with dollar and brace": Case(role="/a${b}/$$/$c/${context.pulumi.user.login}/esc"),
    "role path with quotes": Case(role="/it's/\"quoted\"/back\\slash/esc"),
    "role path with signs of YAML": Case(role="/#a/:b/-c/[d]/{e}/!f/&g/*h/%i/@j/`k/|l/>m/?n/,o/esc"),
    "role path that ends in a dollar": Case(role="/$/esc"),
    "role name of its signs": Case(role="/_+=,.@-"),
    "a long role path": Case(role=f"/{'a/b' * 160}/esc"),
    "session name of the user": Case({"session_name": "esc-${context.pulumi.user.login}"}, session_name="esc-alice"),
    "session name that begins with the user": Case(
        {"session_name": "${context.pulumi.user.login}@esc"}, session_name="alice@esc"
    ),
    "session name of digits": Case({"session_name": "12"}, session_name="12"),
    "session name like a number of YAML 1.2": Case({"session_name": "0o17"}, session_name="0o17"),
    "session name like a float": Case({"session_name": "1e3"}, session_name="1e3"),
    "session name like a date": Case({"session_name": "2001-01-01"}, session_name="2001-01-01"),
    "session name like a boolean": Case({"session_name": "true"}, session_name="true"),
    "session name like an old boolean": Case({"session_name": "no"}, session_name="no"),
    "session name of signs": Case({"session_name": "=,"}, session_name="=,"),
    "session name @": Case({"session_name": "@@"}, session_name="@@"),
    "session name --": Case({"session_name": "---"}, session_name="---"),
    **{f"duration {each}": Case({"duration": each}) for each in ("15m", "900s", "1h30m", "12h", "0h60m0s")},
    "session policies": Case({"session_policy_arns": [BOUNDARY, BOUNDARY.replace("Read", "job-function/_+=,.@-")]}),
    "two attributes in another order": Case(
        {"subject_attributes": ["pulumi.user.login", "currentEnvironment.name"], "allowed_users": ["bob"]}
    ),
    "no attribute": Case({"subject_attributes": [], "dangerously_omit_current_environment": True}),
    "every attribute": Case(
        {
            "subject_attributes": [
                "currentEnvironment.name", "rootEnvironment.name", "pulumi.user.login", "pulumi.token.type",
                "pulumi.token.team",
            ],
            "allowed_users": ["bob"],
        }
    ),
    "no credentials": Case({"export_environment_variables": False}, credentials=False),
    "no credentials, a region": Case(
        {"export_environment_variables": False, "region": "eu-west-1"},
        {"AWS_REGION": "eu-west-1"},
        {"aws:region": "eu-west-1"},
        credentials=False,
    ),
    "a region": Case(
        {"region": "us-gov-west-1"}, {"AWS_REGION": "us-gov-west-1"}, {"aws:region": "us-gov-west-1"}
    ),
    "keys of configuration": Case(
        {"pulumi_config": {"aws:region": "x", "1": "one", "true": "yes", "null": "z", '["1.5"]': "y", "a.b:c": "d"}},
        config={"aws:region": "x", "1": "one", "true": "yes", "null": "z", "1.5": "y", "a.b:c": "d"},
    ),
    "paths of configuration": Case(
        {
            "pulumi_config": {
                "app:list[0]": "a", "app:list[1].name": "b", "app:map.key": "${aws.login.accessKeyId}",
                'app:map["a.b"]': "c", 'app:map["\\"x:y\\""].z': "$$d", **{f"app:long[{i}]": str(i) for i in range(11)},
                "app:copy": '${pulumiConfig["app:list"][1].name}',
            }
        },
        config={
            "app:list": ["a", {"name": "b"}],
            "app:map": {"key": "ASIAJUDGE", "a.b": "c", '"x:y"': {"z": "$d"}},
            "app:long": [str(i) for i in range(11)],
            "app:copy": "b",
        },
    ),
    "keys of variables": Case(
        {"environment_variables": {"true": "a", "NO": "b", "null": "c", "_": "d", "y": "e", "a.b-c": "f", "E": ""}},
        {"true": "a", "NO": "b", "null": "c", "_": "d", "y": "e", "a.b-c": "f", "E": ""},
    ),
    "credentials of our own": Case(
        {
            "export_environment_variables": False,
            "environment_variables": {"AWS_ACCESS_KEY_ID": "${aws.login.accessKeyId}"},
        },
        {"AWS_ACCESS_KEY_ID": CREDENTIALS["accessKeyId"]},
        credentials=False,
    ),
    "an import": Case(
        {"imports": ["base/one"], "environment_variables": {"BOTH": "own", "REF": "<${one.two[0]}>"}},
        {"FROM_ONE": "one", "BOTH": "own", "REF": "<3>"},
    ),
    "texts": plain("plain", "it's", 'a "b"', "back\\slash", "a: b", "a #b", "#a", "- a", "?", ":", "-", "---", "..."),
    "texts that begin with signs of YAML": plain(*(f"{sign}a" for sign in "!&*%@`|>{}[],'\"?-:#~=<")),
    "whole numbers": plain("0", "1", "-1", "+1", "007", "0o17", "0O17", "0x1F", "0X1f", "0b11", "1_000", "1__0"),
    "numbers of any length": plain("9" * 30, "-" + "9" * 30, "0" * 40, "0x" + "f" * 40, "1" * 500),
    "broken numbers": plain("1.", ".5", "-.5", "1.5", "1e3", "1E3", "1e+3", "-1.5e-3", ".1e2", "1e400", "1_0.5"),
    "numbers that are none": plain(".inf", "-.inf", "+.Inf", ".INF", ".nan", "inf", "nan", "1e", "0x", "0o8", "."),
    "sixties": plain("1:30", "190:20:30", "190:20:30.15", "12:30:45"),
    "booleans": plain("true", "True", "TRUE", "false", "y", "Y", "yes", "No", "on", "OFF", "n"),
    "nulls": plain("null", "Null", "NULL", "~", "nil", "none"),
    "dates": plain("2001-01-01", "2001-1-1", "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43.10 -5", "1-1-1"),
    "the merge key and the value key": plain("<<", "="),
    "spaces": plain(" ", "  ", " a", "a ", " a ", "a  b", "\t", "\ta", "a\t", "a\tb", "a" + " b" * 200),
    "lines": plain("a\nb", "a\n", "\na", "a\n\n\nb\n\n", " a\n  b\n", "a \nb", "a\r\nb", "\n", "\r", "a\n#b", "---\n"),
    "a document in a text": plain('{"a": [1, "b"]}\n', "values:\n  a: 1\n", "-----BEGIN X-----\nab=\n-----END X-----"),
    "letters of other scripts": plain("é", "ß", "日本語", "Ω≠", "١٢٣", "\u202eabc", "e\u0301"),
    "letters beyond the basic plane": plain("\U0001f600", "a\U0001f600b", "\U0001f600\nb", "\U0010ffff"),
    "spaces and ends of lines of Unicode": plain("\x85", "a\x85b", "a\u2028b", "\u2029", "\xa0a", "\ufeff", "a\ufeff"),
    "control characters": plain("\x01", "\x1b[0m", "\x7f", "\x9f", "\ufffe", "\uffff", "\ue000"),
    "dollars": texts(("$", "$"), ("$5", "$5"), ("$$", "$"), ("$$$", "$$"),  ("a$b", "a$b"), ("$$$$", "$$")),
    "escaped references": texts(
        ("$${a}", "${a}"), ("$$${context.pulumi.user.login}", "$alice"), ("{a}", "{a}"), ("$ {a}", "$ {a}")
    ),
    "references": texts(
        ("${aws.login.accessKeyId}", "ASIAJUDGE"),
        ('${aws["login"].sessionToken}', "judge-token"),
        ("key ${aws.login.accessKeyId}!", "key ASIAJUDGE!"),
        ("${context.pulumi.user.login}@${context.pulumi.organization.login}", "alice@contoso"),
        ("${context.currentEnvironment.name}", "aws/dev"),
        ('${environmentVariables["AWS_SESSION_TOKEN"]}', "judge-token"),
        ("a\n${context.pulumi.user.login}\n", "a\nalice\n"),
        ("${environmentVariables.V0} twice", "ASIAJUDGE twice"),
    ),
}  # fmt: skip
each_case = pytest.mark.parametrize("name", CASES)


ODD = "${}$ab.[]\"'\\ \t\n\r0123456789+-_eExXoObB:#-?!&*|>%@`=~<,\x85\xa0\u2028\ufeff\U0001f600"
letters = st.sampled_from(ODD) | st.characters(exclude_categories=["Cs"], exclude_characters="\0")
anything = st.text(letters, min_size=1, max_size=16)


def random_texts(count: int) -> list[str]:
    """Texts of every kind; the same ones every time."""
    found: dict[str, None] = {}

    @settings(
        max_examples=2 * count,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(anything, min_size=1, max_size=3))
    def collect(drawn: list[str]) -> None:
        found.update(dict.fromkeys(drawn))

    collect()
    return list(found)[:count]
