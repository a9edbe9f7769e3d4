"""Pulumi Cloud, read only: definitions as they are stored, who asks, and who may open what.

It opens nothing, decrypts nothing and changes nothing. Which calls there are, and what they answer, is documented at
https://www.pulumi.com/docs/reference/cloud-rest-api/.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from pulumi_esc_sdk import ApiClient, Configuration
from pulumi_esc_sdk.exceptions import ApiException
from urllib3 import Retry
from urllib3.exceptions import HTTPError

from ..claims import ISSUER
from ..tokens import Opener

PULUMI_CLOUD: Final = "https://api.pulumi.com"

_RETRIED: Final = (429, 500, 502, 503, 504)
_ATTEMPTS: Final = 5
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_TIMEOUT: Final = 30
"""Seconds for one attempt of a call."""


class CloudError(Exception):
    """Pulumi Cloud refuses a call, or can't be reached; the text says what was asked and what it answered.

    Attributes:
        status: The HTTP status; None if there was no answer.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Account:
    """Whose access token it is.

    Attributes:
        opener: Whom a login names.
        organizations: The organizations that it is good for, the login's own first if it is one.
    """

    opener: Opener
    organizations: tuple[str, ...]


@dataclass(frozen=True)
class Grant:
    """What a team may do with an environment.

    Attributes:
        team: The team's name.
        environment: ``PROJECT/ENV``.
        permission: ``read``, ``open``, ``write`` or ``admin``.
        members: The logins of the team's members.
    """

    team: str
    environment: str
    permission: str
    members: tuple[str, ...]


def access_of(environment: Mapping[str, str], url: str | None = None) -> tuple[str, str]:
    """Where Pulumi Cloud is, and the access token for it.

    The address is `url`, else that in ``PULUMI_BACKEND_URL`` or ``PULUMI_API``, else where the Pulumi CLI is logged in,
    else https://api.pulumi.com. The token is that in ``PULUMI_ACCESS_TOKEN``, else the CLI's for this very address.

    Args:
        environment: The variables of the process.
        url: The address that somebody named.

    Raises:
        CloudError: There is no token for this address, or the address would give it away.
    """
    login = _login(environment)
    named = (url, environment.get("PULUMI_BACKEND_URL"), environment.get("PULUMI_API"), login.get("current"))
    address = next((each for each in named if each and each.startswith(("http://", "https://"))), PULUMI_CLOUD)
    address = address.rstrip("/")
    parts = urlsplit(address)
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise CloudError(f"{address} has no TLS, and the access token would be readable on its way: use https.")
    stored = login.get("accessTokens", {}).get(address) or login.get("accounts", {}).get(address, {}).get("accessToken")
    token = str(environment.get("PULUMI_ACCESS_TOKEN") or stored or "").strip()
    if not re.fullmatch(r"[\x21-\x7e]*", token, re.ASCII):
        # Whatever refuses it later would quote it.
        raise CloudError("the access token has characters that no access token has: copy it anew.")
    if not token:
        raise CloudError(f"there is no access token for {address}: run `pulumi login`, or set PULUMI_ACCESS_TOKEN.")
    return address, token


