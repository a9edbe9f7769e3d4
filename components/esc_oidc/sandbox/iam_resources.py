"""What the sandbox's engine creates in AWS, and the functions that it answers there, through boto3."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from .requests import client

State = dict[str, Any]
Made = tuple[str, State, str]

_RANDOM_SUFFIX: Final = "0sandbx"
"""Where Pulumi ends a generated name with seven random characters; fixed, so that output can be compared."""


class IamResources:
    """Creates IAM resources in one account.

    Args:
        url: Where AWS answers.
        region: Which decides the partition.
        access_key_id: Whose it is decides the account; see `accounts`.
    """

    def __init__(self, url: str, region: str, access_key_id: str) -> None:
        self._iam = client("iam", url, region=region, aws_access_key_id=access_key_id)
        self._sts = client("sts", url, region=region, aws_access_key_id=access_key_id)
        self.kinds: Mapping[str, Callable[[str, Mapping[str, Any]], Made]] = {
            "aws:iam/openIdConnectProvider:OpenIdConnectProvider": self._provider,
            "aws:iam/role:Role": self._role,
            "aws:iam/policy:Policy": self._policy,
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment": self._attachment,
            "aws:iam/rolePolicy:RolePolicy": self._role_policy,
        }
        self.functions: Mapping[str, Callable[[Mapping[str, Any]], State]] = {
            "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": self._find_provider,
            "aws:index/getCallerIdentity:getCallerIdentity": self._caller,
            "aws:index/getPartition:getPartition": self._partition,
        }

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

    def _partition(self, _arguments: Mapping[str, Any]) -> State:
        return {"partition": self._iam.meta.partition}


def _tags(inputs: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in (inputs.get("tags") or {}).items()]
