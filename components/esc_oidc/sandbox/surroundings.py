"""What surrounds a command in the sandbox: variables and folders with which it talks to it and to nothing else."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from .servers import HOST, Sandbox

PASSPHRASE: Final = "sandbox"  # noqa: S105 - what it encrypts is nobody's secret
"""Always the same, so that a stack file which was written in one sandbox can be read in the next."""

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
        "PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_STACK",
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


@contextmanager
def surroundings(sandbox: Sandbox, access_token: str, environment: Mapping[str, str]) -> Iterator[Surroundings]:
    """What a command needs to find a running sandbox, with folders that are gone at the end of the block.

    `pulumi` gets a home of its own, with the user's plugins and without the user's login, and keeps its state in a
    folder. `PULUMI_BACKEND_URL` stays unset: with a `file://` in it neither `pulumi env` nor the provider of
    Pulumi Cloud finds its address.

    Args:
        sandbox: Where to lead.
        access_token: As whom; see `Sandbox.access_token`.
        environment: The user's variables, for what must be unset, kept or extended.
    """
    # Whoever still writes there when the command has ended must not keep us from stopping the servers.
    with TemporaryDirectory(prefix="esc-oidc-sandbox-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
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
            # Go reads the one first, Python the other.
            "NO_PROXY": proxyless,
            "PULUMI_ACCESS_TOKEN": access_token,
            "PULUMI_API": sandbox.cloud_url,
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_HOME": str(_home(folder, environment)),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "no_proxy": proxyless,
        }
        unset = LEADING_ELSEWHERE | {each for each in environment if _leads_elsewhere(each)}
        yield Surroundings(variables, tuple(sorted(unset - variables.keys())))


def _leads_elsewhere(name: str) -> bool:
    return name.startswith(_PREFIXES) and name not in _KEPT


def _home(folder: Path, environment: Mapping[str, str]) -> Path:
    """A home for `pulumi`, logged in to a folder beside it. The plugins are the user's: they are large."""
    home, state = folder / "pulumi", folder / "state"
    home.mkdir(mode=0o700)
    state.mkdir(mode=0o700)
    backend = f"file://{state}"
    login = {"current": backend, "accessTokens": {backend: ""}, "accounts": {}}
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
