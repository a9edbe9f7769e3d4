"""What the sandbox creates: IAM resources through boto3, Pulumi Cloud's through the calls of Pulumi's provider."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pulumi

from ...sessions import HOUR
from ...trust import ACCOUNT, PARTITION
from ..clients import call_cloud, client

_AWS: Final = "pulumi:providers:aws"
_ACCOUNT: Final = re.compile(rf"arn:{PARTITION}:iam::({ACCOUNT}):", re.ASCII)
_DEFAULT_PROVIDER: Final = (
    ("region", "aws:region", "AWS_REGION"),
    ("aws_access_key_id", "aws:accessKey", "AWS_ACCESS_KEY_ID"),
    ("aws_secret_access_key", "aws:secretKey", "AWS_SECRET_ACCESS_KEY"),
    ("aws_session_token", "aws:token", "AWS_SESSION_TOKEN"),
)
"""What the default provider of AWS takes from configuration, else from the environment, and what boto3 calls it."""

_RANDOM_SUFFIX: Final = "0sandbx"
"""Where Pulumi ends a generated name with seven random characters; fixed, so that output can be compared."""

Inputs = Mapping[str, Any]
State = dict[str, Any]
Made = tuple[str, State, str]
"""The id, the state and a description of a new resource."""


class Clouds:
    """Creates resources and answers functions in the sandbox's AWS accounts and Pulumi Cloud.

    Args:
        aws_url: Where AWS answers.
        cloud_url: Where Pulumi Cloud answers.
        access_token: Gives, for an organization, the token with which the program acts on Pulumi Cloud.
    """

    def __init__(self, aws_url: str, cloud_url: str, access_token: Callable[[str], str]) -> None:
        self._aws_url, self._cloud_url, self._access_token = aws_url, cloud_url, access_token
        self._default: dict[str, Any] = {}
        # What clients of each explicit provider are made with; whose the key is decides the account, see `Accounts`.
        self._providers: dict[str, dict[str, Any]] = {}

    def open(self, organization: str, environments: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
        """The configuration and the variables that a stack's environments give it, opened as `pulumi up` does.

        CloudRefused if Pulumi Cloud, or AWS when asked for credentials, refuses.
        """
        if not environments:
            return {}, {}
        definition = json.dumps({"imports": environments})
        base = f"/api/esc/environments/{organization}/yaml/open"
        identity = self._call(organization, "POST", f"{base}?duration=2h0m0s", definition)["id"]
        given = _bare({"value": self._call(organization, "GET", f"{base}/{identity}")["properties"]})
        config, variables = (given.get(key) or {} for key in ("pulumiConfig", "environmentVariables"))
        # Pulumi leaves out variables that are lists or objects.
        simple = {name: value for name, value in variables.items() if isinstance(value, str | int | float)}
        return _texts(config), _texts(simple)

    def configure_default(self, config: Mapping[str, str], variables: Mapping[str, str]) -> None:
        """The default provider of AWS, as a stack's configuration and a program's variables have it."""
        found = {name: config.get(key) or variables.get(variable) for name, key, variable in _DEFAULT_PROVIDER}
        self._default = {name: value for name, value in found.items() if value}

    def configure(self, kind: str, name: str, inputs: Inputs) -> None:
        """An explicit provider: one of AWS may be of another account and region.

        Its account is the one that it may only be used for (`allowedAccountIds`), else that of the role that it
        assumes. Other credentials, such as a profile, mean nothing here.
        """
        if kind == _AWS:
            roles = "".join(str(role.get("roleArn")) for role in inputs.get("assumeRoles") or ())
            assumed = _ACCOUNT.search(roles)
            accounts = inputs.get("allowedAccountIds") or ([assumed[1]] if assumed else [])
            own = {"region": inputs["region"]} if inputs.get("region") else {}
            self._providers[name] = self._default | own | ({"aws_access_key_id": accounts[0]} if accounts else {})

    def create(self, kind: str, name: str, inputs: Inputs, provider: str = "") -> Made | None:
        """A new resource, or None for a kind that the sandbox does not know."""
        if kind in _IAM_KINDS:
            return _IAM_KINDS[kind](self._aws("iam", provider), name, inputs)
        if kind == "pulumiservice:index:Environment":
            return self._environment(inputs)
        if kind == "pulumiservice:index:DeploymentSettings":
            return self._deployment_settings(inputs)
        return None

    def invoke(self, token: str, arguments: Inputs, provider: str = "") -> State:
        """What a function answers; LookupError for an unknown one: an invented answer would help nobody."""
        if token not in _FUNCTIONS:
            raise LookupError(f"the sandbox does not know this function; it knows {', '.join(_FUNCTIONS)}")
        service, answer = _FUNCTIONS[token]
        return answer(self._aws(service, provider), arguments)

    def _aws(self, service: str, provider: str) -> Any:
        """A client for the account and region of a provider, by its reference: URN::ID."""
        name = provider.split("::")[-2] if "::" in provider else ""
        return client(service, self._aws_url, **self._providers.get(name, self._default))

    def _environment(self, inputs: Inputs) -> Made:
        """The calls that Pulumi's provider makes to create an environment, in its order."""
        organization, project, name = inputs["organization"], inputs.get("project", "default"), inputs["name"]
        base, definition = f"/api/esc/environments/{organization}", _text_of(inputs["yaml"]).strip()
        self._call(organization, "POST", f"{base}/yaml/check?showSecrets=false", definition)
        self._call(organization, "POST", base, json.dumps({"project": project, "name": name}))
        self._call(organization, "PATCH", f"{base}/{project}/{name}", definition)
        metadata = self._call(organization, "GET", f"{base}/{project}/{name}/metadata")
        ref = f"{organization}/{project}/{name}"
        return ref, {**inputs, "revision": 2, "environmentId": metadata["id"]}, ref

    def _deployment_settings(self, inputs: Inputs) -> Made:
        """One call, with the names and durations as Pulumi's provider writes them on the wire."""
        stack = f"{inputs['organization']}/{inputs['project']}/{inputs['stack']}"
        context = dict(inputs.get("operationContext") or {})
        if aws := context.get("oidc", {}).get("aws"):
            names = {"roleARN": "roleArn", "policyARNs": "policyArns"}
            context["oidc"] = {"aws": {names.get(key, key): value for key, value in aws.items()}}
        path, body = f"/api/stacks/{stack}/deployments/settings", json.dumps({"operationContext": context})
        self._call(inputs["organization"], "PUT", path, body)
        return stack, dict(inputs), f"deployment settings of {stack}"

    def _call(self, organization: str, method: str, path: str, body: str | None = None) -> Any:
        return call_cloud(self._cloud_url, self._access_token(organization), method, path, body)


