"""The stack: reads its configuration, declares one PulumiEscOidc, and exports all its outputs."""

import pulumi

from esc_oidc import PulumiEscOidc, PulumiEscOidcArgs
from esc_oidc.configuration import configured
from esc_oidc.spelling import camel_case

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


# Every key is an input: see docs/reference.md.
inputs = configured(PulumiEscOidcArgs, organization=pulumi.get_organization())
# Not named after the environment: renaming the environment must not create a second provider.
component = PulumiEscOidc("esc-oidc", inputs)

for output in PulumiEscOidc.__annotations__:
    pulumi.export(camel_case(output), getattr(component, output))
pulumi.export("readme", README)
