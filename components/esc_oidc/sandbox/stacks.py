"""The stacks of the sandbox's Pulumi Cloud: state, updates with their leases, and a key for secrets. No HTTP.

Which rules the real server keeps was read from its clients and seen at work; what no client shows is marked
(inferred).
"""

import base64
import gzip
import hashlib
import json
import secrets
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass, field
from threading import RLock
from typing import Any, Final, Literal, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .esc import Conflict, InvalidRequest, NotFound, StoreError, check_name
from .folder import Folder

LEASE: Final = 300
"""For how many seconds a lease is good at most: what the CLI assumes, whatever it is told."""

_NONCE: Final = 12

Status = Literal["not started", "running", "succeeded", "failed", "cancelled"]


class LeaseOver(StoreError):  # noqa: N818 - see StoreError
    """The lease of an update has run out, was cancelled, or is another update's."""


@dataclass(frozen=True, order=True)
class StackRef:
    """One stack of one project; each part is checked by `check_name`."""

    organization: str
    project: str
    name: str

    def __post_init__(self) -> None:
        for part in (self.organization, self.project, self.name):
            check_name(part)

    def __str__(self) -> str:
        return f"{self.organization}/{self.project}/{self.name}"


@dataclass
class Update:
    """An update, refresh, destroy or import, or the preview of one.

    Attributes:
        identity: A UUID.
        kind: ``update``, ``preview``, ``refresh``, ``destroy`` or ``import``.
        author: The login of whoever created it.
        preview: Whether it changes nothing: then it needs no lock and has no version.
        config: The configuration as it was sent, secrets as ciphertext.
        metadata: Its ``message`` and ``environment``.
        status: What became of it; see also `Stack.status`.
        version: The stack's version that it makes.
        started: When, in Unix seconds.
        ended: When, in Unix seconds.
        lease: The token of whoever carries it out.
        lease_end: Until when the lease is good, in Unix seconds.
        changes: How many resources had each operation.
        events: By their sequence: batches come out of order, and some twice. Kept in memory only.
    """

    identity: str
    kind: str
    author: str
    preview: bool = False
    config: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    status: Status = "not started"
    version: int = 0
    started: int = 0
    ended: int = 0
    lease: str = ""
    lease_end: float = 0
    changes: Mapping[str, int] = field(default_factory=dict)
    events: dict[int, Any] = field(default_factory=dict, repr=False)

    def kept(self) -> dict[str, Any]:
        """What outlives the sandbox."""
        return {key: value for key, value in vars(self).items() if key != "events"}


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
    def sent(cls, stack: StackRef, body: bytes) -> Self:
        """A request's JSON object with `version`, perhaps `features`, and `deployment`; else InvalidRequest."""
        try:
            state = json.loads(body)
            int(state["version"])
            resources = len((state["deployment"] or {}).get("resources") or ())
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise InvalidRequest(f"this is not the state of a stack ({type(error).__name__}: {error})") from error
        about = json.dumps([resources, *astuple(stack)]).encode()
        return cls(stack, resources, gzip.compress(about + b"\n") + gzip.compress(body, 1))

    @classmethod
    def read(cls, packed: bytes) -> Self:
        """The state that was kept in a file."""
        resources, *names = json.loads(gzip.decompress(packed).partition(b"\n")[0])
        return cls(StackRef(*names), resources, packed)

    def exported(self, stack: StackRef, url: str) -> dict[str, Any]:
        """The state as `pulumi stack export` reads it, with the stack's present names and its secrets at this URL.

        The CLI decrypts at the URL in the state, which may be yesterday's. A rename changes every URN, which has the
        stack and the project in it, and the name of the root resource; URNs inside secrets stay.
        """
        text = gzip.decompress(self.packed).partition(b"\n")[2].decode()
        if stack != self.stack:
            old, new = (f'"urn:pulumi:{each.name}::{each.project}::' for each in (self.stack, stack))
            root_old, root_new = (
                f'{new}pulumi:pulumi:Stack::{each.project}-{each.name}"' for each in (self.stack, stack)
            )
            text = text.replace(old, new).replace(root_old, root_new)
        sent = json.loads(text)
        manager = (sent["deployment"] or {}).get("secrets_providers") or {}
        if manager.get("type") == "service":
            names = {"url": url, "owner": stack.organization, "project": stack.project, "stack": stack.name}
            manager["state"] = {**(manager.get("state") or {}), **names}
        return {key: sent[key] for key in ("version", "features", "deployment") if key in sent}


