"""The component plugin: the same components for every Pulumi language."""

from esc_oidc import PulumiEscOidc
from pulumi.provider.experimental import component_provider_host

if __name__ == "__main__":
    component_provider_host(name="esc-oidc", components=[PulumiEscOidc])
