import fnmatch
from pathlib import Path

import pytest
import yaml

from esc_oidc.claims import (
    audience,
    condition_key,
    default_subject,
    deployment_audience,
    deployment_subject,
    environment_spellings,
    stack_configuration_subject,
    subject,
)

VECTORS = yaml.safe_load((Path(__file__).parent / "vectors.yaml").read_text())


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_the_published_examples_come_out_to_the_character(vector):
    """Audience and subject are those that Pulumi's own pages show."""
    organization, project = vector["organization"], vector["project"]
    if "operation" in vector:
        aud = deployment_audience(organization)
        sub = deployment_subject(organization, project, vector["stack"], vector["operation"])
    elif vector["environment"] == "<yaml>":
        aud, sub = audience(organization, project), stack_configuration_subject(organization)
    elif "attributes" in vector:
        aud = audience(organization, project)
        sub = subject(organization, [tuple(pair) for pair in vector["attributes"]])
    else:
        aud = audience(organization, project)
        sub = default_subject(organization, project, vector["environment"])
    assert (aud, sub) == (vector["aud"], vector["sub"])
    assert fnmatch.fnmatchcase(sub, vector.get("pattern", sub))


def test_a_condition_key_is_the_issuer_without_its_scheme():
    """AWS drops `https://` from the issuer and puts the claim behind a colon."""
    assert condition_key("https://api.pulumi.com/oidc", "aud") == "api.pulumi.com/oidc:aud"


def test_an_environment_of_the_legacy_project_has_two_spellings():
    """Sources conflict on whether the project is stripped: both name the same environment."""
    assert environment_spellings("default/dev") == ("dev", "default/dev")
    assert environment_spellings("aws/dev") == ("aws/dev",)
