"""What exists in a sandbox before a program runs."""

import pytest

from esc_oidc.sandbox import EnvironmentRef, Sandbox, SeedError, client
from tests.support.judge import Request, evaluate_in_sandbox, unwrapped

SEED = """
providers:
- {url: https://api.pulumi.com/oidc, clientIds: [aws:contoso]}
roles:
- name: existing
  maxSessionDuration: 7200
  trustPolicy: {Version: "2012-10-17", Statement: []}
environments:
  contoso/aws/base:
    # As Pulumi Cloud stores it.
    values:
      plain: 08_15
      quoted: '08_15'
      lines: |
        yes
        no
      rest: {word: yes, time: 1:30}
  contoso/aws/empty:
"""


def test_a_seed_exists_before_the_program_runs(tmp_path):
    """Its providers and roles are in AWS, its environments in Pulumi Cloud, with the values that ESC reads in them."""
    path = tmp_path / "seed.yaml"
    path.write_text(
        SEED.replace("Statement: []", 'Statement: [{Effect: Deny, Action: "sts:AssumeRole", Principal: {AWS: "*"}}]')
    )
    with Sandbox() as sandbox:
        sandbox.sow(path)
        iam = client("iam", sandbox.aws_url)
        assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] != []
        assert iam.get_role(RoleName="existing")["Role"]["MaxSessionDuration"] == 7200
        assert sandbox.max_session(f"arn:aws:iam::{sandbox.account}:role/existing") == 7200
        with pytest.raises(LookupError, match="there is no role"):
            sandbox.max_session(f"arn:aws:iam::{sandbox.account}:role/other")
        definition = sandbox.store.revision(EnvironmentRef("contoso", "aws", "base")).yaml
        assert sandbox.store.revision(EnvironmentRef("contoso", "aws", "empty")).yaml == ""
    read = evaluate_in_sandbox(Request("aws/base", {"aws/base": definition}))
    assert read.errors == []
    assert {key: unwrapped(value) for key, value in read.properties.items()} == {
        "plain": 815,
        "quoted": "08_15",
        "lines": "yes\nno\n",
        "rest": {"word": "yes", "time": "1:30"},
    }


RICH = """
providers:
- url: https://api.pulumi.com/oidc
  clientIds: [aws:contoso]
  thumbprints: [9e99a48a9960b14926bb7f3b02e22da2b0ab7280]
  tags: {owner: platform}
roles:
- name: rich
  path: /team/
  description: Has everything.
  permissionsBoundary: arn:aws:iam::aws:policy/PowerUserAccess
  policyArns: [arn:aws:iam::aws:policy/ReadOnlyAccess]
  inlinePolicies:
    logs: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "logs:*", Resource: "*"}]}
  tags: {owner: platform}
  trustPolicy: {Version: "2012-10-17", Statement: [{Effect: Deny, Action: "sts:AssumeRole", Principal: {AWS: "*"}}]}
environments:
  contoso/aws/text: |
    values: # as it is
        a:   1
  contoso/aws/folded: >
    values: {}
  contoso/aws/double: "values: {}\\n# \\u00e9\\n"
  contoso/aws/single: 'values: {a: ''b''}'
  contoso/aws/nothing:
"""


def test_all_that_a_role_can_have_is_seeded(tmp_path):
    """Policies, path, description, boundary and tags of a role, thumbprints and tags of a provider."""
    path = tmp_path / "seed.yaml"
    path.write_text(RICH)
    with Sandbox() as sandbox:
        sandbox.sow(path)
        iam = client("iam", sandbox.aws_url)
        role = iam.get_role(RoleName="rich")["Role"]
        arn = f"arn:aws:iam::{sandbox.account}:oidc-provider/api.pulumi.com/oidc"
        provider = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
        attached = iam.list_attached_role_policies(RoleName="rich")["AttachedPolicies"]
        inline = iam.get_role_policy(RoleName="rich", PolicyName="logs")["PolicyDocument"]
    assert (role["Path"], role["Description"], role["Tags"]) == (
        "/team/",
        "Has everything.",
        [{"Key": "owner", "Value": "platform"}],
    )
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == "arn:aws:iam::aws:policy/PowerUserAccess"
    assert [each["PolicyArn"] for each in attached] == ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
    assert inline["Statement"][0]["Action"] == "logs:*"
    assert provider["ThumbprintList"] == ["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"]
    assert provider["Tags"] == role["Tags"]


def test_a_definition_may_be_a_text(tmp_path):
    """It is stored letter by letter, comments and layout included, however YAML spells the text."""
    path = tmp_path / "seed.yaml"
    path.write_text(RICH)
    with Sandbox() as sandbox:
        sandbox.sow(path)
        names = ("text", "folded", "double", "single", "nothing")
        stored = {name: sandbox.store.revision(EnvironmentRef("contoso", "aws", name)).yaml for name in names}
    assert stored == {
        "text": "values: # as it is\n    a:   1\n",
        "folded": "values: {}\n",
        "double": "values: {}\n# é\n",
        "single": "values: {a: 'b'}",
        "nothing": "",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("servers: []", "servers: a seed has environments, providers, roles only"),
        ("- a", "not the shape of a seed"),
        ("providers: [{url: a}]", "clientIds"),
        ("environments: {a/b: {}}", "not the shape of a seed"),
        ("a: [", "seed.yaml"),
        ("environments: {a/b/c d: {}}", "c d"),
    ],
)
def test_a_malformed_seed_is_refused(tmp_path, text, said):
    """The message has the file and what it should contain."""
    path = tmp_path / "seed.yaml"
    path.write_text(text)
    with Sandbox() as sandbox, pytest.raises(SeedError) as raised:
        sandbox.sow(path)
    assert said in str(raised.value)


def test_a_missing_seed_is_refused(tmp_path):
    """The message has the file."""
    with Sandbox() as sandbox, pytest.raises(SeedError, match="No such file"):
        sandbox.sow(tmp_path / "none.yaml")
