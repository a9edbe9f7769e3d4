"""The sandbox's evaluator of ESC definitions, judged by Pulumi's own."""

import json
import os
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from esc_oidc.sandbox.evaluator import Evaluation, Login, LoginFailed, evaluate
from tests.judge import ANONYMOUS, CREDENTIALS, Request, Verdict, judge

CONTEXT = {"pulumi": {"user": {"login": "alice"}, "organization": {"login": "contoso"}}}
CASES = yaml.safe_load(Path(__file__).with_name("evaluator_cases.yaml").read_text(encoding="utf-8"))
# What the judge said, so that ours is tested where there is no Go too. RECORD=1 writes it again.
RECORDED = Path(__file__).with_name("evaluator_verdicts.json")


def requests(case: Mapping[str, Any]) -> tuple[Request, Request]:
    """The requests of a case: to open and to check."""
    definition = case.get("anonymous")
    name = ANONYMOUS if definition is not None else case.get("evaluate", "aws/dev")
    opened = Request(name, case["environments"], definition, CONTEXT)
    return opened, Request(name, case["environments"], definition, CONTEXT, check=True)


def ours(request: Request) -> tuple[Evaluation, list[dict[str, Any]]]:
    """Our evaluation of a request, and the logins that it asked for."""
    logins: list[dict[str, Any]] = []

    def load(name: str) -> str:
        if name not in request.environments:
            raise KeyError(f'environment "{name}" not found')
        return request.environments[name]

    def login(asked: Login) -> Mapping[str, Any]:
        logins.append(
            {
                "inputs": asked.inputs,
                "currentEnvironment": asked.current_environment,
                "rootEnvironment": asked.root_environment,
            }
        )
        return CREDENTIALS

    evaluation = evaluate(
        request.name,
        request.environments[request.name] if request.definition is None else request.definition,
        load=load,
        context=request.context,
        login=None if request.check else login,
    )
    return evaluation, logins


def without_secrecy_of_unknowns(value: Any) -> Any:
    """In a check Pulumi's evaluator leaves it to the schema what of a login is secret; ours says it."""
    if isinstance(value, dict):
        inner = {key: without_secrecy_of_unknowns(nested) for key, nested in value.items()}
        if inner.get("unknown") is True:
            return {"unknown": True}
        return {key: nested for key, nested in inner.items() if key != "trace"}
    return [without_secrecy_of_unknowns(item) for item in value] if isinstance(value, list) else value


def wording(summary: str) -> str:
    """A message without its suggestion: which name is nearest may differ."""
    return summary.partition("; did you mean")[0].partition(". Existing fields")[0]


def assert_agreement(case: Mapping[str, Any], request: Request, verdict: Verdict) -> None:
    """Ours says what the judge says, as far as the case wants it."""
    evaluation, logins = ours(request)
    found = evaluation.diagnostics_json()
    assert [each["severity"] for each in found] == [each["severity"] for each in verdict.diagnostics]
    if case.get("wording") != "ours":
        assert [wording(each["summary"]) for each in found] == [
            wording(each["summary"]) for each in verdict.diagnostics
        ]
    if case.get("lines") != "ours":
        assert [_line(each["range"]) for each in found] == [_line(each) for each in verdict.diagnostics]
    assert logins == verdict.logins
    if not verdict.errors:
        assert without_secrecy_of_unknowns(evaluation.properties_json()) == without_secrecy_of_unknowns(
            verdict.properties
        )


def _line(place: Mapping[str, Any]) -> tuple[str, int] | None:
    return (place["environment"], place["begin"]["line"]) if "begin" in place else None


@pytest.fixture(scope="module")
def recorded() -> dict[str, list[Verdict]]:
    """The recorded verdicts of every case: opened and checked."""
    verdicts = json.loads(RECORDED.read_text(encoding="utf-8"))
    return {what: [Verdict(**verdict) for verdict in both] for what, both in verdicts.items()}


def test_recorded_verdicts_are_the_judges() -> None:
    """What is recorded is what Pulumi's evaluator says about exactly these cases today."""
    verdicts = iter(judge([request for case in CASES for request in requests(case)]))
    judged = {case["what"]: [vars(next(verdicts)), vars(next(verdicts))] for case in CASES}
    if os.environ.get("RECORD"):
        text = json.dumps(judged, indent=1, ensure_ascii=False)
        RECORDED.write_text(text + "\n", encoding="utf-8")
    assert json.loads(RECORDED.read_text(encoding="utf-8")) == judged


