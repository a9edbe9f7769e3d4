import pulumi
import pytest

from esc_oidc import PulumiEscOidc
from esc_oidc.inputs import LATER, EnvironmentPlan
from tests.support.deploying import deploy
from tests.support.environment_refusals import BASE, POLICY, REFUSALS
from tests.support.inputs import ARGUMENTS, check
from tests.support.refusing import is_one_clear_violation, is_refused_as_outputs, is_refused_plain

CASES = [pytest.param(*case[1:], id=case[0]) for case in REFUSALS]


@pytest.mark.parametrize(("inputs", "place", "said"), CASES)
def test_a_broken_rule_is_one_clear_violation(inputs, place, said):
    """Each broken rule is reported once, with the input's name, its value, the rule and the way out."""
    is_one_clear_violation(check("esc", BASE | inputs), place, said)


@pytest.mark.parametrize(("inputs", "place", "said"), CASES)
def test_a_plain_input_is_refused_before_anything_is_registered(inputs, place, said):
    """Plain inputs are checked in the constructor: not even the component is registered."""
    is_refused_plain(PulumiEscOidc, BASE | inputs, place, said)


@pytest.mark.parametrize(("inputs", "place", "said"), CASES)
def test_an_output_is_refused_before_anything_is_sent(inputs, place, said):
    """Outputs are checked in one apply, and no provider, role, policy or environment is sent before it."""
    is_refused_as_outputs(PulumiEscOidc, ARGUMENTS[EnvironmentPlan], BASE | inputs, place, said)


def test_all_violations_are_reported_at_once():
    """Several wrong inputs are reported together, for forms and relations alike."""
    wrong = {"organization": "aws:contoso", "allowed_users": [], "duration": "13h", "tags": {"A": "b", "a": "b"}}
    violations = check("esc", BASE | wrong)
    assert [violation.input for violation in violations] == [
        "organization",
        "allowed_users",
        "duration",
        "tags (a key)",
    ]


def test_the_generated_role_name_must_fit():
    """Without `role_name`, the role is named after the component, whose name must then suit IAM."""
    assert check("c" * 51, BASE) == []
    for name, said in (("c" * 52, "over 64"), ("a/b", "letters, digits")):
        (violation,) = check(name, BASE)
        assert said in violation.rule
        assert violation.name == "the"
        assert check(name, BASE | {"role_name": "esc"}) == []


@pytest.mark.parametrize("name", ["issuer", "role_name", "duration", "create_environment", "imports", "thumbprints"])
def test_an_output_where_a_plain_value_belongs_is_refused(name):
    """An input that decides which resources exist, or their names, can't be an Output."""
    deployed = deploy(lambda: PulumiEscOidc("esc", **BASE, **{name: pulumi.Output.from_input("x")}) and None)
    assert f"{name} = (an Output)" in str(deployed.error)
    assert deployed.resources == []


@pytest.mark.parametrize("name", ["named_policy_arns", "tags", "environment_variables", "session_policy_arns"])
def test_a_collection_that_is_an_output_is_refused(name):
    """If a collection makes names or keys, only its items may be Outputs."""
    deployed = deploy(lambda: PulumiEscOidc("esc", **BASE, **{name: pulumi.Output.from_input([])}) and None)
    assert "its items may be Outputs; the" in str(deployed.error)


def test_an_output_in_a_plain_list_is_refused():
    """The items of a list of plain strings can't be Outputs either."""
    deployed = deploy(lambda: PulumiEscOidc("esc", **BASE, imports=[pulumi.Output.from_input("aws/x")]) and None)
    assert "imports[0] = (an Output)" in str(deployed.error)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("duration", "it is checked before anything is deployed"),
        ("retain_oidc_provider", "it is checked before anything is deployed"),
        ("tags", "it is checked before anything is deployed"),
        ("create_environment", "it decides which resources exist."),
        ("inline_policies", "it decides which resources exist and what they are called"),
        ("role_name", "another one replaces the role"),
    ],
)
def test_an_output_is_refused_for_the_inputs_own_reason(name, said):
    """A duration decides nothing about resources."""
    (violation,) = check("esc", BASE | {name: LATER})
    assert said in violation.rule


def test_a_number_that_nobody_could_write_is_refused():
    """Python itself refuses to write it."""
    is_one_clear_violation(check("esc", BASE | {"duration": 10**5000}), "duration", "Pass one.")


TAKEN = [
    {"tags": {"équipe": "日本", "a b": "", "\u2028": "\u0661"}},
    {"tags": {"k": "\U00020bb7" * 128}},
    {"imports": ["aws/base@stable", "aws/base@12", "aws/base"]},
    {"environment_variables": {"EMPTY": "", "a.b-c": "x"}},
    {"pulumi_config": {"app:list[0]": "a", "app:list[1]": "b", "app:map.key": "c", 'app:map["a.b"]': "d", "x": "e"}},
    {"region": "us-east-1", "pulumi_config": {"app:aws.region": "a", "aws:profile.x": "b"}},
    {"policy_arns": [POLICY.replace("Read", "service-role/_+=,.@-")], "additional_audiences": ["contoso.io"]},
    {"session_policy_arns": [POLICY.replace(":aws:", ":aws-eusc:", 1)]},
]


@pytest.mark.parametrize("inputs", TAKEN, ids=str)
def test_what_aws_and_pulumi_take_is_accepted(inputs):
    """No rule is narrower than the service that it stands for."""
    assert check("esc", BASE | inputs) == []


def test_args_and_keywords_cannot_be_mixed():
    """With both it would be unclear which one wins."""
    deployed = deploy(lambda: PulumiEscOidc("esc", BASE, region="us-east-1") and None)
    assert "not both" in str(deployed.error)


def test_args_of_another_type_are_refused():
    """The message says what was passed instead, such as resource options."""
    deployed = deploy(lambda: PulumiEscOidc("esc", pulumi.ResourceOptions()) and None)
    assert "the inputs are a dict, not a ResourceOptions" in str(deployed.error)
