"""Who gets in: everyone whom a component declares, and those whom it must refuse, tried with the real clients."""

from .deployments import deployment_attempts
from .environments import environment_attempts
from .outcomes import Attempt, Declared, Outcome, assume_role, open_by_name, open_for_stack

__all__ = [
    "Attempt",
    "Declared",
    "Outcome",
    "assume_role",
    "deployment_attempts",
    "environment_attempts",
    "open_by_name",
    "open_for_stack",
]
