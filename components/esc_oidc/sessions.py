"""The session that STS issues: how long it lasts, how a duration is written, and what the session may be called.

Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

import re
from functools import lru_cache
from typing import Final

HOUR: Final = 3600
SHORTEST_SESSION: Final = 900
"""Seconds; AWS issues no shorter session."""

LONGEST_SESSION: Final = 12 * HOUR
"""Seconds; the longest session of any role. A role's own maximum is at least one hour."""

SESSION_NAME: Final = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
"""A role session name; match it whole."""

# ESC's schema of aws-login has ^([0-9]+h)?([0-9]+m)?([0-9]+s)?$; six digits are more than AWS ever takes.
_DURATION: Final = re.compile(r"(?=.)(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s)?", re.ASCII)


@lru_cache(maxsize=256)
def seconds(duration: str) -> int:
    """The seconds of a duration as ESC writes it: ``1h``, ``1h30m``, ``900s``.

    Raises:
        ValueError: When it is not one.
    """
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise ValueError(f"{duration!r} is not a duration like 1h30m")
    hours, minutes, rest = (int(part or 0) for part in match.groups())
    return hours * HOUR + minutes * 60 + rest


def duration_text(length: int) -> str:
    """A number of seconds as ESC writes it: ``1h30m``."""
    hours, rest = divmod(length, HOUR)
    minutes, rest = divmod(rest, 60)
    return "".join(f"{count}{unit}" for count, unit in ((hours, "h"), (minutes, "m"), (rest, "s")) if count) or "0s"
