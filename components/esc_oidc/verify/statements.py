"""One statement of a trust policy, compiled: does it apply to this caller?"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..trust import ACTION
from .conditions import Condition, Verdict, check_form, compile_condition
from .model import UndefinedBehaviour
from .policy import Statement
from .variables import Value, matches


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
    _federated: frozenset[str]
    _everyone: bool

    def covers_principal(self, arn: str) -> bool:
        """Whether its Principal covers a caller who comes through the OIDC provider with this ARN."""
        return self._everyone or arn in self._federated

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
    names = statement.principals
    if "*" in names.get("Federated", ()):
        raise UndefinedBehaviour(
            f'AWS does not say whom {statement.name} means by {{"Federated": "*"}}; it documents Principal "*" and '
            '{"AWS": "*"}.'
        )
    for block in statement.conditions:
        check_form(block)
    covered = [_covers_action(action, statement.index) for action in statement.actions]
    # A statement with an empty list "includes no actions and does not affect the policy".
    covers_action = bool(covered) and any(covered) is not statement.excluding_actions
    return CompiledStatement(
        written=statement,
        covers_action=covers_action,
        conditions=tuple(compile_condition(block, has_variables=has_variables) for block in statement.conditions)
        if covers_action
        else (),
        # "You cannot use a wildcard to match part of a principal name or ARN", and ARNs are case-sensitive.
        _federated=frozenset(names.get("Federated", ())),
        _everyone=_is_everyone(names),
    )


def _is_everyone(principals: Mapping[str, tuple[str, ...]]) -> bool:
    # `"Principal": "*"` and `"Principal": {"AWS": "*"}` "are equivalent" for anonymous users, and nobody signs this
    # call; of roles: "you can change the account to "*" to allow everyone to assume the role".
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    return "*" in principals or "*" in principals.get("AWS", ())


def _covers_action(action: str, index: int) -> bool:
    if action == "*":
        return True
    if not re.fullmatch(r"[A-Za-z0-9-]+:[A-Za-z0-9*?]+", action):
        # "Consists of a service namespace, a colon, and the name of an action. Action names can include wildcards."
        raise UndefinedBehaviour(f"{action!r} in statement {index} is no action: AWS wants service:Action.")
    # "The prefix and the action name are case insensitive."
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
    return matches(action.lower(), ACTION.lower())
