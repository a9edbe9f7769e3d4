"""Who calls Pulumi Cloud, by access tokens, and what it signs, by its OIDC issuer."""

import jwt
import pytest

from esc_oidc.sandbox.cloud import AccessTokens, AwsLogin, Issuer
from esc_oidc.sandbox.esc import InvalidRequest, LoginBlock, LoginFailed
from esc_oidc.tokens import Opener, Opening


def test_access_tokens_know_their_caller():
    """A token is good for its organizations; an unknown token belongs to nobody."""
    access = AccessTokens()
    alice = access.issue(Opener("alice"), ["contoso", "fabrikam"])
    ops = access.issue(Opener("contoso", "team", "ops"))
    assert access.caller(alice).organizations == ("contoso", "fabrikam")
    assert access.caller(ops).organizations == ("contoso",)
    assert access.caller("pul-0") is None


@pytest.mark.parametrize(
    ("opener", "organizations"), [(Opener("alice"), ()), (Opener("contoso", "organization"), ("fabrikam",))]
)
def test_impossible_access_tokens_are_refused(opener, organizations):
    """A person needs an organization; an organization's token is good only for its own."""
    with pytest.raises(InvalidRequest, match="token"):
        AccessTokens().issue(opener, organizations)


def test_minted_tokens_verify_with_the_published_key():
    """A JWT library that has only the key set accepts the token and reads its claims."""
    issuer = Issuer()
    token = issuer.mint({"iss": "https://x/oidc", "aud": "aws:contoso", "sub": "s"}, now=None, lifetime=60)
    (key,) = jwt.PyJWKSet.from_dict(issuer.jwks()).keys
    header = jwt.get_unverified_header(token)
    assert (header["alg"], header["kid"]) == ("RS256", key.key_id)
    claims = jwt.decode(token, key, algorithms=["RS256"], audience="aws:contoso", issuer="https://x/oidc")
    assert claims["exp"] - claims["iat"] == 60


def test_a_token_has_the_given_claims():
    """Given times are kept; no two tokens have the same id."""
    issuer = Issuer()
    first, second = (
        jwt.decode(issuer.mint({"exp": 5}, now=1000), options={"verify_signature": False}) for _ in range(2)
    )
    assert (first["exp"], first["iat"], first["nbf"]) == (5, 1000, 1000)
    assert first["jti"] != second["jti"]


def test_every_issuer_has_a_key_of_its_own():
    """A token of one sandbox doesn't verify in another."""
    assert Issuer().key_id != Issuer().key_id


def test_a_login_without_aws_fails_with_its_address():
    """The diagnostic says where AWS should have been."""
    login = AwsLogin(Issuer(), "http://127.0.0.1:9")
    oidc = {"roleArn": "arn:aws:iam::123456789012:role/x", "sessionName": "esc", "duration": "1h"}
    block = LoginBlock(oidc, "aws/dev", "aws/dev")
    with pytest.raises(LoginFailed, match=r"AWS did not answer at http://127\.0\.0\.1:9"):
        login.open(Opening("contoso", "aws/dev", Opener("alice")), block)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"duration": ""}, "'' is not a duration"),
        ({"subjectAttributes": ["pulumi.token.name"]}, "use one of"),
    ],
)
def test_an_impossible_login_fails_before_aws_is_asked(changed, words):
    """These are inputs that the schema of `aws-login` lets through."""
    oidc = {"roleArn": "arn:aws:iam::123456789012:role/x", "sessionName": "esc", **changed}
    with pytest.raises(LoginFailed, match=words):
        AwsLogin(Issuer(), "http://127.0.0.1:9").open(
            Opening("contoso", "aws/dev", Opener("alice")), LoginBlock(oidc, "aws/dev", "aws/dev")
        )
