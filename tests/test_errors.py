"""InvalidInputs: its text, and how Pulumi shows it."""

import pulumi
import pytest
from pulumi.provider.experimental import host

from esc_oidc import InvalidInputs, PulumiEscOidc
from esc_oidc.inputs import Secrets, Violation
from tests.support.deploying import deploy

BASE = {"organization": "contoso", "project": "aws", "environment": "dev"}


def test_the_text_lists_every_violation():
    """There is one line for the component and one for each violation: input, value, rule, way out."""
    violations = [Violation("x", 1, "A rule.", "Do this."), Violation("y", 2, "B.", "C.")]
    error = InvalidInputs("PulumiEscOidc 'a'", violations, Secrets())
    assert str(error) == "PulumiEscOidc 'a': 2 invalid inputs\n  - x = 1: A rule. Do this.\n  - y = 2: B. C."
    assert str(InvalidInputs("a", violations[:1], Secrets())).startswith("a: 1 invalid input\n")


def test_a_long_value_is_cut():
    """The message stays readable, and says how long the value was."""
    assert str(Violation("x", "a" * 500, "Rule.", "Fix.")) == f"x = '{'a' * 119}... (502 characters): Rule. Fix."


@pytest.mark.parametrize("hosting", [True, False])
def test_through_the_plugin_the_text_is_logged_too(monkeypatch, hosting):
    """The host prints an exception below its own traceback; in a program the log would repeat it."""
    monkeypatch.setattr(host, "is_hosting", hosting)
    deployed = deploy(lambda: PulumiEscOidc("esc", **(BASE | {"duration": "13h"})) and None)
    assert isinstance(deployed.error, InvalidInputs)
    assert [text for severity, text in deployed.log if severity == "error"] == [str(deployed.error)] * hosting


def test_it_is_a_run_error():
    """Pulumi prints a RunError without a traceback, but wraps a ValueError in three."""
    assert issubclass(InvalidInputs, pulumi.RunError)
    assert not issubclass(InvalidInputs, ValueError)
