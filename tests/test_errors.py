"""InvalidInputs: its text, and how Pulumi shows it."""

import pulumi
import pytest
from pulumi.provider.experimental import host

from esc_oidc import InvalidInputs, PulumiEscOidc
from esc_oidc.inputs import Violation
from tests.support.deploying import deploy

BASE = {"organization": "contoso", "project": "aws", "environment": "dev"}


def test_the_text_lists_every_violation():
    """One line for the component, one for each violation: input, value, rule, way out."""
    error = InvalidInputs(
        "PulumiEscOidc 'a'", [Violation("x", 1, "A rule.", "Do this."), Violation("y", 2, "B.", "C.")]
    )
    assert str(error) == "PulumiEscOidc 'a': 2 invalid inputs\n  - x = 1: A rule. Do this.\n  - y = 2: B. C."
    assert str(InvalidInputs("a", error.violations[:1])).startswith("a: 1 invalid input\n")


def test_a_long_value_is_cut():
    """A message stays readable whatever was passed, and says how much there was."""
    assert str(Violation("x", "a" * 500, "Rule.", "Fix.")) == f"x = '{'a' * 119}... (502 characters): Rule. Fix."


@pytest.mark.parametrize("hosting", [True, False])
def test_through_the_plugin_the_text_is_logged_too(monkeypatch, hosting):
    """There an exception prints under the host's own traceback; in a program it would be said twice."""
    monkeypatch.setattr(host, "is_hosting", hosting)
    deployed = deploy(lambda: PulumiEscOidc("esc", **(BASE | {"duration": "13h"})) and None)
    assert isinstance(deployed.error, InvalidInputs)
    assert [text for severity, text in deployed.log if severity == "error"] == [str(deployed.error)] * hosting


def test_a_run_error_and_no_value_error():
    """Pulumi prints a RunError's text without a traceback; a ValueError it would wrap in three."""
    assert issubclass(InvalidInputs, pulumi.RunError)
    assert not issubclass(InvalidInputs, ValueError)
