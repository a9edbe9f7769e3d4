"""Clients of the sandbox's own servers, which nothing in the user's configuration can lead elsewhere."""

import json
from threading import Lock
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import botocore.session
from botocore import UNSIGNED
from botocore.config import Config

# A session of its own reads no profile: an AWS_PROFILE that does not exist here must not matter. Sessions are slow to
# make, and no two threads may make clients of one at once.
_session: Final = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
_making: Final = Lock()

# Whatever proxy the user has, the sandbox is on this machine.
_DIRECT: Final = build_opener(ProxyHandler({}))


class CloudRefused(Exception):  # noqa: N818 - an answer, not a mistake in the program
    """Pulumi Cloud's refusal of a call, in its own words."""


def client(service: str, url: str, *, region: str = "us-east-1", signed: bool = True, **credentials: Any) -> Any:
    """A boto3 client of the sandbox. It checks no parameters: that is the sandbox's part."""
    keys: dict[str, Any] = {"aws_access_key_id": "test", "aws_secret_access_key": "test"} | credentials
    config = Config(
        retries={"max_attempts": 1},
        proxies={},
        parameter_validation=False,
        signature_version=None if signed else UNSIGNED,
    )
    with _making:
        return _session.create_client(service, region_name=region, endpoint_url=url, config=config, **keys)


def call_cloud(url: str, access_token: str, method: str, path: str, body: str | None = None) -> Any:
    """One REST call to Pulumi Cloud; gives the JSON of the answer, if there is any, or raises CloudRefused."""
    headers = {"Authorization": f"token {access_token}", "Content-Type": "application/json"}
    data = None if body is None else body.encode()
    try:
        with _DIRECT.open(Request(f"{url}{path}", data, headers, method=method)) as reply:  # noqa: S310 - it is ours
            text = reply.read()
    except HTTPError as error:
        answer = json.loads(error.read())
        summaries = "; ".join(each["summary"] for each in answer.get("diagnostics", ()))
        raise CloudRefused(f"[{error.code}] {summaries or answer['message']}") from error
    return json.loads(text) if text else None
