"""What a project says about `esc-oidc lint` in esc-oidc.toml or pyproject.toml."""

import json

import pytest

from tests.support.command import esc_oidc
from tests.support.judged import POLICY, WIDE


@pytest.fixture
def settings(tmp_path, monkeypatch, file):
    """Writes settings into a repository with a sound and a wide policy, and stands in it."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "infra").mkdir()
    file(WIDE, "infra/wide.json")
    file(POLICY, "good.json")
    monkeypatch.chdir(tmp_path)
    return lambda text, name="esc-oidc.toml": file(text, name)


def lint(*arguments):
    """The rules that are open, those that are accepted, and the status."""
    result = esc_oidc("lint", *arguments, "--format", "json")
    document = json.loads(result.stdout)
    return (*({each["rule"] for each in document[name]} for name in ("findings", "suppressed")), result.exit_code)


BOTH = {"organization-wide", "middle-wildcard"}
ACCEPT = '{ rule = "organization-wide", reason = "ours"%s }'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (BOTH, set(), 1)),
        ('select = ["organization-wide"]', ({"organization-wide"}, set(), 1)),
        ('ignore = ["organization-wide"]', ({"middle-wildcard"}, set(), 1)),
        ('ignore = ["organization-wide,middle-wildcard"]', (set(), set(), 0)),
        (f"ignore = [{ACCEPT % ''}]", ({"middle-wildcard"}, {"organization-wide"}, 1)),
        (f"""ignore = ["middle-wildcard", {ACCEPT % ', source = "infra/*.json", place = ""'}]""", None),
        (
            f"""ignore = ["middle-wildcard", {ACCEPT % ', source = "infra/*.json"'}]""",
            (set(), {"organization-wide"}, 0),
        ),
        (f"""ignore = ["middle-wildcard", {ACCEPT % ', source = "other/*"'}]""", ({"organization-wide"}, set(), 1)),
        (f"""ignore = ["middle-wildcard", {ACCEPT % ', place = "deployer-*"'}]""", ({"organization-wide"}, set(), 1)),
        ('exclude = ["infra/"]', (set(), set(), 0)),
        ('exclude = ["*.json"]\nfail-on-nothing = true', (set(), set(), 1)),
    ],
)
def test_settings_are_honoured(settings, text, expected):
    """The same in both files."""
    for name, head in (("pyproject.toml", "[project]\nname = 'x'\n[tool.esc-oidc]\n"), ("esc-oidc.toml", "")):
        settings(head + text, name)
        if expected is None:
            assert esc_oidc("lint", ".").exit_code == 2
        else:
            assert lint(".") == expected


def test_the_nearest_settings_count(settings, monkeypatch, tmp_path):
    """From here upwards, up to the repository's root; paths in them are relative to them."""
    settings('ignore = [{ rule = "organization-wide", source = "infra/*", reason = "ours" }]\nbaseline = "known.json"')
    settings('{"version": 1, "findings": []}', "known.json")
    settings("[project]\nname = 'esc-oidc-user'", "infra/pyproject.toml")
    monkeypatch.chdir(tmp_path / "infra")
    assert lint("wide.json") == ({"middle-wildcard"}, {"organization-wide"}, 1)
    (tmp_path / "infra" / ".git").mkdir()
    assert lint("wide.json") == (BOTH, set(), 1)


def test_options_go_first(settings):
    """`--select` and `--severity` replace what the settings say; `--ignore` adds to it."""
    settings('select = ["organization-wide"]\nseverity = "error"')
    assert lint(".", "--select", "middle-wildcard") == ({"middle-wildcard"}, set(), 1)
    assert lint(".", "--ignore", "organization-wide") == (set(), set(), 0)
    assert lint(".", "--severity", "warning")[2] == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("select = 7", "select must be a list"),
        ('severity = "note"', "write error or warning"),
        ('selekt = ["a"]', "there is no setting 'selekt'"),
        ('select = ["organisation-wide"]', "did you mean organization-wide?"),
        ('ignore = ["zzz"]', "docs/rules.md lists them"),
        ('ignore = [{ rule = "organization-wide" }]', "give rule and reason"),
        ('ignore = [{ rule = "organization-wide", reason = " " }]', "give rule and reason"),
        ('ignore = [{ rule = "organization-wide", reason = "x", file = "y" }]', "give rule and reason"),
        ("select = [", "esc-oidc.toml: "),
    ],
)
def test_mistakes_in_settings_are_said(settings, text, said):
    """The status is 2: with half of its settings, `lint` would judge something else."""
    settings(text)
    result = esc_oidc("lint", ".")
    assert result.exit_code == 2
    assert said in result.stderr


def test_without_settings_all_rules_count(settings, tmp_path, monkeypatch):
    """Outside a repository too; a table of another kind is none."""
    settings("tool = { esc-oidc = 7 }", "pyproject.toml")
    (tmp_path / ".git").rmdir()
    monkeypatch.chdir(tmp_path / "infra")
    assert lint(".") == (BOTH, set(), 1)


def test_mistakes_in_options_are_said(settings):
    """A rule that does not exist would never be found."""
    settings("")
    result = esc_oidc("lint", ".", "--ignore", "subject-anny")
    assert result.exit_code == 2
    assert "--ignore: there is no rule 'subject-anny': did you mean subject-any?" in result.stderr
