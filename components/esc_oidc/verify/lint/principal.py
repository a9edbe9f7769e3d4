"""Rules about the Principal: whose tokens are trusted."""

from typing import Final

from ..providers import OTHERS, PULUMI_PATH, can_be_pulumi, providers_of
from .reading import CUSTOM_AUDIENCES, PulumiStatement
from .rules import AUD, DEV, GUIDE, IAM, PROVIDER, SUB, Problems, bad, error, warning

_ELEMENT: Final = f"{IAM}reference_policies_elements_principal.html"
_PROVIDERS: Final = f"{IAM}id_roles_providers_create_oidc.html"
_HERE: Final = "Create a provider in the role's account, and name its ARN."


@error("principal-wide", "Everybody is trusted", fix="Name the ARN of Pulumi Cloud's OIDC provider in this account.")
@bad({"Principal": "*"}, see=_ELEMENT)
def principal_wide(statement: PulumiStatement) -> Problems:
    """Every OIDC provider of the account is trusted; with an action such as sts:AssumeRole, so is the whole world."""
    if statement.allows and statement.is_wide:
        yield 'the Principal is "*", whoever signs the token.'


@warning(
    "principal-mixed",
    "Other callers in the same statement",
    fix="Leave it out here. If it may get in, give it a statement of its own, with conditions on its own claims.",
)
@bad({"Principal": {"Federated": [PROVIDER, PROVIDER.replace("api.pulumi.com/oidc", "gitlab.com")]}}, see=_ELEMENT)
def principal_mixed(statement: PulumiStatement) -> Problems:
    """Conditions on Pulumi's claims say nothing about other callers, and theirs say nothing about Pulumi."""
    if statement.allows and (statement.is_wide or statement.providers):
        for name in statement.others:
            yield f"{name} is listed beside Pulumi Cloud's provider."


@error(
    "principal-not-provider",
    "Not Pulumi Cloud's provider",
    fix='Write {"Federated": "arn:aws:iam::ACCOUNT:oidc-provider/api.pulumi.com/oidc"}.',
)
@bad({"Principal": {"Federated": "api.pulumi.com/oidc"}}, see=_ELEMENT)
def principal_not_provider(statement: PulumiStatement) -> Problems:
    """Tokens come through an OIDC provider, which a trust policy names by its ARN: nobody gets in."""
    wrong = [str(provider) for provider in statement.providers if not provider.is_of_an_account]
    if not (statement.is_wide or statement.providers):
        # A Deny may be about any caller; one about tokens has to name a provider.
        federated = statement.written.principals.get("Federated", ())
        named = statement.others if statement.allows else federated
        wrong = [", ".join(named) or "(nobody)"] if statement.allows or federated else []
    owners = {str(provider): OTHERS.get(provider.name) for provider in providers_of(statement.written)}
    for principal in wrong:
        what = f"the provider of {owner}" if (owner := owners.get(principal)) else "not its provider's ARN"
        yield f"the statement is about Pulumi Cloud's tokens, but its Principal {principal} is {what}."


@warning("self-hosted", "A self-hosted issuer", fix="Nothing to do if this is your own Pulumi Cloud.")
@bad(
    {
        "Principal": {"Federated": PROVIDER.replace("api.pulumi.com", "pulumi.example.com")},
        "Condition": {
            "StringEquals": {
                AUD.replace("api.pulumi.com", "pulumi.example.com"): "aws:contoso",
                SUB.replace("api.pulumi.com", "pulumi.example.com"): DEV,
            }
        },
    },
    see=_PROVIDERS,
)
def self_hosted(statement: PulumiStatement) -> Problems:
    """Whoever holds the signing key can write any token."""
    for provider in statement.providers if statement.allows else ():
        if can_be_pulumi(provider.name) and provider.name != PULUMI_PATH:
            host = provider.name.partition("/")[0]
            issuer = f"https://{provider.name}"
            yield f"{issuer} signs the tokens, not Pulumi Cloud: whoever runs {host} can assume this role."


@error("principal-issuer", "A provider for other tokens", fix="Trust the provider of https://api.pulumi.com/oidc.")
@bad({"Principal": {"Federated": f"{PROVIDER}/v2"}}, see=f"{GUIDE}custom-audience/")
def principal_issuer(statement: PulumiStatement) -> Problems:
    """Other paths, such as `/oidc/v2`, sign tokens whose audience and subject anyone with an environment may choose."""
    for provider in statement.providers:
        if not can_be_pulumi(provider.name):
            message = f"tokens for AWS come from https://HOST/oidc; the provider is for {provider.name!r}"
            if provider.name.endswith(CUSTOM_AUDIENCES):
                message += ", whose tokens have custom audiences"
            others = {each.issuer for each in statement.conditions if can_be_pulumi(each.issuer)}
            if others and len(statement.providers) == 1:
                message += f". None of them has the keys of `{min(others)}`, which the conditions are on"
            yield f"{message}."


@error("principal-account", "A provider in another account", fix=_HERE)
@bad({"Principal": {"Federated": PROVIDER.replace("123456789012", "999999999999")}}, see=_PROVIDERS)
def principal_account(statement: PulumiStatement) -> Problems:
    """A role can be assumed only through a provider in its own account: nobody gets in."""
    role = statement.role
    for provider in statement.providers:
        is_elsewhere = role and provider.partition == role.partition and provider.account != role.account
        if role and is_elsewhere and provider.is_of_an_account:
            yield f"the provider is in account {provider.account}, the role in account {role.account}."


@error("principal-partition", "A provider in another partition", fix=_HERE)
@bad({"Principal": {"Federated": PROVIDER.replace("arn:aws:", "arn:aws-cn:")}}, see=f"{IAM}reference_identifiers.html")
def principal_partition(statement: PulumiStatement) -> Problems:
    """Partitions (aws, aws-cn, aws-us-gov) share nothing: nobody gets in."""
    role = statement.role
    for provider in statement.providers:
        if role and provider.is_of_an_account and provider.partition != role.partition:
            yield f"the provider is in partition {provider.partition}, the role in partition {role.partition}."


CHECKS: Final = (
    principal_wide,
    principal_mixed,
    self_hosted,
    principal_issuer,
    principal_not_provider,
    principal_account,
    principal_partition,
)
