"""What a definition says of imports and logins, before anybody opens it."""

import pytest

from esc_oidc.definitions import (
    BadDefinition,
    Definition,
    Import,
    LoginBlock,
    compose,
    filled,
    property_path,
    read_definition,
    scalar,
    scalar_text,
)
from tests.support.definitions import CASES, ROLE, each_case
from tests.support.judge import Request, judge

ARN = "arn:aws:iam::123456789012:role/esc"
LOGIN = """\
values:
    aws:
        login:
            fn::open::aws-login:
                oidc:
                    roleArn: {arn}
                    sessionName: pulumi-esc
"""


def login(text: str) -> LoginBlock:
    """The only login of a definition."""
    (found,) = read_definition(text).logins
    return found


@each_case
def test_what_the_component_writes_is_read_as_pulumi_reads_it(name):
    """Pulumi's evaluator logs in with the same inputs, whoever opens the environment."""
    case = CASES[name]
    found = login(case.definition)
    (verdict, *_) = judge(case.requests[:1])
    (asked,) = verdict.logins
    assert filled(found.role_arn, {}) == asked["inputs"]["roleArn"] == ROLE + case.role
    assert filled(found.session_name, {"pulumi.user.login": "alice"}) == asked["inputs"]["sessionName"]
    assert found.duration == asked["inputs"]["duration"]
    assert [filled(each, {}) for each in found.policy_arns] == asked["inputs"].get("policyArns", [])
    assert list(found.subject_attributes) == asked["inputs"].get("subjectAttributes", [])
    assert found.path == "aws.login"
    assert found.unknown == ()


def test_a_login_says_where_it_stands():
    """The path among the values, in lists too, and the line of its `oidc`."""
    text = "values:\n  all:\n    - fn::open::aws-login:\n        oidc: {roleArn: a, sessionName: b}\n"
    assert (login(text).path, login(text).line) == ("all[0]", 4)
    assert property_path(login(text).oidc_path) == 'all[0]["fn::open::aws-login"].oidc'


def test_the_long_form_is_a_login_too():
    """`fn::open` names its provider."""
    text = f"values: {{a: {{fn::open: {{provider: aws-login, inputs: {{oidc: {{roleArn: '{ARN}'}}}}}}}}}}"
    assert login(text).role_arn == ARN
    assert property_path(login(text).oidc_path) == 'a["fn::open"].inputs.oidc'
    for other in ("azure-login", "'${provider}'"):
        assert read_definition(text.replace("aws-login", other)).logins == ()


def test_a_login_inside_another_function_is_found():
    """Functions may be nested; they don't count as steps of the path."""
    text = f"values:\n  a:\n    fn::toJSON:\n      fn::open::aws-login: {{oidc: {{roleArn: '{ARN}'}}}}\n"
    assert login(text).path == "a"


def test_what_is_missing_and_what_is_not_known_are_told_apart():
    """Of an input that refers to what only the evaluation knows, its name is said."""
    found = login(
        "values:\n  a:\n    fn::open::aws-login:\n      oidc:\n        roleArn: ${imported.role}\n"
        "        policyArns: ['${b}', x]\n        subjectAttributes: ${c}\n  b: {fn::secret: s}\n"
    )
    assert found.unknown == ("roleArn", "policyArns", "subjectAttributes")
    assert (found.role_arn, found.session_name, found.policy_arns, found.subject_attributes) == (None, None, None, None)
    empty = login("values: {a: {fn::open::aws-login: {oidc: {subjectAttributes: , duration: 2h}}}}")
    assert (empty.unknown, empty.subject_attributes, empty.duration) == ((), (), "2h")


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("${aws.role}", ARN),
        ("${aws.prefix}/esc", ARN),
        ("${aws.alias}", ARN),
        ('${aws["role"]}', ARN),
        ("arn$$x", "arn$x"),
        ("a$", "a$"),
        ("${missing}", None),
        ("${aws}", None),
        ("${aws.role.deeper}", None),
        ("${aws.circle}", None),
        ("${aws.role", None),
        ("${environments.aws.dev.role}", None),
        ("123456", "123456"),
    ],
)
def test_references_to_its_own_literal_values_are_known(written, means):
    """What an environment says itself, nobody else decides: its own values win over imported ones."""
    prefix = ARN.removesuffix("/esc")
    values = f"{{role: '{ARN}', prefix: '{prefix}', alias: '${{aws.role}}', circle: '${{aws.circle}}'}}"
    found = login(f"values:\n  aws: {values}\n  x: {{fn::open::aws-login: {{oidc: {{roleArn: '{written}'}}}}}}\n")
    assert (found.role_arn if found.role_arn is None else filled(found.role_arn, {})) == means


def test_what_refers_to_the_context_waits_for_who_opens():
    """It stays as it is, and is filled in for each opening; what that does not say stays unknown."""
    name = login(LOGIN.format(arn=ARN).replace("pulumi-esc", "esc-${context.pulumi.user.login}")).session_name
    assert name == "esc-${context.pulumi.user.login}"
    assert filled(name, {"pulumi.user.login": "alice"}) == "esc-alice"
    assert filled(name, {}) is None
    assert filled("${other}", {}) is None
    assert filled("${context.x", {"x": "1"}) is None


