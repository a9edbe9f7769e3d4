"""The plugin as a process, started and called as Pulumi does."""

import runpy
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pulumi.provider.experimental
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    provider_pb2,
    provider_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)

from tests.support.deploying import ACCOUNT, Cloud, Deployed, Registration

COMPONENTS = Path(__file__).parents[2] / "components"
STACK = "urn:pulumi:test::esc-oidc::pulumi:pulumi:Stack::esc-oidc-test"
OTHER = "urn:pulumi:test::esc-oidc::aws:iam/policy:Policy::other"
ESC = {"organization": "contoso", "project": "aws", "environment": "dev"}
DEPLOYMENTS = {"organization": "contoso", "project": "shop", "stacks": ["dev"]}
MINIMAL = [("PulumiEscOidc", ESC), ("PulumiDeploymentsOidc", DEPLOYMENTS)]
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
SUBJECT = "pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name:aws/dev"
PATIENCE = 300
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

    def RegisterErrorHook(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - the engine's name
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
    """An Output as engines send it to a plugin; without a value it is unknown."""
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
    """A gRPC server on a free port, which leaves no thread behind."""
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


def hosted() -> dict[str, Any]:
    """What components/__main__.py gives to the plugin host."""
    given: dict[str, Any] = {}
    host = pulumi.provider.experimental.component_provider_host
    pulumi.provider.experimental.component_provider_host = lambda **arguments: given.update(arguments)
    try:
        runpy.run_path(str(COMPONENTS / "__main__.py"), run_name="__main__")
    finally:
        pulumi.provider.experimental.component_provider_host = host
    return given
