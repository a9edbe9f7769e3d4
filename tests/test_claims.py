"""Audiences and subjects: what Pulumi Cloud writes into tokens, composed and read."""

import fnmatch
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from esc_oidc.claims import (
    ATTRIBUTES,
    AttributeSubject,
    DefaultSubject,
    DeploymentSubject,
    audience,
    condition_key,
    default_subject,
    deployment_audience,
    deployment_subject,
    environment_spellings,
    read_subject,
    stack_configuration_subject,
    subject,
)

NAME = st.text("abcXYZ019._-", min_size=1, max_size=8)
ENVIRONMENT = st.builds("{}/{}".format, NAME, NAME)
VECTORS = yaml.safe_load((Path(__file__).parent / "vectors.yaml").read_text())


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_the_published_examples_match_exactly(vector):
    """Audience and subject are those on Pulumi's own pages."""
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
    """AWS drops `https://` from the issuer and appends a colon and the claim."""
    assert condition_key("https://api.pulumi.com/oidc", "aud") == "api.pulumi.com/oidc:aud"


def test_an_environment_of_the_legacy_project_has_two_spellings():
    """Sources disagree on whether the project is stripped; both name the same environment."""
    assert environment_spellings("default/dev") == ("dev", "default/dev")
    assert environment_spellings("aws/dev") == ("aws/dev",)


@given(NAME, st.lists(st.tuples(st.sampled_from(ATTRIBUTES), ENVIRONMENT | NAME), max_size=4))
def test_a_subject_with_attributes_is_read_as_it_was_composed(organization, attributes):
    """Reading returns the organization and the attributes in their order."""
    assert read_subject(subject(organization, attributes)) == AttributeSubject(organization, tuple(attributes))


@given(NAME, NAME.filter(lambda project: project != "default"), NAME)
def test_a_subject_without_attributes_is_read_as_it_was_composed(organization, project, environment):
    """Reading returns organization and environment, without the legacy project."""
    read = read_subject(default_subject(organization, project, environment))
    assert read == DefaultSubject(organization, f"{project}/{environment}")
    assert read_subject(default_subject(organization, "default", environment)) == DefaultSubject(
        organization, environment
    )


@given(NAME, NAME, NAME)
def test_a_deployment_is_read_as_it_was_composed(organization, project, stack):
    """Reading returns organization, project, stack, operation and scope."""
    read = read_subject(deployment_subject(organization, project, stack, "update"))
    fields = (("project", project), ("stack", stack), ("operation", "update"), ("scope", "write"))
    assert read == DeploymentSubject(organization, fields)


@pytest.mark.parametrize("other", ["", "repo:contoso/app", "pulumi:environments", "Pulumi:deploy:org:x"])
def test_other_subjects_are_not_read(other):
    """Pulumi Cloud never writes them."""
    assert read_subject(other) is None
