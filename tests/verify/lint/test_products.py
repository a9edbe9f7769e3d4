"""`lint` about Pulumi Cloud's other products: advice for the one at hand, and silence about what is right for it."""

import re

import pytest

from esc_oidc.trust import Trust
from esc_oidc.verify import Request, decide, lint, prove
from tests.support.policies import AUD, DEV, LOGIN, PROVIDER, SUB, conditions, example

KEYS = "pulumi:cmk:pulumi.organization.login:contoso"
CUSTOM = "api.pulumi.com/oidc/v2"


DEPLOY = "pulumi:deploy:org:contoso:project:Core:stack:dev"
UPDATE = f"{DEPLOY}:operation:update:scope:write"
ISSUER = "https://api.pulumi.com/oidc"


def fixes(elements):
    """The fix of each rule."""
    return {finding.rule: finding.fix for finding in lint(example(elements))}


def admits(elements, sub, aud="contoso"):
    """Whether such a token gets in."""
    return decide(example(elements), Request({"aud": aud, "sub": sub}, ISSUER)).allowed


def rules(elements):
    """The ids of what was found."""
    return [finding.rule for finding in lint(example(elements))]


def test_a_role_for_customer_managed_keys_is_right_as_it_is():
    """Its subject ends in the organization, and its audience is that of AWS logins."""
    assert rules(conditions(KEYS)) == []
    assert rules(conditions(like=KEYS)) == []


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        (conditions(KEYS, aud="contoso"), ["audience-kind"]),
        (conditions(KEYS, aud=["contoso", "aws:contoso"]), ["audience-mixed"]),
        (conditions(KEYS, aud="aws:fabrikam"), ["audience-organization"]),
        (conditions(f"{KEYS}:x"), ["subject-form"]),
        (conditions(like=f"{KEYS}:*"), ["subject-form"]),
        (conditions(like=f"{KEYS}*"), ["organization-open"]),
        (conditions(like="pulumi:cmk:*"), ["organization-open"]),
    ],
    ids=str,
)
def test_a_wrong_role_for_customer_managed_keys_is_found(elements, expected):
    """Its audience, organization and form are checked as for any other subject."""
    assert [rule for rule in rules(elements) if rule != "admits-strangers"] == expected


def test_tokens_with_custom_audiences_are_one_finding():
    """A provider of `/oidc/v2` is named once, whichever keys stand beside it; that there are none is said too."""
    principal = {"Federated": PROVIDER.replace("api.pulumi.com/oidc", CUSTOM)}
    own = {
        "StringEquals": {f"{CUSTOM}:aud": "my-audience", f"{CUSTOM}:sub": "pulumi:environments:org:contoso:env:aws/dev"}
    }
    (finding,) = lint(example({"Principal": principal, "Condition": own}))
    assert (finding.rule, "custom audiences" in finding.message) == ("principal-issuer", True)
    assert rules({"Principal": principal, "Condition": {}}) == ["principal-issuer", "condition-missing"]
    both = {"Federated": [PROVIDER, principal["Federated"]]}
    assert "key-issuer" in rules({"Principal": both, "Condition": own})


@pytest.mark.parametrize("aud", ["my-audience", "aws:contoso", "aws:fabrikam"])
def test_a_provider_for_custom_audiences_with_other_keys_is_one_finding(aud):
    """Its tokens have no key of `/oidc`: that is said, and nothing about values that no token is compared with."""
    principal = {"Federated": PROVIDER.replace("api.pulumi.com/oidc", CUSTOM)}
    (finding,) = lint(example({"Principal": principal, **conditions(aud=aud)}))
    assert finding.rule == "principal-issuer"
    assert "None of them has the keys of `api.pulumi.com/oidc`" in finding.message
    (finding,) = lint(example({"Principal": principal, "Condition": {"StringEquals": {AUD: aud}}}))
    assert finding.rule == "principal-issuer"


