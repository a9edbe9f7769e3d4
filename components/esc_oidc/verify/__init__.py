"""Who gets in: reads any trust policy that trusts Pulumi Cloud, offline and exactly."""

from ..trust import Trust
from .decisions import CompiledPolicy, Decision, Request, compile_policy, decide
from .explanations import Difference, Explanation
from .findings import Finding
from .linting import lint
from .proofs import Counterexample, Proof, prove
from .tokens import TokenRefused, check_token
from .undefined import UndefinedBehaviour

__all__ = [
    "CompiledPolicy",
    "Counterexample",
    "Decision",
    "Difference",
    "Explanation",
    "Finding",
    "Proof",
    "Request",
    "TokenRefused",
    "Trust",
    "UndefinedBehaviour",
    "check_token",
    "compile_policy",
    "decide",
    "lint",
    "prove",
]
