"""The plugin as a process, started and called as Pulumi does: what every other Pulumi language goes through."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    errors_pb2,
    provider_pb2,
    provider_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
    status_pb2,
)

from esc_oidc import PulumiDeploymentsOidc, PulumiEscOidc
from tests.support.deploying import ACCOUNT, PROVIDER_ARN, Cloud, Deployed, Registration
from tests.test_schema import camel_case, hosted

COMPONENTS = Path(__file__).parents[1] / "components"
STACK = "urn:pulumi:test::esc-oidc::pulumi:pulumi:Stack::esc-oidc-test"
OTHER = "urn:pulumi:test::esc-oidc::aws:iam/policy:Policy::other"
ESC = {"organization": "contoso", "project": "aws", "environment": "dev"}
DEPLOYMENTS = {"organization": "contoso", "project": "shop", "stacks": ["dev"]}
MINIMAL = [("PulumiEscOidc", ESC), ("PulumiDeploymentsOidc", DEPLOYMENTS)]
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
BILLING = "arn:aws:iam::aws:policy/job-function/Billing"
SUBJECT = "pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name:aws/dev"
PATIENCE = 60
"""Seconds: the process imports the AWS package, and the machine may be busy."""


@dataclass
class Engine(engine_pb2_grpc.EngineServicer):
    """What the engine offers a plugin: somewhere to log to."""

    log: list[tuple[str, str, str]] = field(default_factory=list)

    def Log(self, request: Any, _context: Any) -> Any:  # noqa: N802 - the engine's name
        if request.severity != engine_pb2.DEBUG:
            self.log.append((engine_pb2.LogSeverity.Name(request.severity), request.message, request.urn))
        return empty_pb2.Empty()


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Keeps every request as it came, and answers as the engine does over AWS and Pulumi Cloud."""

    def __init__(self, cloud: Cloud, *, preview: bool) -> None:
        self.cloud, self.deployed, self.preview = cloud, cloud.deployed, preview

    def GetDeploymentInfo(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - the engine's name
        return resource_pb2.DeploymentInfo(supportedFeatures=resource_pb2.ResourceMonitorFeature.values())

    def RegisterResource(self, request: Any, _context: Any) -> Any:  # noqa: N802 - the engine's name
        inputs = json_format.MessageToDict(request.object)
        self.deployed.resources.append(Registration(request.type, request.name, inputs, request))
        chain = request.parent.split("::")[2] + "$" + request.type
        urn = f"urn:pulumi:test::esc-oidc::{chain}::{request.name}"
        if not request.custom:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        if self.preview:
            return resource_pb2.RegisterResourceResponse(urn=urn, object=request.object)
        made, state = self.cloud.new_resource(MockResourceArgs(request.type, request.name, inputs))
        return resource_pb2.RegisterResourceResponse(urn=urn, id=made, object=wire(state))

    def RegisterResourceOutputs(self, request: Any, _context: Any) -> Any:  # noqa: N802 - the engine's name
        self.deployed.outputs[request.urn.rpartition("::")[2]] = json_format.MessageToDict(request.outputs)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, _context: Any) -> Any:  # noqa: N802 - the engine's name
        arguments = json_format.MessageToDict(request.args)
        if request.tok == "pulumi:pulumi:getResource":
            # How the SDK makes a resource of the provider that it was handed.
            return resource_pb2.ResourceInvokeResponse(**{"return": wire({**arguments, "id": "id", "state": {}})})
        self.deployed.invokes.append(request)
        answer, _ = self.cloud.call(MockCallArgs(request.tok, arguments, request.provider))
        return resource_pb2.ResourceInvokeResponse(**{"return": wire(answer)})


@dataclass
class Constructed(Deployed):
    """What one Construct came to: its answer, or the status it failed with."""

    urn: str = ""
    state: dict[str, Any] = field(default_factory=dict)
    dependencies: dict[str, list[str]] = field(default_factory=dict)
    status: grpc.RpcError | None = None


