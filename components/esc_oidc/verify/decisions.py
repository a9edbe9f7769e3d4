"""Who gets in: AWS's answer to ``sts:AssumeRoleWithWebIdentity``, check after check in AWS's order."""

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any, Final

from ..claims import condition_key, issuer_path
from ..sessions import LONGEST_SESSION, SESSION_NAME, SHORTEST_SESSION, seconds
from ..trust import IamArn, provider_arn, read_iam_arn
from .explanations import (
    Difference,
    Explanation,
    Refusal,
    explain_allow,
    explain_deny,
    explain_dependence,
    explain_duration,
    explain_maximum,
    explain_provider,
    explain_refusal,
    explain_session_name,
    written,
)
from .policy import CompiledStatement, Context, ContextValue, Undecided, compile_statement, deciding_statement, read
from .tokens import refuse_audience, refuse_issuer, refuse_subject, refuse_times, single_claim
from .undefined import UndefinedBehaviour

# Claims that make AWS ask for more actions (sts:TagSession, sts:SetSourceIdentity) and add keys.
_SESSION_CLAIMS: Final = ("https://aws.amazon.com/tags", "https://aws.amazon.com/source_identity")


_SECONDS: Final = re.compile(r"[0-9]{5,40}(?:\.[0-9]+)?")
"""Seconds since 1970, as Date operators take them beside ISO 8601; four digits may be a year."""

_TIMES: Final = frozenset({"aws:epochtime", "aws:currenttime"})


