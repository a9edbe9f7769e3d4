import pytest

from esc_oidc import PulumiEscOidc
from esc_oidc.trust import PARTITIONS, provider_arn, size, trust_policy
from tests.support.deploying import PROVIDER_ARN, deploy
from tests.support.environment_refusals import BASE
from tests.support.inputs import check, plan
from tests.support.shapes import ANY, ANY_IN_PROJECT, ANY_STACK, CURRENT, OMIT, ROOT, USER

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
WARNINGS = [
    ("the legacy project", {"project": "default"}, ["can be replayed here"]),
    (
        "any environment",
        {ANY: True},
        ["every environment of contoso may assume this role, and so may whoever can create"],
    ),
    ("any environment in the project", {ANY_IN_PROJECT: True}, ["every environment of project aws"]),
    ("omitted current environment", {OMIT: True, "subject_attributes": [ROOT]}, ["whoever may edit any environment"]),
    (
        "any stack configuration",
        {OMIT: True, ANY_STACK: True, "subject_attributes": []},
        ["whoever may edit any environment", "when a stack's `environment:` list opens it"],
    ),
    ("a session of over 4h", {"duration": "4h1s"}, ["sessions of up to 4h1s can't be revoked early"]),
    ("a maximum of over 4h", {"max_session_duration": "5h"}, ["sessions of up to 5h"]),
    ("upper case in the organization", {"organization": "Contoso"}, ["organization: 'Contoso' has upper case"]),
    ("upper case in the project", {"project": "Aws"}, ["project: 'Aws' has upper case"]),
    ("upper case in the environment", {"environment": "Dev"}, ["environment: 'Dev' has upper case"]),
    (
        "current environment not first",
        {"subject_attributes": [USER, CURRENT], "allowed_users": ["alice"]},
        ["list `currentEnvironment.name` first"],
    ),
    (
        "another issuer",
        {"issuer": "https://pulumi.example.com/oidc"},
        ["https://pulumi.example.com/oidc signs the tokens, not Pulumi Cloud: whoever runs pulumi.example.com"],
    ),
    (
        "another organization's audience",
        {"additional_audiences": ["aws:fabrikam"]},
        ["another organization's audience"],
    ),
    ("an administrator", {"policy_arns": [ADMIN]}, ["administrator of the account"]),
    ("over 10 policies", {"policy_arns": [f"{ADMIN}{i}" for i in range(11)]}, ["11 policies are over AWS's default"]),
    (
        "an empty team beside users",
        {"allowed_users": ["alice"], "allowed_teams": ["ops"]},
        ["inferred from its source code, never observed"],
    ),
    (
        "an empty team beside types",
        {"allowed_teams": ["ops"], "allowed_token_types": ["organization"]},
        ["inferred from its source code, never observed"],
    ),
    (
        "a policy over the default quota",
        {"allowed_environments": [f"aws/environment-{i:03}" for i in range(20)]},
        ["over AWS's default quota of 2048"],
    ),
]
QUIET = [
    {},
    {"allowed_users": ["alice"], "allowed_root_environments": ["aws/x"]},
    {"allowed_teams": ["ops"]},
    {"allowed_token_types": ["organization", "team"]},
    {"duration": "4h"},
    {"additional_audiences": ["contoso"]},
    {"policy_arns": [ADMIN], "permissions_boundary_arn": ADMIN},
    {"policy_arns": [f"{ADMIN}{i}" for i in range(10)]},
]


@pytest.mark.parametrize(("inputs", "said"), [case[1:] for case in WARNINGS], ids=[case[0] for case in WARNINGS])
def test_a_risk_is_one_warning(inputs, said):
    """What is allowed but worth knowing is one warning, on the component, and there are no others."""
    assert check("esc", BASE | inputs) == []
    warnings = deploy(lambda: PulumiEscOidc("esc", **(BASE | inputs)) and None).warnings
    assert len(warnings) == len(said), warnings
    for text, fragment in zip(warnings, said, strict=True):
        assert fragment in text


@pytest.mark.parametrize("inputs", QUIET, ids=str)
def test_ordinary_inputs_cause_no_warning(inputs):
    """Nobody reads a warning that always comes."""
    assert plan(BASE | inputs).warnings == ()


def environments_of_size(limit):
    """Environments whose trust policy has exactly `limit` characters with an ARN of partition `aws`."""
    names = ["aws/a"]
    while policy_size(names) < limit - 150:
        names.append(f"aws/{len(names):03}")
    return [*names[1:], "aws/a" + "a" * (limit - policy_size(names))]


def policy_size(names):
    trust = plan(BASE | {"allowed_environments": names}).trust
    return size(trust_policy(trust, provider_arn(trust.issuer)))


@pytest.mark.parametrize("partition", PARTITIONS)
def test_the_policy_fits_with_the_longest_provider_arn(partition):
    """Only AWS knows in which partition the provider will be, and after it exists it is too late to refuse."""
    longest = len("aws-us-gov") - len("aws")
    fits = BASE | {"allowed_environments": environments_of_size(4096 - longest)}
    assert deploy(lambda: PulumiEscOidc("esc", **fits) and None, partition=partition).error is None
    (violation,) = check("esc", BASE | {"allowed_environments": environments_of_size(4097 - longest)})
    assert "4097 characters for its" in violation.rule
    assert "where AWS's ARNs are longest" in violation.rule


def test_the_policy_is_measured_with_the_adopted_provider():
    """Its partition is known."""
    inputs = BASE | {"allowed_environments": environments_of_size(4096), "oidc_provider_arn": PROVIDER_ARN}
    assert check("esc", inputs) == []
    environments = environments_of_size(4097)
    (violation,) = check("esc", inputs | {"allowed_environments": environments})
    assert "ARNs are longest" not in violation.rule


def test_the_stated_number_of_subjects_fits():
    """As many as the refusal says fit, and one more doesn't."""
    names = [f"aws/environment-{index:03}" for index in range(80)]
    (violation,) = check("esc", BASE | {"environment": "environment-zzz", "allowed_environments": names})
    fit = int(violation.rule.split(": ")[1].split()[0])
    assert check("esc", BASE | {"environment": "environment-zzz", "allowed_environments": names[: fit - 1]}) == []
    assert check("esc", BASE | {"environment": "environment-zzz", "allowed_environments": names[:fit]}) != []
