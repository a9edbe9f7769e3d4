"""The one exception of the components."""

from collections.abc import Iterable

import pulumi
from pulumi.provider.experimental import host

from .inputs import Secrets, Violation
from .spelling import spelled_violation


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
        lines = "".join(f"\n  - {spelled_violation(violation)}" for violation in self.violations)
        text = f"{component}: {len(self.violations)} invalid input{'s'[: len(self.violations) > 1]}{lines}"
        super().__init__(text)
        if host.is_hosting:
            # Through the plugin, exceptions are printed below the host's own traceback; this puts the text on top.
            pulumi.log.error(text)
