"""Logins that no opening of their environment gets admitted are reported, and no others."""

import json
from itertools import product

import pytest
from policy.esc_oidc_policy.logins import Login, find_logins
from policy.esc_oidc_policy.refusals import Environment, Role, find_refusal

from esc_oidc.claims import STACK_CONFIGURATION
from esc_oidc.environment import environment_definition
from esc_oidc.tokens import Opener, Opening, login_claims
from esc_oidc.trust import provider_arn, trust_policy
from esc_oidc.verify import Request, compile_policy
from tests.support.inputs import check, plan
from tests.support.policies import AUD, DEV, LOGIN, PROVIDER, STATEMENT, SUB, conditions, example
from tests.support.shapes import ANY, ANY_IN_PROJECT, ANY_STACK, OMIT

ROLE = "arn:aws:iam::123456789012:role/esc"
DEVELOPMENT = Environment("contoso", "aws", "dev")
CURRENT, ROOT, USER = "currentEnvironment.name", "rootEnvironment.name", "pulumi.user.login"
BY_NAME = "pulumi:environments:org:contoso:env"
ISSUER = "https://api.pulumi.com/oidc"


def login(*attributes, duration="1h", session_name="pulumi-esc"):
    return Login("aws.login", ROLE, attributes, duration, session_name)


def refusal(elements, asked=None, environment=DEVELOPMENT, client_ids=None, **role):
    """Why the role whose trust policy has these elements refuses a login of an environment."""
    trusting = Role(ROLE, json.dumps(example(elements)), **role)
    return find_refusal(environment, asked or login(CURRENT), trusting, client_ids or {})


def exactly(sub, aud="aws:contoso"):
    """A trust policy of one subject."""
    return conditions(sub, aud)


def like(sub):
    """A trust policy of one pattern."""
    return conditions(like=sub)


REFUSED = {
    "another environment": (exactly(f"{LOGIN}:{CURRENT}:aws/prod"), [CURRENT]),
    "another organization": (exactly(DEV.replace("contoso", "fabrikam"), "aws:fabrikam"), [CURRENT]),
    "the audience of the legacy project": (exactly(DEV, "contoso"), [CURRENT]),
    "another order": (exactly(f"{LOGIN}:{USER}:alice:{CURRENT}:aws/dev"), [CURRENT, USER]),
    "fewer attributes than the role wants": (exactly(f"{DEV}:{USER}:alice"), [CURRENT]),
    "more attributes than the role wants": (exactly(DEV), [CURRENT, USER]),
    "a value cannot hold another attribute": (exactly(f"{DEV}:{USER}:alice:{ROOT}:aws/dev"), [CURRENT, USER]),
    "attributes where the role wants none": (exactly(f"{BY_NAME}:aws/dev"), [CURRENT]),
    "no attributes where the role wants some": (exactly(DEV), []),
    "another organization without attributes": (exactly("pulumi:environments:org:fabrikam:env:aws/dev"), []),
    "a pattern for another project": (like(f"{LOGIN}:{CURRENT}:prod/*"), [CURRENT]),
    "a pattern that wants one more attribute": (like(f"{DEV}:{USER}:*"), [CURRENT]),
    "the organization-wide pattern without attributes": (like(f"{BY_NAME}:*"), [CURRENT]),
    "the wildcard under StringEquals": (exactly(f"{LOGIN}:{CURRENT}:aws/*"), [CURRENT]),
    "a key with https://": ({"Condition": {"StringEquals": {f"https://{AUD}": "aws:contoso"}}}, [CURRENT]),
    "a claim of another issuer": ({"Condition": {"StringEquals": {"accounts.google.com:aud": "x"}}}, [CURRENT]),
    "a provider of another account": ({"Principal": {"Federated": PROVIDER.replace("1234", "9999")}}, [CURRENT]),
    "another issuer": ({"Principal": {"Federated": PROVIDER.replace("api.pulumi.com", "gitlab.com")}}, [CURRENT]),
    "another action": ({"Action": "sts:AssumeRole"}, [CURRENT]),
}