def _provider(iam: Any, _name: str, inputs: Inputs) -> Made:
    arn = iam.create_open_id_connect_provider(
        Url=inputs["url"],
        ClientIDList=inputs["clientIdLists"],
        ThumbprintList=inputs.get("thumbprintLists", []),
        Tags=_tags(inputs),
    )["OpenIDConnectProviderArn"]
    return arn, {**inputs, "arn": arn}, arn


def _role(iam: Any, name: str, inputs: Inputs) -> Made:
    role_name = inputs.get("name") or f"{name}-{_RANDOM_SUFFIX}"
    optional = {"Path": "path", "Description": "description", "PermissionsBoundary": "permissionsBoundary"}
    role = iam.create_role(
        RoleName=role_name,
        AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
        MaxSessionDuration=int(inputs.get("maxSessionDuration", HOUR)),
        Tags=_tags(inputs),
        **{parameter: inputs[key] for parameter, key in optional.items() if inputs.get(key)},
    )["Role"]
    return role_name, {**inputs, "name": role_name, "arn": role["Arn"], "uniqueId": role["RoleId"]}, role["Arn"]


def _policy(iam: Any, name: str, inputs: Inputs) -> Made:
    policy_name = inputs.get("name") or f"{name}-{_RANDOM_SUFFIX}"
    arn = iam.create_policy(PolicyName=policy_name, PolicyDocument=inputs["policy"])["Policy"]["Arn"]
    return arn, {**inputs, "name": policy_name, "arn": arn}, arn


def _attachment(iam: Any, _name: str, inputs: Inputs) -> Made:
    iam.attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
    return f"{inputs['role']}-{inputs['policyArn']}", dict(inputs), f"{inputs['policyArn']} on {inputs['role']}"


def _role_policy(iam: Any, name: str, inputs: Inputs) -> Made:
    policy_name = inputs.get("name") or f"{name}-{_RANDOM_SUFFIX}"
    iam.put_role_policy(RoleName=inputs["role"], PolicyName=policy_name, PolicyDocument=inputs["policy"])
    return f"{inputs['role']}:{policy_name}", {**inputs, "name": policy_name}, f"{policy_name} in {inputs['role']}"


def _find_provider(iam: Any, arguments: Inputs) -> State:
    arn = arguments.get("arn")
    if not arn:
        path = f":oidc-provider/{arguments['url'].removeprefix('https://')}"
        listed = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
        arn = next((each["Arn"] for each in listed if each["Arn"].endswith(path)), None)
        if arn is None:
            raise LookupError(f"there is no OIDC provider for {arguments['url']} in the account")
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    return {
        "id": arn,
        "arn": arn,
        "url": found["Url"],
        "clientIdLists": found["ClientIDList"],
        "thumbprintLists": found["ThumbprintList"],
        "tags": {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])},
    }


def _caller(sts: Any, _arguments: Inputs) -> State:
    caller = sts.get_caller_identity()
    return {"id": caller["Account"], "accountId": caller["Account"], "arn": caller["Arn"], "userId": caller["UserId"]}


def _partition(iam: Any, _arguments: Inputs) -> State:
    return {"partition": iam.meta.partition}


def _tags(inputs: Inputs) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in (inputs.get("tags") or {}).items()]


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Values as Pulumi hands them to a program: text as it is, all else as JSON."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


def _bare(wrapped: Mapping[str, Any]) -> Any:
    """A value of an opened environment, in which each value is wrapped."""
    value = wrapped["value"]
    if isinstance(value, dict):
        return {key: _bare(item) for key, item in value.items()}
    return [_bare(item) for item in value] if isinstance(value, list) else value


def _text_of(asset: Any) -> str:
    """The text of a definition, whether the program has it in a string or in a file."""
    if isinstance(asset, pulumi.StringAsset):
        return asset.text
    if isinstance(asset, pulumi.FileAsset):
        return Path(asset.path).read_text(encoding="utf-8")
    raise TypeError(f"a definition is a StringAsset or a FileAsset, not a {type(asset).__name__}")


_IAM_KINDS: Final[Mapping[str, Callable[[Any, str, Inputs], Made]]] = {
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": _provider,
    "aws:iam/role:Role": _role,
    "aws:iam/policy:Policy": _policy,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _attachment,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
}
_FUNCTIONS: Final[Mapping[str, tuple[str, Callable[[Any, Inputs], State]]]] = {
    "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": ("iam", _find_provider),
    "aws:index/getCallerIdentity:getCallerIdentity": ("sts", _caller),
    "aws:index/getPartition:getPartition": ("iam", _partition),
}
