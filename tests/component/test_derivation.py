"""What derives from an input that is an Output, and what doesn't."""

import pulumi
import pulumi_aws as aws
import pytest

from esc_oidc import PulumiEscOidc
from esc_oidc.inputs import EnvironmentPlan
from tests.support.deploying import PROVIDER_ARN, deploy
from tests.support.inputs import ARGUMENTS
from tests.support.programs import ESC, INLINE, READ_ONLY, UNKNOWN

OTHER_ISSUER = "https://pulumi.example.com/oidc"
TRUST, LOGIN, AUDIENCE = "Role.assumeRolePolicy", "Environment.yaml", "OpenIdConnectProvider.clientIdLists"
DERIVED = {
    "organization": ("contoso", [AUDIENCE, TRUST, "Environment.organization"]),
    "project": ("aws", [AUDIENCE, TRUST, "Environment.project"]),
    "environment": ("dev", [TRUST, "Environment.name"]),
    "subject_attributes": (["currentEnvironment.name"], [TRUST, LOGIN]),
    "allowed_environments": (["aws/prod"], [TRUST]),
    "allowed_root_environments": (["aws/prod"], [TRUST]),
    "allowed_users": (["alice"], [TRUST]),
    "allowed_teams": (["ops"], [TRUST]),
    "allowed_token_types": (["team"], [TRUST]),
    "oidc_provider_arn": (PROVIDER_ARN, [TRUST]),
    "role_description": ("ESC", ["Role.description"]),
    "permissions_boundary_arn": (READ_ONLY, ["Role.permissionsBoundary"]),
    "named_policy_arns": ({"own": READ_ONLY}, ["RolePolicyAttachment.policyArn"]),
    "inline_policies": ({"own": INLINE}, ["RolePolicy.policy"]),
    "session_policy_arns": ([READ_ONLY], [LOGIN]),
    "region": ("us-east-1", [LOGIN]),
    "environment_variables": ({"A": "x"}, [LOGIN]),
    "pulumi_config": ({"a:b": "x"}, [LOGIN]),
    "tags": ({"team": "x"}, ["OpenIdConnectProvider.tags", "Role.tags"]),
}
"""Each input that may be an Output, a value for it, and which inputs of the children derive from it."""

CASES = [pytest.param(name, *case, id=name) for name, case in DERIVED.items()]


def fed(name, value):
    """A program in which this input comes from another resource, and all others are plain."""

    def program():
        source = aws.iam.Policy("source", policy="x")
        made = PulumiEscOidc("esc", **ESC | {name: from_resource(source, value)})
        return {output: getattr(made, output) for output in PulumiEscOidc.__annotations__}

    return program


def from_resource(source, value):
    """The value, or its items, as Outputs of a resource."""
    if isinstance(value, dict):
        return {key: from_resource(source, item) for key, item in value.items()}
    if isinstance(value, list):
        return [from_resource(source, item) for item in value]
    return source.arn.apply(lambda _: value)


def plain(name, value):
    """The same program with the plain value."""

    def program():
        made = PulumiEscOidc("esc", **ESC | {name: value})
        return {output: getattr(made, output) for output in PulumiEscOidc.__annotations__}

    return program


def of_children(deployed, has):
    """The inputs of the component's children for which something holds."""
    return {
        f"{child.type.rpartition(':')[2]}.{name}"
        for child in deployed.resources
        for name in child.inputs
        if child.parent == "esc" and has(child, name)
    }


def unknown(deployed):
    return of_children(deployed, lambda child, name: UNKNOWN in str(child.inputs[name]))


def test_every_input_that_may_be_an_output_is_here():
    """A new one must be added to the table."""
    arguments = ARGUMENTS[EnvironmentPlan].items()
    assert set(DERIVED) == {name for name, each in arguments if each.may_be_output or each.items_may_be_outputs}


@pytest.mark.parametrize(("name", "value", "derived"), CASES)
def test_only_what_derives_from_an_output_depends_on_it(name, value, derived):
    """The engine may replace what depends on a replaced resource, so nothing else may."""
    deployed = deploy(fed(name, value))
    assert deployed.error is None

    def depends(child, name):
        return any(urn.endswith("::source") for urn in child.request.propertyDependencies[name].urns)

    assert of_children(deployed, depends) == set(derived)
    assert deployed.exports == deploy(plain(name, value)).exports


