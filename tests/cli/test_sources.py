"""`esc-oidc lint FOLDER` reads whatever holds a trust policy, and no bad file stops it."""
# ruff: noqa: E501 - tables of cases, one a line

import json
import os
import shutil
import subprocess

import pytest

from esc_oidc.cli.sources import read_sources
from tests.support.command import esc_oidc
from tests.support.judged import POLICY, ROLE, WIDE
from tests.support.policies import STATEMENT

WORD = '"AssumeRolePolicyDocument"'


@pytest.fixture
def folder(tmp_path):
    """A folder with a sound and a wide policy, and more files of these names and contents."""

    def write(files):
        for name, content in {"good.json": POLICY, "wide.json": WIDE, **files}.items():
            path = tmp_path / "folder" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return tmp_path / "folder"

    return write


def lint(*arguments):
    """The document that `lint` prints, and its status."""
    result = esc_oidc("lint", *arguments, "--format", "json")
    return json.loads(result.stdout), result.exit_code


def unreadable(document, folder):
    """The files that are findings themselves, by name, with the message."""
    found = [each for each in document["findings"] if each["rule"] == "unreadable-file"]
    return {os.path.relpath(each["source"], folder): each["message"] for each in found}


def passed_over(document, folder):
    """The files that were passed over, by name, with the reason."""
    return {os.path.relpath(each["source"], folder): each["reason"] for each in document["passed_over"]}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("broken.json", "{" + WORD, "not JSON"),
        ("lone.json", "{", "this JSON ends in the middle"),
        ("cut.json", '{"Roles": [{"RoleName": "esc"}, ', "this JSON ends in the middle"),
        ("cut.tfstate", '{"resources": [{"type": "aws_ia', "this JSON ends in the middle"),
        ("cut16.json", '{"Roles": ['.encode("utf-16"), "this JSON ends in the middle"),
        ("commented.json", f"{{// the role\n{WORD}: {json.dumps(POLICY)},}}", "this is not JSON"),
        ("latin.json", f'{{"é": {WORD}}}'.encode("latin-1"), "not text in UTF-8"),
        ("broken.yaml", "AssumeRolePolicyDocument: [", "as YAML it is broken"),
        ("scalar.yaml", "AssumeRolePolicyDocument", "as YAML it is no object"),
        ("deep.json", "[" * 200_000 + WORD, "nested too deeply"),
        ("bomb.yaml", "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else WORD}]\n" for n in range(9)), "million"),
        ("endless.yaml", "AssumeRolePolicyDocument: &a [*a]", "million"),
    ],
)  # fmt: skip
def test_a_bad_file_is_a_finding_and_stops_nothing(folder, name, content, said):
    """The other files are judged; the status is that of a finding."""
    path = folder({name: content})
    document, status = lint(path)
    assert (document["policies"], status) == (2, 1)
    assert said in unreadable(document, path)[name]
    assert any(finding["rule"] == "organization-wide" for finding in document["findings"])


def test_broken_links_and_folders_are_findings(folder):
    """So is a link to nowhere; a link to a file is followed, one to a folder is not."""
    path = folder({})
    (path / "nowhere.json").symlink_to(path / "missing.json")
    (path / "again.json").symlink_to(path / "good.json")
    (path / "around").symlink_to(path)
    os.mkfifo(path / "pipe.json")
    document, status = lint(path)
    assert (document["policies"], status) == (3, 1)
    assert "No such file" in unreadable(document, path)["nowhere.json"]
    assert set(passed_over(document, path)) == {"pipe.json"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_a_finding(folder):
    """A file and a folder without permission stop nothing."""
    path = folder({"secret.json": "{}", "closed/a.json": "{}"})
    (path / "secret.json").chmod(0)
    (path / "closed").chmod(0)
    try:
        assert set(unreadable(lint(path)[0], path)) == {"secret.json", "closed"}
    finally:
        (path / "closed").chmod(0o700)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_odd_encodings_are_read(folder, encoding):
    """PowerShell writes UTF-16, and some editors a byte-order mark."""
    path = folder({"odd.json": json.dumps(ROLE).encode(encoding)})
    assert lint(path)[0]["policies"] == 3


def test_what_is_passed_over_is_said(folder):
    """Each with the reason; nothing of it is an error."""
    allow = {**STATEMENT, "Principal": "*", "Resource": "*"}
    path = folder({
        "package.json": {"name": "x"},
        "settings.json": "// no JSON\n{}",
        "bucket.json": {"Statement": [{**allow, "Action": "s3:GetObject"}]},
        "key.yaml": "Statement: [{Effect: Allow, Principal: '*', Action: 'kms:*', Resource: '*'}]",
        "permissions.json": {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]},
        "main.tf": 'resource "aws_iam_role" "a" { assume_role_policy = "" }',
        "other.tf": "locals {}",
        "plan.json": {"resource_changes": [], "note": WORD},
        "README.md": WORD,
    })  # fmt: skip
    document, _ = lint(path)
    reasons = passed_over(document, path)
    assert unreadable(document, path) == {}
    assert set(reasons) == {
        "package.json", "settings.json", "bucket.json", "key.yaml", "permissions.json", "main.tf", "other.tf", "plan.json",
    }  # fmt: skip
    assert reasons["bucket.json"] == "a policy of another service (s3)"
    assert reasons["key.yaml"] == "a policy of another service (kms)"
    assert reasons["permissions.json"] == "a permission policy"
    assert "terraform show -json" in reasons["main.tf"]
    printed = esc_oidc("lint", path).stdout
    assert printed.splitlines()[-1] == (
        "Passed over: 6 without a trust policy, 1 in Terraform's own language (lint the plan), 1 that cannot be read and "
        "name no trust policy; --verbose names them."
    )
    assert f"{path / 'bucket.json'}: passed over: a policy of another" in esc_oidc("lint", path, "-v").stdout