@pytest.mark.parametrize("path", [CUSTOM, "token.actions.githubusercontent.com", "api.pulumi.com"])
def test_keys_of_another_issuer_are_one_finding(path):
    """Both keys stand in one finding, which says how to write them; nothing else calls the claims unlimited."""
    condition = {"StringEquals": {f"{path}:aud": "my-audience"}, "StringLike": {f"{path}:sub": "pulumi:*"}}
    (finding,) = lint(example({"Condition": condition}))
    assert finding.rule == "key-issuer"
    assert f"the keys `{path}:aud` and `{path}:sub` are not among" in finding.message
    assert finding.fix == f"Write `{AUD}` and `{SUB}`."
    only = {"StringEquals": {f"{path}:aud": "aws:contoso"}}
    assert sorted(rules({"Condition": only})) == ["key-issuer", "subject-missing"]
    assert "admits-strangers" in rules({"Condition": {"StringNotEquals": condition["StringEquals"]}})


@pytest.mark.parametrize(
    "pattern",
    ["stack:dev:project:Core:*", "stack:*", "project:Core:operation:update:*", "project:Core:scope:*", "operation:*",
     "stack:dev:project:Core:operation:*:scope:write", "project:Core:stack:dev:scope:*", "pr:*", "project:Core:st:*"],
)  # fmt: skip
def test_a_pattern_with_fields_in_another_order_matches_nothing(pattern):
    """It is no wide pattern but none at all: Pulumi Cloud writes project, stack, operation and scope in this order."""
    elements = conditions(like=f"pulumi:deploy:org:contoso:{pattern}", aud="contoso")
    assert rules(elements) == ["subject-form"]
    assert "pulumi:deploy:org:" in fixes(elements)["subject-form"]
    assert prove(example(elements), Trust(ISSUER, "contoso", ())).holds


def test_fields_in_another_order_are_named():
    """The message has the right order."""
    wrong = conditions(like="pulumi:deploy:org:contoso:stack:dev:project:Core:*", aud="contoso")
    (finding,) = lint(example(wrong))
    assert "its fields are project, stack, operation and scope, in this order." in finding.message


@pytest.mark.parametrize(
    "pattern", ["*", "pr*", "project:*", "project:C*:stack:dev:*", "project:Core:st*", "project:Core:stack:d?v:*"]
)
def test_a_pattern_in_order_is_wide(pattern):
    """A wildcard may run over any number of fields, and so match some token."""
    elements = conditions(like=f"pulumi:deploy:org:contoso:{pattern}", aud="contoso")
    assert "stacks-wide" in rules(elements)
    assert "subject-form" not in rules(elements)
    assert not prove(example(elements), Trust(ISSUER, "contoso", ())).holds


@pytest.mark.parametrize(
    "written",
    [
        UPDATE.replace("org:", "org=").replace("project:", "project=").replace("stack:", "stack="),
        f"{DEPLOY}:operation:update",
        f"{DEPLOY}:operation:up:scope:write",
        "pulumi:deploy:org:contoso:stack:dev:project:Core:operation:update:scope:write",
        f"{DEPLOY}:operation:deploy",
    ],
)
def test_a_misspelled_deployment_is_spelled_right(written):
    """Following the advice admits that operation of that stack, and no other token."""
    fix = fixes(conditions(written, aud="contoso"))["subject-form"]
    (right,) = re.fullmatch(r"Write '(.*)', with StringEquals\.", fix).groups()
    fixed = conditions(right, aud="contoso")
    assert right == UPDATE
    assert lint(example(fixed)) == []
    assert admits(fixed, UPDATE)
    for other in (
        UPDATE.replace("dev", "prod"),
        UPDATE.replace("update", "destroy"),
        DEV,
        f"{DEPLOY}:operation:update",
    ):
        assert not admits(fixed, other)


@pytest.mark.parametrize(
    "elements",
    [
        conditions(f"{DEPLOY}:operation:fly:scope:write", aud="contoso"),
        conditions(DEPLOY, aud="contoso"),
        conditions(f"{UPDATE}:extra:x", aud="contoso"),
        conditions(f"{UPDATE}:project:Core", aud="contoso"),
        conditions(like="pulumi:deploy:org:con*", aud="contoso"),
        conditions(like=f"{DEPLOY}:oper*", aud="contoso"),
        conditions(like="pulumi:deploy:org:contoso:*:scope:write", aud="contoso"),
    ],
    ids=str,
)
def test_what_is_about_deployments_is_not_sent_to_an_environment(elements):
    """The advice names a stack, and no environment."""
    found = [fix for rule, fix in fixes(elements).items() if rule != "admits-strangers"]
    assert any("pulumi:deploy:org:" in fix for fix in found)
    assert not any("Name the environment" in fix for fix in found)


