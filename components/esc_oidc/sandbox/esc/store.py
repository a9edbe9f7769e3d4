"""The environments of the sandbox's Pulumi Cloud: definitions kept verbatim, with every revision and all tags."""

import copy
import json
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from threading import RLock
from typing import Any, Final, Generic, Literal, Protocol, Self, TypeVar

from ...claims import LEGACY_PROJECT, is_name
from ..folder import Folder

LATEST: Final = "latest"
"""The revision tag that every environment has and nobody may move."""

Preserved = Literal["history", "tags", "revision tags"]
"""What a clone may take along besides the definition."""

_LONGEST_NAME: Final = 100


class StoreError(Exception):
    """Why the sandbox's Pulumi Cloud refuses: an answer to the client, not a mistake in the program."""


class NotFound(StoreError, LookupError):  # noqa: N818 - see StoreError
    """Nothing of that name, or nothing the caller may see."""


class Conflict(StoreError):  # noqa: N818 - see StoreError
    """The name is taken, somebody else changed it since the caller read it, or it is protected."""


class InvalidRequest(StoreError):  # noqa: N818 - see StoreError
    """A name or a value that Pulumi Cloud does not take."""


def check_name(name: str) -> str:
    """The name itself, if Pulumi Cloud takes it for an environment, a project or a tag; else InvalidRequest."""
    if not is_name(name) or len(name) > _LONGEST_NAME:
        raise InvalidRequest(f"{name!r} is not a name: use 1 to 100 letters, digits, '.', '_' and '-'")
    return name


@dataclass(frozen=True, order=True)
class Ref:
    """One environment or stack of one organization; each part is checked by `check_name`."""

    organization: str
    project: str
    name: str

    def __post_init__(self) -> None:
        for part in (self.organization, self.project, self.name):
            check_name(part)

    def __str__(self) -> str:
        return f"{self.organization}/{self.path}"

    @property
    def path(self) -> str:
        """``PROJECT/ENV``: how definitions and tokens name it."""
        return f"{self.project}/{self.name}"


class EnvironmentRef(Ref):
    """One environment of one organization."""


def read_import(organization: str, text: str) -> tuple[EnvironmentRef, str]:
    """What an import, ``[PROJECT/]ENV[@VERSION]``, names: an environment and its version; else InvalidRequest.

    Without a project it is the legacy one; without a version, ``latest``.
    """
    path, at, version = text.partition("@")
    project, slash, name = path.partition("/")
    if at and not version:
        raise InvalidRequest(f"{text!r} has an empty version after '@'")
    if not slash:
        project, name = LEGACY_PROJECT, path
    return EnvironmentRef(organization, project, name), version or LATEST


@dataclass(frozen=True)
class Revision:
    """One state of a definition, as it was sent, to the byte.

    An environment begins with an empty definition as number 1; each update adds one.
    """

    number: int
    yaml: str
    creator: str
    created: datetime


Labelled = TypeVar("Labelled")


@dataclass(frozen=True)
class Label(Generic[Labelled]):
    """A named value, with who wrote it last: a tag's text, or the number of the revision that a revision tag names."""

    name: str
    value: Labelled
    editor: str
    created: datetime
    modified: datetime


@dataclass
class Labels(Generic[Labelled]):
    """The tags or the revision tags of one environment, by name.

    A name that there is not raises NotFound; a new name that there is already raises Conflict.
    """

    what: str
    labels: dict[str, Label[Labelled]] = field(default_factory=dict)

    def create(self, name: str, value: Labelled, editor: str) -> Label[Labelled]:
        """Add a label."""
        if name in self.labels:
            raise Conflict(f"{self.what} {name!r} already exists")
        now = datetime.now(UTC)
        self.labels[name] = Label(name, value, editor, now, now)
        return self.labels[name]

    def get(self, name: str) -> Label[Labelled]:
        """The label of that name."""
        if name not in self.labels:
            raise NotFound(f"{self.what} {name!r} not found")
        return self.labels[name]

    def change(self, name: str, editor: str, *, value: Labelled, new_name: str | None = None) -> Label[Labelled]:
        """Write a label anew, under another name if one is given."""
        created, new_name = self.get(name).created, new_name or name
        if new_name != name:
            self.create(new_name, value, editor)
            self.delete(name)
        self.labels[new_name] = Label(new_name, value, editor, created, datetime.now(UTC))
        return self.labels[new_name]

    def delete(self, name: str) -> None:
        """Remove a label."""
        del self.labels[self.get(name).name]

    def page(self, after: str = "", count: int | None = None) -> list[Label[Labelled]]:
        """The labels in the order of their names: those after a name, at most so many."""
        return [self.labels[name] for name in sorted(self.labels) if name > after][:count]


