"""`check_token` against tokens signed with real keys."""

import base64
import builtins
import json
from dataclasses import dataclass

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from esc_oidc.verify import Request, TokenRefused, UndefinedBehaviour, check_token, decide
from tests.support.policies import DEV, example

ISSUER = "https://api.pulumi.com/oidc"
NOW = 1_700_000_000
CLAIMS = {
    "iss": ISSUER,
    "aud": "aws:contoso",
    "sub": "pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name:aws/dev",
    "iat": NOW - 10,
    "exp": NOW + 3600,
}


@dataclass(frozen=True)
class Signer:
    """Private keys and the key set an issuer would publish for them."""

    rsa: rsa.RSAPrivateKey
    ec: ec.EllipticCurvePrivateKey

    @property
    def jwks(self):
        """The public halves."""
        return {
            "keys": [
                {**RSAAlgorithm.to_jwk(self.rsa.public_key(), as_dict=True), "kid": "r", "use": "sig"},
                {**ECAlgorithm.to_jwk(self.ec.public_key(), as_dict=True), "kid": "e"},
            ]
        }

    def token(self, algorithm="RS256", kid="r", **claims):
        """A token with these claims changed; None leaves a claim out."""
        payload = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
        key = self.ec if algorithm.startswith("ES") else self.rsa
        return pyjwt.encode(payload, key, algorithm=algorithm, headers={"kid": kid} if kid else None)


@pytest.fixture(scope="module")
def signer():
    """One RSA and one P-256 key."""
    return Signer(rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1()))


def check(token, signer, now=NOW, issuer=ISSUER, client_ids=("aws:contoso",)):
    """Check a token against the signer's key set."""
    return check_token(token, signer.jwks, now, issuer, client_ids)


def refusal(token, signer, **more):
    """AWS's error and the reason for a token that is refused."""
    with pytest.raises(TokenRefused) as refused:
        check(token, signer, **more)
    assert refused.value.error in str(refused.value)
    return refused.value.error, refused.value.reason


def unsigned(header, payload, signature=b""):
    """A token put together by hand."""
    parts = [json.dumps(header).encode(), json.dumps(payload).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.mark.parametrize(("algorithm", "kid"), [("RS256", "r"), ("RS384", "r"), ("RS512", "r"), ("ES256", "e")])
def test_a_genuine_token_gives_its_claims(signer, algorithm, kid):
    """A token signed with RSA or ECDSA by a published key gives its claims."""
    assert check(signer.token(algorithm, kid), signer) == CLAIMS


def test_a_token_without_kid_is_tried_with_every_key(signer):
    """A token that names no key is genuine if one of the published keys signed it."""
    assert check(signer.token(kid=None), signer) == CLAIMS


def test_the_algorithm_none_is_refused(signer):
    """An unsigned token is worthless."""
    assert refusal(unsigned({"alg": "none"}, CLAIMS), signer) == (
        "InvalidIdentityToken",
        "The token is signed by 'none'; AWS takes RS256, RS384, RS512, ES256, ES384, ES512.",
    )


def test_a_shared_secret_is_no_signature(signer):
    """HMAC with the public key as the secret is refused for its algorithm."""
    error, reason = refusal(pyjwt.encode(CLAIMS, "s" * 32, algorithm="HS256", headers={"kid": "r"}), signer)
    assert (error, "HS256" in reason) == ("InvalidIdentityToken", True)


def test_pss_is_refused(signer):
    """RSA-PSS is a genuine signature, but AWS doesn't accept it."""
    error, reason = refusal(signer.token("PS256"), signer)
    assert (error, "PS256" in reason) == ("InvalidIdentityToken", True)


def test_another_key_is_a_forgery(signer):
    """A token that somebody else signed under the issuer's key id is refused."""
    other = Signer(rsa.generate_private_key(65537, 2048), signer.ec)
    error, reason = refusal(other.token(), signer)
    assert (error, "does not verify" in reason) == ("InvalidIdentityToken", True)


def test_an_altered_claim_is_a_forgery(signer):
    """A token whose payload changed after signing is refused."""
    header, _, signature = signer.token().split(".")
    payload = unsigned({}, {**CLAIMS, "sub": CLAIMS["sub"].replace("dev", "prod")}).split(".")[1]
    assert "does not verify" in refusal(f"{header}.{payload}.{signature}", signer)[1]


@pytest.mark.parametrize(("algorithm", "kid"), [("RS256", "x"), ("RS256", "e"), ("ES256", "r")])
def test_an_unpublished_key_is_refused(signer, algorithm, kid):
    """The token names a key that is missing or of another type."""
    assert "has no key" in refusal(signer.token(algorithm, kid), signer)[1]


@pytest.mark.parametrize("change", [{"use": "enc"}, {"alg": "RS512"}, {"n": "!"}, {"kty": "oct"}])
def test_a_key_for_another_purpose_verifies_nothing(signer, change):
    """It is for encryption or another algorithm, or isn't a key."""
    keys = [{**key, **change} if key["kid"] == "r" else key for key in signer.jwks["keys"]]
    with pytest.raises(TokenRefused, match="has no key"):
        check_token(signer.token(), {"keys": keys}, NOW, ISSUER, ["aws:contoso"])


@pytest.mark.parametrize("jwks", [{}, {"keys": None}, {"keys": []}, {"keys": ["x"]}])
def test_an_empty_key_set_verifies_nothing(signer, jwks):
    """The issuer publishes no key."""
    with pytest.raises(TokenRefused, match="has no key"):
        check_token(signer.token(), jwks, NOW, ISSUER, ["aws:contoso"])


def test_the_issuer_is_compared_exactly(signer):
    """Even one extra slash is refused, and the message names the mistake."""
    assert refusal(signer.token(iss=f"{ISSUER}/"), signer)[0] == "InvalidIdentityToken"
    assert "'/v2'" in refusal(signer.token(iss=f"{ISSUER}/v2"), signer)[1]


def test_the_audience_must_be_registered(signer):
    """A token for an audience that the provider lacks is refused; whether to register it depends on the policy."""
    error, reason = refusal(signer.token(), signer, client_ids=["contoso"])
    assert error == "InvalidIdentityToken"
    assert "The provider knows this organization's other audience, 'contoso'" in reason
    assert "add-client-id" not in reason


def test_without_client_ids_the_audience_is_left_to_decide(signer):
    """`decide` knows the account, so its refusal has the whole command; everything else is checked here."""
    token = signer.token(aud="azure:contoso")
    assert check(token, signer, client_ids=None)["aud"] == "azure:contoso"
    assert refusal(token, signer)[0] == "InvalidIdentityToken"


def test_a_list_of_audiences_is_undefined(signer):
    """AWS doesn't say what it makes of one."""
    with pytest.raises(UndefinedBehaviour, match="aud is a list"):
        check(signer.token(aud=["aws:contoso"]), signer)


@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "exp", "iat"])
def test_the_claims_of_openid_connect_are_required(signer, claim):
    """The refusal names the missing claim."""
    assert refusal(signer.token(**{claim: None}), signer) == (
        "InvalidIdentityToken",
        f"The token has no {claim}, which every OpenID Connect token must have.",
    )


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({"exp": NOW - 300}, None),
        ({"exp": NOW - 301}, "ExpiredTokenException"),
        ({"nbf": NOW + 300}, None),
        ({"nbf": NOW + 301}, "InvalidIdentityToken"),
        ({"iat": NOW + 300}, None),
        ({"iat": NOW + 301}, "InvalidIdentityToken"),
        ({"exp": "later"}, "InvalidIdentityToken"),
        ({"nbf": True}, "InvalidIdentityToken"),
    ],
)
def test_clocks_may_differ_by_five_minutes(signer, claims, error):
    """Expiry, start and issue have five minutes' grace, to the second."""
    if error is None:
        assert check(signer.token(**claims), signer)
    else:
        assert refusal(signer.token(**claims), signer)[0] == error