UNREAD = "nothing in it is about trust policies; it cannot be read: "


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("latin.json", '{"é": 1}'.encode("latin-1"), f"{UNREAD}this is not text in UTF-8"),
        ("latin.yaml", "é: 1".encode("latin-1"), f"{UNREAD}this is not text in UTF-8"),
        ("image.template", b"\x89PNG\r\n\x1a\n\x00\xff", f"{UNREAD}this is not text in UTF-8"),
        ("tsconfig.json", '{// options\n "a": {},}', f"{UNREAD}this is not JSON"),
        ("fixture.json", "not json", f"{UNREAD}this is not JSON"),
        ("empty.json", "", f"{UNREAD}this is not JSON"),
        ("deep.json", "[" * 200_000, f"{UNREAD}maximum recursion"),
        ("snippets.json", '{// If Statement\n "If": {"body": "/* Statement */",}}', f"{UNREAD}this is not JSON"),
        ("events.json", '{"a": 1}\n\n{"b": "Statement"}\n', "there is no role's trust policy in it"),
        ("helm.yaml", "{{- if .Values.role }}\nAssumeRolePolicyDocument: {{ .Values.policy }}\n", "it is the template of another tool"),
        ("jinja.json", f"{{{WORD}: {{{{ policy }}}} }}", "it is the template of another tool"),
        ("erb.template", f"{{{WORD}: <%= policy %> }}", "it is the template of another tool"),
        ("several.yaml", "a: 1\n---\nb: 2\n---\n- Statement\n", "there is no role's trust policy in it"),
    ],
)  # fmt: skip
def test_what_is_no_document_is_passed_over_and_said(folder, name, content, reason):
    """Source trees are full of such files: none of them is a finding, and each is counted and named."""
    path = folder({name: content})
    document, _ = lint(path)
    assert unreadable(document, path) == {}
    assert passed_over(document, path)[name].startswith(reason)
    printed = esc_oidc("lint", path).stdout.splitlines()[-1]
    kind = "that cannot be read and name no trust policy" if reason.startswith(UNREAD) else "without a trust policy"
    kind = "templates of another tool (lint what it renders)" if "another tool" in reason else kind
    assert printed == f"Passed over: 1 {kind}; --verbose names them."
    assert f"{path / name}: passed over: {reason}" in esc_oidc("lint", path, "-v").stdout


def test_a_template_or_log_that_is_named_has_to_be_readable(folder):
    """What is no document is an error then; the lines of a log are documents."""
    path = folder({"helm.yaml": "{{- if .Values.role }}\nStatement: {{ .Values.policy }}\n"})
    assert esc_oidc("lint", path / "helm.yaml").exit_code == 2
    path = folder({"log.json": f"{json.dumps({'event': 1})}\n{json.dumps(ROLE)}\n{json.dumps(WIDE)}\n"})
    assert lint(path / "log.json")[0]["policies"] == 2


@pytest.mark.parametrize("name", [".git", ".venv", "node_modules", ".terraform"])
def test_tools_folders_are_left_alone(folder, name):
    """They hold other people's files; so does any virtual environment."""
    path = folder({f"{name}/a.json": WIDE, "own/pyvenv.cfg": "", "own/a.json": WIDE})
    assert lint(path)[0]["policies"] == 2


