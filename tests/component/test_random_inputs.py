"""Who gets in, for inputs and openings that nobody thought of."""

import os

from hypothesis import given, seed, settings
from hypothesis import strategies as st

from esc_oidc.claims import (
    ATTRIBUTES,
    STACK_CONFIGURATION,
)
from esc_oidc.tokens import Opener, Opening, deployment_claims, login_claims
from esc_oidc.trust import provider_arn, trust_policy
from esc_oidc.verify import Request, compile_policy
from tests.support.inputs import check, plan
from tests.support.policies import by_recursion
from tests.support.shapes import ANY, ANY_IN_PROJECT, ANY_STACK, OMIT, expected

# tests/conftest.py chooses a new seed for each run, and prints it when a test fails; set it to repeat that run.
SEED = int(os.environ["ESC_OIDC_SEED"])
ISSUER = "https://api.pulumi.com/oidc"
ORGANIZATIONS = ["contoso", "fabrikam", "contoso-eu"]


def ask(policy, aud, sub):
    """The decision about a token with this audience and subject."""
    return policy.decide(Request({"iss": ISSUER, "aud": aud, "sub": sub}, ISSUER))


PEOPLE = ["alice", "bob", "ops", "dev"]
LEGACY, MODERN = ["default/dev", "default/prod"], ["aws/dev", "aws/prod", "aws/dev2", "gcp/dev"]
CURRENT, ROOT, USER, TYPE, TEAM = ATTRIBUTES


def some(values):
    """A list of one to three of the values, each once."""
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)


@st.composite
def component_inputs(draw):
    """Valid inputs of every kind, with names that the tokens use too."""
    own = draw(st.sampled_from([*MODERN, "default/dev"]))
    project, environment = own.split("/")
    inputs = {"organization": "contoso", "project": project, "environment": environment}
    alike = LEGACY if project == "default" else MODERN
    if draw(st.integers(0, 9)) == 0:
        return inputs | {ANY: True}
    if draw(st.integers(0, 9)) == 0:
        inputs |= {OMIT: True, "subject_attributes": [], ANY_STACK: draw(st.booleans())}
        return inputs | ({"allowed_environments": draw(some(alike))} if draw(st.booleans()) else {})
    inputs |= {
        name: draw(some(values))
        for name, values in {
            "allowed_environments": alike,
            "allowed_root_environments": MODERN + LEGACY,
            "allowed_users": [*PEOPLE[:3], "contoso"],
            "allowed_teams": PEOPLE[1:],
            "allowed_token_types": ["personal", "team", "organization"],
        }.items()
        if draw(st.booleans())
    }
    types = inputs.get("allowed_token_types", [])
    if ("personal" in types and "allowed_users" in inputs) or ("team" in types and "allowed_teams" in inputs):
        del inputs["allowed_token_types"]
    if project != "default" and draw(st.booleans()):
        inputs[ANY_IN_PROJECT] = True
    listed = list(plan(inputs).login.subject_attributes)
    if draw(st.booleans()):
        listed = draw(st.permutations(listed if ROOT in listed or draw(st.booleans()) else [*listed, ROOT]))
        inputs["subject_attributes"] = listed
    # Leaving the current environment out needs another attribute, and goes with nothing that names environments.
    narrowed = {"allowed_environments", ANY_IN_PROJECT} & inputs.keys()
    if not narrowed and len(listed) > 1 and draw(st.booleans()):
        inputs |= {OMIT: True, "subject_attributes": [name for name in listed if name != CURRENT]}
    return inputs


OPENERS = st.one_of(
    st.builds(Opener, st.sampled_from([*PEOPLE, "carol"])),
    st.builds(lambda organization, team: (organization, "team", team), st.none(), st.sampled_from(PEOPLE)),
    st.just((None, "organization")),
)


def opener_in(organization, opener):
    """A person, or a machine token, whose login is the organization's name."""
    return opener if isinstance(opener, Opener) else Opener(organization, *opener[1:])


