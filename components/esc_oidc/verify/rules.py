"""The rules that `lint` holds a trust policy to, as data; docs/rules.md is their page."""

from collections.abc import Mapping
from typing import Final

from .claim_rules import CLAIM_RULES
from .document_rules import DOCUMENT_RULES
from .model_rules import Rule
from .subject_rules import SUBJECT_RULES

RULES: Final[Mapping[str, Rule]] = {rule.id: rule for rule in (*DOCUMENT_RULES, *CLAIM_RULES, *SUBJECT_RULES)}
"""Every rule by its id. Ids are stable: they stand in SARIF files and in other people's suppressions."""
