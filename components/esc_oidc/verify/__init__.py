"""Who gets in: reads any trust policy that trusts Pulumi Cloud, offline and exactly."""

from ..trust import Trust
from .decisions import CompiledPolicy, Decision, Request, compile_policy, decide
from .documents import Located, find_trust_policies, is_permission_policy, is_recognised
from .explanations import Difference, Explanation
from .lint import RULES, STATEMENT, Finding, Rule, lint
from .proofs import Counterexample, Proof, prove
from .providers import can_be_pulumi, trusted_providers
from .tokens import TokenRefused, check_token
from .undefined import UndefinedBehaviour

__all__ = [
    "RULES",
    "STATEMENT",
    "CompiledPolicy",
    "Counterexample",
    "Decision",
    "Difference",
    "Explanation",
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
