"""The one exception of the components."""

from collections.abc import Iterable

import pulumi
from pulumi.provider.experimental import host

from .inputs import Violation


class InvalidInputs(pulumi.RunError):
    """A component was given inputs that it refuses. Its text has each violation: input, value, rule, way out.

    A RunError, so that Pulumi prints the text without a traceback; it must not be a ValueError too, which the SDK
    catches and raises again under three of them.

    Args:
        component: The component's type and name.
        violations: What is wrong, everything at once.
    """

    def __init__(self, component: str, violations: Iterable[Violation]) -> None:
        self.violations = tuple(violations)
        lines = "".join(f"\n  - {violation}" for violation in self.violations)
        text = f"{component}: {len(self.violations)} invalid input{'s'[: len(self.violations) > 1]}{lines}"
        super().__init__(text)
        if host.is_hosting:
            # Through the plugin an exception is printed under the host's own traceback; this puts the text on top.
            pulumi.log.error(text)
