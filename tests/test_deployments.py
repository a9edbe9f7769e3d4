import json

import pulumi
import pulumi_aws as aws
import pulumi_pulumiservice as pulumiservice
import pytest
from pulumi.provider.experimental.component import ComponentProvider

from esc_oidc import InvalidInputs, PulumiDeploymentsOidc, PulumiDeploymentsOidcArgs, PulumiEscOidc
from tests.support.deploying import ACCOUNT, PROVIDER_ARN, deploy

BASE = {"organization": "contoso", "project": "core", "stacks": ["dev"]}
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SECRET_KEY = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
OUTPUTS = list(PulumiDeploymentsOidc.__annotations__)
ANY_STACK, MANAGE = "dangerously_allow_any_stack_in_project", "manage_deployment_settings"
SUBJECT = "pulumi:deploy:org:contoso:project:core:stack:{}:operation:{}:scope:write"
OPERATIONS = ["preview", "update", "refresh", "destroy"]
ROLE = f"arn:aws:iam::{ACCOUNT}:role/dep-role-1234567"


def component(name="dep", opts=None, **inputs):
    """A program that declares one component and resolves all its outputs; inputs may be made when it runs."""

    def program():
        given = {key: value() if callable(value) else value for key, value in {**BASE, **inputs}.items()}
        given = {key: value for key, value in given.items() if value is not ...}
        made = PulumiDeploymentsOidc(name, opts=opts() if opts else None, **given)
        return {output: getattr(made, output) for output in OUTPUTS}

    return program


def statements(deployed):
    """The statements of the role's trust policy, as they were sent."""
    return json.loads(deployed.one("Role").inputs["assumeRolePolicy"])["Statement"]


def test_the_minimal_component_is_provider_and_role():
    """Nothing but what the contract names is created: no settings, unless they are asked for."""
    deployed = deploy(component())
    assert deployed.error is None
    assert [(resource.type, resource.name, resource.parent) for resource in deployed.resources] == [
        ("esc-oidc:index:PulumiDeploymentsOidc", "dep", "esc-oidc-test"),
        ("aws:iam/openIdConnectProvider:OpenIdConnectProvider", "dep-provider", "dep"),
        ("aws:iam/role:Role", "dep-role", "dep"),
    ]
    assert deployed.warnings == []


def test_neither_component_is_a_kind_of_the_other():
    """What they share is used by both, not inherited from one."""
    assert not issubclass(PulumiDeploymentsOidc, PulumiEscOidc)
    assert not issubclass(PulumiEscOidc, PulumiDeploymentsOidc)


def test_the_two_forms_of_the_constructor_declare_the_same():
    """One argument or keywords: both are ordinary Pulumi."""
    args: PulumiDeploymentsOidcArgs = {"organization": "contoso", "project": "core", "stacks": ["dev"]}
    by_args, by_keywords = deploy(lambda: PulumiDeploymentsOidc("dep", args) and None), deploy(component())
    assert [(r.type, r.name, r.inputs) for r in by_args.resources] == [
        (r.type, r.name, r.inputs) for r in by_keywords.resources
    ]


def test_named_stacks_are_exact_subjects():
    """One subject for each stack and operation, the audience the organization's own name, only StringEquals."""
    deployed = deploy(component(stacks=["dev", "prod"], operations=["preview", "update"]))
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
    """The flag writes what Pulumi's guide does, narrowed to the operations, the audience still exact."""
    deployed = deploy(component(stacks=..., operations=operations, **{ANY_STACK: True}))
    assert [statement["Condition"] for statement in statements(deployed)] == [
        {
            "StringEquals": {"api.pulumi.com/oidc:aud": "contoso"},
            "StringLike": {"api.pulumi.com/oidc:sub": subjects},
        }
    ]
    assert deployed.exports["subjects"] == (subjects if isinstance(subjects, list) else [subjects])


