"""Who gets in: reads any trust policy that trusts Pulumi Cloud, offline and exactly."""

from .evaluation import CompiledPolicy, compile_policy, decide
from .model import Decision, Request, UndefinedBehaviour
from .tokens import TokenRefused, check_token

__all__ = [
    "CompiledPolicy",
    "Decision",
    "Request",
    "TokenRefused",
    "UndefinedBehaviour",
    "check_token",
    "compile_policy",
    "decide",
]