@pytest.mark.parametrize(("name", "value", "derived"), CASES)
def test_only_what_derives_from_an_unknown_is_unknown(name, value, derived):
    """In a preview, a value that is known without the unknown input stays known."""
    by_output, by_value = deploy(fed(name, value), preview=True), deploy(plain(name, value), preview=True)
    assert by_output.error is None
    assert unknown(by_output) == unknown(by_value) | set(derived)
    assert {child.name for child in by_output.resources} == {child.name for child in by_value.resources} | {"source"}


def test_what_no_output_reaches_is_shown_before_anything_exists():
    """Who gets in and how to open the environment need no cloud."""
    for name in ("permissions_boundary_arn", "named_policy_arns", "region", "tags"):
        exports = deploy(fed(name, DERIVED[name][0]), preview=True).exports
        assert exports["open_command"] == "pulumi env open contoso/aws/dev"
        assert exports["audience"] == "aws:contoso"
        assert len(exports["subjects"]) == 1
    exports = deploy(fed("allowed_users", ["alice"]), preview=True).exports
    assert "subjects" not in exports
    assert exports["environment_ref"] == "contoso/aws/dev"


@pytest.mark.parametrize("preview", [True, False])
def test_one_value_of_a_map_does_not_derive_from_another(preview):
    """Each attachment and each inline policy has the dependencies of its own value."""

    def program():
        source = aws.iam.Policy("source", policy="x")
        policies = {"fed": source.arn.apply(lambda _: INLINE), "own": INLINE}
        PulumiEscOidc("esc", **ESC, inline_policies=policies)

    by_name = {child.name: child for child in deploy(program, preview=preview).of("RolePolicy")}
    assert by_name["esc-inline-own"].inputs["policy"] == INLINE
    assert not by_name["esc-inline-own"].request.propertyDependencies["policy"].urns
    assert by_name["esc-inline-fed"].request.propertyDependencies["policy"].urns


def test_one_unknown_hides_no_other_part():
    """A preview shows the tags and the client IDs that it knows."""

    def program():
        source = aws.iam.Policy("source", policy="x")
        organization = source.arn.apply(lambda _: "contoso")
        tags = {"team": "x", "owner": source.arn.apply(lambda _: "y")}
        PulumiEscOidc("esc", **ESC | {"organization": organization}, additional_audiences=["fabrikam"], tags=tags)

    inputs = deploy(program, preview=True).one("OpenIdConnectProvider").inputs
    assert inputs["clientIdLists"] == [UNKNOWN, "fabrikam"]
    assert (inputs["tags"]["team"], inputs["tags"]["owner"]) == ("x", UNKNOWN)


def test_nothing_is_sent_before_the_check():
    """A bad Output stops everything, also resources with none of it in their inputs."""
    deployed = deploy(fed("role_description", "\0"))
    assert "role_description" in str(deployed.error)
    assert [child.name for child in deployed.resources if child.request.custom] == ["source"]


def test_a_secret_makes_secret_what_derives_from_it():
    """Nothing else becomes secret."""
    deployed = deploy(lambda: secret_boundary())
    assert deployed.secrets == set()
    assert "4dabf18193072939515e22adb298388d" in str(deployed.one("Role").inputs["permissionsBoundary"])


def secret_boundary():
    made = PulumiEscOidc("esc", **ESC, permissions_boundary_arn=pulumi.Output.secret(READ_ONLY))
    return {output: getattr(made, output) for output in PulumiEscOidc.__annotations__}


def test_a_preview_warns_of_what_it_knows():
    """An unknown input hides no warning that does not read it."""

    def program():
        source = aws.iam.Policy("source", policy="x")
        users = source.arn.apply(lambda _: ["alice"])
        PulumiEscOidc("esc", **ESC | {"environment": "Dev"}, allowed_users=users, duration="5h", issuer=OTHER_ISSUER)

    said = [warning.partition(":")[0] for warning in deploy(program, preview=True).warnings]
    assert said == ["environment", "issuer", "max_session_duration"]