@dataclass
class Stack:
    """Everything about one stack. Use it only while `Stacks.edit` holds it.

    Attributes:
        ref: Which stack.
        keys: The stack whose name its key is made of: the one that it was created as, whatever it is renamed to.
        now: The time in Unix seconds.
        identity: A UUID that outlives renaming.
        tags: The stack's tags.
        version: How many updates, refreshes, destroys and imports were started.
        updates: By their identity, the oldest first; previews while they run.
        deployments: The states by their version. An update that failed early has none: the one before goes on.
    """

    ref: StackRef
    keys: StackRef
    now: Callable[[], float]
    identity: str = field(default_factory=lambda: str(uuid.uuid4()))
    tags: dict[str, str] = field(default_factory=dict)
    version: int = 0
    updates: dict[str, Update] = field(default_factory=dict)
    deployments: dict[int, Deployment] = field(default_factory=dict)

    @classmethod
    def read(cls, kept: bytes, now: Callable[[], float]) -> Self:
        """The stack that `written` wrote, without its states."""
        stack = json.loads(kept)
        ref, keys = (StackRef(**stack.pop(key)) for key in ("ref", "keys"))
        updates = [Update(**each) for each in stack.pop("updates")]
        return cls(ref, keys, now, updates={each.identity: each for each in updates}, **stack)

    def written(self) -> bytes:
        """All of it as JSON, but for its states, and for what has not begun."""
        updates = [each.kept() for each in self.updates.values() if each.status != "not started"]
        own = {key: getattr(self, key) for key in ("identity", "tags", "version")}
        return json.dumps({"ref": asdict(self.ref), "keys": asdict(self.keys), **own, "updates": updates}).encode()

    def file(self, version: int | Literal["", "*"] = "") -> str:
        """The name of the file in which it is kept, or its state after a version."""
        return f"stack-{self.identity}.json" if version == "" else f"state-{self.identity}-{version}.gz"

    def status(self, update: Update) -> Status:
        """What became of an update. One whose lease ran out counts as failed."""
        return "failed" if update.status == "running" and update.lease_end <= self.now() else update.status

    def history(self) -> list[Update]:
        """What was started, the newest first, without previews."""
        return [each for each in reversed(self.updates.values()) if each.version]

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
        """Add an update that is to be started."""
        waiting = self.now() - LEASE
        for other in [each for each in self.updates.values() if not each.version and each.lease_end < waiting]:
            del self.updates[other.identity]
        update.lease_end = self.now()
        self.updates[update.identity] = update

    def start(self, identity: str, tags: Mapping[str, str] | None) -> Update:
        """Give an update its lease, and its version if it is no preview; Conflict if another one is under way.

        A preview takes no lock and changes neither version nor tags (inferred).
        """
        update = self.update(identity)
        if update.status != "not started":
            raise Conflict("Conflict: The Update has already been started")
        if not update.preview:
            self.check_idle()
            self._advance(update)
            self.tags = dict(self.tags if tags is None else tags)
        update.status, update.started = "running", int(self.now())
        update.lease, update.lease_end = secrets.token_hex(20), self.now() + LEASE
        return update

    def _advance(self, update: Update) -> None:
        self.version += 1
        update.version = self.version
        # What was created first is not always started first.
        self.updates[update.identity] = self.updates.pop(update.identity)

    def leased(self, identity: str, lease: str) -> Update:
        """The running update whose lease this is; else LeaseOver."""
        update = self.updates.get(identity)
        if update is None or self.status(update) != "running" or not secrets.compare_digest(update.lease, lease):
            raise LeaseOver(f"the lease of update {identity} of stack {self.ref} is over: start another update")
        return update

    def end(self, update: Update, status: Status) -> None:
        """Release the lease of an update. A preview is forgotten."""
        update.status, update.ended = status, int(self.now())
        if update.preview:
            del self.updates[update.identity]

    def cancel(self, identity: str) -> None:
        """End a running update from outside; Conflict if it has ended."""
        update = self.update(identity)
        if self.status(update) != "running":
            raise Conflict("Conflict: The Update has already completed")
        self.end(update, "cancelled")

    def import_state(self, update: Update, deployment: Deployment) -> None:
        """Make this state the stack's next version."""
        self.check_idle()
        self.updates[update.identity] = update
        self._advance(update)
        self.deployments[update.version] = deployment
        update.started = int(self.now())
        self.end(update, "succeeded")

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


