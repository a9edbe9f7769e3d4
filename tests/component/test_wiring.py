"""Which resources a PulumiEscOidc declares, and with what."""

import json

import pulumi
import pulumi_aws as aws
import pulumi_pulumiservice as pulumiservice
import pytest
import yaml

from esc_oidc import PulumiEscOidc
from tests.support.deploying import ACCOUNT, PROVIDER_ARN, deploy
from tests.support.programs import BILLING, ESC, INLINE, READ_ONLY, esc_login


def definition(deployed):
    return yaml.safe_load(deployed.one("Environment").inputs["yaml"]["text"])


def test_the_minimal_component_declares_provider_role_and_environment():
    """Nothing else is created, and each is named after the component."""
    deployed = deploy(esc_login())
    assert deployed.error is None
    assert [(resource.type, resource.name, resource.parent) for resource in deployed.resources] == [
        ("esc-oidc:index:PulumiEscOidc", "esc", "esc-oidc-test"),
        ("aws:iam/openIdConnectProvider:OpenIdConnectProvider", "esc-provider", "esc"),
        ("aws:iam/role:Role", "esc-role", "esc"),
        ("pulumiservice:index:Environment", "esc-environment", "esc"),
    ]
    assert deployed.warnings == []


def test_the_default_admits_only_this_environment():
    """It has one audience, one exact subject, and no operator but StringEquals."""
    deployed = deploy(esc_login())
    assert json.loads(deployed.one("Role").inputs["assumeRolePolicy"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": PROVIDER_ARN},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": {
                        "api.pulumi.com/oidc:aud": "aws:contoso",
                        "api.pulumi.com/oidc:sub": "pulumi:environments:pulumi.organization.login:contoso"
                        ":currentEnvironment.name:aws/dev",
                    }
                },
            }
        ],
    }


def test_every_name_is_a_plain_string():
    """The engine takes names only as strings, so none is made from an Output."""
    deployed = deploy(
        lambda: (
            PulumiEscOidc(
                "esc",
                **{**ESC, "project": pulumi.Output.from_input("aws")},
                policy_arns=[BILLING],
                named_policy_arns={"own": pulumi.Output.from_input(READ_ONLY)},
                inline_policies={"extra": pulumi.Output.from_input(INLINE)},
            )
            and None
        )
    )
    names = [resource.name for resource in deployed.resources]
    assert sorted(names[3:]) == ["esc-environment", "esc-inline-extra", "esc-policy-Billing-8754f47b", "esc-policy-own"]
    assert not any("Output" in name for name in names)


def test_an_attachment_is_named_after_its_policy():
    """Reordering the list changes no name, so nothing is detached and attached again."""
    one, other = (deploy(esc_login(policy_arns=arns)) for arns in ([READ_ONLY, BILLING], [BILLING, READ_ONLY]))
    attached = [{r.name: r.inputs["policyArn"] for r in d.of("RolePolicyAttachment")} for d in (one, other)]
    assert attached[0] == attached[1]
    assert attached[0]["esc-policy-ReadOnlyAccess-2a3bda39"] == READ_ONLY


def test_inline_policies_are_resources_of_their_own():
    """Each has the given name and document and belongs to the role."""
    deployed = deploy(esc_login(inline_policies={"extra": INLINE}))
    (policy,) = deployed.of("RolePolicy")
    assert policy.inputs == {"name": "extra", "policy": INLINE, "role": "esc-role-1234567"}


def test_the_inputs_of_the_role_reach_it():
    """Every input that describes the role arrives under AWS's name for it."""
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
    deployed = deploy(
        esc_login(
            role_name="esc", role_path="/pulumi/", role_description="ESC", permissions_boundary_arn=boundary,
            force_detach_policies=True, max_session_duration="2h", duration="1h30m", tags={"team": "x"},
        )
    )  # fmt: skip
    inputs = deployed.one("Role").inputs
    assert json.loads(inputs.pop("assumeRolePolicy"))["Version"] == "2012-10-17"
    assert inputs == {
        "name": "esc",
        "path": "/pulumi/",
        "description": "ESC",
        "permissionsBoundary": boundary,
        "forceDetachPolicies": True,
        "maxSessionDuration": 7200,
        "tags": {"team": "x"},
    }
    assert definition(deployed)["values"]["aws"]["login"]["fn::open::aws-login"]["oidc"]["duration"] == "1h30m"


@pytest.mark.parametrize(("duration", "seconds"), [("15m", 3600), ("1h", 3600), ("90m", 5400), ("12h", 43200)])
def test_the_role_allows_the_logins_duration(duration, seconds):
    """Without a maximum, the role allows the duration, or AWS's minimum of an hour if that is longer."""
    assert deploy(esc_login(duration=duration)).one("Role").inputs["maxSessionDuration"] == seconds


def test_the_inputs_of_the_provider_reach_it():
    """Issuer, audiences, thumbprints and tags arrive, with the component's own audience first."""
    deployed = deploy(
        esc_login(
            issuer="https://pulumi.example.com/oidc",
            additional_audiences=["contoso"],
            thumbprints=["a" * 40],
            tags={"team": "x"},
        )
    )
    assert deployed.one("OpenIdConnectProvider").inputs == {
        "url": "https://pulumi.example.com/oidc",
        "clientIdLists": ["aws:contoso", "contoso"],
        "thumbprintLists": ["a" * 40],
        "tags": {"team": "x", "esc-oidc:created-by": "esc-oidc/test/PulumiEscOidc/esc"},
    }
    assert "pulumi.example.com/oidc:aud" in deployed.one("Role").inputs["assumeRolePolicy"]