@pytest.mark.parametrize(
    "text",
    [
        "values: {c: {}, a: {fn::open::aws-login: {oidc: '${c}'}}}",
        "values: {c: {}, a: {fn::open::aws-login: '${c}'}}",
        "values: {c: {}, a: {fn::open: {provider: aws-login, inputs: '${c}'}}}",
    ],
)
def test_a_login_whose_inputs_stand_elsewhere_is_not_known(text):
    """It is a login all the same, of which nothing is known before it is opened."""
    assert login(text).path == "a"
    assert login(text).unknown == ("roleArn", "sessionName", "duration", "policyArns", "subjectAttributes")


def test_functions_that_esc_does_not_have_are_named():
    """Pulumi Cloud may refuse them, or know more of them."""
    functions = "{a: {fn::nope: 1}, b: {FN::join: [a]}, c: {fn::join: [',', []]}, d: {fn::open::gcp-login: {}}}"
    assert read_definition(f"values: {functions}").unknown_functions == ("fn::nope", "FN::join")


def test_imports_are_read_in_every_form():
    """As a text, with options, pinned; twice counts once; a reference into another environment is one too."""
    definition = read_definition(
        "imports:\n- aws/dev\n- aws/base@stable:\n    merge: false\n- aws/dev\n- ${name}\n"
        "values:\n  a: x ${environments.shared.login.aws} ${environments.short}\n"
    )
    assert definition.imports == (Import("aws/dev", 2), Import("aws/base@stable", 3), Import("shared/login", 8))
    assert definition.unknown_imports == ("${name}",)


@pytest.mark.parametrize("text", ["", "# nothing\n", "imports:\n", "imports: ~\nvalues: {}\n", "values:\n", '""'])
def test_an_empty_definition_says_nothing(text):
    """A new environment has one."""
    assert read_definition(text) == Definition()


def test_a_login_with_static_credentials_asks_for_no_token():
    """It is told apart, not judged."""
    text = "values: {a: {fn::open::aws-login: {static: {accessKeyId: x}}}}"
    assert read_definition(text) == Definition(other_logins=("a",))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("values: [", "line 1: this is not YAML"),
        ("a: &x 1\nb: *x\n", "line 2: this is not YAML: aliases are not supported"),
        ("- a", "line 1: a definition must be a map"),
        ("just a text", "line 1: a definition must be a map"),
        ("imports: aws/dev", "line 1: imports must be a list"),
        ("values: x", "line 1: values must be a map"),
        ("imports:\n- [a]", "line 2: an import is a text, or a map of one key"),
        ("imports:\n- ''", "line 2: an import is a text, or a map of one key"),
        ("values:\n  a: 1\n  a: 2", "line 3: the key 'a' stands there twice"),
        ("values:\n  [a, b]: 1", "line 2: a key must be a text"),
        ("values: {a: {fn::open::aws-login: text}}", "fn::open::aws-login must be a map"),
        ("values: {a: {fn::open::aws-login: {oidc: text}}}", "the login a must be a map"),
        ("values: {a: {fn::open::aws-login: {oidc: {roleArn: !!int x}}}}", "does not fit its tag"),
        ("values: " + "[" * 5000, "this is not YAML"),
    ],
)
def test_what_pulumi_cloud_cannot_read_is_said_with_its_line(text, said):
    """Nothing is guessed from half of a definition."""
    with pytest.raises(BadDefinition) as raised:
        read_definition(text)
    assert said in str(raised.value)


def test_a_definition_of_a_megabyte_is_read():
    """It takes no longer than it has lines."""
    text = LOGIN.format(arn=ARN) + "".join(f"    key{index}: some value {index}\n" for index in range(35_000))
    assert len(text) > 1_000_000
    assert login(text).role_arn == ARN


SCALARS = [
    "text", "'1'", "1", "-0x1F", "0b11", "0o17", "017", "+0b1", "1_000", "_1", ".5", ".1_0", "1.50", "1e3", "-2.5",
    "1e21", "0.00001", "123456789.5", "1.5e300", "18446744073709551615", "18446744073709551616", "-9223372036854775808",
    "0b+1", "yes", "True", "~", "''", "null", "!!str 1", "!!float 1", "!!int 7", "!!custom 1", "2026-11-21", "0x",
    "1e999",
]  # fmt: skip


@pytest.fixture(scope="module")
def judged_scalars() -> dict[str, tuple[object, object]]:
    """What Pulumi's evaluator makes of each scalar: its value, and the text it is inside another text."""
    requests = [Request("a/b", {"a/b": f"values:\n  a: {text}\n  b: x${{a}}\n"}) for text in SCALARS]
    values = [verdict.properties for verdict in judge(requests)]
    return {text: (each["a"]["value"], each["b"]["value"]) for text, each in zip(SCALARS, values, strict=True)}


@pytest.mark.parametrize("text", SCALARS)
def test_a_scalar_means_what_it_means_to_pulumi(text, judged_scalars):
    """Its value, and the text that stands for it inside another one."""
    ((_, node),) = compose(f"a: {text}").value
    value = scalar(node)
    assert (value, f"x{scalar_text(value)}") == judged_scalars[text]


@pytest.mark.parametrize("text", [".inf", "-.INF", ".nan", "!!int 1.5", "!!bool 1", "!!null x"])
def test_a_scalar_that_pulumi_refuses_is_an_error(text):
    """A tag that says something else than the text, or a number that JSON can't hold."""
    node = compose(text)
    with pytest.raises(ValueError, match=r"number that JSON can hold|does not fit its tag"):
        scalar(node)
