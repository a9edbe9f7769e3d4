"""What a subject or a pattern in a trust policy was meant to be: everything that it fixes stays as narrow as it is."""

import difflib
import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from ..claims import (
    ATTRIBUTES,
    CURRENT_ENVIRONMENT,
    DRIFT_OPERATIONS,
    KEYS_HEAD,
    NAME,
    OPERATIONS,
    ORGANIZATION,
    ORGANIZATION_LOGIN,
    ROOT_ENVIRONMENT,
    TEAM,
    TOKEN_TYPE,
    USER,
    VALUES,
    deployment_subject,
    subject,
)
from .policy import matches

OPEN_ORGANIZATION: Final = "ORGANIZATION"
_OPEN: Final = {
    "project": "PROJECT",
    "stack": "STACK",
    "operation": "OPERATION",
    CURRENT_ENVIRONMENT: "PROJECT/ENV",
    ROOT_ENVIRONMENT: "PROJECT/ENV",
    USER: "USER",
    TOKEN_TYPE: "TYPE",
    TEAM: "TEAM",
}
"""What stands where the reader has to name a value."""

_NOUNS: Final = {"cmk": "organization", "deploy": "stack", "esc": "environment"}
_OF_ESC: Final = frozenset({"environments", "environment", "env", "pulumi.organization.login", *ATTRIBUTES})
_OF_DEPLOYMENTS: Final = frozenset({"deploy", "deployment", "deployments", "stack", "operation", "scope"})
_HEADS: Final = frozenset({"", "pulumi", "environments", "environment", "deploy", "deployment", "deployments"})

_KNOWN_OPERATIONS: Final = (*OPERATIONS, *DRIFT_OPERATIONS)
_CALLED: Final = {"up": "update", "deploy": "update", "down": "destroy", "plan": "preview"}
"""What people call an operation of Pulumi Deployments, and what its tokens call it."""


class Meant(NamedTuple):
    """A subject in Pulumi Cloud's grammar.

    Attributes:
        subject: It; words in capitals stand where a name is open.
        noun: What it names: an environment, a stack or an organization.
        is_whole: Whether nothing in it is open.
    """

    subject: str
    noun: str
    is_whole: bool


def product_of(text: str) -> Literal["cmk", "deploy", "esc"]:
    """Whose subject a text is about: that of customer-managed keys, of Deployments, or else of ESC."""
    if text.startswith("pulumi:cmk"):
        return "cmk"
    words = set(_words(text))
    is_deployment = text.startswith("pulumi:deploy") or (words & _OF_DEPLOYMENTS and not words & _OF_ESC)
    return "deploy" if is_deployment else "esc"


def meant(text: str) -> Meant:
    """The subject that a text was meant to be, with placeholders for what it leaves open."""
    product = product_of(text)
    said = list(_said(text, product))
    organization = next((value for name, value in said if name == "org"), "")
    if not re.fullmatch(ORGANIZATION, organization):
        organization = OPEN_ORGANIZATION
    pairs = [(name, value) for name, value in said if name != "org"]
    if product == "cmk":
        written, is_open = f"{KEYS_HEAD}{organization}", False
    elif product == "deploy":
        written, is_open = _deployment(organization, pairs)
    else:
        written, is_open = _environment(organization, pairs)
    return Meant(written, _NOUNS[product], not is_open and organization != OPEN_ORGANIZATION)


def operation_meant(operation: str) -> str | None:
    """The known operation that this one is or was meant to be; None if that cannot be known."""
    if "*" in operation or "?" in operation:
        covered = [known for known in _KNOWN_OPERATIONS if matches(operation, known)]
        return covered[0] if len(covered) == 1 else None
    called = _CALLED.get(operation.lower(), operation.lower())
    near = difflib.get_close_matches(called, _KNOWN_OPERATIONS, n=1, cutoff=0.7)
    return near[0] if near else None


def _words(text: str) -> list[str]:
    return re.split("[:=]", text)


def _said(text: str, product: str) -> Iterator[tuple[str, str]]:
    """The organization, as `org`, and each field or attribute, as far as the text says them, in its order.

    A wildcard between two of them stands for one more. What is none of Pulumi Cloud's stays.
    """
    names = ("project", "stack", "operation", "scope") if product == "deploy" else ATTRIBUTES
    words, has_organization, before = _words(text), False, ""
    while words:
        word, *words = words
        name = _name(word, names)
        if not has_organization and (word in {"org", ORGANIZATION_LOGIN} or word == "organization"):
            has_organization, name = True, "org"
        elif word == "env" and product == "esc" and words:
            if not has_organization and before:
                has_organization = True
                yield "org", before
            name = CURRENT_ENVIRONMENT
        elif name is None:
            is_open = not word.strip("*?")
            before = "" if is_open or word in _HEADS else word
            if has_organization and is_open and words and words != [""]:
                yield "*", "*"
            elif has_organization and not is_open:
                yield word, words.pop(0) if words else ""
            continue
        if words:
            yield name, words.pop(0)


def _name(word: str, names: tuple[str, ...]) -> str | None:
    """The name of a field or attribute that a word is, or alone can match."""
    if word in names:
        return word
    covered = [name for name in names if matches(word, name)] if word.strip("*?") else []
    return covered[0] if len(covered) == 1 else None


def _environment(organization: str, pairs: list[tuple[str, str]]) -> tuple[str, bool]:
    written: list[tuple[str, str]] = []
    is_open = False
    for name, value in pairs:
        form = VALUES.get(name)
        if form is None:
            open_name, open_value = (re.search(r"[*?]", part) is not None for part in (name, value))
            written.append(("ATTRIBUTE" if open_name else name, "VALUE" if open_value else value))
            is_fixed = not (open_name or open_value)
        else:
            is_fixed = re.fullmatch(form, value) is not None
            project = re.match(rf"({NAME})/", value)
            placeholder = f"{project[1]}/ENV" if project and _OPEN[name] == "PROJECT/ENV" else _OPEN[name]
            written.append((name, value if is_fixed else placeholder))
        is_open = is_open or not is_fixed
    if CURRENT_ENVIRONMENT not in dict(written):
        written.insert(0, (CURRENT_ENVIRONMENT, _OPEN[CURRENT_ENVIRONMENT]))
        is_open = True
    return subject(organization, written), is_open


def _deployment(organization: str, pairs: list[tuple[str, str]]) -> tuple[str, bool]:
    said = dict(pairs)
    fixed = {name: value for name, value in said.items() if re.fullmatch(NAME, value)}
    if operation := operation_meant(said.get("operation", "")):
        fixed["operation"] = operation
    else:
        fixed.pop("operation", None)
    if len(said) < len(pairs) or said.keys() - {*_OPEN, "scope", "*"}:
        # A field that tokens lack, or one twice, was a restriction: the reader has to say which stack.
        fixed = {name: value for name, value in fixed.items() if name == "operation"}
    names = ("project", "stack", "operation")
    return deployment_subject(organization, *(fixed.get(name, _OPEN[name]) for name in names)), not {*names} <= {*fixed}
