"""What is accepted in `esc-oidc lint`, in which line a finding stands, and what GitHub and code scanning read."""

import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from jsonschema import Draft4Validator

from tests.support.command import esc_oidc
from tests.support.judged import POLICY, ROLE, WIDE
from tests.support.policies import example

SHAPES = Path(__file__).parents[1] / "shapes"
TEMPLATE = """\
Resources:
  Before:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: POLICY
  # a comment about something else
  Deployer:
    Type: AWS::IAM::Role
    COMMENT
    Properties:
      AssumeRolePolicyDocument: POLICY  # BEHIND
""".replace("POLICY", json.dumps(WIDE))


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    """Settings and baselines are looked for where the command runs."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)


def lint(*arguments):
    """The document that `lint` prints."""
    return json.loads(esc_oidc("lint", *arguments, "--format", "json").stdout)


def rules(findings, place):
    """The rules that are broken at a place."""
    return {each["rule"] for each in findings if each["place"] == place}


@pytest.mark.parametrize("where", ["COMMENT", "BEHIND"])
def test_a_comment_inside_the_role_accepts_a_finding(file, where):
    """It names rules and a reason; the role beside it keeps its findings."""
    said = "esc-oidc: ignore organization-wide, middle-wildcard: all of it is ours"
    text = TEMPLATE.replace("COMMENT", f"# {said}") if where == "COMMENT" else TEMPLATE.replace(where, said)
    source = file(text.replace("    COMMENT\n", ""), "t.yaml")
    document = lint(source)
    assert rules(document["findings"], "Before") == {"organization-wide", "middle-wildcard"}
    assert rules(document["findings"], "Deployer") == set()
    assert {each["reason"] for each in document["suppressed"]} == {"all of it is ours"}
    text = esc_oidc("lint", source).stdout
    assert text.endswith("2 trust policies: 2 errors, 0 warnings, 2 suppressed.\n")
    assert "suppressed: all of it is ours" in esc_oidc("lint", source, "-v").stdout


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ("# esc-oidc: ignore organization-wide", "it gives no reason to ignore organization-wide."),
        ("# esc-oidc: ignore organization-wide:  ", "it gives no reason to ignore organization-wide."),
        ("# esc-oidc: ignore organisation-wide: ours", "there is no rule 'organisation-wide': did you mean org"),
        ("# esc-oidc: ignore Organization_Wide: ours", "there is no rule 'Organization_Wide'"),
        ("# esc-oidc: ignore", "it does not have the form of one."),
        ("# esc-oidc: ignore organization-wide because it is ours", "it does not have the form of one."),
        ("# esc-oidc ignore organization-wide: ours", "it does not have the form of one."),
        ("# ESC-OIDC: IGNORE organization-wide: ours", "it does not have the form of one."),
    ],
)  # fmt: skip
def test_a_comment_that_accepts_nothing_says_so(file, comment, said):
    """It is a finding in its line, whether the reason is missing, the rule or the form."""
    document = lint(file(TEMPLATE.replace("COMMENT", comment), "t.yaml"))
    assert document["suppressed"] == []
    (finding,) = [each for each in document["findings"] if each["rule"] == "suppression"]
    assert finding["message"].startswith(f"the comment in line 9 suppresses nothing: {said}")
    assert (finding["line"], finding["severity"]) == (9, "error")
    assert esc_oidc("lint", file(TEMPLATE.replace("COMMENT", comment), "t.yaml"), "--ignore", "suppression").stdout


@pytest.mark.parametrize("metadata", ["ignore", None, {}, [], {"ignored": {"organization-wide": "ours"}}])
def test_metadata_of_another_form_says_so(file, metadata):
    """Whoever wrote it expected something of it."""
    role = {"Type": "AWS::IAM::Role", "Metadata": {"esc-oidc": metadata}}
    role["Properties"] = {"AssumeRolePolicyDocument": POLICY}
    (finding,) = lint(file({"Resources": {"R": role}}, "a.json"))["findings"]
    assert finding["message"] == "the metadata suppresses nothing: it does not have the form of one."


ACCEPTS = "# esc-oidc: ignore organization-wide, middle-wildcard: ours"


@pytest.mark.parametrize("place", ["Resources:", "  Deployer:", "  Before:", "\nOutputs: {}"])
def test_a_comment_outside_every_role_says_so(file, place):
    """Above a role, or above all of them, it belongs to none, and suppresses nothing."""
    text = TEMPLATE.replace("    COMMENT\n", "").replace("  # a comment about something else\n", "") + "\nOutputs: {}\n"
    indented = " " * (len(place) - len(place.lstrip(" ")))
    document = lint(file(text.replace(place, f"{indented}{ACCEPTS}\n{place}", 1), "t.yaml"))
    assert document["suppressed"] == []
    (finding,) = [each for each in document["findings"] if each["rule"] == "suppression"]
    assert "suppresses nothing: it stands inside no role" in finding["message"]


@pytest.mark.parametrize(
    "text",
    ["Description: |\n      {}", "Description: >-\n      a\n      {}\n      b", "Description: 'a\n      {}\n      b'",
     'Description: "a {}"', "Description: a{}"],
)  # fmt: skip
def test_what_is_no_comment_accepts_nothing(file, text):
    """In a block scalar or between quotes the same words are text, and nothing is said of them."""
    document = lint(file(TEMPLATE.replace("COMMENT", text.format(ACCEPTS)), "t.yaml"))
    assert document["suppressed"] == []
    assert "suppression" not in {each["rule"] for each in document["findings"]}


def test_a_comment_behind_the_sign_of_a_block_scalar_is_one(file):
    """The text begins in the next line."""
    document = lint(file(TEMPLATE.replace("COMMENT", f"Description: | {ACCEPTS}\n      text"), "t.yaml"))
    assert {each["place"] for each in document["suppressed"]} == {"Deployer"}


def test_of_several_rules_the_unknown_one_is_named(file):
    """The others are accepted."""
    comment = "# esc-oidc: ignore organization-wide, any-thing: ours"
    document = lint(file(TEMPLATE.replace("COMMENT", comment), "t.yaml"))
    assert [each["rule"] for each in document["suppressed"]] == ["organization-wide"]
    (finding,) = [each for each in document["findings"] if each["rule"] == "suppression"]
    assert "there is no rule 'any-thing'" in finding["message"]


@pytest.mark.parametrize(
    ("ignored", "said"),
    [
        ({"organization-wide": ""}, "it gives no reason to ignore organization-wide."),
        ({"organization-wide": True}, "it gives no reason to ignore organization-wide."),
        (["organization-wide"], "it gives no reason to ignore organization-wide."),
        ("organization-wide", "it gives no reason to ignore organization-wide."),
        (None, "it does not have the form of one."),
        (True, "it does not have the form of one."),
        ({"organization-wd": "ours"}, "there is no rule 'organization-wd': did you mean organization-wide?"),
    ],
)
def test_metadata_that_accepts_nothing_says_so(file, ignored, said):
    """It is a finding about the role, even if the role has no other."""
    for policy in (WIDE, POLICY):
        role = {"Type": "AWS::IAM::Role", "Metadata": {"esc-oidc": {"ignore": ignored}}}
        role["Properties"] = {"AssumeRolePolicyDocument": policy}
        block = {"assume_role_policy": json.dumps(policy), "//": role["Metadata"]}
        for document in ({"Resources": {"R": role}}, {"resource": {"aws_iam_role": {"R": block}}}):
            found = lint(file(document, "a.tf.json"))
            assert found["suppressed"] == []
            (finding,) = [each for each in found["findings"] if each["rule"] == "suppression"]
            assert finding["message"] == f"the metadata suppresses nothing: {said}"
            assert finding["place"].endswith("R")


def test_a_comment_speaks_for_a_manifest_too(file):
    """Any YAML with a role may have one, also a policy that is the whole document."""
    reason = "# esc-oidc: ignore organization-wide, middle-wildcard: ours\n"
    for name, text in {
        "one.yaml": f"spec:\n  {reason}  assumeRolePolicyDocument: '{json.dumps(WIDE)}'\n",
        "two.yaml": f"--- \nkind: x\n---\nspec:\n  {reason}  assumeRolePolicyDocument: '{json.dumps(WIDE)}'\n",
        "three.yaml": f"Version: 2012-10-17\n{reason}Statement: {json.dumps(WIDE['Statement'])}\n",
    }.items():
        document = lint(file(text, name))
        assert document["findings"] == []
        assert len(document["suppressed"]) == 2


def test_metadata_accepts_a_finding(file):
    """JSON has no comments: a template's metadata, and the `//` of Terraform, have the same."""
    said = {"esc-oidc": {"ignore": {"organization-wide": "ours", "middle-wildcard": "ours"}}}
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": WIDE}, "Metadata": said}
    block = {"assume_role_policy": json.dumps(WIDE), "//": said}
    for document in ({"Resources": {"Deployer": role}}, {"resource": {"aws_iam_role": {"deployer": block}}}):
        result = esc_oidc("lint", file(document))
        assert (result.exit_code, result.stdout) == (0, "1 trust policy: 0 errors, 0 warnings, 2 suppressed.\n")


