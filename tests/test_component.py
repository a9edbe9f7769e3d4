import json

import pulumi
import pulumi_aws as aws
import pulumi_pulumiservice as pulumiservice
import pytest
import yaml

from esc_oidc import InvalidInputs, PulumiEscOidc, PulumiEscOidcArgs
from tests.deploying import ACCOUNT, PROVIDER_ARN, deploy

BASE = {"organization": "contoso", "project": "aws", "environment": "dev"}
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
BILLING = "arn:aws:iam::aws:policy/job-function/Billing"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SECRET_KEY = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
ELSEWHERE = {"clientIdLists": ["aws:fabrikam"]}
OUTPUTS = list(PulumiEscOidc.__annotations__)


def component(name="esc", opts=None, **inputs):
    """A program that declares one component and resolves all its outputs."""

    def program():
        made = PulumiEscOidc(name, opts=opts() if opts else None, **{**BASE, **inputs})
        return {output: getattr(made, output) for output in OUTPUTS}

    return program


def definition(deployed):
    return yaml.safe_load(deployed.one("Environment").inputs["yaml"]["text"])


def test_the_minimal_component_is_provider_role_and_environment():
    """Nothing but what the contract names is created, each of its type and named after the component."""
    deployed = deploy(component())
    assert deployed.error is None
    assert [(resource.type, resource.name, resource.parent) for resource in deployed.resources] == [
        ("esc-oidc:index:PulumiEscOidc", "esc", "esc-oidc-test"),
        ("aws:iam/openIdConnectProvider:OpenIdConnectProvider", "esc-provider", "esc"),
        ("aws:iam/role:Role", "esc-role", "esc"),
        ("pulumiservice:index:Environment", "esc-environment", "esc"),
    ]
    assert deployed.warnings == []


def test_the_two_forms_of_the_constructor_declare_the_same():
    """One argument or keywords: both are ordinary Pulumi."""
    args: PulumiEscOidcArgs = {"organization": "contoso", "project": "aws", "environment": "dev", "region": "us-east-1"}
    by_args, by_keywords = deploy(lambda: PulumiEscOidc("esc", args) and None), deploy(component(region="us-east-1"))
    assert [(r.type, r.name, r.inputs) for r in by_args.resources] == [
        (r.type, r.name, r.inputs) for r in by_keywords.resources
    ]


def test_the_default_admits_this_environment_alone():
    """Tight by default: one audience, one exact subject, nothing but StringEquals."""
    deployed = deploy(component())
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


def test_every_output_has_its_value():
    """All outputs resolve, and to what the children have."""
    exports = deploy(component()).exports
    role = f"arn:aws:iam::{ACCOUNT}:role/esc-role-1234567"
    subject = "pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name:aws/dev"
    assert sorted(exports) == sorted(OUTPUTS)
    assert exports["oidc_provider_arn"] == PROVIDER_ARN
    assert exports["role_arn"] == role
    assert exports["role_name"] == "esc-role-1234567"
    assert exports["audience"] == "aws:contoso"
    assert exports["subjects"] == [subject]
    assert json.loads(exports["trust_policy"])["Statement"][0]["Principal"] == {"Federated": PROVIDER_ARN}
    assert yaml.safe_load(exports["environment_definition"])["values"]["aws"]["login"]["fn::open::aws-login"] == {
        "oidc": {
            "roleArn": role,
            "sessionName": "pulumi-esc",
            "duration": "1h",
            "subjectAttributes": ["currentEnvironment.name"],
        }
    }
    assert exports["environment_ref"] == "contoso/aws/dev"
    assert exports["open_command"] == "pulumi env open contoso/aws/dev"


def test_what_is_registered_is_short():
    """The policy and the definition stand in the children's state; the component's own does not repeat them."""
    assert sorted(deploy(component()).outputs["esc"]) == [
        "audience", "environmentRef", "oidcProviderArn", "roleArn", "roleName", "subjects",
    ]  # fmt: skip


