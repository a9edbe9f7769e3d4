"""Whom a live trust policy admits, as the component's inputs.

They are a guess, from the policy's subjects and the attributes that the login asks for: whoever calls this proves that
they admit the same. What certainly can't be said is a reason.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ..claims import (
    CURRENT_ENVIRONMENT,
    LEGACY_PROJECT,
    ROOT_ENVIRONMENT,
    STACK_CONFIGURATION,
    TEAM,
    TOKEN_TYPE,
    USER,
    AttributeSubject,
    DefaultSubject,
    DeploymentSubject,
    audience,
    condition_key,
    default_subject,
    read_subject,
    subject,
)
from ..inputs import printable
from ..trust import ACTION, IamArn, Trust, read_iam_arn
from ..verify import can_be_pulumi

ANY: Final = "dangerously_allow_any_environment"
ANY_IN_PROJECT: Final = "dangerously_allow_any_environment_in_project"
ANY_STACK: Final = "dangerously_allow_any_stack_configuration"
OMIT: Final = "dangerously_omit_current_environment"

_SHOWN: Final = 4
"""How many tokens a sentence names."""

_OPENER: Final = (USER, TOKEN_TYPE, TEAM)

LEAVE: Final = "Leave this role as it is, and let the component make another one."
MEND: Final = "Mend that first."
NARROW: Final = "Run it again with --narrow: what is too wide then gets in no longer."
_SPLIT: Final = "Leave this role as it is; or make a second role for them, and take the statement out of this one."


@dataclass(frozen=True)
class Reason:
    """Why something can't be adopted as it is.

    Attributes:
        what: What stands in the way.
        offer: What to do instead.
    """

    what: str
    offer: str


class Reasons:
    """Every reason that was found, each once."""

    def __init__(self) -> None:
        self._found: dict[str, Reason] = {}

    def add(self, what: str, offer: str) -> None:
        """Add one; control characters in it are escaped."""
        what = printable(what)
        self._found.setdefault(what, Reason(what, printable(offer)))

    def __bool__(self) -> bool:
        return bool(self._found)

    def all(self) -> tuple[Reason, ...]:
        """All of them, in the order in which they were found."""
        return tuple(self._found.values())


def some(texts: Iterable[str]) -> str:
    """The first few of these, and how many more there are."""
    listed = list(texts)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more


def statements_of(policy: Any) -> list[Mapping[str, Any]]:
    """The statements of a policy.

    Raises:
        ValueError: It is no policy.
    """
    found = policy.get("Statement") if isinstance(policy, dict) else None
    statements: list[Mapping[str, Any]] = [each for each in _listed(found) if isinstance(each, dict)]
    if not statements or len(statements) != len(_listed(found)):
        raise ValueError("a policy is an object with statements")
    return statements


def provider_arn_of(policy: str) -> str | None:
    """The ARN of the provider in a trust policy that may be Pulumi Cloud's; None if there is not exactly one."""
    try:
        arns = {str(arn) for statement in statements_of(json.loads(policy)) for arn in _pulumi_providers(statement)}
    except ValueError:
        return None
    return arns.pop() if len(arns) == 1 else None


def _pulumi_providers(statement: Mapping[str, Any]) -> Iterator[IamArn]:
    for kind, name in _principals(statement):
        arn = read_iam_arn(name) if kind == "Federated" else None
        if arn and arn.kind == "oidc-provider" and can_be_pulumi(arn.name):
            yield arn


def _principals(statement: Mapping[str, Any]) -> list[tuple[str, str]]:
    principal = statement.get("Principal", {})
    if not isinstance(principal, dict):
        return [("", str(principal))]
    return [(kind, str(name)) for kind, names in principal.items() for name in _listed(names)]


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_pattern(operator: str, text: str) -> bool:
    return operator == "StringLike" and bool(re.search(r"[*?]", text))


def matches(patterns: Iterable[str], text: str) -> bool:
    """Whether a text matches one of these patterns of AWS."""
    signs = {"*": ".*", "?": "."}
    return any(
        re.fullmatch("".join(signs.get(sign, re.escape(sign)) for sign in pattern), text, re.DOTALL)
        for pattern in patterns
    )


@dataclass
class LivePolicy:
    """What a live trust policy asks of Pulumi Cloud's tokens.

    Attributes:
        provider: The provider that it trusts.
        audiences: The values of ``aud`` that it names.
        lacks_audience: Whether a statement asks for none.
        exact: The values of ``sub`` that it names.
        patterns: Those with wildcards; ``*`` where a statement asks for none.
    """

    provider: IamArn
    audiences: list[str] = field(default_factory=list)
    lacks_audience: bool = False
    exact: list[str] = field(default_factory=list)
    patterns: list[str] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        """The URL of whoever signs."""
        return f"https://{self.provider.name}"

    def trust(self, audience: str) -> Trust:
        """What it admits under this audience."""
        return Trust(self.issuer, audience, tuple(self.exact), tuple(self.patterns))


