"""Broken set-ups: doctor says what is wrong, and what it says to do repairs it, for nobody else."""

import json
import os
import re
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml

from esc_oidc.claims import CURRENT_ENVIRONMENT, ISSUER, subject
from esc_oidc.live import AwsAccounts, Doctor, Environments, Examination, PulumiCloud, examine
from esc_oidc.live.repairs import NOBODY, TOO_MANY
from esc_oidc.sandbox import EnvironmentRef, Sandbox, client, surroundings
from esc_oidc.sandbox.clients import CloudRefused, call_cloud
from esc_oidc.tokens import Opener
from esc_oidc.trust import ACTION, provider_arn
from esc_oidc.verify import RULES

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
        for name, definition in {holder: values, STRANGER: values, **self.case.get("others", {})}.items():
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


@pytest.fixture(scope="module")
def sandbox():
    """One sandbox for all, with AWS's variables around."""
    with Sandbox() as running:
        token = running.access_token(Opener("reader"), ["contoso"])
        with surroundings(running, token, {}) as around, mock.patch.dict(os.environ, around.variables):
            yield running


@pytest.fixture(params=SET_UPS, ids=lambda case: case["name"])
def set_up(request, sandbox):
    """A set-up of the table, alone in the sandbox."""
    yield SetUp(sandbox, request.param)
    iam = client("iam", sandbox.aws_url)
    for provider in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]:
        iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider["Arn"])
    for role in iam.list_roles()["Roles"]:
        iam.delete_role(RoleName=role["RoleName"])
    for each in sandbox.store.list(["contoso"]):
        sandbox.store.delete(each.ref)


def test_doctor_says_what_is_wrong_and_its_repairs_repair_it(set_up):
    """The verdict is what really happens; the commands are those that repair it; they let in nobody else."""
    case, found = set_up.case, set_up.examined()
    who = case.get("as", "alice")
    by_name, for_stack = (
        [each.verdict for each in found.diagnoses if each.way.for_stack is way] for way in (False, True)
    )
    assert [by_name, for_stack] == [[verdict] for verdict in case["verdicts"]]
    for verdict, way in zip(case["verdicts"], (False, True), strict=True):
        if verdict != "unknown":
            assert set_up.opens(who, for_stack=way) is (verdict == "admitted")
    reasons = [each.reason for each in (*found.diagnoses, *found.obstacles)]
    findings = [f"{finding.rule}: {finding.message}" for role in found.roles for finding in role.findings]
    assert case.get("says", "") in "\n".join([*reasons, *findings])

    commands = [repair.command for repair in found.repairs]
    assert [
        " ".join(command)[: len(wanted)] for command, wanted in zip(commands, case.get("repairs", ()), strict=True)
    ] == case.get("repairs", [])
    narrowing = [role.narrowing.command for role in found.roles if role.narrowing]
    assert bool(narrowing) is case.get("narrows", False)
    for command in (*commands, *narrowing):
        set_up.apply(command)

    after = case.get("after", {})
    refused = after.get("refused", [])
    for each in after.get("admitted", [] if who in refused else [who]):
        assert set_up.opens(each, for_stack=False), each
        assert set_up.opens(each, for_stack=True) is ("stacks" not in after), each
    for each in refused:
        assert not set_up.opens(each, for_stack=False), each
        assert not set_up.opens(each, for_stack=True), each
    # Nobody else: the same login in another environment.
    assert not set_up.opens(who, for_stack=False, environment=STRANGER)
    assert not set_up.opens(who, for_stack=True, environment=STRANGER)


def test_every_error_of_lint_lets_in_nobody_or_too_many():
    """A new rule has to say which; the rest is about the document as a whole."""
    errors = {rule.id for rule in RULES.values() if rule.severity == "error"}
    assert errors == NOBODY | TOO_MANY | {"unreadable", "too-long", "duplicate-sid"}
    assert not NOBODY & TOO_MANY


def test_the_table_is_long_enough():
    """Each case has a name of its own, and says who broke it how."""
    assert len({case["name"] for case in SET_UPS}) == len(SET_UPS) >= 40
    assert all(case["cause"] for case in SET_UPS)
