"""What there is in the sandbox before a program runs: providers, roles and environments, from a YAML file."""

import json
from pathlib import Path
from typing import Any, Final

import yaml
from botocore.exceptions import BotoCoreError, ClientError

from .names import Reference, StoreError
from .requests import client
from .servers import Sandbox

SEED_FILE: Final = "sandbox.yaml"
"""The seed that `esc-oidc try` finds in a program's folder by itself."""

_KEYS: Final = {"providers", "roles", "environments"}


class SeedError(Exception):
    """A seed file that cannot be used; the text says where, why, and what it should have."""


def sow(sandbox: Sandbox, path: Path) -> None:
    """Create what a seed file lists.

    `providers` are a list of `url` and `clientIds`, `roles` a list of `name`, `trustPolicy` and perhaps
    `maxSessionDuration` in seconds, `environments` a map from ORG/PROJECT/ENV to a definition.

    Raises:
        SeedError: When the file cannot be read or lists something else.
    """
    try:
        seed = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        unknown = seed.keys() - _KEYS
        if unknown:
            raise SeedError(f"{path}: {', '.join(sorted(unknown))}: a seed has {', '.join(sorted(_KEYS))} only.")
        _sow(sandbox, seed)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, BotoCoreError, ClientError, StoreError) as error:
        raise SeedError(f"{path}: {error}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SeedError(f"{path}: this is not the shape of a seed ({type(error).__name__}: {error}).") from error


def _sow(sandbox: Sandbox, seed: dict[str, Any]) -> None:
    iam = client("iam", sandbox.aws_url)
    for provider in seed.get("providers", ()):
        iam.create_open_id_connect_provider(Url=provider["url"], ClientIDList=provider["clientIds"])
    for role in seed.get("roles", ()):
        iam.create_role(
            RoleName=role["name"],
            AssumeRolePolicyDocument=json.dumps(role["trustPolicy"]),
            MaxSessionDuration=role.get("maxSessionDuration", 3600),
        )
    for name, definition in seed.get("environments", {}).items():
        reference = Reference(*name.split("/"))
        sandbox.store.create(reference, "seed")
        sandbox.store.update(reference, yaml.safe_dump(definition, sort_keys=False), "seed")
