"""Who gets in: every shape of inputs against every way to open, decided by the trust policy alone."""

from itertools import product

import pytest
import yaml

from esc_oidc.claims import STACK_CONFIGURATION
from esc_oidc.environment import environment_definition
from esc_oidc.tokens import Opener, Opening, deployment_claims, login_claims
from esc_oidc.trust import provider_arn, trust_policy
from esc_oidc.verify import Request, compile_policy, prove
from tests.support.inputs import check, plan
from tests.support.shapes import (
    ACCOUNT,
    ANY,
    ANY_IN_PROJECT,
    ANY_STACK,
    CURRENT,
    ISSUER,
    OMIT,
    ORG,
    ROOT,
    TEAM,
    TYPE,
    USER,
    expected,
    shapes,
)

OPENERS = [
    *(Opener(login) for login in ("alice", "bob", "carol", ORG)),
    *(Opener(ORG, "team", team) for team in ("ops", "dev", "alice")),
    Opener(ORG, "organization"),
]
ROOTS = ["aws/dev", "aws/prod", "aws/other", "gcp/dev", "default/dev", "default/prod"]


def orders(inputs):
    """The attributes that follow from the inputs, the same reversed, and the same with the root added."""
    yield inputs
    listed = list(plan(inputs).login.subject_attributes)
    yield inputs | {"subject_attributes": listed[::-1]}
    if ROOT not in listed:
        yield inputs | {"subject_attributes": [*listed, ROOT]}


class Deployed:
    """A compiled trust policy and the attributes that the definition asks for."""

    def __init__(self, inputs):
        # What is over AWS's limits is refused; who the policy would let in is worth knowing all the same.
        assert all("AWS takes at most 4096" in violation.rule for violation in check("esc", inputs)), inputs
        made = plan(inputs)
        definition = yaml.safe_load(environment_definition(made.login, f"arn:aws:iam::{ACCOUNT}:role/esc"))
        block = definition["values"]["aws"]["login"]["fn::open::aws-login"]["oidc"]
        self.attributes = block.get("subjectAttributes", [])
        self.policy = compile_policy(trust_policy(made.trust, provider_arn(ISSUER, ACCOUNT)))
        self.decided = {}

    def admits(self, claims):
        seen = claims["aud"], claims["sub"]
        if seen not in self.decided:
            request = Request(claims=claims, issuer=ISSUER, account=ACCOUNT)
            self.decided[seen] = self.policy.decide(request).allowed
        return self.decided[seen]

    def opened(self, organization, current, root, opener, spelling="stripped", attributes=None):
        return self.admits(
            login_claims(
                Opening(organization, root, opener),
                current_environment=current,
                root_environment=root,
                subject_attributes=self.attributes if attributes is None else attributes,
                default_project=spelling,
            )
        )


def currents(inputs):
    project = inputs["project"]
    return [f"{project}/dev", f"{project}/prod", f"{project}/other", "gcp/dev", "aws/dev", "default/dev"]


def differing(inputs):
    """The openings on which the policy and the contract disagree."""
    deployed = Deployed(inputs)
    spellings = ["stripped", "as written"]
    openings = [(ORG, *rest) for rest in product(dict.fromkeys(currents(inputs)), ROOTS, OPENERS)]
    openings += [("fabrikam", current, current, OPENERS[0]) for current in currents(inputs)]
    for organization, current, root, opener in openings:
        for spelling in spellings if "default/" in current + root else spellings[:1]:
            got = deployed.opened(organization, current, root, opener, spelling)
            if got != expected(inputs, deployed.attributes, organization, current, root, opener):
                yield organization, current, root, opener, spelling, got


@pytest.mark.parametrize("project", ["aws", "default"])
def test_exactly_the_declared_environments_roots_and_openers_get_in(project):
    """Every shape admits what the contract says and nothing else, for everybody who opens, in both spellings."""
    checked = [inputs for inputs in shapes() if inputs["project"] == project]
    assert len(checked) > 500
    for inputs in checked:
        assert list(differing(inputs)) == [], inputs


@pytest.mark.parametrize("project", ["aws", "default"])
def test_the_order_of_the_attributes_does_not_change_who_gets_in(project):
    """Other orders admit the same, and so does the list with the root added."""
    for inputs in list(shapes())[:: 37 if project == "aws" else 41]:
        for ordered in orders(inputs | {"project": inputs["project"]}):
            assert list(differing(ordered)) == [], ordered


def test_a_login_that_asks_for_other_attributes_is_refused():
    """An attribute less, one more or another order makes a subject that nobody declared."""
    inputs = {"organization": ORG, "project": "aws", "environment": "dev", "allowed_users": ["alice"]}
    deployed = Deployed(inputs)
    assert deployed.attributes == [CURRENT, USER]
    assert deployed.opened(ORG, "aws/dev", "aws/dev", Opener("alice"))
    for attributes in ([], [CURRENT], [USER], [USER, CURRENT], [CURRENT, USER, TYPE], [CURRENT, ROOT, USER]):
        assert not deployed.opened(ORG, "aws/dev", "aws/dev", Opener("alice"), attributes=attributes), attributes


