"""The sandbox's evaluator of ESC definitions, judged by Pulumi's own."""

import base64
import json
import random
import re
import tracemalloc
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from esc_oidc.sandbox.esc import Evaluation, LoginBlock, LoginFailed, evaluate
from tests.support.judge import ANONYMOUS, CONTEXT, Request, Verdict, evaluate_in_sandbox, judge, unplaced, unwrapped
from tests.support.scalars import scalars

CASES = yaml.safe_load(Path(__file__).with_name("evaluation_cases.yaml").read_text(encoding="utf-8"))
NOT_FINITE = re.compile(r"[-+]?\.inf|\.nan", re.IGNORECASE)
"""Pulumi's evaluator goes on with these numbers, and then can't write them as JSON."""

each_case = pytest.mark.parametrize("case", CASES, ids=[case["what"] for case in CASES])


def request(case: Mapping[str, Any], *, check: bool = False) -> Request:
    """What a case opens or checks."""
    definition = case.get("anonymous")
    name = ANONYMOUS if definition is not None else case.get("opens", "aws/dev")
    return Request(name, case["environments"], definition, CONTEXT, check)


def lines(verdict: Verdict) -> list[str]:
    """The environment and line of each error that has one."""
    ranges = (each.get("range", each) for each in verdict.errors)
    found = {(each["environment"], each["begin"]["line"]) for each in ranges if "begin" in each}
    return [f"{environment}:{line}" for environment, line in sorted(found)]


def assert_as_expected(case: Mapping[str, Any], verdict: Verdict) -> None:
    """The verdict has the case's values and logins, or the errors where the case has them."""
    if "fails" in case:
        assert verdict.errors
        assert case["fails"] in (True, lines(verdict))
        return
    assert verdict.errors == []
    assert {key: unwrapped(value, "fn::secret") for key, value in verdict.properties.items()} == case["gives"]
    logins = [{"current": current, "root": root, "oidc": oidc} for oidc, current, root in map(login_of, verdict.logins)]
    assert logins == case.get("logins", [])


def login_of(login: Mapping[str, Any]) -> tuple[Any, str, str]:
    """The evaluated block, the current and the root environment."""
    return login["inputs"], login["currentEnvironment"], login["rootEnvironment"]


def assert_agreement(request: Request, verdict: Verdict) -> None:
    """The sandbox finds the values that Pulumi's evaluator finds, and an error where it finds one."""
    found = evaluate_in_sandbox(request)
    assert bool(found.errors) == bool(verdict.errors)
    if not verdict.errors:
        assert {key: unwrapped(value) for key, value in found.properties.items()} == {
            key: unwrapped(value) for key, value in verdict.properties.items()
        }


@pytest.fixture(scope="module")
def judged() -> dict[str, tuple[Verdict, Verdict]]:
    """The judge's verdicts on every case, opened and checked, from one run."""
    verdicts = iter(judge([request(case, check=check) for case in CASES for check in (False, True)]))
    return {case["what"]: (next(verdicts), next(verdicts)) for case in CASES}


@each_case
def test_the_cases_are_what_pulumi_says(case, judged):
    """Pulumi's evaluator finds the case's values and logins, and errors in its lines."""
    assert_as_expected(case, judged[case["what"]][0])


@each_case
def test_the_sandbox_evaluates_as_pulumi_does(case):
    """The sandbox finds the same values and logins, and errors in the same lines."""
    assert_as_expected(case, evaluate_in_sandbox(request(case)))


@each_case
def test_a_check_finds_the_same_errors(case, judged):
    """A check opens nothing, fails where Pulumi's does, and knows the same values."""
    verdict = judged[case["what"]][1]
    found = evaluate_in_sandbox(request(case, check=True))
    assert bool(found.errors) == bool(verdict.errors)
    if not verdict.errors and not case.get("logins"):
        assert {key: unwrapped(value) for key, value in found.properties.items()} == {
            key: unwrapped(value) for key, value in verdict.properties.items()
        }