def test_a_wildcard_operation_is_no_worse_than_a_wider_one():
    """Any operation of one stack is a warning, however it is written; any stack is an error."""
    for operation in ("*", "operation:*", "operation:*:scope:write", "operation:update:*"):
        assert rules(conditions(like=f"{DEPLOY}:{operation}", aud="contoso")) == ["open-end"]
        (finding,) = lint(example(conditions(like=f"{DEPLOY}:{operation}", aud="contoso")))
        assert finding.message.endswith("accepts any scope." if "update" in operation else "accepts any operation.")
    any_stack = f"{DEPLOY.replace('dev', '*')}:operation:*:scope:write"
    assert "stacks-wide" in rules(conditions(like=any_stack, aud="contoso"))


def test_githubs_audience_is_named_as_such():
    """Alone or beside a subject, whose audience is what to write."""
    alone = lint(example({"Condition": {"StringEquals": {AUD: "sts.amazonaws.com"}}}))
    (found,) = [finding for finding in alone if finding.rule == "audience-form"]
    assert "GitHub Actions" in found.message
    assert fixes(conditions(aud="sts.amazonaws.com"))["audience-form"] == "Write 'aws:contoso'."
    assert fixes(conditions(UPDATE, aud="sts.amazonaws.com"))["audience-form"] == "Write 'contoso'."
    assert fixes(conditions(UPDATE, aud="azure:contoso"))["audience-cloud"] == "Write 'contoso'."


def test_a_missing_audience_is_that_of_the_subject():
    """Of Deployments the organization alone; of several products the reader's choice."""
    for subjects, audience in ((DEV, "aws:contoso"), (UPDATE, "contoso"), ([DEV, UPDATE], "aws:ORGANIZATION")):
        fix = fixes({"Condition": {"StringEquals": {SUB: subjects}}})["audience-missing"]
        assert fix == f'Add "{AUD}": "{audience}" under StringEquals.'


def test_several_organizations_in_the_audience_are_found():
    """Without a subject, they alone say whose tokens get in."""
    several = {"Condition": {"StringEquals": {AUD: ["aws:contoso", "aws:fabrikam"]}}}
    assert {"organizations-several", "subject-missing"} <= set(rules(several))
    one = {"Condition": {"StringEquals": {AUD: ["aws:contoso", "contoso"]}}}
    assert "organizations-several" not in rules(one)
    stack = fixes({"Condition": {"StringEquals": {AUD: "contoso"}}})["subject-missing"]
    assert "stack's" in stack


def test_esc_and_deployments_in_one_list_are_two_statements():
    """Each has its own audience: one list of both admits more than either."""
    mixed = conditions([DEV, UPDATE], aud=["aws:contoso", "contoso"])
    assert fixes(mixed) == {
        "audience-mixed": "Write two statements: ESC's with 'aws:contoso', Deployments' with 'contoso'."
    }
    apart = [
        {**example(conditions(sub, aud=aud))["Statement"][0]}
        for sub, aud in ((DEV, "aws:contoso"), (UPDATE, "contoso"))
    ]
    assert lint(example({"Statement": apart})) == []
    assert admits(mixed, DEV)
    assert not admits({"Statement": apart}, DEV)
    assert admits({"Statement": apart}, DEV, "aws:contoso")
    assert admits({"Statement": apart}, UPDATE)


def test_both_audiences_without_a_subject_are_two_statements():
    """One condition on `sub` for both would admit each subject with either audience."""
    fix = fixes({"Condition": {"StringEquals": {AUD: ["contoso", "aws:contoso"]}}})["subject-missing"]
    assert fix.startswith("Write two statements, ")
    assert "ESC's with 'aws:contoso'" in fix
    assert "Deployments' with 'contoso'" in fix


