"""The pack as a process, started and asked as Pulumi's engine does."""

import json
import re
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
import yaml
from google.protobuf import empty_pb2, struct_pb2
from packaging.requirements import Requirement
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from esc_oidc import PulumiEscOidc
from esc_oidc.verify import RULES
from tests.support.deploying import deploy
from tests.support.policies import DEV, PROVIDER, STATEMENT, conditions, example

ROOT = Path(__file__).parents[2]
PACK = ROOT / "policy"
URN = "urn:pulumi:dev::app::{}::{}"
ROLE_TYPE = "aws:iam/role:Role"
ROLE_URN = URN.format(ROLE_TYPE, "esc-role")
ENVIRONMENT_TYPE = "pulumiservice:index:Environment"
ENVIRONMENT_URN = URN.format(ENVIRONMENT_TYPE, "esc-environment")
ROLE_ARN = "arn:aws:iam::123456789012:role/esc"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SIGNATURE = "4dabf18193072939515e22adb298388d"
ASSET, SECRET = "c44067f5952c0a294b673a41bacd8c17", "1b47061264138c4ac30d75fd1eb44270"
ANY_SUBJECT = json.dumps(example(conditions(like="*")))
SOUND = json.dumps(example({}))
LOGIN = {"roleArn": ROLE_ARN, "sessionName": "esc", "duration": "1h", "subjectAttributes": ["currentEnvironment.name"]}
LEVELS = {"error": analyzer_pb2.MANDATORY, "warning": analyzer_pb2.ADVISORY}


@pytest.fixture(scope="module")
def stub():
    """The running pack, as `pulumi-analyzer-policy-python` starts it."""
    command = [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:0", str(PACK)]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT.parent
    ) as process:
        try:
            port = process.stdout.readline().strip()
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield analyzer_pb2_grpc.AnalyzerStub(channel)
        finally:
            process.kill()


@pytest.fixture
def pack(stub):
    """The same, with its configuration as it is without any."""
    configure(stub, {})
    return stub


def configure(stub, policies):
    """Give policies an enforcement level and properties, as the engine does after it has merged everybody's."""
    request = analyzer_pb2.ConfigureAnalyzerRequest()
    for name, (level, properties) in policies.items():
        request.policyConfig[name].enforcementLevel = level
        request.policyConfig[name].properties.update(properties)
    stub.Configure(request)


def struct(properties):
    made = struct_pb2.Struct()
    made.update(properties)
    return made


def analyze(stub, properties, kind=ROLE_TYPE):
    """What the pack answers about one resource that is about to be created or changed."""
    request = analyzer_pb2.AnalyzeRequest(
        type=kind, urn=URN.format(kind, "esc-role"), name="esc-role", properties=struct(properties)
    )
    return stub.Analyze(request)


def broken(stub, trust_policy, **others):
    """The policies that a role violates, and how each is enforced."""
    answer = analyze(stub, {"assumeRolePolicy": trust_policy}, **others)
    return {diagnostic.policyName: diagnostic.enforcementLevel for diagnostic in answer.diagnostics}


def resource(kind, name, properties):
    return analyzer_pb2.AnalyzerResource(
        type=kind, urn=URN.format(kind, name), name=name, properties=struct(properties)
    )


def role(trust_policy=SOUND, **others):
    return resource(ROLE_TYPE, "esc-role", {"assumeRolePolicy": trust_policy, "arn": ROLE_ARN, **others})


def environment(definition=None, *, login=LOGIN, **others):
    """An environment as the engine shows it; its definition is an asset."""
    text = definition or yaml.safe_dump({"values": {"aws": {"login": {"fn::open::aws-login": {"oidc": login}}}}})
    properties = {"organization": "contoso", "project": "aws", "name": "dev", "yaml": asset(text=text)}
    return resource(ENVIRONMENT_TYPE, "esc-environment", properties | others)


def asset(**content):
    return {SIGNATURE: ASSET, **content}


