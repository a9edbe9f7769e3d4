"""`esc-oidc lint`: judges trust policies, wherever they are."""

import io
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import typer

from ..verify import Judged, lint_located
from .output import LintFormat, LintStyle, console, fail, print_json
from .reports import NOTE, OTHER_ISSUER, Report, Texts, line_of, reports_of, write_baseline
from .settings import Settings
from .sources import EXCLUDED, IGNORED, TERRAFORM_SOURCE, UNREAD, UNRENDERED, Found, Reading, read_sources
from .verdicts import Verdicts

_PASSED_OVER: Final = {
    EXCLUDED: "excluded",
    IGNORED: "ignored by .gitignore",
    TERRAFORM_SOURCE: "in Terraform's own language (lint the plan)",
    UNRENDERED: "templates of another tool (lint what it renders)",
    UNREAD: "that cannot be read and name no trust policy",
}
"""The reasons for passing over a file that the summary tells apart."""

_COMMANDS: Final = {"error": "error", "warning": "warning", NOTE: "notice"}
"""GitHub's names for levels."""


_NOTHING: Final = "Nothing was judged."


class _Results:
    """What came of all sources."""

    def __init__(self, reading: Reading, judged: Sequence[tuple[Found, Judged]], reports: Sequence[Report]) -> None:
        self.reading, self.judged, self.reports = reading, judged, reports
        self.open = [each for each in reports if each.is_open]
        self.suppressed = [each for each in reports if each.suppressed]
        self.unknown = [
            (found, _why_unknown(found, each))
            for found, each in judged
            if each.placeholders or found.located.policy is None
        ]
        self.others = sum(
            any(finding.rule == OTHER_ISSUER and finding.statement is None for finding in each.findings)
            for _, each in judged
        )
        known = sum(found.located.policy is not None for found, _ in judged)
        self.nothing = known == self.others


def lint_files(
    sources: Sequence[str], style: LintStyle, settings: Settings, baseline_to_write: Path | None = None
) -> int:
    """Print every finding.

    Gives the exit status: 1 if there is something to do, 2 if a source that was named could not be read.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names of files and roles may hold what the terminal's encoding does not.
        sys.stdout.reconfigure(errors="backslashreplace")
    reading = read_sources(sources, settings.folder, settings.exclude)
    judged = [(each, lint_located(each.located)) for each in reading.found]
    full = style.format is not LintFormat.TEXT or baseline_to_write is not None
    texts = Texts(reading.piped)
    reports = reports_of(reading, judged, settings, texts, full=full)
    results = _Results(reading, judged, reports)
    if style.format is LintFormat.SARIF:
        from .sarif import sarif  # noqa: PLC0415 - no other format has it

        print_json(sarif(reports, [f"{found}: {why}" for found, why in results.unknown]))
    elif style.format is LintFormat.JSON:
        print_json(_as_json(results))
    else:
        _print(results, style, texts)
    if named := [each for each in reading.unread if each.named]:
        fail("\n".join(f"{each.source}: {each.problem}" for each in named))
    if baseline_to_write is not None:
        write_baseline(baseline_to_write, reports)
        return 0
    levels = {"error"} if settings.severity == "error" else {"error", "warning"}
    return int(
        any(each.level in levels for each in results.open)
        or (settings.fail_on_nothing and results.nothing)
        or (settings.fail_on_unknown and bool(results.unknown))
    )


def _why_unknown(found: Found, judged: Judged) -> str:
    names = ", ".join(f"${{{name}}}" for name in judged.placeholders)
    if not names:
        return "not known yet, or encrypted: not judged"
    if found.located.policy is None:
        return f"the template leaves it open ({names}): not judged"
    return f"depends on {names}: only what is wrong for any value was found"


def _print(results: _Results, style: LintStyle, texts: Texts) -> None:
    verdicts, github = Verdicts(console()), style.format is LintFormat.GITHUB
    colours = {"error": "bold red", "warning": "yellow", NOTE: "dim"}
    for found, why in results.unknown if not style.quiet else ():
        if github:
            message = f"{found.located.place}: {why}"
            typer.echo(_command(NOTE, found.source, line_of(found, texts), "unknown", message))
        else:
            verdicts.line(_plain(f"{found}: {why}"), "dim", 4)
    for each in results.reports:
        finding = each.finding
        if not (each.is_open or style.verbose):
            continue
        if github and each.is_open:
            message = f"{each.place}: {finding.message}" if each.place else finding.message
            typer.echo(_command(each.level, each.source, each.line, finding.rule, f"{message}\n{finding.fix}"))
            continue
        verdicts.line(_plain(f"{each}: {each.level} {finding.rule}"), colours[each.level], 4)
        verdicts.line(_plain(f"    {finding.message}"), "", 4)
        verdicts.line(f"    {f'suppressed: {each.suppressed}' if each.suppressed else finding.fix}", "dim", 4)
    if style.verbose:
        for path, reason in results.reading.passed_over:
            verdicts.line(_plain(f"{path}: passed over: {reason}"), "dim", 4)
    for line in _summary(results, verbose=style.verbose) if not style.quiet else ():
        verdicts.line(line, "bold")
    if results.nothing and style.quiet:
        verdicts.line(_NOTHING, "bold")


def _plain(text: str) -> str:
    """A text without control characters: names are other people's, and pipelines read commands from lines."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", lambda match: repr(match[0])[1:-1], text)


