"""What the plugin tells the engine when inputs are refused."""

import grpc
import pytest
from pulumi.runtime.proto import (
    errors_pb2,
    status_pb2,
)

from tests.support.deploying import PROVIDER_ARN
from tests.support.plugin import DEPLOYMENTS, ESC, MINIMAL, OTHER, Constructed, output

BILLING = "arn:aws:iam::aws:policy/job-function/Billing"


def missing(failed: Constructed) -> list[tuple[str, str]]:
    """The inputs and reasons in a status, where the engine looks for them."""
    details = dict(failed.status.trailing_metadata())["grpc-status-details-bin"]
    errors = errors_pb2.InputPropertiesError()
    status_pb2.Status.FromString(details).details[0].Unpack(errors)
    return [(error.property_path, error.reason) for error in errors.errors]


@pytest.mark.parametrize(
    ("component", "inputs", "name"),
    [(component, inputs, name) for component, inputs in MINIMAL for name in inputs if name != "stacks"],
)
def test_a_missing_input_is_named(plugin, component, inputs, name):
    """The host refuses before our code runs, and names the input and the component."""
    failed = plugin.construct(component, {key: value for key, value in inputs.items() if key != name})
    assert failed.status.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert missing(failed) == [(name, f"Missing required input '{name}' on '{component}'")]
    assert failed.resources == []


def test_missing_stacks_are_named(plugin):
    """Our own check asks for `stacks`, since another input may replace it."""
    failed = plugin.construct("PulumiDeploymentsOidc", {key: DEPLOYMENTS[key] for key in ("organization", "project")})
    assert "\n  - stacks" in failed.status.details()
    assert failed.resources == []


def test_a_refused_secret_is_not_shown(plugin):
    """Neither the log nor the status has the value."""
    failed = plugin.construct("PulumiEscOidc", {**ESC, "allowedUsers": output(["hunter 2"], secret=True)})
    assert "allowedUsers[0] = (a secret)" in failed.status.details()
    assert "hunter" not in failed.status.details() + str(failed.log)


def test_a_list_that_makes_resources_cannot_be_one_output(plugin):
    """Some languages join a list's items into one Output; the message says that only the items may be."""
    whole = output([BILLING], dependencies=(OTHER,))
    failed = plugin.construct(
        "PulumiEscOidc", {**ESC, "sessionPolicyArns": whole}, dependencies={"sessionPolicyArns": [OTHER]}
    )
    assert "its items may be Outputs; the list itself may not" in failed.status.details()
    assert failed.resources == []


def test_refused_values_are_logged_before_the_traceback(plugin):
    """The engine gets the clean text as an error first; the host's own message adds a traceback."""
    failed = plugin.construct("PulumiEscOidc", {**ESC, "organization": "a b", "project": "Default"})
    ((severity, text, _),) = failed.log
    assert severity == "ERROR"
    assert text.startswith("PulumiEscOidc 'esc': 2 invalid inputs\n  - organization = 'a b': ")
    assert text.count("\n") == 2
    assert failed.status.details().startswith(f"Unexpected <class 'Exception'>: {text}:\n  File ")
    assert failed.resources == []


def test_refused_outputs_are_logged_without_a_traceback(plugin):
    """Only the component itself was registered, and the status is the clean text."""
    failed = plugin.construct("PulumiEscOidc", {**ESC, "organization": output("a b")})
    ((severity, text, _),) = failed.log
    assert severity == "ERROR"
    assert text.startswith("PulumiEscOidc 'esc': 1 invalid input\n  - organization = 'a b': ")
    assert failed.status.details().endswith(f": {text}")
    assert [resource.name for resource in failed.resources] == ["esc"]


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("maxSessionDuration", 3600, "this input is a string, not a float"),
        ("createEnvironment", "false", "this input is a boolean, True or False, not a str"),
        ("createEnvironment", output(False, dependencies=(OTHER,)), "it can't be an Output"),
    ],
    ids=["number", "text", "output"],
)
def test_values_of_another_type_are_refused(plugin, name, value, rule):
    """YAML programs may pass anything; a number arrives as a float."""
    failed = plugin.construct("PulumiEscOidc", {**ESC, name: value})
    assert rule in failed.log[0][1]
    assert failed.resources == []


def test_inputs_are_named_as_programs_write_them(plugin):
    """Programs in other languages write camel case, so messages do, in the hints too."""
    failed = plugin.construct("PulumiEscOidc", {**ESC, "allowedUsers": [], "subjectAttributes": ["pulumi.user.login"]})
    assert "allowedUsers = []: " in failed.log[0][1]
    assert "`dangerouslyOmitCurrentEnvironment`" in failed.log[0][1]
    assert "_" not in failed.log[0][1]


def test_an_adopted_provider_without_the_audience_fails_the_construct(plugin):
    """Only the look-up shows it; the role is not sent."""
    inputs = {**ESC, "oidcProviderArn": PROVIDER_ARN}
    failed = plugin.construct("PulumiEscOidc", inputs, provider={"clientIdLists": ["aws:fabrikam"]})
    assert "aws iam add-client-id-to-open-id-connect-provider" in failed.log[0][1]
    assert failed.of("Role") == []


@pytest.mark.parametrize("organization", ["contoso", output("contoso")], ids=["plain", "output"])
def test_revision_zero_fails_the_construct(plugin, organization):
    """The check feeds an output; an apply that nothing awaits would silently pass."""
    failed = plugin.construct("PulumiEscOidc", {**ESC, "organization": organization}, revision=0)
    assert "Run `pulumi refresh`, then `pulumi up`" in failed.status.details()
    assert "Run `pulumi refresh`, then `pulumi up`" in failed.log[0][1]
