"""The stacks of the sandbox's Pulumi Cloud: their states, and updates with leases. No HTTP.

Which rules the real server keeps was read from its clients and seen at work; what no client shows is marked
(inferred).
"""

import gzip
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self
from uuid import uuid4

from .esc import Conflict, InvalidRequest, NotFound, Ref, Shelf, StoreError
from .folder import Folder

LEASE: Final = 300
"""For how many seconds a lease is good at most: what the CLI assumes, whatever it is told."""

Status = Literal["not started", "running", "succeeded", "failed", "cancelled"]


class LeaseOver(StoreError):  # noqa: N818 - see StoreError
    """The lease of an update has run out, was cancelled, or is another update's."""


class StackRef(Ref):
    """One stack of one project."""


@dataclass
class Update:
    """An update, refresh, destroy or import, or the preview of one. All times are in Unix seconds.

    Attributes:
        kind: ``update``, ``preview``, ``refresh``, ``destroy`` or ``import``.
        author: The login of whoever created it.
        preview: Whether it changes nothing: then it needs no lock and has no version.
        config: The configuration as it was sent, secrets as ciphertext.
        metadata: Its ``message`` and ``environment``.
        status: What became of it; but see `Stack.status`.
        version: The stack's version that it makes, from 1.
        lease: The token of whoever carries it out.
        lease_end: Until when the lease is good.
        changes: How many resources had each operation.
        events: By their sequence: batches come out of order, and some twice. No folder keeps them.
    """

    kind: str
    author: str
    preview: bool = False
    config: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    identity: str = field(default_factory=lambda: str(uuid4()))
    status: Status = "not started"
    version: int = 0
    started: int = 0
    ended: int = 0
    lease: str = ""
    lease_end: float = 0
    changes: Mapping[str, int] = field(default_factory=dict)
    events: dict[int, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Deployment:
    """A stack's state after an update.

    Attributes:
        stack: The stack, as it was called then.
        resources: How many resources are in it.
        packed: In gzip, a line of JSON with the two above, and the body of the request that brought it.
    """

    stack: StackRef
    resources: int
    packed: bytes

    @classmethod
    def sent(cls, stack: StackRef, state: Mapping[str, Any], body: bytes) -> Self:
        """A request's JSON object with `version`, perhaps `features`, and `deployment`, and its text.

        Raises:
            InvalidRequest: It has another shape, which the CLI or an export couldn't read.
        """
        if type(state.get("version")) is not int or "deployment" not in state:
            raise InvalidRequest("the state of a stack has a `version`, which is a whole number, and a `deployment`")
        deployment = _part(state, "deployment", dict)
        resources = len(_part(deployment, "resources", list))
        _part(_part(deployment, "secrets_providers", dict), "state", dict)
        about = {"version": state["version"], "resources": resources, "stack": vars(stack)}
        return cls(stack, resources, gzip.compress(json.dumps(about).encode() + b"\n") + gzip.compress(body, 1))

    @classmethod
    def read(cls, packed: bytes) -> Self:
        """The state that was kept in a file."""
        about = json.loads(gzip.decompress(packed).partition(b"\n")[0])
        return cls(StackRef(**about["stack"]), about["resources"], packed)

    def exported(self, stack: StackRef, url: str) -> dict[str, Any]:
        """The state as `pulumi stack export` reads it, with the stack's present names and its secrets at this URL.

        The CLI decrypts at the URL in the state, which may be yesterday's. A rename changes every URN, which has the
        stack and the project in it, and the name of the root resource; URNs inside secrets stay.
        """
        text = gzip.decompress(self.packed).partition(b"\n")[2].decode()
        if stack != self.stack:
            old, new = (f'"urn:pulumi:{each.name}::{each.project}::' for each in (self.stack, stack))
            root, new_root = (f'{new}pulumi:pulumi:Stack::{each.project}-{each.name}"' for each in (self.stack, stack))
            text = text.replace(old, new).replace(root, new_root)
        sent = json.loads(text)
        manager = (sent["deployment"] or {}).get("secrets_providers") or {}
        if manager.get("type") == "service":
            here = {"url": url, "owner": stack.organization, "project": stack.project, "stack": stack.name}
            manager["state"] = (manager.get("state") or {}) | here
        return {key: sent[key] for key in ("version", "features", "deployment") if key in sent}


def _part(whole: Mapping[str, Any], key: str, kind: type[Any]) -> Any:
    """What a state has under a key: nothing, or a value of this type."""
    part = whole.get(key)
    if not isinstance(part, kind | None):
        raise InvalidRequest(f"this is not the state of a stack: its {key!r} must be {kind.__name__} or null")
    return kind() if part is None else part


@dataclass
class Stack:
    """Everything about one stack. Use it only while `Stacks.edit` holds it.

    Attributes:
        ref: Which stack.
        now: The time in Unix seconds.
        version: How many updates, refreshes, destroys and imports were started.
        updates: By their identity, the oldest first; previews while they run.
        deployments: The states by their version. An update that failed early has none: the one before goes on.
    """

    ref: StackRef
    now: Callable[[], float]
    identity: str = field(default_factory=lambda: str(uuid4()))
    tags: dict[str, str] = field(default_factory=dict)
    version: int = 0
    updates: dict[str, Update] = field(default_factory=dict)
    deployments: dict[int, Deployment] = field(default_factory=dict)

    @classmethod
    def read(cls, kept: bytes, now: Callable[[], float]) -> Self:
        """The stack that `written` wrote, without its states."""
        stack = json.loads(kept)
        updates = {key: Update(**each) for key, each in stack.pop("updates").items()}
        return cls(StackRef(**stack.pop("ref")), now=now, updates=updates, **stack)

    def written(self) -> bytes:
        """All of it as JSON, but for its states, and for what has not begun."""
        begun = {key: vars(each) | {"events": {}} for key, each in self.updates.items() if each.lease}
        own = vars(self) | {"updates": begun}
        return json.dumps({key: own[key] for key in own.keys() - {"now", "deployments"}}, default=vars).encode()

    def file(self, version: int | str) -> str:
        """The name of the file in which its state after a version is kept."""
        return f"state-{self.identity}-{version}.gz"

    def status(self, update: Update) -> Status:
        """What became of an update. One whose lease ran out counts as failed."""
        return "failed" if update.status == "running" and update.lease_end <= self.now() else update.status

    def history(self) -> list[Update]:
        """What was started, the newest first, without previews."""
        return sorted((each for each in self.updates.values() if each.version), key=lambda each: -each.version)

    def running(self) -> Update | None:
        """The update under way, if there is one."""
        return next((each for each in self.history()[:1] if self.status(each) == "running"), None)

    def check_idle(self) -> None:
        """Conflict if an update is under way."""
        if self.running():
            raise Conflict("Conflict: Another update is currently in progress.")

    def update(self, identity: str) -> Update:
        """An update by its identity; NotFound if there is none, or it was a preview and has ended."""
        if identity not in self.updates:
            raise NotFound(f"stack {self.ref} has no update {identity}")
        return self.updates[identity]

    def plan(self, update: Update) -> None:
        """Add an update that is to be started. Previews, and what was not started, are forgotten some time later."""
        update.lease_end = self.now()
        kept = {key: each for key, each in self.updates.items() if each.version or each.lease_end + LEASE > self.now()}
        self.updates = {**kept, update.identity: update}

    def start(self, update: Update) -> None:
        """Give an update its lease, and its version if it is no preview; Conflict if another one is under way.

        A preview takes no lock and changes no version (inferred).
        """
        if update.status != "not started":
            raise Conflict("Conflict: The Update has already been started")
        if not update.preview:
            self.check_idle()
            update.version = self.version = self.version + 1
        update.status, update.started = "running", int(self.now())
        update.lease, update.lease_end = secrets.token_hex(20), self.now() + LEASE

    def leased(self, identity: str, lease: str) -> Update:
        """The running update whose lease this is; else LeaseOver."""
        update = self.updates.get(identity)
        if update is None or self.status(update) != "running" or update.lease != lease:
            raise LeaseOver(f"the lease of update {identity} of stack {self.ref} is over: start another update")
        return update

    def end(self, update: Update, status: Status) -> None:
        """Release the lease of an update; Conflict if it has ended. A preview is forgotten."""
        if self.status(update) != "running":
            raise Conflict("Conflict: The Update has already completed")
        update.status, update.ended = status, int(self.now())
        if update.preview:
            del self.updates[update.identity]

    def deployment(self, version: int | None = None) -> Deployment | None:
        """The present state, or the one after a version; None if there is none yet. NotFound without that version."""
        if version is not None and not 0 < version <= self.version:
            raise NotFound(f"stack {self.ref} has no version {version}")
        kept = [each for each in self.deployments if version is None or each <= version]
        return self.deployments[max(kept)] if kept else None

    def resource_count(self, version: int | None = None) -> int:
        """How many resources are in the present state, or in that after a version."""
        deployment = self.deployment(version)
        return deployment.resources if deployment else 0


class Stacks(Shelf[StackRef, Stack]):
    """Every stack, by organization, project and name; see `Shelf`.

    Attributes:
        now: The time in Unix seconds; may be set at any time.
    """

    def __init__(self, folder: Folder, now: Callable[[], float] = time.time) -> None:
        self.now = now
        super().__init__(folder, "stack", lambda kept: Stack.read(kept, self._now))
        versions = [(stack, version) for stack in self.list() for version in range(stack.version + 1)]
        states = {stack.file(version): (stack, version) for stack, version in versions}
        for name in folder.names("state-*.gz"):
            with folder.blaming(name):
                if name in states:
                    stack, version = states[name]
                    stack.deployments[version] = Deployment.read(folder.read(name))
                else:
                    # The sandbox was killed before or after it wrote the stack's own file.
                    folder.forget(name)

    def create(self, ref: StackRef, tags: Mapping[str, str], deployment: Deployment | None = None) -> None:
        """Make a stack, with a state or without."""
        deployments = {0: deployment} if deployment else {}
        self.add(Stack(ref, self._now, tags=dict(tags), deployments=deployments))

    def rename(self, ref: StackRef, new: StackRef) -> None:
        """Give a stack another name; its secrets stay readable."""
        with self.edit(ref) as stack:
            stack.check_idle()
            stack.ref = new
            try:
                self.add(stack)
            except Conflict:
                stack.ref = ref
                raise
            del self.things[ref]

    def delete(self, ref: StackRef, *, force: bool = False) -> None:
        """Remove a stack; InvalidRequest if there are resources in it, unless by force."""
        with self.edit(ref) as stack:
            stack.check_idle()
            if stack.resource_count() and not force:
                # The CLI recognizes it by these words.
                raise InvalidRequest("Bad Request: Stack still contains resources.")
            self.remove(ref)
            self.folder.forget(stack.file("*"))

    def keep(self, thing: Stack) -> None:
        """Write the states first: without the stack's own file they are nobody's."""
        for version, deployment in thing.deployments.items():
            self.folder.keep(thing.file(version), deployment.packed)
        super().keep(thing)

    def _now(self) -> float:
        return self.now()