def test_random_texts_mean_the_same_as_to_pulumi():
    """Dollars, braces, brackets, quotes and letters in any order mean the same, or are errors to both."""
    pieces = ["$", "{", "}", "[", "]", ".", '"', "\\", "a", "b", "0", "1", "-", "+", "x", "é", "à"]
    pieces += ["$$", "${", "${m", ".a", "[0]", '["a"]', " ", "\n", "\u2028"]
    chosen = random.Random(1)
    texts = ["".join(chosen.choices(pieces, k=chosen.randint(1, 9))) for _ in range(1000)]
    values = [{"m": {"a": [1, {"b": 2}]}, "text": text} for text in texts]
    asked = [Request("aws/dev", definition=json.dumps({"values": each}), context=CONTEXT) for each in values]
    for each, verdict in zip(asked, judge(asked), strict=True):
        assert_agreement(each, verdict)


def test_random_scalars_mean_the_same_as_to_pulumi():
    """Twenty thousand that look like numbers, dates, booleans or nothing, without quotes, are read alike."""
    plain = [text for text in scalars(27_000) if is_plain(text) and not NOT_FINITE.fullmatch(text)]
    assert len(plain) > 20_000
    lists = ["".join(f"  - {text}\n" for text in plain[at : at + 500]) for at in range(0, len(plain), 500)]
    asked = [Request("aws/dev", definition=f"values:\n  scalars:\n{each}", context=CONTEXT) for each in lists]
    for each, verdict in zip(asked, judge(asked), strict=True):
        assert verdict.errors == []
        read, meant = (unwrapped(found.properties["scalars"]) for found in (evaluate_in_sandbox(each), verdict))
        assert [*zip(map(type_of, read), read, strict=True)] == [*zip(map(type_of, meant), meant, strict=True)]


def is_plain(text: str) -> bool:
    """Whether an item of a list can be this text without quotes; not all of YAML's signs can."""
    try:
        item = yaml.compose(f"- {text}\n", Loader=yaml.BaseLoader).value[0]
    except yaml.YAMLError:
        return False
    return isinstance(item, yaml.ScalarNode) and item.style is None and item.value == text


def type_of(value: Any) -> type:
    """Its type, with one for all numbers: JSON has one."""
    return float if type(value) is int else type(value)


LOGIN = """
values:
  aws:
    login:
      fn::open::aws-login:
        oidc: {roleArn: "arn:aws:iam::123456789012:role/esc", sessionName: pulumi-esc}
  environmentVariables: {AWS_ACCESS_KEY_ID: "${aws.login.accessKeyId}", REGION: eu-west-1}
  list: [1, {fn::secret: hunter2}]
"""


def refuse(_: LoginBlock) -> Mapping[str, str]:
    """A login that AWS refuses."""
    raise LoginFailed("Not authorized to perform sts:AssumeRoleWithWebIdentity")


def check(text: str) -> Evaluation:
    """What a check says about a definition without imports."""
    return evaluate("aws/dev", text, load={}.__getitem__, context=CONTEXT, login=None)


def test_in_a_check_a_login_is_unknown_and_secret():
    """A check opens nothing; what depends on a login is unknown and secret."""
    unknown = {"value": None, "secret": True, "unknown": True}
    properties = check(LOGIN).properties_json()
    assert unplaced(properties["aws"]["value"]) == {"login": unknown}
    assert unplaced(properties["environmentVariables"]["value"]) == {
        "AWS_ACCESS_KEY_ID": unknown,
        "REGION": {"value": "eu-west-1"},
    }


def test_a_refused_login_is_an_error_at_the_login_block():
    """The message of LoginFailed becomes a diagnostic at the login, and its outputs are unknown."""
    evaluation = evaluate("aws/dev", LOGIN, load={}.__getitem__, context=CONTEXT, login=refuse)
    assert evaluation.diagnostics_json() == [
        {
            "summary": "Not authorized to perform sts:AssumeRoleWithWebIdentity",
            "severity": "error",
            "range": {
                "environment": "aws/dev",
                "begin": {"line": 5, "column": 7, "byte": 33},
                "end": {"line": 7, "column": 3, "byte": 143},
            },
        }
    ]
    assert evaluation.properties["aws"].contains_unknowns()


