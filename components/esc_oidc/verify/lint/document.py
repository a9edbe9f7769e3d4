"""Rules about the document as a whole."""

from typing import Final

from ...trust import MAX_POLICY, POLICY_QUOTA
from ..undefined import UndefinedBehaviour
from .reading import TrustPolicy
from .rules import IAM, LOGIN, STATEMENT, Breach, Problems, bad, equals, error, warning

_MANY: Final = [f"{LOGIN}:currentEnvironment.name:aws/environment-{number:03}" for number in range(50)]
_QUOTAS: Final = f"{IAM}reference_iam-quotas.html"
_GITHUB: Final = "token.actions.githubusercontent.com"
_OTHER: Final = {**STATEMENT, **equals(_MANY[0])}


@error("unreadable", "Not a trust policy", fix="Correct the document; IAM does not accept it as it is.")
@bad({"Resource": "*"}, see=f"{IAM}reference_policies_grammar.html")
def unreadable(problem: UndefinedBehaviour | RecursionError) -> Problems:
    """IAM rejects such a document, or stores something other than what you read; no other rule can be checked."""
    if isinstance(problem, RecursionError):
        yield "The document is nested too deeply to be read."
    else:
        yield f"{str(problem).rstrip('.')}."


@warning("other-issuer", "Not about Pulumi Cloud", fix="Nothing to do here; use a linter that knows the other issuer.")
@bad(
    {
        "Principal": {"Federated": f"arn:aws:iam::123456789012:oidc-provider/{_GITHUB}"},
        "Condition": {
            "StringEquals": {f"{_GITHUB}:aud": "sts.amazonaws.com"},
            "StringLike": {f"{_GITHUB}:sub": "repo:contoso/app:*"},
        },
    }
)
def other_issuer(policy: TrustPolicy) -> Problems:
    """These rules know what Pulumi Cloud mints, and nothing about other issuers."""
    ours = {each.written.index for each in policy.statements}
    if not ours:
        yield "The document is not about Pulumi Cloud's tokens and was not checked."
        return
    for statement in policy.document.statements:
        if statement.index not in ours:
            message = "The statement is not about Pulumi Cloud's tokens and was not checked."
            yield Breach(message, statement=statement.index)


@error("too-long", "Longer than AWS accepts", fix="Name fewer subjects, or split them among several roles.")
@bad(equals(_MANY), good=equals(_MANY[:2]), see=_QUOTAS)
def too_long(policy: TrustPolicy) -> Problems:
    """IAM refuses it, even with the quota raised to its maximum."""
    if policy.size > MAX_POLICY:
        yield f"the trust policy has {policy.size} characters without white space; AWS accepts at most {MAX_POLICY}."


@warning("over-quota", "Over AWS's default quota", fix="Raise 'Role trust policy length', or name fewer subjects.")
@bad(equals(_MANY[:20]), good=equals(_MANY[:2]), see=_QUOTAS)
def over_quota(policy: TrustPolicy) -> Problems:
    """IAM refuses it in any account whose quota has not been raised."""
    if POLICY_QUOTA < policy.size <= MAX_POLICY:
        yield f"the trust policy has {policy.size} characters, over AWS's default quota of {POLICY_QUOTA}."


@warning("old-version", "The older policy language", fix='Write "Version": "2012-10-17".')
@bad({"Version": "2008-10-17"}, good={"Version": "2012-10-17"}, see=f"{IAM}reference_policies_elements_version.html")
def old_version(policy: TrustPolicy) -> Problems:
    """Without Version, AWS reads the language of 2008, in which what looks like a variable is plain text."""
    if not policy.document.has_variables:
        yield "the document's Version is not 2012-10-17, so `${...}` in it is plain text."


@error("duplicate-sid", "One Sid for two statements", fix="Give each statement its own Sid, or leave the Sids out.")
@bad(
    {"Statement": [{**STATEMENT, "Sid": "Pulumi"}, {**_OTHER, "Sid": "Pulumi"}]},
    good={"Statement": [{**STATEMENT, "Sid": "Dev"}, {**_OTHER, "Sid": "Other"}]},
    see=f"{IAM}reference_policies_elements_sid.html",
)
def duplicate_sid(policy: TrustPolicy) -> Problems:
    """IAM requires Sids to differ and refuses the document."""
    seen: dict[str, int] = {}
    for statement in policy.document.statements:
        if statement.sid and (first := seen.setdefault(statement.sid, statement.index)) != statement.index:
            yield Breach(f"Sid {statement.sid!r} is also the Sid of statement {first}.", statement=statement.index)


@warning("duplicate-statement", "The same statement twice", fix="Remove one of the two.")
@bad(
    {"Statement": [STATEMENT, STATEMENT]},
    good={"Statement": [STATEMENT]},
    see=f"{IAM}reference_policies_elements_statement.html",
)
def duplicate_statement(policy: TrustPolicy) -> Problems:
    """With a copy around, sooner or later somebody edits one of the two and forgets the other."""
    statements = policy.document.statements
    seen: dict[str, int] = {}
    for each in statements if len(statements) > 1 else ():
        said = repr((each.effect, each.principals, each.actions, each.conditions))
        if (first := seen.setdefault(said, each.index)) != each.index:
            yield Breach(f"it says the same as statement {first}.", statement=each.index)


CHECKS: Final = (too_long, over_quota, old_version, duplicate_sid, duplicate_statement)
