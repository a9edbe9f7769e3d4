"""ESC environments: a store of definitions with their revisions, secrets at rest, and evaluation. No HTTP, no AWS."""

from .evaluation import Diagnostic, Evaluation, LoginBlock, LoginFailed, evaluate
from .store import (
    LATEST,
    Conflict,
    EnvironmentRef,
    EnvironmentStore,
    InvalidRequest,
    Label,
    NotFound,
    Preserved,
    Ref,
    Shelf,
    StoredEnvironment,
    StoreError,
    check_name,
    read_import,
)
from .vault import Cipher, Vault

__all__ = [
    "LATEST",
    "Cipher",
    "Conflict",
    "Diagnostic",
    "EnvironmentRef",
    "EnvironmentStore",
    "Evaluation",
    "InvalidRequest",
    "Label",
    "LoginBlock",
    "LoginFailed",
    "NotFound",
    "Preserved",
    "Ref",
    "Shelf",
    "StoreError",
    "StoredEnvironment",
    "Vault",
    "check_name",
    "evaluate",
    "read_import",
]
