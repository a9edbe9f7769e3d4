"""`transitional_subjects`: who is admitted for a while, so that a change of who gets in refuses nobody meanwhile."""

import json
from itertools import pairwise

import pytest

from esc_oidc.claims import ISSUER, deployment_subject, subject
from esc_oidc.inputs import DeploymentPlan, EnvironmentPlan
from esc_oidc.tokens import Opener, Opening, deployment_claims, login_claims
from esc_oidc.trust import provider_arn
from esc_oidc.verify import Request, decide, lint, prove
from tests.support.environment_refusals import BASE
from tests.support.inputs import check, check_deployment, plan, plan_deployment
from tests.support.shapes import ANY, ANY_STACK, CURRENT, OMIT, ROOT, TEAM, USER

PROVIDER = provider_arn(ISSUER, "123456789012")
DEV = subject("contoso", [(CURRENT, "aws/dev")])
ALICE = subject("contoso", [(CURRENT, "aws/dev"), (USER, "alice")])
BY_NAME = "pulumi:environments:org:contoso:env:aws/dev"
YAML = "pulumi:environments:org:contoso:env:<yaml>"
WITHOUT_ATTRIBUTES = {OMIT: True, "subject_attributes": []}
STACKS = {"organization": "contoso", "project": "shop", "stacks": ["dev"]}
UPDATE = deployment_subject("contoso", "shop", "prod", "update")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (f"{DEV}*", "each is one exact subject, without `*` and `?`."),
        ("pulumi:environments:org:contoso:env:aws/de?", "List every subject that you mean."),
        (subject("contoso", [(CURRENT, f"aws/{'d' * 255}")]), "at most 255 characters"),
        ("repo:contoso/app:ref:refs/heads/main", "not the subject of a login in ESC"),
        (UPDATE, "not the subject of a login in ESC"),
        ("pulumi:cmk:pulumi.organization.login:contoso", "not the subject of a login in ESC"),
        ("pulumi:environments:pulumi.organization.login:contoso", "not the subject of a login in ESC"),
        (f"{DEV}:pulumi.token.name:ci", "not the subject of a login in ESC"),
        (f"{DEV}:{USER}", "not the subject of a login in ESC"),
        (f"{DEV}:{CURRENT}:aws/dev", "not the subject of a login in ESC"),
        ("pulumi:environments:org:contoso:env:aws dev", "not the subject of a login in ESC"),
        ("pulumi:environments:org:contoso:aws/dev", "not the subject of a login in ESC"),
        ("pulumi:environments:org:contoso:env:aws/..", "not the subject of a login in ESC"),
        (subject("contoso", [(CURRENT, "aws/..")]), "not the subject of a login in ESC"),
        (subject("contoso", [(CURRENT, "aws/dev"), (USER, "Contoso")]), "every team and organization token"),
        (subject("fabrikam", [(CURRENT, "aws/dev")]), "of another organization than the role, 'contoso'"),
        (subject("contoso", [(CURRENT, "dev")]), "legacy project `default`"),
        (subject("contoso", [(CURRENT, "default/dev")]), "legacy project `default`"),
        ("pulumi:environments:org:contoso:env:dev", "legacy project `default`"),
        (YAML, f"set `{ANY_STACK}` for as long"),
        (subject("contoso", [(ROOT, "aws/dev")]), f"set `{OMIT}` for as long"),
    ],
)
def test_a_transitional_subject_is_an_exact_one_of_this_organization_and_audience(value, said):
    """Anything else is refused: it names the subject, says why, and what to do."""
    (violation,) = check("esc", {**BASE, "transitional_subjects": [value]})
    assert violation.input == "transitional_subjects[0]"
    assert said in str(violation)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (DEV, "not the subject of an operation of Pulumi Deployments"),
        (deployment_subject("contoso", "shop", "prod", "up"), "not the subject of an operation"),
        ("pulumi:deploy:org:contoso:project:shop:stack:prod:operation:update", "not the subject of an operation"),
        (UPDATE.replace("write", "read"), "not the subject of an operation"),
        (deployment_subject("contoso", "shop", "..", "update"), "not the subject of an operation"),
        (deployment_subject("fabrikam", "shop", "prod", "update"), "of another organization"),
        ("pulumi:deploy:org:contoso:project:shop:*", "without `*` and `?`"),
    ],
)
def test_a_transitional_subject_of_deployments_is_an_operation_on_a_stack(value, said):
    """Any stack of the organization, in an operation that Pulumi's API names."""
    (violation,) = check_deployment("deploy", {**STACKS, "transitional_subjects": [value]})
    assert violation.input == "transitional_subjects[0]"
    assert said in str(violation)


