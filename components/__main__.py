"""The component plugin: the same components for every Pulumi language."""

from pulumi.provider.experimental import component_provider_host

from esc_oidc import PulumiDeploymentsOidc, PulumiEscOidc

if __name__ == "__main__":
    component_provider_host(name="esc-oidc", components=[PulumiDeploymentsOidc, PulumiEscOidc])
