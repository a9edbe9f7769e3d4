"""Loads YAML that has tags of its own, such as CloudFormation's `!Sub`: each becomes the function in its long form."""

from functools import cache
from typing import Any, ClassVar

import yaml


@cache
def loader() -> type[yaml.SafeLoader]:
    """A safe loader that takes any tag, and leaves dates as the text they are."""
    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc]  # which base it is depends on how PyYAML was built
        yaml_implicit_resolvers: ClassVar = {
            first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
            for first, resolvers in base.yaml_implicit_resolvers.items()
        }

    Loader.add_multi_constructor("!", _function)
    return Loader


def _function(loader: Any, name: str, node: yaml.Node) -> Any:
    """A tag's value; the tag is the name of a function, which is written without `Fn::` only for `Ref`."""
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {name if name in {"Ref", "Condition"} else f"Fn::{name}": value}
