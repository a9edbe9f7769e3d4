"""Findings with what a pipeline needs: where they stand, who they are, and whether somebody has accepted them."""

import json
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, NamedTuple

from ..verify import Finding, Judged
from .output import fail
from .settings import FILE_RULES, SUPPRESSION, UNREADABLE_FILE, Settings, no_such_rule
from .sources import Found, Reading, decoded

NOTE: Final = "note"
OTHER_ISSUER: Final = "other-issuer"
"""The one finding with nothing to do."""

_COMMENT: Final = r"(?i)#\s*esc-oidc\W+ignore"


class Report(NamedTuple):
    """A finding in its file.

    Attributes:
        source: The file, or `-`.
        found: The role's policy; None where the source itself could not be read.
        finding: What is wrong.
        fingerprint: The same in every run, wherever in the file it stands.
        suppressed: Why it is accepted, if it is.
        suppressed_by: `inSource` or `external`, in SARIF's words.
        line: Its line, from 1, if somebody asked.
    """

    source: str
    found: Found | None
    finding: Finding
    fingerprint: str = ""
    suppressed: str = ""
    suppressed_by: str = ""
    line: int = 1

    @property
    def place(self) -> str:
        """The role, as the tool names it; empty for a document that is a policy."""
        return self.found.located.place if self.found else ""

    @property
    def level(self) -> str:
        """``error``, ``warning`` or ``note``."""
        return NOTE if self.finding.rule == OTHER_ISSUER else self.finding.severity

    @property
    def is_open(self) -> bool:
        """Whether there is something to do."""
        return self.level != NOTE and not self.suppressed

    def __str__(self) -> str:
        statement = "" if self.finding.statement is None else f", statement {self.finding.statement}"
        return f"{self.found or self.source}{statement}"


class Texts(dict[str, str]):
    """The sources' texts, read again only where somebody asks for lines or comments."""

    def __missing__(self, source: str) -> str:
        try:
            self[source] = decoded(Path(source).read_bytes())
        except (OSError, ValueError):
            self[source] = ""
        return self[source]


def reports_of(
    reading: Reading, judged: Sequence[tuple[Found, Judged]], settings: Settings, texts: Texts, *, full: bool
) -> list[Report]:
    """Every finding that the settings do not leave out; those about unreadable sources first.

    Only with `full` has each its line and its fingerprint, for which files are read again; people need neither.
    """
    baseline = _known(settings.baseline) if settings.baseline else {}
    reports = [
        Report(source, found, finding)
        for source, found, finding in _all(reading, judged, texts)
        if settings.checks(finding.rule)
    ]
    if full or baseline:
        reports = _with_fingerprints(reports)
    if full:
        reports = _with_lines(reports, texts)
    return [
        each._replace(suppressed=reason, suppressed_by=kind)
        for each in reports
        for reason, kind in [_suppression(each, settings, baseline, texts)]
    ]


def write_baseline(path: Path, reports: Sequence[Report]) -> None:
    """Write down what is open now, so that from now on only what is new is reported."""
    known = [
        {"fingerprint": each.fingerprint, "rule": each.finding.rule, "source": each.source, "place": each.place}
        for each in reports
        if each.is_open
    ]
    try:
        path.write_text(json.dumps({"version": 1, "findings": known}, indent=2) + "\n", "utf-8")
    except OSError as error:
        fail(f"{path}: {error}")


