"""A PulumiEscOidc that uses a provider the account already has."""

import json
import re

import pulumi
import pulumi_aws as aws
import pytest
from pulumi import ErrorHook

from esc_oidc import InvalidInputs, PulumiEscOidc, role
from tests.support.deploying import ACCOUNT, PROVIDER_ARN, Cloud, deploy
from tests.support.programs import ESC, READ_ONLY, esc_login

TAG, OWN = "esc-oidc:created-by", "esc-oidc/test/PulumiEscOidc/esc"
MADE_HERE = {"tags": {TAG: OWN}}
ELSEWHERE = {"clientIdLists": ["aws:fabrikam"]}


def test_an_adopted_provider_is_looked_up_and_not_created():
    """With `oidc_provider_arn` the role trusts the existing provider."""
    deployed = deploy(esc_login(oidc_provider_arn=PROVIDER_ARN), provider={"clientIdLists": ["aws:contoso", "x"]})
    assert deployed.error is None
    assert deployed.of("OpenIdConnectProvider") == []
    assert [call.args["arn"] for call in deployed.calls] == [PROVIDER_ARN]
    assert deployed.exports["oidc_provider_arn"] == PROVIDER_ARN
    assert json.loads(deployed.exports["trust_policy"])["Statement"][0]["Principal"] == {"Federated": PROVIDER_ARN}


def test_a_provider_is_read_once_for_each_aws_provider():
    """However many components adopt it; another AWS provider may be another account's."""

    def program():
        for index in range(5):
            PulumiEscOidc(f"esc{index}", **ESC, oidc_provider_arn=PROVIDER_ARN)
        opts = pulumi.ResourceOptions(providers=[aws.Provider("other", region="us-east-1")])
        PulumiEscOidc("other", **ESC, oidc_provider_arn=PROVIDER_ARN, opts=opts)

    assert len(deploy(program).calls) == len(deploy(program).calls) == 2
    refused = deploy(program, provider=ELSEWHERE)
    assert "this provider takes tokens for aws:fabrikam" in str(refused.error)


def test_an_adopted_provider_without_the_audience_is_refused():
    """The message has the exact command that registers the audience, and no role is sent."""
    deployed = deploy(esc_login(oidc_provider_arn=PROVIDER_ARN), provider={"clientIdLists": ["aws:fabrikam"]})
    assert isinstance(deployed.error, InvalidInputs)
    assert (
        "aws iam add-client-id-to-open-id-connect-provider "
        f"--open-id-connect-provider-arn {PROVIDER_ARN} --client-id aws:contoso" in str(deployed.error)
    )
    assert deployed.of("Role") == []


def test_an_adopted_provider_without_client_ids_is_not_judged():
    """A user's mocks answer nothing, so there is nothing to judge."""
    assert deploy(esc_login(oidc_provider_arn=PROVIDER_ARN)).error is None


@pytest.mark.parametrize(
    "arn",
    [
        PROVIDER_ARN.replace(ACCOUNT, "999999999999"),
        PROVIDER_ARN.replace("arn:aws:", "arn:aws-us-gov:"),
    ],
)
def test_an_adopted_provider_of_another_account_is_refused(arn):
    """AWS takes tokens only through a provider of the role's own account and partition."""
    deployed = deploy(esc_login(oidc_provider_arn=arn))
    assert "provider of the role's own account" in str(deployed.error)
    assert deployed.of("Environment") == []


def from_this_program():
    """The provider's ARN, from a resource of the same program."""
    # Unlike a provider that is still to be created, a component is known in a preview.
    return pulumi.ComponentResource("test:index:Shared", "shared").urn.apply(lambda _: PROVIDER_ARN)


def test_a_created_provider_says_which_component_made_it():
    """Its tag names project, stack and component, or a hash if no tag takes that; a provider that is kept has none."""
    assert deploy(esc_login(tags={"a": "b"})).one("OpenIdConnectProvider").inputs["tags"] == {"a": "b", TAG: OWN}
    odd = deploy(esc_login("über", role_name="esc")).one("OpenIdConnectProvider").inputs["tags"][TAG]
    assert re.fullmatch("esc-oidc/test/[0-9a-f]{32}", odd)
    kept = deploy(esc_login(retain_oidc_provider=True, tags={"a": "b"})).one("OpenIdConnectProvider")
    assert kept.inputs["tags"] == {"a": "b"}
    assert TAG not in deploy(esc_login()).one("Role").inputs.get("tags", {})


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("name", ["esc", "renamed"])
def test_a_stack_does_not_adopt_the_provider_that_it_would_delete(name, preview):
    """Whichever component made it, and whatever that is called now; the refusal has the ways to keep it."""
    deployed = deploy(esc_login(name, oidc_provider_arn=PROVIDER_ARN), provider=MADE_HERE, preview=preview)
    assert "a component of this very stack made this provider" in str(deployed.error)
    for way in ("alias", "retain_oidc_provider", "aws.iam.OpenIdConnectProvider", "pulumi state move"):
        assert way in str(deployed.error)
    assert deployed.of("Role") == []