@dataclass
class Plugin:
    """A running plugin."""

    process: subprocess.Popen[bytes]
    stub: provider_pb2_grpc.ResourceProviderStub
    engine: Engine
    rest: bytes = b""
    """What it wrote after its port, once it is stopped."""

    def construct(
        self,
        component: str,
        inputs: Mapping[str, Any],
        *,
        dependencies: Mapping[str, list[str]] | None = None,
        preview: bool = False,
        providers: Mapping[str, str] | None = None,
        provider: Mapping[str, Any] | None = None,
        revision: float | None = 1,
    ) -> Constructed:
        """Calls Construct once, with a monitor and a log of its own."""
        result = Constructed()
        self.engine.log = []
        cloud = Cloud(result, provider or {}, revision, account=ACCOUNT, partition="aws")
        with serving(resource_pb2_grpc.add_ResourceMonitorServicer_to_server, Monitor(cloud, preview=preview)) as port:
            request = provider_pb2.ConstructRequest(
                organization="contoso",
                project="esc-oidc",
                stack="test",
                parallel=1,
                monitorEndpoint=f"127.0.0.1:{port}",
                type=f"esc-oidc:index:{component}",
                name="esc",
                parent=STACK,
                inputs=wire(inputs),
                inputDependencies={
                    name: provider_pb2.ConstructRequest.PropertyDependencies(urns=urns)
                    for name, urns in (dependencies or {}).items()
                },
                providers=providers,
                dryRun=preview,
                accepts_output_values=True,
            )
            try:
                response = self.stub.Construct(request, timeout=PATIENCE)
            except grpc.RpcError as error:
                result.status = error
            else:
                result.urn, result.state = response.urn, json_format.MessageToDict(response.state)
                result.dependencies = {
                    name: [urn.rpartition("::")[2] for urn in sorted(depends.urns)]
                    for name, depends in response.stateDependencies.items()
                }
        result.log = self.engine.log
        return result


