"""More than one AWS account in one sandbox, and no way around the decision on a token."""

import gzip
import http.client
import json
from urllib.parse import urlencode

import pytest

from esc_oidc.sandbox import Sandbox, client

AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=x/19700101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0"


def test_an_access_key_of_twelve_digits_belongs_to_that_account():
    """Resources made with it are in that account and no other."""
    with Sandbox() as sandbox:
        names = {}
        for account in ("111111111111", "222222222222"):
            iam = client("iam", sandbox.aws_url, aws_access_key_id=account)
            iam.create_open_id_connect_provider(Url="https://api.pulumi.com/oidc", ClientIDList=["aws:contoso"])
            (provider,) = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
            names[account] = provider["Arn"]
        assert all(f":{account}:" in arn for account, arn in names.items())
        assert client("iam", sandbox.aws_url).list_open_id_connect_providers()["OpenIDConnectProviderList"] == []


def test_an_account_belongs_to_one_sandbox():
    """A second sandbox with the same account is refused."""
    with Sandbox() as one, Sandbox() as other:
        client("sts", one.aws_url, aws_access_key_id="333333333333").get_caller_identity()
        with pytest.raises(Exception, match=r"500|InternalFailure|another sandbox"):
            client("sts", other.aws_url, aws_access_key_id="333333333333").get_caller_identity()


@pytest.mark.parametrize("where", ["body", "query"])
@pytest.mark.parametrize("dress", ["plain", "target", "gzip"])
def test_no_disguise_gets_a_web_identity_past_the_decision(sandbox, role, token, where, dress):
    """Whatever moto would make of a request, credentials come only from a decision on the token."""
    form = {
        "RoleArn": role,
        "RoleSessionName": "esc",
        "WebIdentityToken": token(sub="somebody else"),
        "Version": "2011-06-15",
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": AUTHORIZATION}
    if dress == "target":
        headers["X-Amz-Target"] = "x.AssumeRoleWithWebIdentity"
    else:
        form["Action"] = "AssumeRoleWithWebIdentity"
    body = urlencode(form).encode()
    path = "/" if where == "body" else f"/?{urlencode(form)}"
    if dress == "gzip":
        headers["Content-Encoding"] = "gzip"
        body = gzip.compress(body)
    connection = http.client.HTTPConnection(sandbox.aws_url.removeprefix("http://"))
    connection.request("POST", path, body if where == "body" else b"", headers)
    reply = connection.getresponse()
    answer = reply.read().decode()
    connection.close()
    assert "AccessKeyId" not in answer
    assert reply.status >= 400 or "Credentials" not in json.dumps(answer)
