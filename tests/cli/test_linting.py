"""`esc-oidc lint`, as a shell runs it."""

import json
from pathlib import Path

import pytest

from tests.support.command import esc_oidc
from tests.support.judged import POLICY, ROLE, WIDE


def test_a_sound_policy_has_no_findings(file):
    """What the component emits is good, alone or inside IAM's answer."""
    for document in (POLICY, ROLE):
        result = esc_oidc("lint", file(document))
        assert result.exit_code == 0, result.output
        assert result.stdout == "1 trust policy: 0 errors, 0 warnings.\n"


def test_every_finding_is_printed_with_its_rule_and_fix(file):
    """The output has the place, the rule, the problem and the fix; the status is 1."""
    result = esc_oidc("lint", file(WIDE))
    assert result.exit_code == 1
    assert "statement 0: error " in result.stdout
    assert result.stdout.splitlines()[-1].startswith("1 trust policy: ")


def test_folders_and_standard_input_are_searched(file, tmp_path):
    """It reads every .json file below a folder, and `-` for a pipe from another tool."""
    file(WIDE, "a.json")
    file(POLICY, "b.json")
    file("no JSON", "c.txt")
    document = json.loads(esc_oidc("lint", tmp_path, "--format", "json").stdout)
    assert (document["version"], document["policies"]) == (1, 2)
    assert {Path(finding["source"]).name for finding in document["findings"]} == {"a.json"}
    assert esc_oidc("lint", "-", stdin=json.dumps(WIDE)).exit_code == 1