def test_every_name_is_a_plain_string():
    """The engine takes names only as strings: none may be made of an Output."""
    deployed = deploy(
        lambda: (
            PulumiEscOidc(
                "esc",
                **{**BASE, "project": pulumi.Output.from_input("aws")},
                policy_arns=[pulumi.Output.from_input(READ_ONLY), BILLING],
                inline_policies={"extra": pulumi.Output.from_input('{"Statement":[]}')},
            )
            and None
        )
    )
    names = [resource.name for resource in deployed.resources]
    assert sorted(names[3:]) == ["esc-environment", "esc-inline-extra", "esc-policy-0", "esc-policy-Billing-8754f47b"]
    assert not any("Output" in name for name in names)


def test_an_attachment_is_named_after_its_policy():
    """Reordering the list changes no name, so nothing is detached and attached again."""
    one, other = (deploy(component(policy_arns=arns)) for arns in ([READ_ONLY, BILLING], [BILLING, READ_ONLY]))
    attached = [{r.name: r.inputs["policyArn"] for r in d.of("RolePolicyAttachment")} for d in (one, other)]
    assert attached[0] == attached[1]
    assert attached[0]["esc-policy-ReadOnlyAccess-2a3bda39"] == READ_ONLY


def test_inline_policies_are_resources_of_their_own():
    """Each has the name and the document that was given, and belongs to the role."""
    deployed = deploy(component(inline_policies={"extra": '{"Statement":[]}'}))
    (policy,) = deployed.of("RolePolicy")
    assert policy.inputs == {"name": "extra", "policy": '{"Statement":[]}', "role": "esc-role-1234567"}