def test_a_baseline_leaves_only_what_is_new(file, tmp_path):
    """What was written down is known, wherever in the file it stands now; one more of the same is new."""
    source, baseline = file({"Roles": [ROLE["Role"] | {"AssumeRolePolicyDocument": WIDE}]}), tmp_path / "known.json"
    written = esc_oidc("lint", source, "--write-baseline", baseline)
    assert written.exit_code == 0
    assert len(json.loads(baseline.read_text())["findings"]) == 2
    assert esc_oidc("lint", source, "--baseline", baseline).exit_code == 0
    wide = ROLE["Role"] | {"AssumeRolePolicyDocument": WIDE}
    file({"Roles": [{**ROLE["Role"], "RoleName": "first"}, wide]})
    assert esc_oidc("lint", source, "--baseline", baseline).exit_code == 0
    file({"Roles": [wide, wide]})
    document = lint(source, "--baseline", baseline)
    assert (len(document["findings"]), len(document["suppressed"])) == (2, 2)
    assert {each["reason"] for each in document["suppressed"]} == {"known in known.json"}


def test_a_baseline_holds_however_the_file_is_named(file, tmp_path):
    """By its path from here, from the root, or through its folder."""
    file(WIDE, "wide.json")
    esc_oidc("lint", "wide.json", "--write-baseline", "baseline")
    for source in ("./wide.json", tmp_path / "wide.json", tmp_path, "."):
        assert esc_oidc("lint", source, "--baseline", "baseline").exit_code == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "there is no such baseline; write it"), ("{", "not a baseline"), ("[]", "not a baseline")],
)
def test_a_baseline_has_to_be_one(file, content, said):
    """A missing or broken one is no empty one."""
    if content is not None:
        file(content, "baseline")
    result = esc_oidc("lint", file(WIDE), "--baseline", "baseline")
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_baseline_that_cannot_be_written_is_said(file):
    """Nobody should believe that it is there."""
    result = esc_oidc("lint", file(WIDE), "--write-baseline", "missing/baseline")
    assert result.exit_code == 2
    assert "missing/baseline" in result.stderr


