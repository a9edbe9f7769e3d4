"""`esc-oidc try`: deploys a program to the sandbox, and tries who gets in."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final

import pulumi
import typer

from .. import InvalidInputs
from ..sandbox import SEED_FILE, Caller, Sandbox, SeedError, surroundings
from ..sandbox.attempts import Attempt, Declared, deployment_attempts, environment_attempts
from ..sandbox.deploy import Clouds, Created, Deployment, NotDeployed, ProgramStack, StackError, deploy, load_stack
from .output import Style, console, fail, print_json
from .sandboxing import ORGANIZATION, caller_of
from .verdicts import Verdicts

_ATTEMPTS: Final = {
    "esc-oidc:index:PulumiEscOidc": environment_attempts,
    "esc-oidc:index:PulumiDeploymentsOidc": deployment_attempts,
}


def try_programs(  # noqa: PLR0913, PLR0917 - as the command has options
    directories: Sequence[Path],
    stack: str | None,
    overrides: Mapping[str, str],
    seed: Path | None,
    who: str,
    style: Style,
) -> int:
    """Deploy, try everyone, print. Gives the exit status: 1 if anybody was let in or shut out wrongly."""
    started = time.monotonic()
    caller = caller_of(who, [ORGANIZATION])
    try:
        programs = [load_stack(directory.resolve(), stack, overrides) for directory in directories]
    except StackError as error:
        fail(str(error))
    report = _Report(style)
    with Sandbox() as sandbox:
        found = (program.directory / SEED_FILE for program in programs)
        _sow(sandbox, [seed] if seed else [file for file in found if file.exists()])
        deployments, declared = [], []
        for program in programs:
            report.begin(program, caller, first=program is programs[0])
            deployments.append(_deploy(sandbox, program, caller, report))
            declared += _declared(deployments[-1])
            if declared:
                # Whoever opens what one program made for the next has a token that this one trusts.
                sandbox.issuer_url = declared[-1].issuer
        if not declared:
            fail(f"{programs[-1].directory}: the program declares no component of esc-oidc: there is nobody to try.")
        tried = []
        for component in declared:
            report.component(component)
            sandbox.issuer_url = component.issuer
            for attempt in _ATTEMPTS[component.kind](sandbox, component):
                report.attempt(attempt)
                tried.append(attempt)
    report.end(deployments, tried, time.monotonic() - started)
    return 0 if all(attempt.as_expected for attempt in tried) else 1


def _sow(sandbox: Sandbox, seeds: Sequence[Path]) -> None:
    try:
        for seed in seeds:
            sandbox.sow(seed)
    except SeedError as error:
        fail(str(error))


def _deploy(sandbox: Sandbox, program: ProgramStack, caller: Caller, report: "_Report") -> Deployment:
    def token(organization: str) -> str:
        return sandbox.access_token(caller.opener.of(organization), [organization])

    try:
        with surroundings(sandbox, token(ORGANIZATION), os.environ) as around:
            clouds = Clouds(sandbox.aws_url, sandbox.cloud_url, token)
            deployment = deploy(program, clouds, ORGANIZATION, report.created, around.around(os.environ))
    except (InvalidInputs, NotDeployed) as error:
        report.refused(str(error))
        raise typer.Exit(1) from error
    except pulumi.RunError as error:
        # The configuration has another type than the program reads, or the program gave up.
        fail(str(error))
    report.deployed(deployment)
    return deployment


def _declared(deployment: Deployment) -> list[Declared]:
    return [
        Declared(made.type, made.name, deployment.components[made.type, made.name])
        for made in deployment.created
        if made.type in _ATTEMPTS
    ]


class _Report:
    """Prints as it goes; JSON comes at the end, whole. A quiet one prints only what did not go as declared."""

    def __init__(self, style: Style) -> None:
        self._style, self._out = style, console()
        self._verdicts = Verdicts(self._out, style.verbose)
        self._one_at_a_time = Lock()

    def begin(self, program: ProgramStack, caller: Caller, *, first: bool) -> None:
        if not first:
            self._line("")
        self._line(f"Deploying {program.project}, stack {program.stack}, to a sandbox on this machine")
        if first:
            self._line("It only creates: no state, no diff. AWS is moto; Pulumi Cloud is a stand-in.")
        if program.environments:
            self._line(f"{caller.opener} opens what the stack lists: {', '.join(program.environments)}")

    def created(self, created: Created) -> None:
        with self._one_at_a_time:  # resources are created by several threads
            self._line(f"  + {created.type}  {created.name}", "bold" if not created.became else "")
            if created.became:
                self._line(f"      {created.became}", "yellow" if created.echoed else "dim")

    def deployed(self, deployment: Deployment) -> None:
        if not _declared(deployment):
            for name, value in deployment.outputs.items():
                self._line(f"  = {name}  {value}")

    def refused(self, message: str) -> None:
        if self._style.is_text:
            self._out.print(message, style="red")
        else:
            print_json({"version": 1, "ok": False, "error": message})

    def component(self, declared: Declared) -> None:
        self._line("")
        self._line(f"Who gets in to {declared.role_arn}", "bold")

    def attempt(self, attempt: Attempt) -> None:
        if not self._style.is_text or (self._style.quiet and attempt.as_expected):
            return
        outcome = attempt.outcome
        verdict = "admitted" if outcome.admitted else "refused"
        why = None if outcome.admitted else outcome.decision or (outcome.error, outcome.reason)
        colour = "green" if attempt.as_expected else "bold red"
        self._verdicts.show(verdict, attempt.who, why, attempt.remark, colour)
        if outcome.identity:
            until = f", until {outcome.until:%H:%M:%S} UTC" if outcome.until else ""
            shown = outcome.identity if self._style.verbose else outcome.identity.rpartition(":")[2]
            self._verdicts.say(f"as {shown}{until}", "dim")
        if not attempt.as_expected:
            wanted = "admitted" if attempt.expected else "refused"
            self._verdicts.say(f"WRONG: the component declares that this is {wanted}.", "bold red")

    def end(self, deployments: Sequence[Deployment], tried: list[Attempt], seconds: float) -> None:
        if not self._style.is_text:
            print_json(_as_json(deployments, tried))
            return
        for severity, message in _messages(deployments):
            self._line(f"{severity}: {message}", "yellow")
        self._line("")
        if wrong := [attempt for attempt in tried if not attempt.as_expected]:
            self._out.print(f"{len(wrong)} of {len(tried)} attempts did not go as declared.", style="bold red")
        else:
            attempts = f"{len(tried)} attempts, {seconds:.1f} s."
            self._line(f"Everyone declared was admitted, and nobody else: {attempts}", "bold green")

    def _line(self, text: str, style: str = "") -> None:
        if self._style.is_text and not self._style.quiet:
            self._verdicts.line(text, style)


def _messages(deployments: Sequence[Deployment]) -> list[tuple[str, str]]:
    return [message for deployment in deployments for message in deployment.messages]


def _as_json(deployments: Sequence[Deployment], tried: list[Attempt]) -> dict[str, Any]:
    """What happened. ``version`` changes when a field changes its meaning or goes, not when one is added."""
    return {
        "version": 1,
        "ok": all(attempt.as_expected for attempt in tried),
        "resources": [
            {"type": each.type, "name": each.name, "became": each.became, "echoed": each.echoed}
            for deployment in deployments
            for each in deployment.created
        ],
        "messages": [{"severity": severity, "text": text} for severity, text in _messages(deployments)],
        "attempts": [
            {
                "component": attempt.component,
                "who": attempt.who,
                "remark": attempt.remark,
                "expected": "admitted" if attempt.expected else "refused",
                "actual": "admitted" if attempt.outcome.admitted else "refused",
                "identity": attempt.outcome.identity,
                "until": attempt.outcome.until.isoformat() if attempt.outcome.until else None,
                "error": attempt.outcome.error,
                "reason": attempt.outcome.reason,
            }
            for attempt in tried
        ],
    }
