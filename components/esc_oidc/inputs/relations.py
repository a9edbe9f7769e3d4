"""Rules between inputs: how they run, and those that every component shares."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

from ..claims import ISSUER
from ..sessions import seconds
from .formats import HOUR
from .violations import Violation

Check = Callable[[Mapping[str, Any], AbstractSet[str]], Iterator[Violation]]
"""Takes the inputs that are good and known, and the names of all that were given, known or not."""

MAX_ROLE_NAME: Final = 64
_GENERATED: Final = 7
"""Pulumi ends a generated name with seven random characters."""


@dataclass(frozen=True)
class Relation:
    """A rule between inputs, and the inputs without which it cannot judge."""

    needs: frozenset[str]
    check: Check


def needs(*names: str) -> Callable[[Check], Relation]:
    """Declares which inputs a rule reads: it runs once none of them is bad or still to come."""
    return lambda check: Relation(frozenset(names), check)


def relate(
    relations: Sequence[Relation], known: Mapping[str, Any], given: AbstractSet[str], unjudged: AbstractSet[str]
) -> Iterator[Violation]:
    """What is wrong between the inputs; `unjudged` are those that are bad or not known yet."""
    for relation in relations:
        if not relation.needs & unjudged:
            yield from relation.check(known, given)


@needs("duration", "max_session_duration")
def _session_fits_role(known: Mapping[str, Any], _given: AbstractSet[str]) -> Iterator[Violation]:
    duration, maximum = known.get("duration", "1h"), known.get("max_session_duration")
    if maximum and seconds(duration) > seconds(maximum):
        yield Violation(
            "duration",
            duration,
            f"a session cannot be longer than the role allows, max_session_duration = {maximum!r}.",
            "Shorten it, or raise `max_session_duration`.",
        )


@needs("oidc_provider_arn", "issuer")
def _adopted_provider_signs(known: Mapping[str, Any], _given: AbstractSet[str]) -> Iterator[Violation]:
    arn, issuer = known.get("oidc_provider_arn"), known.get("issuer", ISSUER)
    if arn and arn.partition("/")[2] != issuer.removeprefix("https://"):
        yield Violation(
            "oidc_provider_arn",
            arn,
            f"this is not the provider of {issuer}.",
            f"Pass the ARN that ends in {issuer.removeprefix('https:/')}, or the `issuer` of this one.",
        )


@needs()
def _adopted_provider_is_left_alone(known: Mapping[str, Any], given: AbstractSet[str]) -> Iterator[Violation]:
    if "oidc_provider_arn" in given:
        for name in ("thumbprints", "additional_audiences", "retain_oidc_provider"):
            if known.get(name):
                yield Violation(
                    name,
                    known[name],
                    "it describes a provider that the component creates, and `oidc_provider_arn` adopts one.",
                    "Leave it out, and change the provider where it is declared.",
                )


@needs("tags")
def _tag_keys_differ(known: Mapping[str, Any], _given: AbstractSet[str]) -> Iterator[Violation]:
    seen: dict[str, str] = {}
    for key in known.get("tags", ()):
        other = seen.setdefault(key.casefold(), key)
        if other != key:
            yield Violation("tags (a key)", key, f"IAM takes it for the same key as {other!r}.", "Leave one out.")


def further_audiences(audience: Callable[[Mapping[str, Any]], str], *read: str) -> Relation:
    """Refuses an additional audience that is the component's own; `audience` makes that from the inputs it reads."""

    def check(known: Mapping[str, Any], _given: AbstractSet[str]) -> Iterator[Violation]:
        for index, name in enumerate(known.get("additional_audiences", ())):
            if name == audience(known):
                yield Violation(
                    f"additional_audiences[{index}]", name, "the provider has this audience anyway.", "Leave it out."
                )

    return needs("additional_audiences", *read)(check)


def longest_session(inputs: Mapping[str, Any]) -> str:
    """The role's maximum session: what is given, else the larger of `duration` and 1h, AWS's least."""
    duration: str = inputs.get("duration", "1h")
    return inputs.get("max_session_duration") or (duration if seconds(duration) > HOUR else "1h")


def generated_role_name(component: str) -> Sequence[Violation]:
    """What is wrong with the role's generated name, which begins with the component's own."""
    if not isinstance(component, str) or not re.fullmatch(r"[\w+=,.@-]+", component, re.ASCII):
        rule = "the role's name is made from the component's, and has letters, digits and `_+=,.@-` only."
    elif len(f"{component}-role-") + _GENERATED > MAX_ROLE_NAME:
        rule = f"the role's name would be `{component}-role-` and {_GENERATED} characters, over {MAX_ROLE_NAME} in all."
    else:
        return ()
    return (Violation("the component's name", component, rule, "Give `role_name`, or another component name."),)


SHARED_RELATIONS: Final = (
    _session_fits_role,
    _adopted_provider_signs,
    _adopted_provider_is_left_alone,
    _tag_keys_differ,
)
