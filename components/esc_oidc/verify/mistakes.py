"""The likely mistake behind a value that does not match, in words, with the fix."""

import difflib
import re
from collections.abc import Sequence
from typing import Final

from ..claims import DeploymentSubject, read_subject
from ..trust import ACTION
from .subject_mistakes import subject_mistake
from .variables import matches

POLICY: Final = "the policy"
CLIENT_IDS: Final = "the provider's client IDs"

_CLOUD: Final = re.compile(r"(?P<cloud>[a-z]+):(?P<organization>[^:/]+)")
_PROVIDER: Final = re.compile(r"arn:(?P<partition>[^:]+):iam::(?P<account>[^:]*):oidc-provider/(?P<path>.+)")


def value_mistake(claim: str, operator: str, wanted: str, had: str, subject: object) -> str | None:
    """The likely mistake when a claim of the token does not match what a condition wants.

    Args:
        claim: ``aud``, ``sub`` or another name of a key.
        operator: The condition operator, as written.
        wanted: The nearest value in the policy.
        had: The value in the token.
        subject: The token's `sub`, which tells where the token comes from.
    """
    if "${" in wanted:
        return (
            "the value depends on a policy variable. `${...}` is one only in Version 2012-10-17, and only a key of "
            "this request gives it a value; name the value itself."
        )
    if matches(wanted.lower(), had.lower()) and not matches(wanted, had):
        return (
            f"they differ only in upper and lower case, and {operator} compares exactly. Write {had!r} in the policy, "
            "as Pulumi Cloud does."
        )
    if "Like" not in operator and ("*" in wanted or "?" in wanted) and matches(wanted, had):
        return (
            f"{operator} takes * and ? literally. To name the value write {had!r}; to keep the pattern use StringLike."
        )
    recognized = None
    if claim == "aud":
        recognized = audience_mistake(wanted, had, subject)
    if claim == "sub":
        recognized = subject_mistake(wanted, had)
    return recognized or _parting(wanted, had)


def _parting(wanted: str, had: str) -> str | None:
    pairs = zip(wanted, had, strict=False)
    same = next((place for place, (one, other) in enumerate(pairs) if one != other), min(len(wanted), len(had)))
    if not same:
        return None
    return (
        f"they are the same up to {wanted[:same]!r}, where the policy goes on with {wanted[same:]!r} and the token "
        f"with {had[same:]!r}."
    )


def audience_mistake(wanted: str, had: str, subject: object, place: str = POLICY) -> str | None:
    """The likely mistake when the audience is another than `place` expects: `POLICY` or `CLIENT_IDS`."""
    if f"aws:{had}" == wanted:
        if isinstance(subject, str) and isinstance(read_subject(subject), DeploymentSubject):
            deployment = "this token is from Pulumi Deployments, whose audience is the organization without `aws:`"
            if place == CLIENT_IDS:
                return f"{deployment}. That audience has to be registered as well, beside {wanted!r}."
            return f"{deployment}, and the policy is for ESC. Give Deployments a role of its own."
        return (
            "`aws:` is missing in the token: its environment is in the legacy project `default`, whose audience is the "
            f"organization alone. Write {had!r}, in the policy and in the provider's client IDs, or move the "
            "environment to another project."
        )
    if f"aws:{wanted}" == had:
        # The client IDs are judged before any policy: of what that says nothing is known here.
        fix = "" if place == CLIENT_IDS else f" Write {had!r}, in the policy and in the provider's client IDs."
        return (
            f"`aws:` is missing in {place}: only environments in the legacy project `default`, and Pulumi "
            f"Deployments, have the organization alone as audience.{fix}"
        )
    return _other_cloud(wanted, had, place) or _no_audience(wanted, had, place) or _other_organization(wanted, had)


def _other_cloud(wanted: str, had: str, place: str) -> str | None:
    wants, has = _CLOUD.fullmatch(wanted), _CLOUD.fullmatch(had)
    if has and has["cloud"] != "aws":
        return (
            f"this token was made for another cloud ({has['cloud']}): its login block is not fn::open::aws-login. "
            f"Take the token of the AWS login, whose audience is 'aws:{has['organization']}'."
        )
    if wants and wants["cloud"] != "aws":
        return f"{place} has the audience of another cloud ({wants['cloud']}). Write {had!r}."
    return None


