"""Properties of `decide` and of its wildcards, for policies and tokens that nobody thought of."""

from hypothesis import given, settings
from hypothesis import strategies as st

from esc_oidc.claims import (
    ATTRIBUTES,
    audience,
    default_subject,
    deployment_subject,
    subject,
)
from esc_oidc.verify import Request, compile_policy
from esc_oidc.verify.policy import matches
from tests.support.policies import by_recursion

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


@given(st.text("ab:*?", max_size=8), st.text("ab:*?\n", max_size=10))
@settings(max_examples=2000)
def test_wildcards_match_as_defined(pattern, value):
    """The compiled expression matches exactly what `*` and `?` are defined to match."""
    assert matches(pattern, value) == by_recursion(pattern, value)


@given(NAME, st.lists(SUBJECT, min_size=1, max_size=5, unique=True), SUBJECT)
@settings(max_examples=1000)
def test_exactly_the_listed_subjects_get_in(organization, subjects, other):
    """A policy with exact subjects admits each of them and no other, and can always say why."""
    aud = audience(organization, "aws")
    policy = trust(aud, subjects)
    assert all(ask(policy, aud, listed).allowed for listed in subjects)
    decision = ask(policy, aud, other)
    assert decision.allowed == (other in subjects)
    assert decision.reason


@given(SUBJECT, st.data())
@settings(max_examples=1000)
def test_a_token_with_one_character_changed_is_refused(sub, data):
    """Whether in the audience or in the subject, and with a reason."""
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
    """If the key exists, a negated operator holds exactly if its positive form doesn't."""
    positive, negative = (
        ask(trust("a", [wanted], name), "a", had).allowed
        for name in (operator, operator.replace("String", "StringNot"))
    )
    assert positive is not negative
