"""What surrounds a command in the sandbox: variables and folders with which it talks to it and to nothing else."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Final, Self

from ..tokens import Opener
from .clients import CloudRefused, call_cloud
from .servers import HOST, Sandbox

RUNNING: Final = "ESC_OIDC_SANDBOX"
"""The variable with which a command finds out that a sandbox is around it, and where: its Pulumi Cloud's URL."""

PASSPHRASE: Final = "sandbox"  # noqa: S105 - what it encrypts is nobody's secret
"""Always the same, so that a stack file which was written in one sandbox can be read in the next."""

_FOLDER: Final = "esc-oidc-sandbox-"
"""How the names of our folders begin."""

_PREFIXES: Final = ("AWS_", "PULUMI_")
"""Every variable of these families may lead elsewhere, those that are yet to be invented too."""

_KEPT: Final = frozenset(
    {
        "PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION",
        "PULUMI_IGNORE_AMBIENT_PLUGINS", "PULUMI_PYTHON_CMD",
    }
)  # fmt: skip
"""They say how Pulumi finds its plugins and interpreters, and lead nowhere."""

LEADING_ELSEWHERE: Final = frozenset(
    {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_DEFAULT_PROFILE",
        "AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_STS", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "AWS_PROFILE", "AWS_ROLE_ARN", "AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE",
        "PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_CREDENTIALS_PATH", "PULUMI_STACK",
    }
)  # fmt: skip
"""The best known variables that must not be there, for a shell whose variables we cannot see."""


@dataclass(frozen=True)
class Surroundings:
    """The variables of a command in the sandbox.

    Attributes:
        variables: What to set.
        unset: The names of what must not be set, sorted.
    """

    variables: Mapping[str, str]
    unset: tuple[str, ...]

    def around(self, environment: Mapping[str, str]) -> dict[str, str]:
        """These variables in place of what an environment has; the rest of it stays."""
        return {name: value for name, value in environment.items() if not _leads_elsewhere(name)} | dict(self.variables)


class NotRunningError(Exception):
    """The variables of a sandbox are around us, but it doesn't answer; the text says which, why, and the way out."""


@dataclass(frozen=True)
class RunningSandbox:
    """A sandbox that another process runs, and whose variables are around this one.

    `access` is the access token of whoever has them and `organizations` are theirs, the default one first; `folder` is
    where their files are, until that process ends.
    """

    aws_url: str
    cloud_url: str
    organizations: tuple[str, ...]
    access: str
    folder: Path

    @classmethod
    def around(cls, environment: Mapping[str, str]) -> Self | None:
        """The sandbox whose variables these are; None if they are none's. NotRunningError if it doesn't answer."""
        url = environment.get(RUNNING)
        if url is None:
            return None
        way_out = f"If it has ended, `unset {RUNNING}` or open another terminal."
        if not re.fullmatch(rf"http://{re.escape(HOST)}:[0-9]{{1,5}}", url, re.ASCII):
            raise NotRunningError(f"{RUNNING}={url!r}: a sandbox is at http://{HOST}:PORT. {way_out}")
        access, folder = environment.get("PULUMI_ACCESS_TOKEN", ""), Path(environment.get("PULUMI_HOME", "")).parent
        if not (folder.name.startswith(_FOLDER) and folder.is_dir()):
            raise NotRunningError(f"PULUMI_HOME is not that of the sandbox in {RUNNING}. {way_out}")
        try:
            found = call_cloud(url, access, "GET", "/sandbox")
            return cls(found["awsUrl"], url, tuple(found["organizations"]), access, folder)
        except (CloudRefused, LookupError, OSError, TypeError, ValueError) as error:
            raise NotRunningError(f"{RUNNING}={url!r}: the sandbox doesn't answer: {error}. {way_out}") from error

    def access_token(self, opener: Opener, organizations: Iterable[str] = ()) -> str:
        """An access token of this sandbox, for some of the organizations; see `AccessTokens.issue`."""
        wanted = {"login": opener.login, "tokenType": opener.token_type, "team": opener.team}
        body = json.dumps({**wanted, "organizations": [*organizations]})
        return str(call_cloud(self.cloud_url, self.access, "POST", "/sandbox/access-tokens", body)["accessToken"])

    def surroundings(self, access_token: str, environment: Mapping[str, str]) -> Surroundings:
        """What a shell needs to be somebody else in this sandbox, for as long as it runs."""
        return _surroundings(Path(mkdtemp(prefix=_FOLDER, dir=self.folder)), self, access_token, environment)


