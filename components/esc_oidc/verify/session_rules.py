"""What AWS asks of the session: how long it lasts and what it is called.

Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

import re
from functools import lru_cache
from typing import Final

from .token_rules import Refusal

SHORTEST_SESSION: Final = 900
"""Seconds; AWS issues no shorter session."""

LONGEST_SESSION: Final = 43200
"""Seconds; no role allows a longer session."""

_DURATION: Final = re.compile(r"(?=.)(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?", re.ASCII)
_SESSION_NAME: Final = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)


@lru_cache(maxsize=256)
def seconds(duration: str) -> int | None:
    """The seconds in a duration in ESC's form, ``1h30m``; None if it has another form.

    Source: the schema of aws-login, ``^([0-9]+h)?([0-9]+m)?([0-9]+s)?$``
    """
    found = _DURATION.fullmatch(duration)
    if not found:
        return None
    hours, minutes, rest = (int(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + rest


def refuse_duration(duration: str | None, max_session_duration: str | None) -> Refusal | None:
    """At least 900 seconds, at most the role's maximum.

    Raises:
        ValueError: The role's maximum has another form than ``1h30m``.
    """
    maximum = LONGEST_SESSION if max_session_duration is None else seconds(max_session_duration)
    if maximum is None:
        raise ValueError(f"max_session_duration is {max_session_duration!r}: write hours, minutes, seconds, 1h30m")
    if duration is None:
        return None
    asked = seconds(duration)
    if asked is not None and SHORTEST_SESSION <= asked <= maximum:
        return None

    def explain() -> str:
        if asked is None:
            return f"The duration {duration!r} cannot be read: write hours, minutes and seconds, such as 1h30m."
        if asked < SHORTEST_SESSION:
            return f"The duration {duration} is {asked} s, and AWS issues no session under 900 s: ask for 15m or more."
        limit = max_session_duration or "12h"
        what = "the role's maximum session duration" if max_session_duration else "the most that any role allows,"
        return (
            f"The requested duration {duration} ({asked} s) exceeds {what} {limit} ({maximum} s). Likely mistake: ESC "
            "asks for 2h when the login names no duration, and a role allows 1h unless it says more. Write "
            f"`duration: {limit}` or less into the login, or raise the role's maximum (12h at most)."
        )

    return Refusal("ValidationError", explain)


def refuse_session_name(session_name: str | None) -> Refusal | None:
    """2 to 64 characters of letters, digits and ``_+=,.@-``."""
    if session_name is None or _SESSION_NAME.fullmatch(session_name):
        return None
    return Refusal(
        "ValidationError",
        lambda: (
            f"The session name {session_name!r} ({len(session_name)} characters) is not one that AWS takes: 2 to 64 "
            "letters, digits and _+=,.@- only."
        ),
    )
