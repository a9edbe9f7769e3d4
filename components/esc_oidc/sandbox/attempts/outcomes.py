"""Attempts to get in: what a component declares is the yardstick, and what AWS answers is what is measured."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, Final
from urllib.parse import quote

import pulumi_esc_sdk
from botocore.exceptions import ClientError

from ...claims import LEGACY_PROJECT
from ...trust import ACTION
from ...verify import Decision
from ..clients import CloudRefused, call_cloud, client
from ..esc import EnvironmentRef
from ..servers import Sandbox

_SHORTEST, _LONGEST = 3, 40
"""How long an organization's name pulumi-esc-sdk takes; Pulumi Cloud's own limits are wider."""

_ANSWER: Final = re.compile(r"StatusCode: [0-9]+, (\w+): (.*)", re.DOTALL)
_NOT_AUTHORIZED: Final = f"Not authorized to perform {ACTION}: "


@dataclass(frozen=True)
class Outcome:
    """What an opening or a direct request came to.

    Args:
        identity: Who the credentials make of the caller, as AWS's GetCallerIdentity says; None if refused.
        until: When they expire.
        error: AWS's error code; empty if admitted, or if Pulumi Cloud refused and AWS was not asked.
        reason: Why it was refused; empty if not.
        decision: What the sandbox's STS decided; None if it did not come to that, as for a bad token.
    """

    identity: str | None = None
    until: datetime | None = None
    error: str = ""
    reason: str = ""
    decision: Decision | None = None

    @property
    def admitted(self) -> bool:
        """Whether credentials came out, and AWS took them."""
        return self.identity is not None


@dataclass(frozen=True)
class Attempt:
    """One try.

    Args:
        component: Which component's role it was for.
        who: Who tried, and what.
        expected: Whether the component's declaration admits it.
        outcome: What happened.
    """

    component: str
    who: str
    expected: bool
    outcome: Outcome

    @property
    def as_expected(self) -> bool:
        """Whether what happened is what was declared."""
        return self.expected == self.outcome.admitted


@dataclass(frozen=True)
class Declared:
    """What a component declares.

    Args:
        kind: The component's type token.
        name: Its name in the program.
        outputs: What it registered.
    """

    kind: str
    name: str
    outputs: Mapping[str, Any]

    @property
    def role_arn(self) -> str:
        """The role."""
        return str(self.outputs["roleArn"])

    @property
    def issuer(self) -> str:
        """Who signs, by the provider that the role trusts."""
        return "https://" + str(self.outputs["oidcProviderArn"]).partition("/")[2]

    @property
    def subjects(self) -> tuple[str, ...]:
        """The subjects that must be admitted; `*` stands for any run of characters."""
        return tuple(self.outputs["subjects"])

    def admits(self, claims: Mapping[str, str]) -> bool:
        """Whether a token with these claims was declared. It knows no trust policy: that is what is measured."""
        same_audience = claims["aud"] == self.outputs["audience"]
        return same_audience and any(fnmatchcase(claims["sub"], declared) for declared in self.subjects)

    def attempt(self, who: str, claims: Mapping[str, str], outcome: Outcome) -> Attempt:
        """The attempt of somebody whose token had these claims."""
        return Attempt(self.name, who, self.admits(claims), outcome)


def present(sandbox: Sandbox, declared: Declared, who: str, claims: Mapping[str, str]) -> Attempt:
    """Somebody who presents a token with these claims to AWS directly."""
    return declared.attempt(who, claims, assume_role(sandbox, declared.role_arn, claims))


def too_long(sandbox: Sandbox, declared: Declared, who: str, claims: Mapping[str, str]) -> Attempt:
    """Somebody who may get in, for a second longer than the role allows."""
    seconds = sandbox.max_session(declared.role_arn) + 1
    outcome = assume_role(sandbox, declared.role_arn, claims, seconds)
    what = f"{who}, a session of {seconds} seconds, longer than the role allows"
    return Attempt(declared.name, what, expected=False, outcome=outcome)


def open_by_name(sandbox: Sandbox, access_token: str, ref: EnvironmentRef) -> Outcome:
    """Open an environment as `pulumi env open` does, with the client of the package pulumi-esc-sdk."""
    if ref.project.startswith(LEGACY_PROJECT) or not _SHORTEST <= len(ref.organization) <= _LONGEST:
        # The SDK's client refuses these by itself; the CLI makes the same two calls.
        return _open_path(sandbox, access_token, f"{ref.organization}/{ref.path}", None)
    sandbox.web_identity.decision = None
    esc = pulumi_esc_sdk.EscClient(pulumi_esc_sdk.Configuration(host=sandbox.cloud_url, access_token=access_token))
    try:
        _, values, _ = esc.open_and_read_environment(ref.organization, ref.project, ref.name)
    except pulumi_esc_sdk.ApiException as error:
        diagnostics = getattr(error.data, "diagnostics", None) or ()
        return _refused_opening(sandbox, "; ".join(str(each.summary) for each in diagnostics) or str(error))
    return _identified(sandbox, values["aws"]["login"])


def open_for_stack(sandbox: Sandbox, access_token: str, ref: EnvironmentRef) -> Outcome:
    """Open an environment as `pulumi up` does for a stack that lists it: an anonymous definition that imports it."""
    return _open_path(sandbox, access_token, f"{ref.organization}/yaml", json.dumps({"imports": [ref.path]}))


def _open_path(sandbox: Sandbox, access_token: str, path: str, body: str | None) -> Outcome:
    sandbox.web_identity.decision = None
    base = f"/api/esc/environments/{quote(path)}/open"
    try:
        opened = call_cloud(sandbox.cloud_url, access_token, "POST", f"{base}?duration=2h0m0s", body)
        read = call_cloud(sandbox.cloud_url, access_token, "GET", f"{base}/{opened['id']}")
    except CloudRefused as error:
        return _refused_opening(sandbox, str(error))
    login = read["properties"]["aws"]["value"]["login"]["value"]
    return _identified(sandbox, {key: value["value"] for key, value in login.items()})


def assume_role(
    sandbox: Sandbox,
    role_arn: str,
    claims: Mapping[str, Any],
    seconds: int | None = None,
    session_name: str = "esc-oidc-try",
) -> Outcome:
    """Present a signed token with these claims to AWS directly, as any AWS SDK does."""
    sandbox.web_identity.decision = None
    request = {"RoleArn": role_arn, "RoleSessionName": session_name, "WebIdentityToken": sandbox.issuer.mint(claims)}
    try:
        keys = client("sts", sandbox.aws_url, signed=False).assume_role_with_web_identity(
            **request, **({"DurationSeconds": seconds} if seconds else {})
        )["Credentials"]
    except ClientError as error:
        refusal = error.response["Error"]
        return _refused(sandbox, refusal["Code"], refusal["Message"])
    names = {"accessKeyId": "AccessKeyId", "secretAccessKey": "SecretAccessKey", "sessionToken": "SessionToken"}
    return _identified(sandbox, {ours: keys[theirs] for ours, theirs in names.items()})


def _identified(sandbox: Sandbox, login: Mapping[str, str]) -> Outcome:
    """Use the credentials: who they make of the caller, and until when AWS keeps them."""
    sts = client(
        "sts",
        sandbox.aws_url,
        aws_access_key_id=login["accessKeyId"],
        aws_secret_access_key=login["secretAccessKey"],
        aws_session_token=login["sessionToken"],
    )
    until = sandbox.session_end(login["accessKeyId"])
    return Outcome(sts.get_caller_identity()["Arn"], until, decision=sandbox.web_identity.decision)


def _refused_opening(sandbox: Sandbox, message: str) -> Outcome:
    """What Pulumi Cloud says of a refusal: its own words, or AWS's code and message."""
    answer = _ANSWER.search(message)
    return _refused(sandbox, answer[1], answer[2]) if answer else _refused(sandbox, "", message)


def _refused(sandbox: Sandbox, error: str, message: str) -> Outcome:
    reason = message.removeprefix(_NOT_AUTHORIZED)
    return Outcome(error=error, reason=reason, decision=sandbox.web_identity.decision)
