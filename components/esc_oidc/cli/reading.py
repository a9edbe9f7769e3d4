"""Reads what the commands judge: policies in files, folders and standard input, and tokens."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jwt

from ..verify.documents import Located, find_trust_policies
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

    Ends the command with status 2 when something cannot be read, or there is no trust policy at all.
    """
    found = [Found(name, located) for name, text in _texts(sources) for located in _find(name, text)]
    if not found:
        fail(
            f"{', '.join(sources)}: there is no trust policy. I read policies as JSON, `aws iam get-role`, "
            "`terraform show -json`, `pulumi stack export` and `pulumi preview --json`."
        )
    return found


def one_policy(source: str) -> Found:
    """The one trust policy in a source; ends the command when there are several."""
    found = policies([source])
    if len(found) > 1:
        fail(f"{source}: there are {len(found)} trust policies; give one: {', '.join(str(each) for each in found)}.")
    return found[0]


def _texts(sources: Sequence[str]) -> Iterator[tuple[str, str]]:
    for source in sources:
        path = Path(source)
        if source == STDIN:
            yield source, sys.stdin.read()
        elif path.is_dir():
            for file in sorted(path.rglob("*.json")):
                yield str(file), text_of(str(file))
        else:
            yield source, text_of(source)


def text_of(source: str) -> str:
    """A file's text, or standard input for `-`; ends the command when it cannot be read."""
    try:
        return sys.stdin.read() if source == STDIN else Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{source}: {error}")


def _find(name: str, text: str) -> list[Located]:
    try:
        document = json.loads(text)
    except ValueError as error:
        fail(f"{name}: this is not JSON: {error}.")
    if not isinstance(document, Mapping):
        fail(f"{name}: this is JSON, but no object.")
    # The text itself, where the document is a policy: a key that stands twice is lost once it is parsed.
    return [
        Located(each.place, text, each.role_arn) if each.policy is document else each
        for each in find_trust_policies(document)
    ]


def token_claims(source: str) -> Mapping[str, Any]:
    """The claims of a token: a JWT, of which the signature is not looked at, or its claims as JSON."""
    text = text_of(source).strip()
    try:
        claims = json.loads(text) if text.startswith("{") else jwt.decode(text, options={"verify_signature": False})
    except (ValueError, jwt.PyJWTError):
        # Not the error's own text: it may quote the token.
        fail(f"{source}: this is neither a JWT nor claims as a JSON object.")
    if not isinstance(claims, Mapping):
        fail(f"{source}: the claims are no JSON object.")
    return claims
