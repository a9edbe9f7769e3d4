"""Attempts to get in: what AWS answers is compared with what the component declares."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, Final
from urllib.parse import quote

from botocore.exceptions import ClientError

from ...sessions import duration_text
from ...trust import ACTION
from ...verify import Decision
from ..clients import CloudRefused, call_cloud, client
from ..esc import EnvironmentRef
from ..servers import Sandbox

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
    """One try: for which component's role, who tried what, whether that is declared, what happened, what is special."""

    component: str
    who: str
    expected: bool
    outcome: Outcome
    remark: str = ""

    @property
    def as_expected(self) -> bool:
        """Whether what happened is what was declared."""
        return self.expected == self.outcome.admitted


@dataclass(frozen=True)
class Declared:
    """What a component declares: its type token, its name in the program, and the outputs that it registered."""

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

    def attempt(self, who: str, claims: Mapping[str, str], outcome: Outcome, remark: str = "") -> Attempt:
        """The attempt of somebody whose token had these claims."""
        return Attempt(self.name, who, self.admits(claims), outcome, remark)


def present(sandbox: Sandbox, declared: Declared, who: str, claims: Mapping[str, str], remark: str = "") -> Attempt:
    """Somebody who presents a token with these claims to AWS directly."""
    return declared.attempt(who, claims, assume_role(sandbox, declared.role_arn, claims), remark)


def too_long(sandbox: Sandbox, declared: Declared, who: str, claims: Mapping[str, str]) -> Attempt:
    """Somebody who may get in, for a second longer than the role allows."""
    seconds = sandbox.max_session(declared.role_arn) + 1
    outcome = assume_role(sandbox, declared.role_arn, claims, seconds)
    what = f"{who} asks for a session of {duration_text(seconds)}"
    return Attempt(declared.name, what, expected=False, outcome=outcome, remark="longer than the role allows")


def open_by_name(sandbox: Sandbox, access_token: str, ref: EnvironmentRef) -> Outcome:
    """Open an environment as `pulumi env open` and pulumi-esc-sdk do."""
    return _open(sandbox, access_token, f"{ref.organization}/{ref.path}", None)


def open_for_stack(sandbox: Sandbox, access_token: str, ref: EnvironmentRef) -> Outcome:
    """Open an environment as `pulumi up` does for a stack that lists it: an anonymous definition that imports it."""
    return _open(sandbox, access_token, f"{ref.organization}/yaml", json.dumps({"imports": [ref.path]}))


def _open(sandbox: Sandbox, access_token: str, path: str, body: str | None) -> Outcome:
    sandbox.web_identity.decision = None
    base = f"/api/esc/environments/{quote(path)}/open"
    try:
        opened = call_cloud(sandbox.cloud_url, access_token, "POST", f"{base}?duration=2h0m0s", body)
        read = call_cloud(sandbox.cloud_url, access_token, "GET", f"{base}/{opened['id']}")
    except CloudRefused as error:
        # Pulumi Cloud's own words, or AWS's code and message.
        answer = _ANSWER.search(str(error))
        return _refused(sandbox, answer[1], answer[2]) if answer else _refused(sandbox, "", str(error))
    login = read["properties"]["aws"]["value"]["login"]["value"]
    return _identified(sandbox, *(login[key]["value"] for key in ("accessKeyId", "secretAccessKey", "sessionToken")))


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
    return _identified(sandbox, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


def _identified(sandbox: Sandbox, key_id: str, secret: str, token: str) -> Outcome:
    """Use the credentials: who they make of the caller, and until when AWS keeps them."""
    sts = client(
        "sts", sandbox.aws_url, aws_access_key_id=key_id, aws_secret_access_key=secret, aws_session_token=token
    )
    identity = sts.get_caller_identity()["Arn"]
    return Outcome(identity, sandbox.session_end(key_id), decision=sandbox.web_identity.decision)


def _refused(sandbox: Sandbox, error: str, message: str) -> Outcome:
    reason = message.removeprefix(_NOT_AUTHORIZED)
    return Outcome(error=error, reason=reason, decision=sandbox.web_identity.decision)