def read_policy(text: str, reasons: Reasons) -> LivePolicy | None:
    """What a trust policy asks; None if it trusts no provider of Pulumi Cloud, or several.

    What the component can't write is added to the reasons: it writes the whole document.

    Raises:
        ValueError: It is no policy.
    """
    statements = statements_of(json.loads(text))
    conditions = [each.get("Condition") or {} for each in statements]
    if not all(
        isinstance(each, dict) and all(isinstance(block, dict) for block in each.values()) for each in conditions
    ):
        raise ValueError("a condition is an object of operators")
    providers = list({str(arn): arn for each in statements for arn in _pulumi_providers(each)}.values())
    if not providers:
        reasons.add("the role trusts no provider of Pulumi Cloud: nobody gets in today.", MEND)
        return None
    if len(providers) > 1:
        names = " and ".join(map(str, providers))
        reasons.add(f"the role trusts several providers: {names}.", "Take out those that are not used.")
        return None
    policy = LivePolicy(providers[0])
    for index, statement in enumerate(statements, 1):
        _read_statement(f"statement {index}", statement, policy, reasons)
    return policy


def _read_statement(name: str, statement: Mapping[str, Any], policy: LivePolicy, reasons: Reasons) -> None:
    if statement.get("Effect") != "Allow":
        reasons.add(f"{name} is a Deny, which no input stands for.", LEAVE)
        return
    elements = [element for element in ("NotPrincipal", "NotAction") if element in statement]
    for element in elements:
        reasons.add(f"{name} has {element}, which no input stands for.", LEAVE)
    principals = [who for _, who in _principals(statement)]
    for who in principals:
        if who != str(policy.provider):
            reasons.add(f"{name} admits {who}, and the component writes the whole trust policy.", _SPLIT)
    if str(policy.provider) not in principals or elements:
        return
    actions = [str(each) for each in _listed(statement.get("Action", []))]
    if not actions:
        reasons.add(f"{name} allows no action: nobody gets in by it.", "Take it out first.")
    for action in actions:
        if action.lower() != ACTION.lower():
            reasons.add(f"{name} allows {action}, and the component {ACTION} alone.", LEAVE)
    _read_conditions(name, statement, policy, reasons)


Asked = Mapping[str, list[tuple[str, list[str]]]]
"""What a statement asks of ``aud`` and ``sub``: the operators, each with its values."""


def _read_conditions(name: str, statement: Mapping[str, Any], policy: LivePolicy, reasons: Reasons) -> None:
    asked = _asked(name, statement.get("Condition") or {}, policy.issuer, reasons)
    subjects = [text for _, texts in asked["sub"] for text in texts]
    if subjects and all(isinstance(read_subject(each), DeploymentSubject) for each in subjects):
        offer = "Leave this role as it is; or let PulumiDeploymentsOidc make a second role for them first."
        reasons.add(f"{name} admits Pulumi Deployments: {some(subjects)}.", offer)
        return
    policy.lacks_audience |= not asked["aud"]
    for operator, text in _each(asked["aud"]):
        if _is_pattern(operator, text):
            reasons.add(f"{name} admits every audience like {text!r}, and the component one alone.", LEAVE)
        elif text not in policy.audiences:
            policy.audiences.append(text)
    for operator, text in _each(asked["sub"] or [("StringLike", ["*"])]):
        (policy.patterns if _is_pattern(operator, text) else policy.exact).append(text)


def _each(asked: Iterable[tuple[str, list[str]]]) -> Iterator[tuple[str, str]]:
    return ((operator, text) for operator, texts in asked for text in texts)


def _asked(name: str, condition: Mapping[str, Any], issuer: str, reasons: Reasons) -> Asked:
    asked: dict[str, list[tuple[str, list[str]]]] = {"aud": [], "sub": []}
    keys = {condition_key(issuer, claim).lower(): claim for claim in asked}
    blocks = [(operator, *each) for operator, block in condition.items() for each in block.items()]
    for operator, key, values in blocks:
        claim, texts = keys.get(key.lower()), [str(each) for each in _listed(values)]
        if claim is None or operator not in {"StringEquals", "StringLike"}:
            reasons.add(f"{name} has the condition {operator} on {key}, which no input stands for.", LEAVE)
        elif "${" in "".join(texts):
            reasons.add(f"{name} has a policy variable in {key}, which no input stands for.", LEAVE)
        else:
            asked[claim].append((operator, texts))
    for claim, found in asked.items():
        if len(found) > 1:
            reasons.add(f"{name} asks for {claim} by two operators, and no input stands for both.", LEAVE)
    return asked


