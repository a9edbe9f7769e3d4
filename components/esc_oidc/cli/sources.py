"""Reads files, folders and standard input, and finds the trust policies in there."""

import json
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..verify import WORDS, Located, find_trust_policies, is_recognised, other_policy

if TYPE_CHECKING:
    from .ignoring import Rules

STDIN: Final = "-"

_SUFFIXES: Final = (".json", ".yaml", ".yml", ".template", ".tfstate")
_JSON: Final = (".json", ".tfstate")
_TERRAFORM: Final = (".tf", ".tofu")
# As text: `re` compiles it when it is first used, and most files are sound.
_RENDERED: Final = r"\{\{(?!resolve:)|\{%|<%"
_STRING: Final = r'("(?:[^"\\]|\\.)*")'
_COMMENTS: Final = rf"(?s){_STRING}|//[^\n]*|/\*.*?\*/"
_COMMAS: Final = rf"{_STRING}|,(?=\s*[}}\]])"
_POSSIBLE: Final[Mapping[str, object]] = {"Statement": []}
"""What may be a trust policy, for all that can be read of it."""
_LEFT_ALONE: Final = {".git", ".hg", ".svn", ".terraform", ".tox", ".venv", "__pycache__", "node_modules"}
_BYTES: Final = tuple(word.encode() for word in WORDS)
_NODES: Final = 1_000_000
"""As many values may a YAML document have once its aliases are written out."""


EXCLUDED: Final = "excluded by the settings"
IGNORED: Final = "ignored by .gitignore; name it to read it"
UNREAD: Final = "nothing in it is about trust policies; it cannot be read"
"""How the reason begins for a file without any word of a trust policy: it stops nothing, and is counted."""
UNRENDERED: Final = "it is the template of another tool, such as Helm or Jinja: lint what it renders"
TERRAFORM_SOURCE: Final = "Terraform's own language is not parsed: lint what `terraform show -json` prints of the plan"


class Found(NamedTuple):
    """A trust policy that was found in a source.

    Args:
        source: The file, or `-`.
        located: The policy and where it stands in there.
    """

    source: str
    located: Located

    def __str__(self) -> str:
        return f"{self.source}: {self.located.place}" if self.located.place else self.source


class Unread(NamedTuple):
    """A source that could not be read.

    Args:
        source: The file or folder.
        problem: Why, as a sentence.
        named: Whether it was asked for by its name.
    """

    source: str
    problem: str
    named: bool


class Reading:
    """What was found in all sources.

    Attributes:
        found: The trust policies.
        unread: What could not be read.
        passed_over: Files and folders without a trust policy, each with the reason.
        piped: What came from standard input, which cannot be read again, by its name.
    """

    def __init__(self) -> None:
        self.found: list[Found] = []
        self.unread: list[Unread] = []
        self.passed_over: list[tuple[str, str]] = []
        self.piped: dict[str, str] = {}


class UnreadableError(ValueError):
    """Why a text is no document."""


class NoDocumentError(UnreadableError):
    """Why it is none, and does not have to be one.

    Attributes:
        kind: What it is.
    """

    def __init__(self, problem: str, kind: str) -> None:
        super().__init__(problem)
        self.kind = kind


def read_sources(sources: Sequence[str], root: Path | None = None, exclude: Sequence[str] = ()) -> Reading:
    """Every trust policy in these files, below these folders, and on standard input for `-`.

    A folder may hold anything: what has no trust policy is passed over, and what cannot be read stops nothing.

    Args:
        sources: What was named.
        root: What `exclude` is relative to.
        exclude: What to pass over in folders, as lines of a `.gitignore`.
    """
    reading = Reading()
    for source in sources:
        if source != STDIN and os.path.isdir(source):  # noqa: PTH112 - an odd name is not a folder, and no error
            folder = Path(os.path.abspath(source))  # noqa: PTH100 - links stay as they are
            from .ignoring import rules_above, rules_of  # noqa: PLC0415 - files that are named are not ignored

            excluded = rules_of(exclude, root) if root else []
            for file in _files(source, str(folder), rules_above(folder), excluded, reading):
                _read(file, reading, named=False)
        else:
            _read(source, reading, named=True)
    return reading


def _files(shown: str, folder: str, above: "list[Rules]", excluded: "list[Rules]", reading: Reading) -> Iterator[str]:
    """The files below a folder that may have trust policies, in the order of their names."""
    from .ignoring import is_ignored, rules_in  # noqa: PLC0415 - files that are named are not ignored

    rules = [*above, *rules_in(Path(folder))]
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        reading.unread.append(Unread(shown, f"{error.strerror}.", named=False))
        return
    for entry in listed:
        is_folder = entry.is_dir(follow_symlinks=False)
        if entry.name in _LEFT_ALONE or not (is_folder or entry.name.endswith(_SUFFIXES + _TERRAFORM)):
            continue
        path = os.path.normpath(os.path.join(shown, entry.name))  # noqa: PTH118 - ten thousand of them
        if rules and is_ignored(entry.path + "/" * is_folder, rules):
            reading.passed_over.append((path, IGNORED))
        elif excluded and is_ignored(entry.path + "/" * is_folder, excluded):
            reading.passed_over.append((path, EXCLUDED))
        elif not is_folder:
            yield path
        elif not os.path.exists(os.path.join(entry.path, "pyvenv.cfg")):  # noqa: PTH110, PTH118 - ten thousand of them
            yield from _files(path, entry.path, rules, excluded, reading)


