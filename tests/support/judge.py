"""Pulumi's own ESC evaluator, as the judge of the sandbox's: runs the Go program in tests/esc_judge."""

import functools
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest

from esc_oidc.sandbox.esc import LoginBlock, evaluate

SOURCE = Path(__file__).parents[1] / "esc_judge"
ANONYMOUS = "<yaml>"
CREDENTIALS = {
    "accessKeyId": "ASIAJUDGE",
    "secretAccessKey": "judge-secret",
    "sessionToken": "judge-token",
}
"""What the judge's aws-login answers."""

CONTEXT = {"pulumi": {"user": {"login": "alice"}, "organization": {"login": "contoso"}}}
"""What definitions see under `context` when alice of contoso opens them."""


@dataclass(frozen=True)
class Request:
    """An environment to evaluate, by its name or, with a definition, under that name."""

    name: str
    environments: Mapping[str, str] = field(default_factory=dict)
    definition: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    check: bool = False


@dataclass(frozen=True)
class Verdict:
    """What Pulumi's evaluator says.

    Attributes:
        properties: Every nested value wrapped, as in Pulumi's REST API, without traces.
        diagnostics: Each with summary, severity and, if known, environment and begin (line and column).
        logins: Each with inputs (the `oidc` block), currentEnvironment and rootEnvironment.
        layout: The definition as Pulumi's commands lay it out; empty for one that can't be read.
    """

    properties: dict[str, Any]
    diagnostics: list[dict[str, Any]]
    logins: list[dict[str, Any]]
    layout: str = field(default="", compare=False)

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The diagnostics without the warnings."""
        return [each for each in self.diagnostics if each["severity"] == "error"]


def evaluate_in_sandbox(request: Request) -> Verdict:
    """What the sandbox's evaluator says, in the judge's form."""
    logins = []

    def load(name: str) -> str:
        if name not in request.environments:
            raise KeyError(f"environment {name!r} not found")
        return request.environments[name]

    def login(block: LoginBlock) -> Mapping[str, str]:
        names = {"currentEnvironment": block.current_environment, "rootEnvironment": block.root_environment}
        logins.append({"inputs": block.inputs, **names})
        return CREDENTIALS

    text = request.environments[request.name] if request.definition is None else request.definition
    done = evaluate(request.name, text, load=load, context=request.context, login=None if request.check else login)
    return Verdict(done.properties_json(), done.diagnostics_json(), logins)


def unwrapped(value: Mapping[str, Any], secret: str | None = None) -> Any:
    """A value without the wrapping of Pulumi's REST API; secrets stand under a key, if there is one for them."""
    content = value["value"]
    if isinstance(content, dict):
        content = {key: unwrapped(inner, secret) for key, inner in content.items()}
    elif isinstance(content, list):
        content = [unwrapped(item, secret) for item in content]
    return {secret: content} if secret and value.get("secret") else content


def judge(requests: Sequence[Request]) -> list[Verdict]:
    """The verdicts on all requests, from one run. Skips the test where there is no Go, and fails it in CI."""
    asked = json.dumps([vars(request) for request in requests])
    ran = subprocess.run(  # noqa: S603 - the program that we built
        [build()], input=asked, capture_output=True, text=True, encoding="utf-8", check=False
    )
    if ran.returncode:
        pytest.fail(f"esc-judge: {ran.stderr}")
    return [Verdict(**verdict) for verdict in json.loads(ran.stdout)]


@functools.cache
def build() -> Path:
    """The judge's executable, built if this version of its source was not built yet."""
    digest = hashlib.sha256()
    for name in ("aws-login.json", "go.mod", "go.sum", "main.go"):
        digest.update((SOURCE / name).read_bytes())
    executable = SOURCE / ".build" / f"esc-judge-{digest.hexdigest()[:16]}"
    if executable.exists():
        return executable
    go = shutil.which("go")
    if go is None:
        _unavailable("there is no Go here: https://go.dev/dl")
    if message := _run([go, "mod", "download"]):
        _unavailable(f"Go's modules cannot be had: {message}")
    executable.parent.mkdir(exist_ok=True)
    # Beside its place and then renamed, so that two processes may build at once.
    with tempfile.TemporaryDirectory(dir=executable.parent) as folder:
        built = Path(folder) / "esc-judge"
        if message := _run([go, "build", "-o", str(built), "."]):
            pytest.fail(f"esc-judge cannot be built: {message}")
        built.replace(executable)
    return executable


def _run(command: Sequence[str]) -> str:
    """What the command complains about; nothing if it succeeds."""
    ran = subprocess.run(  # noqa: S603 - the Go on the user's path, with arguments of our own
        command, cwd=SOURCE, capture_output=True, text=True, check=False
    )
    return ran.stderr or f"exit status {ran.returncode}" if ran.returncode else ""


def _unavailable(reason: str) -> NoReturn:
    message = f"Pulumi's own evaluator cannot be asked: {reason}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def unplaced(answer: Any) -> Any:
    """Values or expressions of Pulumi's REST API without the places where they stand."""
    if isinstance(answer, dict):
        return {key: unplaced(value) for key, value in answer.items() if key not in ("trace", "range")}
    return [unplaced(each) for each in answer] if isinstance(answer, list) else answer
