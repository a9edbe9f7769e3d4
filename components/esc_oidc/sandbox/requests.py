"""Requests to the sandbox's own servers, which nothing in the user's configuration can lead elsewhere."""

import json
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import botocore.session
from botocore import UNSIGNED
from botocore.config import Config


def client(service: str, url: str, *, region: str = "us-east-1", signed: bool = True, **credentials: Any) -> Any:
    """A boto3 client of the sandbox, which nothing in the user's own AWS configuration can lead elsewhere."""
    keys: dict[str, Any] = {"aws_access_key_id": "test", "aws_secret_access_key": "test"} | credentials
    config = Config(
        retries={"max_attempts": 1},
        proxies={},
        signature_version=None if signed else UNSIGNED,
    )
    # A session of its own reads no profile: an AWS_PROFILE that does not exist here must not matter.
    session = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    return session.create_client(service, region_name=region, endpoint_url=url, config=config, **keys)


class CloudRefused(Exception):  # noqa: N818 - an answer, not a mistake in the program
    """Pulumi Cloud's refusal of a call, in its own words."""


# Whatever proxy the user has, the sandbox is on this machine.
_DIRECT: Final = build_opener(ProxyHandler({}))


def call_cloud(url: str, access_token: str, method: str, path: str, body: str | None = None) -> Any:
    """One REST call to Pulumi Cloud; gives the JSON of the answer, None where there is none.

    Raises:
        CloudRefused: With what Pulumi Cloud said.
    """
    headers = {"Authorization": f"token {access_token}", "Content-Type": "application/json"}
    data = None if body is None else body.encode()
    try:
        with _DIRECT.open(Request(f"{url}{path}", data, headers, method=method)) as reply:  # noqa: S310 - it is ours
            text = reply.read()
    except HTTPError as error:
        raise CloudRefused(_refusal(error.code, error.read())) from error
    return json.loads(text) if text else None


def _refusal(status: int, body: bytes) -> str:
    answer = json.loads(body)
    summaries = [each["summary"] for each in answer.get("diagnostics", ())]
    return f"[{status}] " + ("; ".join(summaries) or str(answer["message"]))