@pytest.mark.parametrize("case", CASES, ids=[case["what"] for case in CASES])
def test_opens_as_pulumi_does(case: Mapping[str, Any], recorded: dict[str, list[Verdict]]) -> None:
    """Values, secrecy, errors and what every login sees are those of Pulumi's evaluator."""
    assert_agreement(case, requests(case)[0], recorded[case["what"]][0])


@pytest.mark.parametrize("case", CASES, ids=[case["what"] for case in CASES])
def test_checks_as_pulumi_does(case: Mapping[str, Any], recorded: dict[str, list[Verdict]]) -> None:
    """A check, which opens nothing, finds the values and the errors that Pulumi's evaluator finds."""
    assert_agreement(case, requests(case)[1], recorded[case["what"]][1])


def test_random_texts_mean_what_they_mean_to_pulumi() -> None:
    """Dollars, braces, brackets, quotes and letters in any order have Pulumi's meaning and Pulumi's errors."""
    pieces = ["$", "{", "}", "[", "]", ".", '"', "\\", "a", "b", "0", "1", "-", "+", "x", "é", "à"]
    pieces += ["$$", "${", "${m", ".a", "[0]", '["a"]', " ", "\n", "\u2028"]
    chosen = random.Random(1)
    texts = ["".join(chosen.choices(pieces, k=chosen.randint(1, 9))) for _ in range(1000)]
    values = [{"m": {"a": [1, {"b": 2}]}, "text": text} for text in texts]
    asked = [Request("aws/dev", definition=json.dumps({"values": each}), context=CONTEXT) for each in values]
    for request, verdict in zip(asked, judge(asked), strict=True):
        assert_agreement({}, request, verdict)


def test_random_scalars_mean_what_they_mean_to_pulumi() -> None:
    """Digits, signs, points, underscores and prefixes in any order are what Pulumi reads."""
    chosen = random.Random(2)
    letters = "00112789+-._eExXobBOaf:"
    scalars = ["".join(chosen.choices(letters, k=chosen.randint(1, 7))) for _ in range(1500)]
    # A colon at the end makes a map, a dash alone a list: these are not scalars.
    lines = [f"values:\n  scalar: {each.strip(':').lstrip('-')}\n" for each in scalars]
    asked = [Request("aws/dev", definition=line, context=CONTEXT) for line in lines]
    for request, verdict in zip(asked, judge(asked), strict=True):
        assert_agreement({}, request, verdict)


LOGIN = """
values:
  aws:
    login:
      fn::open::aws-login:
        oidc: {roleArn: "arn:aws:iam::123456789012:role/esc", sessionName: pulumi-esc}
  environmentVariables: {AWS_ACCESS_KEY_ID: "${aws.login.accessKeyId}", REGION: eu-west-1}
  list: [1, {fn::secret: hunter2}]
"""


def nothing_to_load(name: str) -> str:
    """A loader for definitions without imports."""
    raise KeyError(name)


def refuse(_: Login) -> Mapping[str, Any]:
    """A login that AWS refuses."""
    raise LoginFailed("Not authorized to perform sts:AssumeRoleWithWebIdentity")


def check(text: str) -> Evaluation:
    """What a check says about a definition without imports."""
    return evaluate("aws/dev", text, load=nothing_to_load, context=CONTEXT, login=None)


def test_in_a_check_a_login_is_unknown_and_secret() -> None:
    """A check opens nothing; what depends on a login is unknown and, here, secret."""
    unknown = {"value": None, "secret": True, "unknown": True}
    properties = check(LOGIN).properties_json()
    assert properties["aws"]["value"] == {"login": unknown}
    assert properties["environmentVariables"]["value"] == {
        "AWS_ACCESS_KEY_ID": unknown,
        "REGION": {"value": "eu-west-1"},
    }


def test_a_refused_login_is_an_error_where_the_block_stands() -> None:
    """The message of LoginFailed becomes a diagnostic at the login, and its outputs are unknown."""
    evaluation = evaluate("aws/dev", LOGIN, load=nothing_to_load, context=CONTEXT, login=refuse)
    assert evaluation.failed
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


def test_every_nested_value_is_wrapped() -> None:
    """Pulumi's REST API wraps every value, items of lists too; values on the top level have a trace."""
    assert check(LOGIN).properties_json()["list"] == {
        "value": [{"value": 1}, {"value": "hunter2", "secret": True}],
        "trace": {},
    }


