"""Set-ups that exist, as `esc-oidc adopt` finds them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from esc_oidc import PulumiEscOidcArgs
from esc_oidc.inputs import EnvironmentPlan, Parsed, parse_environment
from esc_oidc.live import Adoption, Existing, LiveProvider, LiveRole, RoleDetails, Wishes, adopt, find_login
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