def shown(source, line):
    """A line of a file."""
    return Path(source).read_text().splitlines()[line - 1]


@pytest.mark.parametrize("shape", sorted(path.name for path in SHAPES.iterdir()))
def test_a_finding_has_its_line(shape):
    """It is the line of the statement, or of the policy, if that is text; the role's name is nearby."""
    path = SHAPES / shape
    lines = path.read_text().splitlines()
    for each in lint(path)["findings"]:
        if each["severity"] == "note":
            continue
        line = lines[each["line"] - 1].strip()
        assert re.match(r'(\{|- Effect|"Statement"|"?[aA]ssume_?[rR]ole_?[pP]olicy|"configuration")', line), (
            each,
            line,
        )


@pytest.mark.parametrize("indent", [None, 1, "\t"])
@pytest.mark.parametrize("single", [True, False])
def test_lines_are_counted_in_any_layout(file, indent, single):
    """On one line, with tabs, with a single statement; strings with braces and escapes do not confuse it."""
    statement = {"Sid": '}]"\\{', **WIDE["Statement"][0]}
    policy = {"Version": "2012-10-17", "Statement": statement if single else [POLICY["Statement"][0], statement]}
    text = json.dumps(
        {"x": ["}", {"y": 1}], "Role": {"RoleName": "r", "AssumeRolePolicyDocument": policy}}, indent=indent
    )
    source = file(text)
    document = lint(source)
    line = next(each["line"] for each in document["findings"] if each["rule"] == "organization-wide")
    if indent is None:
        assert line == 1
    else:
        assert "Sid" in shown(source, line + 1)