@pytest.mark.parametrize("padding", [0, 1])
def test_a_token_has_at_most_20000_characters(signer, padding):
    """One more is AWS's ValidationError."""
    token = signer.token(kid=None)
    token += "x" * (20_000 + padding - len(token))
    error, reason = refusal(token, signer)
    if padding:
        assert (error, "20001 characters" in reason) == ("ValidationError", True)
    else:
        assert error == "InvalidIdentityToken"


@pytest.mark.parametrize("token", ["", "abc"])
def test_a_token_has_at_least_four_characters(signer, token):
    """Fewer are AWS's ValidationError."""
    assert refusal(token, signer)[0] == "ValidationError"


@pytest.mark.parametrize("token", ["abcd", "a.b.c", "....", "\N{GRINNING FACE}" * 4, unsigned({"alg": "RS256"}, [1])])
def test_text_that_is_no_jwt_is_refused(signer, token):
    """It is never quoted."""
    error, reason = refusal(token, signer)
    assert error == "InvalidIdentityToken"
    assert token not in reason


def test_without_pyjwt_the_error_says_what_to_install(signer, monkeypatch):
    """The base install lacks PyJWT: the error names the extra."""
    token = signer.token()
    real = builtins.__import__

    def without(name, *rest, **more):
        if name == "jwt":
            raise ModuleNotFoundError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'esc-oidc\[sandbox\]'"):
        check(token, signer)


def test_without_cryptography_the_error_says_what_to_install(signer, monkeypatch):
    """PyJWT without cryptography knows neither RSA nor ECDSA: the error names the extra."""
    monkeypatch.setattr("jwt.algorithms.has_crypto", False)
    with pytest.raises(ModuleNotFoundError, match=r"esc-oidc\[sandbox\]"):
        check(signer.token(), signer)


@pytest.mark.parametrize("size", [300, 400, 5000])
@pytest.mark.parametrize("sign", [1, -1])
def test_claims_may_be_numbers_of_any_size(size, sign):
    """A time that no float holds is past or ahead like any other; elsewhere a number is no claim that AWS takes."""
    number, policy = sign * 10**size, example({})
    claims = {"iss": ISSUER, "aud": "aws:contoso", "sub": DEV}
    for claim, is_refused in (("exp", sign < 0), ("nbf", sign > 0), ("iat", sign > 0)):
        decision = decide(policy, Request({**claims, claim: number}, ISSUER))
        assert decision.allowed is not is_refused
        assert f"1.00e+{size}" in decision.reason or not is_refused
    for listed in (number, [number]):
        for claim in ("exp", "iss"):
            assert decide(policy, Request({**claims, claim: listed}, ISSUER)).reason
        for claim in ("aud", "sub"):
            with pytest.raises(UndefinedBehaviour):
                decide(policy, Request({**claims, claim: listed}, ISSUER))
