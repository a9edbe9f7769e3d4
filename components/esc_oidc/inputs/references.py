"""What the references in an environment's texts lead to, as ESC follows them.

It agrees with eval/eval.go of github.com/pulumi/esc v0.26.0 on definitions as the component emits them. What an
import, another environment or Pulumi Cloud's context holds can't be known here: there every name may exist.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..environment import Login, exported
from ..interpolation import Reference, parse
from .violations import Problem, nearest, shown

Path = tuple[str | int, ...]


class _Open(dict[str, Any]):
    """A map that may have further keys, with any values."""


_ANYTHING: Final = object()
"""A value that can't be known here."""

_TEXT: Final = None
"""Some text."""

_CONTEXT: Final = _Open(currentEnvironment={"name": _TEXT}, rootEnvironment={"name": _TEXT})
_CREDENTIALS: Final = dict.fromkeys(("accessKeyId", "secretAccessKey", "sessionToken"), _TEXT)
_LONGEST_CHAIN: Final = 100


class _UnresolvedError(Exception):
    """A reference leads nowhere."""


def unresolved(login: Login, own: str) -> Mapping[Path, Problem]:
    """What is wrong with which text, by its place in the definition's values.

    Args:
        login: What the environment has.
        own: Its name, ``PROJECT/ENV``.
    """
    values = _Values(login, own)
    values.evaluated((), values.tree)
    return values.problems


class _Values:
    def __init__(self, login: Login, own: str) -> None:
        self.tree: dict[str, Any] = {"aws": {"login": _CREDENTIALS}, **exported(login)}
        self.problems: dict[Path, Problem] = {}
        self._imports = {name: _Open() for name in login.imports}
        self._own = own
        self._found: dict[Path, Any] = {}
        self._under_way: set[Path] = set()
        self._chain = 0

    def evaluated(self, path: Path, node: Any) -> Any:
        """What the value at this place comes to."""
        if path in self._under_way:
            raise _UnresolvedError("it leads back to itself")
        if path not in self._found:
            self._under_way.add(path)
            try:
                self._found[path] = self._evaluated(path, node)
            finally:
                self._under_way.remove(path)
        return self._found[path]

    def _evaluated(self, path: Path, node: Any) -> Any:
        if isinstance(node, dict):
            return self._with_imports({key: self.evaluated((*path, key), item) for key, item in node.items()})
        if isinstance(node, list):
            return [self.evaluated((*path, index), item) for index, item in enumerate(node)]
        return _TEXT if node is _TEXT else self._text(path, node)

    def _with_imports(self, known: dict[str, Any]) -> dict[str, Any]:
        return _Open(known) if self._imports else known

    def _text(self, path: Path, text: str) -> Any:
        parts, _ = parse(text)
        found = _TEXT
        for part in parts:
            if isinstance(part, Reference):
                try:
                    found = self._referred(part.path)
                except _UnresolvedError as error:
                    rule = "a reference leads to a value of this environment, or of one in `imports`."
                    fix = f"Correct {_spelled(part.path)}: {error}."
                    self.problems.setdefault(path, Problem(rule, fix))
                    found = _ANYTHING
        return found if len(parts) == 1 else _TEXT

    def _referred(self, reference: Path) -> Any:
        """What a reference leads to. Only what it names is evaluated, so that siblings may refer to each other."""
        if reference[0] == "imports":
            return _accessed(self._imports, reference[1:])
        if reference[0] == "context":
            return _accessed(_CONTEXT, reference[1:])
        if reference[0] == "environments":
            return self._elsewhere(reference[1:])
        node: Any = self.tree
        for index, step in enumerate(reference):
            if not isinstance(node, dict | list):
                return _accessed(self._followed(reference[:index], node), reference[index:])
            node = _step(self._with_imports(node) if isinstance(node, dict) else node, step)
            if node is _ANYTHING:
                return node
        return self._followed(reference, node)

    def _followed(self, path: Path, node: Any) -> Any:
        self._chain += 1
        try:
            if self._chain > _LONGEST_CHAIN:
                raise _UnresolvedError(f"it goes through more than {_LONGEST_CHAIN} others")
            return self.evaluated(path, node)
        finally:
            self._chain -= 1

    def _elsewhere(self, steps: Path) -> Any:
        names = [step for step in steps[:2] if isinstance(step, str)]
        if len(names) < 2:  # noqa: PLR2004 - PROJECT and ENV
            raise _UnresolvedError("another environment's value is written environments.PROJECT.ENV.VALUE")
        if "/".join(names) == self._own:
            raise _UnresolvedError("this environment can't refer to itself")
        return _accessed(_Open(), steps[2:])


def _accessed(value: Any, steps: Sequence[str | int]) -> Any:
    for step in steps:
        value = _step(value, step)
    return value


def _step(value: Any, step: str | int) -> Any:
    """The value inside another."""
    if isinstance(step, int) and step < 0:
        raise _UnresolvedError(f"the index {step} is negative")
    if value is _ANYTHING:
        return value
    if isinstance(value, list):
        if not isinstance(step, int):
            raise _UnresolvedError(f"{shown(step)} is no index of a list")
        if step >= len(value):
            raise _UnresolvedError(f"the list has {len(value)} items, and none at [{step}]")
        return value[step]
    if not isinstance(value, dict):
        raise _UnresolvedError(f"there is nothing inside a text, and so no {shown(step)}")
    if not isinstance(step, str):
        raise _UnresolvedError(f"[{step}] is an index, and this is no list")
    if step in value:
        return value[step]
    if isinstance(value, _Open):
        return _ANYTHING
    guess = nearest(step, value)
    raise _UnresolvedError(f"there is no {shown(step)}" + (f" (did you mean `{guess}`?)" if guess else ""))


def _spelled(path: Path) -> str:
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return shown(f"${{{steps[1:]}}}")
