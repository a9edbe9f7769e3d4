"""Which resources a PulumiDeploymentsOidc declares, and with what."""

import json

import pulumi
import pulumi_aws as aws
import pulumi_pulumiservice as pulumiservice
import pytest

from esc_oidc import PulumiDeploymentsOidc, PulumiEscOidc
from tests.support.deploying import ACCOUNT, PROVIDER_ARN, deploy
from tests.support.programs import DEPLOYMENTS, INLINE, READ_ONLY, deployments_login

ANY_STACK, MANAGE = "dangerously_allow_any_stack_in_project", "manage_deployment_settings"
SUBJECT = "pulumi:deploy:org:contoso:project:core:stack:{}:operation:{}:scope:write"


def statements(deployed):
    """The statements of the role's trust policy, as they were sent."""
    return json.loads(deployed.one("Role").inputs["assumeRolePolicy"])["Statement"]


def test_the_minimal_component_declares_provider_and_role():
    """Nothing else is created: deployment settings only if asked for."""
    deployed = deploy(deployments_login())
    assert deployed.error is None
    assert [(resource.type, resource.name, resource.parent) for resource in deployed.resources] == [
        ("esc-oidc:index:PulumiDeploymentsOidc", "dep", "esc-oidc-test"),
        ("aws:iam/openIdConnectProvider:OpenIdConnectProvider", "dep-provider", "dep"),
        ("aws:iam/role:Role", "dep-role", "dep"),
    ]
    assert deployed.warnings == []


def test_neither_component_inherits_from_the_other():
    """What they share is used by both."""
    assert not issubclass(PulumiDeploymentsOidc, PulumiEscOidc)
    assert not issubclass(PulumiEscOidc, PulumiDeploymentsOidc)


def test_named_stacks_are_exact_subjects():
    """There is one subject for each stack and operation, and the audience is the organization's own name."""
    deployed = deploy(deployments_login(stacks=["dev", "prod"], operations=["preview", "update"]))
    assert statements(deployed) == [
        {
            "Effect": "Allow",
            "Principal": {"Federated": PROVIDER_ARN},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {
                    "api.pulumi.com/oidc:aud": "contoso",
                    "api.pulumi.com/oidc:sub": [
                        SUBJECT.format(stack, operation)
                        for stack in ("dev", "prod")
                        for operation in ("preview", "update")
                    ],
                }
            },
        }
    ]
    assert deployed.one("OpenIdConnectProvider").inputs["clientIdLists"] == ["contoso"]


@pytest.mark.parametrize(
    ("operations", "subjects"),
    [
        (..., "pulumi:deploy:org:contoso:project:core:*"),
        (["preview"], SUBJECT.format("*", "preview")),
        (["preview", "destroy"], [SUBJECT.format("*", "preview"), SUBJECT.format("*", "destroy")]),
    ],
)
def test_any_stack_of_the_project_is_a_pattern(operations, subjects):
    """The subject is that of Pulumi's guide, narrowed to the operations; the audience stays exact."""
    deployed = deploy(deployments_login(stacks=..., operations=operations, **{ANY_STACK: True}))
    assert [statement["Condition"] for statement in statements(deployed)] == [
        {
            "StringEquals": {"api.pulumi.com/oidc:aud": "contoso"},
            "StringLike": {"api.pulumi.com/oidc:sub": subjects},
        }
    ]
    assert deployed.exports["subjects"] == (subjects if isinstance(subjects, list) else [subjects])


def test_managed_settings_hold_the_login_of_each_named_stack():
    """They hold the login to AWS and nothing else."""
    deployed = deploy(deployments_login(stacks=["dev", "prod"], manage_deployment_settings=True))
    assert {r.name: r.inputs for r in deployed.of("DeploymentSettings")} == {
        f"dep-settings-{stack}": {
            "organization": "contoso",
            "project": "core",
            "stack": stack,
            "operationContext": deployed.exports["operation_context"],
        }
        for stack in ("dev", "prod")
    }
    assert {r.parent for r in deployed.of("DeploymentSettings")} == {"dep"}


