"""Who gets in: reads any trust policy that trusts Pulumi Cloud, offline and exactly."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..trust import Trust
    from .decisions import CompiledPolicy, Decision, Request, compile_policy, decide
    from .documents import WORDS, Located, Path, find_trust_policies, is_recognised, other_policy
    from .explanations import Difference, Explanation
    from .lint import RULES, STATEMENT, Finding, Rule, lint
    from .placeholders import Judged, lint_located
    from .proofs import Counterexample, Proof, prove
    from .providers import can_be_pulumi, trusted_providers
    from .tokens import TokenRefused, check_token
    from .undefined import UndefinedBehaviour

__all__ = [
    "RULES",
    "STATEMENT",
    "WORDS",
    "CompiledPolicy",
    "Counterexample",
    "Decision",
    "Difference",
    "Explanation",
    "Finding",
    "Judged",
    "Located",
    "Path",
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
    "is_recognised",
    "lint",
    "lint_located",
    "other_policy",
    "prove",
    "trusted_providers",
]

_ROOMS = {
    "..trust": ("Trust",),
    ".decisions": ("CompiledPolicy", "Decision", "Request", "compile_policy", "decide"),
    ".documents": ("WORDS", "Located", "Path", "find_trust_policies", "is_recognised", "other_policy"),
    ".explanations": ("Difference", "Explanation"),
    ".lint": ("RULES", "STATEMENT", "Finding", "Rule", "lint"),
    ".placeholders": ("Judged", "lint_located"),
    ".proofs": ("Counterexample", "Proof", "prove"),
    ".providers": ("can_be_pulumi", "trusted_providers"),
    ".tokens": ("TokenRefused", "check_token"),
    ".undefined": ("UndefinedBehaviour",),
}


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


if not TYPE_CHECKING:  # else a misspelled name would have a type

    def __getattr__(name: str) -> object:
        """A public name, from the room that has it: whoever only lints doesn't wait for proofs and explanations."""
        room = next((room for room, names in _ROOMS.items() if name in names), None)
        if room is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
        module = import_module(room, __name__)
        # All of its names: the room `lint`, once imported, has the name of its function.
        globals().update({each: getattr(module, each) for each in _ROOMS[room]})
        value: object = globals()[name]
        return value