def test_every_value_knows_its_place():
    """Pulumi's REST API gives it as a trace, at every depth; what a function gives stands at the function."""
    given = dict.fromkeys(("accessKeyId", "secretAccessKey", "sessionToken"), "x")
    evaluation = evaluate("aws/dev", LOGIN, load={}.__getitem__, context=CONTEXT, login=lambda _: given)

    def place(value):
        span = value["trace"]["def"]
        return span["environment"], span["begin"]["line"], span["begin"]["column"]

    listed = evaluation.properties_json()["list"]
    assert [place(each) for each in (listed, *listed["value"])] == [
        ("aws/dev", 8, 9),
        ("aws/dev", 8, 10),
        ("aws/dev", 8, 13),
    ]
    login = evaluation.properties_json()["aws"]["value"]["login"]
    assert place(login) == place(login["value"]["sessionToken"]) == ("aws/dev", 5, 7)


def test_an_imported_value_stands_in_the_import():
    """So that `pulumi env get` leads there."""
    environments = {"base/one": "values: {a: {b: 1}}"}
    evaluation = evaluate("aws/dev", "imports: [base/one]", load=environments.get, context=CONTEXT, login=None)
    trace = evaluation.properties_json()["a"]["value"]["b"]["trace"]["def"]
    assert (trace["environment"], trace["begin"]["column"]) == ("base/one", 17)


def test_every_nested_value_is_wrapped():
    """Pulumi's REST API also wraps items of lists."""
    listed = check(LOGIN).properties_json()["list"]
    assert unplaced(listed) == {"value": [{"value": 1}, {"value": "hunter2", "secret": True}]}


def test_secrets_can_be_left_out():
    """Without secrets a secret reads `[secret]` and is still marked as one."""
    shown = check(LOGIN).properties_json(show_secrets=False)
    assert unplaced(shown["list"]["value"][1]) == {"value": "[secret]", "secret": True}


def test_every_path_has_an_expression():
    """`pulumi env get ENV PATH` finds an expression for every key and index, and where it stands."""
    expressions = check(LOGIN).expressions_json()
    assert unplaced(expressions["aws"]) == {"object": {"login": {}}}
    assert unplaced(expressions["list"]) == {"list": [{}, {}]}
    assert expressions["list"]["list"][1]["range"]["begin"]["column"] == 13


# Of eval/crypt.go of github.com/pulumi/esc: a version of 1 and the right checksum, or a wrong one of either.
SEALED = base64.b64encode(b"escx\0\0\0\1sealed" + zlib.crc32(b"escx\0\0\0\1sealed").to_bytes(4)).decode()
WRONG_SUM = base64.b64encode(b"escx\0\0\0\1sealed\0\0\0\0").decode()
WRONG_VERSION = base64.b64encode(b"escx\0\0\0\2sealed" + zlib.crc32(b"escx\0\0\0\2sealed").to_bytes(4)).decode()


def test_a_check_takes_what_another_key_encrypted():
    """The CLI sends such secrets to see whether a definition is right: they are unknown. They can't be opened."""
    text = f"values: {{a: {{fn::secret: {{ciphertext: {SEALED}}}}}}}"
    assert unplaced(check(text).properties_json()) == {"a": {"value": None, "secret": True, "unknown": True}}
    assert check(text).diagnostics == ()
    opened = evaluate("aws/dev", text, load={}.__getitem__, context=CONTEXT, login=refuse)
    assert ["write it in plain text" in each.summary for each in opened.diagnostics] == [True]


@pytest.mark.parametrize("text", [WRONG_SUM, WRONG_VERSION, "x", "é", "", "[1]", "{}", "c2hvcnQ="])
def test_what_is_no_ciphertext_is_refused(text):
    """Also in a check."""
    for argument in (f"{{ciphertext: {text}}}", f"{{other: {SEALED}}}"):
        assert len(check(f"values: {{a: {{fn::secret: {argument}}}}}").diagnostics) == 1


def test_bytes_are_counted_in_utf_8():
    """A position counts columns in characters and offsets in bytes."""
    (diagnostic,) = check('values: {é: 1, a: "${b}"}').diagnostics_json()
    assert diagnostic["range"]["begin"] == {"line": 1, "column": 19, "byte": 19}


@pytest.mark.parametrize("function", ["concat", "fromJSON", "join", "rotate::x", "toJSON", "validate", "nope"])
def test_other_functions_are_refused_by_name(function):
    """A function that the sandbox does not evaluate is an error that names it."""
    (diagnostic,) = check(f"values: {{a: {{fn::{function}: x}}}}").diagnostics
    assert diagnostic.summary.startswith(f"the sandbox does not evaluate fn::{function}: it knows ")