def declared(inputs, made, opening, block, sub):
    """Whether the contract admits this opening; the block is the login's environment and attributes."""
    organization, root, opener = opening.organization, opening.environment, opening.opener
    current, attributes = block
    listed = list(made.login.subject_attributes)
    if organization != "contoso":
        return False
    same_audience = current.startswith("default/") == (inputs["project"] == "default")
    if inputs.get(ANY):
        return same_audience
    if attributes != listed:
        # `PROJECT/*` runs over further attributes, too: what the environment's own login asks for is up to it.
        return same_audience and any(by_recursion(pattern, sub) for pattern in made.trust.patterns)
    if not listed:
        named = {f"{inputs['project']}/{inputs['environment']}", *inputs.get("allowed_environments", ())}
        return same_audience and (root in named or (root == STACK_CONFIGURATION and bool(inputs.get(ANY_STACK))))
    if OMIT in inputs:
        # The block may stand anywhere under this audience; `expected` knows that of modern projects.
        current = current if inputs["project"] != "default" else f"{inputs['project']}/{inputs['environment']}"
        return same_audience and expected(inputs, listed, organization, current, root, opener)
    return expected(inputs, listed, organization, current, root, opener)


@seed(SEED)
@given(component_inputs(), st.data())
@settings(max_examples=5000, database=None)
def test_admitted_if_and_only_if_declared(inputs, data):
    """For any inputs and any opening, the trust policy admits a token exactly if it is declared."""
    assert all("AWS takes at most" in violation.rule for violation in check("esc", inputs)), inputs
    made = plan(inputs)
    policy = compile_policy(trust_policy(made.trust, provider_arn(ISSUER, "123456789012")))
    listed = list(made.login.subject_attributes)
    organization = data.draw(st.sampled_from(["contoso", "contoso", "contoso", *ORGANIZATIONS]))
    current = data.draw(st.sampled_from(MODERN + LEGACY))
    roots = [current, *MODERN, *LEGACY, *([] if listed else [STACK_CONFIGURATION])]
    root = data.draw(st.sampled_from(roots))
    opener = opener_in(organization, data.draw(OPENERS))
    others = [listed, listed, listed[::-1], listed[1:], [CURRENT], [CURRENT, USER]]
    attributes = data.draw(st.sampled_from(others))
    opening = Opening(organization, root, opener)
    claims = login_claims(
        opening,
        current_environment=current,
        root_environment=root,
        subject_attributes=attributes,
        default_project=data.draw(st.sampled_from(["stripped", "as written"])),
    )
    admitted = ask(policy, claims["aud"], claims["sub"]).allowed
    assert admitted == declared(inputs, made, opening, (current, attributes), claims["sub"]), claims
    deployment = deployment_claims(organization, current.split("/")[0], "dev", "update")
    assert not ask(policy, deployment["aud"], deployment["sub"]).allowed


@seed(SEED)
@given(component_inputs(), st.data())
@settings(max_examples=1000, database=None)
def test_a_token_with_one_character_changed_is_refused(inputs, data):
    """Unless the changed subject is declared, too."""
    trust = plan(inputs).trust
    policy = compile_policy(trust_policy(trust, provider_arn(ISSUER, "123456789012")))
    sub = data.draw(st.sampled_from(trust.subjects or [pattern.replace("*", "x") for pattern in trust.patterns]))
    assert ask(policy, trust.audience, sub).allowed
    place, width = data.draw(st.integers(0, len(sub))), data.draw(st.integers(0, 1))
    changed = sub[:place] + data.draw(st.text("abv:/*?2 ", max_size=1)) + sub[place + width :]
    is_declared = changed in trust.subjects or any(by_recursion(pattern, changed) for pattern in trust.patterns)
    assert ask(policy, trust.audience, changed).allowed == is_declared