def test_the_inputs_of_the_role_reach_it():
    """Every input that describes the role arrives under AWS's name for it."""
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
    deployed = deploy(
        component(
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
def test_the_role_allows_what_the_login_asks(duration, seconds):
    """Without a maximum the role allows the larger of the duration and AWS's least, an hour."""
    assert deploy(component(duration=duration)).one("Role").inputs["maxSessionDuration"] == seconds


def test_the_inputs_of_the_provider_reach_it():
    """Issuer, audiences, thumbprints and tags arrive, the component's own audience first."""
    deployed = deploy(
        component(
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
        "tags": {"team": "x"},
    }
    assert "pulumi.example.com/oidc:aud" in deployed.one("Role").inputs["assumeRolePolicy"]


@pytest.mark.parametrize("retain", [True, False, None])
def test_the_provider_is_retained_only_when_asked(retain):
    """`retain_oidc_provider` keeps the provider in AWS; the role is destroyed all the same."""
    deployed = deploy(component(retain_oidc_provider=retain))
    assert deployed.one("OpenIdConnectProvider").request.retainOnDelete is bool(retain)
    assert deployed.one("Role").request.retainOnDelete is False


def test_an_adopted_provider_is_read_and_not_created():
    """With `oidc_provider_arn` there is no provider of ours; the existing one is looked up and trusted."""
    deployed = deploy(component(oidc_provider_arn=PROVIDER_ARN), provider={"clientIdLists": ["aws:contoso", "x"]})
    assert deployed.error is None
    assert deployed.of("OpenIdConnectProvider") == []
    assert [call.args["arn"] for call in deployed.calls] == [PROVIDER_ARN]
    assert deployed.exports["oidc_provider_arn"] == PROVIDER_ARN
    assert json.loads(deployed.exports["trust_policy"])["Statement"][0]["Principal"] == {"Federated": PROVIDER_ARN}


def test_an_adopted_provider_without_the_audience_is_refused():
    """The message has the very command that registers the audience, and no role is sent."""
    deployed = deploy(component(oidc_provider_arn=PROVIDER_ARN), provider={"clientIdLists": ["aws:fabrikam"]})
    assert isinstance(deployed.error, InvalidInputs)
    assert (
        "aws iam add-client-id-to-open-id-connect-provider "
        f"--open-id-connect-provider-arn {PROVIDER_ARN} --client-id aws:contoso" in str(deployed.error)
    )
    assert deployed.of("Role") == []


def test_an_adopted_provider_without_client_ids_is_not_judged():
    """A user's mocks answer nothing: then there is nothing to judge."""
    assert deploy(component(oidc_provider_arn=PROVIDER_ARN)).error is None


@pytest.mark.parametrize(
    "arn",
    [
        PROVIDER_ARN.replace(ACCOUNT, "999999999999"),
        PROVIDER_ARN.replace("arn:aws:", "arn:aws-us-gov:"),
    ],
)
def test_an_adopted_provider_of_another_account_is_refused(arn):
    """AWS takes tokens only through a provider of the role's own account and partition."""
    deployed = deploy(component(oidc_provider_arn=arn))
    assert "provider of the role's own account" in str(deployed.error)
    assert deployed.of("Environment") == []


def test_an_environment_of_somebody_else_is_not_created():
    """`create_environment=False` leaves provider, role and all outputs."""
    deployed = deploy(component(create_environment=False))
    assert deployed.of("Environment") == []
    assert deployed.exports["environment_ref"] == "contoso/aws/dev"
    assert "roleArn" in deployed.exports["environment_definition"]


def test_the_environment_is_written_as_declared():
    """Imports, region, variables, configuration and session policies stand where ESC looks for them."""
    deployed = deploy(
        component(
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


def test_a_region_needs_no_exported_variables():
    """`AWS_REGION` is there without the credentials in variables too; everything empty is left out."""
    values = definition(deploy(component(export_environment_variables=False, region="us-east-1")))["values"]
    assert values["environmentVariables"] == {"AWS_REGION": "us-east-1"}
    assert list(definition(deploy(component(export_environment_variables=False)))["values"]) == ["aws"]


def test_providers_reach_both_kinds_of_children():
    """`providers=[aws, pulumiservice]` on the component is inherited by every child and by the look-up."""

    def opts():
        return pulumi.ResourceOptions(
            providers=[aws.Provider("other-account", region="us-east-1"), pulumiservice.Provider("cloud")]
        )

    deployed = deploy(component(opts=opts, policy_arns=[READ_ONLY]))
    used = {r.name: r.request.provider.split("::")[-2] for r in deployed.resources if r.parent == "esc"}
    assert used == {
        "esc-provider": "other-account",
        "esc-role": "other-account",
        "esc-policy-ReadOnlyAccess-2a3bda39": "other-account",
        "esc-environment": "cloud",
    }
    adopted = deploy(component(opts=opts, oidc_provider_arn=PROVIDER_ARN))
    assert [invoke.provider.split("::")[-2] for invoke in adopted.invokes] == ["other-account"]


def test_dependencies_follow_the_data():
    """The role waits for the provider, the attachment and the environment for the role."""
    deployed = deploy(component(policy_arns=[READ_ONLY]))
    depends = {r.name: sorted(d.split("::")[-1] for d in r.request.dependencies) for r in deployed.resources}
    assert depends["esc-role"] == ["esc-provider"]
    assert depends["esc-policy-ReadOnlyAccess-2a3bda39"] == ["esc-role"]
    assert depends["esc-environment"] == ["esc-role"]


def test_an_unknown_in_a_preview_passes():
    """Before the first deployment ARNs are unknown: what depends on them is too, and the rest is shown."""
    deployed = deploy(component(policy_arns=[READ_ONLY]), preview=True)
    assert deployed.error is None
    assert deployed.one("Role").inputs["assumeRolePolicy"] == UNKNOWN
    assert deployed.one("Environment").inputs["yaml"] == UNKNOWN
    assert deployed.one("OpenIdConnectProvider").inputs["clientIdLists"] == ["aws:contoso"]
    assert deployed.exports == {
        "audience": "aws:contoso",
        "subjects": ["pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name:aws/dev"],
    }


def test_an_unknown_input_makes_its_children_unknown():
    """An input that another resource computes is unknown in a preview; nothing is judged or guessed then."""

    def program():
        other = aws.iam.Policy("other", policy='{"Statement":[]}')
        PulumiEscOidc("esc", **BASE, permissions_boundary_arn=other.arn, policy_arns=[other.arn])

    deployed = deploy(program, preview=True)
    assert deployed.error is None
    assert deployed.one("OpenIdConnectProvider").inputs["clientIdLists"] == UNKNOWN
    assert deployed.of("RolePolicyAttachment")[0].name == "esc-policy-0"
    assert deployed.of("RolePolicyAttachment")[0].inputs["policyArn"] == UNKNOWN


def test_outputs_as_inputs_come_to_the_same():
    """Where the values are the same, Outputs and plain values declare the same resources."""
    plain = {"allowed_users": ["alice", "bob"], "region": "us-east-1", "role_description": "ESC"}

    def program():
        inputs = {name: pulumi.Output.from_input(value) for name, value in {**BASE, **plain}.items()}
        made = PulumiEscOidc("esc", **inputs)
        return {output: getattr(made, output) for output in OUTPUTS}

    as_outputs, as_plain = deploy(program), deploy(component(**plain))
    assert as_outputs.error is None
    assert as_outputs.exports == as_plain.exports
    assert {r.name: r.inputs for r in as_outputs.resources} == {r.name: r.inputs for r in as_plain.resources}


def test_a_secret_stays_one():
    """What derives from a secret input is a secret in the children and in the outputs."""
    deployed = deploy(lambda: component(allowed_users=pulumi.Output.secret(["alice"]))())
    assert deployed.one("Role").inputs["assumeRolePolicy"][SECRET_KEY] == SECRET
    assert {"trust_policy", "subjects"} <= deployed.secrets
    assert deploy(component(allowed_users=["alice"])).secrets == set()


@pytest.mark.parametrize("name", ["environment_variables", "pulumi_config"])
def test_a_secret_does_not_reach_the_definition(name):
    """Whoever may read the definition would see it: refused, and not shown in the message either."""
    deployed = deploy(lambda: component(**{name: {"A": pulumi.Output.secret("hunter2")}})())
    assert "whoever may read the environment's definition" in str(deployed.error)
    assert "hunter2" not in str(deployed.error)
    assert deployed.of("Role") == []


def test_a_secret_that_is_refused_is_not_shown():
    """A violation of a secret input has the rule, but not the value."""
    deployed = deploy(lambda: component(allowed_users=pulumi.Output.secret(["hunter 2"]))())
    assert "letters, digits and `._@+-`" in str(deployed.error)
    assert "hunter" not in str(deployed.error)
    odd = deploy(lambda: component(allowed_users=pulumi.Output.secret(["a!", 7]))())
    assert str(odd.error).count("= (a secret): ") == 2


def test_a_secret_does_not_stand_in_a_message():
    """Rules and warnings speak of the value, or of another input's: neither shows a secret."""
    long = ["a" * 250]
    for inputs in ({"organization": "topsecret", "allowed_users": long}, {"organization": "TopSecret"}):
        deployed = deploy(
            lambda inputs=inputs: component(
                **{**inputs, "organization": pulumi.Output.secret(inputs["organization"])}
            )()
        )
        said = [str(deployed.error), *deployed.warnings]
        assert "(a secret)" in "".join(said)
        assert not any("topsecret" in text.lower() for text in said)
    deployed = deploy(lambda: component(oidc_provider_arn=pulumi.Output.secret(PROVIDER_ARN))(), provider=ELSEWHERE)
    assert "--open-id-connect-provider-arn (a secret)" in str(deployed.error)
    assert PROVIDER_ARN not in str(deployed.error)


def test_an_output_that_turns_out_none_is_not_given():
    """As for plain values; only what decides which resources there are may not."""
    none = pulumi.Output.from_input
    deployed = deploy(lambda: component(role_description=none(None), region=none(None))())
    assert deployed.error is None
    assert "description" not in deployed.one("Role").inputs
    adopted = deploy(lambda: component(oidc_provider_arn=none(None))())
    assert "oidc_provider_arn = None: the Output resolved to None" in str(adopted.error)
    assert adopted.of("Role") == []


@pytest.mark.parametrize("later", [True, False])
def test_what_was_passed_is_what_counts(later):
    """Inputs are copied: whoever changes the dict or the lists afterwards changes nothing of this component."""

    def program():
        organization = pulumi.Output.from_input("contoso") if later else "contoso"
        users, variables = ["alice"], {"SAFE": "x"}
        args = {**BASE, "organization": organization, "allowed_users": users, "environment_variables": variables}
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


def test_members_of_enumerations_are_texts():
    """pulumi_aws has enumerations for regions and policies; they come to the same as their values."""
    region, policy = aws.Region.US_EAST1, aws.iam.ManagedPolicy.READ_ONLY_ACCESS
    plain = deploy(component(region="us-east-1", policy_arns=[READ_ONLY]))
    for wrap in (lambda value: value, pulumi.Output.from_input):
        deployed = deploy(lambda wrap=wrap: component(region=wrap(region), policy_arns=[policy])())
        assert deployed.error is None
        assert {r.name: r.inputs for r in deployed.resources} == {r.name: r.inputs for r in plain.resources}


@pytest.mark.parametrize("inputs", [{}, {"oidc_provider_arn": PROVIDER_ARN}, {"create_environment": False}])
def test_the_simplest_mocks_will_do(inputs):
    """Users' own tests answer with the inputs alone: no ARNs, no client IDs, no revision."""
    deployed = deploy(component(**inputs), sparse=True)
    assert deployed.error is None
    assert "subjectAttributes" in deployed.exports["environment_definition"]


@pytest.mark.parametrize("name", [None, 5, ""])
def test_a_component_needs_a_name(name):
    """A name that is none is refused like any other input."""
    deployed = deploy(lambda: PulumiEscOidc(name, **BASE) and None)
    assert "the component's name = " in str(deployed.error)


def test_an_awaitable_counts_as_an_output():
    """Pulumi takes awaitables wherever it takes Outputs."""

    async def later():
        return ["alice"]

    deployed = deploy(lambda: component(allowed_users=later())())
    assert deployed.error is None
    assert deployed.exports["subjects"][0].endswith(":pulumi.user.login:alice")


def test_two_components_in_one_program():
    """Two instances share nothing but what one hands to the other."""

    def program():
        first = PulumiEscOidc("dev", **BASE)
        PulumiEscOidc("prod", **(BASE | {"environment": "prod"}), oidc_provider_arn=first.oidc_provider_arn)

    deployed = deploy(program)
    assert deployed.error is None
    assert [r.name for r in deployed.of("Role")] == ["dev-role", "prod-role"]
    assert len(deployed.of("OpenIdConnectProvider")) == 1


def test_protect_reaches_every_child():
    """What is set on the component holds for what it declares."""
    deployed = deploy(component(opts=lambda: pulumi.ResourceOptions(protect=True), policy_arns=[READ_ONLY]))
    assert [r.request.protect for r in deployed.resources] == [True] * 5


@pytest.mark.parametrize("revision", [None, 1.0, 7])
def test_a_written_environment_passes(revision):
    """Any revision but 0 is a written definition; mocks report none at all."""
    assert deploy(component(), revision=revision).error is None


def test_revision_zero_fails_with_the_way_out():
    """The provider reports revision 0 when Pulumi Cloud refused the update and it said nothing."""
    deployed = deploy(lambda: PulumiEscOidc("esc", **BASE) and None, revision=0)
    assert "Run `pulumi refresh`, then `pulumi up`" in str(deployed.error)


def test_a_run_error_and_no_value_error():
    """Pulumi prints a RunError's text without a traceback; a ValueError it would wrap in three."""
    assert issubclass(InvalidInputs, pulumi.RunError)
    assert not issubclass(InvalidInputs, ValueError)


@pytest.mark.parametrize("none", ["policy_arns", "region", "tags", "imports", "role_name", "create_environment"])
def test_none_is_not_given(none):
    """`config.get` answers None for what is not set; for what narrows nothing that means the default."""
    given, absent = deploy(component(**{none: None})), deploy(component())
    assert {r.name: r.inputs for r in given.resources} == {r.name: r.inputs for r in absent.resources}


def test_an_attribute_that_is_no_output_is_an_attribute_error():
    """Outputs are made on demand; whatever else is asked for is missing, as on any object."""

    def program():
        made = PulumiEscOidc("esc", **BASE)
        assert made.audience is made.audience
        return {"missing": str(hasattr(made, "rolearn")), "private": str(hasattr(made, "_nothing"))}

    assert deploy(program).exports == {"missing": "False", "private": "False"}
