import pytest

from esc_oidc import PulumiDeploymentsOidc
from tests.support.deploying import deploy
from tests.support.deployment_refusals import ANY_STACK, BASE, MANAGE, STACKS
from tests.support.inputs import check_deployment, plan_deployment

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
WARNINGS = [
    (
        "any stack of the project",
        {ANY_STACK: True},
        ["every stack of project core may assume this role, and so may whoever can create one in the project"],
    ),
    (
        "any stack in some operations",
        {ANY_STACK: True, "operations": ["preview", "refresh"]},
        ["may assume this role in operations `preview` and `refresh`, and so may whoever can create one"],
    ),
    (
        "managed settings",
        {"stacks": ["dev", "prod"], MANAGE: True},
        ["replaces the whole deployment settings of `dev` and `prod`"],
    ),
    (
        "managed settings and some operations",
        STACKS | {MANAGE: True, "operations": ["preview"]},
        ["replaces the whole deployment settings of `dev`", "this one refuses `update`, `refresh` and `destroy`"],
    ),
    ("upper case in the organization", STACKS | {"organization": "Contoso"}, ["organization: 'Contoso' has upper"]),
    ("upper case in the project", STACKS | {"project": "Core"}, ["project: 'Core' has upper case"]),
    ("upper case in a stack", {"stacks": ["dev", "Prod"]}, ["stacks[1]: 'Prod' has upper case"]),
    ("a template misspelled", STACKS | {"session_name": "a-${stack.nam}"}, ["did you mean `${stack.name}`?"]),
    (
        "a template of ESC",
        STACKS | {"session_name": "a-${context.pulumi.user.login}"},
        ["session_name: `${context.pulumi.user.login}` is not one of the templates"],
    ),
    ("a template like no other", STACKS | {"session_name": "a-${x}"}, ["those are `organization.name`,"]),
    ("another issuer", STACKS | {"issuer": "https://p.example.com/oidc"}, ["whoever runs p.example.com"]),
    ("another organization's audience", STACKS | {"additional_audiences": ["aws:fabrikam"]}, ["another org"]),
    ("a session of over 4h", STACKS | {"duration": "5h"}, ["sessions of up to 5h"]),
    ("an administrator", STACKS | {"policy_arns": [ADMIN]}, ["administrator of the account"]),
    ("a policy over the default quota", {"stacks": [f"stack-{i}" for i in range(6)]}, ["default quota of 2048"]),
]  # fmt: skip
QUIET = [
    STACKS,
    {"stacks": ["dev", "stage", "prod"]},
    STACKS | {"operations": ["preview"]},
    STACKS | {"additional_audiences": ["aws:contoso"]},
    STACKS | {"session_name": "${stack.name}-${operation}-${deployment.version}"},
    STACKS | {MANAGE: False, ANY_STACK: False},
]


@pytest.mark.parametrize(("inputs", "said"), [case[1:] for case in WARNINGS], ids=[case[0] for case in WARNINGS])
def test_a_risk_is_one_warning(inputs, said):
    """What is allowed but worth knowing is one warning, on the component, and there are no others."""
    assert check_deployment("esc", BASE | inputs) == []
    warnings = deploy(lambda: PulumiDeploymentsOidc("esc", **(BASE | inputs)) and None).warnings
    assert len(warnings) == len(said), warnings
    for text, fragment in zip(warnings, said, strict=True):
        assert fragment in text


@pytest.mark.parametrize("inputs", QUIET, ids=str)
def test_ordinary_inputs_cause_no_warning(inputs):
    """Nobody reads a warning that always comes."""
    assert plan_deployment(BASE | inputs).warnings == ()
