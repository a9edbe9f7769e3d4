"""The one exception of the components."""

from collections.abc import Iterable
from typing import Final

import pulumi
from pulumi.provider.experimental import host

from .inputs import Secrets, Violation, printable
from .spelling import spelled_violation

_MOST_LINES: Final = 50


class InvalidInputs(pulumi.RunError):
    """A component refuses its inputs. The text lists every violation: input, value, rule, way out.

    It is a RunError, so that Pulumi prints the text without a traceback. It must not be a ValueError as well: the SDK
    would catch that and raise it again, under three tracebacks.

    Args:
        component: The component's type and name.
        violations: Everything that is wrong.
        secrets: What neither the text nor the violations may show.
    """

    def __init__(self, component: str, violations: Iterable[Violation], secrets: Secrets) -> None:
        self.violations = tuple(secrets.redacted(violation) for violation in violations)
        count = len(self.violations)
        lines = [str(spelled_violation(violation)) for violation in self.violations[:_MOST_LINES]]
        if count > len(lines):
            lines.append(f"and {count - len(lines)} more like these.")
        head = f"{printable(component)}: {count} invalid input{'s'[: count > 1]}"
        text = "\n  - ".join([head, *lines])
        super().__init__(text)
        if host.is_hosting:
            # Through the plugin, exceptions are printed below the host's own traceback; this puts the text on top.
            pulumi.log.error(text)