@pytest.mark.parametrize("retain", [True, False, None])
def test_the_provider_is_retained_only_on_request(retain):
    """`retain_oidc_provider` keeps the provider in AWS; the role is destroyed anyway."""
    deployed = deploy(esc_login(retain_oidc_provider=retain))
    assert deployed.one("OpenIdConnectProvider").request.retainOnDelete is bool(retain)
    assert deployed.one("Role").request.retainOnDelete is False


def test_the_environment_can_be_left_to_somebody_else():
    """`create_environment=False` leaves the provider, the role and all outputs."""
    deployed = deploy(esc_login(create_environment=False))
    assert deployed.of("Environment") == []
    assert deployed.exports["environment_ref"] == "contoso/aws/dev"
    assert "roleArn" in deployed.exports["environment_definition"]


def test_the_environment_is_written_as_declared():
    """Imports, region, variables, configuration and session policies are where ESC looks for them."""
    deployed = deploy(
        esc_login(
            imports=["aws/base"], region="eu-central-1", environment_variables={"B": "$${x}", "A": "${aws.login.x}"},
            pulumi_config={"aws:defaultTags": "x"}, session_policy_arns=[READ_ONLY],
            session_name="esc-${context.pulumi.user.login}",
        )
    )  # fmt: skip
    assert definition(deployed) == {
        "imports": ["aws/base"],
        "values": {
            "aws": {
                "login": {
                    "fn::open::aws-login": {
                        "oidc": {
                            "roleArn": f"arn:aws:iam::{ACCOUNT}:role/esc-role-1234567",
                            "sessionName": "esc-${context.pulumi.user.login}",
                            "duration": "1h",
                            "policyArns": [READ_ONLY],
                            "subjectAttributes": ["currentEnvironment.name"],
                        }
                    }
                }
            },
            "environmentVariables": {
                "AWS_ACCESS_KEY_ID": "${aws.login.accessKeyId}",
                "AWS_SECRET_ACCESS_KEY": "${aws.login.secretAccessKey}",
                "AWS_SESSION_TOKEN": "${aws.login.sessionToken}",
                "AWS_REGION": "eu-central-1",
                "A": "${aws.login.x}",
                "B": "$${x}",
            },
            "pulumiConfig": {"aws:region": "eu-central-1", "aws:defaultTags": "x"},
        },
    }
    inputs = deployed.one("Environment").inputs
    assert (inputs["organization"], inputs["project"], inputs["name"]) == ("contoso", "aws", "dev")


def test_the_region_is_exported_even_without_credentials():
    """`AWS_REGION` stands alone then; empty sections are left out."""
    values = definition(deploy(esc_login(export_environment_variables=False, region="us-east-1")))["values"]
    assert values["environmentVariables"] == {"AWS_REGION": "us-east-1"}
    assert list(definition(deploy(esc_login(export_environment_variables=False)))["values"]) == ["aws"]


def test_providers_reach_both_kinds_of_children():
    """Every child and the look-up inherit `providers=[aws, pulumiservice]` from the component."""

    def opts():
        return pulumi.ResourceOptions(
            providers=[aws.Provider("other-account", region="us-east-1"), pulumiservice.Provider("cloud")]
        )

    deployed = deploy(esc_login(opts=opts, policy_arns=[READ_ONLY]))
    used = {r.name: r.request.provider.split("::")[-2] for r in deployed.resources if r.parent == "esc"}
    assert used == {
        "esc-provider": "other-account",
        "esc-role": "other-account",
        "esc-policy-ReadOnlyAccess-2a3bda39": "other-account",
        "esc-environment": "cloud",
    }
    adopted = deploy(esc_login(opts=opts, oidc_provider_arn=PROVIDER_ARN))
    assert [invoke.provider.split("::")[-2] for invoke in adopted.invokes] == ["other-account"]


def test_dependencies_follow_the_data():
    """The role waits for the provider; the attachment and the environment wait for the role."""
    deployed = deploy(esc_login(policy_arns=[READ_ONLY]))
    depends = {r.name: sorted(d.split("::")[-1] for d in r.request.dependencies) for r in deployed.resources}
    assert depends["esc-role"] == ["esc-provider"]
    assert depends["esc-policy-ReadOnlyAccess-2a3bda39"] == ["esc-role"]
    assert depends["esc-environment"] == ["esc-role"]


def test_two_components_share_only_what_they_pass_on():
    """The second one adopts the provider of the first."""

    def program():
        first = PulumiEscOidc("dev", **ESC)
        PulumiEscOidc("prod", **(ESC | {"environment": "prod"}), oidc_provider_arn=first.oidc_provider_arn)

    deployed = deploy(program)
    assert deployed.error is None
    assert [r.name for r in deployed.of("Role")] == ["dev-role", "prod-role"]
    assert len(deployed.of("OpenIdConnectProvider")) == 1


def test_protect_reaches_every_child():
    """An option of the component holds for everything it declares."""
    deployed = deploy(esc_login(opts=lambda: pulumi.ResourceOptions(protect=True), policy_arns=[READ_ONLY]))
    assert [r.request.protect for r in deployed.resources] == [True] * 5
