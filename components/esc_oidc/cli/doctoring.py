"""`esc-oidc doctor`: why an environment does not open, who else gets in, and what repairs it."""

import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from .. import inputs
from ..live import (
    AwsAccounts,
    CloudError,
    Diagnosis,
    Doctor,
    Environments,
    Examination,
    PulumiCloud,
    Reach,
    Repair,
    RoleExamination,
    RoleFindings,
    Unreadable,
    access_of,
    examine,
    examine_role,
)
from ..tokens import Opener
from .output import Style, console, fail, print_json
from .verdicts import Fact, Verdicts

_STYLES: Final = {"admitted": "bold green", "refused": "bold red", "unknown": "bold yellow"}
_PARTS: Final = 3


@dataclass(frozen=True)
class Asked:
    """What is asked; see the command's options."""

    environment: str | None
    every: bool
    imports_of: str | None
    role: str | None
    as_user: str | None
    as_team: str | None
    as_organization_token: bool
    profiles: Sequence[str]
    api_url: str | None
    at_once: int


def doctor(asked: Asked, style: Style) -> int:
    """Print what was found. Gives the exit status: 0 all well, 1 refused or too wide, 2 if something is not known.

    As JSON it has ``version`` (1), ``organization``, and ``environments``, a list of `Examination.to_json`; of a role
    it has `RoleExamination.to_json` instead.
    """
    whole = asked.every or asked.role is not None
    if asked.imports_of and not asked.every:
        fail("--imports-of narrows --all: give both.")
    if asked.every and asked.role:
        fail("--all asks about environments, and --role about a role: give one of the two.")
    if asked.environment is None and not whole:
        fail("name an environment, ORG/PROJECT/ENV, or give --all or --role.")
    try:
        url, token = access_of(os.environ, asked.api_url)
        cloud = PulumiCloud(url, token, asked.at_once)
        account = cloud.account()
        organization, environment = _named(asked.environment, account.organizations, whole=whole)
        opener = _opener(asked, organization) or account.opener
        environments = Environments(cloud, organization, asked.at_once)
        physician = Doctor(environments, AwsAccounts(asked.profiles), cloud.issuer())
        if asked.role is not None:
            found = _of_role(physician, asked.role, opener, cloud, style)
        elif environment is None:
            found = _of_all(physician, opener, asked.imports_of, style)
        else:
            found = _of_one(physician, environment, opener, style)
    except (CloudError, Unreadable) as error:
        fail(str(error))
    return found


def _named(name: str | None, organizations: Sequence[str], *, whole: bool) -> tuple[str, str | None]:
    """The organization and, unless all or a role is meant, the environment."""
    if whole:
        organization = name or (organizations[0] if organizations else "")
        if problem := inputs.organization(organization):
            fail(f"{organization!r}: {problem.rule} Name the organization before the options.")
        return organization, None
    parts = (name or "").split("/")
    checks = (inputs.organization, inputs.project, inputs.environment_part)
    if len(parts) != _PARTS:
        fail(f"{name}: an environment is written ORG/PROJECT/ENV.")
    for part, check in zip(parts, checks, strict=True):
        if problem := check(part):
            fail(f"{name}: {problem.rule} {problem.fix}")
    return parts[0], "/".join(parts[1:])


def _opener(asked: Asked, organization: str) -> Opener | None:
    """Who is to open it, if the options say."""
    given = [asked.as_user is not None, asked.as_team is not None, asked.as_organization_token]
    if sum(given) > 1:
        fail("--as-user, --as-team and --as-organization-token each name who opens it: give one of them.")
    if "" in (asked.as_user, asked.as_team):
        fail("--as-user and --as-team name somebody: the name can't be empty.")
    if asked.as_user:
        return Opener(asked.as_user)
    if asked.as_team:
        return Opener(organization, "team", asked.as_team)
    return Opener(organization, "organization") if asked.as_organization_token else None