def test_every_output_has_its_value():
    """All outputs resolve, and to what the children have."""
    exports = deploy(component()).exports
    assert sorted(exports) == sorted(OUTPUTS)
    assert exports["oidc_provider_arn"] == PROVIDER_ARN
    assert exports["role_arn"] == ROLE
    assert exports["role_name"] == "dep-role-1234567"
    assert exports["audience"] == "contoso"
    assert exports["subjects"] == [SUBJECT.format("dev", operation) for operation in OPERATIONS]
    assert json.loads(exports["trust_policy"])["Statement"][0]["Principal"] == {"Federated": PROVIDER_ARN}
    assert exports["operation_context"] == {
        "oidc": {"aws": {"roleARN": ROLE, "sessionName": "pulumi-deploy", "duration": "1h"}}
    }


def test_the_operation_context_has_the_names_of_the_wire():
    """Every language's DeploymentSettings takes it as it is; keys that have nothing to say are left out."""
    given = {"session_name": "${stack.name}-${deployment.id}", "duration": "30m", "session_policy_arns": [READ_ONLY]}

    def program():
        made = PulumiDeploymentsOidc("dep", **BASE, **given)
        pulumiservice.DeploymentSettings(
            "own", organization="contoso", project="core", stack="dev", operation_context=made.operation_context
        )
        return {"context": made.operation_context}

    deployed = deploy(program)
    assert list(deployed.exports["context"]["oidc"]["aws"]) == ["roleARN", "sessionName", "duration", "policyARNs"]
    assert deployed.one("DeploymentSettings").inputs["operationContext"] == {
        "oidc": {
            "aws": {
                "roleARN": ROLE,
                "sessionName": "${stack.name}-${deployment.id}",
                "duration": "30m",
                "policyARNs": [READ_ONLY],
            }
        }
    }
    assert deployed.one("Role").inputs["maxSessionDuration"] == 3600


def test_what_is_registered_is_short():
    """The policy stands in the role's state; the component's own does not repeat it."""
    assert sorted(deploy(component()).outputs["dep"]) == [
        "audience", "oidcProviderArn", "operationContext", "roleArn", "roleName", "subjects",
    ]  # fmt: skip


def test_managed_settings_are_those_of_each_named_stack():
    """Asked for, every stack's settings hold the login to AWS, and nothing else."""
    deployed = deploy(component(stacks=["dev", "prod"], manage_deployment_settings=True))
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


def test_a_stack_that_is_an_output_is_named_after_its_place():
    """Names are plain strings; what another resource computes cannot be in one, but is waited for."""

    def program():
        made = pulumiservice.Stack("made", organization_name="contoso", project_name="core", stack_name="prod")
        PulumiDeploymentsOidc("dep", **(BASE | {"stacks": ["dev", made.stack_name], MANAGE: True}))

    deployed = deploy(program)
    settings = deployed.of("DeploymentSettings")
    assert [(r.name, r.inputs["stack"]) for r in settings] == [("dep-settings-1", "prod"), ("dep-settings-dev", "dev")]
    assert "made" in {urn.split("::")[-1] for urn in settings[0].request.dependencies}