def reports(stub, *resources):
    """What the pack says about a stack: policy, URN and message of each violation."""
    answer = stub.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=resources))
    return [(diagnostic.policyName, diagnostic.urn, diagnostic.message) for diagnostic in answer.diagnostics]


OTHER_ENVIRONMENT = json.dumps(example(conditions(DEV.replace("/dev", "/prod"))))
REFUSED = [("login-refused", ENVIRONMENT_URN)]


def test_there_is_one_policy_for_each_rule_and_one_for_logins(pack):
    """Its name is the rule's id, errors are mandatory, warnings advisory, and Pulumi Cloud shows why and what to do."""
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


def test_a_role_that_admits_too_much_is_refused(pack):
    """The violation names the rule, the place, what is wrong and the fix, and stops the deployment."""
    answer = analyze(pack, {"assumeRolePolicy": ANY_SUBJECT})
    (diagnostic,) = [each for each in answer.diagnostics if each.policyName == "subject-any"]
    assert diagnostic.enforcementLevel == analyzer_pb2.MANDATORY
    assert diagnostic.urn == ROLE_URN
    assert "Statement 0: " in diagnostic.message
    assert "Name the environment" in diagnostic.message


def test_a_warning_is_advice(pack):
    """What should be known is printed and does not stop anything."""
    policy = json.dumps(example(conditions("pulumi:environments:org:contoso:env:aws/dev")))
    assert broken(pack, policy) == {"without-attributes": analyzer_pb2.ADVISORY}


def test_a_sound_role_passes(pack):
    """One that admits one environment violates nothing."""
    assert broken(pack, SOUND) == {}


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("own", ["aws/dev", "aws/other"])
def test_what_the_component_declares_passes(pack, preview, own):
    """Role and environment as the program sends them; and the role of a component with another environment does not."""
    project, name = own.split("/")
    deployed = deploy(
        lambda: (
            PulumiEscOidc("esc", organization="contoso", project=project, environment=name, role_name="esc") and None
        ),
        preview=preview,
    )
    declared, opened = deployed.one("Role"), deployed.one("Environment")
    assert list(analyze(pack, declared.inputs).diagnostics) == []
    arn = UNKNOWN if preview else ROLE_ARN
    stack = [resource(each.type, each.name, each.inputs | {"arn": arn}) for each in (declared, opened)]
    assert reports(pack, *stack) == []
    found = reports(pack, stack[1], role())
    assert [each[0] for each in found] == (["login-refused"] if own == "aws/other" and not preview else [])


@pytest.mark.parametrize("wrap", [dict, lambda policy: {SIGNATURE: SECRET, "value": json.dumps(policy)}])
def test_a_policy_is_read_in_every_form(pack, wrap):
    """As an object, which the AWS provider takes as well, and as a secret."""
    assert "subject-any" in broken(pack, wrap(json.loads(ANY_SUBJECT)))


def test_aws_native_roles_are_read(pack):
    """Its property has another name and may be an object."""
    answer = analyze(pack, {"assumeRolePolicyDocument": json.loads(ANY_SUBJECT)}, "aws-native:iam:Role")
    assert "subject-any" in {diagnostic.policyName for diagnostic in answer.diagnostics}


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("aws:s3/bucket:Bucket", {"assumeRolePolicy": ANY_SUBJECT}),
        (ROLE_TYPE, {"assumeRolePolicy": UNKNOWN}),
        (ROLE_TYPE, {"assumeRolePolicy": {"Statement": [{**STATEMENT, "Principal": {"Federated": UNKNOWN}}]}}),
        (ROLE_TYPE, {}),
    ],
    ids=["no role", "unknown", "partly unknown", "missing"],
)
def test_what_is_not_known_is_silently_left_for_the_update(pack, kind, properties):
    """In a preview of a new stack the trust policy is unknown: nothing fails and nothing is printed."""
    answer = analyze(pack, properties, kind)
    assert list(answer.diagnostics) == []
    if properties:
        assert {each.policy_name for each in answer.not_applicable} >= {"subject-any", "admits-strangers"}


