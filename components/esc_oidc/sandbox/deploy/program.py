"""Runs a Pulumi program under Pulumi's own mock runtime, with a monitor that deploys into the sandbox."""

import asyncio
import contextlib
import contextvars
import json
import logging
import os
import runpy
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pulumi
from botocore.exceptions import BotoCoreError, ClientError
from google.protobuf import json_format
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.stack import Stack, run_pulumi_func

from ..clients import CloudRefused
from .resources import Clouds
from .stack import ProgramStack

_PROVIDERS: Final = "pulumi:providers:"

_EXPECTED: Final = (BotoCoreError, ClientError, CloudRefused, LookupError)
"""What a cloud may answer to a resource or a function."""


class NotDeployed(Exception):  # noqa: N818 - a cloud's answer, not a mistake in the program
    """A cloud refused a resource or a function; the text says which and why."""


@dataclass(frozen=True)
class Created:
    """One resource by type token and name, and what became of it: empty for a component, which is only a group.

    What is echoed is of a kind that the sandbox does not know; it answered with the inputs.
    """

    type: str
    name: str
    became: str
    echoed: bool = False


@dataclass
class Deployment:
    """What a program deployed.

    Args:
        created: Its resources, in the order in which they were created.
        components: The outputs that each component registered, by type and name.
        outputs: What the program exported.
        messages: What was logged: severity and text.
    """

    created: list[Created] = field(default_factory=list)
    components: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    messages: list[tuple[str, str]] = field(default_factory=list)


def deploy(
    program: ProgramStack,
    clouds: Clouds,
    organization: str,
    progress: Callable[[Created], None] = lambda _: None,
    environment: Mapping[str, str] | None = None,
) -> Deployment:
    """Open the environments that a program's stack lists, run it, and create what it declares.

    `environment` are the program's variables, beside those that the stack's environments give; by default our own.

    Raises:
        NotDeployed: AWS or Pulumi Cloud refuses something.
        Exception: Whatever the program raises, such as InvalidInputs.
    """
    try:
        given = clouds.open(organization, program.environments)
    except _EXPECTED as error:
        raise NotDeployed(f"{program.project}: opening the stack's environments: {error}") from error
    config = {key if ":" in key else f"{program.project}:{key}": value for key, value in given[0].items()}
    config |= program.config  # what the stack itself says wins
    clouds.configure_default(config, given[1])
    deployment = Deployment()
    monitor = _Monitor(_Deploying(clouds, deployment, progress))

    async def main() -> None:
        # What a refusal leaves behind in other tasks is the same refusal; the first one is raised.
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        pulumi.runtime.reset_options()
        pulumi.runtime.set_mocks(
            monitor.mocks,
            project=program.project,
            stack=program.stack,
            preview=False,
            logger=_logger(deployment),
            monitor=monitor,
            organization=organization,
        )
        pulumi.runtime.set_all_config(config)
        await run_pulumi_func(run)
        stack = pulumi.runtime.get_root_resource()
        assert isinstance(stack, Stack)  # noqa: S101 - set_mocks made it
        deployment.outputs = await pulumi.Output.all(**stack.outputs).future() or {}

    def run() -> None:
        runpy.run_path(str(program.main), run_name="__main__")

    variables = {**(os.environ if environment is None else environment), **given[1]}
    with _at_home(program, variables):
        contextvars.copy_context().run(asyncio.run, main())
    return deployment


@contextlib.contextmanager
def _at_home(program: ProgramStack, variables: Mapping[str, str]) -> Iterator[None]:
    """Programs run in their own folder, import from it, and have no variables but these.

    What they print is not the command's output.
    """
    before, path, modules, environment = Path.cwd(), sys.path[:], set(sys.modules), dict(os.environ)
    os.chdir(program.directory)
    sys.path.insert(0, str(program.directory))
    os.environ.clear()
    try:
        os.environ.update(variables)
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.chdir(before)
        sys.path[:] = path
        os.environ.clear()
        os.environ.update(environment)
        # The next program may have modules of the same names. This Python's own may be somewhere below: they stay.
        for name in set(sys.modules) - modules:
            file = getattr(sys.modules[name], "__file__", None)
            at = [folder.joinpath(*name.split(".")) for folder in (program.directory, program.main)]
            if file in {path for each in at for path in (f"{each}.py", str(each / "__init__.py"))}:
                del sys.modules[name]


class _Deploying(Mocks):
    """Stands where the engine's providers are."""

    def __init__(self, clouds: Clouds, deployment: Deployment, progress: Callable[[Created], None]) -> None:
        self._clouds, self.deployment, self._progress = clouds, deployment, progress

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if args.typ.startswith(_PROVIDERS):
            self._clouds.configure(args.typ, args.name, _plain(_parsed(args.inputs)))
            return args.name, dict(args.inputs)
        if not args.custom:
            self._report(Created(args.typ, args.name, ""))
            return args.name, dict(args.inputs)
        try:
            made = self._clouds.create(args.typ, args.name, _plain(args.inputs), args.provider or "")
        except _EXPECTED as error:
            raise NotDeployed(f"{args.typ} {args.name!r}: {error}") from error
        if made is None:
            self._report(Created(args.typ, args.name, "echoed: the sandbox does not know this kind", echoed=True))
            return args.name, dict(args.inputs)
        identity, state, became = made
        self._report(Created(args.typ, args.name, became))
        return identity, state

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        try:
            return self._clouds.invoke(args.token, _plain(args.args), args.provider or ""), []
        except _EXPECTED as error:
            raise NotDeployed(f"{args.token}: {error}") from error

    def _report(self, created: Created) -> None:
        self.deployment.created.append(created)
        self._progress(created)


class _Monitor(MockMonitor):
    """The mock monitor, which also keeps what components register as outputs."""

    def __init__(self, mocks: _Deploying) -> None:
        super().__init__(mocks)
        self.deployment = mocks.deployment

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the engine's name
        *_, types, name = request.urn.split("::")
        kind = types.rpartition("$")[2]
        self.deployment.components[kind, name] = _plain(json_format.MessageToDict(request.outputs))
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call] # so it is upstream


def _parsed(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of a provider, which all but texts travel as JSON."""
    parsed = {}
    for key, value in inputs.items():
        try:
            parsed[key] = json.loads(value) if isinstance(value, str) else value
        except ValueError:
            parsed[key] = value
    return parsed


def _plain(value: Any) -> Any:
    """A value without the wrapping that marks secrets on their way through the engine."""
    if isinstance(value, Mapping):
        if value.get(pulumi.runtime.rpc._special_sig_key) == pulumi.runtime.rpc._special_secret_sig:  # noqa: SLF001 - the wire's own marks
            return _plain(value["value"])
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _logger(deployment: Deployment) -> logging.Logger:
    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            deployment.messages.append((record.levelname.lower(), record.getMessage()))

    logger = logging.Logger("esc-oidc sandbox", logging.INFO)  # noqa: LOG001 - it is one deployment's, not the process's
    logger.addHandler(Keeping())
    return logger