@dataclass
class StoredEnvironment:
    """Everything about one environment. Use it only while `EnvironmentStore.edit` holds it.

    Attributes:
        ref: Which environment.
        revisions: Its definition's states, the oldest first.
        identity: A UUID that outlives updates but not deletion.
        tags: The environment's tags.
        revision_tags: The revision tags that people set; ``latest`` is not among them.
        deletion_protected: Whether deleting it is refused.
    """

    ref: EnvironmentRef
    revisions: list[Revision]
    identity: str = field(default_factory=lambda: str(uuid.uuid4()))
    tags: Labels[str] = field(default_factory=lambda: Labels[str]("tag"))
    revision_tags: Labels[int] = field(default_factory=lambda: Labels[int]("revision tag"))
    deletion_protected: bool = False

    @classmethod
    def read(cls, kept: bytes) -> Self:
        """The environment that `written` wrote."""
        environment = json.loads(kept, object_hook=_with_times)
        for key, what in (("tags", "tag"), ("revision_tags", "revision tag")):
            labels = environment[key]["labels"]
            environment[key] = Labels(what, {name: Label(**label) for name, label in labels.items()})
        revisions = [Revision(**each) for each in environment.pop("revisions")]
        return cls(EnvironmentRef(**environment.pop("ref")), revisions, **environment)

    def written(self) -> bytes:
        """All of it as JSON."""
        return json.dumps(asdict(self), default=datetime.isoformat).encode()

    def revision(self, version: str = LATEST) -> Revision:
        """A revision by its number, by a revision tag, or the latest; else NotFound."""
        # No tag is longer than a name, and no number that Python reads.
        is_number = version.isascii() and version.isdigit() and len(version) <= _LONGEST_NAME
        number = int(version) if is_number else self.revision_tag(version).value
        if not 1 <= number <= len(self.revisions):
            raise NotFound(f"environment {self.ref} has no revision {number}")
        return self.revisions[number - 1]

    def update(self, yaml: str, creator: str, *, expected: int | None = None) -> int:
        """Add a revision and return its number; Conflict if the latest is not the expected one."""
        latest = len(self.revisions)
        if expected is not None and expected != latest:
            raise Conflict(f"environment {self.ref} is at revision {latest}, not {expected}: read it again")
        self.revisions.append(Revision(latest + 1, yaml, creator, datetime.now(UTC)))
        return latest + 1

    def revision_tag(self, name: str) -> Label[int]:
        """One revision tag; ``latest`` is always there."""
        if name != LATEST:
            return self.revision_tags.get(name)
        newest = self.revisions[-1]
        return Label(LATEST, newest.number, newest.creator, newest.created, newest.created)

    def tag_revision(self, name: str, revision: int, editor: str, *, move: bool = False) -> None:
        """Add a revision tag, or move one to another revision. A name can't be a number, or ``latest``."""
        if name == LATEST or check_name(name).isdigit():
            raise InvalidRequest(f"{name!r} already names a revision: choose another tag")
        number = self.revision(str(revision)).number
        if move:
            self.revision_tags.change(name, editor, value=number)
        else:
            self.revision_tags.create(name, number, editor)


def _new(ref: EnvironmentRef, creator: str) -> StoredEnvironment:
    return StoredEnvironment(ref, [Revision(1, "", creator, datetime.now(UTC))])


def _with_times(members: dict[str, Any]) -> dict[str, Any]:
    # A label may be called `created`, too.
    times = {key: text for key in ("created", "modified") if isinstance(text := members.get(key), str)}
    return members | {key: datetime.fromisoformat(text) for key, text in times.items()}


class Thing(Protocol):
    """What a `Shelf` can keep."""

    ref: Any
    identity: str

    def written(self) -> bytes:
        """All of it."""


