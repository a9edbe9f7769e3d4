"""Set-ups that exist, as `esc-oidc adopt` finds them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from esc_oidc import PulumiEscOidcArgs
from esc_oidc.definitions import read_definition
from esc_oidc.inputs import EnvironmentPlan, Parsed, parse_environment
from esc_oidc.live import Adoption, Existing, LiveProvider, LiveRole, RoleDetails, Wishes, adopt, find_login
from esc_oidc.sandbox import EnvironmentRef, Sandbox, client
from tests.support.deploying import PROVIDER_ARN

ROLE_ARN = "arn:aws:iam::123456789012:role/esc"
CASES = yaml.safe_load(Path(__file__).parents[1].joinpath("live", "adoptions.yaml").read_text("utf-8"))
"""The table of set-ups."""

VARIABLES = """\
    environmentVariables:
        AWS_ACCESS_KEY_ID: ${aws.login.accessKeyId}
        AWS_SECRET_ACCESS_KEY: ${aws.login.secretAccessKey}
        AWS_SESSION_TOKEN: ${aws.login.sessionToken}
"""


def parse(inputs: Mapping[str, Any]) -> Parsed[EnvironmentPlan]:
    """The component's door."""
    return parse_environment(PulumiEscOidcArgs, "login", inputs)


def definition(role_arn: str, login: Sequence[Mapping[str, Any]]) -> str:
    """A definition as `pulumi env provider aws-login oidc` writes it."""
    lines = ["values:", "    aws:", "        login:", "            fn::open::aws-login:", "                oidc:"]
    lines.append(f"                    roleArn: {role_arn}")
    for item in login:
        for key, value in item.items():
            if isinstance(value, list):
                lines += [f"                    {key}:", *(f"                        - {each}" for each in value)]
            else:
                lines.append(f"                    {key}: {value}")
    return "\n".join(lines) + "\n" + VARIABLES


def existing(case: Mapping[str, Any]) -> Existing:
    """What a case of the table has."""
    role, provider = case.get("role", {}), case.get("provider", {})
    arn = role.get("arn") or ROLE_ARN.replace("role/esc", f"role{role.get('path', '/')}esc")
    text = case.get("definition") or definition(arn, case["login"])
    project, environment = case.get("environment", "aws/dev").split("/")
    return Existing(
        "contoso",
        project,
        environment,
        text,
        find_login(text),
        LiveRole(arn, json.dumps(case["policy"]), role.get("max", 3600)),
        RoleDetails(
            role.get("description", ""),
            role.get("boundary", ""),
            role.get("tags", {}),
            tuple(role.get("attached", ())),
            {name: json.dumps(document) for name, document in role.get("inline", {}).items()},
        ),
        LiveProvider(provider.get("arn", PROVIDER_ARN), tuple(provider.get("client_ids", ["aws:contoso"])), ()),
        provider.get("tags", {}),
    )


def adopted(case: Mapping[str, Any]) -> Adoption:
    """What becomes of a case."""
    return adopt(existing(case), Wishes(**case.get("wishes", {})), parse)


def case_of(name: str) -> Mapping[str, Any]:
    """The case of this name."""
    (case,) = (case for case in CASES if case["name"] == name)
    return case


def sow(sandbox: Sandbox, found: Existing) -> None:
    """Make all of it in a sandbox."""
    iam = client("iam", sandbox.aws_url)
    path, _, name = found.role.arn.partition(":role")[2].rpartition("/")
    if found.provider:
        iam.create_open_id_connect_provider(
            Url=f"https://{found.provider.arn.partition('/')[2]}",
            ClientIDList=list(found.provider.client_ids),
            ThumbprintList=["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"],
            Tags=[{"Key": key, "Value": value} for key, value in found.provider_tags.items()],
        )
    iam.create_role(
        RoleName=name,
        Path=f"{path}/",
        AssumeRolePolicyDocument=found.role.policy,
        MaxSessionDuration=found.role.max_session_duration,
        Description=found.details.description,
        Tags=[{"Key": key, "Value": value} for key, value in found.details.tags.items() if not key.startswith("aws:")],
        **({"PermissionsBoundary": found.details.boundary} if found.details.boundary else {}),
    )
    for arn in found.details.attached:
        if ":aws:policy/" not in arn:
            nothing = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}
            iam.create_policy(PolicyName=arn.rpartition("/")[2], PolicyDocument=json.dumps(nothing))
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    for policy, document in found.details.inline.items():
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=document)
    for each in read_definition(found.definition).imports:
        sandbox.store.create(EnvironmentRef(found.organization, *each.name.split("/")), "alice")
    ref = EnvironmentRef(found.organization, found.project, found.environment)
    sandbox.store.create(ref, "alice")
    sandbox.store.update(ref, found.definition, "alice")


def all_of(sandbox: Sandbox) -> dict[str, Any]:
    """All that there is: what IAM says of roles and providers, and each environment's revisions."""
    details = client("iam", sandbox.aws_url).get_account_authorization_details(Filter=["Role"])["RoleDetailList"]
    iam = client("iam", sandbox.aws_url)
    providers = [each["Arn"] for each in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]]
    environments = [each.ref for each in sandbox.store.list(["contoso"])]
    return {
        "roles": [{**each, **iam.get_role(RoleName=each["RoleName"])["Role"]} for each in details],
        "providers": [
            {
                key: value
                for key, value in iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn).items()
                if key != "ResponseMetadata"
            }
            for arn in providers
        ],
        "environments": {
            str(ref): (sandbox.store.revision(ref).number, sandbox.store.revision(ref).yaml) for ref in environments
        },
    }
