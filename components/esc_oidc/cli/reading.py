"""Reads what the commands judge: policies in files, folders and standard input."""

import sys
from pathlib import Path

from .output import fail
from .sources import STDIN, Found, read_sources


def one_policy(source: str) -> Found:
    """The one trust policy in a source; ends the command when there are several."""
    reading = read_sources([source])
    if reading.unread:
        fail(f"{reading.unread[0].source}: {reading.unread[0].problem}")
    found = reading.found
    if not found:
        fail(f"{source}: {next((why for _, why in reading.passed_over), 'there is no trust policy in it')}.")
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
    except UnicodeDecodeError:
        fail(f"{source}: this is not text in UTF-8.")
    except OSError as error:
        fail(f"{source}: {error}")