def _read(source: str, reading: Reading, *, named: bool) -> None:
    try:
        text = _text(source, named=named)
        if source == STDIN:
            reading.piped[source] = text
        document = parse(text, source)
        located = find_trust_policies(document)
    except NoDocumentError as error:
        if named:
            reading.unread.append(Unread(source, str(error), named))
        else:
            reading.passed_over.append((source, error.kind))
        return
    except RecursionError:
        reading.unread.append(Unread(source, "it is nested too deeply.", named))
        return
    except (OSError, ValueError) as error:
        reading.unread.append(Unread(source, str(error), named))
        return
    if not located:
        other = other_policy(document) if isinstance(document, dict) and "Statement" in document else None
        if not named or is_recognised(document):
            reading.passed_over.append((source, other or "there is no role's trust policy in it"))
        else:
            none = (
                "there is no trust policy" if isinstance(document, dict) else "there is no object with a trust policy"
            )
            what = f"this is {other}" if other else none
            reading.unread.append(Unread(source, f"{what}. {_READ}", named))
    for each in located:
        # The text itself, where the document is a policy: a key that stands twice is lost once it is parsed.
        whole = each.policy is document and text.lstrip()[:1] == "{"
        reading.found.append(Found(source, replace(each, policy=text) if whole else each))


_READ: Final = (
    "I read policies as JSON, `aws iam get-role`, CloudFormation templates, `terraform show -json`, "
    "`pulumi stack export` and `pulumi preview --json`."
)


def _text(source: str, *, named: bool) -> str:
    """A source's text.

    Raises:
        NoDocumentError: It is not named, and no word in it hints at a trust policy.
        UnreadableError: It has such a word and is in no encoding of Unicode, or ends in the middle.
    """
    if source == STDIN:
        return sys.stdin.read()
    if not named and not stat.S_ISREG(os.stat(source).st_mode):  # noqa: PTH116 - ten thousand of them
        raise NoDocumentError("", "it is no regular file")
    with open(source, "rb") as file:  # noqa: PTH123 - ten thousand of them
        data = file.read()
    if named or any(word in data for word in _BYTES):
        return decoded(data)
    try:
        text = decoded(data)
        if any(word in text for word in WORDS):
            return text
        if source.endswith(_JSON):
            json.loads(text)
    except json.JSONDecodeError as error:
        # What is missing at its end may have been a role.
        if _is_cut(error):
            raise UnreadableError(f"this JSON ends in the middle: {error}.") from error
        raise NoDocumentError("", f"{UNREAD}: this is not JSON: {error}.") from error
    except (UnreadableError, RecursionError) as error:
        raise NoDocumentError("", f"{UNREAD}: {error}") from error
    raise NoDocumentError("", "nothing in it is about trust policies")


def _is_cut(error: json.JSONDecodeError) -> bool:
    """Whether JSON ends before its end, as after an interrupted download; anything else stands in its middle."""
    at_end = error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated string")
    return at_end and error.doc.lstrip()[:1] in {"{", "["}


def decoded(data: bytes) -> str:
    """Text in any of the encodings of Unicode.

    Raises:
        UnreadableError: It is in none of them.
    """
    try:
        return data.decode(json.detect_encoding(data))
    except UnicodeDecodeError as error:
        raise UnreadableError(f"this is not text in UTF-8: {error}.") from error


def parse(text: str, source: str) -> Any:
    """The document in a text: JSON or, if the source is not called so, YAML; several YAML documents are a list.

    Raises:
        UnreadableError: It is neither.
    """
    if source.endswith(_TERRAFORM):
        raise NoDocumentError(f"{TERRAFORM_SOURCE}.", TERRAFORM_SOURCE)
    is_yaml = source.endswith((".yaml", ".yml"))
    try:
        if not is_yaml or text.lstrip()[:1] in {"{", "["}:
            return json.loads(text)
    except ValueError as error:
        if not is_yaml and (source.endswith(_JSON) or text.lstrip()[:1] in {"{", "["}):
            if documents := _json_lines(text):
                return documents
            problem = f"this is not JSON: {error}."
            if re.search(_RENDERED, text):
                raise NoDocumentError(problem, UNRENDERED) from error
            if not find_trust_policies(_without_comments(text)):
                raise NoDocumentError(problem, f"{UNREAD}: {problem}") from error
            raise UnreadableError(problem) from error
    try:
        return _yaml(text)
    except UnreadableError as error:
        if re.search(_RENDERED, text):
            raise NoDocumentError(str(error), UNRENDERED) from error
        raise


def _json_lines(text: str) -> list[Any]:
    """The documents of several lines, as logs have them; none if one of them is no JSON."""
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError:
        return []


def _without_comments(text: str) -> object:
    """JSON with comments and commas too many, as editors' and compilers' settings have them; the text if it is none."""
    plain = re.sub(_COMMENTS, lambda match: match[1] or " ", text)
    try:
        return json.loads(re.sub(_COMMAS, lambda match: match[1] or "", plain))
    except ValueError:
        return _POSSIBLE


def _yaml(text: str) -> Any:
    import yaml  # noqa: PLC0415 - most sources are JSON

    from .tags import loader  # noqa: PLC0415 - most sources are JSON

    try:
        documents = list(yaml.load_all(text, loader()))
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise UnreadableError(f"this is not JSON, and as YAML it is broken: {problem}.") from error
    if _size(documents, {}) > _NODES:
        raise UnreadableError("its YAML aliases come to more than a million values.")
    if not any(isinstance(each, dict | list) for each in documents):
        raise UnreadableError("this is not JSON, and as YAML it is no object.")
    return documents[0] if len(documents) == 1 else documents


def _size(value: object, known: dict[int, int]) -> int:
    """How many values a document has with its aliases written out; endless ones count as too many."""
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in known:
        known[id(value)] = _NODES + 1
        inner: Iterable[object] = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_size(each, known) for each in inner)
    return known[id(value)]
