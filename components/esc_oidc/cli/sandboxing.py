"""`esc-oidc sandbox`: runs a command, such as `pulumi up`, with the sandbox in place of AWS and Pulumi Cloud."""

import os
import re
import shlex
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue
from types import FrameType
from typing import Any, Final, NamedTuple, Self

import typer

from .. import inputs
from ..claims import ISSUER, PERSON
from ..sandbox import (
    Caller,
    CloudRefused,
    NotRunningError,
    RunningSandbox,
    Sandbox,
    SeedError,
    StateError,
    Surroundings,
    surroundings,
)
from ..tokens import Opener
from .output import Format, fail, print_json

_SIGNALS: Final = ("SIGINT", "SIGTERM", "SIGHUP")
"""What ends a command. Windows has no SIGHUP."""

ORGANIZATION: Final = "contoso"
"""What everybody is a member of by default, and what pulumi.get_organization() answers then."""

# As shells answer.
_NOT_FOUND, _NOT_EXECUTABLE, _SIGNALLED = 127, 126, 128


class New(NamedTuple):
    """How a new sandbox begins; what is None isn't said. Each is an option of the command.

    Attributes:
        seed: What exists before.
        state: The folder in which it keeps what it has.
        issuer: The `iss` of the tokens.
    """

    seed: Path | None
    state: Path | None
    issuer: str | None


def run_sandbox(command: Sequence[str], who: str, organizations: Sequence[str], new: New, output: Format) -> int:
    """Run a command in a new sandbox, or in the one that is around us. Gives the exit status.

    Args:
        command: The command and its arguments; nothing to print its variables instead, and in a new sandbox to wait.
        who: Whose access token of Pulumi Cloud the command has: a login, `team:TEAM` or `organization`.
        organizations: Those of the access token, the default one first; nothing for `contoso`, or all of whoever has
            the variables around us.
        new: How the sandbox begins, if it is a new one.
        output: How the variables are printed.
    """
    if command and output is not Format.TEXT:
        fail("--format is about the variables that are printed without a COMMAND; what COMMAND prints is its own.")
    around = _around(new)
    caller = caller_of(who, organizations or (around.organizations if around else [ORGANIZATION]))
    with Signals() as signals, ExitStack() as running:
        sandbox = around or running.enter_context(_started(new))
        try:
            token = sandbox.access_token(caller.opener, caller.organizations)
        except CloudRefused as error:
            fail(f"--as {who!r}: the sandbox refuses: {error}.")
        if around and not command:
            _print(around.surroundings(token, os.environ), output)
            return 0
        ours = running.enter_context(surroundings(sandbox, token, os.environ))
        if command:
            return _run(command, ours.around(os.environ), signals)
        _print(ours, output)
        typer.echo("esc-oidc: the sandbox is running. Press Ctrl-C to stop it.", err=True)
        signals.wait()
        return 0


def _around(new: New) -> RunningSandbox | None:
    """The sandbox in which we run ourselves, if we do."""
    try:
        around = RunningSandbox.around(os.environ)
    except NotRunningError as error:
        fail(str(error))
    for option, given in new._asdict().items():
        if around and given is not None:
            fail(f"--{option} is for a new sandbox, but one is running at {around.cloud_url}, which COMMAND would use.")
    return around


@contextmanager
def _started(new: New) -> Iterator[Sandbox]:
    issuer = ISSUER if new.issuer is None else new.issuer
    _check("issuer", issuer, inputs.issuer)
    with ExitStack() as running:
        try:
            sandbox = running.enter_context(Sandbox(issuer_url=issuer, state=new.state))
            if new.seed:
                sandbox.sow(new.seed)
        except (SeedError, StateError) as error:
            fail(str(error))
        yield sandbox


def caller_of(who: str, organizations: Sequence[str]) -> Caller:
    """A person who is a member of these organizations, or the token of the first one or of a team in it."""
    for organization in organizations:
        _check("organization", organization, inputs.organization)
    team = who.removeprefix("team:")
    if not re.fullmatch(PERSON, team, re.ASCII):
        fail(f"--as {who!r}: write a person's login, team:TEAM for a team's token, or organization for its token.")
    default = organizations[0]
    if team != who:
        return Caller(Opener(default, "team", team), (default,))
    if who == "organization":
        return Caller(Opener(default, "organization"), (default,))
    return Caller(Opener(who), tuple(organizations))


def _check(option: str, value: str, check: Callable[[str], inputs.Problem | None]) -> None:
    if problem := check(value):
        fail(f"--{option} {value!r}: {problem.rule} {problem.fix}")


def _run(command: Sequence[str], environment: Mapping[str, str], signals: "Signals") -> int:
    try:
        return signals.run(command, environment)
    except FileNotFoundError:
        typer.echo(f"esc-oidc: {command[0]}: command not found.", err=True)
        return _NOT_FOUND
    except OSError as error:
        typer.echo(f"esc-oidc: {command[0]}: {error.strerror}.", err=True)
        return _NOT_EXECUTABLE


def _print(around: Surroundings, output: Format) -> None:
    if output is Format.JSON:
        print_json({"set": dict(around.variables), "unset": list(around.unset)})
        return
    typer.echo(f"unset {' '.join(around.unset)}")
    for name, value in around.variables.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


class Signals:
    """A context manager in which no signal ends this process before it has cleaned up.

    Signals go to the command while it runs. What was ignored before, as by nohup, stays ignored.
    """

    def __init__(self) -> None:
        # The one queue into which a signal handler may put something while the same thread waits for it.
        self._arrived: SimpleQueue[int] = SimpleQueue()
        self._process: subprocess.Popen[bytes] | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in (getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)):
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def wait(self) -> int:
        """Wait for a signal."""
        return self._arrived.get()

    def run(self, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """Run a command to its end, unless a signal has come already. Gives the exit status, as a shell has it."""
        if not self._arrived.empty():
            return _SIGNALLED + self._arrived.get()
        self._process = subprocess.Popen(command, env=environment)  # noqa: S603 - it is what the user asks for
        self._pass_on()  # what came while it was being started
        status = self._process.wait()
        return status if status >= 0 else _SIGNALLED - status

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        # A command that gets two interrupts for one Ctrl-C gives up at once: `pulumi` would leave a broken state.
        if self._process and number == signal.SIGINT and _terminal_interrupts_all():
            return
        self._arrived.put(number)
        self._pass_on()

    def _pass_on(self) -> None:
        while self._process and not self._arrived.empty():
            self._process.send_signal(self._arrived.get())


def _terminal_interrupts_all() -> bool:
    """Whether Ctrl-C reaches the command without us: in the foreground of a terminal it goes to all processes."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
