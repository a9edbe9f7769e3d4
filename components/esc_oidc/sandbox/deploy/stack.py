"""A Pulumi program's project and stack files: what the program is and how it is configured."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


class StackError(Exception):
    """A project or stack file that cannot be used; the text says which, why, and the way out."""


@dataclass(frozen=True)
class ProgramStack:
    """A program and one of its stacks.

    Args:
        directory: Where Pulumi.yaml is.
        main: What is run: a folder with a `__main__.py`, or a file.
        project: The project's name.
        stack: The stack's name.
        config: Every configuration value by its full key, `PROJECT:KEY`; objects as JSON.
        environments: The ESC environments that the stack lists under `environment`.
    """

    directory: Path
    main: Path
    project: str
    stack: str
    config: Mapping[str, str]
    environments: tuple[str, ...] = ()


def load_stack(directory: Path, stack: str | None, overrides: Mapping[str, str]) -> ProgramStack:
    """Read a program's files; the stack is the named one, else `sandbox`, else the only one configured.

    StackError if there is no such program or stack, or if only the real Pulumi can read it.
    """
    project_file = directory / "Pulumi.yaml"
    settings = _read(project_file)
    project = settings.get("name")
    if not isinstance(project, str):
        raise StackError(f"{project_file}: `name` is missing.")
    runtime = settings.get("runtime")
    runtime = runtime.get("name") if isinstance(runtime, dict) else runtime
    if runtime != "python":
        raise StackError(f"{project_file}: runtime {runtime!r}: the sandbox runs Python programs, others with Pulumi.")
    stack = stack or _only_stack(directory)
    stack_file = directory / f"Pulumi.{stack}.yaml"
    stack_settings = _read(stack_file)
    configured = stack_settings.get("config") or {}
    config: dict[str, str] = {}
    for file, values in ((project_file, _defaults(settings)), (stack_file, configured), (stack_file, overrides)):
        for key, value in values.items():
            config[key if ":" in key else f"{project}:{key}"] = _text(file, key, value)
    main = directory / str(settings.get("main") or ".")
    environments = stack_settings.get("environment") or []
    if not isinstance(environments, list):
        raise StackError(f"{stack_file}: environment: the sandbox reads a list of environments, PROJECT/ENV each.")
    return ProgramStack(directory, main, project, stack, config, tuple(map(str, environments)))


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StackError(f"{path}: there is no such file.") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise StackError(f"{path}: {error}") from error
    if not isinstance(content, dict | None):
        raise StackError(f"{path}: this is not a mapping.")
    return content or {}


def _only_stack(directory: Path) -> str:
    stacks = sorted(path.name[len("Pulumi.") : -len(".yaml")] for path in directory.glob("Pulumi.*.yaml"))
    if "sandbox" in stacks:
        return "sandbox"
    if len(stacks) == 1:
        return stacks[0]
    found = f"there are {', '.join(stacks)}" if stacks else "there is none"
    raise StackError(f"{directory}: which stack? Name one with --stack: {found}.")


def _defaults(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults that Pulumi.yaml declares, under `default` for the project's keys and `value` for others'."""
    declared = {
        key: schema.get("default", schema.get("value")) if isinstance(schema, dict) else schema
        for key, schema in (settings.get("config") or {}).items()
    }
    return {key: value for key, value in declared.items() if value is not None}


def _text(path: Path, key: str, value: Any) -> str:
    """A value as Pulumi hands it to a program: text as it is, all else as JSON."""
    if isinstance(value, dict) and set(value) == {"secure"}:
        raise StackError(f"{path}: {key} is encrypted, and only Pulumi can read it. Pass it with --config {key}=VALUE.")
    return value if isinstance(value, str) else json.dumps(value)