Row = Mapping[str, str]
"""A subject, or a pattern, of the login's own form: the value of each attribute."""


def spelled(environment: str) -> str:
    """An environment as a subject names it, ``PROJECT/ENV``: in the legacy project it may lack the project."""
    if environment == STACK_CONFIGURATION or "/" in environment:
        return environment
    return f"{LEGACY_PROJECT}/{environment}"


def meaning(text: str) -> object:
    """What is equal for two subjects that differ only in how they spell environments of the legacy project."""
    read = read_subject(text)
    if not isinstance(read, AttributeSubject):
        return text
    names = (CURRENT_ENVIRONMENT, ROOT_ENVIRONMENT)
    return tuple((name, spelled(value) if name in names else value) for name, value in read.attributes)


class Admission:
    """Who gets in, by a trust policy and by the attributes that a login asks for.

    Args:
        policy: The policy.
        reference: The login's environment, ``ORG/PROJECT/ENV``.
        attributes: What the login asks for.
        reasons: What can't be said is added to these.

    Attributes:
        rows: The subjects of the login's own form.
        wide: The patterns that admit more than one project.
        foreign: The subjects of logins with other attributes.
    """

    def __init__(self, policy: LivePolicy, reference: str, attributes: Sequence[str], reasons: Reasons) -> None:
        self.policy = policy
        self.organization, self._project, self._environment = reference.split("/")
        self._own = f"{self._project}/{self._environment}"
        self._attributes = tuple(attributes)
        self._reasons = reasons
        self.audience = audience(self.organization, self._project)
        self.rows: list[Row] = []
        self.wide: list[str] = []
        self.foreign: list[str] = []
        for pattern in policy.patterns:
            row = self._in_project(pattern)
            if row:
                self.rows.append(row)
            else:
                self.wide.append(pattern)
        for text in policy.exact:
            self._add(text)

    def _in_project(self, pattern: str) -> Row | None:
        """The values of a pattern that is wide in one thing only: any environment of this project."""
        read = read_subject(pattern)
        if not (isinstance(read, AttributeSubject) and self._is_own(read)):
            return None
        row = dict(read.attributes)
        exact = all(not _is_pattern("StringLike", value) for name, value in row.items() if name != CURRENT_ENVIRONMENT)
        return row if exact and row.get(CURRENT_ENVIRONMENT) == f"{self._project}/*" else None

    def _is_own(self, read: AttributeSubject) -> bool:
        return read.names == self._attributes and read.organization == self.organization

    def _add(self, text: str) -> None:
        read = read_subject(text)
        if not isinstance(read, AttributeSubject | DefaultSubject) or not (str(read) == text and read.is_well_formed):
            self._reasons.add(f"the trust policy names {text!r}, which no login in ESC has.", "Take it out first.")
        elif read.organization != self.organization:
            self._reasons.add(f"the trust policy names a subject of another organization: {text}.", _SPLIT)
        elif isinstance(read, DefaultSubject):
            if self._attributes:
                self.foreign.append(text)
            else:
                self.rows.append({CURRENT_ENVIRONMENT: read.environment})
        elif read.names == self._attributes:
            self.rows.append(dict(read.attributes))
        elif sorted(read.names) == sorted(self._attributes):
            what = f"{text} has the attributes in another order than the login: nobody gets in with it."
            self._reasons.add(what, f"{MEND} The login's order is {', '.join(self._attributes)}.")
        else:
            self.foreign.append(text)

    @property
    def names_this_environment(self) -> bool:
        """Whether a subject of the login's own form names this environment, or none."""
        named = {row.get(CURRENT_ENVIRONMENT) for row in self.rows}
        return bool(named & {None, f"{self._project}/*"}) or self._own in {spelled(each) for each in named if each}

    def as_today(self, subjects: Iterable[str]) -> Trust:
        """The tokens that this environment's login has today for those who get in with these subjects.

        Where these say less than the login does today, anything may stand there.
        """
        if not self._attributes:
            own = default_subject(self.organization, self._project, self._environment)
            return Trust(self.policy.issuer, self.audience, (own,))
        exact: list[str] = []
        patterns: list[str] = []
        for text in subjects:
            read = read_subject(text)
            values = dict(read.attributes) if isinstance(read, AttributeSubject) else {}
            pairs = [(name, values.get(name, "*")) for name in self._attributes]
            (exact if values.keys() >= {*self._attributes} else patterns).append(subject(self.organization, pairs))
        return Trust(self.policy.issuer, self.audience, tuple(exact), tuple(patterns))

    def inputs(self) -> dict[str, Any]:
        """The inputs for what the policy admits today."""
        self._check_audience()
        if self.policy.lacks_audience:
            self._reasons.add("a statement asks for no audience, and admits every one of the provider's.", NARROW)
        self._check_foreign()
        if self.wide:
            return {ANY: True}
        if not self.rows:
            if not self._reasons:
                listed = ", ".join(self._attributes) or "none"
                what = f"the trust policy names no subject with this login's attributes ({listed}): nobody gets in."
                self._reasons.add(what, MEND)
            return {}
        return self._listed(self.rows, self._attributes)

    def narrowed(self) -> dict[str, Any]:
        """The inputs for this environment alone, with the lists that are exact today."""
        self._check_audience()
        read = [read_subject(text) for text in self.wide]
        of_login = [dict(each.attributes) for each in read if isinstance(each, AttributeSubject) and self._is_own(each)]
        rows = [*self.rows, *of_login] if self._attributes else []
        # A pattern of another form admits openers and roots that no row names.
        every_one_is_listed = len(of_login) == len(self.wide)
        kept = {
            name
            for name in self._attributes
            if name == CURRENT_ENVIRONMENT
            or (every_one_is_listed and not any(_is_pattern("StringLike", row[name]) for row in rows))
        }
        if not {*_OPENER} & {*self._attributes} <= kept:
            kept -= {*_OPENER}
        if CURRENT_ENVIRONMENT not in kept:
            return self._lists([{name: value for name, value in row.items() if name in kept} for row in rows], ())
        narrow = [
            {
                **{name: value for name, value in row.items() if name in kept},
                CURRENT_ENVIRONMENT: self._own if _is_pattern("StringLike", value) else value,
            }
            for row in rows
            if (value := row[CURRENT_ENVIRONMENT])
        ]
        return self._listed(narrow, [name for name in self._attributes if name in kept])

    def _check_audience(self) -> None:
        named = self.policy.audiences
        if len(named) > 1:
            self._reasons.add(f"the role admits several audiences: {some(named)}.", LEAVE)
        elif named and named[0] != self.audience:
            what = f"the role admits the audience {named[0]!r}, and this environment's is {self.audience!r}:"
            self._reasons.add(f"{what} nobody gets in.", MEND)

    def _check_foreign(self) -> None:
        if self.foreign and not self.wide:
            self._reasons.add(
                f"the trust policy names subjects of logins with other attributes: {some(self.foreign)}.",
                "Bring those logins to the same attributes first, or use two roles. With --narrow they get in no "
                "longer.",
            )

    def _listed(self, rows: Sequence[Row], attributes: Sequence[str]) -> dict[str, Any]:
        """The inputs whose lists make these subjects, and perhaps more, for a login with these attributes."""
        inputs = self._lists(rows, attributes)
        if CURRENT_ENVIRONMENT not in attributes:
            return {"subject_attributes": list(attributes), OMIT: True, **inputs}
        return {"subject_attributes": list(attributes), **inputs}

    def _lists(self, rows: Sequence[Row], attributes: Sequence[str]) -> dict[str, Any]:
        inputs: dict[str, Any] = {}
        current = dict.fromkeys(spelled(row[CURRENT_ENVIRONMENT]) for row in rows if CURRENT_ENVIRONMENT in row)
        whole = f"{self._project}/*"
        if whole in current:
            inputs[ANY_IN_PROJECT] = True
        elif not attributes and STACK_CONFIGURATION in current:
            inputs[ANY_STACK] = True
        others = [
            name
            for name in current
            if name not in {self._own, STACK_CONFIGURATION}
            and not (whole in current and name.startswith(f"{self._project}/"))
        ]
        roots = list(dict.fromkeys(spelled(row[ROOT_ENVIRONMENT]) for row in rows if ROOT_ENVIRONMENT in row))
        lists = {"allowed_environments": others, "allowed_root_environments": roots, **self._openers(rows)}
        return inputs | {name: values for name, values in lists.items() if values}

    def _openers(self, rows: Sequence[Row]) -> dict[str, list[str]]:
        """The inputs that say who opens."""
        found: dict[str, dict[str, None]] = {"allowed_users": {}, "allowed_teams": {}, "allowed_token_types": {}}
        for row in rows:
            login, kind, team = (row.get(name) for name in _OPENER)
            if team:
                found["allowed_teams"][team] = None
            elif login and kind in {None, "personal"}:
                found["allowed_users"][login] = None
            elif kind:
                found["allowed_token_types"][kind] = None
            elif login is not None or team is not None:
                opener = ", ".join(f"{name} {row[name]!r}" for name in _OPENER if name in row)
                self._reasons.add(f"no input admits exactly those with {opener}.", LEAVE)
        return {name: list(values) for name, values in found.items()}
