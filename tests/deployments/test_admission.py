"""Which deployments get in: every shape of inputs against every token, decided by the trust policy alone."""

import json
from itertools import chain, combinations, product

import pytest

from esc_oidc import PulumiDeploymentsOidc, PulumiEscOidc
from esc_oidc.claims import ATTRIBUTES, OPERATIONS, STACK_CONFIGURATION
from esc_oidc.tokens import Opener, Opening, deployment_claims, login_claims
from esc_oidc.trust import provider_arn, trust_policy
from esc_oidc.verify import Request, compile_policy, decide, lint, prove
from tests.support.deploying import deploy
from tests.support.inputs import check_deployment, plan_deployment

ORG, ISSUER, ACCOUNT = "contoso", "https://api.pulumi.com/oidc", "123456789012"
ANY_STACK = "dangerously_allow_any_stack_in_project"
STACKS = ["dev", "prod", "de", "dev2", "Dev", "dev.prod", "stack", "operation"]
PROJECTS = ["core", "cor", "core2", "Core", "default"]
ORGANIZATIONS = [ORG, "fabrikam", "contoso-eu", "Contoso"]


def subsets(values, sizes):
    """Every subset of these sizes."""
    return [list(chosen) for size in sizes for chosen in combinations(values, size)]


def shapes():
    """One or two stacks, or any; every set of operations, and none given."""
    who = [{"stacks": stacks} for stacks in subsets(["dev", "prod", "stack"], (1, 2))] + [{ANY_STACK: True}]
    operations = [{}, *({"operations": chosen} for chosen in subsets(OPERATIONS, (1, 2, 3, 4)))]
    for stacks, chosen in product(who, operations):
        yield {"organization": ORG, "project": "core", **stacks, **chosen}


def environment_tokens():
    """ESC's tokens, in the legacy project and another, with every set of attributes, in both spellings."""
    openers = Opener("alice"), Opener(ORG, "team", "ops"), Opener(ORG, "organization")
    attributes = list(chain([[]], subsets(ATTRIBUTES, (1, 2, 5))))
    for environment, opener, listed, spelling in product(
        ("default/dev", "core/dev"), openers, attributes, ("stripped", "as written")
    ):
        for root in (environment, STACK_CONFIGURATION) if not listed else (environment,):
            yield login_claims(
                Opening(ORG, root, opener),
                current_environment=environment,
                root_environment=root,
                subject_attributes=listed,
                default_project=spelling,
            )


DEPLOYMENT_TOKENS = [
    (where, deployment_claims(*where)) for where in product(ORGANIZATIONS, PROJECTS, STACKS, OPERATIONS)
]
ENVIRONMENT_TOKENS = list(environment_tokens())


def expected(inputs, organization, project, stack, operation):
    """Whether the contract admits this deployment."""
    return (
        organization == ORG
        and project == "core"
        and (ANY_STACK in inputs or stack in inputs["stacks"])
        and operation in inputs.get("operations", OPERATIONS)
    )


class Role:
    """A compiled trust policy."""

    def __init__(self, document):
        self.policy = compile_policy(document)

    @classmethod
    def of(cls, inputs):
        """The role that good inputs come to."""
        assert check_deployment("dep", inputs) == []
        return cls(trust_policy(plan_deployment(inputs).trust, provider_arn(ISSUER, ACCOUNT)))

    def admits(self, claims):
        """Whether a token with these claims may assume it."""
        return self.policy.decide(Request(claims=claims, issuer=ISSUER, account=ACCOUNT)).allowed


@pytest.mark.parametrize("inputs", list(shapes()), ids=str)
def test_exactly_the_declared_stacks_and_operations_get_in(inputs):
    """No shape admits any other deployment, or a token of ESC."""
    role = Role.of(inputs)
    differing = [where for where, token in DEPLOYMENT_TOKENS if role.admits(token) != expected(inputs, *where)]
    assert differing == []
    assert [token for token in ENVIRONMENT_TOKENS if role.admits(token)] == []