IGNORES = [
    "a.json", "/a.json", "sub/", "/sub", "sub/a.json", "*.json", "*.json\n!b.json", "**/a.json", "sub/**", "sub/**/c.json",
    "?.json", "[ab].json", "[!a].json", "[^a].json", "\\!a.json", "# a.json", "\\#a.json", "a.json  ", "!a.json\n*.json", "sub/*\n!sub/b.json",
    "sub\n!sub/b.json", "su*/", "*/a.json", "a.json/", "/", "**", "deep/**/a.json", "**/deep", "x y.json", "[]a].json", "a\\.json",
    "****/a.json", "sub/[!b]**/**", "?**/*.json", "***/**", "[b-a]", "[a", "\\", "*\\",
]  # fmt: skip


@pytest.mark.skipif(shutil.which("git") is None, reason="git is the judge")
@pytest.mark.parametrize("lines", IGNORES)
def test_gitignore_is_read_as_git_reads_it(folder, lines):
    """Git itself says which files of the folder it would not ignore."""
    names = ["a.json", "b.json", "x y.json", "#a.json", "!a.json", "].json", "deep/a.json", "deep/er/a.json"]
    names += [f"sub/{name}" for name in ("a.json", "b.json", "c.json", "deep/a.json", "deep/c.json")]
    path = folder({**dict.fromkeys(names, POLICY), ".gitignore": lines})
    git(path, "init", "-q")
    listed = git(path, "ls-files", "-z", "--others", "--exclude-per-directory=.gitignore")
    expected = {name for name in listed.split("\0") if name.endswith(".json")}
    assert lint(path)[0]["policies"] == len(expected)
    judged = {os.path.relpath(each, path) for each in found(path)}
    assert judged == expected


def git(folder, *arguments):
    """What git prints."""
    command = [str(shutil.which("git")), "-C", folder, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - git itself


def found(path):
    """The files below a folder that are not passed over."""
    return [each.source for each in read_sources([str(path)]).found]


def test_the_rules_of_the_repository_hold_in_its_folders(folder):
    """A folder inside a repository has the rules above it too, and its own go first; what is named is read."""
    path = folder({".gitignore": "a.json\nb.json", "in/.gitignore": "!b.json", "in/a.json": WIDE, "in/b.json": WIDE})
    (path / ".git").mkdir()
    assert [each.removeprefix(str(path)) for each in found(path / "in")] == ["/in/b.json"]
    assert lint(path / "in" / "a.json")[0]["policies"] == 1


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing.json", None, "No such file"),
        ("broken.json", "{", "this is not JSON"),
        ("package.json", {"name": "x"}, "there is no trust policy"),
        ("list.json", [1], "there is no object with a trust policy"),
        ("bucket.json", {"Statement": [{**STATEMENT, "Action": "s3:*"}]}, "this is a policy of another service (s3)"),
        ("main.tf", "locals {}", "Terraform's own language is not parsed"),
        ("notes.txt", "some: [", "as YAML it is broken"),
    ],
)
def test_a_named_file_has_to_be_readable(folder, name, content, said):
    """The others are judged first; the status is 2, since what was asked for was not done."""
    path = folder({} if content is None else {name: content})
    result = esc_oidc("lint", path / name, path / "wide.json")
    assert result.exit_code == 2
    assert f"{path / name}: " in result.stderr
    assert said in result.stderr
    assert "organization-wide" in result.stdout


def test_standard_input_may_be_yaml():
    """A template can be piped in, as JSON can."""
    result = esc_oidc("lint", "-", stdin=f"Resources: {{R: {{Type: T, Properties: {{{WORD}: {json.dumps(WIDE)}}}}}}}\n")
    assert "R, statement 0: error organization-wide" in result.stdout


def test_several_yaml_documents_are_read(folder):
    """A file may hold several, as manifests do; dates and unknown tags are left as they are."""
    document = "kind: Role\nspec:\n  name: NAME\n  made: 2026-01-05\n  other: !Tag {a: !Seq [1]}\n  assumeRolePolicyDocument: '%s'\n"
    wide = document % json.dumps(WIDE)
    path = folder(
        {"manifests.yaml": "---\n".join([wide.replace("NAME", "one"), wide.replace("NAME", "two"), "null\n"])}
    )
    places = {each["place"] for each in lint(path / "manifests.yaml")[0]["findings"]}
    assert places == {"one", "two"}


def test_a_policy_with_open_values_cannot_be_explained_or_proved(folder):
    """Both speak of one policy, whole: the message names what the template leaves open."""
    name = {"Ref": "Environment"}
    policy = json.loads(json.dumps(POLICY))
    policy["Statement"][0]["Condition"]["StringEquals"]["api.pulumi.com/oidc:sub"] = name
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": policy}}
    path = folder({"t.json": {"Resources": {"Deployer": role}}})
    result = esc_oidc("prove", path / "t.json", "--audience", "a", "--subject", "b")
    assert result.exit_code == 2
    assert "t.json: Deployer: the policy depends on what the template leaves open (Environment)" in result.stderr