@pytest.mark.parametrize(
    ("pattern", "excluded"),
    [("esc-role", True), (ROLE_URN, True), ("esc-*", True), ("*::esc-role", True), ("esc", False), ("esc.role", False)],
)
def test_a_role_is_excluded_from_one_rule(pack, pattern, excluded):
    """By its name or URN, whole, `*` standing for any characters; the other rules still hold for it."""
    configure(pack, {"subject-any": (analyzer_pb2.MANDATORY, {"excludeRoles": ["other", pattern]})})
    found = broken(pack, ANY_SUBJECT)
    assert ("subject-any" not in found) is excluded
    assert "admits-strangers" in found


def test_a_rule_can_be_enforced_otherwise(pack):
    """Each rule on its own: as advice, or not at all."""
    levels = {"subject-any": (analyzer_pb2.ADVISORY, {}), "admits-strangers": (analyzer_pb2.DISABLED, {})}
    configure(pack, levels)
    found = broken(pack, ANY_SUBJECT)
    assert found["subject-any"] == analyzer_pb2.ADVISORY
    assert "admits-strangers" not in found


@pytest.mark.parametrize(
    ("arn", "rule"),
    [
        ("arn:aws:iam::210987654321:role/esc", "principal-account"),
        ("arn:aws-us-gov:iam::123456789012:role/esc", "principal-partition"),
    ],
)
def test_a_provider_of_another_account_is_found_in_the_stack(pack, arn, rule):
    """Only the whole stack shows a role's own ARN, and there the role can be excluded, too."""
    assert [each[:2] for each in reports(pack, role(arn=arn))] == [(rule, ROLE_URN)]
    configure(pack, {rule: (analyzer_pb2.MANDATORY, {"excludeRoles": ["esc-role"]})})
    assert reports(pack, role(arn=arn)) == []


def test_a_login_that_its_role_refuses_is_found_in_the_stack(pack):
    """The violation is the environment's, and says why."""
    ((name, urn, message),) = reports(pack, role(OTHER_ENVIRONMENT), environment())
    assert [(name, urn)] == REFUSED
    assert "contoso/aws/dev" in message
    assert "aws/prod" in message


def test_the_long_form_and_secret_definitions_are_read(pack):
    """`fn::open` with a provider is the same login; a definition may be secret."""
    call = {"fn::open": {"provider": "aws-login", "inputs": {"oidc": LOGIN}}}
    text = yaml.safe_dump({"values": {"login": call}})
    secret = {SIGNATURE: SECRET, "value": asset(text=text)}
    assert [each[:2] for each in reports(pack, role(OTHER_ENVIRONMENT), environment(yaml=secret))] == REFUSED
    assert reports(pack, role(), environment(yaml=secret)) == []


def test_a_definition_in_a_file_is_read(pack, tmp_path):
    """A file that is there counts; one that is not, and one somewhere else, are not judged."""
    path = tmp_path / "dev.yaml"
    path.write_text(yaml.safe_dump({"values": {"fn::open::aws-login": {"oidc": LOGIN}}}), "utf-8")
    assert [each[:2] for each in reports(pack, role(OTHER_ENVIRONMENT), environment(yaml=asset(path=str(path))))] == (
        REFUSED
    )
    for elsewhere in ({"path": str(tmp_path / "none")}, {"uri": "https://contoso.example/dev.yaml"}):
        assert reports(pack, role(OTHER_ENVIRONMENT), environment(yaml=asset(**elsewhere))) == []