BOTH = ["aws:contoso", "contoso"]


@pytest.mark.parametrize(
    ("elements", "fix"),
    [
        (conditions(aud=BOTH), "Leave 'contoso' out: these subjects come with 'aws:contoso'."),
        (conditions(UPDATE, aud=BOTH), "Leave 'aws:contoso' out: these subjects come with 'contoso'."),
        (conditions(KEYS, aud=BOTH), "Leave 'contoso' out: these subjects come with 'aws:contoso'."),
        (conditions([DEV, f"{LOGIN}:currentEnvironment.name:dev"], aud=BOTH),
         "Write two statements: ESC's with 'aws:contoso', the legacy project's with 'contoso'."),
        (conditions(like="pulumi:*", aud=BOTH),
         "Write two statements: ESC's with 'aws:contoso', Deployments' with 'contoso'."),
    ],
)  # fmt: skip
def test_two_audiences_in_one_statement_are_found(elements, fix):
    """One that no subject comes with is left out; otherwise each gets its own statement."""
    assert fixes(elements)["audience-mixed"] == fix


def test_audiences_of_two_organizations_are_not_mixed():
    """That is another mistake, with a rule of its own."""
    assert "audience-mixed" not in rules(conditions(aud=["aws:contoso", "fabrikam"]))


@pytest.mark.parametrize("claim", [AUD, SUB])
def test_null_beside_a_comparison_is_judged_by_what_it_wants(claim):
    """A claim that has to be there is nothing new; one that has to be missing keeps everybody out."""
    for listed, found in (("false", []), (["false", "true"], []), ("true", ["null-operator"])):
        condition = conditions()["Condition"] | {"Null": {claim: listed}}
        assert rules({"Condition": condition}) == found
        assert admits({"Condition": condition}, DEV, "aws:contoso") is not bool(found)
    (finding,) = lint(example({"Condition": condition}))
    assert (finding.message.endswith("nobody gets in."), finding.fix) == (True, "Leave it out.")
    alone = {"StringEquals": {key: value for key, value in ((AUD, "aws:contoso"), (SUB, DEV)) if key != claim}}
    for listed in ("true", "false"):
        assert fixes({"Condition": alone | {"Null": {claim: listed}}})["null-operator"].startswith("Write StringEquals")


def test_a_subject_beside_others_gets_a_statement_of_its_own():
    """Its audience in the list would be one for the others too; alone, the audience is put right."""
    fix = fixes(conditions([DEV, UPDATE]))["audience-kind"]
    assert fix == "Give it a statement of its own, with the audience 'contoso'."
    assert fixes(conditions(UPDATE))["audience-kind"] == "Write 'contoso', here and as a client ID."
    assert fixes(conditions(aud="contoso"))["audience-kind"] == "Write 'aws:contoso', here and as a client ID."
    open_organization = conditions(
        like=f"{LOGIN.replace('contoso', '*')}:currentEnvironment.name:aws/dev", aud="contoso"
    )
    assert fixes(open_organization)["audience-kind"] == "Write its audience, here and as a client ID."


@pytest.mark.parametrize("operation", ["detect-drift", "remediate-drift"])
def test_an_operation_that_only_the_api_names_is_a_subject(operation):
    """Nobody is told to admit updates in its place."""
    assert rules(conditions(UPDATE.replace("update", operation), "contoso")) == []


def test_a_forgotten_project_is_not_taken_for_the_legacy_one():
    """Its audience is also that of Deployments: the project comes first in the advice."""
    subject = "pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name:dev"
    assert fixes(conditions(subject))["audience-kind"].startswith("Name the environment with its project, PROJECT/ENV")


def test_githubs_provider_is_named_as_such():
    """A statement about Pulumi Cloud's tokens that trusts it is about other tokens."""
    principal = {"Federated": PROVIDER.replace("api.pulumi.com/oidc", "token.actions.githubusercontent.com")}
    (finding,) = lint(example({"Principal": principal}))
    assert finding.message.endswith("is the provider of GitHub Actions.")
