"""Reads what the commands judge: policies in files, folders and standard input."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ..verify import Located, find_trust_policies, is_permission_policy, is_recognised
from .output import fail

STDIN: Final = "-"


@dataclass(frozen=True)
class Found:
    """A trust policy that was found in a source.

    Args:
        source: The file, or `-`.
        located: The policy and where it stands in there.
    """

    source: str
    located: Located

    def __str__(self) -> str:
        return f"{self.source}: {self.located.place}" if self.located.place else self.source


def policies(sources: Sequence[str]) -> list[Found]:
    """Every trust policy in these files, in the .json files below these folders, and on standard input for `-`.

    A folder may hold other JSON, which is passed over. Ends the command with status 2 when a source that was named
    cannot be read, or is of no kind that has trust policies.
    """
    found: list[Found] = []
    for source in sources:
        if source != STDIN and Path(source).is_dir():
            files = sorted(Path(source).rglob("*.json"))
            found += [each for file in files for each in _found(str(file), in_folder=True)]
        else:
            found += _found(source, in_folder=False)
    return found


def _found(source: str, *, in_folder: bool) -> list[Found]:
    text = text_of(source)
    document, problem = _object(text)
    if document is None:
        return [] if in_folder else fail(f"{source}: {problem}")
    if in_folder and "Statement" in document and is_permission_policy(document):
        return []
    # The text itself, where the document is a policy: a key that stands twice is lost once it is parsed.
    located = [
        replace(each, policy=text) if each.policy is document else each for each in find_trust_policies(document)
    ]
    if not (located or in_folder or is_recognised(document)):
        fail(
            f"{source}: there is no trust policy. I read policies as JSON, `aws iam get-role`, `terraform show -json`, "
            "`pulumi stack export` and `pulumi preview --json`."
        )
    return [Found(source, each) for each in located]


def _object(text: str) -> tuple[Mapping[str, Any] | None, str]:
    """The JSON object in a text, or why there is none. A list is one of roles, as `--query Roles` prints it."""
    try:
        document = json.loads(text)
    except ValueError as error:
        return None, f"this is not JSON: {error}."
    if isinstance(document, list) and document and all(isinstance(each, Mapping) for each in document):
        document = {"Roles": document}
    return (document, "") if isinstance(document, Mapping) else (None, "this is JSON, but no object.")


def one_policy(source: str) -> Found:
    """The one trust policy in a source; ends the command when there are several."""
    found = policies([source])
    if len(found) != 1:
        fail(f"{source}: there are {len(found)} trust policies; give one: {', '.join(str(each) for each in found)}.")
    return found[0]


def text_of(source: str) -> str:
    """A file's text, or standard input for `-`; ends the command when it cannot be read."""
    try:
        return sys.stdin.read() if source == STDIN else Path(source).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{source}: {error}")
