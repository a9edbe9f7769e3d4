"""The program that declares what exists, and the file with which `pulumi import` takes it into a stack."""

import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from shutil import rmtree
from typing import Any, Final

import yaml

from ..inputs import ChildNames, attachment_name
from .adoption import Adoption, Existing

COMPONENT: Final = "esc-oidc:index:PulumiEscOidc"
PLACEHOLDER: Final = "<PLACEHOLDER>"
"""What `pulumi preview --import-file` writes in the place of an ID."""

_ROLE: Final = "aws:iam/role:Role"
_ATTACHMENT: Final = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
_INLINE: Final = "aws:iam/rolePolicy:RolePolicy"
_PROVIDER: Final = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
_ENVIRONMENT: Final = "pulumiservice:index:Environment"
_PACKAGES: Final = {"aws": "pulumi-aws", "pulumiservice": "pulumi-pulumiservice"}

_WIDTH: Final = 120

_DEEPEST: Final = 100
"""Levels; whoever writes a document of AWS or Pulumi needs far fewer, and Python's stack ends at 1000."""


@dataclass(frozen=True)
class Resource:
    """A resource that exists.

    Attributes:
        type: Its type in Pulumi.
        name: What the component calls it.
        id: What its provider reads it by.
    """

    type: str
    name: str
    id: str


def resources(existing: Existing, adoption: Adoption, component: str) -> list[Resource]:
    """What exists of the component's resources.

    Args:
        existing: What there is.
        adoption: What becomes of it.
        component: The component's name.
    """
    names, role = ChildNames(component), adoption.inputs["role_name"]
    found = [
        Resource(_ROLE, names.role, role),
        *(
            Resource(_ATTACHMENT, names.attachment(attachment_name(arn)), f"{role}/{arn}")
            for arn in adoption.plan.policy_arns
        ),
        *(Resource(_INLINE, names.inline(key), f"{role}:{key}") for key in adoption.plan.inline_policies),
    ]
    if existing.provider and "oidc_provider_arn" not in adoption.inputs:
        found.append(Resource(_PROVIDER, names.provider, existing.provider.arn))
    if adoption.environment.is_imported:
        found.append(Resource(_ENVIRONMENT, names.environment, adoption.plan.environment_ref))
    return found


def import_file(found: Iterable[Resource], component: str) -> str:
    """The file for `pulumi import --file`: the component, and its resources with their IDs."""
    listed: list[Mapping[str, Any]] = [{"type": COMPONENT, "name": component, "component": True}]
    for each in found:
        resource = {"type": each.type, "name": each.name, "id": each.id, "parent": component}
        number = version(_PACKAGES[each.type.partition(":")[0]])
        listed.append({**resource, **({"version": number} if re.fullmatch(r"\d+\.\d+\.\d+", number) else {})})
    return json.dumps({"resources": listed}, indent=4) + "\n"


class BadImportFile(ValueError):  # noqa: N818 - what it is
    """A file that `pulumi preview --import-file` did not write."""


def check_depth(document: object) -> None:
    """Check that whoever walks through this JSON comes to its end.

    Raises:
        RecursionError: It is nested too deeply.
    """
    level = [document]
    for _ in range(_DEEPEST):
        level = [item for each in level for item in _items(each)]
    if level:
        raise RecursionError


def _items(value: object) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def filled_in(text: str, found: Iterable[Resource], component: str) -> tuple[str, list[str], list[str]]:
    """A file of `pulumi preview --import-file` with the IDs of what exists.

    Args:
        text: The file.
        found: What exists.
        component: The component's name.

    Returns:
        The file, the names of the resources that got an ID, and of the component's that do not exist.

    Raises:
        BadImportFile: It has another form.
    """
    try:
        document = json.loads(text)
        check_depth(document)
        listed = [each for each in document["resources"] if each.get("id") == PLACEHOLDER]
        named = [(each["type"], each.get("logicalName") or each["name"], each) for each in listed]
    except RecursionError as error:
        raise BadImportFile("its JSON is nested too deeply.") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise BadImportFile("it is no file of `pulumi preview --import-file`.") from error
    ids = {(each.type, each.name): each.id for each in found}
    done, absent = [], []
    for kind, name, resource in named:
        if (kind, name) in ids:
            resource["id"] = ids[kind, name]
            done.append(name)
        elif kind in {_ROLE, _ATTACHMENT, _INLINE, _PROVIDER, _ENVIRONMENT} and name.startswith(f"{component}-"):
            absent.append(name)
    indent = re.search(r"\n([ \t]+)", text)
    end = text[len(text.rstrip()) :]
    return json.dumps(document, indent=indent[1] if indent else None, ensure_ascii=False) + end, done, absent