def test_secrets_can_be_left_out() -> None:
    """Without secrets a secret reads `[secret]` and is still marked as one."""
    shown = check(LOGIN).properties_json(show_secrets=False)
    assert shown["list"]["value"][1] == {"value": "[secret]", "secret": True}


def test_every_path_has_an_expression() -> None:
    """`pulumi env get ENV PATH` finds an expression for every key and index."""
    expressions = check(LOGIN).expressions_json()
    assert expressions["aws"] == {"object": {"login": {}}}
    assert expressions["list"] == {"list": [{}, {}]}


def test_bytes_are_counted_in_utf_8() -> None:
    """A position counts columns in characters and bytes in the bytes of the text."""
    (diagnostic,) = check('values: {é: 1, a: "${b}"}').diagnostics_json()
    assert diagnostic["range"]["begin"] == {"line": 1, "column": 19, "byte": 19}


@pytest.mark.parametrize(
    "function",
    [
        *("concat", "final", "fromBase64", "fromJSON", "join", "rotate", "rotate::x", "split"),
        *("toBase64", "toJSON", "toString", "toYAML", "validate"),
    ],
)
def test_other_functions_are_refused_by_name(function: str) -> None:
    """A function that Pulumi has and the sandbox does not is an error that names it."""
    (diagnostic,) = check(f"values: {{a: {{fn::{function}: x}}}}").diagnostics
    assert diagnostic.summary == f'the sandbox does not evaluate "fn::{function}"'


def test_static_credentials_are_refused() -> None:
    """The sandbox logs in over OpenID Connect only, and says so."""
    text = "values: {a: {fn::open::aws-login: {static: {accessKeyId: a, secretAccessKey: b}}}}"
    evaluation = evaluate("aws/dev", text, load=nothing_to_load, context=CONTEXT, login=refuse)
    assert [each.summary for each in evaluation.diagnostics] == ["the sandbox logs in with `oidc` only"]


def test_numbers_that_json_cannot_hold_are_refused() -> None:
    """Infinity and not-a-number are errors here; Pulumi's evaluator fails only when it writes them."""
    assert [each.summary for each in check("values: {a: .inf, b: -.INF, c: .nan}").diagnostics] == [
        f"yaml: {text} is not a number that JSON can hold" for text in (".inf", "-.INF", ".nan")
    ]


def test_an_environment_that_may_not_be_read_is_an_error_at_the_import() -> None:
    """What the loader says when it refuses becomes the diagnostic."""

    def forbid(name: str) -> str:
        raise PermissionError(f"alice may not open {name}")

    evaluation = evaluate("app/prod", "imports: [aws/dev]", load=forbid, context=CONTEXT, login=None)
    assert [each.summary for each in evaluation.diagnostics] == ["alice may not open aws/dev"]


def test_a_definition_nested_too_deeply_is_an_error() -> None:
    """A definition that would exhaust Python's stack is refused instead."""
    chain = "".join(f"  k{number}: ${{k{number + 1}}}\n" for number in range(2000))
    evaluation = check(f"values:\n{chain}  k2000: 1\n")
    assert [each.summary for each in evaluation.diagnostics] == ["nested too deeply for the sandbox"]


def test_a_text_nested_too_deeply_is_an_error() -> None:
    """The same holds for the YAML itself."""
    evaluation = check(f"values: {{a: {'[' * 2000}{']' * 2000}}}")
    assert [each.summary for each in evaluation.diagnostics] == ["nested too deeply for the sandbox"]


def test_the_context_may_hold_any_json() -> None:
    """Lists, numbers, booleans and null in the context are what they are."""
    context = {"any": [1, 2.5, True, None, {"x": "y"}]}
    evaluation = evaluate("aws/dev", "values: {a: '${context.any}'}", load=nothing_to_load, context=context, login=None)
    assert evaluation.properties["a"].plain() == context["any"]


@pytest.mark.parametrize("key", ["currentEnvironment", "rootEnvironment"])
def test_the_context_must_not_name_environments(key: str) -> None:
    """The evaluator itself says which environment is current and which is the root."""
    with pytest.raises(ValueError, match=f"^reserved context key: {key}$"):
        evaluate("aws/dev", LOGIN, load=nothing_to_load, context={key: {}}, login=None)
