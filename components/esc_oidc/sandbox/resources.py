"""What the sandbox's engine can create: IAM through boto3, ESC environments through Pulumi Cloud's REST calls."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import botocore.session
import pulumi
from botocore import UNSIGNED
from botocore.config import Config

State = dict[str, Any]
Made = tuple[str, State, str]

_RANDOM_SUFFIX: Final = "0sandbx"
"""Where Pulumi ends a generated name with seven random characters; fixed, so that output can be compared."""


class Clouds:
    """Creates resources in the sandbox's AWS account and Pulumi Cloud.

    Args:
        aws_url: Where AWS answers.
        cloud_url: Where Pulumi Cloud answers.
        access_token: Gives, for an organization, the token with which the program acts on Pulumi Cloud.
    """

    def __init__(self, aws_url: str, cloud_url: str, access_token: Callable[[str], str]) -> None:
        self._iam = client("iam", aws_url)
        self._sts = client("sts", aws_url)
        self._cloud_url, self._access_token = cloud_url, access_token
        self._kinds: Mapping[str, Callable[[str, Mapping[str, Any]], Made]] = {
            "aws:iam/openIdConnectProvider:OpenIdConnectProvider": self._provider,
            "aws:iam/role:Role": self._role,
            "aws:iam/policy:Policy": self._policy,
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment": self._attachment,
            "aws:iam/rolePolicy:RolePolicy": self._role_policy,
            "pulumiservice:index:Environment": self._environment,
            "pulumiservice:index:DeploymentSettings": self._deployment_settings,
        }
        self._functions: Mapping[str, Callable[[Mapping[str, Any]], State]] = {
            "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": self._find_provider,
            "aws:index/getCallerIdentity:getCallerIdentity": self._caller,
            "aws:index/getPartition:getPartition": lambda _: {"partition": "aws", "dnsSuffix": "amazonaws.com"},
        }

    def create(self, kind: str, name: str, inputs: Mapping[str, Any]) -> Made | None:
        """The id, the state and a description of a new resource, or None for a kind that the sandbox does not know."""
        make = self._kinds.get(kind)
        return make(name, inputs) if make else None

    def invoke(self, token: str, arguments: Mapping[str, Any]) -> State:
        """What a function answers.

        Raises:
            LookupError: For a function that the sandbox does not know: an invented answer would help nobody.
        """
        function = self._functions.get(token)
        if function is None:
            raise LookupError(
                f"{token}: the sandbox does not know this function; it knows {', '.join(self._functions)}"
            )
        return function(arguments)

    def _provider(self, _name: str, inputs: Mapping[str, Any]) -> Made:
        arn = self._iam.create_open_id_connect_provider(
            Url=inputs["url"],
            ClientIDList=inputs["clientIdLists"],
            ThumbprintList=inputs.get("thumbprintLists", []),
            Tags=_tags(inputs),
        )["OpenIDConnectProviderArn"]
        return arn, {**inputs, "arn": arn}, arn

    def _role(self, name: str, inputs: Mapping[str, Any]) -> Made:
        role_name = inputs.get("name") or f"{name}-{_RANDOM_SUFFIX}"
        optional = {
            "Path": inputs.get("path"),
            "Description": inputs.get("description"),
            "PermissionsBoundary": inputs.get("permissionsBoundary"),
        }
        role = self._iam.create_role(
            RoleName=role_name,
            AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
            MaxSessionDuration=int(inputs.get("maxSessionDuration", 3600)),
            Tags=_tags(inputs),
            **{key: value for key, value in optional.items() if value},
        )["Role"]
        return role_name, {**inputs, "name": role_name, "arn": role["Arn"], "uniqueId": role["RoleId"]}, role["Arn"]

    def _policy(self, name: str, inputs: Mapping[str, Any]) -> Made:
        policy_name = inputs.get("name") or f"{name}-{_RANDOM_SUFFIX}"
        arn = self._iam.create_policy(PolicyName=policy_name, PolicyDocument=inputs["policy"])["Policy"]["Arn"]
        return arn, {**inputs, "name": policy_name, "arn": arn}, arn

    def _attachment(self, _name: str, inputs: Mapping[str, Any]) -> Made:
        self._iam.attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
        return f"{inputs['role']}-{inputs['policyArn']}", dict(inputs), f"{inputs['policyArn']} on {inputs['role']}"

    def _role_policy(self, name: str, inputs: Mapping[str, Any]) -> Made:
        policy_name = inputs.get("name") or f"{name}-{_RANDOM_SUFFIX}"
        self._iam.put_role_policy(RoleName=inputs["role"], PolicyName=policy_name, PolicyDocument=inputs["policy"])
        return f"{inputs['role']}:{policy_name}", {**inputs, "name": policy_name}, f"{policy_name} in {inputs['role']}"

    def _environment(self, _name: str, inputs: Mapping[str, Any]) -> Made:
        """The calls that Pulumi's provider makes to create an environment, in its order."""
        organization, project, name = inputs["organization"], inputs.get("project", "default"), inputs["name"]
        token = self._access_token(organization)
        base, definition = f"/api/esc/environments/{organization}", _text_of(inputs["yaml"]).strip()
        self._call(token, "POST", f"{base}/yaml/check?showSecrets=false", definition)
        self._call(token, "POST", base, json.dumps({"project": project, "name": name}))
        self._call(token, "PATCH", f"{base}/{project}/{name}", definition)
        metadata = self._call(token, "GET", f"{base}/{project}/{name}/metadata")
        reference = f"{organization}/{project}/{name}"
        return reference, {**inputs, "revision": 2, "environmentId": metadata["id"]}, reference

    def _deployment_settings(self, _name: str, inputs: Mapping[str, Any]) -> Made:
        """One call, with the names and durations as Pulumi's provider writes them on the wire."""
        stack = f"{inputs['organization']}/{inputs['project']}/{inputs['stack']}"
        context = dict(inputs.get("operationContext") or {})
        aws = context.get("oidc", {}).get("aws")
        if aws:
            names = {"roleARN": "roleArn", "policyARNs": "policyArns"}
            context["oidc"] = {"aws": {names.get(key, key): value for key, value in aws.items()}}
        body = json.dumps({"operationContext": context})
        token = self._access_token(inputs["organization"])
        self._call(token, "PUT", f"/api/stacks/{stack}/deployments/settings", body)
        return stack, dict(inputs), f"deployment settings of {stack}"

    def _find_provider(self, arguments: Mapping[str, Any]) -> State:
        arn = arguments.get("arn")
        if not arn:
            path = f":oidc-provider/{arguments['url'].removeprefix('https://')}"
            listed = self._iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
            arn = next((each["Arn"] for each in listed if each["Arn"].endswith(path)), None)
            if arn is None:
                raise LookupError(f"there is no OIDC provider for {arguments['url']} in the account")
        found = self._iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
        return {
            "id": arn,
            "arn": arn,
            "url": found["Url"],
            "clientIdLists": found["ClientIDList"],
            "thumbprintLists": found["ThumbprintList"],
            "tags": {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])},
        }

    def _caller(self, _arguments: Mapping[str, Any]) -> State:
        caller = self._sts.get_caller_identity()
        return {
            "id": caller["Account"],
            "accountId": caller["Account"],
            "arn": caller["Arn"],
            "userId": caller["UserId"],
        }

    def _call(self, token: str, method: str, path: str, body: str | None = None) -> Any:
        return call_cloud(self._cloud_url, token, method, path, body)


