"""A trust policy as AWS reads it: document, statements, conditions, and the values in them."""

from .conditions import Condition, Operator, operator_of
from .document import Block, Document, Statement, read
from .statements import CompiledStatement, Undecided, compile_statement, covers_login, deciding_statement
from .values import Context, ContextValue, matches

__all__ = [
    "Block",
    "CompiledStatement",
    "Condition",
    "Context",
    "ContextValue",
    "Document",
    "Operator",
    "Statement",
    "Undecided",
    "compile_statement",
    "covers_login",
    "deciding_statement",
    "matches",
    "operator_of",
    "read",
]
