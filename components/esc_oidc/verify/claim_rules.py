"""Rules about the conditions on `aud` and `sub`: operators, keys, and the audience."""

from collections.abc import Mapping
from typing import Any, Final

from .model_rules import AUD, DEV, GUIDE, IAM, LOGIN, SUB, Rule, conditions

_OPERATORS: Final = f"{IAM}reference_policies_elements_condition_operators.html"
_SETS: Final = f"{IAM}reference_policies_condition-single-vs-multi-valued-context-keys.html"
_KEYS: Final = f"{IAM}reference_policies_iam-condition-keys.html#condition-keys-wif"
_EQUALS: Final = "Write StringEquals with the value itself."


def _aud(operator: str, value: object = "aws:contoso") -> Mapping[str, Any]:
    return (
        conditions(aud=value)
        if operator == "StringEquals"
        else {"Condition": {"StringEquals": {SUB: DEV}, operator: {AUD: value}}}
    )


def _sub(operator: str, value: object = DEV) -> Mapping[str, Any]:
    return {"Condition": {"StringEquals": {AUD: "aws:contoso"}, operator: {SUB: value}}}


CLAIM_RULES: Final = (
    Rule(
        "condition-missing",
        "error",
        "No condition at all",
        "nothing is asked of the token: no condition on `aud` nor `sub`.",
        "Every organization of Pulumi Cloud can mint a token that gets in: anyone with a free account.",
        "Add StringEquals on `aud` and `sub`.",
        _KEYS,
        {"Condition": {}},
    ),
    Rule(
        "audience-missing",
        "error",
        "The audience is not asked",
        "nothing limits `aud`.",
        "A token that was made for another cloud, or for Pulumi Deployments, can be replayed here.",
        'Add "{key}": "aws:ORGANIZATION" under StringEquals.',
        GUIDE,
        {"Condition": {"StringEquals": {SUB: DEV}}},
    ),
    Rule(
        "subject-missing",
        "error",
        "The subject is not asked",
        "nothing limits `sub`.",
        "Every environment of the organization gets in, and whoever can create one.",
        'Add "{key}" with the environment\'s subject under StringEquals.',
        GUIDE,
        {"Condition": {"StringEquals": {AUD: "aws:contoso"}}},
    ),
    Rule(
        "operator-unknown",
        "error",
        "No such condition operator",
        "{why}",
        "IAM refuses the document, so that the role keeps the policy it had.",
        "Write the operator as AWS does: StringEquals.",
        _OPERATORS,
        _sub("stringEquals"),
    ),
    Rule(
        "set-operator",
        "error",
        "A set operator on a single value",
        "{operator} on `{claim}`, which has one value.",
        "ForAllValues is true when the token lacks the key, and so lets everyone in; ForAnyValue adds nothing.",
        _EQUALS,
        _SETS,
        _sub("ForAllValues:StringEquals"),
    ),
    Rule(
        "if-exists",
        "error",
        "IfExists",
        "{operator} on `{claim}` holds for a request without it.",
        "A condition that a missing value satisfies does not protect anything.",
        _EQUALS,
        _OPERATORS,
        _sub("StringEqualsIfExists"),
    ),
    Rule(
        "negated-operator",
        "error",
        "All but some get in",
        "{operator} on `{claim}` lets in everything but what it lists.",
        "Every other environment and organization gets in, also those made tomorrow.",
        "Name who may get in, with StringEquals.",
        _OPERATORS,
        _sub("StringNotEquals"),
    ),
    Rule(
        "ignore-case",
        "error",
        "Upper and lower case are not distinguished",
        "{operator} on `{claim}` takes names that differ in case for one.",
        "Pulumi Cloud's names that differ in case only can belong to different people.",
        _EQUALS,
        _OPERATORS,
        _sub("StringEqualsIgnoreCase"),
    ),
    Rule(
        "null-operator",
        "error",
        "Only whether there is a value",
        "{operator} on `{claim}` looks at whether it is there, not at what it is.",
        "Every token has an audience and a subject.",
        _EQUALS,
        _OPERATORS,
        _sub("Null", "false"),
    ),
    Rule(
        "operator-type",
        "error",
        "An operator for other values",
        "{operator} does not compare strings, and `{claim}` is one.",
        "What AWS does with such a comparison is not documented for these keys.",
        _EQUALS,
        _OPERATORS,
        _sub("ArnLike"),
    ),
    Rule(
        "two-operators",
        "error",
        "Two operators on one claim",
        "{operators} on `{claim}` in one statement: AWS wants all of them to hold.",
        "Only what satisfies both gets in, where usually either was meant.",
        "Put the values of each operator in a statement of their own.",
        _OPERATORS,
        {
            "Condition": {
                "StringEquals": {AUD: "aws:contoso", SUB: DEV},
                "StringLike": {SUB: f"{LOGIN}:currentEnvironment.name:aws/dev:*"},
            }
        },
    ),
    Rule(
        "key-scheme",
        "error",
        "A key with https://",
        "the key `{key}` begins with the issuer's scheme.",
        "AWS names the key without it, so that this one is missing in every request.",
        "Write `{right}`.",
        _KEYS,
        {"Condition": {"StringEquals": {f"https://{AUD}": "aws:contoso", f"https://{SUB}": DEV}}},
    ),
    Rule(
        "key-issuer",
        "error",
        "A key of another issuer",
        "the key `{key}` is not one of the trusted provider's, which begin with `{path}:`.",
        "It is missing in every request that comes through this provider: the condition never holds, or always.",
        "Write `{right}`.",
        _KEYS,
        {"Condition": {"StringEquals": {"api.pulumi.com:aud": "aws:contoso", "api.pulumi.com:sub": DEV}}},
    ),
    Rule(
        "key-claim",
        "error",
        "A claim that AWS does not show",
        "the key `{key}` is a claim that AWS does not show to trust policies, or that Pulumi Cloud does not write.",
        "Of a custom issuer AWS shows `aud`, `sub` and `amr` only; everything else must be in the subject.",
        "Ask ESC to put it into the subject with `subjectAttributes`, and compare `sub`.",
        _KEYS,
        {"Condition": {"StringEquals": {AUD: "aws:contoso", SUB: DEV, "api.pulumi.com/oidc:pulumi.user.login": "me"}}},
    ),
    Rule(
        "key-amr",
        "warning",
        "A condition on the authentication methods",
        "the key `{key}` only narrows what `aud` and `sub` let in, and Pulumi Cloud does not write it.",
        "AWS shows `amr` to trust policies, but without it in the token most operators never match.",
        "Leave it out: `aud` and `sub` say who gets in.",
        _KEYS,
        {"Condition": {"StringEquals": {AUD: "aws:contoso", SUB: DEV, "api.pulumi.com/oidc:amr": "authenticated"}}},
    ),
    Rule(
        "policy-variable",
        "error",
        "A policy variable",
        "{value!r} on `{claim}` depends on the request.",
        "Whoever calls chooses some of the values that variables stand for, such as the session name.",
        "Write the value itself.",
        f"{IAM}reference_policies_variables.html",
        conditions(f"{LOGIN}:currentEnvironment.name:aws/${{sts:RoleSessionName}}"),
    ),
    Rule(
        "wildcard-literal",
        "error",
        "A wildcard that is none",
        "{operator} takes the * and ? of {value!r} literally.",
        "No token has such a value: nobody gets in.",
        "Write the value itself.",
        _OPERATORS,
        conditions(f"{LOGIN}:currentEnvironment.name:aws/*"),
    ),
    Rule(
        "audience-wildcard",
        "error",
        "A wildcard in the audience",
        "{value!r} has a wildcard, and lets in the audiences of other organizations or clouds.",
        "Organizations with names that match can be created by anyone; a token for another cloud can be replayed.",
        "Write the one audience, with StringEquals.",
        GUIDE,
        _aud("StringLike", "aws:*"),
    ),
    Rule(
        "audience-form",
        "error",
        "Not an audience of Pulumi Cloud",
        "{value!r} is no audience that Pulumi Cloud writes.",
        "Nobody gets in; the audience is aws:ORGANIZATION, or the organization alone in the legacy project `default`.",
        "Write aws:ORGANIZATION, with the login from the console's address.",
        GUIDE,
        _aud("StringEquals", "aws:"),
        _aud("StringEquals"),
    ),
    Rule(
        "audience-cloud",
        "error",
        "The audience of another cloud",
        "{value!r} is the audience of logins to another cloud.",
        "Tokens that were handed to that cloud can be replayed here.",
        "Write aws:ORGANIZATION.",
        GUIDE,
        _aud("StringEquals", ["aws:contoso", "azure:contoso"]),
    ),
    Rule(
        "audience-organization",
        "error",
        "Audience and subject of different organizations",
        "the audience is of {audience!r} and the subject of {subject!r}.",
        "No token has both: nobody gets in, until somebody makes the other of the two wider.",
        "Write the same organization in `aud` and `sub`.",
        GUIDE,
        conditions(aud="aws:fabrikam"),
    ),
    Rule(
        "audience-kind",
        "error",
        "An audience that this subject does not come with",
        "{subject!r} does not come with the audience {audience}.",
        "The audience is aws:ORGANIZATION for projects other than `default`, and the organization alone for the legacy "
        "project `default` and for Pulumi Deployments.",
        "Write the audience that belongs to the subject, in the policy and in the provider's client IDs.",
        GUIDE,
        conditions(aud="contoso"),
    ),
    Rule(
        "legacy-audience",
        "warning",
        "The audience of the legacy project",
        "the audience of the legacy project `default` is {organization!r}, which is also that of Pulumi Deployments "
        "and of other clouds' logins in that project: a token handed to those can be replayed here.",
        "One audience for many purposes does not keep them apart.",
        "Move the environment to another project.",
        GUIDE,
        conditions(f"{LOGIN}:currentEnvironment.name:dev", "contoso"),
    ),
)
"""Rules about operators, keys and audiences."""
