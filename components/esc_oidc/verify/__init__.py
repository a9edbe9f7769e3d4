"""Who gets in: reads any trust policy that trusts Pulumi Cloud, offline and exactly."""

from .evaluation import CompiledPolicy, compile_policy, decide
from .findings import Finding
from .linting import lint
from .model import Decision, Request, UndefinedBehaviour
from .proofs import Counterexample, Proof, prove
from .tokens import TokenRefused, check_token

__all__ = [
    "CompiledPolicy",
    "Counterexample",
    "Decision",
    "Finding",
    "Proof",
    "Request",
    "TokenRefused",
    "UndefinedBehaviour",
    "check_token",
    "compile_policy",
    "decide",
    "lint",
    "prove",
]
