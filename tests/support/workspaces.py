"""Programs in a folder of their own, and what the engine does with them, through Pulumi's Automation API."""

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from pulumi import automation
from pulumi_esc_sdk import Configuration, EscClient

from esc_oidc.sandbox import Sandbox
from esc_oidc.tokens import Opener

ROOT = Path(__file__).parents[2]
STACK = "sandbox"
NOT_COPIED = shutil.ignore_patterns("__pycache__", "*.egg-info", ".venv", "venv", "sdks", "node_modules")

NEEDS_ENGINE = [
    pytest.mark.engine,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="there is no `pulumi` command on PATH"),
]
"""The marks of a module whose tests run the real engine."""

RUNTIME = {"name": "python", "options": {"toolchain": "pip", "virtualenv": sys.prefix}}
"""This Python, which has everything: the engine makes no virtual environment and asks no package index."""


def copied(source: Path, target: Path) -> Path:
    """A copy of a Python program, or of a policy pack, that runs with this Python."""
    target.mkdir(parents=True)
    for path in source.iterdir():
        if path.suffix in {".py", ".yaml"} or (path / "__init__.py").exists():
            # The whole repository is a program too: its files, without its folders.
            (shutil.copytree if path.is_dir() else shutil.copy)(path, target / path.name)
    for name in ("Pulumi.yaml", "PulumiPolicy.yaml"):
        if (target / name).exists():
            edit(target / name, runtime=RUNTIME)
    return target


def written(target: Path, program: str) -> Path:
    """A program of these lines of Python, named after its folder."""
    target.mkdir(parents=True)
    (target / "Pulumi.yaml").write_text(yaml.safe_dump({"name": target.name, "runtime": RUNTIME}))
    (target / "__main__.py").write_text(program)
    return target


def repository(target: Path) -> Path:
    """A copy of the stack, the plugin and the examples, and of what they need, as in a clone of this repository."""
    shutil.copytree(ROOT / "components", target / "components", ignore=NOT_COPIED)
    shutil.copytree(ROOT / "examples", target / "examples", ignore=NOT_COPIED)
    for path in ROOT.iterdir():
        if path.is_file() and not path.name.startswith("."):
            shutil.copy(path, target / path.name)
    return target


def edit(path: Path, **values: Any) -> None:
    """Set keys of a YAML file."""
    content = yaml.safe_load(path.read_text()) if path.exists() else {}
    path.write_text(yaml.safe_dump({**content, **values}, sort_keys=False))


def configure(program: Path, **values: Any) -> None:
    """Set keys of the stack's configuration, as an editor does; None removes one. The salt stays."""
    path = program / f"Pulumi.{STACK}.yaml"
    project = yaml.safe_load((program / "Pulumi.yaml").read_text())["name"]
    content = yaml.safe_load(path.read_text()) if path.exists() else {}
    config = (content.get("config") or {}, values)
    changed = {key if ":" in key else f"{project}:{key}": value for each in config for key, value in each.items()}
    edit(path, config={key: value for key, value in changed.items() if value is not None})


def stack_of(program: Path) -> automation.Stack:
    """The program's stack, made if there is none yet. The environment's variables say where."""
    return automation.create_or_select_stack(STACK, work_dir=str(program))


def preview(program: Path, **options: Any) -> dict[str, set[str]]:
    """Run `pulumi preview`; return what it announces for each resource, by its name."""
    events: list[automation.EngineEvent] = []
    stack_of(program).preview(on_event=events.append, **options)
    return operations(events)


def up(program: Path, **options: Any) -> dict[str, set[str]]:
    """Run `pulumi up`; return what became of each resource, by its name."""
    events: list[automation.EngineEvent] = []
    stack_of(program).up(on_event=events.append, **options)
    return operations(events)


def destroy(program: Path) -> dict[str, set[str]]:
    """Run `pulumi destroy`; return what became of each resource, by its name."""
    events: list[automation.EngineEvent] = []
    stack_of(program).destroy(on_event=events.append)
    return operations(events)


def operations(events: Iterable[automation.EngineEvent]) -> dict[str, set[str]]:
    """The operations on each resource, by its name. The stack itself is named after project and stack."""
    found: dict[str, set[str]] = {}
    for event in events:
        step = event.resource_pre_event.metadata if event.resource_pre_event else None
        if step and not step.type.startswith("pulumi:providers:"):
            found.setdefault(step.urn.rpartition("::")[2], set()).add(step.op.value)
    return found


def violations(events: Iterable[automation.EngineEvent], level: str) -> set[str]:
    """The names of the policies that were violated, of this enforcement level."""
    broken = [event.policy_event for event in events if event.policy_event]
    return {each.policy_name for each in broken if each.enforcement_level == level}


def opened(sandbox: Sandbox, login: str, reference: str) -> str:
    """The identity of somebody who opens an environment with pulumi-esc-sdk and asks AWS."""
    organization, project, environment = reference.split("/")
    token = sandbox.access_token(Opener(login), [organization])
    client = EscClient(Configuration(host=sandbox.cloud_url, access_token=token))
    _, values, _ = client.open_and_read_environment(organization, project, environment)
    keys = values["environmentVariables"]
    session = boto3.Session(
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=keys["AWS_SESSION_TOKEN"],
    )
    return session.client("sts").get_caller_identity()["Arn"]


def left(sandbox: Sandbox) -> dict[str, list[str]]:
    """The roles and providers in AWS, and the environments in Pulumi Cloud."""
    iam = boto3.Session().client("iam")
    return {
        "roles": [role["RoleName"] for role in iam.list_roles()["Roles"]],
        "providers": [each["Arn"] for each in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]],
        "environments": [str(each.ref) for each in sandbox.store.list(["contoso"])],
    }
