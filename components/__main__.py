"""The component plugin: the same components for every Pulumi language."""

from importlib.metadata import version

from pulumi.provider.experimental import component_provider_host

from esc_oidc import PulumiDeploymentsOidc, PulumiEscOidc

if __name__ == "__main__":
    component_provider_host(
        name="esc-oidc",
        # What Pulumi assumes for a folder. For a git repository it would take the owner, and then every fork and every
        # clone would have another name to import. Source: setSpecNamespace in pulumi's pkg/cmd/pulumi/packages.
        namespace="pulumi",
        # Generated SDKs ask for the plugin of this version: from git, the tag v0.1.0 and not whatever is newest.
        version=version("esc-oidc"),
        components=[PulumiDeploymentsOidc, PulumiEscOidc],
    )