def test_settings_of_an_output_are_refused():
    """No name can be made of it, and one that follows its place would delete another stack's settings."""
    deployed = deploy(
        deployments_login(stacks=lambda: ["dev", pulumi.Output.from_input("prod")], manage_deployment_settings=True)
    )
    assert "pass the output `operation_context` to your own DeploymentSettings" in str(deployed.error)
    assert deployed.resources == []


def test_the_inputs_of_provider_and_role_reach_them():
    """Every shared input arrives under AWS's name for it."""
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
    deployed = deploy(
        deployments_login(
            issuer="https://pulumi.example.com/oidc", additional_audiences=["aws:contoso"], thumbprints=["a" * 40],
            retain_oidc_provider=True, role_name="dep", role_path="/pulumi/", role_description="Deployments",
            permissions_boundary_arn=boundary, force_detach_policies=True, max_session_duration="2h", duration="90m",
            tags={"team": "x"}, policy_arns=[READ_ONLY],
            inline_policies={"extra": INLINE},
        )
    )  # fmt: skip
    provider, role = deployed.one("OpenIdConnectProvider"), deployed.one("Role").inputs
    assert provider.inputs == {
        "url": "https://pulumi.example.com/oidc",
        "clientIdLists": ["contoso", "aws:contoso"],
        "thumbprintLists": ["a" * 40],
        "tags": {"team": "x"},
    }
    assert provider.request.retainOnDelete is True
    assert "pulumi.example.com/oidc:aud" in role.pop("assumeRolePolicy")
    assert role == {
        "name": "dep",
        "path": "/pulumi/",
        "description": "Deployments",
        "permissionsBoundary": boundary,
        "forceDetachPolicies": True,
        "maxSessionDuration": 7200,
        "tags": {"team": "x"},
    }
    assert deployed.one("RolePolicyAttachment").name == "dep-policy-ReadOnlyAccess-2a3bda39"
    assert deployed.one("RolePolicy").inputs == {"name": "extra", "policy": INLINE, "role": "dep"}


def test_previews_and_updates_may_have_separate_roles():
    """Two components of one stack with different operations admit nothing in common."""

    def program():
        given = {**DEPLOYMENTS, "policy_arns": [READ_ONLY]}
        reads = PulumiDeploymentsOidc("reads", **given, operations=["preview"])
        writes = PulumiDeploymentsOidc(
            "writes", **DEPLOYMENTS, operations=["update", "destroy"], oidc_provider_arn=reads.oidc_provider_arn
        )
        return {"reads": reads.subjects, "writes": writes.subjects}

    deployed = deploy(program)
    assert deployed.exports == {
        "reads": [SUBJECT.format("dev", "preview")],
        "writes": [SUBJECT.format("dev", "update"), SUBJECT.format("dev", "destroy")],
    }


def test_providers_reach_both_kinds_of_children():
    """Every child and the look-up inherit `providers=[aws, pulumiservice]` from the component."""

    def opts():
        return pulumi.ResourceOptions(
            providers=[aws.Provider("other-account", region="us-east-1"), pulumiservice.Provider("cloud")]
        )

    deployed = deploy(deployments_login(opts=opts, manage_deployment_settings=True))
    used = {r.name: r.request.provider.split("::")[-2] for r in deployed.resources if r.parent == "dep"}
    assert used == {"dep-provider": "other-account", "dep-role": "other-account", "dep-settings-dev": "cloud"}
    adopted = deploy(deployments_login(opts=opts, oidc_provider_arn=PROVIDER_ARN))
    assert [invoke.provider.split("::")[-2] for invoke in adopted.invokes] == ["other-account"]


def test_dependencies_follow_the_data():
    """The role waits for the provider, and the settings wait for the role."""
    deployed = deploy(deployments_login(manage_deployment_settings=True))
    depends = {r.name: sorted(d.split("::")[-1] for d in r.request.dependencies) for r in deployed.resources}
    assert depends["dep-role"] == ["dep-provider"]
    assert depends["dep-settings-dev"] == ["dep-role"]


def test_protect_reaches_every_child():
    """An option of the component holds for everything it declares."""
    given = {"policy_arns": [READ_ONLY], MANAGE: True}
    deployed = deploy(deployments_login(opts=lambda: pulumi.ResourceOptions(protect=True), **given))
    assert [r.request.protect for r in deployed.resources] == [True] * 5
