"""One statement of a trust policy, compiled: does it apply to this caller?"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from ...trust import ACTION
from ..undefined import Depends, Undefined, UndefinedBehaviour, Verdict
from .conditions import Condition, check_form, compile_condition
from .document import Statement
from .values import Context, matches


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

    def applies(self, arn: str, context: Context) -> Verdict:
        """Whether principal, action and every condition cover the request."""
        if not self.covers_action or not self.covers_principal(arn):
            return False
        # "If your policy statement has multiple condition operators [or keys], they are evaluated using a
        # logical AND": one that is false decides, also beside one that is undefined or unknown. What AWS leaves
        # undefined stays so, whatever the request would say.
        verdict: Verdict = True
        for condition in self.conditions:
            held = condition.test(context)
            if held is False:
                return False
            if held is True:
                continue
            if isinstance(held, Depends) and isinstance(verdict, Depends):
                verdict = Depends(tuple(dict.fromkeys((*verdict.keys, *held.keys))))
            elif not isinstance(verdict, Undefined):
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
    for action in statement.actions:
        if not _is_action(action):
            # "Consists of a service namespace, a colon, and the name of an action. Action names can include wildcards."
            raise UndefinedBehaviour(
                f"{action!r} in statement {statement.index} is no action: AWS wants service:Action."
            )
    # A statement with an empty list "includes no actions and does not affect the policy".
    covers_action = bool(statement.actions) and covers_login(statement)
    conditions = [
        compile_condition(block, operator, has_variables=has_variables)
        for block, operator in zip(statement.conditions if covers_action else (), operators, strict=False)
    ]
    return CompiledStatement(statement, covers_action, tuple(conditions))


@dataclass(frozen=True)
class Undecided:
    """Nothing decides before the request says more.

    Attributes:
        statements: Those that apply or not by what the request doesn't say, and so decide.
        keys: The condition keys that it doesn't say.
    """

    statements: tuple[CompiledStatement, ...]
    keys: tuple[str, ...]


def deciding_statement(
    statements: Iterable[CompiledStatement], arn: str, context: Context
) -> CompiledStatement | Undecided | None:
    """The statement that allows or denies a request; None when none can apply, so that it is refused.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html

    Args:
        statements: Every Deny first, since a Deny outweighs every Allow.
        arn: The ARN of the OIDC provider.
        context: The request's condition keys, in lower case.

    Raises:
        UndefinedBehaviour: AWS does not define which one decides.
    """
    undefined: dict[str, str] = {}
    unknown: list[tuple[CompiledStatement, Depends]] = []
    for statement in statements:
        verdict = statement.applies(arn, context)
        if verdict is False:
            continue
        if verdict is True:
            if statement.written.effect == "Deny" or not (undefined or unknown):
                return statement
            if "Deny" in undefined:
                raise UndefinedBehaviour(undefined["Deny"])
            # An Allow is sure: of what is unknown, only a Deny still matters.
            denies = [each for each in unknown if each[0].written.effect == "Deny"]
            return _undecided(denies) if denies else statement
        if isinstance(verdict, Undefined):
            name = statement.written.name
            undefined[statement.written.effect] = f"AWS does not define whether {name} applies: {verdict.reason}."
        else:
            unknown.append((statement, verdict))
    if "Allow" in undefined:
        raise UndefinedBehaviour(undefined["Allow"])
    if not unknown or not any(statement.written.effect == "Allow" for statement, _ in unknown):
        return None
    if "Deny" in undefined:
        raise UndefinedBehaviour(undefined["Deny"])
    return _undecided(unknown)


def _undecided(unknown: Iterable[tuple[CompiledStatement, Depends]]) -> Undecided:
    statements, verdicts = zip(*unknown, strict=True)
    return Undecided(statements, tuple(dict.fromkeys(key for verdict in verdicts for key in verdict.keys)))


def covers_login(statement: Statement) -> bool:
    """Whether its Action or NotAction covers a login with a token."""
    return any(map(_is_login, statement.actions)) is not statement.excluding_actions


@lru_cache(maxsize=256)
def _is_action(pattern: str) -> bool:
    return pattern == "*" or re.fullmatch(r"[A-Za-z0-9-]+:[A-Za-z0-9*?]+", pattern) is not None


@lru_cache(maxsize=256)
def _is_login(pattern: str) -> bool:
    # "The prefix and the action name are case insensitive."
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
    return matches(pattern.lower(), ACTION.lower())
