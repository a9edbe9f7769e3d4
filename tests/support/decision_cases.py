"""Reads the tables of cases in tests/verify: what differs from the component's own policy and token."""

from dataclasses import dataclass, fields
from pathlib import Path

import yaml

from esc_oidc.verify import Request

FOLDER = Path(__file__).parents[1] / "verify"
ISSUER = "https://api.pulumi.com/oidc"
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/api.pulumi.com/oidc"
LOGIN = "pulumi:environments:pulumi.organization.login:contoso"
DEV = f"{LOGIN}:currentEnvironment.name:aws/dev"
TOKEN = {"iss": ISSUER, "aud": "aws:contoso", "sub": DEV}
WORDS = {"$DEV": DEV, "$LOGIN": LOGIN, "$PROVIDER": PROVIDER, "$ISSUER": ISSUER}
CLAIMS = {claim: f"api.pulumi.com/oidc:{claim}" for claim in ("aud", "sub", "amr")}
STATEMENT = {
    "Effect": "Allow",
    "Principal": {"Federated": PROVIDER},
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Condition": {"StringEquals": {CLAIMS["aud"]: "aws:contoso", CLAIMS["sub"]: DEV}},
}
OURS = {"Version": "2012-10-17", "Statement": [STATEMENT]}
"""The policy that the component writes for contoso/aws/dev."""


@dataclass(frozen=True)
class Case:
    """A trust policy and a request, with what is expected."""

    name: str
    source: str
    policy: str | dict
    request: dict
    expect: str
    explained: dict


def cases(table):
    """Every case of a table, in its order."""
    groups = yaml.safe_load((FOLDER / table).read_text("utf-8"))
    return [_case(group["source"], written) for group in groups for written in group["cases"]]


def _case(source, written):
    case = {name: value if name in {"name", "policy"} else _spelled(value) for name, value in written.items()}
    without = case.get("without", ())
    if "policy" not in case:
        statements = [_statement(each) for each in case.get("statements", [case])]
        case["policy"] = {"Version": case.get("version", "2012-10-17"), "Statement": statements}
        if case["policy"]["Version"] is None:
            del case["policy"]["Version"]
    else:
        case["policy"] = _spelled(case["policy"])
    claims = {name: value for name, value in {**TOKEN, **case.get("token", {})}.items() if name not in without}
    request = {field.name: case[field.name] for field in fields(Request) if field.name in case}
    explained = {name: case[name] for name in ("differs", "mistake", "fix", "says", "command") if name in case}
    return Case(
        case["name"], source, case["policy"], {"claims": claims, "issuer": ISSUER, **request}, case["expect"], explained
    )


def _statement(case):
    elements = {name: value for name, value in case.items() if name[0].isupper()}
    if "wants" in case:
        wants = {CLAIMS[claim]: value for claim, value in case["wants"].items()}
        elements["Condition"] = {"StringEquals": {**STATEMENT["Condition"]["StringEquals"], **wants}}
    elif isinstance(elements.get("Condition"), dict):
        elements["Condition"] = {
            operator: {CLAIMS.get(key, key): value for key, value in keys.items()} if isinstance(keys, dict) else keys
            for operator, keys in elements["Condition"].items()
        }
    return {name: value for name, value in {**STATEMENT, **elements}.items() if name not in case.get("without", ())}


def _spelled(value):
    """A value with the words of the table spelled out."""
    if isinstance(value, dict):
        return {key: _spelled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_spelled(item) for item in value]
    if isinstance(value, str):
        word = next((word for word in WORDS if value.startswith(word)), None)
        return value.replace(word, WORDS[word], 1) if word else value
    return value