def test_the_inputs_of_provider_and_role_reach_them():
    """Every shared input arrives under AWS's name for it."""
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
    deployed = deploy(
        component(
            issuer="https://pulumi.example.com/oidc", additional_audiences=["aws:contoso"], thumbprints=["a" * 40],
            retain_oidc_provider=True, role_name="dep", role_path="/pulumi/", role_description="Deployments",
            permissions_boundary_arn=boundary, force_detach_policies=True, max_session_duration="2h", duration="90m",
            tags={"team": "x"}, policy_arns=[READ_ONLY],
            inline_policies={"extra": '{"Statement":[]}'},
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
    assert deployed.one("RolePolicy").inputs == {"name": "extra", "policy": '{"Statement":[]}', "role": "dep"}


def test_an_adopted_provider_is_read_and_not_created():
    """With `oidc_provider_arn` there is no provider of ours; the existing one is looked up and trusted."""
    deployed = deploy(component(oidc_provider_arn=PROVIDER_ARN), provider={"clientIdLists": ["contoso", "x"]})
    assert deployed.error is None
    assert deployed.of("OpenIdConnectProvider") == []
    assert [call.args["arn"] for call in deployed.calls] == [PROVIDER_ARN]
    assert deployed.exports["oidc_provider_arn"] == PROVIDER_ARN


def test_an_adopted_provider_without_the_audience_is_refused():
    """A provider for ESC alone has another audience: the message has the very command that adds this one."""
    deployed = deploy(component(oidc_provider_arn=PROVIDER_ARN), provider={"clientIdLists": ["aws:contoso"]})
    assert isinstance(deployed.error, InvalidInputs)
    assert "takes tokens for aws:contoso; this role's are for contoso" in str(deployed.error)
    assert f"--open-id-connect-provider-arn {PROVIDER_ARN} --client-id contoso" in str(deployed.error)
    assert deployed.of("Role") == []


def test_an_adopted_provider_of_another_account_is_refused():
    """AWS takes tokens only through a provider of the role's own account; no settings name such a role."""
    arn = PROVIDER_ARN.replace(ACCOUNT, "999999999999")
    deployed = deploy(component(oidc_provider_arn=arn, manage_deployment_settings=True))
    assert "provider of the role's own account" in str(deployed.error)
    assert deployed.of("DeploymentSettings") == []


def test_one_provider_serves_both_components():
    """An account has one provider for an issuer: one component creates it with both audiences, the other adopts it."""

    def program():
        login = PulumiEscOidc(
            "esc", organization="contoso", project="aws", environment="dev", additional_audiences=["contoso"]
        )
        made = PulumiDeploymentsOidc("dep", **BASE, oidc_provider_arn=login.oidc_provider_arn)
        return {"one": login.oidc_provider_arn, "other": made.oidc_provider_arn, "audience": made.audience}

    deployed = deploy(program, provider={"clientIdLists": ["aws:contoso", "contoso"]})
    assert deployed.error is None
    assert deployed.warnings == []
    assert deployed.one("OpenIdConnectProvider").inputs["clientIdLists"] == ["aws:contoso", "contoso"]
    assert deployed.exports == {"one": PROVIDER_ARN, "other": PROVIDER_ARN, "audience": "contoso"}
    assert [r.name for r in deployed.of("Role")] == ["dep-role", "esc-role"]


def test_previews_and_updates_may_have_roles_of_their_own():
    """Two components of one stack, apart in their operations, admit nothing in common."""

    def program():
        given = {**BASE, "policy_arns": [READ_ONLY]}
        reads = PulumiDeploymentsOidc("reads", **given, operations=["preview"])
        writes = PulumiDeploymentsOidc(
            "writes", **BASE, operations=["update", "destroy"], oidc_provider_arn=reads.oidc_provider_arn
        )
        return {"reads": reads.subjects, "writes": writes.subjects}

    deployed = deploy(program)
    assert deployed.exports == {
        "reads": [SUBJECT.format("dev", "preview")],
        "writes": [SUBJECT.format("dev", "update"), SUBJECT.format("dev", "destroy")],
    }


def test_providers_reach_both_kinds_of_children():
    """`providers=[aws, pulumiservice]` on the component is inherited by every child and by the look-up."""

    def opts():
        return pulumi.ResourceOptions(
            providers=[aws.Provider("other-account", region="us-east-1"), pulumiservice.Provider("cloud")]
        )

    deployed = deploy(component(opts=opts, manage_deployment_settings=True))
    used = {r.name: r.request.provider.split("::")[-2] for r in deployed.resources if r.parent == "dep"}
    assert used == {"dep-provider": "other-account", "dep-role": "other-account", "dep-settings-dev": "cloud"}
    adopted = deploy(component(opts=opts, oidc_provider_arn=PROVIDER_ARN))
    assert [invoke.provider.split("::")[-2] for invoke in adopted.invokes] == ["other-account"]


def test_dependencies_follow_the_data():
    """The role waits for the provider, the settings for the role."""
    deployed = deploy(component(manage_deployment_settings=True))
    depends = {r.name: sorted(d.split("::")[-1] for d in r.request.dependencies) for r in deployed.resources}
    assert depends["dep-role"] == ["dep-provider"]
    assert depends["dep-settings-dev"] == ["dep-role"]


def test_an_unknown_in_a_preview_passes():
    """Before the first deployment ARNs are unknown: what depends on them is too, and the rest is shown."""
    deployed = deploy(component(manage_deployment_settings=True), preview=True)
    assert deployed.error is None
    assert deployed.one("Role").inputs["assumeRolePolicy"] == UNKNOWN
    assert deployed.one("DeploymentSettings").inputs["operationContext"] == UNKNOWN
    assert deployed.one("DeploymentSettings").inputs["stack"] == "dev"
    assert sorted(deployed.exports) == ["audience", "subjects"]


def test_an_unknown_input_makes_its_children_unknown():
    """A stack that another resource computes is unknown in a preview; nothing is judged or guessed then."""

    def program():
        other = aws.iam.Policy("other", policy='{"Statement":[]}')
        PulumiDeploymentsOidc("dep", **(BASE | {"stacks": [other.arn], MANAGE: True}))

    deployed = deploy(program, preview=True)
    assert deployed.error is None
    assert deployed.one("OpenIdConnectProvider").inputs["clientIdLists"] == UNKNOWN
    assert deployed.one("DeploymentSettings").name == "dep-settings-0"
    assert deployed.one("DeploymentSettings").inputs["stack"] == UNKNOWN


def test_outputs_as_inputs_come_to_the_same():
    """Where the values are the same, Outputs and plain values declare the same resources."""
    plain = {"operations": ["preview"], "role_description": "Deployments"}

    def program():
        given = {**BASE, **plain}
        given = {name: value if name == "stacks" else pulumi.Output.from_input(value) for name, value in given.items()}
        given["stacks"] = [pulumi.Output.from_input("dev")]
        made = PulumiDeploymentsOidc("dep", **given)
        return {output: getattr(made, output) for output in OUTPUTS}

    as_outputs, as_plain = deploy(program), deploy(component(**plain))
    assert as_outputs.error is None
    assert as_outputs.exports == as_plain.exports
    assert {r.name: r.inputs for r in as_outputs.resources} == {r.name: r.inputs for r in as_plain.resources}


def test_a_secret_stays_one():
    """What derives from a secret input is a secret in the children and in the outputs."""
    deployed = deploy(component(stacks=lambda: [pulumi.Output.secret("dev")]))
    assert deployed.one("Role").inputs["assumeRolePolicy"][SECRET_KEY] == SECRET
    assert {"trust_policy", "subjects"} <= deployed.secrets
    assert deploy(component()).secrets == set()


def test_a_secret_that_is_refused_is_not_shown():
    """A violation of a secret input has the rule, but not the value."""
    deployed = deploy(component(stacks=lambda: [pulumi.Output.secret("hunter 2")]))
    assert "a stack has 1 to 100" in str(deployed.error)
    assert "hunter" not in str(deployed.error)


def test_protect_reaches_every_child():
    """What is set on the component holds for what it declares."""
    given = {"policy_arns": [READ_ONLY], MANAGE: True}
    deployed = deploy(component(opts=lambda: pulumi.ResourceOptions(protect=True), **given))
    assert [r.request.protect for r in deployed.resources] == [True] * 5


@pytest.mark.parametrize("none", ["policy_arns", "tags", "role_name", "session_name", ANY_STACK, MANAGE, "issuer"])
def test_none_is_not_given(none):
    """`config.get` answers None for what is not set; for what narrows nothing that means the default."""
    given, absent = deploy(component(**{none: None})), deploy(component())
    assert given.error is None
    assert {r.name: r.inputs for r in given.resources} == {r.name: r.inputs for r in absent.resources}


def test_every_language_sees_the_component():
    """The schema has both components, every output, and inputs in Pulumi's own types, each with its description."""
    schema = json.loads(ComponentProvider([PulumiDeploymentsOidc, PulumiEscOidc], name="esc-oidc").schema)
    assert sorted(schema["resources"]) == ["esc-oidc:index:PulumiDeploymentsOidc", "esc-oidc:index:PulumiEscOidc"]
    seen = schema["resources"]["esc-oidc:index:PulumiDeploymentsOidc"]
    assert seen["requiredInputs"] == ["organization", "project"]
    assert len(seen["required"]) == len(OUTPUTS)
    assert seen["properties"]["operationContext"]["type"] == "object"
    assert seen["properties"]["operationContext"]["additionalProperties"]["$ref"] == "pulumi.json#/Any"
    for described in (*seen["properties"].values(), *seen["inputProperties"].values()):
        assert described["description"].rstrip().endswith((".", "`."))
