"""Who gets in: AWS's answer to ``sts:AssumeRoleWithWebIdentity``, rule after rule in AWS's order."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from ..trust import provider_arn
from .model import Decision, Request, UndefinedBehaviour
from .policy import read
from .reasons import explain_allow, explain_deny, explain_refusal
from .session_rules import refuse_maximum, refuse_parameters
from .statements import CompiledStatement, compile_statement
from .token_rules import Refusal, context_of, refuse_audience, refuse_issuer, refuse_times, time_of
from .variables import Value


@dataclass(frozen=True)
class CompiledPolicy:
    """A trust policy ready to judge many tokens; `compile_policy` makes it."""

    denies: tuple[CompiledStatement, ...]
    allows: tuple[CompiledStatement, ...]

    def decide(self, request: Request) -> Decision:
        """What AWS would answer to this request, as `decide` does.

        Raises:
            UndefinedBehaviour: AWS does not define the answer.
        """
        claims = request.claims
        arn = provider_arn(request.issuer, request.account, request.partition)
        # 0. The call: the API's own constraints on its parameters (RoleSessionName has a length and a pattern,
        # DurationSeconds is 900 to 43200). They are about the call alone, so that AWS answers ValidationError before it
        # reads the token or looks for the role. The role's maximum is a property of the role: it comes last.
        # https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html#API_AssumeRoleWithWebIdentity_RequestParameters
        if refusal := refuse_parameters(request.session_name, request.duration, claims.get("sub")):
            return _refused(refusal)
        # 1. The token: an OIDC provider for its issuer, with its audience, at this time.
        if refusal := refuse_issuer(claims, request.issuer) or refuse_audience(claims, request.client_ids, arn):
            return _refused(refusal)
        context = context_of(request)
        if ("exp" in claims or "nbf" in claims or "iat" in claims) and (
            refusal := refuse_times(claims, time_of(context))
        ):
            return _refused(refusal)
        # 2. The role's trust policy.
        decision = self._statements(request, arn, context)
        if not decision.allowed:
            return decision
        # 3. What the role allows of the session that was asked for.
        refusal = refuse_maximum(request.duration, request.max_session_duration, claims.get("sub"))
        return _refused(refusal) if refusal else decision

    def _statements(self, request: Request, arn: str, context: Mapping[str, Value]) -> Decision:
        """Deny over Allow, and without an Allow nothing is allowed.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
        """
        undefined_deny: str | None = None
        for statement in self.denies:
            verdict = statement.applies(arn, context)
            if verdict is True:
                return Decision(allowed=False, error="AccessDenied", explain=partial(explain_deny, statement, context))
            if verdict is not False:
                undefined_deny = _named(statement, verdict)
        undefined_allow: str | None = None
        for statement in self.allows:
            verdict = statement.applies(arn, context)
            if verdict is True:
                if undefined_deny:
                    raise UndefinedBehaviour(undefined_deny)
                return Decision(allowed=True, error=None, explain=partial(explain_allow, statement))
            if verdict is not False:
                undefined_allow = _named(statement, verdict)
        if undefined_allow:
            raise UndefinedBehaviour(undefined_allow)
        return Decision(
            allowed=False,
            error="AccessDenied",
            explain=partial(explain_refusal, self.allows, request, arn, context),
        )


def compile_policy(trust_policy: str | Mapping[str, object]) -> CompiledPolicy:
    """Read a trust policy once to decide about many tokens.

    Raises:
        UndefinedBehaviour: It is not a policy that IAM accepts, or one with parts that AWS leaves undefined.
    """
    document = read(trust_policy)
    statements = [
        compile_statement(statement, has_variables=document.has_variables) for statement in document.statements
    ]
    return CompiledPolicy(
        denies=tuple(statement for statement in statements if statement.written.effect == "Deny"),
        allows=tuple(statement for statement in statements if statement.written.effect == "Allow"),
    )


def decide(trust_policy: str | Mapping[str, object], request: Request) -> Decision:
    """Say what AWS would answer to ``sts:AssumeRoleWithWebIdentity`` for a role with this trust policy.

    The token counts as genuine: signature, algorithm and size are `check_token`'s. Sources:
    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html and the policy reference,
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies.html; each rule names its own.

    Args:
        trust_policy: JSON, or the same as a mapping.
        request: The call.

    Raises:
        UndefinedBehaviour: AWS does not define the answer, or needs something that this evaluator lacks.
        ValueError: The request's issuer or the role's maximum cannot be what they are said to be.
    """
    return compile_policy(trust_policy).decide(request)


def _refused(refusal: Refusal) -> Decision:
    return Decision(allowed=False, error=refusal.error, explain=refusal.explain)


def _named(statement: CompiledStatement, why: str) -> str:
    return f"AWS does not define whether {statement.written.name} applies: {why}."
