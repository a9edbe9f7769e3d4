"""Somebody on this machine who must hear nothing, and everything that could lead there."""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
URLS = (
    "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_STS",
    "PULUMI_API", "PULUMI_BACKEND_URL", "PULUMI_CONSOLE_DOMAIN", "PULUMI_COPILOT_ENDPOINT", "PULUMI_LOG_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
)  # fmt: skip
AWS_CONFIG = """[default]
endpoint_url = {url}
region = us-east-1
[profile prod]
endpoint_url = {url}
services = there
credential_process = curl {url}
[services there]
iam =
  endpoint_url = {url}
sts =
  endpoint_url = {url}
"""


@contextmanager
def listening() -> Iterator[tuple[str, list[bytes]]]:
    """A listener on a port that the system picks: its URL, and how each connection began."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(5)
                    try:
                        heard.append(connection.recv(4096))
                    except OSError as error:
                        heard.append(str(error).encode())

        thread = Thread(target=listen, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", heard
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def leading_to(url: str, home: Path, plugins: Path | None = None) -> Mapping[str, str]:
    """A user's variables, and the files that they name, all of which lead to one place; the plugins are real ones."""
    (home / ".pulumi").mkdir(parents=True)
    (home / ".aws").mkdir()
    account = {"accessToken": "pul-real", "username": "me", "organizations": ["contoso"]}
    login = {"current": url, "accessTokens": {url: "pul-real"}, "accounts": {url: account}}
    (home / ".pulumi" / "credentials.json").write_text(json.dumps(login))
    if plugins and plugins.is_dir():
        (home / ".pulumi" / "plugins").symlink_to(plugins, target_is_directory=True)
    (home / ".aws" / "config").write_text(AWS_CONFIG.format(url=url))
    (home / ".aws" / "credentials").write_text("[prod]\naws_access_key_id = AKIAREAL\naws_secret_access_key = real\n")
    host = url.removeprefix("http://")
    (home / ".netrc").write_text(f"machine {host} login me password real\n")
    return {
        **dict.fromkeys([*PROXIES, *URLS], url),
        "HOME": str(home),
        "AWS_CONFIG_FILE": str(home / ".aws" / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / ".aws" / "credentials"),
        "AWS_PROFILE": "prod",
        "AWS_CA_BUNDLE": "/nonexistent",
        "PULUMI_ACCESS_TOKEN": "pul-real",
        "PULUMI_CREDENTIALS_PATH": str(home / ".pulumi"),
        "PULUMI_HOME": str(home / ".pulumi"),
    }
