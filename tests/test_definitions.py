"""Every kind of definition that the component emits, as Pulumi's own evaluator and as the sandbox's read it."""

import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from esc_oidc import PulumiEscOidc, environment
from esc_oidc.inputs import EnvironmentPlan
from esc_oidc.interpolation import escape
from tests.support.deploying import deploy
from tests.support.inputs import check, plan
from tests.support.judge import ANONYMOUS, CONTEXT, CREDENTIALS, Request, Verdict, evaluate_in_sandbox, judge, unwrapped

BASE = {"organization": "contoso", "project": "aws", "environment": "dev"}
ROLE = "arn:aws:iam::123456789012:role"
BOUNDARY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
IMPORTED = {"base/one": "values: {environmentVariables: {FROM_ONE: one, BOTH: one}, one: {two: [3]}}"}


@dataclass(frozen=True)
class Case:
    """A component's inputs, and what its environment must come to."""

    inputs: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, str] = field(default_factory=dict)
    session_name: str = "pulumi-esc"
    role: str = "/esc"
    credentials: bool = True

    @property
    def given(self) -> dict[str, Any]:
        """All inputs of the component."""
        return {**BASE, **self.inputs}

    @property
    def plan(self) -> EnvironmentPlan:
        """What the component makes of its inputs, which it takes."""
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
        """Opened by its name, through another environment that imports it, and as a stack's `environment:` list."""
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
        """Which environment the login sees as opened, in each of these."""
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
    "session policies": Case({"session_policy_arns": [BOUNDARY, f"{BOUNDARY}$", f"{BOUNDARY}/${{a}}$$'\""]}),
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
        {"pulumi_config": {"aws:region": "x", "1": "one", "true": "yes", "a:b:c": "d", "null": "z", "1.5": "y"}},
        config={"aws:region": "x", "1": "one", "true": "yes", "a:b:c": "d", "null": "z", "1.5": "y"},
    ),
    "keys of variables": Case(
        {"environment_variables": {"true": "a", "NO": "b", "null": "c", "_": "d", "y": "e"}},
        {"true": "a", "NO": "b", "null": "c", "_": "d", "y": "e"},
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


def expected(case: Case) -> tuple[dict[str, Any], dict[str, Any]]:
    """Environment variables and configuration that the environment must have when it is opened."""
    credentials = {
        "AWS_ACCESS_KEY_ID": CREDENTIALS["accessKeyId"],
        "AWS_SECRET_ACCESS_KEY": CREDENTIALS["secretAccessKey"],
        "AWS_SESSION_TOKEN": CREDENTIALS["sessionToken"],
    }
    return {**(credentials if case.credentials else {}), **case.variables}, dict(case.config)


def assert_as_declared(case: Case, verdicts: list[Verdict]) -> None:
    """However it is opened, the environment has what was declared, and its login asks for what was declared."""
    variables, config = expected(case)
    for verdict, root in zip(verdicts, case.roots, strict=True):
        assert verdict.diagnostics == []
        assert verdict.logins == [{"inputs": case.login, "currentEnvironment": case.own, "rootEnvironment": root}]
        properties = {key: unwrapped(value) for key, value in verdict.properties.items()}
        assert properties.get("environmentVariables", {}) == variables
        assert properties.get("pulumiConfig", {}) == config
        assert properties["aws"] == {"login": CREDENTIALS}


@pytest.fixture(scope="module")
def judged() -> dict[str, list[Verdict]]:
    """The judge's verdicts on every case, from one run."""
    verdicts = iter(judge([request for case in CASES.values() for request in case.requests]))
    return {name: [next(verdicts) for _ in case.requests] for name, case in CASES.items()}


each_case = pytest.mark.parametrize("name", CASES)


@each_case
def test_pulumi_reads_what_was_declared(name, judged):
    """Opened by name, by import and by a stack, Pulumi's evaluator finds exactly the declared values and login."""
    assert_as_declared(CASES[name], judged[name])


@each_case
def test_the_sandbox_reads_what_was_declared(name):
    """The sandbox's evaluator finds the same."""
    assert_as_declared(CASES[name], [evaluate_in_sandbox(request) for request in CASES[name].requests])


@each_case
def test_credentials_are_secret(name, judged):
    """In Pulumi's and in the sandbox's reading, what the login answers is secret, and the region is not."""
    for verdict in (judged[name][0], evaluate_in_sandbox(CASES[name].requests[0])):
        found = verdict.properties.get("environmentVariables", {"value": {}})["value"]
        secret = {key for key, value in found.items() if value.get("secret")}
        assert secret >= ({"AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"} if CASES[name].credentials else set())
        assert not secret & {"AWS_REGION"}


@each_case
def test_keys_stand_in_the_documented_order(name):
    """Imports, the login block, variables and configuration follow one another, and nothing is empty."""
    read = yaml.safe_load(CASES[name].definition)
    assert list(read) == [key for key in ("imports", "values") if key in read]
    values = read["values"]
    assert list(values) == [key for key in ("aws", "environmentVariables", "pulumiConfig") if key in values]
    login = values["aws"]["login"]["fn::open::aws-login"]["oidc"]
    order = ("roleArn", "sessionName", "duration", "policyArns", "subjectAttributes")
    assert list(login) == [key for key in order if key in login]
    assert all(read.values())
    assert all(values.values())
    assert all(login.values())


@pytest.fixture(scope="module")
def in_python() -> Any:
    """The module that emits definitions, as it is where PyYAML was built without its C emitter."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(yaml, "CSafeDumper")
        name = "esc_oidc.environment_in_python"
        spec = importlib.util.spec_from_file_location(name, environment.__file__)
        module = importlib.util.module_from_spec(spec)
        patch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
    return module


@each_case
def test_both_emitters_write_the_same_bytes(name, in_python):
    """With and without PyYAML's C emitter the definition is the same, so another machine changes nothing."""
    assert in_python.environment_definition(CASES[name].plan.login, ROLE + CASES[name].role) == CASES[name].definition


def test_both_emitters_are_there(in_python):
    """The comparison is one of two: this machine has the C emitter, and the copy does not use it."""
    assert issubclass(environment._Dumper, yaml.CSafeDumper)  # noqa: SLF001 - which one it picked is the question
    assert not issubclass(in_python._Dumper, yaml.CSafeDumper)  # noqa: SLF001 - the same


@each_case
def test_there_is_no_newline_at_the_end(name):
    """Pulumi Cloud gives a definition back without one, and a newline would show as a change forever."""
    assert CASES[name].definition == CASES[name].definition.rstrip()


def reversed_maps(value: Any) -> Any:
    """The value with every dict in the other order."""
    if isinstance(value, dict):
        return {key: reversed_maps(inner) for key, inner in reversed(value.items())}
    return value


@each_case
def test_the_order_of_maps_changes_nothing(name):
    """Maps have no order in Pulumi's engine: the same inputs in another one give the same text."""
    case = CASES[name]
    other = Case(reversed_maps(dict(case.inputs)), role=case.role)
    assert other.definition == case.definition


@pytest.mark.parametrize(
    "name", [name for name, case in CASES.items() if not case.role.startswith("/esc") and len(case.role) < 100]
)
def test_the_component_registers_this_definition(name):
    """What is sent to Pulumi Cloud is the definition that is tested here, for a role that the component declares."""
    case = CASES[name]
    path, _, role = case.role.rpartition("/")
    inputs = {**case.given, "role_path": f"{path}/", "role_name": role}
    deployed = deploy(lambda: PulumiEscOidc("esc", **inputs) and None)
    assert deployed.error is None
    assert deployed.one("Environment").inputs["yaml"]["text"] == case.definition


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
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(anything, min_size=1, max_size=3))
    def collect(drawn: list[str]) -> None:
        found.update(dict.fromkeys(drawn))

    collect()
    return list(found)[:count]


@pytest.fixture(scope="module")
def random_cases() -> list[Case]:
    """Three hundred random texts, each escaped so that it means itself, as variable and as configuration."""
    drawn = random_texts(300)
    assert len(drawn) == 300
    return [texts((escape(text), text)) for text in drawn]


def test_random_texts_are_read_as_they_were_declared(random_cases):
    """Whatever text a variable is given, Pulumi's evaluator and the sandbox's read that text."""
    verdicts = judge([case.requests[0] for case in random_cases])
    for case, verdict in zip(random_cases, verdicts, strict=True):
        for each in (verdict, evaluate_in_sandbox(case.requests[0])):
            assert each.diagnostics == [], case.variables
            assert unwrapped(each.properties["environmentVariables"])["V0"] == case.variables["V0"]
            assert unwrapped(each.properties["pulumiConfig"]) == case.config
            assert [login["inputs"] for login in each.logins] == [case.login]


def test_both_emitters_write_random_texts_alike(random_cases, in_python):
    """No text makes the two emitters differ."""
    emitted = [(in_python.environment_definition(case.plan.login, ROLE + case.role), case) for case in random_cases]
    assert [case.variables["V0"] for text, case in emitted if text != case.definition] == []