def test_a_transition_has_at_most_20_subjects():
    """A longer list is no transition."""
    named = [subject("contoso", [(CURRENT, f"aws/dev{index}")]) for index in range(21)]
    assert check("esc", {**BASE, "transitional_subjects": named[:20]}) == []
    (violation,) = check("esc", {**BASE, "transitional_subjects": named})
    assert "at most 20" in str(violation)


def test_a_transition_counts_towards_the_longest_policy():
    """What AWS would not take is refused, and the input with the longest list is named."""
    named = [subject("contoso", [(CURRENT, f"aws/{'d' * 150}{index}")]) for index in range(20)]
    (violation,) = check("esc", {**BASE, "transitional_subjects": named})
    assert violation.input == "transitional_subjects"
    assert "AWS takes at most 4096" in str(violation)


@pytest.mark.parametrize(
    ("flag", "value"), [(ANY_STACK, YAML), (OMIT, subject("contoso", [(ROOT, "aws/dev")]))], ids=["yaml", "omitted"]
)
def test_what_opens_the_organization_needs_its_dangerous_input(flag, value):
    """Then it is admitted, and nothing says that the input changes nothing; without it, that is said as before."""
    (alone,) = check("esc", {**BASE, flag: True})
    assert "it changes nothing" in str(alone)
    admitted = plan({**BASE, flag: True, "transitional_subjects": [value]})
    assert admitted.trust.subjects == (DEV, value)


def test_a_transition_is_pointless_where_everybody_gets_in():
    """Beside `dangerously_allow_any_environment` it would change nothing."""
    (violation,) = check("esc", {**BASE, ANY: True, "transitional_subjects": [BY_NAME]})
    assert violation.input == "transitional_subjects"
    assert "this would change nothing" in str(violation)


def test_subjects_of_the_legacy_project_are_for_the_legacy_project():
    """There, and only there, an environment stands without its project."""
    named = ["pulumi:environments:org:contoso:env:dev", subject("contoso", [(CURRENT, "default/dev"), (TEAM, "")])]
    given = {**BASE, "project": "default", "transitional_subjects": named}
    assert plan(given).trust.subjects[-2:] == tuple(named)


def test_the_policy_admits_exactly_what_is_declared_and_the_transitional_subjects():
    """`prove` covers them, and `lint` finds what it finds in any policy that names them."""
    given = plan({**BASE, "allowed_users": ["alice"], "transitional_subjects": [DEV, BY_NAME]})
    policy = given.policy(PROVIDER).text
    assert prove(policy, given.trust).holds
    assert not prove(policy, given.declared).holds
    assert given.declared.subjects == (ALICE,)
    assert not [finding for finding in lint(policy) if finding.severity == "error"]


WARNED = "transitional_subjects: besides what the other inputs declare, the role admits "


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ([BY_NAME], f"{WARNED}{BY_NAME}. Remove this input, in an update of its own, once every login asks"),
        ([DEV, BY_NAME], f"{WARNED}{BY_NAME}. Remove"),
        (
            [subject("contoso", [(CURRENT, f"aws/{name}")]) for name in "abcde"],
            "currentEnvironment.name:aws/c and 2 more. Remove",
        ),
        ([DEV], "transitional_subjects: the other inputs declare all of them. Remove this input."),
    ],
)
def test_it_warns_while_a_transition_lasts(named, said):
    """The warning says what to remove and when."""
    (warning,) = plan({**BASE, "transitional_subjects": named}).warnings
    assert said in warning