def test_static_credentials_are_refused():
    """The sandbox logs in only over OpenID Connect, and says so."""
    text = "values: {a: {fn::open::aws-login: {static: {accessKeyId: a, secretAccessKey: b}}}}"
    assert ["'oidc' is a required property" in each.summary for each in check(text).diagnostics] == [True]


def test_an_error_in_a_login_does_not_show_secrets():
    """The message has the place and the rule, not the value."""
    (diagnostic,) = check("""
values:
  arn: {fn::secret: hunter2}
  login: {fn::open::aws-login: {oidc: {roleArn: "${arn}", sessionName: esc}}}
""").diagnostics
    assert diagnostic.summary == "aws-login.oidc.roleArn does not fit the schema: minLength 20"


def test_numbers_that_json_cannot_hold_are_refused():
    """Infinity and not-a-number are errors here; Pulumi's evaluator fails only when it writes them."""
    assert [each.summary for each in check("values: {a: .inf, b: -.INF, c: .nan}").diagnostics] == [
        f"{text} is not a number that JSON can hold" for text in (".inf", "-.INF", ".nan")
    ]


def test_an_unreadable_environment_is_an_error_at_the_import():
    """The loader's message becomes the diagnostic."""

    def forbid(name: str) -> str:
        raise PermissionError(f"alice may not open {name}")

    evaluation = evaluate("app/prod", "imports: [aws/dev]", load=forbid, context=CONTEXT, login=None)
    assert [each.summary for each in evaluation.diagnostics] == ["alice may not open aws/dev"]


@pytest.mark.parametrize(
    "text",
    [
        "values:\n" + "".join(f"  k{number}: ${{k{number + 1}}}\n" for number in range(2000)) + "  k2000: 1\n",
        f"values: {{a: {'[' * 2000}{']' * 2000}}}",
    ],
    ids=["references", "lists"],
)
def test_a_definition_nested_too_deeply_is_an_error(text):
    """A definition that would exhaust Python's stack is refused."""
    assert [each.summary for each in check(text).diagnostics] == ["nested too deeply for the sandbox"]


LARGEST = 2**20


@pytest.fixture
def small(monkeypatch):
    """Less than the real limit, which takes a while to reach."""
    monkeypatch.setattr("esc_oidc.sandbox.esc.evaluation.LARGEST", LARGEST)


def doubled(form):
    """Values of which each has the one before twice."""
    return "".join(f"  a{number + 1}: {form.format(a=f'${{a{number}}}')}\n" for number in range(40))


@pytest.mark.parametrize(
    "definition",
    [
        "values:\n  a0: xxxxxxxxxx\n" + doubled('"{a}{a}"'),
        "values:\n  a0: x\n" + doubled('["{a}", "{a}"]'),
        "values:\n  a0: x\n" + doubled('{{x: "{a}", y: "{a}"}}'),
        "values:\n  a0: " + "[" * 60 + "'\"'" + "]" * 60 + '\n  b: "x ${a0}"\n',
        f"values:\n  a0: {'x' * 2**16}\n" + "".join(f'  b{number}: "x${{a0}}"\n' for number in range(100)),
    ],
    ids=["text", "list", "map", "quotes", "many"],
)
@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("login", [None, lambda _: {}], ids=["check", "open"])
def test_what_an_evaluation_gives_is_limited(definition, login):
    """A few lines can stand for more than any memory holds; the diagnostic says where, and what to do."""
    tracemalloc.start()
    evaluation = evaluate("aws/dev", definition, load={}.__getitem__, context={}, login=login)
    written = json.dumps([evaluation.properties_json(), evaluation.expressions_json()])
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert any("16 MB" in each.summary and each.span for each in evaluation.diagnostics)
    assert len(written) < 3 * LARGEST
    assert held < 40 * LARGEST


@pytest.mark.usefixtures("small")
def test_imports_are_limited_together():
    """What each one gives may be small enough."""
    text = f"values:\n  {{}}: {'x' * (LARGEST // 3)}\n"
    definition = "imports: [a/b, a/c, a/d, a/e]\n"
    load = {f"a/{name}": text.format(name) for name in "bcde"}.__getitem__
    evaluation = evaluate("aws/dev", definition, load=load, context={}, login=None)
    assert ["16 MB" in each.summary for each in evaluation.diagnostics] == [True, True]
    assert len(evaluation.properties) <= 2