class Secrets:
    """Encrypts for one stack, and decrypts what was encrypted for it, in this sandbox or in another one.

    The key is made of the stack's name alone, so that a stack file outlives the sandbox: what it encrypts is nobody's
    secret.
    """

    def __init__(self, stack: StackRef) -> None:
        self._stack = stack
        self._cipher = AESGCM(hashlib.sha256(f"esc-oidc sandbox: {stack}".encode()).digest())

    def encrypt(self, plaintext: str) -> str:
        """The ciphertext of a plaintext, another one each time; both base64. InvalidRequest if it is not."""
        nonce = secrets.token_bytes(_NONCE)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, _decoded(plaintext), None)).decode()

    def decrypt(self, ciphertext: str) -> str:
        """The plaintext of a ciphertext, both base64; InvalidRequest if it is none of this stack's."""
        sealed = _decoded(ciphertext)
        try:
            return base64.b64encode(self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], None)).decode()
        except (InvalidTag, ValueError) as error:
            raise InvalidRequest(
                f"cannot decrypt a secret: it was not encrypted for stack {self._stack} in a sandbox. Set it again."
            ) from error


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise InvalidRequest(f"{error}: give base64") from error


class Stacks:
    """Every stack, by organization, project and name. All methods may be called from any thread.

    Those that name a stack raise NotFound if there is none; a new name that is taken raises Conflict.

    Attributes:
        now: The time in Unix seconds; may be set at any time.
    """

    def __init__(self, folder: Folder | None = None, now: Callable[[], float] = time.time) -> None:
        """Begin with what a folder keeps; every change is there before the block or the method ends."""
        self.now = now
        self._lock = RLock()
        self._folder = folder or Folder()
        self._stacks: dict[StackRef, Stack] = {}
        for name in self._folder.names("stack-*.json"):
            with self._folder.blaming(name):
                stack = Stack.read(self._folder.read(name), lambda: self.now())  # noqa: PLW0108 - it may be set at any time
                self._stacks[stack.ref] = stack
        states = {stack.file(version): (stack, version) for stack in self.all() for version in range(stack.version + 1)}
        for name in self._folder.names("state-*.gz"):
            with self._folder.blaming(name):
                if name in states:
                    stack, version = states[name]
                    stack.deployments[version] = Deployment.read(self._folder.read(name))
                else:
                    # The sandbox was killed before or after it wrote the stack's own file.
                    self._folder.forget(name)

    @contextmanager
    def edit(self, ref: StackRef) -> Iterator[Stack]:
        """A stack to read and to change, while the store is locked: read the request before."""
        with self._lock:
            if ref not in self._stacks:
                raise NotFound(f"stack {ref} not found")
            stack = self._stacks[ref]
            yield stack
            if stack.ref in self._stacks:
                self._keep(stack)

    def create(self, ref: StackRef, tags: Mapping[str, str], deployment: Deployment | None = None) -> None:
        """Make a stack, with a state or without."""
        with self._lock:
            self._check_free(ref)
            stack = Stack(ref, ref, lambda: self.now(), tags=dict(tags))  # noqa: PLW0108 - it may be set at any time
            if deployment:
                stack.deployments[0] = deployment
            self._keep(stack)
            self._stacks[ref] = stack

    def rename(self, ref: StackRef, new: StackRef) -> None:
        """Give a stack another name; its secrets stay readable."""
        with self.edit(ref) as stack:
            stack.check_idle()
            self._check_free(new)
            stack.ref = new
            self._stacks[new] = self._stacks.pop(ref)

    def delete(self, ref: StackRef, *, force: bool = False) -> None:
        """Remove a stack; InvalidRequest if there are resources in it, unless by force."""
        with self.edit(ref) as stack:
            stack.check_idle()
            if stack.resource_count() and not force:
                # The CLI recognizes it by these words.
                raise InvalidRequest("Bad Request: Stack still contains resources.")
            # Without the first of these files the others are nobody's.
            self._folder.forget(stack.file())
            self._folder.forget(stack.file("*"))
            del self._stacks[ref]

    def all(self, organizations: Collection[str] | None = None) -> list[Stack]:
        """All stacks, or those of these organizations, in the order of their names."""
        with self._lock:
            refs = sorted(self._stacks)
            return [self._stacks[each] for each in refs if organizations is None or each.organization in organizations]

    def _check_free(self, ref: StackRef) -> None:
        if ref in self._stacks:
            raise Conflict(f"Conflict: stack {ref} already exists")

    def _keep(self, stack: Stack) -> None:
        if self._folder.keeps:
            # The states first: without the stack's own file they are nobody's.
            for version, deployment in stack.deployments.items():
                self._folder.keep(stack.file(version), deployment.packed)
            self._folder.keep(stack.file(), stack.written())
