"""No document and no file name ends `esc-oidc lint`, whatever stands in it."""

import copy
import json
import os
import random
from pathlib import Path

import pytest
import yaml

from esc_oidc.cli.tags import loader
from tests.support.command import esc_oidc
from tests.support.judged import WIDE

SHAPES = sorted((Path(__file__).parents[1] / "shapes").iterdir())
ODD = [
    None, 7, -1.5, True, "", [], {}, "x", [[]], 10**400, float("nan"), "\ud800", "a\0b", "${", "⟦a⟧", "%7b%zz",
    {"Ref": 7}, {"Fn::Sub": [1, 2]}, {"Fn::Join": [1, ["a"]]}, {"Fn::If": []}, {"Fn::GetAtt": []}, {"Statement": None},
    {"Statement": [None]}, {"4dabf18193072939515e22adb298388d": 1}, {"esc-oidc": 7}, {"esc-oidc": {"ignore": [1]}},
    '{"Statement":7}', '{"AssumeRolePolicyDocument":',
]  # fmt: skip


def places(value, path=()):
    """The path of every value in a document."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*path, key))


def broken(document, rng):
    """The document with some values replaced by odd ones."""
    for _ in range(rng.randint(1, 3)):
        document = copy.deepcopy(document)
        *outer, last = rng.choice([path for path in places(document) if path] or [("x",)])
        inner = document
        for key in outer:
            inner = inner[key]
        inner[last] = rng.choice(ODD)
    return document


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
@pytest.mark.parametrize("output", ["text", "sarif"])
def test_any_document_is_survived(tmp_path, monkeypatch, shape, output):
    """With odd values anywhere; the sound file beside them is judged all the same."""
    rng = random.Random(f"{shape.name} {output}")
    text = shape.read_text()
    document = json.loads(text) if text.lstrip()[0] in "{[" else next(yaml.load_all(text, loader()))
    for number in range(60):
        (tmp_path / f"{number}.json").write_text(json.dumps(broken(document, rng)))
    (tmp_path / "wide.json").write_text(json.dumps(WIDE))
    monkeypatch.chdir(tmp_path)
    result = esc_oidc("lint", ".", "--format", output)
    assert result.exit_code == 1, result.exception
    assert "wide.json" in result.stdout
    assert "organization-wide" in result.stdout


NAMES = ["two\nlines.json", "::error::a.json", "\x1b[31mred.json", "latin-\udce9.json", "100%, a:b.json", " .json"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("output", ["text", "json", "sarif", "github"])
def test_any_file_name_is_survived(tmp_path, monkeypatch, name, output):
    """It stays in its line, and says nothing to a terminal or a pipeline."""
    Path(os.fsdecode(tmp_path), name).write_text(json.dumps(WIDE))
    monkeypatch.chdir(tmp_path)
    result = esc_oidc("lint", ".", "--format", output, "--verbose")
    assert result.exit_code == 1, result.exception
    assert "\x1b" not in result.stdout
    assert "two\nlines" not in result.stdout
    if output in {"json", "sarif"}:
        assert json.loads(result.stdout)
    if output == "github":
        assert all(line.startswith("::error file=") for line in result.stdout.splitlines() if line.startswith("::"))


def test_a_name_of_a_role_is_no_command(file):
    """Neither are its values: each finding is one line that begins as every finding does."""
    role = {"RoleName": "a\n::error::b", "AssumeRolePolicyDocument": WIDE}
    for output in ("text", "github"):
        lines = esc_oidc("lint", file(role), "--format", output).stdout.splitlines()
        assert not any(line.startswith("::error::") for line in lines)
