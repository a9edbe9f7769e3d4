"""Rules about conditions, whichever claim they are on: operators, keys and values."""

from typing import Final

from ..policy import operator_of
from ..undefined import UndefinedBehaviour
from .reading import CLAIMS, AskedCondition, ClaimValue, PulumiStatement
from .rules import AUD, DEV, IAM, LOGIN, SUB, Breach, Elements, Problems, bad, equals, error, warning

_OPERATORS: Final = f"{IAM}reference_policies_elements_condition_operators.html"
_KEYS: Final = f"{IAM}reference_policies_iam-condition-keys.html#condition-keys-wif"
_EQUALS: Final = "Write StringEquals with the value itself."
_NAME_THEM: Final = "Name who may get in, with StringEquals."


def _sub(operator: str, value: object = DEV) -> Elements:
    return {"Condition": {"StringEquals": {AUD: "aws:contoso"}, operator: {SUB: value}}}


def _keys(aud: str, sub: str) -> Elements:
    return {"Condition": {"StringEquals": {aud: "aws:contoso", sub: DEV}}}


def _and(key: str, value: str) -> Elements:
    return {"Condition": {"StringEquals": {AUD: "aws:contoso", SUB: DEV, key: value}}}


@error("condition-missing", "No condition at all", fix="Add StringEquals on `aud` and `sub`.")
@bad({"Condition": {}}, see=_KEYS)
def condition_missing(statement: PulumiStatement) -> Problems:
    """Every organization of Pulumi Cloud can mint a token that gets in: anyone with a free account."""
    if not statement.conditions:
        yield "it accepts any token: there is no condition on `aud` or `sub`."


@error("operator-unknown", "No such condition operator", fix="Write the operator as AWS does: StringEquals.")
@bad(_sub("stringEquals"), see=_OPERATORS)
def operator_unknown(condition: AskedCondition) -> Problems:
    """IAM refuses the document, so the role keeps the policy it had."""
    if condition.operator:
        return
    try:
        operator_of(condition.block.operator)
    except UndefinedBehaviour as problem:
        # What an operator shuts out must not become what StringEquals lets in.
        yield Breach(str(problem), _NAME_THEM if "not" in condition.block.operator.lower() else None)


def _instead(condition: AskedCondition) -> str | None:
    """The fix where the values are those that may not get in; None where they are those that may."""
    return _NAME_THEM if condition.operator and condition.operator.is_negated else None


@error("set-operator", "A set operator on a single value", fix=_EQUALS)
@bad(
    _sub("ForAllValues:StringEquals"), see=f"{IAM}reference_policies_condition-single-vs-multi-valued-context-keys.html"
)
def set_operator(condition: AskedCondition) -> Problems:
    """ForAllValues is true when the token lacks the key, so it lets everyone in; ForAnyValue adds nothing."""
    if condition.operator and condition.operator.set_operator:
        message = f"{condition.block.operator} on `{condition.claim}`, which has one value."
        yield Breach(message, _instead(condition))


@error("if-exists", "IfExists", fix=_EQUALS)
@bad(_sub("StringEqualsIfExists"), see=_OPERATORS)
def if_exists(condition: AskedCondition) -> Problems:
    """A condition that a missing value satisfies protects nothing."""
    if condition.operator and condition.operator.if_exists:
        message = f"{condition.block.operator} on `{condition.claim}` is true of a request without it."
        yield Breach(message, _instead(condition))


@error("negated-operator", "Everyone but a few gets in", fix=_NAME_THEM)
@bad(_sub("StringNotEquals"), see=_OPERATORS)
def negated_operator(condition: AskedCondition) -> Problems:
    """Every other environment and organization gets in, including those created tomorrow."""
    # Beside an operator that says what it may be, it only narrows.
    is_compared = any(each.compares and each.claim == condition.claim for each in condition.statement.conditions)
    if condition.operator and condition.operator.is_negated and not is_compared:
        yield f"{condition.block.operator} on `{condition.claim}` lets in everything but what it lists."


