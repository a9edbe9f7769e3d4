"""What the sandbox's engine can create, and with whose credentials."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from .cloud_resources import CloudResources
from .iam_resources import IamResources, Made, State

_AWS: Final = "pulumi:providers:aws"
_ACCOUNT: Final = re.compile(r"arn:[a-z-]+:iam::([0-9]{12}):")
_DEFAULT_KEY: Final = "test"
_DEFAULT_REGION: Final = "us-east-1"


class Clouds:
    """Creates resources in the sandbox's AWS accounts and Pulumi Cloud.

    Args:
        aws_url: Where AWS answers.
        cloud_url: Where Pulumi Cloud answers.
        access_token: Gives, for an organization, the token with which the program acts on Pulumi Cloud.
        region: The default provider's region, as `aws:region` configures it.
    """

    def __init__(
        self, aws_url: str, cloud_url: str, access_token: Callable[[str], str], region: str | None = None
    ) -> None:
        self._aws_url, self._region = aws_url, region or _DEFAULT_REGION
        self._cloud = CloudResources(cloud_url, access_token)
        self._default = IamResources(aws_url, self._region, _DEFAULT_KEY)
        self._providers: dict[str, IamResources] = {}

    def configure(self, kind: str, name: str, inputs: Mapping[str, Any]) -> None:
        """An explicit provider: one of AWS may be of another account and region.

        Its account is the one that it may only be used for (`allowedAccountIds`), else that of the role that it
        assumes. What stands for credentials otherwise, a profile for instance, means nothing here.
        """
        if kind == _AWS:
            roles = "".join(str(role.get("roleArn")) for role in inputs.get("assumeRoles") or ())
            assumed = _ACCOUNT.search(roles)
            account = (inputs.get("allowedAccountIds") or [assumed[1] if assumed else None])[0]
            region = inputs.get("region") or self._region
            self._providers[name] = IamResources(self._aws_url, region, account or _DEFAULT_KEY)

    def create(self, kind: str, name: str, inputs: Mapping[str, Any], provider: str = "") -> Made | None:
        """The id, the state and a description of a new resource, or None for a kind that the sandbox does not know."""
        make = self._cloud.kinds.get(kind) or self._aws(provider).kinds.get(kind)
        return make(name, inputs) if make else None

    def invoke(self, token: str, arguments: Mapping[str, Any], provider: str = "") -> State:
        """What a function answers.

        Raises:
            LookupError: For a function that the sandbox does not know: an invented answer would help nobody.
        """
        functions = self._aws(provider).functions
        if token not in functions:
            raise LookupError(f"the sandbox does not know this function; it knows {', '.join(functions)}")
        return functions[token](arguments)

    def _aws(self, provider: str) -> IamResources:
        """The account of a provider, by its reference: URN::ID."""
        name = provider.split("::")[-2] if "::" in provider else ""
        return self._providers.get(name, self._default)
