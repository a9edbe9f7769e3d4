"""AWS accounts, read only: roles and OIDC providers, each read once, with the user's own credentials."""

import json
from collections.abc import Callable, Sequence
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

    def _ask(self, arn: IamArn, permission: str, read: Callable[["IAMClient"], T]) -> T | None:
        """The answer about one thing in an account, asked for once; None if there is no such thing."""

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

        return self._answers.once((permission, str(arn)), ask)

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
