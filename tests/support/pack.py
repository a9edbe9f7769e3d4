"""The policy pack, asked as Pulumi's engine asks."""

import json
from pathlib import Path

import yaml
from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2

from tests.support.policies import DEV, conditions, example

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
SOUND = json.dumps(example({}))
LOGIN = {"roleArn": ROLE_ARN, "sessionName": "esc", "duration": "1h", "subjectAttributes": ["currentEnvironment.name"]}
LEVELS = {"error": analyzer_pb2.MANDATORY, "warning": analyzer_pb2.ADVISORY}


def configure(stub, policies):
    """Set enforcement levels and properties of policies, as the engine does."""
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
    """The pack's answer about one resource to create or change."""
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
