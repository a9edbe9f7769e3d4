"""Deploys a program under Pulumi's mock runtime and shows what it asked the engine for."""

import asyncio
import contextvars
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from google.protobuf import json_format
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.stack import run_pulumi_func

ACCOUNT = "123456789012"
PROVIDER_ARN = f"arn:aws:iam::{ACCOUNT}:oidc-provider/api.pulumi.com/oidc"


@dataclass
class Registration:
    """One resource as the program registered it."""

    type: str
    name: str
    inputs: dict[str, Any]
    request: Any

    @property
    def parent(self) -> str:
        return self.request.parent.rpartition("::")[2]


@dataclass
class Deployed:
    """What a program asked for, what was logged, and its outputs."""

    resources: list[Registration] = field(default_factory=list)
    calls: list[MockCallArgs] = field(default_factory=list)
    invokes: list[Any] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    log: list[tuple[str, str]] = field(default_factory=list)
    exports: dict[str, Any] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    error: BaseException | None = None

    def of(self, kind: str) -> list[Registration]:
        """The resources whose type ends like this, sorted by name, since their order of registration varies."""
        found = [resource for resource in self.resources if resource.type.endswith(f":{kind}")]
        return sorted(found, key=lambda resource: resource.name)

    def one(self, kind: str) -> Registration:
        """The one resource of this kind."""
        (found,) = self.of(kind)
        return found

    @property
    def warnings(self) -> list[str]:
        return [text for severity, text in self.log if severity == "warning"]


class Cloud(Mocks):
    """Answers like AWS and Pulumi Cloud, as far as the component looks."""

    def __init__(
        self, deployed: Deployed, provider: Mapping[str, Any], revision: float | None, *, account: str, partition: str
    ) -> None:
        self.deployed, self.provider, self.revision = deployed, provider, revision
        self.sparse = False
        self.iam = f"arn:{partition}:iam::{account}"

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[Any]]:
        self.deployed.calls.append(args)
        return dict(self.provider), []

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        state = dict(args.inputs)
        if self.sparse:
            return f"{args.name}_id", state
        if args.typ == "aws:iam/openIdConnectProvider:OpenIdConnectProvider":
            state["arn"] = f"{self.iam}:oidc-provider/{state['url'].removeprefix('https://')}"
        elif args.typ == "aws:iam/role:Role":
            state.setdefault("name", f"{args.name}-1234567")
            state["arn"] = f"{self.iam}:role{state.get('path', '/')}{state['name']}"
        elif args.typ == "aws:iam/policy:Policy":
            state["arn"] = f"{self.iam}:policy/{args.name}-1234567"
        elif args.typ == "pulumiservice:index:Environment" and self.revision is not None:
            state["revision"] = self.revision
        return f"{args.name}-id", state


class Monitor(MockMonitor):
    """Keeps every request as it came."""

    def __init__(self, mocks: Cloud, *, preview: bool) -> None:
        super().__init__(mocks)
        self.deployed, self.preview = mocks.deployed, preview

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the engine's name
        inputs = json_format.MessageToDict(request.object)
        if request.type != "pulumi:pulumi:Stack":
            self.deployed.resources.append(Registration(request.type, request.name, inputs, request))
        if self.preview and request.custom and not request.type.startswith("pulumi:providers:"):
            # In a preview the engine answers with the inputs alone: what the cloud computes is unknown.
            urn = self.make_urn(request.parent, request.type, request.name)
            return resource_pb2.RegisterResourceResponse(urn=urn, object=request.object)
        return super().RegisterResource(request)

    def Invoke(self, request: Any) -> Any:  # noqa: N802 - the engine's name
        self.deployed.invokes.append(request)
        return super().Invoke(request)

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the engine's name
        self.deployed.outputs[request.urn.rpartition("::")[2]] = json_format.MessageToDict(request.outputs)
        return super().RegisterResourceOutputs(request)


class Logger:
    """Stands where the mock engine logs."""

    def __init__(self, deployed: Deployed) -> None:
        self.deployed = deployed

    def __getattr__(self, severity: str) -> Callable[[str], None]:
        return lambda text: severity != "debug" and self.deployed.log.append((severity, text))


def deploy(
    program: Callable[[], Mapping[str, Any] | None],
    *,
    preview: bool = False,
    provider: Mapping[str, Any] | None = None,
    revision: float | None = None,
    account: str = ACCOUNT,
    partition: str = "aws",
    config: Mapping[str, str] | None = None,
    secrets: Collection[str] = (),
    organization: str | None = None,
    sparse: bool = False,
) -> Deployed:
    """Runs the program once, in its own runtime; what it returns is resolved into `exports`."""
    # What a refusal leaves behind when its loop closes says nothing that the test does not see.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    deployed = Deployed()
    monitor = Monitor(Cloud(deployed, provider or {}, revision, account=account, partition=partition), preview=preview)
    monitor.mocks.sparse = sparse

    def run() -> None:
        async def main() -> None:
            pulumi.runtime.reset_options()
            pulumi.runtime.set_mocks(
                monitor.mocks,
                project="esc-oidc",
                stack="test",
                preview=preview,
                logger=Logger(deployed),
                monitor=monitor,
                organization=organization,
            )
            pulumi.runtime.set_all_config(
                {f"esc-oidc:{key}": value for key, value in (config or {}).items()},
                [f"esc-oidc:{key}" for key in secrets],
            )
            await run_pulumi_func(lambda: resolve(program()))

        asyncio.run(main())

    def resolve(result: Mapping[str, Any] | None) -> None:
        for key, value in (result or {}).items():
            output = pulumi.Output.from_input(value)
            pulumi.Output.all(value=output, secret=output.is_secret()).apply(
                lambda both, key=key: (
                    deployed.exports.__setitem__(key, both["value"]),
                    both["secret"] and deployed.secrets.add(key),
                )
            )

    try:
        contextvars.copy_context().run(run)
    except Exception as error:  # noqa: BLE001 - the test looks at it
        deployed.error = error
    return deployed
