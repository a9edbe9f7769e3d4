"""The two IAM actions on the client IDs of an OIDC provider, which moto lacks.

Source: the pages of AddClientIDToOpenIDConnectProvider and RemoveClientIDFromOpenIDConnectProvider in
https://docs.aws.amazon.com/IAM/latest/APIReference/; both are idempotent.
"""

from collections.abc import Mapping
from typing import Final

from .account import Account
from .xml_replies import IAM, Refused, Reply, success

ADD: Final = "AddClientIDToOpenIDConnectProvider"
REMOVE: Final = "RemoveClientIDFromOpenIDConnectProvider"
ACTIONS: Final = (ADD, REMOVE)

MOST: Final = 100
"""How many client IDs a provider may have (IAM's quota)."""

LONGEST: Final = 255
"""How many characters a client ID may have."""


def answer(account: Account, form: Mapping[str, str], partition: str) -> Reply:
    """Do one of the two actions, or say as IAM does why not."""
    try:
        _change(account, form, partition)
    except Refused as refused:
        return refused.reply(IAM)
    return success(form["Action"], IAM)


def _change(account: Account, form: Mapping[str, str], partition: str) -> None:
    arn, client_id = form.get("OpenIDConnectProviderArn", ""), form.get("ClientID", "")
    if not 1 <= len(client_id) <= LONGEST:
        raise Refused("ValidationError", f"clientID must have 1 to {LONGEST} characters, got {len(client_id)}")
    provider = account.provider(arn, partition)
    if provider is None:
        raise Refused("NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}")
    held = provider.client_id_list
    if form["Action"] == REMOVE:
        provider.client_id_list = [each for each in held if each != client_id]
    elif client_id not in held:
        if len(held) >= MOST:
            raise Refused("LimitExceeded", f"Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {MOST}")
        provider.client_id_list = [*held, client_id]
