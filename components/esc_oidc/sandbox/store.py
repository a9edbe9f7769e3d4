"""The environments of the sandbox's Pulumi Cloud: definitions kept verbatim, with every revision."""

import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import RLock
from typing import Final, Literal

from .labels import Label, Labels
from .names import AlreadyExists, EditConflict, InvalidRequest, NotFound, Protected, Reference, check_name

LATEST: Final = "latest"
"""The revision tag that every environment has and nobody may move."""

Preserved = Literal["history", "tags", "revision tags"]
"""What a clone may take along besides the definition."""


@dataclass(frozen=True)
class Revision:
    """One state of a definition.

    Attributes:
        number: 1 for the empty definition that an environment begins with, then one more for each update.
        yaml: The definition as it was sent, to the byte.
        creator: The login that wrote it.
        created: When, UTC.
    """

    number: int
    yaml: str
    creator: str
    created: datetime


@dataclass(frozen=True)
class Summary:
    """What a list of environments says of one.

    Attributes:
        reference: Which environment.
        identity: A UUID that outlives updates and not deletion.
        deletion_protected: Whether deleting it is refused.
        created: When it was made, UTC.
        modified: When its definition last changed, UTC.
    """

    reference: Reference
    identity: str
    deletion_protected: bool
    created: datetime
    modified: datetime


@dataclass
class _Environment:
    identity: str
    revisions: list[Revision]
    tags: Labels[str] = field(default_factory=lambda: Labels[str]("tag"))
    revision_tags: Labels[int] = field(default_factory=lambda: Labels[int]("revision tag"))
    deletion_protected: bool = False


