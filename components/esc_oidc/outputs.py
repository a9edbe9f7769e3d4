"""Outputs that are made when somebody reads them."""

from collections.abc import Callable, Mapping
from typing import Any

import pulumi


class OutputsOnDemand(pulumi.ComponentResource):
    """A component some of whose outputs are only made when they are read.

    Most programs read few of them, and each costs about as much as a small resource.
    """

    _on_demand: Mapping[str, Callable[[], pulumi.Output[Any]]]

    def __getattr__(self, name: str) -> Any:
        """An output that nobody has read yet."""
        make = self.__dict__.get("_on_demand", {}).get(name)
        if make is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
        output = make()
        setattr(self, name, output)
        return output
