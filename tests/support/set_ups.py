"""Set-ups that somebody broke, made in a sandbox as tests/support/set_ups.yaml says."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from esc_oidc.claims import CURRENT_ENVIRONMENT, ISSUER, subject
from esc_oidc.live import AwsAccounts, Doctor, Environments, Examination, PulumiCloud, examine
from esc_oidc.sandbox import EnvironmentRef, Sandbox, client
from esc_oidc.sandbox.clients import CloudRefused, call_cloud
from esc_oidc.tokens import Opener
from esc_oidc.trust import ACTION, provider_arn

SET_UPS = yaml.safe_load(Path(__file__).with_name("set_ups.yaml").read_text())
DEV = subject("contoso", [(CURRENT_ENVIRONMENT, "aws/dev")])
NAME = "pulumi:environments:org:contoso:env:aws/dev"
GOOD = {"sessionName": "pulumi-esc", "duration": "1h", "subjectAttributes": [CURRENT_ENVIRONMENT]}
STRANGER = "aws/stranger"


def put(sandbox: Sandbox, name: str, definition: str) -> None:
    """Give an environment a definition, whether it exists or not."""
    ref = EnvironmentRef("contoso", *name.split("/"))
    if name not in {each.ref.path for each in sandbox.store.list(["contoso"])}:
        sandbox.store.create(ref, "somebody")
    sandbox.store.update(ref, definition, "somebody")


class SetUp:
    """A set-up in a sandbox, made as a case of the table says."""

    def __init__(self, sandbox: Sandbox, case: dict[str, Any]) -> None:
        self.sandbox, self.iam = sandbox, client("iam", sandbox.aws_url)
        text = json.dumps(case).replace("ACCOUNT", sandbox.account)
        self.case = json.loads(text.replace('"DEV', f'"{DEV}').replace('"NAME"', f'"{NAME}"'))
        self.opened = self.case.get("opened", "aws/dev")
        self._make_provider()
        role_arn = self._make_role()
        oidc = {"roleArn": role_arn, **GOOD, **self.case.get("login", {})}
        login = {"fn::open::aws-login": {"oidc": {key: value for key, value in oidc.items() if value is not None}}}
        values = {"values": {"aws": {"login": login}}}
        holder = self.opened if self.opened.startswith("default/") else "aws/dev"
        others = {name: values if text == "SAME" else text for name, text in self.case.get("others", {}).items()}
        for name, definition in {holder: values, STRANGER: values, **others}.items():
            put(sandbox, name, definition if isinstance(definition, str) else yaml.safe_dump(definition))

    def _make_provider(self) -> None:
        provider = self.case.get("provider", ["aws:contoso"])
        if provider is None:
            return
        given = provider if isinstance(provider, dict) else {"url": ISSUER, "clientIds": provider}
        self.iam.create_open_id_connect_provider(Url=given["url"], ClientIDList=given["clientIds"])

    def _make_role(self) -> str:
        role = self.case.get("role", {})
        if role is None:
            return f"arn:aws:iam::{self.sandbox.account}:role/esc"
        case, keys = self.case, {name: f"api.pulumi.com/oidc:{name}" for name in ("aud", "sub")}
        conditions = {"StringEquals": {keys["aud"]: case.get("aud", "aws:contoso")}}
        if "like" in case:
            conditions["StringLike"] = {keys["sub"]: case["like"]}
        else:
            conditions["StringEquals"][keys["sub"]] = case.get("sub", DEV)
        principal = case.get("principal", provider_arn(ISSUER, self.sandbox.account))
        statement = {"Effect": "Allow", "Principal": {"Federated": principal}, "Action": case.get("action", ACTION)}
        policy = case.get("policy", {"Version": "2012-10-17", "Statement": [{**statement, "Condition": conditions}]})
        made = self.iam.create_role(
            RoleName="esc",
            Path=role.get("path", "/"),
            AssumeRolePolicyDocument=json.dumps(policy),
            MaxSessionDuration=role.get("maxSessionDuration", 3600),
        )
        arn: str = made["Role"]["Arn"]
        return arn

    def examined(self, who: Any = None) -> Examination:
        """What doctor finds."""
        cloud = PulumiCloud(self.sandbox.cloud_url, self.sandbox.access_token(Opener("reader"), ["contoso"]))
        environments = Environments(cloud, "contoso")
        doctor = Doctor(environments, AwsAccounts(), cloud.issuer())
        return examine(doctor, self.opened, opener(who or self.case.get("as", "alice")))

    def opens(
        self, who: Any, *, for_stack: bool, environment: str | None = None, organization: str = "contoso"
    ) -> bool:
        """Whether Pulumi Cloud and AWS let somebody in."""
        person, environment = opener(who), environment or self.opened
        token = self.sandbox.access_token(person.of(organization), [organization] if person.is_person else ())
        base = f"/api/esc/environments/{organization}"
        path = f"{base}/yaml/open" if for_stack else f"{base}/{environment}/open"
        body = json.dumps({"imports": [environment]}) if for_stack else ""
        try:
            call_cloud(self.sandbox.cloud_url, token, "POST", path, body)
        except CloudRefused:
            return False
        return True

    def clear(self) -> None:
        """Leave the sandbox as it was."""
        for provider in self.iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]:
            self.iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider["Arn"])
        for role in self.iam.list_roles()["Roles"]:
            self.iam.delete_role(RoleName=role["RoleName"])
        for each in self.sandbox.store.list(["contoso"]):
            self.sandbox.store.delete(each.ref)

    def apply(self, command: tuple[str, ...]) -> None:
        """Do what a command does."""
        if command[:3] == ("pulumi", "env", "set"):
            self._set(*command[3:])
            return
        assert command[:2] == ("aws", "iam")
        names = {"--open-id-connect-provider-arn": "OpenIDConnectProviderArn", "--client-id": "ClientID"}
        names |= {"--client-id-list": "ClientIDList"}
        options = dict(zip(command[3::2], command[4::2], strict=True))
        given = {names.get(name, name.title().replace("-", "")): value for name, value in options.items()}
        if "ClientIDList" in given:
            given["ClientIDList"] = [given["ClientIDList"]]
        getattr(self.iam, command[2].replace("-", "_"))(**given)

    def _set(self, reference: str, path: str, value: str) -> None:
        """Set a value in a definition, as `pulumi env set` does."""
        _, name = reference.split("/", 1)
        ref = EnvironmentRef("contoso", *name.split("/"))
        definition = yaml.safe_load(self.sandbox.store.revision(ref).yaml)
        steps = [
            each[1] or each[2] or int(each[3]) for each in re.finditer(r'\.?([\w-]+)|\["([^"]+)"\]|\[(\d+)\]', path)
        ]
        place = definition if steps[0] == "imports" else definition["values"]
        for step in steps[:-1]:
            place = place[step]
        place[steps[-1]] = yaml.safe_load(value)
        put(self.sandbox, name, yaml.safe_dump(definition))


def opener(who: Any) -> Opener:
    """Somebody, as the table names them."""
    if who == "organization":
        return Opener("contoso", "organization")
    return Opener("contoso", "team", who["team"]) if isinstance(who, dict) else Opener(who)
