"""What `lint` finds in the trust policies of roles that trust Pulumi Cloud; other roles are left alone."""

import re
from functools import lru_cache
from typing import Final

from esc_oidc.verify import Finding, UndefinedBehaviour, lint
from esc_oidc.verify.policy import read
from esc_oidc.verify.scope import in_scope

NOTE: Final = "other-issuer"
"""The one rule that is no policy: it says that `lint` has nothing to say."""

# In a document that cannot be read: its issuer or one of its subjects.
_PULUMI: Final = re.compile(r"api\.pulumi\.com|\bpulumi:", re.IGNORECASE)


# Each rule is a policy, and every one of them asks about every role.
@lru_cache(maxsize=512)
def judge(trust_policy: str, role_arn: str | None = None) -> tuple[Finding, ...]:
    """What is wrong with the statements that are about tokens of Pulumi Cloud.

    Args:
        trust_policy: The trust policy, as JSON.
        role_arn: The role's ARN, once it is known.
    """
    try:
        document = read(trust_policy)
    except (UndefinedBehaviour, RecursionError):
        return tuple(lint(trust_policy)) if _PULUMI.search(trust_policy) else ()
    places = {scoped.statement.index for scoped in in_scope(document)}
    if not places:
        return ()
    return tuple(
        finding
        for finding in lint(trust_policy, role_arn)
        if finding.rule != NOTE and (finding.statement is None or finding.statement in places)
    )