def project_files(existing: Existing, adoption: Adoption, component: str) -> dict[str, str]:
    """The files of a Pulumi program that declares what exists, by name."""
    reference = adoption.plan.environment_ref
    project = {
        "name": f"{existing.project}-{existing.environment}"[:100],
        "description": f"The environment {reference} and its role, adopted",
        "requiredPulumiVersion": ">=3.237.0",
        "runtime": {"name": "python", "options": {"toolchain": "pip", "virtualenv": ".venv"}},
    }
    return {
        "Pulumi.yaml": yaml.safe_dump(project, sort_keys=False),
        "__main__.py": program(adoption, component),
        "requirements.txt": f"esc-oidc>={version('esc-oidc')},<1\n",
        "import.json": import_file(resources(existing, adoption, component), component),
    }


def program(adoption: Adoption, component: str) -> str:
    """The program, as a person would write it: only what differs from the defaults."""
    lines = [f'"""The ESC environment {adoption.plan.environment_ref} and its role, adopted."""', ""]
    lines += ["from esc_oidc import PulumiEscOidc", "", "PulumiEscOidc(", f"    {_text(component)},"]
    warned = False
    for name, value in adoption.inputs.items():
        if name.startswith("dangerously_") and not warned:
            rules = f" `esc-oidc lint` reports it: {', '.join(adoption.rules)}." if adoption.rules else ""
            lines.append(f"    # As it was when it was adopted.{rules}")
            warned = True
        lines.append(f"    {name}={_literal(value, 4, len(name) + 1)},")
    return "\n".join([*lines, ")", ""])


def _literal(value: object, indent: int, taken: int) -> str:
    """A value as Python, on one line if it fits.

    Args:
        value: Texts, booleans, lists and dicts.
        indent: How far in its line begins.
        taken: What stands before it on that line.
    """
    if isinstance(value, dict) and value:
        items = [(f"{_text(str(key))}: ", item) for key, item in value.items()]
    elif isinstance(value, list) and value:
        items = [("", item) for item in value]
    else:
        return _text(value) if isinstance(value, str) else repr(value)
    begin, end = "{}" if isinstance(value, dict) else "[]"
    flat = begin + ", ".join(key + _literal(item, 0, -(10**6)) for key, item in items) + end
    if indent + taken + len(flat) < _WIDTH:
        return flat
    inner = " " * (indent + 4)
    lines = [f"{inner}{key}{_literal(item, indent + 4, len(key))}," for key, item in items]
    return "\n".join([begin, *lines, " " * indent + end])


def _text(text: str) -> str:
    """A text as Python, in double quotes where that is as plain. What a terminal can't show is escaped."""
    written = repr(text)
    return f'"{written[1:-1]}"' if written[0] == "'" and '"' not in text else written


def write_folder(folder: Path, files: Mapping[str, str]) -> None:
    """Write a folder that does not exist yet, all of it or nothing.

    Raises:
        OSError: It exists, or can't be written.
    """
    if os.path.lexists(folder):
        raise FileExistsError(17, "it exists already, and nothing is overwritten", str(folder))
    with _naming(folder):
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            for name, text in files.items():
                (beside / name).write_text(text, encoding="utf-8")
            beside.chmod(0o755)
            # Another process may have made the folder meanwhile: an empty one is all that this replaces.
            beside.rename(folder)
        finally:
            with suppress(FileNotFoundError):
                rmtree(beside)


def replace_file(path: Path, text: str) -> None:
    """Replace a file's content, all of it or nothing.

    Raises:
        OSError: It can't be written.
    """
    with _naming(path):
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        beside = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            beside.chmod(path.stat().st_mode & 0o777)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Let errors name what the user gave, not the temporary path beside it."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
