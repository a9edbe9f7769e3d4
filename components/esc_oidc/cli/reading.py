"""Reads what the commands judge: policies in files, folders and standard input, and tokens."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .output import fail
from .sources import STDIN, Found, read_sources


def one_policy(source: str) -> Found:
    """The one trust policy in a source; ends the command when there are several."""
    reading = read_sources([source])
    if reading.unread:
        fail(f"{reading.unread[0].source}: {reading.unread[0].problem}")
    found = reading.found
    if len(found) != 1:
        fail(f"{source}: there are {len(found)} trust policies; give one: {', '.join(str(each) for each in found)}.")
    if found[0].located.placeholders:
        names = ", ".join(found[0].located.placeholders)
        fail(f"{found[0]}: the policy depends on what the template leaves open ({names}); give the deployed one.")
    return found[0]


def text_of(source: str) -> str:
    """A file's text, or standard input for `-`; ends the command when it cannot be read."""
    try:
        return sys.stdin.read() if source == STDIN else Path(source).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{source}: {error}")


def token_claims(source: str) -> Mapping[str, Any]:
    """The claims of a token: a JWT, of which the signature is not looked at, or its claims as JSON."""
    text = text_of(source).strip()
    try:
        claims = json.loads(text) if text.startswith("{") else _decoded(text)
    except ValueError:
        # Not the error's own text: it may quote the token.
        fail(f"{source}: this is neither a JWT nor claims as a JSON object.")
    if not isinstance(claims, Mapping):
        fail(f"{source}: the claims are not a JSON object.")
    return claims


def _decoded(token: str) -> Any:
    import jwt  # noqa: PLC0415 - it loads cryptography, which nobody else here needs

    try:
        return jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError as error:
        raise ValueError("not a JWT") from error
