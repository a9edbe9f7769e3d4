"""How inputs may be passed to a PulumiEscOidc."""

import traceback
from functools import partial

import pulumi
import pulumi_aws as aws
import pytest
import yaml

from esc_oidc import PulumiEscOidc, PulumiEscOidcArgs
from tests.support.deploying import PROVIDER_ARN, deploy
from tests.support.programs import ESC, READ_ONLY, esc_login


def test_the_two_forms_of_the_constructor_declare_the_same():
    """One argument or keywords: both are ordinary Pulumi."""
    args: PulumiEscOidcArgs = {"organization": "contoso", "project": "aws", "environment": "dev", "region": "us-east-1"}
    by_args, by_keywords = deploy(lambda: PulumiEscOidc("esc", args) and None), deploy(esc_login(region="us-east-1"))
    assert [(r.type, r.name, r.inputs) for r in by_args.resources] == [
        (r.type, r.name, r.inputs) for r in by_keywords.resources
    ]


def test_outputs_and_plain_values_declare_the_same():
    """The same values declare the same resources in either form."""
    plain = {"allowed_users": ["alice", "bob"], "region": "us-east-1", "role_description": "ESC"}
    outputs = {name: partial(pulumi.Output.from_input, value) for name, value in {**ESC, **plain}.items()}
    as_outputs, as_plain = deploy(esc_login(**outputs)), deploy(esc_login(**plain))
    assert as_outputs.error is None
    assert as_outputs.exports == as_plain.exports
    assert {r.name: r.inputs for r in as_outputs.resources} == {r.name: r.inputs for r in as_plain.resources}


def test_an_output_that_resolves_to_none_means_not_given():
    """It is refused only where the input decides which resources exist."""

    def none():
        return pulumi.Output.from_input(None)

    deployed = deploy(esc_login(role_description=none, region=none))
    assert deployed.error is None
    assert "description" not in deployed.one("Role").inputs
    adopted = deploy(esc_login(oidc_provider_arn=none))
    assert "oidc_provider_arn = None: the Output resolved to None" in str(adopted.error)
    assert adopted.of("Role") == []


@pytest.mark.parametrize("later", [True, False])
def test_later_changes_to_the_arguments_have_no_effect(later):
    """Inputs are copied: changing the dict or the lists afterwards changes nothing."""

    def program():
        organization = pulumi.Output.from_input("contoso") if later else "contoso"
        users, variables = ["alice"], {"SAFE": "x"}
        args = {**ESC, "organization": organization, "allowed_users": users, "environment_variables": variables}
        made = PulumiEscOidc("esc", args)
        users.append("bob")
        variables["AWS_ACCESS_KEY_ID"] = "AKIA"
        variables["BAD KEY"] = "${"
        args["environment"] = "prod"
        del args["allowed_users"]
        return {"subjects": made.subjects, "definition": made.environment_definition, "ref": made.environment_ref}

    exports = deploy(program).exports
    assert exports["ref"] == "contoso/aws/dev"
    assert [subject.rpartition(":")[2] for subject in exports["subjects"]] == ["alice"]
    variables = yaml.safe_load(exports["definition"])["values"]["environmentVariables"]
    assert variables["AWS_ACCESS_KEY_ID"] == "${aws.login.accessKeyId}"
    assert sorted(variables) == ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "SAFE"]


def test_members_of_enumerations_count_as_their_values():
    """pulumi_aws has enumerations for regions and policies."""
    region, policy = aws.Region.US_EAST1, aws.iam.ManagedPolicy.READ_ONLY_ACCESS
    plain = deploy(esc_login(region="us-east-1", policy_arns=[READ_ONLY]))
    for wrap in (lambda value: value, pulumi.Output.from_input):
        deployed = deploy(esc_login(region=lambda wrap=wrap: wrap(region), policy_arns=[policy]))
        assert deployed.error is None
        assert {r.name: r.inputs for r in deployed.resources} == {r.name: r.inputs for r in plain.resources}


@pytest.mark.parametrize("inputs", [{}, {"oidc_provider_arn": PROVIDER_ARN}, {"create_environment": False}])
def test_the_simplest_mocks_are_enough(inputs):
    """A user's own mocks may return the inputs alone: no ARNs, client IDs or revision."""
    deployed = deploy(esc_login(**inputs), sparse=True)
    assert deployed.error is None
    assert "subjectAttributes" in deployed.exports["environment_definition"]


@pytest.mark.parametrize("name", [None, 5, ""])
def test_a_component_needs_a_name(name):
    """A missing name is refused like any other bad input."""
    deployed = deploy(lambda: PulumiEscOidc(name, **ESC) and None)
    assert "the component's name = " in str(deployed.error)


@pytest.mark.parametrize(("name", "value"), [("allowed_users", ["alice", "contoso"]), ("organization", "contoso")])
def test_an_output_does_not_decide_that_this_is_an_individual_account(name, value):
    """If a user comes to be the organization, a preview can't know the definition: list the attributes."""
    inputs = {"allowed_users": ["alice", "contoso"], name: lambda: pulumi.Output.from_input(value)}
    deployed = deploy(esc_login(**inputs))
    assert "allowed_users[1]" in str(deployed.error)
    assert "give `subject_attributes`, with `pulumi.token.type` among them" in str(deployed.error)
    listed = ["currentEnvironment.name", "pulumi.user.login", "pulumi.token.type"]
    admitted = deploy(esc_login(**inputs, subject_attributes=listed))
    assert [subject.rpartition(":pulumi.user.login:")[2] for subject in admitted.exports["subjects"]] == [
        "alice:pulumi.token.type:personal",
        "contoso:pulumi.token.type:personal",
    ]


def test_an_awaitable_counts_as_an_output():
    """Pulumi takes awaitables wherever it takes Outputs."""

    async def later():
        return ["alice"]

    deployed = deploy(esc_login(allowed_users=later))
    assert deployed.error is None
    assert deployed.exports["subjects"][0].endswith(":pulumi.user.login:alice")


@pytest.mark.parametrize("none", ["policy_arns", "region", "tags", "imports", "role_name", "create_environment"])
def test_none_means_not_given(none):
    """`config.get` returns None for a key that isn't set; unless the input narrows access, it gets its default."""
    given, absent = deploy(esc_login(**{none: None})), deploy(esc_login())
    assert {r.name: r.inputs for r in given.resources} == {r.name: r.inputs for r in absent.resources}


def test_what_an_output_raises_shows_where():
    """The traceback ends in the program's own line, not in the component."""

    def oops(values):
        return values["missing"]

    error = deploy(esc_login(region=lambda: pulumi.Output.from_input({}).apply(oops))).error
    assert isinstance(error, KeyError)
    assert traceback.extract_tb(error.__traceback__)[-1].name == "oops"