def test_deployments_have_transitions_too():
    """The declared stacks and, for a while, other ones; a pattern stays beside them."""
    assert UPDATE in plan_deployment({**STACKS, "transitional_subjects": [UPDATE]}).trust.subjects
    wide = {"organization": "contoso", "project": "shop", "dangerously_allow_any_stack_in_project": True}
    other = deployment_subject("contoso", "other", "prod", "update")
    both = plan_deployment({**wide, "transitional_subjects": [other]}).trust
    assert (both.subjects, both.patterns) == ((other,), ("pulumi:deploy:org:contoso:project:shop:*",))


TRANSITIONS = {
    "without attributes to with": (WITHOUT_ATTRIBUTES, {}),
    "users added": ({}, {"allowed_users": ["alice", "bob"]}),
    "the order of the attributes": (
        {"allowed_users": ["alice"], "subject_attributes": [CURRENT, USER]},
        {"allowed_users": ["alice"], "subject_attributes": [USER, CURRENT]},
    ),
    "roots": ({"allowed_root_environments": ["aws/dev", "shop/prod"]}, {"allowed_users": ["alice"]}),
}


def steps(before: dict, after: dict) -> list[EnvironmentPlan]:
    """The three updates that docs/changing.md lists, with the state before them."""
    old, new = plan({**BASE, **before}), plan({**BASE, **after})
    return [
        old,
        plan({**BASE, **before, "transitional_subjects": list(new.trust.subjects)}),
        plan({**BASE, **after, "transitional_subjects": list(old.trust.subjects)}),
        new,
    ]


def admits(policy: EnvironmentPlan | DeploymentPlan, claims: dict) -> bool:
    """Whether the role lets this token in."""
    request = Request(claims=claims, issuer=ISSUER, account="123456789012")
    return decide(policy.policy(PROVIDER).text, request).allowed


@pytest.mark.parametrize("transition", TRANSITIONS)
def test_no_step_of_a_transition_refuses_anybody(transition):
    """In every step, whichever of environment and role changes first, and however late the policy counts."""
    opening = Opening("contoso", "aws/dev", Opener("alice"))
    states = steps(*TRANSITIONS[transition])
    for before, after in pairwise(states):
        for login in (before, after):
            token = login_claims(
                opening,
                current_environment="aws/dev",
                root_environment="aws/dev",
                subject_attributes=login.attributes,
                issuer=ISSUER,
            )
            assert admits(before, token)
            assert admits(after, token)


def test_one_update_alone_refuses_everybody_meanwhile():
    """The control of the test above: without the steps, the new login meets the old policy."""
    old, new = plan(BASE), plan({**BASE, "allowed_users": ["alice"]})
    assert not admits(old, {"aud": "aws:contoso", "sub": new.trust.subjects[0]})


@pytest.mark.parametrize("transition", TRANSITIONS)
def test_the_second_step_leaves_the_role_alone(transition):
    """It exchanges declared and transitional subjects: only the environment changes."""
    _, first, second, _ = steps(*TRANSITIONS[transition])
    assert json.loads(first.policy(PROVIDER).text) == json.loads(second.policy(PROVIDER).text)


def test_stacks_change_without_a_gap():
    """Deployments have no definition to change: one step with both lists is enough, and the second removes."""
    token = deployment_claims("contoso", "shop", "prod", "update", issuer=ISSUER)
    both = plan_deployment({**STACKS, "transitional_subjects": [UPDATE]})
    assert not admits(plan_deployment(STACKS), token)
    assert admits(both, token)
    assert admits(both, deployment_claims("contoso", "shop", "dev", "update", issuer=ISSUER))