@error("ignore-case", "Upper and lower case count as the same", fix=_EQUALS)
@bad(_sub("StringEqualsIgnoreCase"), see=_OPERATORS)
def ignore_case(condition: AskedCondition) -> Problems:
    """In Pulumi Cloud, names that differ only in case can belong to different people."""
    if condition.operator and condition.operator.name.endswith("IgnoreCase"):
        message = f"{condition.block.operator} on `{condition.claim}` treats names that differ in case as the same."
        yield Breach(message, _instead(condition))


@error("null-operator", "Only whether there is a value", fix=_EQUALS)
@bad(_sub("Null", "false"), see=_OPERATORS)
def null_operator(condition: AskedCondition) -> Problems:
    """Every token has an audience and a subject."""
    if not condition.operator or condition.operator.name != "Null":
        return
    name = f"{condition.block.operator} on `{condition.claim}`"
    others = [each for each in condition.statement.conditions if each.claim == condition.claim]
    is_compared = any(each.compares and each.is_on_a_claim for each in others)
    if set(condition.block.values) == {"true"} and not condition.operator.set_operator:
        problem = f"{name} wants it missing, and every token has it: nobody gets in."
        yield Breach(problem, "Leave it out." if is_compared else None)
    elif not is_compared:
        yield f"{name} checks whether it is there, not what it is."


@error("operator-type", "An operator for other values", fix=_EQUALS)
@bad(_sub("ArnLike"), see=_OPERATORS)
def operator_type(condition: AskedCondition) -> Problems:
    """AWS does not document what such a comparison does with these keys."""
    if condition.operator and not condition.operator.name.startswith(("String", "Null")):
        message = f"{condition.block.operator} does not compare strings, and `{condition.claim}` is one."
        yield Breach(message, _instead(condition))


@error("two-operators", "Two operators on one claim", fix="Write only what satisfies both, with StringEquals.")
@bad(equals(StringLike={SUB: f"{DEV}:*"}), see=_OPERATORS)
def two_operators(statement: PulumiStatement) -> Problems:
    """Only what satisfies both gets in, where usually either was meant."""
    for claim in CLAIMS:
        comparing = [condition for condition in statement.asked[claim] if condition.compares]
        if len(comparing) > 1:
            operators = " and ".join(condition.block.operator for condition in comparing)
            message = f"{operators} on `{claim}` in one statement: AWS wants all of them to hold."
            yield Breach(message, _what_satisfies_all(comparing))


def _what_satisfies_all(conditions: list[AskedCondition]) -> str | None:
    """What admits the same with one operator; None if no operator lists the values themselves."""
    exact = next((each for each in conditions if each.block.operator == "StringEquals"), None)
    if exact is None or any("${" in value for each in conditions for value in each.block.values):
        return None
    kept = [value for value in exact.block.values if all(each.admits(value) for each in conditions)]
    if len(kept) == len(exact.block.values):
        others = " and ".join(each.block.operator for each in conditions if each is not exact)
        return f"Leave out {others}: StringEquals alone admits the same."
    if not kept:
        return "No value satisfies both, so nobody gets in: decide who may, and name them with StringEquals alone."
    return f"Write only {', '.join(map(repr, kept))}, with StringEquals: no other value satisfies both."


@error("key-scheme", "A key with https://", fix="Write the key without https://.")
@bad(_keys(f"https://{AUD}", f"https://{SUB}"), see=_KEYS)
def key_scheme(condition: AskedCondition) -> Problems:
    """AWS names the key without the scheme, so no request has this one."""
    if condition.operator and _has_scheme(condition):
        right = f"Write `{condition.statement.path}:{condition.claim}`."
        yield Breach(f"the key `{condition.block.key}` begins with the issuer's scheme.", right)


