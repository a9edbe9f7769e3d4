"""`esc-oidc lint`: judges trust policies, wherever they are."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from ..verify import RULES, Finding, Judged, lint_located
from .output import LintFormat, LintStyle, console, fail, print_json
from .sources import IGNORED, TERRAFORM_SOURCE, Found, Reading, Unread, read_sources
from .verdicts import Verdicts

_NOTE: Final = "other-issuer"
"""The one finding with nothing to do."""

_UNREADABLE_FILE: Final = "unreadable-file"

_PASSED_OVER: Final = {
    IGNORED: "ignored by .gitignore",
    TERRAFORM_SOURCE: "in Terraform's own language (lint the plan)",
}
"""The reasons for passing over a file that the summary tells apart."""


@dataclass(frozen=True)
class FailOn:
    """What makes the exit status 1 besides findings.

    Attributes:
        nothing: That no trust policy was judged.
        unknown: That a policy could not be judged, or not in full.
    """

    nothing: bool = False
    unknown: bool = False


@dataclass(frozen=True)
class _Results:
    """What came of all sources."""

    reading: Reading
    judged: Sequence[tuple[Found, Judged]]

    @property
    def findings(self) -> list[tuple[Found | Unread, Finding]]:
        """The findings in their order; those about unreadable sources first."""
        unread = [(each, _about(each)) for each in self.reading.unread]
        return [*unread, *((found, each) for found, judged in self.judged for each in judged.findings)]

    @property
    def unknown(self) -> list[tuple[Found, str]]:
        """The policies that were not judged, or not in full, and why."""
        return [
            (found, _why_unknown(found, judged))
            for found, judged in self.judged
            if judged.placeholders or found.located.policy is None
        ]

    @property
    def others(self) -> int:
        """How many policies are about something other than Pulumi Cloud."""
        return sum(any(_is_of_others(each) for each in judged.findings) for _, judged in self.judged)

    @property
    def nothing(self) -> bool:
        """Whether no policy was judged."""
        return all(found.located.policy is None for found, _ in self.judged)


def lint_files(sources: Sequence[str], style: LintStyle, fail_on: FailOn) -> int:
    """Print every finding. Gives the exit status: 1 if there is something to do, 2 if a named source is unreadable."""
    reading = read_sources(sources)
    results = _Results(reading, [(each, lint_located(each.located)) for each in reading.found])
    if style.format is LintFormat.SARIF:
        print_json(_sarif(results))
    elif style.format is LintFormat.JSON:
        print_json(_as_json(results))
    else:
        _print(results, style)
    return _status(results, fail_on)


def _status(results: _Results, fail_on: FailOn) -> int:
    named = [each for each in results.reading.unread if each.named]
    if named:
        fail("\n".join(f"{each.source}: {each.problem}" for each in named))
    failed = (
        any(finding.rule != _NOTE for _, finding in results.findings)
        or (fail_on.nothing and results.nothing)
        or (fail_on.unknown and bool(results.unknown))
    )
    return int(failed)


def _about(unread: Unread) -> Finding:
    fix = "Correct the file, or exclude it; whatever it holds was not judged."
    return Finding(_UNREADABLE_FILE, "error", unread.problem, None, fix)


def _why_unknown(found: Found, judged: Judged) -> str:
    names = ", ".join(f"${{{name}}}" for name in judged.placeholders)
    if not names:
        return "not known yet, or encrypted: not judged"
    if found.located.policy is None:
        return f"the template leaves it open ({names}): not judged"
    return f"depends on {names}: only what is wrong for any value was found"


def _is_of_others(finding: Finding) -> bool:
    return finding.rule == _NOTE and finding.statement is None


def _print(results: _Results, style: LintStyle) -> None:
    verdicts = Verdicts(console())
    colours = {"error": "bold red", "warning": "yellow", "note": "dim"}
    for found, why in results.unknown if not style.quiet else ():
        verdicts.line(f"{found}: {why}", "dim", 4)
    for source, finding in results.findings:
        if finding.rule == _NOTE and not style.verbose:
            continue
        place = "" if finding.statement is None else f", statement {finding.statement}"
        verdicts.line(f"{source}{place}: {_level(finding)} {finding.rule}", colours[_level(finding)], 4)
        verdicts.line(f"    {finding.message}", "", 4)
        verdicts.line(f"    {finding.fix}", "dim", 4)
    if style.verbose:
        for path, reason in results.reading.passed_over:
            verdicts.line(f"{path}: passed over: {reason}", "dim", 4)
    if not style.quiet:
        for line in _summary(results, verbose=style.verbose):
            verdicts.line(line, "bold")


def _summary(results: _Results, *, verbose: bool) -> list[str]:
    """What was judged, in one line; what was not, in another."""
    levels = Counter(_level(finding) for _, finding in results.findings)
    counted = [_counted(levels[level], level, f"{level}s") for level in ("error", "warning")]
    if results.others:
        counted.append(f"{results.others} not about Pulumi Cloud")
    if results.unknown:
        counted.append(f"{len(results.unknown)} unknown")
    lines = [f"{_counted(len(results.judged), 'trust policy', 'trust policies')}: {', '.join(counted)}."]
    if results.nothing:
        lines.append("Nothing was judged.")
    if passed_over := Counter(
        _PASSED_OVER.get(reason, "without a trust policy") for _, reason in results.reading.passed_over
    ):
        said = ", ".join(f"{count} {reason}" for reason, count in passed_over.most_common())
        lines.append(f"Passed over: {said}{'' if verbose else '; --verbose names them'}.")
    return lines


def _level(finding: Finding) -> str:
    return "note" if finding.rule == _NOTE else finding.severity


def _as_json(results: _Results) -> Mapping[str, Any]:
    return {
        "version": 1,
        "policies": len(results.judged),
        "unknown": [str(found) for found, _ in results.unknown],
        "findings": [
            {
                "source": source.source,
                "place": _place(source),
                "statement": finding.statement,
                "rule": finding.rule,
                "severity": _level(finding),
                "message": finding.message,
                "fix": finding.fix,
            }
            for source, finding in results.findings
        ],
        "placeholders": {str(found): judged.placeholders for found, judged in results.judged if judged.placeholders},
        "passed_over": [{"source": path, "reason": reason} for path, reason in results.reading.passed_over],
    }


def _sarif(results: _Results) -> Mapping[str, Any]:
    """The findings for code scanning, https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html."""
    from importlib.metadata import version  # noqa: PLC0415 - slow, and no other format has it

    rules = [
        {
            "id": rule.id,
            "shortDescription": {"text": rule.title},
            "fullDescription": {"text": rule.why},
            "help": {"text": rule.fix},
            "defaultConfiguration": {"level": rule.severity},
        }
        for rule in RULES.values()
    ]
    found = [
        {
            "ruleId": finding.rule,
            "level": _level(finding),
            "message": {"text": f"{finding.message} {finding.fix}"},
            "locations": [
                {
                    "physicalLocation": {"artifactLocation": {"uri": _uri(source.source)}},
                    "logicalLocations": [{"fullyQualifiedName": _logical(source, finding)}],
                }
            ],
        }
        for source, finding in results.findings
    ]
    driver = {"name": "esc-oidc", "version": version("esc-oidc"), "rules": rules}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": found}],
    }


def _uri(source: str) -> str:
    path = Path(source)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def _counted(count: int, what: str, plural: str) -> str:
    return f"{count} {what if count == 1 else plural}"


def _logical(source: Found | Unread, finding: Finding) -> str:
    statement = "" if finding.statement is None else f"Statement[{finding.statement}]"
    return ".".join(part for part in (_place(source), statement) if part) or "policy"


def _place(source: Found | Unread) -> str:
    return source.located.place if isinstance(source, Found) else ""
