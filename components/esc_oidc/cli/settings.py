"""What a project says about `lint`: `[tool.esc-oidc]` in pyproject.toml, or esc-oidc.toml."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..verify import RULES
from .output import fail

UNREADABLE_FILE: Final = "unreadable-file"
SUPPRESSION: Final = "suppression"


class FileRule(NamedTuple):
    """A rule about files; those about policies are `RULES`.

    Attributes:
        title: What it is about, in one line.
        why: What it means.
        fix: What to do.
        source: The page that documents the fact behind it.
    """

    title: str
    why: str
    fix: str
    source: str


FILE_RULES: Final[Mapping[str, FileRule]] = {
    UNREADABLE_FILE: FileRule(
        "A file that cannot be read",
        "It may hold trust policies, which were not judged.",
        "Correct the file, or exclude it; whatever it holds was not judged.",
        "https://www.rfc-editor.org/rfc/rfc8259",
    ),
    SUPPRESSION: FileRule(
        "A suppression that suppresses nothing",
        "It accepts nothing, although somebody wrote it to accept a finding.",
        "Write `# esc-oidc: ignore RULE[, RULE]: REASON`, or the rule and its reason in the role's metadata.",
        "https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html",
    ),
}

_FILE: Final = "esc-oidc.toml"
_PROJECT: Final = "pyproject.toml"


class Silence(NamedTuple):
    """Findings that are accepted.

    Attributes:
        rule: The rule's id.
        source: The file, as a glob relative to the settings; None for any.
        place: The role, as a glob; None for any.
        reason: Why.
    """

    rule: str
    source: str | None
    place: str | None
    reason: str


class Settings(NamedTuple):
    """What to judge, what to leave out, and what makes the exit status 1.

    Attributes:
        folder: What relative paths in the file are relative to.
        select: The only rules to check; empty for all.
        ignore: Rules not to check.
        silences: Findings that are accepted for a reason.
        severity: The lowest severity that makes the exit status 1.
        baseline: A file with findings that are known.
        exclude: Files and folders to pass over, as in `.gitignore`.
        fail_on_nothing: Whether it is a failure that nothing was judged.
        fail_on_unknown: Whether it is a failure that a policy could not be judged in full.
    """

    folder: Path
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    silences: Sequence[Silence] = ()
    severity: str = "warning"
    baseline: Path | None = None
    exclude: Sequence[str] = ()
    fail_on_nothing: bool = False
    fail_on_unknown: bool = False

    def checks(self, rule: str) -> bool:
        """Whether to report what a rule finds."""
        return rule not in self.ignore and (not self.select or rule in self.select)


def find_settings() -> Settings:
    """The settings of the nearest folder from here upwards, not beyond the repository; the defaults if there are none.

    Ends the command with status 2 if they cannot be read or have a mistake.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        for name in (_FILE, _PROJECT):
            path = folder / name
            if path.is_file() and (table := _table(path)) is not None:
                return _read(table, path)
        if (folder / ".git").exists():
            break
    return Settings(here)


def rules_of(given: Iterable[object], where: str) -> list[str]:
    """Rule ids, each alone or several with commas between them; ends the command for one that does not exist."""
    rules = [rule.strip() for each in given for rule in str(each).split(",") if rule.strip()]
    for rule in rules:
        if unknown := no_such_rule(rule):
            fail(f"{where}: {unknown}")
    return rules


def no_such_rule(rule: str) -> str:
    """That a rule does not exist, with the nearest that does; empty if it does."""
    known = [*RULES, *FILE_RULES]
    if rule in known:
        return ""
    from ..inputs import nearest  # noqa: PLC0415 - only for a mistake

    near = nearest(rule, known)
    return f"there is no rule {rule!r}: {f'did you mean {near}?' if near else 'docs/rules.md lists them.'}"


def _table(path: Path) -> Mapping[str, Any] | None:
    try:
        text = path.read_text("utf-8")
        if path.name == _PROJECT and "esc-oidc" not in text:
            return None
        import tomllib  # noqa: PLC0415 - only where there are settings

        document = tomllib.loads(text)
    except (OSError, ValueError) as error:
        fail(f"{path}: {error}")
    table = document if path.name == _FILE else document.get("tool", {}).get("esc-oidc")
    return table if isinstance(table, dict) else None


def _read(table: Mapping[str, Any], path: Path) -> Settings:
    kinds: Mapping[str, type] = {
        "select": list, "ignore": list, "exclude": list, "severity": str, "baseline": str,
        "fail-on-nothing": bool, "fail-on-unknown": bool,
    }  # fmt: skip
    for name, value in table.items():
        if name not in kinds:
            fail(f"{path}: there is no setting {name!r}; there are {', '.join(kinds)}.")
        if not isinstance(value, kinds[name]):
            fail(f"{path}: {name} must be a {kinds[name].__name__}.")
    severity = table.get("severity", "warning")
    if severity not in {"error", "warning"}:
        fail(f"{path}: severity is {severity!r}: write error or warning.")
    accepted = [each for each in table.get("ignore", []) if isinstance(each, dict)]
    plain = [each for each in table.get("ignore", []) if not isinstance(each, dict)]
    baseline = table.get("baseline")
    return Settings(
        path.parent,
        rules_of(table.get("select", []), f"{path}: select"),
        rules_of(plain, f"{path}: ignore"),
        [_silence(each, path) for each in accepted],
        severity,
        path.parent / baseline if baseline else None,
        [str(each) for each in table.get("exclude", [])],
        table.get("fail-on-nothing", False),
        table.get("fail-on-unknown", False),
    )


def _silence(entry: Mapping[str, Any], path: Path) -> Silence:
    unknown = set(entry) - set(Silence._fields)
    texts = all(isinstance(value, str) and value.strip() for value in entry.values())
    if unknown or not texts or not {"rule", "reason"} <= set(entry):
        fail(f"{path}: ignore: {dict(entry)!r}: give rule and reason, and source or place if it is about some only.")
    (rule,) = rules_of([entry["rule"]], f"{path}: ignore") or [""]
    return Silence(rule, entry.get("source"), entry.get("place"), entry["reason"])