@contextmanager
def surroundings(
    sandbox: Sandbox | RunningSandbox, access_token: str, environment: Mapping[str, str]
) -> Iterator[Surroundings]:
    """What a command needs to find a running sandbox, with folders that are gone at the end of the block.

    `pulumi` gets a home of its own, with the user's plugins and with the sandbox's login instead of the user's.

    Args:
        sandbox: Where to lead.
        access_token: As whom; see `Sandbox.access_token`.
        environment: The user's variables, for what must be unset, kept or extended.
    """
    # Whoever still writes there when the command has ended must not keep us from stopping the servers.
    with TemporaryDirectory(prefix=_FOLDER, ignore_cleanup_errors=True) as name:
        yield _surroundings(Path(name).resolve(), sandbox, access_token, environment)


def _surroundings(
    folder: Path, sandbox: Sandbox | RunningSandbox, access_token: str, environment: Mapping[str, str]
) -> Surroundings:
    config, credentials = folder / "aws-config", folder / "aws-credentials"
    config.touch()
    credentials.touch()
    proxyless = _without_proxy(environment)
    variables = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_CONFIG_FILE": str(config),
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": sandbox.aws_url,
        "AWS_REGION": "us-east-1",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SHARED_CREDENTIALS_FILE": str(credentials),
        RUNNING: sandbox.cloud_url,
        # Go reads the one first, Python the other.
        "NO_PROXY": proxyless,
        "PULUMI_ACCESS_TOKEN": access_token,
        "PULUMI_API": sandbox.cloud_url,
        # Nothing else comes before a `backend.url` in Pulumi.yaml.
        "PULUMI_BACKEND_URL": sandbox.cloud_url,
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_HOME": str(_home(folder, sandbox.cloud_url, access_token, environment)),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "no_proxy": proxyless,
    }
    unset = LEADING_ELSEWHERE | {each for each in environment if _leads_elsewhere(each)}
    return Surroundings(variables, tuple(sorted(unset - variables.keys())))


def _leads_elsewhere(name: str) -> bool:
    return name.startswith(_PREFIXES) and name not in _KEPT


def _home(folder: Path, url: str, access_token: str, environment: Mapping[str, str]) -> Path:
    """A home for `pulumi`, which has logged in. The plugins are the user's: they are large."""
    home = folder / "pulumi"
    home.mkdir(mode=0o700)
    user = call_cloud(url, access_token, "GET", "/api/user")
    # As `pulumi login` writes it: https://github.com/pulumi/pulumi, sdk/go/common/workspace/creds.go. Whoever was
    # validated within the hour isn't asked about.
    account = {
        "accessToken": access_token,
        "username": user["githubLogin"],
        "organizations": [each["githubLogin"] for each in user["organizations"]],
        "lastValidatedAt": datetime.now(UTC).isoformat(),
        **({"tokenInformation": user["tokenInfo"]} if "tokenInfo" in user else {}),
    }
    login = {"current": url, "accessTokens": {url: access_token}, "accounts": {url: account}}
    credentials = home / "credentials.json"
    credentials.touch(mode=0o600)
    credentials.write_text(json.dumps(login), encoding="utf-8")
    # Path.home() fails where there is none.
    users = environment.get("PULUMI_HOME") or os.path.expanduser("~/.pulumi")  # noqa: PTH111 - as said
    plugins = Path(users, "plugins")
    if plugins.is_dir():
        (home / "plugins").symlink_to(plugins.resolve(), target_is_directory=True)
    return home


def _without_proxy(environment: Mapping[str, str]) -> str:
    """The hosts that are reached without a proxy: the user's, and this machine."""
    given = [environment.get(name, "") for name in ("NO_PROXY", "no_proxy")]
    hosts = [host.strip() for hosts in given for host in hosts.split(",") if host.strip()]
    # Python takes the asterisk for all hosts only when it stands alone.
    return "*" if "*" in hosts else ",".join(dict.fromkeys([*hosts, HOST, "localhost"]))
