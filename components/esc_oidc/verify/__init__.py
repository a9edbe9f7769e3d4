"""Who gets in: reads any trust policy that trusts Pulumi Cloud, offline and exactly."""

from ..trust import Trust
from .documents import Located, find_trust_policies, is_permission_policy, is_recognised
from .evaluation import CompiledPolicy, compile_policy, decide
from .lint import RULES, STATEMENT, Finding, Rule, lint
from .model import Decision, Request, UndefinedBehaviour
from .proofs import Counterexample, Proof, prove
from .providers import can_be_pulumi, trusted_providers
from .tokens import TokenRefused, check_token

__all__ = [
    "RULES",
    "STATEMENT",
    "CompiledPolicy",
    "Counterexample",
    "Decision",
    "Finding",
    "Located",
    "Proof",
    "Request",
    "Rule",
    "TokenRefused",
    "Trust",
    "UndefinedBehaviour",
    "can_be_pulumi",
    "check_token",
    "compile_policy",
    "decide",
    "find_trust_policies",
    "is_permission_policy",
    "is_recognised",
    "lint",
    "prove",
    "trusted_providers",
]
