"""What the pack is: its policies, its requirements and its README."""

import json
import re

import yaml
from google.protobuf import empty_pb2
from packaging.requirements import Requirement

from esc_oidc.verify import RULES
from tests.support.pack import LEVELS, PACK, ROOT


def test_there_is_one_policy_for_each_rule_and_one_for_logins(pack):
    """It has the rule's id; errors are mandatory, warnings advisory, and Pulumi Cloud shows why and what to do."""
    info = pack.GetAnalyzerInfo(empty_pb2.Empty())
    policies = {policy.name: policy for policy in info.policies}
    assert info.name == "esc-oidc"
    assert set(policies) == (set(RULES) - {"other-issuer"}) | {"login-refused"}
    for name, policy in policies.items():
        if name in RULES:
            assert policy.enforcementLevel == LEVELS[RULES[name].severity]
            assert policy.displayName == RULES[name].title
            assert RULES[name].why in policy.description
            assert policy.url == RULES[name].source
        assert policy.remediation_steps
        assert not re.search(r"\{\w*\}|\{\{", policy.remediation_steps)
        option = "excludeEnvironments" if name == "login-refused" else "excludeRoles"
        assert list(policy.configSchema.properties) == [option]


def test_the_packs_requirements_accept_this_version():
    """The pack is published separately, with the same version."""
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)[1]
    lines = (PACK / "requirements.txt").read_text("utf-8").splitlines()
    requirements = {requirement.name: requirement for requirement in map(Requirement, lines)}
    assert version in requirements["esc-oidc"].specifier
    assert set(requirements) == {"esc-oidc", "pulumi-policy"}
    assert yaml.safe_load((PACK / "PulumiPolicy.yaml").read_text("utf-8"))["version"] == version


def test_the_pack_accepts_the_examples_of_its_readme(pack):
    """Every policy and option in them exists, and every option is explained."""
    page = (PACK / "README.md").read_text("utf-8")
    policies = {policy.name: policy for policy in pack.GetAnalyzerInfo(empty_pb2.Empty()).policies}
    (written,) = [json.loads(block) for block in re.findall(r"```json\n(.+?)```", page, re.DOTALL)]
    levels = {"mandatory", "advisory", "disabled"}
    for name, value in written.items():
        given = {"enforcementLevel": value} if isinstance(value, str) else value
        assert given.pop("enforcementLevel") in levels
        assert set(given) <= set(policies[name].configSchema.properties)
    assert all(f"`{option}`" in page for policy in policies.values() for option in policy.configSchema.properties)
