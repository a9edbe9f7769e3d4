"""Properties of `decide` and of what it is made of, for inputs that nobody thought of."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esc_oidc.claims import ATTRIBUTES, audience, default_subject, deployment_subject, subject
from esc_oidc.verify import Request, compile_policy
from esc_oidc.verify.subjects import AttributeSubject, DefaultSubject, DeploymentSubject, read_subject
from esc_oidc.verify.variables import matches

ISSUER = "https://api.pulumi.com/oidc"
NAME = st.text("abcXYZ019._-", min_size=1, max_size=8)
ENVIRONMENT = st.builds("{}/{}".format, NAME, NAME)
SUBJECT = st.one_of(
    st.builds(subject, NAME, st.lists(st.tuples(st.sampled_from(ATTRIBUTES), ENVIRONMENT | NAME), max_size=4)),
    st.builds(default_subject, NAME, NAME, NAME),
    st.builds(deployment_subject, NAME, NAME, NAME, st.sampled_from(["update", "destroy"])),
)


def trust(aud, subjects, operator="StringEquals"):
    """The trust policy that the component writes for these subjects."""
    key = "api.pulumi.com/oidc"
    return compile_policy(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Federated": f"arn:aws:iam::123456789012:oidc-provider/{key}"},
                    "Action": "sts:AssumeRoleWithWebIdentity",
                    "Condition": {"StringEquals": {f"{key}:aud": aud}}
                    | {
                        operator: {f"{key}:sub": subjects} | ({f"{key}:aud": aud} if operator == "StringEquals" else {})
                    },
                }
            ],
        }
    )


def ask(policy, aud, sub):
    """The decision about a token with this audience and subject."""
    return policy.decide(Request({"iss": ISSUER, "aud": aud, "sub": sub}, ISSUER))


def by_recursion(pattern, value):
    """AWS's wildcards in the plainest way: `*` any run, `?` one character."""
    if not pattern:
        return not value
    if pattern[0] == "*":
        return by_recursion(pattern[1:], value) or (bool(value) and by_recursion(pattern, value[1:]))
    return bool(value) and pattern[0] in {"?", value[0]} and by_recursion(pattern[1:], value[1:])


@given(st.text("ab:*?", max_size=8), st.text("ab:*?\n", max_size=10))
@settings(max_examples=2000)
def test_wildcards_match_as_defined(pattern, value):
    """The compiled expression matches exactly what the definition of `*` and `?` matches."""
    assert matches(pattern, value) == by_recursion(pattern, value)


@given(NAME, st.lists(SUBJECT, min_size=1, max_size=5, unique=True), SUBJECT)
@settings(max_examples=1000)
def test_exactly_the_listed_subjects_get_in(organization, subjects, other):
    """A policy with exact subjects admits those, each of them, and no other, and can always say why."""
    aud = audience(organization, "aws")
    policy = trust(aud, subjects)
    assert all(ask(policy, aud, listed).allowed for listed in subjects)
    decision = ask(policy, aud, other)
    assert decision.allowed == (other in subjects)
    assert decision.reason


@given(SUBJECT, st.data())
@settings(max_examples=1000)
def test_one_character_makes_another_token(sub, data):
    """Every change of a single character of an admitted audience or subject is refused, with a reason."""
    aud = "aws:contoso"
    policy = trust(aud, [sub])
    admitted = data.draw(st.sampled_from([aud, sub]))
    place = data.draw(st.integers(0, len(admitted)))
    changed = admitted[:place] + data.draw(st.text(max_size=1)) + admitted[place + data.draw(st.integers(0, 1)) :]
    decision = ask(policy, changed, sub) if admitted == aud else ask(policy, aud, changed)
    assert decision.allowed == (changed == admitted)
    assert decision.allowed or (decision.error == "AccessDenied" and decision.reason.startswith("Statement 0"))


@given(st.sampled_from(["StringEquals", "StringLike", "StringEqualsIgnoreCase"]), SUBJECT, SUBJECT)
def test_a_negated_operator_is_the_opposite(operator, wanted, had):
    """With the key there, a negated operator holds if and only if its positive form does not."""
    positive, negative = (
        ask(trust("a", [wanted], name), "a", had).allowed
        for name in (operator, operator.replace("String", "StringNot"))
    )
    assert positive is not negative


@given(NAME, st.lists(st.tuples(st.sampled_from(ATTRIBUTES), ENVIRONMENT | NAME), max_size=4))
def test_a_subject_with_attributes_is_read_as_it_was_composed(organization, attributes):
    """Reading a subject gives back the organization and the attributes it was composed of, in order."""
    assert read_subject(subject(organization, attributes)) == AttributeSubject(organization, tuple(attributes))


@given(NAME, NAME.filter(lambda project: project != "default"), NAME)
def test_a_subject_without_attributes_is_read_as_it_was_composed(organization, project, environment):
    """Reading gives back organization and environment, the legacy project left out."""
    read = read_subject(default_subject(organization, project, environment))
    assert read == DefaultSubject(organization, f"{project}/{environment}")
    assert read_subject(default_subject(organization, "default", environment)) == DefaultSubject(
        organization, environment
    )


@given(NAME, NAME, NAME)
def test_a_deployment_is_read_as_it_was_composed(organization, project, stack):
    """Reading gives back organization, project, stack, operation and scope."""
    read = read_subject(deployment_subject(organization, project, stack, "update"))
    fields = (("project", project), ("stack", stack), ("operation", "update"), ("scope", "write"))
    assert read == DeploymentSubject(organization, fields)


@pytest.mark.parametrize("other", ["", "repo:contoso/app", "pulumi:environments", "Pulumi:deploy:org:x"])
def test_other_subjects_are_not_read(other):
    """What Pulumi Cloud does not mint is not read."""
    assert read_subject(other) is None
