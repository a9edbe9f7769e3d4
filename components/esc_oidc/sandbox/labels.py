"""Named values with an author and a time: the tags of an environment and of its revisions."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Generic, TypeVar

from .names import AlreadyExists, NotFound

Value = TypeVar("Value")


@dataclass(frozen=True)
class Label(Generic[Value]):
    """One name and its value.

    Attributes:
        name: The label's name, unique among its siblings.
        value: A tag's text, or the number of the revision that a revision tag names.
        editor: The login that wrote it last.
        created: When it was first written, UTC.
        modified: When it was last written, UTC.
    """

    name: str
    value: Value
    editor: str
    created: datetime
    modified: datetime


class Labels(Generic[Value]):
    """The labels of one environment, by name. Not thread-safe: the store that owns it holds a lock."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._labels: dict[str, Label[Value]] = {}

    def create(self, name: str, value: Value, editor: str) -> Label[Value]:
        """Add a label.

        Raises:
            AlreadyExists: There is one of that name.
        """
        if name in self._labels:
            raise AlreadyExists(f"{self._what} {name!r} already exists")
        now = datetime.now(UTC)
        self._labels[name] = Label(name, value, editor, now, now)
        return self._labels[name]

    def get(self, name: str) -> Label[Value]:
        """The label of that name.

        Raises:
            NotFound: There is none.
        """
        if name not in self._labels:
            raise NotFound(f"{self._what} {name!r} not found")
        return self._labels[name]

    def change(self, name: str, editor: str, *, value: Value, new_name: str | None = None) -> Label[Value]:
        """Write a label anew, under another name if one is given.

        Raises:
            NotFound: There is none.
            AlreadyExists: Another label has the new name.
        """
        label = self.get(name)
        if new_name not in (None, name) and new_name in self._labels:
            raise AlreadyExists(f"{self._what} {new_name!r} already exists")
        del self._labels[name]
        changed = replace(label, name=new_name or name, value=value, editor=editor, modified=datetime.now(UTC))
        self._labels[changed.name] = changed
        return changed

    def delete(self, name: str) -> None:
        """Remove a label.

        Raises:
            NotFound: There is none.
        """
        self.get(name)
        del self._labels[name]

    def page(self, after: str = "", count: int | None = None) -> list[Label[Value]]:
        """The labels in the order of their names, those after a name, at most so many."""
        names = sorted(name for name in self._labels if name > after)
        return [self._labels[name] for name in names[:count]]