def test_an_unreadable_file_has_the_line_of_its_mistake(file):
    """The parser knows it; where nothing does, it is the first."""
    file('{\n "AssumeRolePolicyDocument":\n }', "broken.json")
    Path("link.json").symlink_to("nowhere")
    assert {each["source"]: each["line"] for each in lint(".")["findings"]} == {"broken.json": 3, "link.json": 1}


def test_github_gets_annotations(file):
    """With file, line, rule and the whole message, escaped; what is accepted has none."""
    file(TEMPLATE.replace("COMMENT", "# esc-oidc: ignore organization-wide, middle-wildcard: ours"), "a,b.yaml")
    file("{", "policy.json")
    file((SHAPES / "cloudformation.yaml").read_text(), "open.yaml")
    file('{"Statement": [', "100%.json")
    lines = esc_oidc("lint", ".", "--format", "github").stdout.splitlines()
    commands = [line for line in lines if line.startswith("::")]
    assert lines[-1].startswith("6 trust policies: ")
    assert any(
        re.match(r"::error file=a%2Cb\.yaml,line=5,title=organization-wide::Before: .*%0A.*Name", each)
        for each in commands
    )
    assert any(
        each.startswith("::error file=100%25.json,line=1,title=unreadable-file::this is not JSON") for each in commands
    )
    assert any("::error file=policy.json,line=1,title=unreadable-file::" in each for each in commands)
    for role, line in (("Wide", 34), ("Open", 49)):
        notice = f"::notice file=open.yaml,line={line},title=unknown::{role}: depends on"
        assert any(each.startswith(notice) for each in commands)
    assert not any("Deployer: the" in each for each in commands if "a%2Cb" in each)


MODULE = "github.com/owenrumney/go-sarif/v3@v3.3.1"
SUM = "639ddb152218b3b959c5a30cb7e6dabc753801c63a0b73d7e8df060c24055db6"


@pytest.fixture(scope="session")
def schema():
    """OASIS's schema of SARIF 2.1.0 with its errata, as a Go module carries it."""
    if not (go := shutil.which("go")):
        pytest.skip("the schema comes with a Go module, and there is no Go")
    # No test needs the network: .ci/run downloads it.
    offline = {**os.environ, "GOPROXY": "off"}
    command = [go, "mod", "download", "-json", MODULE]
    got = subprocess.run(command, env=offline, capture_output=True, text=True, check=False)  # noqa: S603 - Go itself
    if got.returncode:
        pytest.skip(f"the schema comes with a Go module, which is not here: go mod download {MODULE}")
    source = Path(json.loads(got.stdout)["Dir"], "pkg/report/v210/sarif/schema.go").read_text()
    assert hashlib.sha256(source.encode()).hexdigest() == SUM
    return json.loads(source[source.index("`") + 1 : source.rindex("`")].replace('` + "`" + `', "`"))


