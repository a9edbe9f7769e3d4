"""What the pack says of a whole stack."""

import json

import pytest
import yaml
from pulumi.runtime.proto import analyzer_pb2

from tests.support.pack import (
    ENVIRONMENT_URN,
    LOGIN,
    OTHER_ENVIRONMENT,
    REFUSED,
    ROLE_ARN,
    ROLE_URN,
    SECRET,
    SIGNATURE,
    UNKNOWN,
    asset,
    configure,
    environment,
    reports,
    resource,
    role,
)
from tests.support.policies import DEV, PROVIDER, conditions, example


@pytest.mark.parametrize(
    ("arn", "rule"),
    [
        ("arn:aws:iam::210987654321:role/esc", "principal-account"),
        ("arn:aws-us-gov:iam::123456789012:role/esc", "principal-partition"),
    ],
)
def test_a_provider_of_another_account_is_found_in_the_stack(pack, arn, rule):
    """Only the whole stack has a role's own ARN; the role can be excluded there, too."""
    assert [each[:2] for each in reports(pack, role(arn=arn))] == [(rule, ROLE_URN)]
    configure(pack, {rule: (analyzer_pb2.MANDATORY, {"excludeRoles": ["esc-role"]})})
    assert reports(pack, role(arn=arn)) == []


SHAPES = {
    "string": lambda text: text,
    "secret string": lambda text: {SIGNATURE: SECRET, "value": text},
    "asset": lambda text: asset(text=text),
    "secret asset": lambda text: {SIGNATURE: SECRET, "value": asset(text=text)},
}
"""How a definition may come: Pulumi's provider makes a secret string of the program's asset."""


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_login_that_its_role_refuses_is_found_in_the_stack(pack, shape):
    """The violation belongs to the environment and says why, however the definition comes."""
    dev = environment(yaml=shape(yaml.safe_dump({"values": {"login": {"fn::open::aws-login": {"oidc": LOGIN}}}})))
    ((name, urn, message),) = reports(pack, role(OTHER_ENVIRONMENT), dev)
    assert [(name, urn)] == REFUSED
    assert "contoso/aws/dev" in message
    assert "aws/prod" in message
    assert reports(pack, role(), dev) == []


def test_the_long_form_is_read(pack):
    """`fn::open` with a provider is the same login."""
    text = yaml.safe_dump({"values": {"login": {"fn::open": {"provider": "aws-login", "inputs": {"oidc": LOGIN}}}}})
    assert [each[:2] for each in reports(pack, role(OTHER_ENVIRONMENT), environment(yaml=text))] == REFUSED
    assert reports(pack, role(), environment(yaml=text)) == []


def test_a_definition_in_a_file_is_read(pack, tmp_path):
    """A missing file, or one at a URL, is not judged."""
    path = tmp_path / "dev.yaml"
    path.write_text(yaml.safe_dump({"values": {"fn::open::aws-login": {"oidc": LOGIN}}}), "utf-8")
    assert [each[:2] for each in reports(pack, role(OTHER_ENVIRONMENT), environment(yaml=asset(path=str(path))))] == (
        REFUSED
    )
    for elsewhere in ({"path": str(tmp_path / "none")}, {"uri": "https://contoso.example/dev.yaml"}):
        assert reports(pack, role(OTHER_ENVIRONMENT), environment(yaml=asset(**elsewhere))) == []


def test_the_roles_longest_session_and_the_providers_audience_count(pack):
    """Both come from the stack, where numbers arrive as floats."""
    long = environment(login=LOGIN | {"duration": "2h"})
    ((_, _, message),) = reports(pack, role(maxSessionDuration=3600.0), long)
    assert "ValidationError" in message
    assert reports(pack, role(maxSessionDuration=7200.0), long) == []
    kind = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
    provider = resource(kind, "esc-provider", {"arn": PROVIDER, "clientIdLists": ["contoso"]})
    ((_, _, message),) = reports(pack, provider, role(), environment())
    assert "InvalidIdentityToken" in message
    for unknown in ({"arn": UNKNOWN, "clientIdLists": ["contoso"]}, {"arn": PROVIDER, "clientIdLists": [UNKNOWN]}, {}):
        assert reports(pack, resource(kind, "esc-provider", unknown), role(), environment()) == []


def test_an_environment_without_a_project_is_in_the_legacy_one(pack):
    """The provider's default is `default`, which has another audience and subject."""
    legacy = environment(project=None)
    spelled = [DEV.replace("aws/dev", name) for name in ("dev", "default/dev")]
    assert reports(pack, role(json.dumps(example(conditions(spelled, "contoso")))), legacy) == []
    assert [each[:2] for each in reports(pack, role(), legacy)] == REFUSED


@pytest.mark.parametrize(
    "others",
    [
        [role(OTHER_ENVIRONMENT, arn=UNKNOWN), environment()],
        [role(OTHER_ENVIRONMENT, arn="esc"), environment(login=LOGIN | {"roleArn": "esc"})],
        [role(UNKNOWN), environment()],
        [role(OTHER_ENVIRONMENT), environment(yaml=UNKNOWN)],
        [role(OTHER_ENVIRONMENT), environment(name=None)],
        [role(OTHER_ENVIRONMENT), environment(login=LOGIN | {"roleArn": ROLE_ARN + "2"})],
        [environment()],
    ],
    ids=["arn unknown", "no arn", "policy unknown", "definition unknown", "no name", "another role", "no role"],
)
def test_what_the_stack_does_not_know_is_not_judged(pack, others):
    """The preview of a new stack and roles of other stacks are not reported."""
    assert reports(pack, *others) == []


@pytest.mark.parametrize("pattern", ["contoso/aws/dev", "contoso/*", "esc-environment", ENVIRONMENT_URN])
def test_an_environment_can_be_excluded(pack, pattern):
    """By its name in Pulumi Cloud, its name in the program, or its URN."""
    configure(pack, {"login-refused": (analyzer_pb2.MANDATORY, {"excludeEnvironments": [pattern]})})
    assert reports(pack, role(OTHER_ENVIRONMENT), environment()) == []
