"""The program and the import file that are written: what they hold, and that nothing else is touched."""

import ast
import json
import os

import pytest

from esc_oidc.live import BadImportFile, filled_in, project_files, replace_file, resources, write_folder
from tests.support.adopting import CASES, adopted, existing, parse
from tests.support.deploying import deploy

ADOPTED = [case for case in CASES if "inputs" in case]
RICH = next(case for case in CASES if case["name"].startswith("everything"))


def files_of(case, name="login"):
    return project_files(existing(case), adopted(case), name)


@pytest.mark.parametrize("case", ADOPTED, ids=lambda case: case["name"])
def test_the_program_declares_what_was_recovered(case):
    """Under Pulumi's mocks it registers every resource of the import file, under that name, and no other."""
    files = files_of(case)
    given = case["inputs"]
    answer = {"client_id_lists": ["aws:contoso", "contoso"]}
    program = compile(files["__main__.py"], "__main__.py", "exec")
    deployed = deploy(lambda: exec(program, {"__name__": "__main__"}), provider=answer)  # noqa: S102 - just written
    assert deployed.error is None
    listed = json.loads(files["import.json"])["resources"]
    assert {(each["type"], each["name"]) for each in listed} == {(each.type, each.name) for each in deployed.resources}
    assert {each.get("parent") for each in listed[1:]} == {"login"}
    role = deployed.one("Role").inputs
    assert role["name"] == "esc"
    assert role.get("description", "") == given.get("role_description", "")
    calls = [node for node in ast.walk(ast.parse(files["__main__.py"])) if isinstance(node, ast.Call)]
    keywords = {each.arg: ast.literal_eval(each.value) for each in calls[0].keywords}
    assert keywords == adopted(case).inputs
    assert parse(keywords).violations == ()
    assert max(map(len, files["__main__.py"].splitlines())) <= 200


def test_the_program_is_what_a_person_would_write():
    """Only what differs from the defaults, each value as Python writes it."""
    lines = files_of(RICH)["__main__.py"].splitlines()
    assert lines[:8] == [
        '"""The ESC environment contoso/aws/dev and its role, adopted."""',
        "",
        "from esc_oidc import PulumiEscOidc",
        "",
        "PulumiEscOidc(",
        '    "login",',
        '    organization="contoso",',
        '    project="aws",',
    ]
    assert """    role_description='It\\'s "ours".',""" in lines
    assert '    role_path="/team/",' in lines
    assert lines[-1] == ")"
    assert not any("thumbprints" in line or "force" in line for line in lines)


def test_the_import_file_names_each_resource_by_its_id():
    """As the providers read them, with the versions that the program asks for."""
    listed = json.loads(files_of(RICH)["import.json"])["resources"]
    assert listed[0] == {"type": "esc-oidc:index:PulumiEscOidc", "name": "login", "component": True}
    assert [(each["name"], each["id"]) for each in listed[1:]] == [
        ("login-role", "esc"),
        ("login-policy-ReadOnlyAccess-2a3bda39", "esc/arn:aws:iam::aws:policy/ReadOnlyAccess"),
        ("login-policy-own-d7cbde4b", "esc/arn:aws:iam::123456789012:policy/own"),
        ("login-inline-logs", "esc:logs"),
        ("login-environment", "contoso/aws/dev"),
    ]
    assert all(each["version"][0].isdigit() for each in listed[1:])


def test_hostile_names_stay_text():
    """Quotes, line ends and code, in whatever AWS lets people write."""
    nasty = '"""\\") or __import__("os") #\n\té \\'
    case = {**CASES[0], "role": {"description": nasty, "tags": {"owner": "x + 1 = é \U00020000"}}}
    text = files_of(case, "it's \u202e")["__main__.py"]
    assert "\u202e" not in text
    tree = ast.parse(text)
    assert [type(node) for node in tree.body] == [ast.Expr, ast.ImportFrom, ast.Expr]
    call = tree.body[2].value
    assert ast.literal_eval(call.args[0]) == "it's \u202e"
    assert {each.arg: ast.literal_eval(each.value) for each in call.keywords} == adopted(case).inputs
    assert adopted(case).inputs["role_description"] == nasty


