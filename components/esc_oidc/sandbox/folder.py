"""Where a sandbox keeps its state between runs: files that are whole at any moment, for one sandbox at a time."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Final, Self

FORMAT: Final = 1

_ABOUT: Final = "sandbox.json"


class StateError(Exception):
    """A folder that can't be used; the text names the file, says why, and what to do."""


class Folder:
    """A sandbox's files, or nothing at all: without a path it keeps nothing."""

    def __init__(self, path: Path | None = None) -> None:
        self.keeps: Final = path is not None
        self._path = (path or Path()).absolute()
        self._kept: dict[str, bytes] = {}
        self._appending = Lock()

    @classmethod
    @contextmanager
    def open(cls, path: Path | None) -> Iterator[Self]:
        """The folder, made if need be, until the end of the block; StateError if it can't be used."""
        folder = cls(path)
        with ExitStack() as held:
            if path is not None:
                held.callback(os.close, _locked(path))
                with folder.blaming(_ABOUT):
                    folder.check_format()
                folder.forget("*.unfinished")
            yield folder

    def check_format(self) -> None:
        """StateError if another version wrote the folder."""
        if (found := json.loads(self.read(_ABOUT))["format"]) != FORMAT:
            raise StateError(f"{self._path / _ABOUT}: format {found!r}; this version reads {FORMAT}. Update esc-oidc.")

    @contextmanager
    def blaming(self, name: str, where: str = "") -> Iterator[None]:
        """A block in which whatever goes wrong is a StateError that names a file."""
        try:
            yield
        except StateError:
            raise
        except Exception as error:
            reason = f"{self._path / name}{where}: it can't be read ({type(error).__name__}: {error})"
            raise StateError(f"{reason}. Restore it, or choose another folder.") from error

    def names(self, pattern: str) -> list[str]:
        """The names of the files that fit a pattern, sorted."""
        return sorted(each.name for each in self._path.glob(pattern)) if self.keeps else []

    def read(self, name: str) -> bytes:
        """The content of a file."""
        self._kept[name] = (self._path / name).read_bytes()
        return self._kept[name]

    def lines(self, name: str) -> list[bytes]:
        """The lines of a file, if it is there. A last one that was cut off is dropped for good."""
        whole, end, rest = b"".join((self._path / each).read_bytes() for each in self.names(name)).rpartition(b"\n")
        if rest:
            os.truncate(self._path / name, len(whole + end))
        return (whole + end).splitlines()

    def keep(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all, unless it says so already."""
        if self.keeps and self._kept.get(name) != content:
            unfinished = f"{name}.unfinished"
            self._write(unfinished, os.O_TRUNC, content)
            (self._path / unfinished).replace(self._path / name)
            self._kept[name] = content
            # The new name must last, too.
            folder = os.open(self._path, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)

    def append(self, name: str, line: bytes) -> None:
        """Add a line to a file."""
        with self._appending:
            self._write(name, os.O_APPEND, line + b"\n")

    def forget(self, pattern: str) -> None:
        """Remove the files that fit a pattern."""
        for name in self.names(pattern):
            (self._path / name).unlink()
            self._kept.pop(name, None)

    def _write(self, name: str, mode: int, content: bytes) -> None:
        with os.fdopen(os.open(self._path / name, os.O_WRONLY | os.O_CREAT | mode, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


def _locked(path: Path) -> int:
    """Make a folder this process's own for as long as a file is open, which this gives."""
    import fcntl  # noqa: PLC0415 - Windows has none

    about = path / _ABOUT
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not about.exists() and any(path.iterdir()):
            raise StateError(f"{path}: this is not the state of a sandbox. Choose an empty folder, or a new one.")
        path.chmod(0o700)  # it may have been there before, open to others
        lock = os.open(about, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.fstat(lock).st_size:
            os.write(lock, json.dumps({"format": FORMAT}).encode())
    except BlockingIOError as error:
        os.close(lock)
        raise StateError(f"{path}: another sandbox uses it. Stop that one, or choose another folder.") from error
    except OSError as error:
        raise StateError(f"{path}: {error.strerror}. Choose another folder for the state.") from error
    return lock


class Table(dict[str, Any]):
    """A map of JSON values in one file of a folder. Change it by `put` only, from any thread."""

    def __init__(self, folder: Folder, name: str) -> None:
        super().__init__()
        self._folder, self._name, self._lock = folder, name, Lock()
        for kept in folder.names(name):
            with folder.blaming(name):
                self.update(json.loads(folder.read(kept)))

    def put(self, key: str, value: Any) -> None:
        """Write a value, or remove it by None."""
        with self._lock:
            self[key] = value
            if value is None:
                del self[key]
            self._folder.keep(self._name, json.dumps(self).encode())