def client(service: str, url: str, *, signed: bool = True, **credentials: Any) -> Any:
    """A boto3 client of the sandbox, which nothing in the user's own AWS configuration can lead elsewhere."""
    keys: dict[str, Any] = {"aws_access_key_id": "test", "aws_secret_access_key": "test"} | credentials
    config = Config(
        retries={"max_attempts": 1},
        proxies={},
        signature_version=None if signed else UNSIGNED,
    )
    # A session of its own reads no profile: an AWS_PROFILE that does not exist here must not matter.
    session = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    return session.create_client(service, region_name="us-east-1", endpoint_url=url, config=config, **keys)


class CloudRefused(Exception):  # noqa: N818 - an answer, not a mistake in the program
    """Pulumi Cloud's refusal of a call, in its own words."""


# Whatever proxy the user has, the sandbox is on this machine.
_DIRECT: Final = build_opener(ProxyHandler({}))


def call_cloud(url: str, access_token: str, method: str, path: str, body: str | None = None) -> Any:
    """One REST call to Pulumi Cloud; gives the JSON of the answer, None where there is none.

    Raises:
        CloudRefused: With what Pulumi Cloud said.
    """
    headers = {"Authorization": f"token {access_token}", "Content-Type": "application/json"}
    data = None if body is None else body.encode()
    try:
        with _DIRECT.open(Request(f"{url}{path}", data, headers, method=method)) as reply:  # noqa: S310 - it is ours
            text = reply.read()
    except HTTPError as error:
        raise CloudRefused(_refusal(error.code, error.read())) from error
    return json.loads(text) if text else None


def _refusal(status: int, body: bytes) -> str:
    answer = json.loads(body)
    summaries = [each["summary"] for each in answer.get("diagnostics", ())]
    return f"[{status}] " + ("; ".join(summaries) or str(answer["message"]))


def _tags(inputs: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in (inputs.get("tags") or {}).items()]


def _text_of(asset: Any) -> str:
    """The text of a definition, whether the program has it in a string or in a file."""
    if isinstance(asset, pulumi.StringAsset):
        return asset.text
    if isinstance(asset, pulumi.FileAsset):
        return Path(asset.path).read_text(encoding="utf-8")
    raise TypeError(f"a definition is a StringAsset or a FileAsset, not a {type(asset).__name__}")