@pytest.mark.parametrize("made_by", [None, "esc-oidc/prod/PulumiEscOidc/esc", "other/test/PulumiEscOidc/esc"])
def test_a_provider_of_another_stack_is_adopted(made_by):
    """This program does not decide what becomes of it."""
    provider = {"tags": {TAG: made_by} if made_by else {}}
    assert deploy(esc_login(oidc_provider_arn=PROVIDER_ARN), provider=provider).error is None


@pytest.mark.parametrize("first", ["maker", "adopter"])
def test_a_provider_that_the_program_declares_is_adopted(first):
    """By its ARN, before or after the component that makes it; or as that component's output."""

    def program():
        if first == "adopter":
            PulumiEscOidc("other", **ESC, oidc_provider_arn=PROVIDER_ARN)
        made = PulumiEscOidc("esc", **ESC)
        if first == "maker":
            PulumiEscOidc("other", **ESC, oidc_provider_arn=PROVIDER_ARN)
        PulumiEscOidc("third", **ESC, oidc_provider_arn=made.oidc_provider_arn)

    assert deploy(program, provider=MADE_HERE).error is None


@pytest.mark.parametrize("provider", [MADE_HERE, ELSEWHERE])
def test_a_provider_of_the_same_program_is_judged_after_its_update(provider):
    """The update may add the audience or take the tag off, so a preview only warns."""
    preview = deploy(esc_login(oidc_provider_arn=from_this_program), provider=provider, preview=True)
    assert preview.error is None
    (warning,) = preview.warnings
    assert "This preview passes, since the update may change the provider." in warning
    update = deploy(esc_login(oidc_provider_arn=from_this_program), provider=provider)
    assert "oidc_provider_arn = " in str(update.error)
    assert update.of("Role") == []


def test_a_preview_does_not_judge_an_audience_that_it_does_not_know():
    """Nor does it make the provider's ARN unknown."""

    def program():
        source = aws.iam.Policy("source", policy="x")
        organization = source.arn.apply(lambda _: "contoso")
        made = PulumiEscOidc("esc", **ESC | {"organization": organization}, oidc_provider_arn=PROVIDER_ARN)
        return {"arn": made.oidc_provider_arn}

    deployed = deploy(program, provider=ELSEWHERE, preview=True)
    assert deployed.error is None
    assert deployed.exports == {"arn": PROVIDER_ARN}


@pytest.mark.parametrize("arn", [5, "arn:aws:iam::1:role", "arn:aws:iam:::role/x", "", None])
def test_mocks_may_answer_with_any_role_arn(monkeypatch, arn):
    """What is no ARN is not compared with the provider's."""
    monkeypatch.setattr(Cloud, "new_resource", lambda _, args: (args.name, {**args.inputs, "arn": arn}))
    assert deploy(esc_login(oidc_provider_arn=PROVIDER_ARN)).error is None


@pytest.mark.parametrize(
    "error", ["EntityAlreadyExists: Provider with url https://... already exists.", "AccessDenied"]
)
def test_an_existing_provider_is_explained(monkeypatch, error):
    """If AWS refuses to create a second one, the ways out stand on top: adopt it, or import it."""
    hooks = []
    monkeypatch.setattr(pulumi, "ErrorHook", lambda name, call: hooks.append((name, call)) or ErrorHook(name, call))
    monkeypatch.setattr(role, "ResourceMonitorStub", object)

    def program():
        made = PulumiEscOidc("esc", **ESC)
        ((_, explain),) = hooks
        failed = pulumi.ErrorHookArgs("urn", "", "esc-provider", "T", failed_operation="create", errors=[error])
        return {"retried": made.urn.apply(lambda _: explain(failed))}

    deployed = deploy(program)
    assert deployed.exports == {"retried": False}
    said = [text for severity, text in deployed.log if severity == "error"]
    assert len(said) == ("Exists" in error)
    for text in said:
        assert "`oidc_provider_arn`" in text
        assert "`pulumi import T esc-provider ARN --parent esc=urn:pulumi:test::esc-oidc::" in text


def test_mocks_need_no_hook():
    """They create nothing that could exist, and a program with a hook may crash in gRPC when it ends under them."""
    assert not deploy(esc_login()).one("OpenIdConnectProvider").request.hooks.on_error


def test_a_policy_of_another_partition_is_refused_before_the_role():
    """The provider's ARN tells the partition as soon as AWS has made it."""
    deployed = deploy(esc_login(policy_arns=[READ_ONLY]), partition="aws-us-gov")
    assert "this is in aws, and the provider is in aws-us-gov" in str(deployed.error)
    assert deployed.of("Role") == []
