"""`esc-oidc lint`: judges trust policies, wherever they are."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from ..verify import RULES, Finding, lint
from .output import LintFormat, console, print_json
from .reading import Found, policies
from .verdicts import Verdicts

_NOTE: Final = "other-issuer"
"""The one finding with nothing to do."""


def lint_files(sources: Sequence[str], output: LintFormat, *, quiet: bool = False) -> int:
    """Print every finding. Gives the exit status: 1 if there is something to do."""
    found = policies(sources)
    judged = [(each, finding) for each in found for finding in _findings(each)]
    if output is LintFormat.SARIF:
        print_json(_sarif(judged))
    elif output is LintFormat.JSON:
        unknown = [str(each) for each in found if each.located.policy is None]
        print_json(
            {"version": 1, "policies": len(found), "unknown": unknown, "findings": [_as_json(*each) for each in judged]}
        )
    else:
        _print(found, judged, quiet=quiet)
    return 1 if any(finding.rule != _NOTE for _, finding in judged) else 0


def _findings(found: Found) -> Iterator[Finding]:
    policy, role_arn = found.located.policy, found.located.role_arn
    if policy is not None:
        try:
            yield from lint(policy, role_arn)
        except ValueError:
            # A preview's or plan's ARN may be a placeholder: then the rules on account and partition cannot be asked.
            yield from lint(policy)


def _print(found: list[Found], judged: list[tuple[Found, Finding]], *, quiet: bool) -> None:
    verdicts = Verdicts(console())
    colours = {"error": "bold red", "warning": "yellow", "note": "dim"}
    for each in found:
        if each.located.policy is None and not quiet:
            verdicts.line(f"{each}: not known yet, or encrypted: not judged", "dim", 4)
    for each, finding in judged:
        if quiet and finding.rule == _NOTE:
            continue
        place = "" if finding.statement is None else f", statement {finding.statement}"
        verdicts.line(f"{each}{place}: {_level(finding)} {finding.rule}", colours[_level(finding)], 4)
        verdicts.line(f"    {finding.message}", "", 4)
        verdicts.line(f"    {finding.fix}", "dim", 4)
    if quiet:
        return
    levels = [_level(finding) for _, finding in judged]
    errors, warnings = (_counted(levels.count(level), level, f"{level}s") for level in ("error", "warning"))
    verdicts.line(f"{_counted(len(found), 'trust policy', 'trust policies')}: {errors}, {warnings}.", "bold")


def _level(finding: Finding) -> str:
    return "note" if finding.rule == _NOTE else finding.severity


def _as_json(found: Found, finding: Finding) -> dict[str, Any]:
    return {
        "source": found.source,
        "place": found.located.place,
        "statement": finding.statement,
        "rule": finding.rule,
        "severity": _level(finding),
        "message": finding.message,
        "fix": finding.fix,
    }


def _sarif(judged: Sequence[tuple[Found, Finding]]) -> Mapping[str, Any]:
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
    results = [
        {
            "ruleId": finding.rule,
            "level": _level(finding),
            "message": {"text": f"{finding.message} {finding.fix}"},
            "locations": [
                {
                    "physicalLocation": {"artifactLocation": {"uri": _uri(found.source)}},
                    "logicalLocations": [{"fullyQualifiedName": _logical(found, finding)}],
                }
            ],
        }
        for found, finding in judged
    ]
    driver = {"name": "esc-oidc", "version": version("esc-oidc"), "rules": rules}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _uri(source: str) -> str:
    path = Path(source)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def _counted(count: int, what: str, plural: str) -> str:
    return f"{count} {what if count == 1 else plural}"


def _logical(found: Found, finding: Finding) -> str:
    statement = "" if finding.statement is None else f"Statement[{finding.statement}]"
    return ".".join(part for part in (found.located.place, statement) if part) or "policy"
