"""Finds the logins to AWS in an ESC environment's definition.

Source: https://www.pulumi.com/docs/esc/integrations/dynamic-login-credentials/aws-login/
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from esc_oidc.interpolation import parse

PROVIDER: Final = "aws-login"

DEFAULT_DURATION: Final = "2h"
"""What ESC asks for when a login names no duration."""


@dataclass(frozen=True)
class Login:
    """One `fn::open::aws-login` over OpenID Connect. Texts with references are not known here.

    Attributes:
        place: Where it stands, as ESC writes paths: ``aws.login``.
        role_arn: The role that it assumes.
        subject_attributes: The attributes that it puts into the subject, in order.
        duration: The duration that it asks for; None when it is not known.
        session_name: The session's name; None when it is not known.
    """

    place: str
    role_arn: str
    subject_attributes: tuple[str, ...]
    duration: str | None
    session_name: str | None


def find_logins(definition: str) -> list[Login]:
    """Every login of a definition whose role and attributes stand there as plain text.

    A definition that is not YAML has none: Pulumi Cloud refuses it anyway.
    """
    try:
        document = yaml.safe_load(definition)
    except (yaml.YAMLError, RecursionError):
        return []
    values = document.get("values") if isinstance(document, Mapping) else None
    found = [_login(place, inputs) for place, inputs in _opened(values, "", set())]
    return [login for login in found if login is not None]


def _opened(node: Any, place: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Place and inputs of everything that is opened with `PROVIDER`."""
    # Aliases make one node stand in many places, or inside itself.
    if not isinstance(node, Mapping | list) or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, list):
        for index, inner in enumerate(node):
            yield from _opened(inner, f"{place}[{index}]", seen)
        return
    if list(node) == [f"fn::open::{PROVIDER}"]:
        yield place, node[f"fn::open::{PROVIDER}"]
    elif list(node) == ["fn::open"]:
        call = node["fn::open"]
        if isinstance(call, Mapping) and call.get("provider") == PROVIDER:
            yield place, call.get("inputs")
    else:
        for key, inner in node.items():
            yield from _opened(inner, f"{place}.{key}" if place else str(key), seen)


def _login(place: str, inputs: Any) -> Login | None:
    oidc = inputs.get("oidc") if isinstance(inputs, Mapping) else None
    if not isinstance(oidc, Mapping):
        return None
    role_arn = _literal(oidc.get("roleArn"))
    written = oidc.get("subjectAttributes") or []
    attributes = [_literal(attribute) for attribute in written] if isinstance(written, list) else [None]
    known = tuple(attribute for attribute in attributes if attribute is not None)
    if role_arn is None or len(known) < len(attributes):
        return None
    duration = _literal(oidc.get("duration", DEFAULT_DURATION))
    return Login(place, role_arn, known, duration, _literal(oidc.get("sessionName")))


def _literal(value: object) -> str | None:
    """The text that ESC reads, unless it depends on something else."""
    if not isinstance(value, str):
        return None
    parts, errors = parse(value)
    texts = [part for part in parts if isinstance(part, str)]
    return None if errors or len(texts) < len(parts) else "".join(texts)
