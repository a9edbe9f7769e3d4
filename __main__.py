"""The stack: reads its configuration, declares one PulumiEscOidc, and exports all its outputs."""

from typing import Any, cast, get_args, get_origin

import pulumi
from pulumi.runtime.config import CONFIG, is_config_secret

from esc_oidc import PulumiEscOidc, PulumiEscOidcArgs

README = """\
# Short-lived AWS credentials for `${outputs.environmentRef}`

Pulumi ESC exchanges a signed token for a session of the role `${outputs.roleArn}`.

| | |
|---|---|
| Open it | `${outputs.openCommand}` |
| Use it in a stack | `environment: [PROJECT/ENV]` in `Pulumi.STACK.yaml` |
| Admitted audience | `${outputs.audience}` |
| Admitted subjects | `${outputs.subjects}` |
| Trusted through | `${outputs.oidcProviderArn}` |

Attach permissions to `${outputs.roleName}`. AWS answers "Not authorized to perform
sts:AssumeRoleWithWebIdentity" to tokens with any other audience or subject.
"""


def camel_case(name: str) -> str:
    """An input's or output's name as the schema, and so the configuration, spells it."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def plain_type(annotation: Any) -> Any:
    """The type inside NotRequired and Input, which is their first argument."""
    while get_origin(annotation) not in (None, list, dict):
        annotation = get_args(annotation)[0]
    return annotation


def read(config: pulumi.Config, key: str, kind: Any = str) -> Any:
    """A configured value of this type, as a secret Output if it is a secret."""
    secret = is_config_secret(config.full_key(key))
    if kind is str:
        return config.get_secret(key) if secret else config.get(key)
    if kind is bool:
        return config.get_secret_bool(key) if secret else config.get_bool(key)
    return config.get_secret_object(key) if secret else config.get_object(key)


def configured(config: pulumi.Config) -> dict[str, Any]:
    """The component's arguments that are configured. A key that is not set is not passed."""
    unread = {key.partition(":")[2] for key in CONFIG.get() if key.startswith(config.full_key(""))}
    arguments = {}
    for name, annotation in PulumiEscOidcArgs.__annotations__.items():
        key = camel_case(name)
        if key in unread:
            arguments[name] = read(config, key, plain_type(annotation))
            unread.remove(key)
    # The component refuses a misspelled key and says which one was meant.
    return arguments | {key: read(config, key) for key in unread}


arguments = {"organization": pulumi.get_organization(), **configured(pulumi.Config())}
# Not named after the environment: renaming the environment must not create a second provider.
component = PulumiEscOidc("esc-oidc", cast("PulumiEscOidcArgs", arguments))

for output in PulumiEscOidc.__annotations__:
    pulumi.export(camel_case(output), getattr(component, output))
pulumi.export("readme", README)
