"""One statement of a trust policy, compiled: does it apply to this caller?"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from ...trust import ACTION
from ..undefined import UndefinedBehaviour, Verdict
from .conditions import Condition, check_form, compile_condition
from .document import Statement
from .values import Value, matches


@dataclass(frozen=True)
class CompiledStatement:
    """A statement with everything decided that does not depend on the request.

    Attributes:
        written: The statement as it stands in the document.
        covers_action: Whether its Action or NotAction covers ``sts:AssumeRoleWithWebIdentity``.
        conditions: All of them must hold; none are compiled when the action is not covered.
    """

    written: Statement
    covers_action: bool
    conditions: tuple[Condition, ...]

    def covers_principal(self, arn: str) -> bool:
        """Whether its Principal covers a caller who comes through the OIDC provider with this ARN."""
        principals = self.written.principals
        # "You cannot use a wildcard to match part of a principal name or ARN", and ARNs are case-sensitive.
        if arn in principals.get("Federated", ()):
            return True
        # `"Principal": "*"` and `"Principal": {"AWS": "*"}` "are equivalent" for anonymous users, and nobody signs
        # this call; of roles: "you can change the account to "*" to allow everyone to assume the role".
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
        return "*" in principals or "*" in principals.get("AWS", ())

    def applies(self, arn: str, context: Mapping[str, Value]) -> Verdict:
        """Whether principal, action and every condition cover the request."""
        if not self.covers_action or not self.covers_principal(arn):
            return False
        # "If your policy statement has multiple condition operators [or keys], they are evaluated using a
        # logical AND": one that is false decides, also beside one that is undefined.
        verdict: Verdict = True
        for condition in self.conditions:
            held = condition.test(context)
            if held is False:
                return False
            if held is not True:
                verdict = held
        return verdict


def compile_statement(statement: Statement, *, has_variables: bool) -> CompiledStatement:
    """Decide what can be decided without a request.

    Raises:
        UndefinedBehaviour: The statement has a part that AWS does not define or does not accept.
    """
    if "*" in statement.principals.get("Federated", ()):
        raise UndefinedBehaviour(
            f'AWS does not say whom {statement.name} means by {{"Federated": "*"}}; it documents Principal "*" and '
            '{"AWS": "*"}.'
        )
    operators = [check_form(block) for block in statement.conditions]
    covered = False
    for action in statement.actions:
        is_action, covers = _judge_action(action)
        if not is_action:
            # "Consists of a service namespace, a colon, and the name of an action. Action names can include wildcards."
            raise UndefinedBehaviour(
                f"{action!r} in statement {statement.index} is no action: AWS wants service:Action."
            )
        covered = covered or covers
    # A statement with an empty list "includes no actions and does not affect the policy".
    covers_action = bool(statement.actions) and covered is not statement.excluding_actions
    conditions = [
        compile_condition(block, operator, has_variables=has_variables)
        for block, operator in zip(statement.conditions if covers_action else (), operators, strict=False)
    ]
    return CompiledStatement(statement, covers_action, tuple(conditions))


@lru_cache(maxsize=256)
def _judge_action(action: str) -> tuple[bool, bool]:
    """Whether this is an action or a pattern for some, and whether it covers a login with a token."""
    is_action = action == "*" or re.fullmatch(r"[A-Za-z0-9-]+:[A-Za-z0-9*?]+", action) is not None
    # "The prefix and the action name are case insensitive."
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
    return is_action, matches(action.lower(), ACTION.lower())
