"""Who calls Pulumi Cloud, by access tokens, and what it signs, by its OIDC issuer."""

import jwt
import pytest

from esc_oidc.sandbox.cloud import AccessTokens, AwsLogin, Issuer
from esc_oidc.sandbox.esc import InvalidRequest, LoginBlock, LoginFailed
from esc_oidc.tokens import Opener, Opening


def test_access_tokens_know_their_caller():
    """A token is good for its organizations; one that nobody issued is nobody's."""
    access = AccessTokens()
    alice = access.issue(Opener("alice"), ["contoso", "fabrikam"])
    ops = access.issue(Opener("contoso", "team", "ops"))
    assert access.caller(alice).organizations == ("contoso", "fabrikam")
    assert access.caller(ops).organizations == ("contoso",)
    assert access.caller("pul-0") is None


@pytest.mark.parametrize(
    ("opener", "organizations"), [(Opener("alice"), ()), (Opener("contoso", "organization"), ("fabrikam",))]
)
def test_access_tokens_that_cannot_be(opener, organizations):
    """A person needs an organization; an organization's token is good for that one only."""
    with pytest.raises(InvalidRequest, match="token"):
        AccessTokens().issue(opener, organizations)


def test_minted_tokens_verify_with_the_published_key():
    """A JWT library that sees nothing but the key set accepts the token and reads the claims back."""
    issuer = Issuer()
    token = issuer.mint({"iss": "https://x/oidc", "aud": "aws:contoso", "sub": "s"}, now=None, lifetime=60)
    (key,) = jwt.PyJWKSet.from_dict(issuer.jwks()).keys
    header = jwt.get_unverified_header(token)
    assert (header["alg"], header["kid"]) == ("RS256", key.key_id)
    claims = jwt.decode(token, key, algorithms=["RS256"], audience="aws:contoso", issuer="https://x/oidc")
    assert claims["exp"] - claims["iat"] == 60


def test_a_token_says_what_it_is_told_to():
    """Times that the claims bring along stay; two tokens never have the same id."""
    issuer = Issuer()
    first, second = (
        jwt.decode(issuer.mint({"exp": 5}, now=1000), options={"verify_signature": False}) for _ in range(2)
    )
    assert (first["exp"], first["iat"], first["nbf"]) == (5, 1000, 1000)
    assert first["jti"] != second["jti"]


def test_every_issuer_has_a_key_of_its_own():
    """A token of one sandbox does not verify in another."""
    assert Issuer().key_id != Issuer().key_id


def test_an_aws_that_does_not_answer():
    """The login fails with a diagnostic that says where AWS should have been."""
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
def test_a_login_that_asks_for_what_cannot_be(changed, words):
    """What the schema of `aws-login` lets through is checked before AWS is asked."""
    oidc = {"roleArn": "arn:aws:iam::123456789012:role/x", "sessionName": "esc", **changed}
    with pytest.raises(LoginFailed, match=words):
        AwsLogin(Issuer(), "http://127.0.0.1:9").open(
            Opening("contoso", "aws/dev", Opener("alice")), LoginBlock(oidc, "aws/dev", "aws/dev")
        )
