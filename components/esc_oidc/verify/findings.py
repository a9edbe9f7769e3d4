"""What `lint` answers."""

from dataclasses import dataclass

from .model_rules import Severity
from .rules import RULES


@dataclass(frozen=True)
class Finding:
    """One rule that a trust policy breaks.

    Attributes:
        rule: The rule's stable id, as docs/rules.md lists it.
        severity: ``error`` or ``warning``.
        message: What is wrong, with the value.
        statement: The index of the statement, or None for the document.
        fix: What to do.
    """

    rule: str
    severity: Severity
    message: str
    statement: int | None
    fix: str

    def __str__(self) -> str:
        place = "document" if self.statement is None else f"statement {self.statement}"
        return f"{self.severity} {self.rule}: {place}: {self.message} {self.fix}"


def found(rule: str, statement: int | None, **values: object) -> Finding:
    """The finding of a rule, its templates filled with these values."""
    broken = RULES[rule]
    return Finding(rule, broken.severity, broken.says.format(**values), statement, broken.fix.format(**values))
