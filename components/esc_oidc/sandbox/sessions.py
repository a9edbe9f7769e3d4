"""Opening environments and assuming roles as the real clients do, and what came of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

import pulumi_esc_sdk
from botocore.exceptions import ClientError

from ..claims import LEGACY_PROJECT
from .names import Reference
from .requests import CloudRefused, call_cloud, client
from .servers import Sandbox

_SHORTEST, _LONGEST = 3, 40
"""How long an organization's name pulumi-esc-sdk takes; Pulumi Cloud's own limits are wider."""

_REFUSAL: Final = "Not authorized to perform sts:AssumeRoleWithWebIdentity: "


@dataclass(frozen=True)
class Outcome:
    """What an opening or a direct request came to.

    Args:
        identity: Who the credentials make of the caller, as AWS's GetCallerIdentity says; None when refused.
        until: When they expire.
        reason: Why it was refused; empty when not.
    """

    identity: str | None = None
    until: datetime | None = None
    reason: str = ""

    @property
    def admitted(self) -> bool:
        """Whether credentials came out, and AWS took them."""
        return self.identity is not None


def open_by_name(sandbox: Sandbox, access_token: str, reference: Reference) -> Outcome:
    """Open an environment as `pulumi env open` does, with the client of the package pulumi-esc-sdk."""
    organization_length = len(reference.organization)
    if reference.project.startswith(LEGACY_PROJECT) or not _SHORTEST <= organization_length <= _LONGEST:
        # The SDK's client refuses these by itself; the CLI makes the same two calls.
        return _open_path(sandbox, access_token, f"{reference.organization}/{reference.path}", None)
    configuration = pulumi_esc_sdk.Configuration(host=sandbox.cloud_url, access_token=access_token)
    esc = pulumi_esc_sdk.EscClient(configuration)
    try:
        _, values, _ = esc.open_and_read_environment(reference.organization, reference.project, reference.name)
    except pulumi_esc_sdk.ApiException as error:
        diagnostics = getattr(error.data, "diagnostics", None) or ()
        return _refused("; ".join(str(each.summary) for each in diagnostics) or str(error))
    return _identity(sandbox, values["aws"]["login"])


def open_for_stack(sandbox: Sandbox, access_token: str, reference: Reference) -> Outcome:
    """Open an environment as `pulumi up` does for a stack that lists it: an anonymous definition that imports it."""
    body = json.dumps({"imports": [reference.path]})
    return _open_path(sandbox, access_token, f"{reference.organization}/yaml", body)


def _open_path(sandbox: Sandbox, access_token: str, path: str, body: str | None) -> Outcome:
    base = f"/api/esc/environments/{quote(path)}/open"
    try:
        opened = call_cloud(sandbox.cloud_url, access_token, "POST", f"{base}?duration=2h0m0s", body)
        read = call_cloud(sandbox.cloud_url, access_token, "GET", f"{base}/{opened['id']}")
    except CloudRefused as error:
        return _refused(str(error))
    login = read["properties"]["aws"]["value"]["login"]["value"]
    return _identity(sandbox, {key: value["value"] for key, value in login.items()})


def assume_role(
    sandbox: Sandbox,
    role_arn: str,
    claims: Mapping[str, Any],
    seconds: int | None = None,
    session_name: str = "esc-oidc-try",
) -> Outcome:
    """Present a signed token with these claims to AWS directly, as any AWS SDK does."""
    sts = client("sts", sandbox.aws_url, signed=False)
    request = {
        "RoleArn": role_arn,
        "RoleSessionName": session_name,
        "WebIdentityToken": sandbox.issuer.mint(claims),
    }
    try:
        given = sts.assume_role_with_web_identity(**request, **({"DurationSeconds": seconds} if seconds else {}))
    except ClientError as error:
        return _refused(f"{error.response['Error']['Code']}: {error.response['Error']['Message']}")
    keys = given["Credentials"]
    return _identity(
        sandbox,
        {
            "accessKeyId": keys["AccessKeyId"],
            "secretAccessKey": keys["SecretAccessKey"],
            "sessionToken": keys["SessionToken"],
        },
    )


def _identity(sandbox: Sandbox, login: Mapping[str, str]) -> Outcome:
    """Use the credentials: who they make of the caller, and until when AWS keeps them."""
    sts = client(
        "sts",
        sandbox.aws_url,
        aws_access_key_id=login["accessKeyId"],
        aws_secret_access_key=login["secretAccessKey"],
        aws_session_token=login["sessionToken"],
    )
    return Outcome(sts.get_caller_identity()["Arn"], sandbox.session_end(login["accessKeyId"]))


def _refused(message: str) -> Outcome:
    """A refusal's reason, without the words that every refusal has."""
    _, found, reason = message.partition(_REFUSAL)
    return Outcome(reason=reason if found else message.rpartition("StatusCode: ")[2])