def test_a_folder_may_hold_other_json(file, tmp_path):
    """Settings, lists and permission policies are skipped; the one bad trust policy is found."""
    file("// a comment\n{}", "tsconfig.json")
    file([1], "list.json")
    file({"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}, "permissions.json")
    file({"name": "x"}, "package.json")
    bad = file(WIDE, "bad a#b.json")
    document = json.loads(esc_oidc("lint", tmp_path, "--format", "sarif").stdout)
    uris = {
        each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in document["runs"][0]["results"]
    }
    assert uris == {Path(bad).as_uri()}
    assert "%23" in Path(bad).as_uri()


def test_a_plan_without_roles_passes(file):
    """The output says that nothing was judged; `--fail-on-nothing` makes it a failure."""
    deleted = {"type": "aws_iam_role", "address": "a", "change": {"actions": ["delete"], "after": None}}
    for document in ({"resource_changes": [deleted]}, {"steps": []}, {"Roles": []}):
        result = esc_oidc("lint", file(document))
        assert result.exit_code == 0
        assert result.stdout.splitlines()[:2] == ["0 trust policies: 0 errors, 0 warnings.", "Nothing was judged."]
        assert esc_oidc("lint", file(document), "--fail-on-nothing").exit_code == 1
        quiet = esc_oidc("lint", file(document), "--fail-on-nothing", "--quiet")
        assert (quiet.exit_code, quiet.stdout) == (1, "Nothing was judged.\n")


def test_a_byte_order_mark_and_a_bare_list_are_read(file, tmp_path):
    """PowerShell writes the mark, and `--query Roles` prints the bare list."""
    path = tmp_path / "bom.json"
    path.write_text(json.dumps(POLICY), encoding="utf-8-sig")
    assert esc_oidc("lint", path).exit_code == 0
    assert esc_oidc("lint", file([ROLE["Role"]])).exit_code == 0


def test_sarif_has_what_code_scanning_reads(file):
    """Rules have their help, and results name rule, level, file and place."""
    document = json.loads(esc_oidc("lint", file(WIDE), "--format", "sarif").stdout)
    (scan,) = document["runs"]
    rules = {rule["id"] for rule in scan["tool"]["driver"]["rules"]}
    assert document["version"] == "2.1.0"
    assert scan["results"] != []
    for result in scan["results"]:
        assert result["ruleId"] in rules
        assert result["level"] in {"error", "warning", "note"}
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].endswith("file.json")


def test_other_issuers_cost_no_line(file):
    """A role for GitHub is only counted; `--verbose` has a note about it, and so has JSON. The status is 0."""
    github = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {
                    "Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
                },
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:contoso/*"}},
            }
        ],
    }
    result = esc_oidc("lint", file(github))
    assert result.exit_code == 0
    counted = "1 trust policy: 0 errors, 0 warnings, 1 not about Pulumi Cloud."
    assert result.stdout == f"{counted}\nNothing was judged.\n"
    assert esc_oidc("lint", file(github), "--fail-on-nothing").exit_code == 1
    assert "note other-issuer" in esc_oidc("lint", file(github), "--verbose").stdout
    (note,) = json.loads(esc_oidc("lint", file(github), "--format", "json").stdout)["findings"]
    assert note["severity"] == "note"


def test_an_unknown_policy_is_reported_as_not_judged(file):
    """In a preview the policy may be unknown; it is not silently skipped."""
    role = {"type": "aws:iam/role:Role", "urn": "urn:pulumi:a::b::aws:iam/role:Role::r"}
    unknown = {"assumeRolePolicy": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}
    preview = {"steps": [{"op": "create", "newState": {**role, "inputs": unknown}}]}
    result = esc_oidc("lint", file(preview))
    assert "not known yet, or encrypted: not judged" in result.stdout
    assert "Nothing was judged." in result.stdout
    assert result.exit_code == 0
    assert esc_oidc("lint", file(preview), "--fail-on-unknown").exit_code == 1


SHAPES = Path(__file__).parents[1] / "shapes"
PULUMI = ("pulumi-stack.json", "pulumi-checkpoint.json", "pulumi-preview.json")
IAM = (
    "list-roles.json",
    "roles.json",
    "account-authorization-details.json",
    "config-history.json",
    "config-snapshot.json",
)
PLACES = {
    "get-role.json": {"wide"},
    "documents.json": {"[1]"},
    "sam.yaml": {"Function"},
    "cdk.template.json": {"Wide4F2C"},
    "cloudformation.json": {"Wide"},
    "cloudformation.yaml": {"Wide"},
    "main.tf.json": {"aws_iam_role.wide", "aws_iam_role.open", "aws_iam_role.written"},
    "terraform-plan.json": {"aws_iam_role.wide"},
    "terraform.tfstate": {'module.logins.aws_iam_role.wide["dev"]'},
    **{name: {"urn:pulumi:dev::logins::aws:iam/role:Role::wide"} for name in PULUMI},
    **{name: {"wide"} for name in IAM},
}
UNKNOWN = {
    "cloudformation.yaml": {"Wide": ["Organization"], "Open": ["Fn::If ForPeople"]},
    "main.tf.json": {
        "aws_iam_role.open": ["var.organization"],
        "aws_iam_role.assumed": ["data.aws_iam_policy_document.more.json"],
    },
}
LATER = {"terraform-plan.json": "aws_iam_role.later", "pulumi-preview.json": "Role::later"}


@pytest.mark.parametrize("shape", sorted(path.name for path in SHAPES.iterdir()))
def test_every_shape_is_read(shape):
    """In each document that tools write, the wide role is found, and no other; what it leaves open is named."""
    path = SHAPES / shape
    document = json.loads(esc_oidc("lint", path, "--format", "json").stdout)
    assert {each["place"] for each in document["findings"] if each["severity"] != "note"} == PLACES[shape]
    named = UNKNOWN.get(shape, {})
    assert document["placeholders"] == {f"{path}: {place}": names for place, names in named.items()}
    unknown = [each for each in document["unknown"] if each not in document["placeholders"]]
    assert len(unknown) == (shape in LATER)
    assert all(each.endswith(LATER[shape]) for each in unknown)


def test_a_policy_with_open_values_is_not_green(file):
    """The template's parameter decides who gets in: the output names it, and `--fail-on-unknown` fails."""
    template = (SHAPES / "cloudformation.yaml").read_text()
    source = file(template[: template.index("  Wide:")].replace("contoso:current", "${Organization}:current"), "t.yaml")
    text = Path(source).read_text().replace("sub: pulumi", "sub: !Sub pulumi")
    result = esc_oidc("lint", file(text, "t.yaml"))
    assert f"{source}: Deployer: depends on ${{Organization}}" in result.stdout
    assert "1 trust policy: 0 errors, 0 warnings, 1 unknown." in result.stdout
    assert result.exit_code == 0
    assert esc_oidc("lint", source, "--fail-on-unknown").exit_code == 1


def test_quiet_still_says_that_nothing_was_judged(tmp_path):
    """Silence means that all is well."""
    assert esc_oidc("lint", "-q", str(tmp_path)).stdout == "Nothing was judged.\n"