@dataclass(frozen=True)
class Request:
    """One call of ``sts:AssumeRoleWithWebIdentity``. What is None or absent is not judged.

    Attributes:
        claims: The token's claims. `aud`, `sub` and `amr` feed the conditions; `iss`, `exp`, `nbf` and `iat`
            are judged when they are there. A claim that is null counts as absent.
        issuer: The URL of the IAM OIDC provider, ``https://HOST/PATH``.
        account: The 12 digits of the account that has the provider and the role. None is the provider's own: the
            account and partition of the provider for this issuer that the policy trusts.
        partition: ``aws``, ``aws-cn``, ``aws-us-gov``...; not used if `account` is None.
        client_ids: The provider's client IDs.
        duration: The session that is asked for, in ESC's form (``1h30m``).
        max_session_duration: The role's maximum, in the same form.
        session_name: The role session name, which is also the condition key ``sts:RoleSessionName``.
        context: Further condition keys, such as ``aws:SourceIp``, each with its value as AWS writes it (bytes in
            base64). None says that the call has no such key. Of a key of AWS's own (``aws:...``, ``sts:...``) that is
            not here nothing is known: where it decides, `Decision.depends_on` names it. ``aws:EpochTime`` or
            ``aws:CurrentTime`` is the time; if neither is here, the token's times are judged by the clock.
        providers: The ARNs of the account's OIDC providers; None is not judged.
    """

    claims: Mapping[str, object]
    issuer: str
    account: str | None = None
    partition: str = "aws"
    client_ids: Sequence[str] | None = None
    duration: str | None = None
    max_session_duration: str | None = None
    session_name: str | None = None
    context: Mapping[str, str | None] = field(default_factory=dict)
    providers: Sequence[str] | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Decision:
    """What AWS would answer, and why.

    Decisions compare, pickle and print by all of this; it is made when somebody first asks for it.

    Attributes:
        allowed: Whether credentials would be issued, for sure.
        error: AWS's error code (``AccessDenied``, ``InvalidIdentityToken``...), None when allowed. Where the answer
            depends on what the request doesn't say, the error that AWS answers unless it is what the policy wants.
        explain: The explanation, or what makes it.
    """

    allowed: bool
    error: str | None
    explain: Explanation | Callable[[], Explanation]

    @cached_property
    def explanation(self) -> Explanation:
        """Why, as data."""
        return self.explain if isinstance(self.explain, Explanation) else self.explain()

    @property
    def statement(self) -> int | None:
        """The index of the statement that allows, denies, or came closest to allowing; None if none was asked."""
        return self.explanation.statement

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What stands in the way; where a Deny decides, its conditions, all of which hold."""
        return self.explanation.differences

    @property
    def depends_on(self) -> tuple[str, ...]:
        """The condition keys that the request doesn't say, and on which the answer depends; none when it is certain."""
        return self.explanation.depends_on

    @cached_property
    def reason(self) -> str:
        """One short paragraph: what decided, on which key, the likely mistake, and the way out."""
        return self.explanation.text(allowed=self.allowed)

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON has it.

        ``version`` is 1; it changes when a field changes its meaning or goes, not when one is added. The others are
        ``allowed``, ``error``, ``statement``, ``sid``, ``effect``, ``candidates``, ``depends_on`` (see `Explanation`),
        ``reason`` and ``differences``, a list of objects with the fields of `Difference`.
        """
        verdict = {"version": 1, "allowed": self.allowed, "error": self.error, "reason": self.reason}
        lists: dict[str, Any] = json.loads(json.dumps(asdict(self.explanation)))
        return verdict | lists

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Decision) and self._data == other._data

    def __hash__(self) -> int:
        return hash(self._data)

    def __repr__(self) -> str:
        return f"Decision(allowed={self.allowed}, error={self.error!r}, explain={self.explanation!r})"

    def __reduce__(self) -> tuple[type["Decision"], tuple[bool, str | None, Explanation]]:
        return Decision, self._data

    @property
    def _data(self) -> tuple[bool, str | None, Explanation]:
        return self.allowed, self.error, self.explanation


@dataclass(frozen=True)
class CompiledPolicy:
    """A trust policy ready to judge many tokens; `compile_policy` makes it."""

    denies: tuple[CompiledStatement, ...]
    allows: tuple[CompiledStatement, ...]

    @cached_property
    def providers(self) -> tuple[IamArn, ...]:
        """The OIDC providers that its statements name, of whatever kind of principal, each once."""
        statements = sorted([*self.denies, *self.allows], key=lambda statement: statement.written.index)
        named = [arn for each in statements for names in each.written.principals.values() for arn in names]
        read = dict.fromkeys(map(read_iam_arn, named))
        return tuple(arn for arn in read if arn and arn.kind == "oidc-provider" and arn.is_of_an_account)

    def decide(self, request: Request) -> Decision:
        """What AWS would answer to this request, as `decide` does.

        Raises:
            UndefinedBehaviour: AWS does not define the answer.
        """
        claims, issuer = request.claims, request.issuer
        if request.account is None:
            arn = self._provider(issuer)
        else:
            arn = provider_arn(issuer, request.account, request.partition)
        asked = None if request.duration is None else _seconds(request.duration)
        # The call, then the token: an OIDC provider for its issuer, with its audience, at this time.
        refusal = (
            _refuse_call(request, asked)
            or refuse_issuer(claims, issuer)
            or self._refuse_provider(request, arn)
            or (
                refuse_audience(claims, request.client_ids, arn, partial(self._wants_audience, issuer))
                if request.client_ids is not None
                else None
            )
            or refuse_subject(claims)
        )
        if refusal:
            return Decision(False, refusal.error, refusal.explain)
        context = _context_of(request)
        if ("exp" in claims or "nbf" in claims or "iat" in claims) and (
            refusal := refuse_times(claims, _time_of(context))
        ):
            return Decision(False, refusal.error, refusal.explain)
        # Then the role: its trust policy, and what it allows of the session that was asked for.
        decision = self._statements(issuer, arn, context)
        if decision.allowed and (refusal := _refuse_maximum(request, asked)):
            return Decision(False, refusal.error, refusal.explain)
        return decision

    def _refuse_provider(self, request: Request, arn: str) -> Refusal | None:
        """The account must have the issuer's provider: "No OpenIDConnect provider found in your account for ..."."""
        if request.providers is None or arn in request.providers:
            return None
        aud = single_claim(request.claims, "aud")
        is_wanted = (
            aud is not None and read_iam_arn(arn) in self.providers and self._wants_audience(request.issuer, aud)
        )
        explain = partial(explain_provider, request.providers, request.issuer, arn, aud if is_wanted else None)
        return Refusal("InvalidIdentityToken", explain)

    def _wants_audience(self, issuer: str, audience: str) -> bool:
        """Whether an Allow statement names this audience of tokens of this issuer."""
        key = condition_key(issuer, "aud").lower()
        asked = [[each for each in statement.conditions if each.key == key] for statement in self.allows]
        return any(
            conditions and all(each.test({key: audience}) is True for each in conditions) for conditions in asked
        )

    def _provider(self, issuer: str) -> str:
        """The ARN of this issuer's provider: the one that the policy names, else one in the account that it names."""
        named = [arn for arn in self.providers if f"https://{arn.name}" == issuer]
        if len(named) > 1:
            raise UndefinedBehaviour(
                f"The policy trusts providers of {issuer} in several accounts, and AWS takes the one in the role's own "
                "account: name it as Request.account."
            )
        accounts = {(arn.account, arn.partition) for arn in named or self.providers}
        return provider_arn(issuer, *(accounts.pop() if len(accounts) == 1 else ("ACCOUNT", "aws")))

    def _statements(self, issuer: str, arn: str, context: Context) -> Decision:
        decides = deciding_statement((*self.denies, *self.allows), arn, context)
        if decides is None:
            return Decision(False, "AccessDenied", partial(explain_refusal, self.allows, issuer, arn, context))
        if isinstance(decides, Undecided):
            return Decision(False, "AccessDenied", partial(explain_dependence, decides, context))
        if decides.written.effect == "Deny":
            return Decision(False, "AccessDenied", partial(explain_deny, decides, context))
        return Decision(True, None, partial(explain_allow, decides))


def compile_policy(trust_policy: str | Mapping[str, object]) -> CompiledPolicy:
    """Read a trust policy once to decide about many tokens.

    Raises:
        UndefinedBehaviour: It is not a policy that IAM accepts, or one with parts that AWS leaves undefined.
    """
    document = read(trust_policy)
    compiled = [compile_statement(each, has_variables=document.has_variables) for each in document.statements]
    denies, allows = (tuple(each for each in compiled if each.written.effect == effect) for effect in ("Deny", "Allow"))
    return CompiledPolicy(denies, allows)


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