def _command(level: str, file: str, line: int, title: str, message: str) -> str:
    """An annotation, https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands."""

    def escaped(text: str, signs: str) -> str:
        return re.sub(f"[{signs}]", lambda match: f"%{ord(match[0]):02X}", text)

    named = ((name, escaped(str(text), "%\r\n:,")) for name, text in (("file", file), ("line", line), ("title", title)))
    return f"::{_COMMANDS[level]} {','.join(f'{name}={text}' for name, text in named)}::" + escaped(message, "%\r\n")


def _summary(results: _Results, *, verbose: bool) -> list[str]:
    """What was judged, in one line; what was not, in another."""
    levels = Counter(each.level for each in results.open)
    counted = [_counted(levels[level], level, f"{level}s") for level in ("error", "warning")]
    for count, what in (
        (len(results.suppressed), "suppressed"),
        (results.others, "not about Pulumi Cloud"),
        (len(results.unknown), "unknown"),
    ):
        counted += [f"{count} {what}"] if count else []
    lines = [f"{_counted(len(results.judged), 'trust policy', 'trust policies')}: {', '.join(counted)}."]
    if results.nothing:
        lines.append(_NOTHING)
    passed_over = Counter(
        _PASSED_OVER.get(why.partition(":")[0] if why.startswith(UNREAD) else why, "without a trust policy")
        for _, why in results.reading.passed_over
    )
    if passed_over:
        said = ", ".join(f"{count} {reason}" for reason, count in passed_over.most_common())
        lines.append(f"Passed over: {said}{'' if verbose else '; --verbose names them'}.")
    return lines


def _counted(count: int, what: str, plural: str) -> str:
    return f"{count} {what if count == 1 else plural}"


def _as_json(results: _Results) -> Mapping[str, Any]:
    return {
        "version": 1,
        "policies": len(results.judged),
        "unknown": [str(found) for found, _ in results.unknown],
        "findings": [_finding(each) for each in results.reports if not each.suppressed],
        "suppressed": [{**_finding(each), "reason": each.suppressed} for each in results.suppressed],
        "placeholders": {str(found): judged.placeholders for found, judged in results.judged if judged.placeholders},
        "passed_over": [{"source": path, "reason": reason} for path, reason in results.reading.passed_over],
    }


def _finding(report: Report) -> Mapping[str, Any]:
    finding = report.finding
    return {
        "source": report.source,
        "place": report.place,
        "statement": finding.statement,
        "rule": finding.rule,
        "severity": report.level,
        "message": finding.message,
        "fix": finding.fix,
        "line": report.line,
        "fingerprint": report.fingerprint,
    }
