"""In which line of a file something stands, and what comments there say. Read only where there is a finding."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from ..verify import Path

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_COMMENT: Final = re.compile(r"#\s*esc-oidc:\s*ignore\s+([\w-]+(?:\s*,\s*[\w-]+)*)\s*(?::\s*(.*?))?\s*$")
_MEANT: Final = re.compile(r"#\s*esc-oidc\W+ignore\b", re.IGNORECASE)
"""What somebody means for such a comment, even if it is none."""


def lines_of(text: str, paths: Iterable[Path]) -> Mapping[Path, int]:
    """The lines, from 1, in which the values at these paths stand; of what cannot be found, where it would stand."""
    wanted = {path[:end] for path in paths for end in range(len(path) + 1)}
    found = _json_lines(text, wanted) if text.lstrip()[:1] in {"{", "["} else _yaml_lines(text, wanted)
    return {
        path: next((found[path[:end]] for end in range(len(path), 0, -1) if path[:end] in found), 1) for path in wanted
    }


def _json_lines(text: str, wanted: set[Path]) -> dict[Path, int]:
    found: dict[Path, int] = {}
    where: list[str | int] = []
    in_object: list[bool] = []
    before = ""
    line, position = 1, 0
    for match in _TOKEN.finditer(text):
        sign = match[0]
        if sign in "}]" and where:
            where.pop()
            in_object.pop()
        elif sign == "," and where and not in_object[-1]:
            where[-1] = int(where[-1]) + 1
        elif sign[0] == '"' and in_object and in_object[-1] and before in "{,":
            where[-1] = _text(sign)
        elif sign not in ",:":
            if (path := tuple(where)) in wanted:
                line += text.count("\n", position, match.start())
                position = match.start()
                found.setdefault(path, line)
            if sign in "{[":
                where.append(0)
                in_object.append(sign == "{")
        before = sign
    return found


def _text(sign: str) -> str:
    try:
        return str(json.loads(sign, strict=False))
    except ValueError:
        return sign


def _yaml_lines(text: str, wanted: set[Path]) -> dict[Path, int]:
    root = _root(text)
    nodes = ((path, _node(root, path)) for path in wanted)
    return {path: node[0] + 1 for path, node in nodes if node}


def comments_at(text: str, path: Path) -> Mapping[int, tuple[Sequence[str], str]]:
    """The comments inside the role at this path: by its line, from 1, the rules that each says to ignore, and why.

    A comment is `# esc-oidc: ignore RULE[, RULE]: REASON`, in a line of its own or behind another value.
    """
    # Of a template's resource all of it counts, of another role what its policy stands in.
    block = path[:-2] if "Properties" in path[-2:-1] else path[:-1]
    found = _node(_root(text), block)
    if not found:
        return {}
    start, node = found
    return {
        line + 1: (_rules(match), match[2])
        for line, column, comment in _comments(text)
        # What is indented less belongs to the next block.
        if start <= line <= node.end_mark.line and column >= node.start_mark.column
        if (match := _COMMENT.fullmatch(comment)) and match[2]
    }


def comments_in(text: str) -> Iterator[tuple[int, Sequence[str], str]]:
    """Every such comment: its line, from 1, the rules, and the reason, which may be empty. No rules: it has no form."""
    for line, _, comment in _comments(text):
        match = _COMMENT.fullmatch(comment)
        yield line + 1, _rules(match) if match else (), (match[2] if match else "") or ""


def _comments(text: str) -> Iterator[tuple[int, int, str]]:
    """What is meant for such a comment, with its line and column, from 0; text in a scalar is none."""
    import yaml  # noqa: PLC0415 - most sources are JSON

    scalars: list[tuple[int, int]] = []
    try:
        for token in yaml.scan(text):
            if isinstance(token, yaml.ScalarToken):
                begin = token.start_mark.index
                # Behind the sign of a block scalar there may be a comment.
                first = text.find("\n", begin) if token.style in {"|", ">"} else begin
                scalars.append((first, token.end_mark.index))
    except yaml.YAMLError:
        return
    position = place = 0
    for number, line in enumerate(text.splitlines(keepends=True)):
        match = _MEANT.search(line)
        while match and place < len(scalars) and scalars[place][1] <= position + match.start():
            place += 1
        if match and not (place < len(scalars) and scalars[place][0] <= position + match.start()):
            yield number, match.start(), line[match.start() :].rstrip("\r\n")
        position += len(line)


def _rules(comment: re.Match[str]) -> Sequence[str]:
    return re.split(r"\s*,\s*", comment[1])


def _root(text: str) -> Any:
    """The nodes of YAML; several documents are a list, as they are read."""
    import yaml  # noqa: PLC0415 - most sources are JSON

    from .tags import loader  # noqa: PLC0415 - most sources are JSON

    try:
        documents = list(yaml.compose_all(text, loader()))
    except yaml.YAMLError:
        return None
    return documents[0] if len(documents) == 1 else documents


def _node(root: Any, path: Path) -> tuple[int, Any] | None:
    """The line, from 0, in which a node or its key begins, and the node."""
    node, line = root, 0
    for part in path:
        inner = node if isinstance(node, list) else getattr(node, "value", None)
        if not isinstance(inner, list):
            return None
        if isinstance(part, int):
            if part >= len(inner) or isinstance(inner[part], tuple):
                return None
            node = inner[part]
            line = node.start_mark.line
        else:
            pairs = [pair for pair in inner if isinstance(pair, tuple) and str(pair[0].value) == part]
            if not pairs:
                return None
            key, node = pairs[-1]
            line = key.start_mark.line
    return None if isinstance(node, list) or node is None else (line, node)
