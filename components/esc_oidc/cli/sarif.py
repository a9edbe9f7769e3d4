"""Findings for code scanning, https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html."""

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..verify import RULES, Rule
from .reports import NOTE, Report
from .settings import FILE_RULES, FileRule


def sarif(reports: Iterable[Report], notes: Sequence[str]) -> Mapping[str, Any]:
    """A log with one run.

    Args:
        reports: What was found; what is suppressed says so, and why.
        notes: What was not judged, in words.
    """
    rules = [_rule(rule.id, rule, rule.severity) for rule in RULES.values()]
    rules += [_rule(name, rule, "error") for name, rule in FILE_RULES.items()]
    places = {str(rule["id"]): index for index, rule in enumerate(rules)}
    driver = {"name": "esc-oidc", "version": version("esc-oidc"), "rules": rules}
    notifications = [{"level": "note", "message": {"text": note}} for note in notes]
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notifications}],
        "results": [_result(each, places) for each in reports if each.level != NOTE],
    }
    return {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}


def _rule(name: str, rule: Rule | FileRule, level: str) -> Mapping[str, Any]:
    return {
        "id": name,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"{rule.fix} See {rule.source}"},
        "helpUri": rule.source,
        "defaultConfiguration": {"level": level},
    }


def _result(report: Report, rules: Mapping[str, int]) -> Mapping[str, Any]:
    finding = report.finding
    statement = "" if finding.statement is None else f"Statement[{finding.statement}]"
    place = ".".join(part for part in (report.place, statement) if part) or "policy"
    suppression = {"kind": report.suppressed_by, "justification": report.suppressed} if report.suppressed else None
    return {
        "ruleId": finding.rule,
        "ruleIndex": rules[finding.rule],
        "level": report.level,
        "message": {"text": f"{finding.message} {finding.fix}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(report.source)},
                    "region": {"startLine": report.line},
                },
                "logicalLocations": [{"fullyQualifiedName": place}],
            }
        ],
        "partialFingerprints": {"escOidc/v1": report.fingerprint},
        **({"suppressions": [suppression]} if suppression else {}),
    }


def _uri(source: str) -> str:
    path = Path(source)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix(), errors="surrogateescape")