@pytest.mark.parametrize(
    "inputs", [{"stacks": ["dev"]}, {ANY_STACK: True}, {ANY_STACK: True, "operations": ["update"]}]
)
def test_another_audience_is_refused(inputs):
    """Even with the right subject, the audience of another cloud, ESC or another organization is refused."""
    role = Role.of({"organization": ORG, "project": "core", **inputs})
    token = deployment_claims(ORG, "core", "dev", "update")
    assert role.admits(token)
    for audience in ("aws:contoso", "azure:contoso", "gcp:contoso", "Contoso", "fabrikam", "sts.amazonaws.com"):
        assert not role.admits(token | {"aud": audience}), audience


def test_another_scope_or_form_is_refused():
    """A longer or shorter subject, or one with another scope, was never declared."""
    role = Role.of({"organization": ORG, "project": "core", "stacks": ["dev"]})
    token = deployment_claims(ORG, "core", "dev", "update")
    for subject in (
        token["sub"].replace("write", "read"),
        token["sub"] + ":more",
        token["sub"].removesuffix(":scope:write"),
        token["sub"].replace("pulumi:deploy", "pulumi:environments"),
    ):
        assert not role.admits(token | {"sub": subject}), subject


def test_the_legacy_project_and_deployments_stay_apart():
    """Both have the audience ORG and one provider, but neither role admits the other's tokens."""

    def program():
        login = PulumiEscOidc("esc", organization=ORG, project="default", environment="dev")
        wide = PulumiEscOidc(
            "wide", organization=ORG, project="default", environment="dev", dangerously_allow_any_environment=True,
            oidc_provider_arn=login.oidc_provider_arn,
        )  # fmt: skip
        made = PulumiDeploymentsOidc(
            "dep", organization=ORG, project="default", stacks=["dev"], oidc_provider_arn=login.oidc_provider_arn
        )
        any_stack = PulumiDeploymentsOidc(
            "any", organization=ORG, project="default", oidc_provider_arn=login.oidc_provider_arn, **{ANY_STACK: True}
        )
        roles = {"esc": login, "wide": wide, "dep": made, "any": any_stack}
        return {name: role.trust_policy for name, role in roles.items()} | {"audience": login.audience}

    deployed = deploy(program)
    assert deployed.error is None
    assert deployed.exports.pop("audience") == ORG
    assert len(deployed.of("OpenIdConnectProvider")) == 1
    roles = {name: Role(json.loads(policy)) for name, policy in deployed.exports.items()}
    deployments = [deployment_claims(ORG, "default", stack, operation) for stack in STACKS for operation in OPERATIONS]
    for name, role in roles.items():
        own, others = (deployments, ENVIRONMENT_TOKENS) if name in ("dep", "any") else (ENVIRONMENT_TOKENS, deployments)
        assert any(role.admits(token) for token in own), name
        assert not any(role.admits(token) for token in others), name


def test_prove_confirms_each_shape_and_refutes_the_others():
    """`decide` confirms the counterexample to every other declaration."""
    before = None
    for inputs in shapes():
        trust = plan_deployment(inputs).trust
        policy = trust_policy(trust, provider_arn(ISSUER, ACCOUNT))
        assert prove(policy, trust).holds, inputs
        if before:
            found = prove(policy, before).counterexample
            request = Request({"aud": found.audience, "sub": found.subject}, ISSUER, account=ACCOUNT)
            assert decide(policy, request).allowed is found.admitted, inputs
        before = trust


def test_lint_accepts_named_stacks():
    """There is an error exactly if a `dangerously_` input is set."""
    for inputs in shapes():
        policy = trust_policy(plan_deployment(inputs).trust, provider_arn(ISSUER, ACCOUNT))
        found = {finding.rule for finding in lint(policy) if finding.severity == "error"} - {"too-long"}
        assert bool(found) is (ANY_STACK in inputs), (inputs, found)
