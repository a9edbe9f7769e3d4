"""An AWS account and a Pulumi Cloud on loopback, in one process: the whole story with nothing but Python.

`deploy` (a program under Pulumi's mock runtime) and `attempts` (who tries to get in) have doors of their own: not
everybody who runs a sandbox needs Pulumi's SDK.
"""

from .clients import CloudRefused, client
from .cloud import Caller
from .esc import EnvironmentRef
from .folder import StateError
from .servers import SEED_FILE, Sandbox, SeedError
from .surroundings import LEADING_ELSEWHERE, NotRunningError, RunningSandbox, Surroundings, surroundings

__all__ = [
    "LEADING_ELSEWHERE",
    "SEED_FILE",
    "Caller",
    "CloudRefused",
    "EnvironmentRef",
    "NotRunningError",
    "RunningSandbox",
    "Sandbox",
    "SeedError",
    "StateError",
    "Surroundings",
    "client",
    "surroundings",
]