def test_sarif_is_valid(file, schema):
    """Every shape, findings that are accepted, unreadable files and unknown policies: OASIS's schema takes the log."""
    file(TEMPLATE.replace("COMMENT", "# esc-oidc: ignore organization-wide: ours"), "a b.yaml")
    file('{"Statement"', "broken.json")
    log = json.loads(esc_oidc("lint", ".", SHAPES, "--format", "sarif").stdout)
    Draft4Validator.check_schema(schema)
    assert list(Draft4Validator(schema).iter_errors(log)) == []
    assert list(Draft4Validator(schema).iter_errors({**log, "version": "2.0.0"})) != []


def test_sarif_has_lines_pages_and_fingerprints(file):
    """Code scanning shows the line, links the rule's page, and knows a finding again after it has moved."""
    source = file(json.dumps({"Role": {"AssumeRolePolicyDocument": WIDE}}, indent=1))
    logs = []
    for _ in range(2):
        (run,) = json.loads(esc_oidc("lint", source, "--format", "sarif").stdout)["runs"]
        logs.append(run["results"])
        file("\n\n" + Path(source).read_text())
    first, second = logs
    assert [each["partialFingerprints"] for each in first] == [each["partialFingerprints"] for each in second]
    assert len({each["partialFingerprints"]["escOidc/v1"] for each in first}) == len(first)
    for one, other in zip(first, second, strict=True):
        lines = [each["locations"][0]["physicalLocation"]["region"]["startLine"] for each in (one, other)]
        assert lines[1] == lines[0] + 2
    for each in first:
        rule = run["tool"]["driver"]["rules"][each["ruleIndex"]]
        assert rule["id"] == each["ruleId"]
        assert rule["helpUri"].startswith("https://")


def test_sarif_says_what_is_accepted_and_unknown(file):
    """The reason stands in the log; policies that were not judged are notifications."""
    file(TEMPLATE.replace("COMMENT", "# esc-oidc: ignore organization-wide: ours"), "a.yaml")
    file((SHAPES / "cloudformation.yaml").read_text(), "b.yaml")
    (run,) = json.loads(esc_oidc("lint", ".", "--format", "sarif").stdout)["runs"]
    accepted = [each["suppressions"] for each in run["results"] if "suppressions" in each]
    assert accepted == [[{"kind": "inSource", "justification": "ours"}]]
    notes = [each["message"]["text"] for each in run["invocations"][0]["toolExecutionNotifications"]]
    assert any(each.startswith("b.yaml: Open: depends on ${Fn::If ForPeople}") for each in notes)
    assert not any(each["level"] == "note" for each in run["results"])


def test_what_is_piped_has_lines_and_fingerprints():
    """Standard input can be read only once."""
    result = esc_oidc("lint", "-", "--format", "json", stdin="\n" + json.dumps(WIDE, indent=1))
    assert all(each["line"] > 1 for each in json.loads(result.stdout)["findings"])
    text = TEMPLATE.replace("COMMENT", "# esc-oidc: ignore organization-wide: ours")
    assert "1 suppressed" in esc_oidc("lint", "-", stdin=text).stdout


def test_warnings_are_not_errors(file):
    """`--severity error` lets a warning pass; it is still printed."""
    source = file(example({"Version": "2008-10-17"}))
    levels = {each["severity"] for each in lint(source)["findings"]}
    assert levels == {"warning"}
    assert esc_oidc("lint", source).exit_code == 1
    result = esc_oidc("lint", source, "--severity", "error")
    assert (result.exit_code, "warning" in result.stdout) == (0, True)
    assert esc_oidc("lint", file(WIDE), "--severity", "error").exit_code == 1