class EnvironmentStore:
    """Every environment, by organization, project and name. All methods may be called from any thread.

    Every method that names an environment raises `NotFound` when there is none.
    """

    def __init__(self) -> None:
        self._lock = RLock()
        self._environments: dict[Reference, _Environment] = {}

    def create(self, reference: Reference, creator: str) -> None:
        """Make an environment with an empty definition, revision 1.

        Raises:
            AlreadyExists: There is one of that name.
        """
        with self._lock:
            if reference in self._environments:
                raise AlreadyExists(f"environment {reference} already exists")
            first = Revision(1, "", creator, datetime.now(UTC))
            self._environments[reference] = _Environment(str(uuid.uuid4()), [first])

    def delete(self, reference: Reference) -> None:
        """Remove an environment and all its revisions.

        Raises:
            Protected: Deletion protection is on.
        """
        with self._edit(reference) as environment:
            if environment.deletion_protected:
                raise Protected(f"environment {reference} is protected from deletion")
            del self._environments[reference]

    def clone(self, source: Reference, target: Reference, creator: str, preserve: Collection[Preserved] = ()) -> None:
        """Copy an environment under a new name.

        Args:
            source: What to copy.
            target: The copy's name.
            creator: Who copies.
            preserve: ``history`` copies all revisions with their numbers, otherwise the definition becomes
                revision 2; ``tags`` the tags; ``revision tags`` those, and they need the history they name.

        Raises:
            AlreadyExists: The new name is taken.
            InvalidRequest: Revision tags without history.
        """
        if "revision tags" in preserve and "history" not in preserve:
            raise InvalidRequest("revision tags name revisions: preserve the history too")
        with self._edit(source) as original:
            self.create(target, creator)
            copy = self._environments[target]
            if "history" in preserve:
                copy.revisions[:] = original.revisions
            else:
                self.update(target, original.revisions[-1].yaml, creator)
            for tag in original.tags.page() if "tags" in preserve else ():
                copy.tags.create(tag.name, tag.value, creator)
            for mark in original.revision_tags.page() if "revision tags" in preserve else ():
                copy.revision_tags.create(mark.name, mark.value, creator)

    def update(self, reference: Reference, yaml: str, creator: str, *, expected: int | None = None) -> int:
        """Add a revision and return its number.

        Raises:
            EditConflict: The latest revision is not the expected one.
        """
        with self._edit(reference) as environment:
            latest = environment.revisions[-1].number
            if expected is not None and expected != latest:
                raise EditConflict(f"environment {reference} is at revision {latest}, not {expected}: read it again")
            environment.revisions.append(Revision(latest + 1, yaml, creator, datetime.now(UTC)))
            return latest + 1

    def revision(self, reference: Reference, version: str = LATEST) -> Revision:
        """A revision by its number, by a revision tag, or the latest.

        Raises:
            NotFound: No such revision.
        """
        with self._edit(reference) as environment:
            if version == LATEST:
                return environment.revisions[-1]
            if not (version.isascii() and version.isdigit()):
                version = str(environment.revision_tags.get(version).value)
            number = int(version)
            if not 1 <= number <= len(environment.revisions):
                raise NotFound(f"environment {reference} has no revision {number}")
            return environment.revisions[number - 1]

    def revisions(self, reference: Reference, *, before: int = 0, count: int | None = None) -> list[Revision]:
        """Revisions from newest to oldest: those before a number (0: all), at most so many."""
        with self._edit(reference) as environment:
            older = [each for each in reversed(environment.revisions) if not before or each.number < before]
            return older[:count]

    def summary(self, reference: Reference) -> Summary:
        """What there is to say of one environment."""
        with self._edit(reference) as environment:
            return Summary(
                reference,
                environment.identity,
                environment.deletion_protected,
                environment.revisions[0].created,
                environment.revisions[-1].created,
            )

    def summaries(self, organizations: Collection[str]) -> list[Summary]:
        """All environments of these organizations, in the order of their names."""
        with self._lock:
            return [self.summary(each) for each in sorted(self._environments) if each.organization in organizations]

    def protect(self, reference: Reference, protected: bool) -> None:
        """Switch deletion protection on or off."""
        with self._edit(reference) as environment:
            environment.deletion_protected = protected

    @contextmanager
    def tags(self, reference: Reference) -> Iterator[Labels[str]]:
        """The environment's tags, to read and to change while the store is locked."""
        with self._edit(reference) as environment:
            yield environment.tags

    def revision_tags(self, reference: Reference, *, after: str = "", count: int | None = None) -> list[Label[int]]:
        """The revision tags that people set, in the order of their names."""
        with self._edit(reference) as environment:
            return environment.revision_tags.page(after, count)

    def revision_tag(self, reference: Reference, name: str) -> Label[int]:
        """One revision tag; ``latest`` is always there.

        Raises:
            NotFound: No such tag.
        """
        with self._edit(reference) as environment:
            newest = environment.revisions[-1]
            if name == LATEST:
                return Label(LATEST, newest.number, newest.creator, newest.created, newest.created)
            return environment.revision_tags.get(name)

    def tag_revision(self, reference: Reference, name: str, revision: int, editor: str) -> None:
        """Add a revision tag.

        Raises:
            AlreadyExists: There is one of that name.
            InvalidRequest: A name that is a number, or ``latest``.
            NotFound: No such revision.
        """
        with self._edit(reference) as environment:
            if name == LATEST or check_name(name).isdigit():
                raise InvalidRequest(f"{name!r} already names a revision: choose another tag")
            environment.revision_tags.create(name, self.revision(reference, str(revision)).number, editor)

    def move_revision_tag(self, reference: Reference, name: str, revision: int, editor: str) -> None:
        """Let a revision tag name another revision.

        Raises:
            NotFound: No such tag or revision.
        """
        with self._edit(reference) as environment:
            number = self.revision(reference, str(revision)).number
            environment.revision_tags.change(name, editor, value=number)

    def untag_revision(self, reference: Reference, name: str) -> None:
        """Remove a revision tag.

        Raises:
            NotFound: No such tag.
        """
        with self._edit(reference) as environment:
            environment.revision_tags.delete(name)

    @contextmanager
    def _edit(self, reference: Reference) -> Iterator[_Environment]:
        with self._lock:
            if reference not in self._environments:
                raise NotFound(f"environment {reference} not found")
            yield self._environments[reference]
