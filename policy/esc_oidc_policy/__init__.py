"""The policies of the pack, and the server that gives them to Pulumi."""

from .pack import policies, serve

__all__ = ["policies", "serve"]