CLI = """{
    "nameTable": {},
    "resources": [
        {"type": "aws:iam/role:Role", "name": "login-role", "id": "\\u003cPLACEHOLDER\\u003e", "parent": "login"},
        {"type": "aws:iam/role:Role", "name": "x", "logicalName": "login-role", "id": "<PLACEHOLDER>"},
        {"type": "aws:iam/rolePolicy:RolePolicy", "name": "login-inline-new", "id": "<PLACEHOLDER>"},
        {"type": "aws:s3/bucket:Bucket", "name": "login-bucket", "id": "<PLACEHOLDER>"},
        {"type": "aws:iam/role:Role", "name": "other-role", "id": "<PLACEHOLDER>"},
        {"type": "aws:iam/role:Role", "name": "login-role", "id": "mine"},
        {"type": "esc-oidc:index:PulumiEscOidc", "name": "login", "component": true}
    ]
}
"""


def test_placeholders_are_filled_in_by_type_and_name():
    """Those of other resources stay, and what does not exist is named; the rest of the file stays as it is."""
    found = resources(existing(CASES[0]), adopted(CASES[0]), "login")
    text, done, absent = filled_in(CLI, found, "login")
    assert [each.get("id") for each in json.loads(text)["resources"]] == [
        "esc",
        "esc",
        "<PLACEHOLDER>",
        "<PLACEHOLDER>",
        "<PLACEHOLDER>",
        "mine",
        None,
    ]
    assert (done, absent) == (["login-role", "login-role"], ["login-inline-new"])
    assert text.startswith('{\n    "nameTable"')
    assert text.endswith("}\n")
    restored = json.loads(text)
    for index in (0, 1):
        restored["resources"][index]["id"] = "<PLACEHOLDER>"
    assert restored == json.loads(CLI)
    assert filled_in('{"resources": []}', found, "login")[0] == '{"resources": []}'


def test_an_import_file_that_is_nested_too_deeply_is_refused():
    """Whether it can't be read, or only not be written again."""
    for depth in (101, 500, 100_000):
        with pytest.raises(BadImportFile, match="nested too deeply"):
            filled_in('{"resources": ' + "[" * depth + "]" * depth + "}", [], "login")


@pytest.mark.parametrize("text", ["", "[]", '{"resources": [1]}', '{"resources": [{"id": "<PLACEHOLDER>"}]}'])
def test_another_file_is_no_import_file(text):
    """It is left alone."""
    with pytest.raises(BadImportFile):
        filled_in(text, [], "login")


def test_a_folder_is_written_whole_or_not_at_all(tmp_path):
    """A file that can't be written leaves nothing behind, and nothing that exists is touched."""
    with pytest.raises(FileNotFoundError) as raised:
        write_folder(tmp_path / "new", {"x": "1", "a/b": "2"})
    assert raised.value.filename == str(tmp_path / "new")
    assert list(tmp_path.iterdir()) == []
    write_folder(tmp_path / "new", {"x": "é"})
    assert (tmp_path / "new" / "x").read_text("utf-8") == "é"
    with pytest.raises(FileExistsError):
        write_folder(tmp_path / "new", {"x": "2"})
    os.symlink(tmp_path / "nowhere", tmp_path / "link")  # noqa: PTH211 - a link that leads nowhere
    with pytest.raises(FileExistsError):
        write_folder(tmp_path / "link", {"x": "2"})
    assert {each.name for each in tmp_path.iterdir()} == {"new", "link"}


def test_a_file_is_replaced_at_once_and_keeps_its_mode(tmp_path):
    """Nothing is left beside it, even if it can't be replaced."""
    path = tmp_path / "import.json"
    path.write_text("old")
    path.chmod(0o640)
    replace_file(path, "new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o640)
    with pytest.raises(FileNotFoundError) as raised:
        replace_file(tmp_path / "none", "x")
    assert raised.value.filename == str(tmp_path / "none")
    assert list(tmp_path.iterdir()) == [path]
