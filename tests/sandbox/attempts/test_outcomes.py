"""What an attempt to get in comes to: who was admitted, or AWS's error code, the reason and the decision."""

from esc_oidc.sandbox import EnvironmentRef
from esc_oidc.sandbox.attempts import Outcome, assume_role, open_by_name, open_for_stack
from esc_oidc.tokens import Opener

LOGIN = """values:
  aws:
    login:
      fn::open::aws-login:
        oidc: {{roleArn: "{role}", sessionName: esc, duration: 1h, subjectAttributes: [currentEnvironment.name]}}
"""


def written(sandbox, name, definition):
    """An environment of contoso with a definition."""
    ref = EnvironmentRef("contoso", "aws", name)
    sandbox.store.create(ref, "alice")
    sandbox.store.update(ref, definition, "alice")
    return ref


def test_an_admission_has_an_identity(sandbox, role):
    """AWS says who the caller is and until when, by name and for a stack alike."""
    ref, token = written(sandbox, "dev", LOGIN.format(role=role)), sandbox.access_token(Opener("alice"), ["contoso"])
    for outcome in (open_by_name(sandbox, token, ref), open_for_stack(sandbox, token, ref)):
        assert outcome.admitted
        assert outcome.identity.endswith(":assumed-role/esc/esc")
        assert outcome.until is not None
        assert (outcome.error, outcome.reason) == ("", "")
        assert outcome.decision.allowed


def test_a_refusal_by_the_trust_policy_carries_its_decision(sandbox, role):
    """AWS's code is separate from the reason, which omits what every refusal says."""
    ref, token = written(sandbox, "other", LOGIN.format(role=role)), sandbox.access_token(Opener("alice"), ["contoso"])
    outcome = open_by_name(sandbox, token, ref)
    assert (outcome.admitted, outcome.error) == (False, "AccessDenied")
    assert outcome.reason.startswith("Statement 0 does not apply")
    assert (outcome.decision.allowed, outcome.decision.error) == (False, "AccessDenied")


def test_a_session_that_is_too_long_is_a_validation_error(sandbox, role, claims):
    """A token presented directly to AWS has the same kind of outcome."""
    outcome = assume_role(sandbox, role, claims(), 7201)
    assert (outcome.error, outcome.decision.error) == ("ValidationError", "ValidationError")
    assert "the role allows at most 2h" in outcome.reason


def test_a_refused_token_has_no_decision(sandbox, role, claims):
    """A bad token never reaches the trust policy."""
    outcome = assume_role(sandbox, role, claims(exp=1))
    assert (outcome.error, outcome.decision) == ("ExpiredTokenException", None)


def test_a_refusal_by_pulumi_cloud_has_no_error_code(sandbox):
    """AWS was not asked; the words are Pulumi Cloud's."""
    token = sandbox.access_token(Opener("alice"), ["contoso"])
    outcome = open_by_name(sandbox, token, EnvironmentRef("contoso", "aws", "none"))
    assert outcome == Outcome(reason="[404] environment contoso/aws/none not found")