@contextmanager
def _progress(what: str, style: Style) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, where that is a terminal."""
    bar = Progress(console=Console(stderr=True), transient=True, disable=style.quiet)
    if not bar.console.is_terminal:
        yield lambda _done, _of: None
        return
    with bar:
        task = bar.add_task(what, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


# One environment.


def _of_one(physician: Doctor, environment: str, opener: Opener, style: Style) -> int:
    environments = physician.environments
    environments.text(environment)  # if this one can't be read, nothing else matters
    with _progress("Reading definitions", style) as progress:
        names = environments.all(progress)
    found = examine(physician, environment, opener, names)
    if not style.is_text:
        print_json({"version": 1, "organization": environments.organization, "environments": [found.to_json()]})
    else:
        _print(found, environments.organization, style)
    return _status([found])


def _status(found: Sequence[Examination]) -> int:
    if any(each.is_refused or each.is_too_wide for each in found):
        return 1
    return 2 if any(each.is_unknown for each in found) else 0


def _print(found: Examination, organization: str, style: Style) -> None:
    verdicts = Verdicts(console(), style.verbose)
    alike: dict[tuple[str, str], list[Diagnosis]] = {}
    for each in found.diagnoses:
        alike.setdefault((each.verdict, "" if each.verdict == "admitted" else each.reason), []).append(each)
    for (verdict, _), group in alike.items():
        if not (style.quiet and verdict == "admitted"):
            _show(verdicts, group, organization, style)
    for obstacle in found.obstacles:
        verdicts.show("obstacle", " → ".join(obstacle.chain), ("", obstacle.reason), style="bold yellow")
    if not found.diagnoses and not found.obstacles:
        verdicts.show("nothing", f"{organization}/{found.environment} has no login to AWS with a token", style="bold")
    for path in found.other_logins:
        verdicts.show("note", f"the login {path} has static credentials: no token, so nothing to judge", style="yellow")
    for repair in found.repairs:
        _show_repair(verdicts, repair)
    for role in found.roles:
        _show_findings(verdicts, role, style)
    for note in found.notes:
        verdicts.show("note", note, style="yellow")


def _how(diagnosis: Diagnosis, organization: str) -> str:
    way = diagnosis.way
    if way.for_stack:
        text = f"pulumi up of a stack that lists {way.opened}, by {way.opener}"
    else:
        text = f"pulumi env open {organization}/{way.opened}, by {way.opener}"
    through = way.held.chain[1:]
    return text + (f", through {' → '.join(through)}" if through else "")


def _show(verdicts: Verdicts, alike: Sequence[Diagnosis], organization: str, style: Style) -> None:
    """Show ways that end alike, and once why."""
    for each in alike:
        decision, why = each.decision, None
        if each.verdict != "admitted" and each is alike[-1]:
            why = decision if decision and each.verdict == "refused" else ("", each.reason)
        remark = str(decision.error) if decision and each.verdict == "refused" else ""
        verdicts.show(each.verdict, _how(each, organization), why, remark, _STYLES[each.verdict])
        if style.verbose:
            verdicts.facts(list(_facts(each)))


def _facts(diagnosis: Diagnosis) -> Iterator[Fact]:
    """Role, provider and token in full."""
    target = diagnosis.target
    if target:
        yield "role", "arn", target.arn
    if target and target.provider:
        yield "provider", "aud", " or ".join(target.provider.client_ids) or "(none)"
        # AWS needs none for an issuer whose certificate its own store knows.
        yield "", "thumb", " or ".join(target.provider.thumbprints) or "(none)"
    if diagnosis.token:
        yield from (("token", name, diagnosis.token[name]) for name in ("aud", "sub"))


def _show_repair(verdicts: Verdicts, repair: Repair) -> None:
    verdicts.show("repair", repair.says, style="bold cyan")
    if repair.admits:
        verdicts.say(f"Only if they are meant to get in: {', '.join(repair.admits)}")
    verdicts.out.print(Text(" " * 10 + shlex.join(repair.command), "cyan"), soft_wrap=True)  # whole, to be pasted


def _show_findings(verdicts: Verdicts, role: RoleFindings, style: Style) -> None:
    for finding in role.findings:
        if style.quiet and finding.severity == "warning":
            continue
        where = role.role.rpartition("/")[2] + ("" if finding.statement is None else f", statement {finding.statement}")
        colour = "bold red" if finding.severity == "error" else "yellow"
        verdicts.show(finding.severity, f"{where}: {finding.rule}", ("", finding.message), style=colour)
    if role.narrowing:
        _show_repair(verdicts, role.narrowing)
        verdicts.say(f"Whoever else uses the role is refused then: esc-oidc doctor --role {role.role}")


# All environments.


def _of_all(physician: Doctor, opener: Opener, imports_of: str | None, style: Style) -> int:
    environments = physician.environments
    with _progress("Reading definitions", style) as progress:
        names = environments.all(progress)
    if imports_of is not None:
        if imports_of not in names:
            fail(f"--imports-of {imports_of}: there is no such environment in {environments.organization}.")
        names = physician.importers(imports_of, names)
    found: list[Examination] = []
    with _progress("Examining environments", style) as progress:
        for each in environments.each(names, lambda name: examine(physician, name, opener)):
            found.append(each)
            progress(len(found), len(names))
    if not style.is_text:
        shown = [each.to_json() for each in found]
        print_json({"version": 1, "organization": environments.organization, "environments": shown})
    else:
        _print_all(found, opener, environments.organization, style)
    return _status(found)


def _print_all(found: Sequence[Examination], opener: Opener, organization: str, style: Style) -> None:
    out = console()
    table = Table("environment", "role", "by name", "pulumi up", "policy", box=None, pad_edge=False)
    shown = [each for each in found if each.diagnoses or each.obstacles]
    for each in shown:
        well = not (each.is_refused or each.is_unknown or each.is_too_wide)
        if style.quiet and well:
            continue
        roles = dict.fromkeys(way.target.arn.rpartition("/")[2] for way in each.diagnoses if way.target)
        rules = dict.fromkeys(finding.rule for role in each.roles for finding in role.findings)
        cells = [_worst(each, for_stack=for_stack) for for_stack in (False, True)]
        table.add_row(
            Text(each.environment),
            Text(", ".join(roles) or "-"),
            *(Text(cell, _STYLES.get(cell, "")) for cell in cells),
            Text(", ".join(rules) or "ok", "bold red" if each.is_too_wide else ""),
        )
    if table.row_count:
        out.print(table)
    wrong = sum(each.is_refused for each in shown), sum(each.is_too_wide for each in shown)
    unknown = sum(each.is_unknown for each in shown)
    out.print(
        f"{len(found)} environments of {organization}, {len(shown)} with a login to AWS, opened by {opener}: "
        f"{wrong[0]} refused, {wrong[1]} too wide, {unknown} not known.",
        highlight=False,
        soft_wrap=True,
    )


def _worst(found: Examination, *, for_stack: bool) -> str:
    """The worst verdict of an environment's logins, opened in one way."""
    verdicts = {each.verdict for each in found.diagnoses if each.way.for_stack is for_stack}
    if any(each.is_certain for each in found.obstacles):
        verdicts.add("refused")
    elif found.obstacles:
        verdicts.add("unknown")
    return next((each for each in ("refused", "unknown", "admitted") if each in verdicts), "-")


