"""Where a sandbox keeps its state between runs: files that are whole at any moment, for one sandbox at a time."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

FORMAT: Final = 1

_ABOUT: Final = "sandbox.json"
_UNFINISHED: Final = ".unfinished"


class StateError(Exception):
    """A folder that can't be used; the text names the file, says why, and what to do."""


class Folder:
    """A sandbox's files, or nothing at all: without a path it keeps nothing."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._kept: dict[str, bytes] = {}

    @classmethod
    @contextmanager
    def open(cls, path: Path | None) -> Iterator[Self]:
        """The folder, made if need be, until the end of the block; StateError if it can't be used."""
        if path is None:
            yield cls()
            return
        path = path.absolute()
        import fcntl  # noqa: PLC0415 - Windows has none

        about = path / _ABOUT
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not about.exists() and any(path.iterdir()):
                raise StateError(f"{path}: this is not the state of a sandbox. Choose an empty folder, or a new one.")
            lock = os.open(about, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StateError(f"{path}: {error.strerror}. Choose another folder for the state.") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            folder = cls(path)
            if not about.stat().st_size:
                os.write(lock, json.dumps({"format": FORMAT}).encode())
            with folder.blaming(_ABOUT):
                if (found := json.loads(folder.read(_ABOUT))["format"]) != FORMAT:
                    raise StateError(f"{about}: its format is {found!r}; this version reads {FORMAT}. Update esc-oidc.")
            for left in path.glob(f"*{_UNFINISHED}"):
                left.unlink()
            yield folder
        except BlockingIOError as error:
            raise StateError(f"{path}: another sandbox uses it. Stop that one, or choose another folder.") from error
        finally:
            os.close(lock)

    def read(self, name: str) -> bytes:
        """The content of a file."""
        self._kept[name] = self._file(name).read_bytes()
        return self._kept[name]

    @contextmanager
    def blaming(self, name: str, where: str = "") -> Iterator[None]:
        """A block in which whatever goes wrong is a StateError that names a file."""
        try:
            yield
        except StateError:
            raise
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise StateError(
                f"{self._file(name)}{where}: it can't be read ({reason}). Restore it, or choose another folder."
            ) from error

    def names(self, pattern: str) -> list[str]:
        """The names of the files that fit a pattern, sorted."""
        return sorted(each.name for each in self._path.glob(pattern)) if self._path else []

    @property
    def keeps(self) -> bool:
        """Whether there is one."""
        return self._path is not None

    def keep(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all, unless it says so already."""
        if self._path is None or self._kept.get(name) == content:
            return
        unfinished = self._file(name + _UNFINISHED)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._file(name))
        self._sync()
        self._kept[name] = content

    def append(self, name: str, line: bytes) -> None:
        """Add a line to a file."""
        with os.fdopen(os.open(self._file(name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as file:
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def lines(self, name: str) -> list[bytes]:
        """The lines that were added to a file. A last one that was cut off is dropped for good."""
        if not self.names(name):
            return []
        text = self._file(name).read_bytes()
        whole = text.rfind(b"\n") + 1
        if whole < len(text):
            os.truncate(self._file(name), whole)
        return text[:whole].splitlines()

    def forget(self, pattern: str) -> None:
        """Remove the files that fit a pattern."""
        for name in self.names(pattern):
            self._file(name).unlink()
            self._kept.pop(name, None)

    def _file(self, name: str) -> Path:
        return (self._path or Path()) / name

    def _sync(self) -> None:
        """Make the names in the folder as safe as what is in the files."""
        folder = os.open(self._file("."), os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class Table(dict[str, Any]):
    """A map of JSON values in one file of a folder. Change it by `put` only, from any thread."""

    def __init__(self, folder: Folder, name: str) -> None:
        super().__init__()
        self._folder, self._name, self._lock = folder, name, threading.Lock()
        if folder.names(name):
            with folder.blaming(name):
                self.update(json.loads(folder.read(name)))

    def put(self, key: str, value: Any) -> None:
        """Write a value, or remove it by None."""
        with self._lock:
            self[key] = value
            if value is None:
                del self[key]
            self._folder.keep(self._name, json.dumps(self).encode())