def _known(path: Path) -> Mapping[str, str]:
    """The fingerprints in a baseline, each with the reason to give."""
    try:
        document = json.loads(path.read_text("utf-8"))
        return {str(each["fingerprint"]): f"known in {path.name}" for each in document["findings"]}
    except FileNotFoundError:
        fail(f"{path}: there is no such baseline; write it with --write-baseline {path}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        fail(f"{path}: this is not a baseline that --write-baseline wrote: {error}")


def _all(
    reading: Reading, judged: Sequence[tuple[Found, Judged]], texts: Texts
) -> Iterator[tuple[str, Found | None, Finding]]:
    for unread in reading.unread:
        yield unread.source, None, _about_a_file(UNREADABLE_FILE, unread.problem)
    for source in dict.fromkeys(found.source for found, _ in judged if _may_have_comments(found.source)):
        if re.search(_COMMENT, texts[source]):
            from .lines import comments_at, comments_in  # noqa: PLC0415 - few files have such comments

            paths = [found.located.path for found, _ in judged if found.source == source]
            inside = {line for path in paths for line in comments_at(texts[source], path)}
            for line, rules, reason in comments_in(texts[source]):
                stray = [] if line in inside else ["it stands inside no role: write it below the role's name."]
                for problem in list(_wrong_in(rules, reason)) or stray:
                    message = f"the comment in line {line} suppresses nothing: {problem}"
                    yield source, None, _about_a_file(SUPPRESSION, message)
    for found, each in judged:
        for rule, reason in found.located.ignored.items():
            for problem in _wrong_in([rule] if rule else [], reason):
                yield found.source, found, _about_a_file(SUPPRESSION, f"the metadata suppresses nothing: {problem}")
        for finding in each.findings:
            yield found.source, found, finding


def _about_a_file(rule: str, problem: str) -> Finding:
    return Finding(rule, "error", problem, None, FILE_RULES[rule].fix)


def _wrong_in(rules: Sequence[str], reason: str) -> Iterator[str]:
    """Why a suppression, or a part of it, does nothing."""
    if not rules:
        yield "it does not have the form of one."
    elif not reason:
        yield f"it gives no reason to ignore {', '.join(rules)}."
    yield from filter(None, map(no_such_rule, rules))


def _may_have_comments(source: str) -> bool:
    """Whether it can be YAML; JSON has no comments."""
    return not source.endswith((".json", ".tfstate"))


def _suppression(report: Report, settings: Settings, baseline: Mapping[str, str], texts: Texts) -> tuple[str, str]:
    """Why a finding is accepted, and where that is said; nothing twice if it is not."""
    rule, found = report.finding.rule, report.found
    if report.level == NOTE:
        return "", ""
    if found and (reason := found.located.ignored.get(rule) or _comments(found, texts).get(rule)):
        return reason, "inSource"
    relative = _relative(report.source, settings.folder)
    for each in settings.silences:
        in_source = each.source is None or fnmatchcase(relative, each.source)
        if each.rule == rule and in_source and (each.place is None or fnmatchcase(report.place, each.place)):
            return each.reason, "external"
    return (baseline[report.fingerprint], "external") if report.fingerprint in baseline else ("", "")


def _comments(found: Found, texts: Texts) -> Mapping[str, str]:
    """What comments in YAML say next to the role."""
    if not _may_have_comments(found.source) or not re.search(_COMMENT, texts[found.source]):
        return {}
    from .lines import comments_at  # noqa: PLC0415 - few files have such comments

    said = comments_at(texts[found.source], found.located.path)
    return {rule: reason for rules, reason in said.values() for rule in rules}


def _with_fingerprints(reports: Sequence[Report]) -> list[Report]:
    """By what makes a finding the same; of several that are, each has its number."""
    from hashlib import sha256  # noqa: PLC0415 - slow to load

    count, here, identified = Counter[str](), Path.cwd(), []
    for each in reports:
        name = "\0".join((each.finding.rule, _relative(each.source, here), each.place, each.finding.message))
        count[name] += 1
        data = f"{name}\0{count[name]}".encode("utf-8", "surrogatepass")
        identified.append(each._replace(fingerprint=sha256(data).hexdigest()[:32]))
    return identified


def _with_lines(reports: Sequence[Report], texts: Texts) -> list[Report]:
    from .lines import lines_of  # noqa: PLC0415 - text for people has no lines

    paths = defaultdict(set)
    for each in reports:
        if each.found:
            paths[each.source].add(_path(each))
    lines = {source: lines_of(texts[source], wanted) for source, wanted in paths.items()}
    return [each._replace(line=lines[each.source][_path(each)] if each.found else _line_in(each)) for each in reports]


def line_of(found: Found, texts: Texts) -> int:
    """The line in which a role's policy begins, from 1."""
    from .lines import lines_of  # noqa: PLC0415 - text for people has no lines

    return lines_of(texts[found.source], [found.located.path])[found.located.path]


def _path(report: Report) -> tuple[str | int, ...]:
    """Where the statement stands. A single one may stand without a list: then the line is that of `Statement`."""
    inside = report.found.located.path if report.found else ()
    return inside if report.finding.statement is None else (*inside, "Statement", report.finding.statement)


def _line_in(report: Report) -> int:
    """The line that a parser complains about."""
    said = re.search(r"\bline (\d+)", report.finding.message)
    return int(said[1]) if said else 1


def _relative(source: str, folder: Path) -> str:
    """A source by its path from a folder, with slashes, whatever the system and however it was named."""
    return source if source == "-" else Path(os.path.relpath(source, folder)).as_posix()
