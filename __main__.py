"""The stack: configuration in, one PulumiEscOidc, everything it knows out."""

from typing import Any, get_args, get_origin

import pulumi
from pulumi.runtime.config import CONFIG

from esc_oidc import PulumiEscOidc, PulumiEscOidcArgs

README = """\
# Short-lived AWS credentials for `${outputs.environmentRef}`

Pulumi ESC exchanges a signed token for a session of the role `${outputs.roleArn}`.

| | |
|---|---|
| Open it | `${outputs.openCommand}` |
| Use it in a stack | `environment: [PROJECT/ENV]` in `Pulumi.STACK.yaml` |
| Audience that gets in | `${outputs.audience}` |
| Subjects that get in | `${outputs.subjects}` |
| Trusted through | `${outputs.oidcProviderArn}` |

Attach permissions to `${outputs.roleName}`. Whoever is refused with "Not authorized to perform
sts:AssumeRoleWithWebIdentity" presents another audience or subject than these.
"""


def camel_case(name: str) -> str:
    """An input's or output's name as the schema, and so the configuration, spells it."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def plain_type(annotation: Any) -> Any:
    """The type that counts: NotRequired and Input wrap it, and it is their first argument."""
    while get_origin(annotation) not in (None, list, dict):
        annotation = get_args(annotation)[0]
    return annotation


def configured(config: pulumi.Config) -> dict[str, Any]:
    """The component's arguments that are configured. A key that is not set is not passed."""
    arguments = {}
    unread = {key.partition(":")[2] for key in CONFIG.get() if key.startswith(f"{config.name}:")}
    readers = {str: config.get, bool: config.get_bool}
    for name, annotation in PulumiEscOidcArgs.__annotations__.items():
        key = camel_case(name)
        if config.get(key) is not None:
            arguments[name] = readers.get(plain_type(annotation), config.get_object)(key)
            unread.discard(key)
    # A misspelled key must not pass for one that is not set: the component refuses it, and says which was meant.
    return arguments | {key: config.get(key) for key in unread}


arguments = {"organization": pulumi.get_organization(), **configured(pulumi.Config())}
component = PulumiEscOidc(f"{arguments.get('project')}-{arguments.get('environment')}", arguments)

for output in PulumiEscOidc.__annotations__:
    pulumi.export(camel_case(output), getattr(component, output))
pulumi.export("readme", README)