# A role.


def _of_role(physician: Doctor, role: str, opener: Opener, cloud: PulumiCloud, style: Style) -> int:
    environments = physician.environments
    with _progress("Reading definitions", style) as progress:
        names = environments.all(progress)
    found = examine_role(physician, role, [opener], names, lambda: cloud.grants(environments.organization))
    if not style.is_text:
        print_json({"version": 1, "organization": environments.organization, **found.to_json()})
    else:
        _print_role(found, environments.organization, style)
    if any(each.is_too_wide for each in found.roles):
        return 1
    return 2 if found.obstacles or any(each.diagnosis.verdict == "unknown" for each in found.reaches) else 0


def _print_role(found: RoleExamination, organization: str, style: Style) -> None:
    verdicts = Verdicts(console(), style.verbose)
    for each in found.reaches:
        diagnosis = each.diagnosis
        if diagnosis.verdict == "refused" and not style.verbose:
            continue
        verdicts.show(diagnosis.verdict, _who(each, organization), style=_STYLES[diagnosis.verdict])
        for grant in each.grants:
            members = f": {', '.join(grant.members)}" if grant.members else ""
            verdicts.say(f"team {grant.team} may {grant.permission} it{members}", "dim")
    if not any(each.diagnosis.verdict == "admitted" for each in found.reaches):
        verdicts.show("nobody", f"no environment of {organization} gets credentials of {found.role}", style="bold")
    refused = sum(each.diagnosis.verdict == "refused" for each in found.reaches)
    if refused and not style.verbose:
        verdicts.say(f"{refused} more ways lead to it and are refused; --verbose lists them.", "dim")
    for role in found.roles:
        _show_findings(verdicts, role, style)
    for obstacle in found.obstacles:
        verdicts.show("obstacle", " → ".join(obstacle.chain), ("", obstacle.reason), style="bold yellow")
    for note in found.notes:
        verdicts.show("note", note, style="yellow")


def _who(reach: Reach, organization: str) -> str:
    way = reach.diagnosis.way
    who = str(reach.opener) if reach.opener else f"whoever may open {way.opened}"
    how = f"a stack that lists {way.opened}" if way.for_stack else f"pulumi env open {organization}/{way.opened}"
    through = f", through {' → '.join(way.held.chain[1:])}" if len(way.held.chain) > 1 else ""
    return f"{who}: {how}{through}"