def test_the_roles_longest_session_and_the_providers_audience_count(pack):
    """They come from the stack as well; numbers arrive as floats."""
    long = environment(login=LOGIN | {"duration": "2h"})
    ((_, _, message),) = reports(pack, role(maxSessionDuration=3600.0), long)
    assert "ValidationError" in message
    assert reports(pack, role(maxSessionDuration=7200.0), long) == []
    kind = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
    provider = resource(kind, "esc-provider", {"arn": PROVIDER, "clientIdLists": ["contoso"]})
    ((_, _, message),) = reports(pack, provider, role(), environment())
    assert "InvalidIdentityToken" in message
    for unknown in ({"arn": UNKNOWN, "clientIdLists": ["contoso"]}, {"arn": PROVIDER, "clientIdLists": [UNKNOWN]}, {}):
        assert reports(pack, resource(kind, "esc-provider", unknown), role(), environment()) == []


def test_an_environment_of_no_project_is_in_the_legacy_one(pack):
    """The provider's own default is `default`, which has another audience and subject."""
    legacy = environment(project=None)
    spelled = [DEV.replace("aws/dev", name) for name in ("dev", "default/dev")]
    assert reports(pack, role(json.dumps(example(conditions(spelled, "contoso")))), legacy) == []
    assert [each[:2] for each in reports(pack, role(), legacy)] == REFUSED


@pytest.mark.parametrize(
    "others",
    [
        [role(OTHER_ENVIRONMENT, arn=UNKNOWN), environment()],
        [role(OTHER_ENVIRONMENT, arn="esc"), environment(login=LOGIN | {"roleArn": "esc"})],
        [role(UNKNOWN), environment()],
        [role(OTHER_ENVIRONMENT), environment(yaml=UNKNOWN)],
        [role(OTHER_ENVIRONMENT), environment(name=None)],
        [role(OTHER_ENVIRONMENT), environment(login=LOGIN | {"roleArn": ROLE_ARN + "2"})],
        [environment()],
    ],
    ids=["arn unknown", "no arn", "policy unknown", "definition unknown", "no name", "another role", "no role"],
)
def test_what_the_stack_does_not_know_is_not_judged(pack, others):
    """A preview of a new stack, and roles of other stacks, are nothing to report."""
    assert reports(pack, *others) == []


@pytest.mark.parametrize("pattern", ["contoso/aws/dev", "contoso/*", "esc-environment", ENVIRONMENT_URN])
def test_an_environment_is_excluded(pack, pattern):
    """By its name in Pulumi Cloud, its name in the program, or its URN."""
    configure(pack, {"login-refused": (analyzer_pb2.MANDATORY, {"excludeEnvironments": [pattern]})})
    assert reports(pack, role(OTHER_ENVIRONMENT), environment()) == []


def test_the_packs_requirements_take_this_version():
    """The pack is published alone: its ranges have this version of the package, and its version is the same."""
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)[1]
    lines = (PACK / "requirements.txt").read_text("utf-8").splitlines()
    requirements = {requirement.name: requirement for requirement in map(Requirement, lines)}
    assert version in requirements["esc-oidc"].specifier
    assert set(requirements) == {"esc-oidc", "pulumi-policy"}
    assert yaml.safe_load((PACK / "PulumiPolicy.yaml").read_text("utf-8"))["version"] == version


def test_the_examples_of_the_readme_are_ones_that_the_pack_takes(pack):
    """Every policy and option in its configuration file exists, and every option is explained."""
    page = (PACK / "README.md").read_text("utf-8")
    policies = {policy.name: policy for policy in pack.GetAnalyzerInfo(empty_pb2.Empty()).policies}
    (written,) = [json.loads(block) for block in re.findall(r"```json\n(.+?)```", page, re.DOTALL)]
    levels = {"mandatory", "advisory", "disabled"}
    for name, value in written.items():
        given = {"enforcementLevel": value} if isinstance(value, str) else value
        assert given.pop("enforcementLevel") in levels
        assert set(given) <= set(policies[name].configSchema.properties)
    assert all(f"`{option}`" in page for policy in policies.values() for option in policy.configSchema.properties)