def _no_audience(wanted: str, had: str, place: str) -> str | None:
    """AWS's own audience, or the issuer's URL: what other issuers' guides say to write."""
    if "/" not in wanted and ".amazonaws.com" not in wanted:
        return None
    return (
        f"{place} {'have' if place == CLIENT_IDS else 'has'} {wanted!r}, which is no audience of Pulumi Cloud. Write "
        f"{had!r}, the token's."
    )


def _other_organization(wanted: str, had: str) -> str | None:
    wants, has = wanted.removeprefix("aws:"), had.removeprefix("aws:")
    if wants == has or "*" in wants:
        return None
    if wants.lower() == has.lower():
        return f"they differ only in upper and lower case. Write {had!r}, as Pulumi Cloud does."
    return (
        f"the token is of another organization: {has!r}, not {wants!r}. Use the organization's login from the "
        "console's URL, not its display name."
    )


def key_mistake(key: str, path: str, present: Sequence[str]) -> str | None:
    """The likely mistake when the request lacks a condition key.

    Args:
        key: The key in the policy, as written.
        path: The provider's URL without its scheme.
        present: The keys that the request has.
    """
    prefix, _, claim = key.rpartition(":")
    right = f"{path}:{claim}"
    if prefix.lower() == path.lower():
        if claim.lower() in {"aud", "sub", "amr"}:
            return f"the token has no {claim} at all."
        return (
            f"of a custom issuer AWS shows a policy only aud, sub and amr, never {claim!r}. Whatever the policy must "
            "know has to be in the subject: list it in subjectAttributes."
        )
    if prefix.startswith(("https://", "http://")):
        return f"a condition key is the issuer without its scheme. Write {right!r}."
    if right.lower() in present and path.lower().startswith(f"{prefix.lower()}/"):
        missing = path[len(prefix) :]
        return f"the key lacks the issuer's path {missing!r}. Write {right!r}."
    if right.lower() in present:
        return f"the key is of another issuer; this token comes from {path}. Write {right!r}."
    return None


def issuer_mistake(wanted: str, had: str) -> str:
    """The likely mistake when a token or a principal is of another issuer than the provider."""
    if wanted.rstrip("/") == had.rstrip("/"):
        return "one of them ends in a slash; AWS compares them character by character."
    if wanted.lower() == had.lower():
        return "they differ only in upper and lower case; AWS compares them character by character."
    for longer, shorter in ((had, wanted), (wanted, had)):
        if longer.startswith(f"{shorter}/"):
            rest = longer[len(shorter) :]
            return (
                f"one has the path {rest!r} and the other has not. Pulumi Cloud's ESC and Deployments sign as "
                "https://api.pulumi.com/oidc, without anything after it; a provider is for exactly one URL."
            )
    return f"the token was signed by another issuer. Declare an OIDC provider for {had!r}, or use the right token."


def principal_mistake(principals: Sequence[str], arn: str) -> str:
    """The likely mistake when a statement trusts somebody else than the provider with this ARN."""
    if arn in principals:
        return f"an OIDC provider is a federated principal. Write {{'Federated': '{arn}'}}."
    wanted = _PROVIDER.fullmatch(arn)
    for principal in principals:
        named = _PROVIDER.fullmatch(principal)
        if not named or not wanted:
            continue
        if "*" in principal or "?" in principal:
            return f"a principal is named in full, without wildcards. Write {arn}."
        if named["path"] != wanted["path"]:
            return (
                f"the principal is the provider of another issuer, {named['path']!r}: "
                + issuer_mistake(f"https://{named['path']}", f"https://{wanted['path']}")
                + f" Write {arn}."
            )
        part = "account" if named["account"] != wanted["account"] else "partition"
        return (
            f"the principal is a provider in another {part} ({named[part]}, not {wanted[part]}); a role trusts only "
            f"providers of its own. Write {arn}."
        )
    return f"a token of this provider is neither an AWS account nor a service. Write {{'Federated': '{arn}'}}."


def action_mistake(actions: Sequence[str]) -> str:
    """The likely mistake when a statement does not cover the action."""
    near = difflib.get_close_matches(ACTION.lower(), [action.lower() for action in actions], n=1, cutoff=0.9)
    if near:
        return f"the action is misspelled. Write {ACTION}."
    return f"logins with a token call {ACTION}, and nothing else will do. Write that."
