"""`esc-oidc try`: deploys a program to the sandbox, and tries who gets in."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pulumi
import typer

from .. import InvalidInputs
from ..sandbox import SEED_FILE, Sandbox, SeedError
from ..sandbox.attempts import Attempt, Declared, deployment_attempts, environment_attempts
from ..sandbox.deploy import Clouds, Created, Deployment, NotDeployed, ProgramStack, StackError, deploy, load_stack
from ..tokens import Opener
from .output import Style, console, fail, print_json
from .verdicts import Verdicts

ORGANIZATION: Final = "contoso"
"""What pulumi.get_organization() answers in the sandbox."""

_ATTEMPTS: Final = {
    "esc-oidc:index:PulumiEscOidc": environment_attempts,
    "esc-oidc:index:PulumiDeploymentsOidc": deployment_attempts,
}


def try_program(
    directory: Path, stack: str | None, overrides: Mapping[str, str], seed: Path | None, style: Style
) -> int:
    """Deploy, try everyone, print. Gives the exit status: 1 if anybody was let in or shut out wrongly."""
    started = time.monotonic()
    try:
        program = load_stack(directory.resolve(), stack, overrides)
    except StackError as error:
        fail(str(error))
    report = _Report(style)
    report.begin(program)
    with Sandbox() as sandbox:
        deployment = _deploy(sandbox, program, seed, report)
        declared = [
            Declared(made.type, made.name, deployment.components[made.type, made.name])
            for made in deployment.created
            if made.type in _ATTEMPTS
        ]
        if not declared:
            fail(f"{program.directory}: the program declares no component of esc-oidc: there is nobody to try.")
        tried = []
        for component in declared:
            report.component(component)
            sandbox.issuer_url = component.issuer
            for attempt in _ATTEMPTS[component.kind](sandbox, component):
                report.attempt(attempt)
                tried.append(attempt)
    report.end(deployment, tried, time.monotonic() - started)
    return 0 if all(attempt.as_expected for attempt in tried) else 1


def _deploy(sandbox: Sandbox, program: ProgramStack, seed: Path | None, report: "_Report") -> Deployment:
    def token(organization: str) -> str:
        return sandbox.access_token(Opener("deployer"), [organization])

    seed = seed or (program.directory / SEED_FILE if (program.directory / SEED_FILE).exists() else None)
    try:
        if seed:
            sandbox.sow(seed)
        clouds = Clouds(sandbox.aws_url, sandbox.cloud_url, token, program.config.get("aws:region"))
        return deploy(program, clouds, ORGANIZATION, report.created)
    except SeedError as error:
        fail(str(error))
    except (InvalidInputs, NotDeployed) as error:
        report.refused(str(error))
        raise typer.Exit(1) from error
    except pulumi.RunError as error:
        # The configuration has another type than the program reads, or the program gave up.
        fail(str(error))


class _Report:
    """Prints as it goes; JSON comes at the end, whole. A quiet one prints only what did not go as declared."""

    def __init__(self, style: Style) -> None:
        self._style, self._out = style, console()
        self._verdicts = Verdicts(self._out, style.verbose)

    def begin(self, program: ProgramStack) -> None:
        self._line(f"Deploying {program.project}, stack {program.stack}, to a sandbox on this machine")
        self._line("It only creates: no state, no diff. AWS is moto; Pulumi Cloud is a stand-in.")

    def created(self, created: Created) -> None:
        self._line(f"  + {created.type}  {created.name}", "bold" if not created.became else "")
        if created.became:
            self._line(f"      {created.became}", "yellow" if created.echoed else "dim")

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

    def end(self, deployment: Deployment, tried: list[Attempt], seconds: float) -> None:
        if not self._style.is_text:
            print_json(_as_json(deployment, tried))
            return
        for severity, message in deployment.messages:
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


def _as_json(deployment: Deployment, tried: list[Attempt]) -> dict[str, Any]:
    """What happened. ``version`` changes when a field changes its meaning or goes, not when one is added."""
    return {
        "version": 1,
        "ok": all(attempt.as_expected for attempt in tried),
        "resources": [
            {"type": each.type, "name": each.name, "became": each.became, "echoed": each.echoed}
            for each in deployment.created
        ],
        "messages": [{"severity": severity, "text": text} for severity, text in deployment.messages],
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
