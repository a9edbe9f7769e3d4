"""Durations as ESC writes them: `1h`, `1h30m`, `900s`."""

import re
from typing import Final

# ESC's schema of aws-login has ^([0-9]+h)?([0-9]+m)?([0-9]+s)?$; six digits are more than AWS ever takes.
_DURATION: Final = re.compile(r"(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s)?", re.ASCII)


def seconds(duration: str) -> int:
    """The seconds of an ESC duration.

    Raises:
        ValueError: When it is not one.
    """
    match = _DURATION.fullmatch(duration)
    if not duration or match is None:
        raise ValueError(f"{duration!r} is not a duration like 1h30m")
    hours, minutes, rest = (int(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + rest
