"""`esc-oidc lint`, as a shell runs it."""

import json
from pathlib import Path

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
    """Nothing to judge is no reason to fail a pipeline."""
    deleted = {"type": "aws_iam_role", "address": "a", "change": {"actions": ["delete"], "after": None}}
    for document in ({"resource_changes": [deleted]}, {"steps": []}, {"Roles": []}):
        result = esc_oidc("lint", file(document))
        assert (result.exit_code, result.stdout) == (0, "0 trust policies: 0 errors, 0 warnings.\n")


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


def test_other_issuers_get_only_a_note(file):
    """A role for GitHub is not judged; the output says so, and the status is 0."""
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
    assert "note other-issuer" in result.stdout


def test_an_unknown_policy_is_reported_as_not_judged(file):
    """In a preview the policy may be unknown; it is not silently skipped."""
    role = {"type": "aws:iam/role:Role", "urn": "urn:pulumi:a::b::aws:iam/role:Role::r"}
    unknown = {"assumeRolePolicy": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}
    preview = {"steps": [{"op": "create", "newState": {**role, "inputs": unknown}}]}
    result = esc_oidc("lint", file(preview))
    assert "not known yet, or encrypted: not judged" in result.stdout