@error("key-issuer", "A key of another issuer", fix="Begin the key with the provider's issuer, without https://.")
@bad(_keys("api.pulumi.com:aud", "api.pulumi.com:sub"), see=_KEYS)
def key_issuer(condition: AskedCondition) -> Problems:
    """No request that comes through this provider has it: the condition never holds, or always."""
    if condition in (same := _of_the_same_issuer(condition))[:1]:
        path, keys = condition.statement.path, dict.fromkeys((each.block.key, each.claim) for each in same)
        written = " and ".join(f"`{key}`" for key, _ in keys)
        right = " and ".join(f"`{path}:{claim}`" for _, claim in keys)
        which = "the keys {} are not among" if len(keys) > 1 else "the key {} is not one of"
        yield Breach(f"{which.format(written)} the trusted provider's, which begin with `{path}:`.", f"Write {right}.")


def _of_the_same_issuer(condition: AskedCondition) -> list[AskedCondition]:
    """The conditions on keys of this one's issuer, if that is another than the provider's."""
    issuer, path = condition.issuer, condition.statement.path
    is_a_claims = not issuer or "." in issuer or "/" in issuer or "pulumi" in issuer
    if issuer == path or not is_a_claims or _has_scheme(condition):
        return []
    return [each for each in condition.statement.conditions if each.operator and each.issuer == issuer]


def is_misplaced(statement: PulumiStatement, claim: str) -> bool:
    """Whether the statement asks for the claim under a wrong key, of which another rule says what to write."""
    return any(
        each.claim == claim and (_has_scheme(each) or _of_the_same_issuer(each)) for each in statement.conditions
    )


def _has_scheme(condition: AskedCondition) -> bool:
    return condition.issuer.startswith(("https:", "http:"))


@error("key-claim", "A claim that AWS does not show", fix="List it in `subjectAttributes`, and compare `sub`.")
@bad(_and("api.pulumi.com/oidc:pulumi.user.login", "me"), see=_KEYS)
def key_claim(condition: AskedCondition) -> Problems:
    """From a custom issuer, AWS shows only `aud`, `sub` and `amr`; everything else must be in the subject."""
    if condition.is_on_a_claim and condition.claim not in {"aud", "sub"} and not _only_narrows(condition):
        yield f"AWS does not show `{condition.block.key}` to trust policies, or Pulumi Cloud never writes it."


@warning("key-amr", "A condition on the authentication methods", fix="Leave it out if `aud` and `sub` say who gets in.")
@bad(_and("api.pulumi.com/oidc:amr", "authenticated"), see=_KEYS)
def key_amr(condition: AskedCondition) -> Problems:
    """AWS shows `amr` to trust policies, but most operators never match a token without it."""
    if condition.is_on_a_claim and _only_narrows(condition):
        yield f"`{condition.block.key}` only narrows what `aud` and `sub` let in, and Pulumi Cloud never writes it."


def _only_narrows(condition: AskedCondition) -> bool:
    """Whether it is on `amr`, in an Allow that compares `aud` and `sub` with StringEquals."""
    return (
        condition.claim == "amr"
        and condition.statement.allows
        and all(any(on.block.operator == "StringEquals" for on in condition.statement.asked[claim]) for claim in CLAIMS)
    )


@error("policy-variable", "A policy variable", fix="Write the value itself.")
@bad(
    equals(f"{LOGIN}:currentEnvironment.name:aws/${{sts:RoleSessionName}}"),
    see=f"{IAM}reference_policies_variables.html",
)
def policy_variable(value: ClaimValue) -> Problems:
    """The caller chooses some of the values that variables stand for, such as the session name."""
    if value.form == "variable":
        yield f"{value.text!r} on `{value.claim}` depends on the request."


@error("wildcard-literal", "A wildcard that has no effect", fix="Write the value itself.")
@bad(equals(f"{LOGIN}:currentEnvironment.name:aws/*"), see=_OPERATORS)
def wildcard_literal(value: ClaimValue) -> Problems:
    """No token has such a value: nobody gets in."""
    if value.form == "literal":
        yield f"StringEquals takes the * and ? of {value.text!r} literally."


KEYS: Final = (operator_unknown, key_scheme, key_issuer, key_claim, key_amr)
OPERATORS: Final = (set_operator, if_exists, negated_operator, ignore_case, null_operator, operator_type)
VALUES: Final = (policy_variable, wildcard_literal)
