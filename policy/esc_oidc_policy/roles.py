"""What `lint` finds in the trust policies of roles that trust Pulumi Cloud; other roles are left alone."""

import re
from functools import lru_cache
from typing import Final

from esc_oidc.verify import Finding, lint

NOTE: Final = "other-issuer"
"""The one rule that is no policy: it says that `lint` has nothing to say."""

# In a document that can't be read: its issuer or one of its subjects.
_PULUMI: Final = re.compile(r"api\.pulumi\.com|\bpulumi:", re.IGNORECASE)


# Each rule is a policy, and every one of them asks about every role.
@lru_cache(maxsize=512)
def judge(trust_policy: str, role_arn: str | None = None) -> tuple[Finding, ...]:
    """What is wrong with the statements that are about tokens of Pulumi Cloud.

    Args:
        trust_policy: The trust policy, as JSON.
        role_arn: The role's ARN, once it is known.
    """
    findings = lint(trust_policy, role_arn)
    if any(finding.rule == "unreadable" for finding in findings) and not _PULUMI.search(trust_policy):
        return ()
    others = {finding.statement for finding in findings if finding.rule == NOTE}
    return tuple(finding for finding in findings if finding.statement not in others)
