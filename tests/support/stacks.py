"""A client of Pulumi Cloud's calls on stacks that speaks as the CLI does: its headers, its gzip, its tokens."""

import base64
import gzip
import http.client
import json
from urllib.parse import urlsplit

RESOURCE = {"urn": "urn:pulumi:dev::app::pulumi:pulumi:Stack::app-dev", "type": "pulumi:pulumi:Stack", "custom": False}


def state(*resources, **others):
    """A state of version 3, as checkpoints and imports bring it."""
    return {"version": 3, "deployment": {"manifest": {}, "resources": list(resources), **others}}


def encoded(text):
    """A text as secrets cross the wire."""
    return base64.b64encode(text.encode()).decode()


class Cli:
    """One person's `pulumi`, for one stack."""

    def __init__(self, url, token, stack="contoso/app/dev"):
        self.url, self.token, self.stack = url, token, stack

    @property
    def path(self):
        """Where the stack is."""
        return f"/api/stacks/{self.stack}"

    def send(self, method, path, body=None, *, authorization=None, packed=False, headers=()):
        """One request; gives the status, and the body as JSON if there is any."""
        payload = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {
            "Authorization": authorization or f"token {self.token}",
            "Accept": "application/vnd.pulumi+9",
            "Content-Type": "application/json",
            "User-Agent": "pulumi-cli/1 (v3.260.0; linux; cmd=pulumi up)",
            **({"Content-Encoding": "gzip"} if packed else {}),
            **dict(headers),
        }
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        try:
            connection.request(method, path, gzip.compress(payload, 1) if packed else payload, sent)
            with connection.getresponse() as reply:
                text = reply.read()
                return reply.status, json.loads(text) if text else None
        finally:
            connection.close()

    def get(self, path="", **query):
        """What a GET below the stack gives."""
        asked = "&".join(f"{key}={value}" for key, value in query.items())
        return self.send("GET", f"{self.path}{path}{'?' if asked else ''}{asked}")

    def post(self, path, body=None, **how):
        """What a POST below the stack gives."""
        return self.send("POST", f"{self.path}{path}", body, **how)

    def init(self, **body):
        """`pulumi stack init`."""
        project, _, name = self.path.rpartition("/")
        return self.send("POST", project, {"stackName": name, "tags": {"pulumi:project": "app"}, **body})

    def create(self, kind="update", *, dry_run=False, message="", config=None):
        """The first call of an operation; gives the path of the update."""
        body = {
            "name": "app", "runtime": "yaml", "config": config or {}, "options": {"dryRun": dry_run},
            "metadata": {"message": message, "environment": {"exec.kind": "cli"}},
        }  # fmt: skip
        status, created = self.post(f"/{kind}", body)
        assert status == 200
        return f"/update/{created['updateID']}"

    def start(self, update):
        """The second one."""
        return self.post(update, {"tags": {"pulumi:project": "app"}, "journalVersion": 1})

    def begin(self, kind="update", **others):
        """Both of them; gives the calls that carry the update out."""
        update = self.create(kind, **others)
        status, started = self.start(update)
        assert status == 200
        return Carrying(self, update, started)


class Carrying:
    """An update that has its lease."""

    def __init__(self, cli, update, started):
        self.cli, self.update, self.version, self.lease = cli, update, started["version"], started["token"]

    def send(self, method, call, body, *, packed=False):
        """One of the four calls."""
        path = f"{self.cli.path}{self.update}/{call}"
        return self.cli.send(method, path, body, authorization=f"update-token {self.lease}", packed=packed)

    def renew(self, duration=300):
        """Every few minutes."""
        return self.send("POST", "renew_lease", {"token": "", "duration": duration})

    def checkpoint(self, *resources, **others):
        """Before and after each step."""
        return self.send("PATCH", "checkpoint", {"isInvalid": False, **state(*resources, **others)}, packed=True)

    def record(self, *events):
        """Every few seconds."""
        return self.send("POST", "events/batch", {"events": list(events)}, packed=True)

    def complete(self, status="succeeded"):
        """At the end."""
        return self.send("POST", "complete", {"status": status})

    def all_four(self):
        """The statuses of the four calls."""
        return {self.renew()[0], self.checkpoint(RESOURCE)[0], self.record()[0], self.complete()[0]}