@pytest.mark.parametrize(("elements", "attributes"), REFUSED.values(), ids=REFUSED)
def test_a_login_that_nobody_can_use_is_reported(elements, attributes):
    """The report has the login, the environment, the role, AWS's error and the reason."""
    text = refusal(elements, login(*attributes))
    assert text is not None
    assert text.startswith(f"The login `aws.login` of contoso/aws/dev names {ROLE}, which refuses every token")
    assert "AccessDenied" in text
    assert "tatement 0" in text


ADMITTED = {
    "this environment": (exactly(DEV), [CURRENT]),
    "one of several": (exactly([f"{LOGIN}:{CURRENT}:aws/prod", DEV]), [CURRENT]),
    "some user": (exactly(f"{DEV}:{USER}:alice"), [CURRENT, USER]),
    "some opened environment": (exactly(f"{DEV}:{ROOT}:app/prod"), [CURRENT, ROOT]),
    "an empty team": (exactly(f"{DEV}:pulumi.token.team:"), [CURRENT, "pulumi.token.team"]),
    "a pinned import": (exactly(f"{DEV}@stable"), [CURRENT]),
    "an environment that imports this one": (exactly(f"{BY_NAME}:app/prod"), []),
    "a stack's configuration": (exactly(f"{BY_NAME}:<yaml>"), []),
    "a pattern for the project": (like(f"{LOGIN}:{CURRENT}:aws/*"), [CURRENT]),
    "a pattern for users": (like(f"{DEV}:{USER}:al?c*"), [CURRENT, USER]),
    "a pattern for everything": (like("*"), [CURRENT, USER, ROOT]),
    "no condition": ({"Condition": {}}, [CURRENT]),
    "a condition on something else": (
        {"Condition": {"StringEquals": {SUB: DEV}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
        [CURRENT],
    ),
    "a tag with a dot": ({"Condition": {"StringEquals": {SUB: DEV, "aws:PrincipalTag/a.b:c": "d"}}}, [CURRENT]),
    "an operator that is not judged": ({"Condition": {"StringNotEquals": {SUB: DEV}}}, [CURRENT]),
    "a policy variable": (conditions(f"{LOGIN}:{CURRENT}:${{aws:username}}"), [CURRENT]),
    "a self-hosted issuer": (
        {
            "Principal": {"Federated": PROVIDER.replace("api.pulumi.com", "pulumi.contoso.net")},
            "Condition": {"StringEquals": {SUB.replace("api.pulumi.com", "pulumi.contoso.net"): DEV}},
        },
        [CURRENT],
    ),
    "a document that is judged by the rules": ({"Action": "not an action"}, [CURRENT]),
    "a document that is none": ({"Effect": "Maybe"}, [CURRENT]),
}


@pytest.mark.parametrize(("elements", "attributes"), ADMITTED.values(), ids=ADMITTED)
def test_a_login_that_somebody_may_use_is_not_reported(elements, attributes):
    """One opening that may get in is enough, and what can't be judged yet counts as admitted."""
    assert refusal(elements, login(*attributes)) is None


def test_a_deny_is_not_judged():
    """A Deny may concern only some openings; an unconditional one breaks the rule `never-matches`."""
    deny = {**STATEMENT, "Effect": "Deny"}
    assert refusal({"Statement": [STATEMENT, deny]}) is None
    assert "no Allow statement" in refusal({"Statement": [deny]})


@pytest.mark.parametrize("name", ["dev", "default/dev"])
def test_both_spellings_of_the_legacy_project_are_admitted(name):
    """Sources disagree on the spelling, so neither is reported; another environment is."""
    legacy = Environment("contoso", "default", "dev")
    assert refusal(exactly(f"{LOGIN}:{CURRENT}:{name}", "contoso"), environment=legacy) is None
    assert refusal(exactly(f"{LOGIN}:{CURRENT}:aws/{name}", "contoso"), environment=legacy)


def test_a_login_for_longer_than_the_role_allows_is_reported():
    """Without a duration ESC asks for 2h, and by default a role allows 1h."""
    assert refusal(exactly(DEV), login(CURRENT, duration="1h")) is None
    assert refusal(exactly(DEV), login(CURRENT, duration=None)) is None
    text = refusal(exactly(DEV), login(CURRENT, duration="2h"))
    assert "ValidationError" in text
    assert "the role allows at most 1h" in text
    assert refusal(exactly(DEV), login(CURRENT, duration="2h"), max_session_seconds=7200) is None


def test_a_session_name_that_aws_refuses_is_reported():
    """A name that depends on the user is not judged."""
    assert "session name is 'a b'" in refusal(exactly(DEV), login(CURRENT, session_name="a b"))
    assert refusal(exactly(DEV), login(CURRENT, session_name=None)) is None


def test_a_provider_without_the_audience_is_reported():
    """It is judged by the client IDs of the role's provider, if the stack has it."""
    assert "InvalidIdentityToken" in refusal(exactly(DEV), client_ids={PROVIDER: ["contoso"]})
    assert refusal(exactly(DEV), client_ids={PROVIDER: ["contoso", "aws:contoso"]}) is None
    assert refusal(exactly(DEV), client_ids={PROVIDER.replace("1234", "9999"): ["contoso"]}) is None


WHO = [
    {},
    {"allowed_users": ["alice"]},
    {"allowed_users": ["bob"], "allowed_teams": ["ops"]},
    {"allowed_token_types": ["organization"]},
    {"allowed_root_environments": ["app/prod"]},
    {"subject_attributes": [ROOT, CURRENT]},
    {"subject_attributes": [], OMIT: True},
    {"subject_attributes": [], OMIT: True, ANY_STACK: True},
    {"subject_attributes": [USER], OMIT: True, "allowed_users": ["alice"]},
    {ANY: True},
]
INPUTS = [
    {"organization": organization, "project": project, "environment": "dev", **who}
    for organization, project in (("contoso", "aws"), ("contoso", "default"), ("fabrikam", "aws"))
    for who in (*WHO, *([{ANY_IN_PROJECT: True}] if project == "aws" else []))
]


def tokens(asking):
    """The sandbox's tokens for a login: for everybody, by name, through an import and from a stack."""
    organization, own = asking.environment_ref.split("/", 1)
    openers = [
        Opener("alice"),
        Opener("bob"),
        Opener(organization, "team", "ops"),
        Opener(organization, "organization"),
    ]
    for opener, spelling in product(openers, ("stripped", "as written")):
        for opened_as, root in ((own, own), (STACK_CONFIGURATION, own), ("app/prod", "app/prod")):
            yield login_claims(
                Opening(organization, opened_as, opener),
                current_environment=own,
                root_environment=root,
                subject_attributes=asking.login.subject_attributes,
                default_project=spelling,
            )


def test_a_login_is_reported_exactly_if_its_role_admits_none_of_its_tokens():
    """Every shape of the component is tried against every other's role, with the sandbox's tokens."""
    assert [violation for inputs in INPUTS for violation in check("esc", inputs)] == []
    plans = [plan(inputs) for inputs in INPUTS]
    policies = [trust_policy(made.trust, provider_arn(ISSUER, "123456789012")) for made in plans]
    count = {True: 0, False: 0}
    for (index, asking), policy in product(enumerate(plans), policies):
        organization, project, name = asking.environment_ref.split("/")
        (found,) = find_logins(environment_definition(asking.login, ROLE))
        reported = find_refusal(Environment(organization, project, name), found, Role(ROLE, json.dumps(policy)), {})
        compiled = compile_policy(policy)
        admitted = any(compiled.decide(Request(claims, ISSUER)).allowed for claims in tokens(asking))
        count[admitted] += 1
        assert admitted is (reported is None), (INPUTS[index], policy, reported)
    assert min(count.values()) > 50
