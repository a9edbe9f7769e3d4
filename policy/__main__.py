"""The policy pack as Pulumi's policy host runs it: it serves until the host ends it."""

from esc_oidc_policy import serve

serve()
