"""Which files `.gitignore` leaves out, https://git-scm.com/docs/gitignore."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class Rules(NamedTuple):
    """The rules of one `.gitignore`.

    Attributes:
        folder: Where it stands, with a slash at its end.
        steps: Whether to ignore what matches, in the file's order; neighbours of one kind are one expression.
    """

    folder: str
    steps: list[tuple[bool, re.Pattern[str]]]

    def decide(self, path: str) -> bool | None:
        """Whether it ignores a path (of a folder with a slash at its end); None if it says nothing about it."""
        if not path.startswith(self.folder):
            return None
        inside = path.removeprefix(self.folder)
        return next((ignores for ignores, pattern in reversed(self.steps) if pattern.fullmatch(inside)), None)


def rules_in(folder: Path) -> list[Rules]:
    """The rules of a folder's own `.gitignore`, if there is one that can be read."""
    try:
        lines = (folder / ".gitignore").read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return rules_of(lines, folder)


def rules_of(lines: Iterable[str], folder: Path) -> list[Rules]:
    """The rules in the lines of a `.gitignore` that stands, or could stand, in a folder."""
    steps: list[tuple[bool, list[str]]] = []
    for line in lines:
        negated, pattern = line.startswith("!"), _expression(line.removeprefix("!"))
        if pattern and not line.startswith("#"):
            if not steps or steps[-1][0] == negated:
                steps.append((not negated, []))
            steps[-1][1].append(pattern)
    return [Rules(f"{folder}/", [(ignores, re.compile("|".join(parts), re.DOTALL)) for ignores, parts in steps])]


def rules_above(folder: Path) -> list[Rules]:
    """The rules of the folders above, up to the repository's root."""
    parents = list(folder.parents)
    root = next((index for index, each in enumerate([folder, *parents]) if (each / ".git").exists()), 0)
    return [rules for parent in reversed(parents[:root]) for rules in rules_in(parent)]


def is_ignored(path: str, rules: list[Rules]) -> bool:
    """Whether these rules ignore a path: of several, the one that is nearest says so."""
    return next((said for each in reversed(rules) if (said := each.decide(path)) is not None), False)


def _expression(line: str) -> str:
    """A line as a regular expression for paths below its folder; empty for a line that says nothing."""
    text = re.sub(r"(?<!\\) +$", "", line)
    body = text.removesuffix("/")
    if not body.strip("/") or re.search(r"(?<!\\)(\\\\)*\\$", body):
        return ""
    found = "" if "/" in body else "(?:.*/)?"
    segments = body.removeprefix("/").split("/")
    for index, segment in enumerate(segments, start=1):
        is_last = index == len(segments)
        if re.fullmatch(r"\*{2,}", segment):
            found += ".+" if is_last else "(?:.*/)?"
        else:
            found += _segment(segment) + ("" if is_last else "/")
    # The last part is a name: `sub/*` is not `sub/` itself.
    return f"{found}(?<!/){'/' if text.endswith('/') else '/?'}"


def _segment(segment: str) -> str:
    """What stands between two slashes, in which no wildcard matches a slash."""
    found = ""
    for part in re.split(r"(\*+|\?|\[[!^]?\]?[^\]]*\]|\\.)", segment):
        if part.startswith("*"):
            found += "[^/]*"
        elif part == "?":
            found += "[^/]"
        elif part.startswith("[") and part.endswith("]"):
            found += _one_of(part[1:-1])
        else:
            found += re.escape(part.removeprefix("\\"))
    return found


def _one_of(inner: str) -> str:
    """What stands in brackets; a range that is the wrong way round matches nothing."""
    listed = inner.replace("\\", "\\\\").replace("[", "\\[")
    expression = f"(?!/)[{'^' + listed[1:] if listed[:1] in '!^' else listed}]"
    try:
        re.compile(expression)
    except re.error:
        return "(?!)"
    return expression
