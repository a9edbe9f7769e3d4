"""What Pulumi.yaml declares: keys, types and defaults."""

import pytest
import yaml

from esc_oidc.inputs import EnvironmentPlan
from tests.support.inputs import ARGUMENTS, camel_case, defaults
from tests.support.stack import INPUTS, PROJECT, REQUIRED, ROOT, described, run_stack

DEFAULTS = defaults(EnvironmentPlan)
SCHEMA_TYPES = {"str": "string", "bool": "boolean"}


@pytest.mark.parametrize("key", PROJECT["config"])
def test_a_declared_key_is_an_input_of_its_type(key):
    """Pulumi.yaml declares only inputs, each with its type and a description."""
    declared = PROJECT["config"][key]
    assert declared["type"] == SCHEMA_TYPES[ARGUMENTS[EnvironmentPlan][INPUTS[key]].kind]
    assert len(declared["description"].split()) > 3
    assert set(declared) <= {"type", "description", "default"}


@pytest.mark.parametrize("key", PROJECT["config"])
def test_a_declared_key_is_required_or_has_the_components_default(key):
    """The engine demands a value for a key without a default, and a default must change nothing."""
    declared = PROJECT["config"][key]
    if ARGUMENTS[EnvironmentPlan][INPUTS[key]].required:
        assert "default" not in declared
    else:
        assert declared["default"] == DEFAULTS[INPUTS[key]]
        assert type(declared["default"]) is type(DEFAULTS[INPUTS[key]])


def test_every_scalar_default_is_declared():
    """Pulumi.yaml and the console show every input with a scalar default."""
    scalars = {camel_case(name) for name in DEFAULTS if ARGUMENTS[EnvironmentPlan][name].kind in SCHEMA_TYPES}
    required = {key for key, name in INPUTS.items() if ARGUMENTS[EnvironmentPlan][name].required}
    # The organization has pulumi.get_organization() to fall back to, so the engine must not demand it.
    assert set(PROJECT["config"]) == scalars | required - {"organization"}


def test_declared_defaults_change_nothing():
    """With and without the engine's defaults, the same resources are declared."""
    defaults = {key: value["default"] for key, value in PROJECT["config"].items() if "default" in value}
    bare, with_defaults = run_stack(REQUIRED), run_stack({**defaults, **REQUIRED})
    assert with_defaults.error is None
    assert [described(resource) for resource in with_defaults.resources] == [
        described(resource) for resource in bare.resources
    ]


def test_the_project_matches_the_plugin():
    """Both ask for the same Pulumi, and the project has the name of its configuration's namespace."""
    plugin = yaml.safe_load((ROOT / "components" / "PulumiPlugin.yaml").read_text(encoding="utf-8"))
    assert PROJECT["name"] == "esc-oidc"
    assert PROJECT["runtime"]["name"] == "python"
    assert PROJECT["requiredPulumiVersion"] == plugin["requiredPulumiVersion"] == ">=3.237.0"
    assert len(PROJECT["description"]) < 256
