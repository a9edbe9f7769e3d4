"""What an environment is called, and what may be wrong with a request for one."""

import re
from dataclasses import dataclass
from typing import Final

from ..claims import LEGACY_PROJECT

# Pulumi Cloud's own alphabet; `.` and `..` would be lost in a URL.
_NAME: Final = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}", re.ASCII)


class StoreError(Exception):
    """Why the sandbox's Pulumi Cloud refuses: an answer to the client, not a mistake in the program."""


class NotFound(StoreError, LookupError):  # noqa: N818 - see StoreError
    """Nothing of that name, or nothing the caller may see."""


class AlreadyExists(StoreError):  # noqa: N818 - see StoreError
    """The name is taken."""


class EditConflict(StoreError):  # noqa: N818 - see StoreError
    """Somebody else changed it since the caller read it."""


class Protected(StoreError):  # noqa: N818 - see StoreError
    """Deletion protection is on."""


class InvalidRequest(StoreError):  # noqa: N818 - see StoreError
    """A name or a value that Pulumi Cloud does not take."""


@dataclass(frozen=True, order=True)
class Reference:
    """One environment of one organization.

    Raises:
        InvalidRequest: A part that is not 1 to 100 of letters, digits, ``.``, ``_`` and ``-``.
    """

    organization: str
    project: str
    name: str

    def __post_init__(self) -> None:
        for part in (self.organization, self.project, self.name):
            check_name(part)

    def __str__(self) -> str:
        return f"{self.organization}/{self.project}/{self.name}"

    @property
    def path(self) -> str:
        """``PROJECT/ENV``: how definitions and tokens name it."""
        return f"{self.project}/{self.name}"

    @classmethod
    def parse(cls, organization: str, text: str) -> tuple["Reference", str]:
        """Read what stands in an import, ``[PROJECT/]ENV[@VERSION]``: which environment, and which version.

        A missing project is the legacy one, a missing version ``latest``.

        Raises:
            InvalidRequest: The text is nothing of the kind.
        """
        path, at, version = text.partition("@")
        project, slash, name = path.partition("/")
        if at and not version:
            raise InvalidRequest(f"{text!r} has an empty version after '@'")
        reference = cls(organization, project, name) if slash else cls(organization, LEGACY_PROJECT, path)
        return reference, version or "latest"


def check_name(name: str) -> str:
    """The name itself, if Pulumi Cloud takes it for an environment, a project, a tag.

    Raises:
        InvalidRequest: It is not 1 to 100 of letters, digits, ``.``, ``_`` and ``-``.
    """
    if not _NAME.fullmatch(name):
        raise InvalidRequest(f"{name!r} is not a name: use 1 to 100 letters, digits, '.', '_' and '-'")
    return name
