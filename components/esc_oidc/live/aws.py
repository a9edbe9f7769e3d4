"""AWS accounts, read only: roles and OIDC providers, each read once, with the user's own credentials."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ..trust import IamArn, read_iam_arn
from .asking import Answers

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

T = TypeVar("T")

_CONFIG: Final = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=10, read_timeout=30)
_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_NAMELESS: Final = "default credentials"


class Unreadable(Exception):  # noqa: N818 - an answer, not a mistake in the program
    """Something in AWS that could not be read; the text says what, why, and what would help.

    Attributes:
        permission: The IAM action that is missing; None if it is something else.
    """

    def __init__(self, message: str, permission: str | None = None) -> None:
        super().__init__(message)
        self.permission = permission


@dataclass(frozen=True)
class LiveRole:
    """A role as it is in AWS.

    Attributes:
        arn: Its ARN, with its path.
        policy: Its trust policy, as JSON.
        max_session_duration: The longest session that it allows, in seconds.
    """

    arn: str
    policy: str
    max_session_duration: int


@dataclass(frozen=True)
class LiveProvider:
    """An OIDC provider as it is in AWS.

    Attributes:
        arn: Its ARN.
        client_ids: The audiences that it takes.
        thumbprints: The certificates that it lists.
    """

    arn: str
    client_ids: tuple[str, ...]
    thumbprints: tuple[str, ...]


@dataclass(frozen=True)
class RoleDetails:
    """What a role has besides what decides who gets in.

    Attributes:
        description: Empty if it has none.
        boundary: The ARN of its permissions boundary; empty if it has none.
        tags: By key, AWS's own (``aws:...``) among them.
        attached: The ARNs of its managed policies.
        inline: Its inline policies, by name, as JSON.
    """

    description: str
    boundary: str
    tags: Mapping[str, str]
    attached: tuple[str, ...]
    inline: Mapping[str, str]


class AwsAccounts:
    """Reads the accounts that the user has credentials for. May be used from any thread; nothing is read twice.

    Args:
        profiles: Names of profiles in the AWS configuration; none means the default credentials.
    """

    def __init__(self, profiles: Sequence[str] = ()) -> None:
        self._profiles = tuple(profiles) or (None,)
        self._answers = Answers()

    def role(self, arn: str) -> LiveRole | None:
        """A role; None if there is none with this path. Raises Unreadable."""
        found = self._role(arn)
        # STS takes an ARN only as it is, with its path; IAM looks for the name alone.
        return found if found and found.arn == arn else None

    def namesake(self, arn: str) -> str | None:
        """The ARN of the account's role of this name, whatever its path. Raises Unreadable."""
        found = self._role(arn)
        return found.arn if found else None

    def _role(self, arn: str) -> LiveRole | None:
        def read(iam: "IAMClient") -> LiveRole:
            name = parsed.name.rpartition("/")[2]
            found = iam.get_role(RoleName=name)["Role"]
            # boto3 gives the document back as an object.
            return LiveRole(found["Arn"], json.dumps(found["AssumeRolePolicyDocument"]), found["MaxSessionDuration"])

        parsed = _arn(arn, "role")
        return self._ask(parsed, "iam:GetRole", read)

    def details(self, arn: str) -> RoleDetails | None:
        """What else a role has; None if there is no such role. Raises Unreadable."""
        parsed = _arn(arn, "role")
        name = parsed.name.rpartition("/")[2]

        def read(iam: "IAMClient") -> tuple[str, str, dict[str, str]]:
            found = iam.get_role(RoleName=name)["Role"]
            boundary = found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")
            return found.get("Description", ""), boundary, {tag["Key"]: tag["Value"] for tag in found.get("Tags", ())}

        def attached(iam: "IAMClient") -> tuple[str, ...]:
            pages = iam.get_paginator("list_attached_role_policies").paginate(RoleName=name)
            return tuple(each["PolicyArn"] for page in pages for each in page["AttachedPolicies"])

        def listed(iam: "IAMClient") -> tuple[str, ...]:
            pages = iam.get_paginator("list_role_policies").paginate(RoleName=name)
            return tuple(each for page in pages for each in page["PolicyNames"])

        def documents(names: Sequence[str], iam: "IAMClient") -> dict[str, str]:
            answers = [(each, iam.get_role_policy(RoleName=name, PolicyName=each)) for each in names]
            return {each: json.dumps(answer["PolicyDocument"], ensure_ascii=False) for each, answer in answers}

        role = self._ask(parsed, "iam:GetRole", read, "details")
        arns = self._ask(parsed, "iam:ListAttachedRolePolicies", attached)
        names = self._ask(parsed, "iam:ListRolePolicies", listed)
        inline = self._ask(parsed, "iam:GetRolePolicy", partial(documents, names or ()))
        if role is None or arns is None or inline is None:
            return None
        return RoleDetails(*role, arns, inline)

    def role_arn(self, name: str) -> str | None:
        """The ARN of the role of this name in the account of the first credentials; None if there is none.

        Raises:
            Unreadable: They can't be used, or may not read it.
        """
        account, _ = self._answers.once(("profile", self._profiles[0] or ""), partial(_identified, self._profiles[0]))
        here = IamArn("aws", account, "role", name)
        return self._ask(here, "iam:GetRole", lambda iam: iam.get_role(RoleName=name)["Role"]["Arn"], "ARN")

    def provider_tags(self, arn: str) -> Mapping[str, str]:
        """The tags of an OIDC provider. Raises Unreadable."""

        def read(iam: "IAMClient") -> dict[str, str]:
            found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
            return {tag["Key"]: tag["Value"] for tag in found.get("Tags", ())}

        return self._ask(_arn(arn, "oidc-provider"), "iam:GetOpenIDConnectProvider", read, "tags") or {}

    def provider(self, arn: str) -> LiveProvider | None:
        """An OIDC provider; None if there is none. Raises Unreadable."""

        def read(iam: "IAMClient") -> LiveProvider:
            found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
            return LiveProvider(arn, tuple(found["ClientIDList"]), tuple(found["ThumbprintList"]))

        return self._ask(_arn(arn, "oidc-provider"), "iam:GetOpenIDConnectProvider", read)

    def providers(self, account: str) -> tuple[str, ...]:
        """The ARNs of all OIDC providers of an account. Raises Unreadable."""

        def read(iam: "IAMClient") -> tuple[str, ...]:
            return tuple(each["Arn"] for each in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"])

        everything = IamArn("aws", account, "oidc-provider", "*")
        return self._ask(everything, "iam:ListOpenIDConnectProviders", read) or ()

    def _ask(self, arn: IamArn, permission: str, read: Callable[["IAMClient"], T], part: str = "") -> T | None:
        """The answer about one thing in an account, or a part of it, asked for once; None if there is no such thing."""

        def ask() -> T | None:
            client = self._client(arn.account)
            try:
                return read(client)
            except client.exceptions.NoSuchEntityException:
                return None
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code in _DENIED:
                    text = f"{arn} can't be read: the credentials for account {arn.account} lack {permission}."
                    raise Unreadable(text, permission) from error
                raise Unreadable(f"{arn} can't be read: AWS answers {code}.") from error
            except BotoCoreError as error:
                raise Unreadable(f"{arn} can't be read: {error}") from error

        return self._answers.once((permission, str(arn), part), ask)

    def _client(self, account: str) -> "IAMClient":
        """A client with credentials for this account."""
        tried: list[str] = []
        for profile in self._profiles:
            try:
                number, client = self._answers.once(("profile", profile or ""), partial(_identified, profile))
            except Unreadable as error:
                tried.append(str(error))
            else:
                if number == account:
                    return client
                tried.append(f"{profile or _NAMELESS} ({number})")
        raise Unreadable(
            f"there are no credentials for account {account}: tried {', '.join(tried)}. Name a profile of that account "
            "with --profile, which is repeatable."
        )


def _identified(profile: str | None) -> "tuple[str, IAMClient]":
    """The account that a profile is for, and a client of its IAM; the account is empty if AWS refuses to say."""
    try:
        session = boto3.Session(profile_name=profile)
        iam = session.client("iam", config=_CONFIG)
        sts = session.client("sts", config=_CONFIG, region_name=session.region_name or "us-east-1")
        return sts.get_caller_identity()["Account"], iam
    except (BotoCoreError, ClientError) as error:
        raise Unreadable(f"{profile or _NAMELESS} (AWS does not say whose they are: {error})") from error


def _arn(text: str, kind: str) -> IamArn:
    arn = read_iam_arn(text)
    if arn is None or arn.kind != kind or not arn.is_of_an_account:
        raise Unreadable(f"{text!r} is not the ARN of an IAM {kind}: arn:aws:iam::ACCOUNT:{kind}/NAME.")
    return arn
