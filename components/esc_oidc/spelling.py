"""How messages spell the names of inputs: as Python does, or in camel case, as stack files and other languages do."""

import re
from contextvars import ContextVar
from dataclasses import replace
from typing import Final

from pulumi.provider.experimental import host

from .inputs import DeploymentPlan, EnvironmentPlan, Violation

_in_camel_case: Final = ContextVar("in_camel_case", default=False)
"""Of this run of a program: `esc-oidc try` runs one inside its own process."""

_NAMES: Final = "|".join(sorted({*EnvironmentPlan.formats(), *DeploymentPlan.formats()}))
_NAMED: Final = re.compile(rf"(?:^|(?<=`))(?:{_NAMES})\b|\b(?:{_NAMES})(?= = )")
"""An input's name where messages have it: at the beginning, in backticks, or before its value."""


def camel_case(name: str) -> str:
    """A Python name as configuration, the schema and other languages spell it."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def spell_in_camel_case() -> None:
    """From now on, messages of this program spell inputs as its configuration does, also those that come late."""
    _in_camel_case.set(True)


def spelled(text: str) -> str:
    """A text with the names of inputs as whoever reads it writes them."""
    # Programs that reach a component through the plugin write camel case, or their language's generated form of it.
    if not (_in_camel_case.get() or host.is_hosting):
        return text
    return _NAMED.sub(lambda name: camel_case(name[0]), text)


def spelled_violation(violation: Violation) -> Violation:
    """The same of a violation; its value stays as it is."""
    return replace(violation, input=spelled(violation.input), rule=spelled(violation.rule), fix=spelled(violation.fix))
