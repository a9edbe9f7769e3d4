"""Pulumi Cloud's calls that check definitions, open environments and read what was opened."""

import base64
import binascii
import json
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from flask import Flask, request
from flask.typing import ResponseReturnValue as Reply

from ...claims import STACK_CONFIGURATION
from ...sessions import seconds
from ...tokens import Opening
from ..esc import LATEST, EnvironmentStore, Evaluation, InvalidRequest, NotFound, Vault, evaluate, read_import
from . import wire
from .issuer import AwsLogin

DEFAULT_LIFETIME: Final = "2h"
"""For how long an opened environment can be read if the request does not say."""

_STEP: Final = re.compile(r'\.?(?P<key>[^.\[\]"]+)|\[(?P<index>[0-9]+)\]|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]')


@dataclass(frozen=True)
class Definitions:
    """Reads and evaluates definitions for whoever makes the present request."""

    store: EnvironmentStore
    vault: Vault
    aws_login: AwsLogin

    def sent(self) -> str:
        """The definition in the request, with its secrets in plain text."""
        return self.vault.reveal(wire.yaml_body())

    def evaluate(self, organization: str, name: str, yaml: str, *, login: bool) -> Evaluation:
        """Evaluate the definition of ``PROJECT/ENV`` or `claims.STACK_CONFIGURATION`; a check does not log in."""
        opener, overrides = wire.caller().opener, _overrides()
        opening = Opening(organization, name, opener)

        def load(text: str) -> str:
            try:
                reference, version = read_import(organization, overrides.get(text, text))
            except InvalidRequest as error:
                raise NotFound(str(error)) from error
            return self.store.revision(reference, version).yaml

        log_in = partial(self.aws_login.open, opening) if login else None
        context = {"pulumi": {"user": {"login": opener.login}, "organization": {"login": organization}}}
        return evaluate(name, yaml, load=load, context=context, login=log_in)


def add_open_calls(cloud: Flask, definitions: Definitions) -> None:  # noqa: C901 - one nested function per call
    """The calls on definitions and opened environments under ``/api/esc/environments``."""
    base = "/api/esc/environments/<organization>"
    one = f"{base}/<project>/<name>"
    # What was opened, by organization, environment and id: until when (monotonic seconds), and what it says.
    opened: dict[tuple[str, str, str], tuple[float, Mapping[str, Any]]] = {}

    @cloud.post(f"{base}/yaml/check")
    def check(organization: str) -> Reply:
        checked = definitions.evaluate(organization, STACK_CONFIGURATION, definitions.sent(), login=False)
        if checked.diagnostics:
            return failure(checked)
        # Whoever does not say gets no secrets; the CLI always says.
        shown = checked.properties_json(show_secrets=request.args.get("showSecrets") == "true")
        return {"exprs": checked.expressions_json(), "properties": shown}

    @cloud.post(f"{base}/yaml/open")
    def open_anonymous(organization: str) -> Reply:
        return opening(organization, STACK_CONFIGURATION, definitions.sent())

    @cloud.get(f"{base}/yaml/open/<identity>")
    def read_anonymous(organization: str, identity: str) -> Reply:
        return {"properties": properties(organization, STACK_CONFIGURATION, identity)}

    @cloud.post(f"{one}/open", defaults={"version": LATEST})
    @cloud.post(f"{one}/versions/<version>/open")
    def open_named(version: str, **_: str) -> Reply:
        ref = wire.environment()
        return opening(ref.organization, ref.path, definitions.store.revision(ref, version).yaml)

    @cloud.get(f"{one}/open/<identity>")
    def read_named(organization: str, identity: str, **_: str) -> Reply:
        found = properties(organization, wire.environment().path, identity)
        path = request.args.get("property")
        return {"properties": found} if path is None else _value_at(found, path)

    def opening(organization: str, name: str, yaml: str) -> Reply:
        expires = time.monotonic() + _lifetime()
        evaluated = definitions.evaluate(organization, name, yaml, login=True)
        if evaluated.diagnostics:
            return failure(evaluated)
        identity = str(uuid.uuid4())
        opened[organization, name, identity] = expires, evaluated.properties_json()
        return {"id": identity}

    def properties(organization: str, name: str, identity: str) -> Mapping[str, Any]:
        if (organization, name, identity) not in opened:
            raise NotFound(f"open environment {identity} of {name} not found")
        expires, found = opened[organization, name, identity]
        if expires <= time.monotonic():
            raise NotFound(f"open environment {identity} of {name} has expired: open it again")
        return found


def failure(evaluation: Evaluation) -> Reply:
    """What is wrong with a definition. Always 400: the CLI ignores diagnostics that come with 200."""
    summary = evaluation.diagnostics[0].summary
    return wire.refusal(HTTPStatus.BAD_REQUEST, f"evaluating the environment: {summary}", evaluation.diagnostics_json())


def _value_at(properties: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The value at a property path such as ``a["b"][0].c``, as pulumi-esc-sdk reads one."""
    value: Any = {"value": properties, "trace": {}}
    at = 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            raise InvalidRequest(f"property path {path!r} cannot be read from {path[at:]!r} on")
        at = step.end()
        try:
            if step["index"]:
                value = value["value"][int(step["index"])]
            else:
                value = value["value"][json.loads(step["quoted"]) if step["quoted"] else step["key"]]
        except (LookupError, TypeError, ValueError) as error:
            raise NotFound(f"there is nothing at property path {path!r}") from error
    found: dict[str, Any] = value
    return found


def _lifetime() -> int:
    """For how many seconds the request wants to read what it opens."""
    try:
        lifetime = seconds(request.args.get("duration", DEFAULT_LIFETIME))
    except ValueError as error:
        raise InvalidRequest(str(error)) from error
    if not lifetime:
        raise InvalidRequest("duration must be longer than 0s")
    return lifetime


def _overrides() -> dict[str, str]:
    """What `--override-env a/b=c/d` sends: base64url of a JSON object, without padding."""
    text = request.args.get("environmentOverrides")
    if not text:
        return {}
    try:
        overrides = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest(f"environmentOverrides cannot be read: {error}") from error
    if not isinstance(overrides, dict) or not all(isinstance(each, str) for each in overrides.values()):
        raise InvalidRequest("environmentOverrides is not a JSON object of texts")
    return overrides
