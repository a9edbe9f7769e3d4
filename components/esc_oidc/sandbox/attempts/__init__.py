"""Who gets in: everyone whom a component declares, and those whom it must refuse, tried with the real clients."""

from .deployments import deployment_attempts
from .environments import environment_attempts
from .outcomes import Attempt, Declared, Outcome

__all__ = ["Attempt", "Declared", "Outcome", "deployment_attempts", "environment_attempts"]