@pytest.mark.parametrize("project", ["aws", "default"])
@pytest.mark.parametrize("user", [ORG, ORG.upper()])
@pytest.mark.parametrize("more", [{}, {"allowed_users": ["alice"]}, {"allowed_teams": ["ops"]}], ids=str)
def test_an_individual_account_admits_its_owner_and_not_its_other_tokens(project, user, more):
    """The organization is the owner's own login: the token's type tells their tokens from the organization's."""
    users = [user, *more.get("allowed_users", ())]
    inputs = {"organization": ORG, "project": project, "environment": "dev"} | more | {"allowed_users": users}
    teams = [TEAM] if "allowed_teams" in more else []
    assert Deployed(inputs).attributes == [CURRENT, USER, TYPE, *teams]
    assert list(differing(inputs)) == []


def test_the_individual_account_is_proved():
    """No token but the owner's own gets in, whatever Pulumi Cloud mints."""
    inputs = {"organization": ORG, "project": "aws", "environment": "dev", "allowed_users": [ORG]}
    made = plan(inputs)
    head = "pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name:aws/dev"
    assert made.subjects == [f"{head}:pulumi.user.login:contoso:pulumi.token.type:personal"]
    assert prove(trust_policy(made.trust, provider_arn(ISSUER, ACCOUNT)), made.trust).holds


@pytest.mark.parametrize("project", ["aws", "default"])
def test_other_tokens_are_refused(project):
    """Another cloud's audience, the other kind of project's audience and Deployments are refused."""
    inputs = {"organization": ORG, "project": project, "environment": "dev"}
    deployed = Deployed(inputs)
    token = login_claims(
        Opening(ORG, f"{project}/dev", Opener("alice")),
        current_environment=f"{project}/dev",
        root_environment=f"{project}/dev",
        subject_attributes=deployed.attributes,
    )
    assert deployed.admits(token)
    for audience in {"contoso", "aws:contoso", "azure:contoso", "aws:fabrikam"} - {token["aud"]}:
        assert not deployed.admits(token | {"aud": audience})
    assert not deployed.admits(deployment_claims(ORG, project, "dev", "update"))


@pytest.mark.parametrize(
    "who",
    [{}, {"allowed_users": ["alice", "bob"]}, {"allowed_teams": ["ops"], "allowed_root_environments": ["aws/prod"]}],
)
def test_any_environment_in_the_project_means_no_other_project(who):
    """The pattern opens the project and leaves roots and openers as narrow as declared."""
    base = {"organization": ORG, "project": "aws", "environment": "dev", ANY_IN_PROJECT: True}
    assert list(differing(base | who)) == []
    assert list(differing(base | who | {"allowed_environments": ["gcp/dev"]})) == []


@pytest.mark.parametrize(
    "who",
    [
        {"subject_attributes": [ROOT]},
        {"subject_attributes": [USER], "allowed_users": ["alice"]},
        {
            "subject_attributes": [TYPE, ROOT],
            "allowed_token_types": ["team"],
            "allowed_root_environments": ["aws/prod"],
        },
    ],
)
def test_an_omitted_current_environment_admits_any_that_holds_the_login(who):
    """Any environment of the same kind of project may then hold the login; the other attributes still bind."""
    assert list(differing({"organization": ORG, "project": "aws", "environment": "dev", OMIT: True} | who)) == []


@pytest.mark.parametrize("project", ["aws", "default"])
@pytest.mark.parametrize("any_stack", [False, True])
def test_without_attributes_the_opened_environment_decides(project, any_stack):
    """The subject names the opened environment, or `<yaml>` for a stack's list."""
    flags = {OMIT: True, **({ANY_STACK: True} if any_stack else {})}
    inputs = {"organization": ORG, "project": project, "environment": "dev", "subject_attributes": [], **flags}
    further = f"{project}/prod"
    deployed = Deployed(inputs | {"allowed_environments": [further]})
    assert deployed.attributes == []
    for root in ROOTS:
        for holder in (f"{project}/dev", f"{project}/x"):
            opened = deployed.opened(ORG, holder, root, Opener("carol"))
            assert opened == (root in (f"{project}/dev", further)), root
    assert deployed.opened(ORG, f"{project}/x", STACK_CONFIGURATION, Opener("carol")) == any_stack
    assert not deployed.opened("fabrikam", f"{project}/dev", f"{project}/dev", Opener("carol"))
    assert not deployed.opened(ORG, f"{project}/dev", f"{project}/dev", Opener("carol"), attributes=[CURRENT])


@pytest.mark.parametrize("project", ["aws", "default"])
def test_any_environment_means_the_organization_under_one_audience(project):
    """Everybody in it gets in, with or without attributes; no other organization, audience or deployment does."""
    deployed = Deployed({"organization": ORG, "project": project, "environment": "dev", ANY: True})
    for organization, current, root, opener, attributes in product(
        [ORG, "fabrikam", "contoso-eu"],
        ["aws/x", "default/x"],
        [*ROOTS, STACK_CONFIGURATION],
        OPENERS,
        [[], [CURRENT], [USER, ROOT]],
    ):
        same_audience = current.startswith("default/") == (project == "default")
        opened = deployed.opened(organization, current, root, opener, attributes=attributes)
        assert opened == (organization == ORG and same_audience)
    assert not deployed.admits(deployment_claims(ORG, project, "dev", "update"))