def _refuse_call(request: Request, asked: int | None) -> Refusal | None:
    """What the API asks of its parameters: the session name's form, and a duration of 900 to 43200 seconds.

    This is about the call alone: AWS answers ValidationError before it reads the token or looks for the role.
    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html#API_AssumeRoleWithWebIdentity_RequestParameters
    """
    name, duration = request.session_name, request.duration
    if name is not None and not SESSION_NAME.fullmatch(name):
        return Refusal("ValidationError", partial(explain_session_name, name))
    if duration is not None and (asked is None or not SHORTEST_SESSION <= asked <= LONGEST_SESSION):
        return Refusal("ValidationError", partial(explain_duration, duration, asked, request.claims.get("sub")))
    return None


def _refuse_maximum(request: Request, asked: int | None) -> Refusal | None:
    """At most the role's maximum, which is a property of the role and so comes last.

    Raises:
        ValueError: The role's maximum is no duration.
    """
    if request.max_session_duration is None:
        return None
    maximum = _seconds(request.max_session_duration)
    if maximum is None:
        raise ValueError(f"max_session_duration is {request.max_session_duration!r}, not a duration like 1h30m")
    if asked is None or asked <= maximum:
        return None
    return Refusal("ValidationError", partial(explain_maximum, asked, maximum, request.claims.get("sub")))


def _seconds(duration: str) -> int | None:
    """The seconds of a duration; None if it cannot be read."""
    try:
        return seconds(duration)
    except ValueError:
        return None


def _context_of(request: Request) -> dict[str, ContextValue | None]:
    """The condition keys of a request, in lower case, since AWS does not distinguish case in their names.

    AWS shows a trust policy only `aud`, `sub` and `amr` of a custom issuer; every other claim is a missing key.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif

    Raises:
        UndefinedBehaviour: AWS does not say which values the keys would have.
    """
    claims = request.claims
    for claim in _SESSION_CLAIMS:
        if claim in claims:
            raise UndefinedBehaviour(f"The token has the claim {claim}; session tags are not implemented here.")
    prefix = f"{issuer_path(request.issuer)}:".lower()
    context: dict[str, ContextValue | None] = {}
    aud, sub, amr = single_claim(claims, "aud"), single_claim(claims, "sub"), claims.get("amr")
    if aud is not None:
        azp = claims.get("azp")
        if azp is not None and azp != aud:
            # Documented for Google alone: there the key `aud` holds `azp`.
            raise UndefinedBehaviour(
                f"The token's azp {written(azp)} is not its aud: AWS does not say which one it judges."
            )
        context[f"{prefix}aud"] = aud
    if sub is not None:
        context[f"{prefix}sub"] = sub
    if amr is not None:
        context[f"{prefix}amr"] = _several(amr)
    if request.context or request.session_name is not None:
        _add_further_keys(context, request, prefix)
    return context


def _add_further_keys(context: dict[str, ContextValue | None], request: Request, prefix: str) -> None:
    keys: dict[str, str | None] = {key.lower(): value for key, value in request.context.items()}
    if len(keys) != len(request.context):
        raise UndefinedBehaviour("The request's context has one key twice, in different case.")
    if request.session_name is not None:
        named = keys.setdefault("sts:rolesessionname", request.session_name)
        if named != request.session_name:
            raise UndefinedBehaviour(
                f"The request has the session name {request.session_name!r} and sts:RoleSessionName {named!r}."
            )
    # The issuer's keys come from the token and from nowhere else.
    context |= {
        key: None if value is None else _several(value) for key, value in keys.items() if not key.startswith(prefix)
    }
    if any(isinstance(context.get(key), str) for key in _TIMES):
        # Both say when AWS received the request: in seconds since 1970, and in ISO 8601.
        now = _time_of(context)
        context.setdefault("aws:epochtime", f"{now:.0f}")
        context["aws:currenttime"] = _iso(now)


def _several(value: object) -> ContextValue:
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and all(isinstance(member, str) for member in value):
        return tuple(str(member) for member in value)
    raise UndefinedBehaviour(f"{written(value)} is neither a string nor a list of strings: AWS defines no key for it.")


def _time_of(context: Context) -> float:
    """The time of a request, in epoch seconds: ``aws:EpochTime``, ``aws:CurrentTime`` or else the clock's."""
    epoch, current = context.get("aws:epochtime"), context.get("aws:currenttime")
    try:
        if isinstance(epoch, str):
            return float(epoch)
        if isinstance(current, str):
            if _SECONDS.fullmatch(current):
                return float(current)
            moment = datetime.fromisoformat(current)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except ValueError as error:
        raise _unreadable_time(error) from error
    return time.time()


def _iso(moment: float) -> str:
    try:
        return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError) as error:
        raise _unreadable_time(error) from error


def _unreadable_time(error: Exception) -> UndefinedBehaviour:
    return UndefinedBehaviour(f"The time in the request's context cannot be read: {error}.")
