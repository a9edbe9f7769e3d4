"""Pulumi Cloud's calls that check definitions, open environments and read what was opened."""

import base64
import binascii
import json
from http import HTTPStatus
from typing import Final

from flask import Blueprint, Response, jsonify, request

from ..claims import STACK_CONFIGURATION
from ..sessions import seconds
from .cloud_wire import caller, environment, refusal, yaml_body
from .evaluator import Evaluation
from .names import InvalidRequest
from .open_sessions import OpenSessions, value_at
from .opening import Definitions
from .store import LATEST, EnvironmentStore
from .vault import Vault

DEFAULT_LIFETIME: Final = "2h"
"""For how long an opened environment can be read when the request does not say."""


def open_calls(  # noqa: C901 - one nested function per call
    store: EnvironmentStore, vault: Vault, definitions: Definitions
) -> Blueprint:
    """The calls on definitions and opened environments under ``/api/esc/environments``."""
    calls = Blueprint("open", __name__, url_prefix="/api/esc/environments/<organization>")
    sessions = OpenSessions()

    @calls.post("/yaml/check")
    def check(organization: str) -> Response:
        checked = definitions.check(
            organization, STACK_CONFIGURATION, vault.reveal(yaml_body()), caller(), _overrides()
        )
        if checked.failed:
            return _failure(checked)
        # Whoever does not say gets no secrets; the CLI always says.
        shown = checked.properties_json(show_secrets=request.args.get("showSecrets") == "true")
        return jsonify({"exprs": checked.expressions_json(), "properties": shown})

    @calls.post("/yaml/open")
    def open_anonymous(organization: str) -> Response:
        return _opened(organization, STACK_CONFIGURATION, vault.reveal(yaml_body()))

    @calls.get("/yaml/open/<identity>")
    def read_anonymous(organization: str, identity: str) -> Response:
        return jsonify({"properties": sessions.properties(organization, STACK_CONFIGURATION, identity)})

    one = "/<project>/<name>"

    @calls.post(f"{one}/open")
    def open_latest(**_: str) -> Response:
        return _opened_version(LATEST)

    @calls.post(f"{one}/versions/<version>/open")
    def open_version(version: str, **_: str) -> Response:
        return _opened_version(version)

    @calls.get(f"{one}/open/<identity>")
    def read_named(organization: str, identity: str, **_: str) -> Response:
        properties = sessions.properties(organization, environment().path, identity)
        path = request.args.get("property")
        return jsonify({"properties": properties} if path is None else value_at(properties, path))

    def _opened_version(version: str) -> Response:
        reference = environment()
        return _opened(reference.organization, reference.path, store.revision(reference, version).yaml)

    def _opened(organization: str, name: str, yaml: str) -> Response:
        lifetime = _lifetime()
        opened = definitions.open(organization, name, yaml, caller(), _overrides())
        if opened.failed:
            return _failure(opened)
        return jsonify({"id": sessions.add(organization, name, opened.properties_json(), lifetime)})

    return calls


def _lifetime() -> int:
    """For how many seconds the request wants to read what it opens."""
    try:
        lifetime = seconds(request.args.get("duration", DEFAULT_LIFETIME))
    except ValueError as error:
        raise InvalidRequest(str(error)) from error
    if not lifetime:
        raise InvalidRequest("duration must be longer than 0s")
    return lifetime


def _failure(evaluation: Evaluation) -> Response:
    """Always 400: the CLI ignores diagnostics that come with 200."""
    diagnostics = evaluation.diagnostics_json()
    summary = next(each["summary"] for each in diagnostics if each["severity"] == "error")
    return refusal(HTTPStatus.BAD_REQUEST, f"evaluating the environment: {summary}", diagnostics)


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
