"""An environment whose definition Pulumi Cloud did not take."""

import pytest

from esc_oidc import PulumiEscOidc
from tests.support.deploying import deploy
from tests.support.programs import ESC, esc_login


@pytest.mark.parametrize("revision", [None, 1.0, 7])
def test_a_written_environment_passes(revision):
    """Any revision except 0 is a written definition; mocks report none."""
    assert deploy(esc_login(), revision=revision).error is None


def test_revision_zero_fails_with_the_way_out():
    """The provider reports revision 0 if Pulumi Cloud silently refused the update."""
    deployed = deploy(lambda: PulumiEscOidc("esc", **ESC) and None, revision=0)
    assert "Run `pulumi refresh`, then `pulumi up`" in str(deployed.error)