def wire(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """A mapping as gRPC carries it: every number is a float there."""
    return json_format.ParseDict(dict(values), struct_pb2.Struct())


def output(*value: Any, dependencies: tuple[str, ...] = (), secret: bool = False) -> dict[str, Any]:
    """An Output as engines send it to a plugin; unknown when it is given no value."""
    return {
        rpc._special_sig_key: rpc._special_output_value_sig,  # noqa: SLF001 - the protocol's constants are private
        **({"value": value[0]} if value else {}),
        **({"secret": True} if secret else {}),
        **({"dependencies": list(dependencies)} if dependencies else {}),
    }


def secret(value: Any) -> dict[str, Any]:
    """A secret as state and answers hold it."""
    return {rpc._special_sig_key: rpc._special_secret_sig, "value": value}  # noqa: SLF001 - as above


@contextmanager
def serving(add: Any, servicer: Any) -> Iterator[int]:
    """A gRPC server on a port that the system picks, with no thread left behind."""
    with ThreadPoolExecutor(4) as pool:
        server = grpc.server(pool)
        add(servicer, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield port
        finally:
            server.stop(grace=None).wait()


@contextmanager
def running() -> Iterator[Plugin]:
    """The plugin, started as Pulumi's language host starts it: the folder, the engine's address, flags."""
    engine = Engine()
    with serving(engine_pb2_grpc.add_EngineServicer_to_server, engine) as port:
        command = [sys.executable, str(COMPONENTS), f"127.0.0.1:{port}", "--logflow", "-v=3"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)  # noqa: S603 - our own plugin
        started = None
        try:
            own = int(process.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{own}") as channel:
                started = Plugin(process, provider_pb2_grpc.ResourceProviderStub(channel), engine)
                yield started
        finally:
            process.terminate()
            rest, _ = process.communicate(timeout=PATIENCE)
            if started:
                started.rest = rest


@pytest.fixture(scope="module")
def plugin():
    with running() as started:
        yield started


def missing(failed: Constructed) -> list[tuple[str, str]]:
    """The inputs and reasons in a status, where the engine looks for them."""
    details = dict(failed.status.trailing_metadata())["grpc-status-details-bin"]
    errors = errors_pb2.InputPropertiesError()
    status_pb2.Status.FromString(details).details[0].Unpack(errors)
    return [(error.property_path, error.reason) for error in errors.errors]


def values_of(schema: Any, key: str) -> Iterator[Any]:
    """Whatever stands under this key, at any depth."""
    if isinstance(schema, dict):
        yield from (value for name, value in schema.items() if name == key)
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from values_of(inner, key)


def test_the_schema_over_grpc_is_the_one_in_process(plugin):
    """What `pulumi package add` reads is what tests/schema.json holds, with both components in it."""
    schema = plugin.stub.GetSchema(provider_pb2.GetSchemaRequest()).schema
    assert schema == ComponentProvider(**hosted()).schema
    assert set(json.loads(schema)["resources"]) == {f"esc-oidc:index:{component}" for component, _ in MINIMAL}


def test_no_number_is_in_the_schema(plugin):
    """The host hands numbers over as floats and breaks on those that are Outputs: durations are strings."""
    schema = json.loads(plugin.stub.GetSchema(provider_pb2.GetSchemaRequest()).schema)
    types = [value for value in values_of(schema["resources"], "type") if isinstance(value, str)]
    assert set(types) == {"string", "boolean", "array", "object"}


@pytest.mark.parametrize(("component", "inputs"), MINIMAL, ids=[component for component, _ in MINIMAL])
def test_the_required_inputs_are_enough(plugin, component, inputs):
    """Each component is constructed, its children stand under it, and every output has a value."""
    made = plugin.construct(component, inputs)
    outputs = {"PulumiEscOidc": PulumiEscOidc, "PulumiDeploymentsOidc": PulumiDeploymentsOidc}[component]
    assert made.status is None
    assert made.urn == f"urn:pulumi:test::esc-oidc::pulumi:pulumi:Stack$esc-oidc:index:{component}::esc"
    assert made.resources[0].request.parent == STACK
    assert {child.request.parent for child in made.resources[1:]} == {made.urn}
    assert set(made.state) == {camel_case(name) for name in outputs.__annotations__}
    assert rpc.UNKNOWN not in made.state.values()
    assert made.log == []


def test_the_outputs_are_those_of_the_children(plugin):
    """What another language reads is what AWS and Pulumi Cloud were sent."""
    made = plugin.construct("PulumiEscOidc", ESC)
    role = f"arn:aws:iam::{ACCOUNT}:role/esc-role-1234567"
    assert [resource.name for resource in made.resources] == ["esc", "esc-provider", "esc-role", "esc-environment"]
    assert made.state["subjects"] == [SUBJECT]
    assert made.state["audience"] == "aws:contoso"
    assert made.state["oidcProviderArn"] == PROVIDER_ARN
    assert made.state["roleArn"] == role
    assert made.state["trustPolicy"] == made.one("Role").inputs["assumeRolePolicy"]
    assert made.state["environmentDefinition"] == made.one("Environment").inputs["yaml"]["text"]
    login = yaml.safe_load(made.state["environmentDefinition"])["values"]["aws"]["login"]["fn::open::aws-login"]
    assert login["oidc"]["roleArn"] == role


def test_the_operation_context_keeps_the_names_of_the_wire(plugin):
    """The one nested output arrives as `pulumiservice.DeploymentSettings` takes it."""
    context = plugin.construct("PulumiDeploymentsOidc", DEPLOYMENTS).state["operationContext"]
    assert context["oidc"]["aws"] == {
        "roleARN": f"arn:aws:iam::{ACCOUNT}:role/esc-role-1234567",
        "duration": "1h",
        "sessionName": "pulumi-deploy",
    }


@pytest.mark.parametrize(
    ("component", "inputs", "name"),
    [(component, inputs, name) for component, inputs in MINIMAL for name in inputs if name != "stacks"],
)
def test_a_missing_input_is_named(plugin, component, inputs, name):
    """The host refuses before our code runs, and says which input of which component."""
    failed = plugin.construct(component, {key: value for key, value in inputs.items() if key != name})
    assert failed.status.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert missing(failed) == [(name, f"Missing required input '{name}' on '{component}'")]
    assert failed.resources == []


def test_missing_stacks_are_named(plugin):
    """`stacks` is ours to ask for, since one input may stand in its place."""
    failed = plugin.construct("PulumiDeploymentsOidc", {key: DEPLOYMENTS[key] for key in ("organization", "project")})
    assert "\n  - stacks" in failed.status.details()
    assert failed.resources == []


def test_a_null_is_a_missing_input(plugin):
    """Pulumi drops the nulls of other languages: for an input that narrows, that means everyone."""
    nulled, left_out = (
        plugin.construct("PulumiEscOidc", {**ESC, "allowedUsers": None}),
        plugin.construct("PulumiEscOidc", ESC),
    )
    assert nulled.status is None
    assert nulled.state["subjects"] == left_out.state["subjects"]


def test_an_unknown_name_is_dropped_by_the_host(plugin):
    """It never reaches our check of names: a typed SDK or the YAML checker has to find it, or nobody does."""
    misspelled = plugin.construct("PulumiEscOidc", {**ESC, "alowedUsers": ["alice"]})
    assert misspelled.status is None
    assert misspelled.state["subjects"] == [SUBJECT]


@pytest.mark.parametrize("given", ["output", "state", "item"])
def test_a_secret_input_makes_secret_outputs(plugin, given):
    """In whatever form the engine hands a secret over, what derives from it is secret in children and outputs."""
    users = {"output": output(["alice"], secret=True), "state": secret(["alice"]), "item": [secret("alice")]}[given]
    made = plugin.construct("PulumiEscOidc", {**ESC, "allowedUsers": users})
    assert made.status is None
    assert made.state["subjects"] == secret([f"{SUBJECT}:pulumi.user.login:alice"])
    assert made.one("Role").inputs["assumeRolePolicy"] == made.state["trustPolicy"]
    assert set(made.state["trustPolicy"]) == set(secret(""))
    assert set(made.outputs["esc"]["subjects"]) == set(secret(""))


def test_a_secret_that_is_refused_is_not_shown(plugin):
    """Neither the log nor the status has the value."""
    failed = plugin.construct("PulumiEscOidc", {**ESC, "allowedUsers": output(["hunter 2"], secret=True)})
    assert "allowed_users" in failed.status.details()
    assert "hunter" not in failed.status.details() + str(failed.log)


@pytest.mark.parametrize("value", [output(BOUNDARY, dependencies=(OTHER,)), BOUNDARY], ids=["output", "value"])
def test_dependencies_propagate(plugin, value):
    """What an input depends on, the role, the environment and the outputs made from it depend on."""
    made = plugin.construct(
        "PulumiEscOidc",
        {**ESC, "permissionsBoundaryArn": value},
        dependencies={"permissionsBoundaryArn": [OTHER]},
    )
    assert made.status is None
    assert made.one("Role").inputs["permissionsBoundary"] == BOUNDARY
    assert OTHER in made.one("Role").request.propertyDependencies["permissionsBoundary"].urns
    assert all(OTHER in child.request.dependencies for child in made.resources[1:])
    assert made.dependencies["trustPolicy"] == ["other", "esc-provider"]
    assert made.dependencies["environmentRef"] == ["other", "esc-environment"]


def test_nothing_depends_on_more_than_it_takes(plugin):
    """Without Outputs among the inputs each output depends on the child that it comes from."""
    assert plugin.construct("PulumiEscOidc", ESC).dependencies == {
        "audience": [],
        "subjects": [],
        "oidcProviderArn": ["esc-provider"],
        "trustPolicy": ["esc-provider"],
        "roleArn": ["esc-role"],
        "roleName": ["esc-role"],
        "environmentDefinition": ["esc-role"],
        "environmentRef": ["esc-environment"],
        "openCommand": ["esc-environment"],
    }


@pytest.mark.parametrize("value", [output(dependencies=(OTHER,)), rpc.UNKNOWN], ids=["output", "value"])
def test_an_unknown_input_in_a_preview_is_not_judged(plugin, value):
    """What another resource computes is unknown before the first deployment, and so is what comes of it."""
    made = plugin.construct(
        "PulumiEscOidc",
        {**ESC, "permissionsBoundaryArn": value},
        dependencies={"permissionsBoundaryArn": [OTHER]},
        preview=True,
    )
    assert made.status is None
    assert made.one("Role").inputs["permissionsBoundary"] == rpc.UNKNOWN
    assert made.state["trustPolicy"] == rpc.UNKNOWN
    assert "other" in made.dependencies["trustPolicy"]


def test_a_preview_knows_what_needs_no_cloud(plugin):
    """From plain inputs the subjects and the audience are known before anything exists."""
    made = plugin.construct("PulumiEscOidc", ESC, preview=True)
    assert made.status is None
    assert {name: value for name, value in made.state.items() if value != rpc.UNKNOWN} == {
        "audience": "aws:contoso",
        "subjects": [SUBJECT],
    }


def test_items_of_a_list_may_be_outputs(plugin):
    """An ARN of another resource stands beside a plain one; each is attached under a name that is plain."""
    made = plugin.construct(
        "PulumiEscOidc",
        {**ESC, "policyArns": [output(BOUNDARY, dependencies=(OTHER,)), BILLING]},
        dependencies={"policyArns": [OTHER]},
    )
    assert made.status is None
    assert {attached.name: attached.inputs["policyArn"] for attached in made.of("RolePolicyAttachment")} == {
        "esc-policy-0": BOUNDARY,
        "esc-policy-Billing-8754f47b": BILLING,
    }


def test_an_unknown_item_of_a_list_is_attached_in_a_preview(plugin):
    """How many attachments there are, and how they are named, does not hang on what is unknown yet."""
    made = plugin.construct(
        "PulumiEscOidc",
        {**ESC, "policyArns": [output(dependencies=(OTHER,)), BILLING]},
        dependencies={"policyArns": [OTHER]},
        preview=True,
    )
    assert {attached.name: attached.inputs["policyArn"] for attached in made.of("RolePolicyAttachment")} == {
        "esc-policy-0": rpc.UNKNOWN,
        "esc-policy-Billing-8754f47b": rpc.UNKNOWN,
    }


def test_a_list_that_makes_resources_is_no_output_as_a_whole(plugin):
    """A language that joins a list's items into one Output is told that the items may be Outputs, the list not."""
    whole = output([BILLING], dependencies=(OTHER,))
    failed = plugin.construct("PulumiEscOidc", {**ESC, "policyArns": whole}, dependencies={"policyArns": [OTHER]})
    assert "its items may be Outputs; the list itself may not" in failed.status.details()
    assert failed.resources == []


def test_refused_values_are_logged_before_the_traceback(plugin):
    """The engine gets the clean text as an error first; the host's own message, with a traceback, has it as well."""
    failed = plugin.construct("PulumiEscOidc", {**ESC, "organization": "a b", "project": "Default"})
    ((severity, text, _),) = failed.log
    assert severity == "ERROR"
    assert text.startswith("PulumiEscOidc 'esc': 2 invalid inputs\n  - organization = 'a b': ")
    assert text.count("\n") == 2
    assert failed.status.details().startswith(f"Unexpected <class 'Exception'>: {text}:\n  File ")
    assert failed.resources == []


def test_refused_outputs_are_logged_without_a_traceback(plugin):
    """Refused in the apply, nothing but the component itself was registered, and the status is the clean text."""
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
    """YAML programs may pass anything; a number arrives as a float and is refused as one."""
    failed = plugin.construct("PulumiEscOidc", {**ESC, name: value})
    assert rule in failed.log[0][1]
    assert failed.resources == []


def test_warnings_stand_under_the_component(plugin):
    """A warning reaches the engine with the component's URN, once."""
    made = plugin.construct("PulumiEscOidc", {**ESC, "maxSessionDuration": "6h"})
    ((severity, text, urn),) = made.log
    assert (severity, urn) == ("WARNING", made.urn)
    assert text.startswith("max_session_duration: ")


def test_providers_reach_the_children_and_the_look_up(plugin):
    """The AWS provider that the caller gave makes the role and answers for the adopted provider."""
    reference = "urn:pulumi:test::esc-oidc::pulumi:providers:aws::mine::id"
    made = plugin.construct(
        "PulumiEscOidc",
        {**ESC, "oidcProviderArn": PROVIDER_ARN},
        providers={"aws": reference},
        provider={"clientIdLists": ["aws:contoso"]},
    )
    assert made.status is None
    assert made.state["oidcProviderArn"] == PROVIDER_ARN
    assert made.one("Role").request.provider == reference
    assert [invoke.provider for invoke in made.invokes] == [reference]


def test_an_adopted_provider_without_the_audience_fails_the_construct(plugin):
    """What only the look-up shows is refused through the plugin as well, before the role."""
    inputs = {**ESC, "oidcProviderArn": PROVIDER_ARN}
    failed = plugin.construct("PulumiEscOidc", inputs, provider={"clientIdLists": ["aws:fabrikam"]})
    assert "aws iam add-client-id-to-open-id-connect-provider" in failed.log[0][1]
    assert failed.of("Role") == []


@pytest.mark.parametrize("organization", ["contoso", output("contoso")], ids=["plain", "output"])
def test_revision_zero_fails_the_construct(plugin, organization):
    """The check feeds an output: an apply that nothing awaits would pass silently here."""
    failed = plugin.construct("PulumiEscOidc", {**ESC, "organization": organization}, revision=0)
    assert "Run `pulumi refresh`, then `pulumi up`" in failed.status.details()
    assert "Run `pulumi refresh`, then `pulumi up`" in failed.log[0][1]


def test_a_refusal_leaves_nothing_behind(plugin):
    """The engine keeps one process for all components of a program: the next Construct knows nothing of the last."""
    plugin.construct("PulumiEscOidc", {**ESC, "organization": output("a b")})
    made = plugin.construct("PulumiEscOidc", ESC)
    assert made.status is None
    assert made.log == []


def test_constructs_at_the_same_time_do_not_mix(plugin):
    """The engine constructs components in parallel: each registers with its own monitor, in its own kind of run."""
    names = [f"env{number}" for number in range(8)]
    with ThreadPoolExecutor(len(names)) as pool:
        tasks = [
            pool.submit(plugin.construct, "PulumiEscOidc", {**ESC, "environment": name}, preview=number % 2 == 0)
            for number, name in enumerate(names)
        ]
        made = [task.result() for task in tasks]
    for number, (name, one) in enumerate(zip(names, made, strict=True)):
        assert one.state["subjects"] == [f"{SUBJECT.removesuffix('dev')}{name}"]
        assert [len(one.resources), one.one("Environment").inputs["name"]] == [4, name]
        assert (one.state["roleArn"] == rpc.UNKNOWN) is (number % 2 == 0)


def test_the_plugin_says_one_line_and_stops_when_told():
    """The host reads the port from the first line; afterwards no process and no thread of the test is left."""
    before = set(threading.enumerate())
    with running() as started:
        assert started.stub.GetPluginInfo(empty_pb2.Empty()).version == "0.0.0"
        assert started.process.poll() is None
    assert started.process.returncode is not None
    assert set(threading.enumerate()) <= before
    assert started.rest == b""
