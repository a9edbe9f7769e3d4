"""What AWS asks of the session: how long it lasts and what it is called.

Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

from ..claims import DeploymentSubject, read_subject
from ..sessions import LONGEST_SESSION, SESSION_NAME, SHORTEST_SESSION, seconds
from .token_rules import Refusal


def _seconds(duration: str) -> int | None:
    """The seconds in a duration; None if it cannot be read."""
    try:
        return seconds(duration)
    except ValueError:
        return None


def refuse_parameters(session_name: str | None, duration: str | None, subject: object) -> Refusal | None:
    """What the API itself asks of its parameters: the name's form, and 900 to 43200 seconds.

    Args:
        session_name: The role session name.
        duration: What is asked for, in ESC's form.
        subject: The token's `sub`, which tells where the duration was written.
    """
    return _refuse_session_name(session_name) or _refuse_duration(duration, subject)


def refuse_maximum(duration: str | None, max_session_duration: str | None, subject: object) -> Refusal | None:
    """At most the role's maximum.

    Raises:
        ValueError: The role's maximum has another form than ``1h30m``.
    """
    maximum = LONGEST_SESSION if max_session_duration is None else _seconds(max_session_duration)
    if maximum is None:
        raise ValueError(f"max_session_duration is {max_session_duration!r}: write hours, minutes, seconds, 1h30m")
    asked = _seconds(duration) if duration is not None else None
    if asked is None or asked <= maximum:
        return None

    def explain() -> str:
        if _is_deployment(subject):
            likely = ""
        else:
            likely = "ESC asks for 2h when the login names no duration, and a role allows 1h unless it says more. "
        return (
            f"The requested duration {duration} ({asked} s) exceeds the role's maximum session duration "
            f"{max_session_duration} ({maximum} s). {likely and 'Likely mistake: '}{likely}"
            f"{_shorter(str(max_session_duration), subject)}, or raise the role's maximum (12h at most)."
        )

    return Refusal("ValidationError", explain)


def _refuse_duration(duration: str | None, subject: object) -> Refusal | None:
    if duration is None:
        return None
    asked = _seconds(duration)
    if asked is not None and SHORTEST_SESSION <= asked <= LONGEST_SESSION:
        return None

    def explain() -> str:
        if asked is None:
            return f"The duration {duration!r} cannot be read: write hours, minutes and seconds, such as 1h30m."
        if asked < SHORTEST_SESSION:
            return f"The duration {duration} is {asked} s, and AWS issues no session under 900 s: ask for 15m or more."
        return (
            f"The requested duration {duration} ({asked} s) exceeds the most that any role allows, 12h "
            f"({LONGEST_SESSION} s). {_shorter('12h', subject)}."
        )

    return Refusal("ValidationError", explain)


def _shorter(limit: str, subject: object) -> str:
    """Where the duration stands: in the login of an environment, or in the settings of a deployment."""
    if _is_deployment(subject):
        return f"Write {limit} or less as the session's duration into the stack's deployment settings"
    return f"Write `duration: {limit}` or less into the login"


def _is_deployment(subject: object) -> bool:
    return isinstance(subject, str) and isinstance(read_subject(subject), DeploymentSubject)


def _refuse_session_name(session_name: str | None) -> Refusal | None:
    """2 to 64 characters of letters, digits and ``_+=,.@-``."""
    if session_name is None or SESSION_NAME.fullmatch(session_name):
        return None
    return Refusal(
        "ValidationError",
        lambda: (
            f"The session name {session_name!r} ({len(session_name)} characters) is not one that AWS takes: 2 to 64 "
            "letters, digits and _+=,.@- only."
        ),
    )