def _login(environment: Mapping[str, str]) -> Mapping[str, Any]:
    """What the Pulumi CLI wrote when somebody logged in."""
    home = environment.get("PULUMI_HOME") or os.path.expanduser("~/.pulumi")  # noqa: PTH111 - it fails without a home
    try:
        login = json.loads(Path(home, "credentials.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return login if isinstance(login, dict) else {}


class PulumiCloud:
    """Reads Pulumi Cloud. May be used from any thread.

    Calls that fail with 429 or 5xx, or for the network, are tried again up to five times, with growing pauses or as the
    answer says.

    Args:
        url: Where it is.
        token: Whose access token to use. It appears in no message.
        at_once: How many connections are kept; more callers wait for one.
    """

    def __init__(self, url: str, token: str, at_once: int = 8) -> None:
        configuration = Configuration(host=url, access_token=token)
        # The SDK's own methods check names more strictly than Pulumi Cloud does, and don't know the project `default`.
        configuration.retries = Retry(  # type: ignore[assignment] # the SDK says None, and hands it to urllib3
            _ATTEMPTS,
            redirect=0,
            backoff_factor=0.2,
            status_forcelist=_RETRIED,
            allowed_methods=["GET"],
            raise_on_status=False,
            raise_on_redirect=False,
        )
        configuration.connection_pool_maxsize = at_once
        self._client = ApiClient(configuration)
        self._headers = {"Authorization": f"token {token}", "Accept": "application/json"}
        self._url = url

    def account(self) -> Account:
        """Whose token it is."""
        user = self._json("/api/user")
        info, login = user.get("tokenInfo") or {}, user.get("githubLogin") or ""
        organizations = tuple(each["githubLogin"] for each in user.get("organizations") or ())
        owner = info.get("organization")
        if owner and info.get("team"):
            return Account(Opener(owner, "team", info["team"]), (owner,))
        if owner:
            return Account(Opener(owner, "organization"), (owner,))
        return Account(Opener(login), organizations)

    def issuer(self) -> str:
        """Who signs its tokens, as it publishes it, or else by its address."""
        own = f"{self._url}/oidc" if self._url.startswith("https://") else ISSUER
        try:
            issuer = self._json("/oidc/.well-known/openid-configuration").get("issuer")
        except CloudError:
            return own
        return issuer if isinstance(issuer, str) and issuer.startswith("https://") else own

    def environments(self, organization: str) -> list[str]:
        """Every environment that the token may see, ``PROJECT/ENV``, sorted."""
        found: list[str] = []
        token = ""
        while True:
            query = {"continuationToken": token} if token else {}
            page = self._json(f"/api/esc/environments/{quote(organization)}", query)
            found += [f"{each['project']}/{each['name']}" for each in page.get("environments") or ()]
            token = page.get("nextToken") or ""
            if not token:
                return sorted(found)

    def definition(self, organization: str, environment: str, version: str | None = None) -> str:
        """An environment's definition as it is stored, its secrets as ciphertext.

        Args:
            organization: Whose it is.
            environment: ``PROJECT/ENV``.
            version: A revision or a tag of one; None is the latest.
        """
        path = f"/api/esc/environments/{quote(organization)}/{quote(environment)}"
        text = self._get(f"{path}/versions/{quote(version)}" if version else path)
        try:
            return text.decode()
        except UnicodeDecodeError as error:
            raise CloudError(f"the definition of {organization}/{environment} is not UTF-8.") from error

    def revision(self, organization: str, environment: str) -> str:
        """The number of an environment's latest revision, for `definition`.

        Args:
            organization: Whose it is.
            environment: ``PROJECT/ENV``.
        """
        path = f"/api/esc/environments/{quote(organization)}/{quote(environment)}/versions"
        try:
            return str(json.loads(self._get(path, {"count": "1"}))[0]["number"])
        except (ValueError, LookupError, TypeError) as error:
            raise CloudError(f"{self._url}{path} answers with something that is not a list of revisions.") from error

    def grants(self, organization: str) -> list[Grant]:
        """What teams may do with environments, as far as the token may see it."""
        root = f"/api/orgs/{quote(organization)}/teams"
        found: list[Grant] = []
        for listed in self._json(root).get("teams") or ():
            team = self._json(f"{root}/{quote(listed['name'])}")
            members = tuple(each["githubLogin"] for each in team.get("members") or ())
            for each in team.get("environments") or ():
                environment = f"{each['projectName']}/{each['envName']}"
                found.append(Grant(listed["name"], environment, each["permission"], members))
        return found

    def _json(self, path: str, query: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        text = self._get(path, query)
        try:
            answer = json.loads(text)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise CloudError(f"{self._url}{path} answers with something that is not a JSON object.")
        return answer

    def _get(self, path: str, query: Mapping[str, str] | None = None) -> bytes:
        asked = f"{self._url}{path}" + (f"?{urlencode(query)}" if query else "")
        try:
            answer = self._client.call_api("GET", asked, header_params=dict(self._headers), _request_timeout=_TIMEOUT)
            text: bytes = answer.read()  # type: ignore[no-untyped-call] # so it is upstream
        except (ApiException, HTTPError) as error:
            reason = type(getattr(error, "reason", None) or error).__name__
            raise CloudError(f"{asked} can't be read: {reason}.") from None  # the error may quote the headers
        if answer.status != 200:  # noqa: PLR2004 - OK
            raise CloudError(f"{asked}: {_refusal(answer.status, text)}", answer.status)
        return text


_WORDS: Final[Mapping[int, str]] = {
    401: "the access token isn't valid there",
    403: "the access token doesn't permit that",
    404: "there is no such thing, or the access token may not see it",
    429: "too many requests; try again later, or with a smaller --at-once",
}


def _refusal(status: int, text: bytes) -> str:
    """What Pulumi Cloud says, in its own words, or in ours where it says nothing."""
    try:
        message = json.loads(text).get("message")
    except (ValueError, AttributeError):
        message = None
    said: Sequence[str] = [each.rstrip(".") for each in (_WORDS.get(status), message) if each]
    return f"HTTP {status}: {': '.join(said)}." if said else f"HTTP {status}."
