"""A Pulumi program under Pulumi's own mock runtime, deployed into the sandbox: one create pass, no state, no diff."""

from .program import Created, Deployment, NotDeployed, deploy
from .resources import Clouds
from .stack import ProgramStack, StackError, load_stack

__all__ = ["Clouds", "Created", "Deployment", "NotDeployed", "ProgramStack", "StackError", "deploy", "load_stack"]
