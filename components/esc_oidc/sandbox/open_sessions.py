"""What was opened, until it expires, and the values in it."""

import json
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

from .names import InvalidRequest, NotFound

_STEP: Final = re.compile(r'\.?(?P<key>[^.\[\]"]+)|\[(?P<index>[0-9]+)\]|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]')


@dataclass(frozen=True)
class _Session:
    """An opened environment: whose it is, what it says, until when (monotonic seconds)."""

    organization: str
    name: str
    properties: Mapping[str, Any]
    expires: float


class OpenSessions:
    """Opened environments until they expire. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sessions: dict[str, _Session] = {}

    def add(self, organization: str, name: str, properties: Mapping[str, Any], lifetime: int) -> str:
        """Keep what an environment says for so many seconds; gives its id."""
        identity = str(uuid.uuid4())
        with self._lock:
            self._sessions[identity] = _Session(organization, name, properties, time.monotonic() + lifetime)
        return identity

    def properties(self, organization: str, name: str, identity: str) -> Mapping[str, Any]:
        """What an environment said.

        Raises:
            NotFound: It was not opened under this id, or the time is over.
        """
        with self._lock:
            session = self._sessions.get(identity)
        if session is None or (session.organization, session.name) != (organization, name):
            raise NotFound(f"open environment {identity} of {name} not found")
        if session.expires <= time.monotonic():
            raise NotFound(f"open environment {identity} of {name} has expired: open it again")
        return session.properties


def value_at(properties: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The value at a property path such as ``a["b"][0].c``, as pulumi-esc-sdk reads one.

    Raises:
        InvalidRequest: It is no property path.
        NotFound: It leads nowhere.
    """
    value: Any = {"value": properties}
    at = 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            raise InvalidRequest(f"property path {path!r} cannot be read from {path[at:]!r} on")
        at = step.end()
        try:
            if step["index"]:
                value = value["value"][int(step["index"])]
            else:
                value = value["value"][json.loads(step["quoted"]) if step["quoted"] else step["key"]]
        except (LookupError, TypeError) as error:
            raise NotFound(f"there is nothing at property path {path!r}") from error
    return {**value, "trace": {}}