Named = TypeVar("Named", bound=Ref)
Kept = TypeVar("Kept", bound=Thing)


class Shelf(Generic[Named, Kept]):
    """Everything of one kind, by organization, project and name. All methods may be called from any thread.

    Those that name something raise NotFound if there is none; a new name that is taken raises Conflict. Every change
    is in the folder before the method, or the block of `edit`, ends.

    Attributes:
        folder: Where it is kept.
        things: By their names.
    """

    def __init__(self, folder: Folder, kind: str, read: Callable[[bytes], Kept]) -> None:
        """Begin with what a folder keeps of this kind."""
        self.folder, self._kind, self._lock = folder, kind, RLock()
        self.things: dict[Named, Kept] = {}
        for name in folder.names(f"{kind}-*.json"):
            with folder.blaming(name):
                kept = read(folder.read(name))
                self.things[kept.ref] = kept

    @contextmanager
    def edit(self, ref: Named) -> Iterator[Kept]:
        """Something to read and to change, while everything is locked: read the request before."""
        with self._lock:
            if ref not in self.things:
                raise NotFound(f"{self._kind} {ref} not found")
            held = self.things[ref]
            yield held
            if ref in self.things:
                self.keep(held)

    def add(self, thing: Kept) -> None:
        """Take something new."""
        with self._lock:
            if thing.ref in self.things:
                raise Conflict(f"{self._kind} {thing.ref} already exists")
            self.keep(thing)
            self.things[thing.ref] = thing

    def keep(self, thing: Kept) -> None:
        """Write something to the folder."""
        if self.folder.keeps:
            self.folder.keep(f"{self._kind}-{thing.identity}.json", thing.written())

    def remove(self, ref: Named) -> None:
        """Forget something."""
        with self._lock:
            self.folder.forget(f"{self._kind}-{self.things.pop(ref).identity}.json")

    def list(self, organizations: Collection[str] | None = None) -> list[Kept]:
        """All there is, or that of these organizations, in the order of the names."""
        with self._lock:
            refs = sorted(self.things)
            return [self.things[ref] for ref in refs if organizations is None or ref.organization in organizations]


class EnvironmentStore(Shelf[EnvironmentRef, StoredEnvironment]):
    """Every environment, by organization, project and name; see `Shelf`."""

    def __init__(self, folder: Folder) -> None:
        super().__init__(folder, "environment", StoredEnvironment.read)

    def create(self, ref: EnvironmentRef, creator: str) -> None:
        """Make an environment with an empty definition, revision 1."""
        self.add(_new(ref, creator))

    def update(self, ref: EnvironmentRef, yaml: str, creator: str, *, expected: int | None = None) -> int:
        """Add a revision; see `StoredEnvironment.update`."""
        with self.edit(ref) as environment:
            return environment.update(yaml, creator, expected=expected)

    def revision(self, ref: EnvironmentRef, version: str = LATEST) -> Revision:
        """A revision; see `StoredEnvironment.revision`."""
        with self.edit(ref) as environment:
            return environment.revision(version)

    def delete(self, ref: EnvironmentRef) -> None:
        """Remove an environment and all its revisions; Conflict if deletion protection is on."""
        with self.edit(ref) as environment:
            if environment.deletion_protected:
                raise Conflict(f"environment {ref} is protected from deletion")
            self.remove(ref)

    def clone(
        self, source: EnvironmentRef, target: EnvironmentRef, creator: str, preserve: Collection[Preserved] = ()
    ) -> None:
        """Copy an environment under a new name.

        With ``history`` all revisions keep their numbers, otherwise the definition becomes revision 2. Revision tags
        need the history they name.
        """
        if "revision tags" in preserve and "history" not in preserve:
            raise InvalidRequest("revision tags name revisions: preserve the history too")
        with self.edit(source) as original:
            clone = _new(target, creator)
            if "history" in preserve:
                clone.revisions[:] = original.revisions
            else:
                clone.update(original.revisions[-1].yaml, creator)
            if "tags" in preserve:
                clone.tags = copy.deepcopy(original.tags)
            if "revision tags" in preserve:
                clone.revision_tags = copy.deepcopy(original.revision_tags)
            self.add(clone)
