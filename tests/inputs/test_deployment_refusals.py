import pulumi
import pytest

from esc_oidc import PulumiDeploymentsOidc, PulumiDeploymentsOidcArgs, PulumiEscOidcArgs
from esc_oidc.inputs import DeploymentPlan, EnvironmentPlan
from tests.support.deploying import deploy
from tests.support.deployment_refusals import BASE, DEPLOYMENT_REFUSALS, MANAGE, SHARED, SHARED_INPUTS, STACKS
from tests.support.inputs import ARGUMENTS, check_deployment
from tests.support.refusing import is_one_clear_violation, is_refused_as_outputs, is_refused_plain

CASES = [pytest.param(*case[1:], id=case[0]) for case in DEPLOYMENT_REFUSALS]


@pytest.mark.parametrize(("inputs", "place", "said"), CASES)
def test_a_broken_rule_is_one_clear_violation(inputs, place, said):
    """Each broken rule is reported once, with the input's name, its value, the rule and the way out."""
    is_one_clear_violation(check_deployment("esc", BASE | inputs), place, said)


@pytest.mark.parametrize(("inputs", "place", "said"), CASES)
def test_a_plain_input_is_refused_before_anything_is_registered(inputs, place, said):
    """Plain inputs are checked in the constructor: not even the component is registered."""
    is_refused_plain(PulumiDeploymentsOidc, BASE | inputs, place, said)


@pytest.mark.parametrize(("inputs", "place", "said"), CASES)
def test_an_output_is_refused_before_anything_is_sent(inputs, place, said):
    """Outputs are checked in one apply, and no provider, role, policy or settings are sent before it."""
    is_refused_as_outputs(PulumiDeploymentsOidc, ARGUMENTS[DeploymentPlan], BASE | inputs, place, said)


def test_all_violations_are_reported_at_once():
    """Several wrong inputs are reported together, for forms and relations alike."""
    wrong = {"project": "a:b", "operations": ["Update"], "duration": "13h", MANAGE: True, "tags": {"A": "b", "a": "b"}}
    assert [violation.input for violation in check_deployment("esc", BASE | wrong)] == [
        "project",
        "operations[0]",
        "duration",
        "tags (a key)",
        "stacks",
    ]


def test_a_long_stack_is_reported_once():
    """Its four operations make four subjects over AWS's limit, but they have one cause."""
    given = BASE | {"project": "p" * 90, "stacks": ["s" * 100, "t" * 99, "dev"], "duration": "1h"}
    assert [violation.value for violation in check_deployment("esc", given)] == ["s" * 100, "t" * 99]


def test_the_longest_names_that_aws_takes_pass():
    """A subject may have 255 characters, and a name 100."""
    rest = len("pulumi:deploy:org:contoso:project::stack::operation:refresh:scope:write")
    given = BASE | {"project": "p" * 100, "stacks": ["s" * (255 - 100 - rest)]}
    assert check_deployment("esc", given) == []


def test_the_stated_number_of_subjects_fits():
    """As many as the refusal says fit, and four more don't."""
    stacks = [f"stack-{index:02}" for index in range(20)]
    (violation,) = check_deployment("esc", BASE | {"stacks": stacks})
    fit = int(violation.rule.split(": ")[1].split()[0]) // 4
    assert check_deployment("esc", BASE | {"stacks": stacks[:fit]}) == []
    assert check_deployment("esc", BASE | {"stacks": stacks[: fit + 1]}) != []


def test_the_generated_role_name_must_fit():
    """Without `role_name`, the role is named after the component, whose name must then suit IAM."""
    assert check_deployment("c" * 51, BASE | STACKS) == []
    (violation,) = check_deployment("c" * 52, BASE | STACKS)
    assert "over 64" in violation.rule


@pytest.mark.parametrize(
    "name",
    [
        "deploy",
        "${stack.name}",
        "${organization.name}-${project.name}-${stack.name}-${deployment.id}",
        "pulumi-${deployment.operation}-${deployment.version}",
        "a" * 28 + "${deployment.id}",
        "a" * 58 + "${operation}",
        "${not.documented}",
    ],
)
def test_templates_of_the_session_name_pass_through(name):
    """Pulumi fills them in when the deployment runs, and trims names so that the result fits."""
    assert check_deployment("esc", BASE | STACKS | {"session_name": name}) == []


@pytest.mark.parametrize("name", ["stacks", "manage_deployment_settings", "dangerously_allow_any_stack_in_project"])
def test_an_output_where_a_plain_value_belongs_is_refused(name):
    """An input that decides which resources exist, or their names, can't be an Output."""
    deployed = deploy(
        lambda: PulumiDeploymentsOidc("esc", **(BASE | STACKS | {name: pulumi.Output.from_input("x")})) and None
    )
    assert f"{name} = (an Output)" in str(deployed.error)
    assert deployed.resources == []


def test_args_of_another_type_are_refused():
    """The message names the component's own argument type."""
    deployed = deploy(lambda: PulumiDeploymentsOidc("esc", pulumi.ResourceOptions()) and None)
    assert "Pass PulumiDeploymentsOidcArgs, or keywords." in str(deployed.error)


def test_shared_inputs_have_one_check():
    """Inputs of provider, role and session have one field and one type for both components."""
    assert len(SHARED) > 70
    for name in SHARED_INPUTS:
        assert DeploymentPlan.formats()[name] is EnvironmentPlan.formats()[name]
        assert PulumiDeploymentsOidcArgs.__annotations__[name] == PulumiEscOidcArgs.__annotations__[name]
