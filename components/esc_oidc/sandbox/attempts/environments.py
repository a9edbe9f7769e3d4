"""Who gets in to the role of an ESC environment: every way that is declared, and those that must be refused."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import yaml

from ... import claims
from ...claims import AttributeSubject, DefaultSubject, read_subject
from ...environment import Login, environment_definition
from ...tokens import Opener, Opening, deployment_claims, login_claims
from ..esc import EnvironmentRef, NotFound
from ..servers import Sandbox
from .outcomes import Attempt, Declared, open_by_name, open_for_stack, present, too_long

_ANYONE: Final = Opener("member")
_STRANGER: Final = Opener("mallory")
"""People of the organization whom no program names."""


def environment_attempts(sandbox: Sandbox, declared: Declared) -> Iterator[Attempt]:
    """Try everyone whom a PulumiEscOidc declares, and everyone whom it must refuse."""
    environment = EnvironmentRef(*declared.outputs["environmentRef"].split("/"))
    with _definition(sandbox, declared, environment) as definition:
        trial = _Trial(sandbox, declared, environment, definition)
        # Each way once: two subjects may be spellings of one environment.
        ways = list(dict.fromkeys(trial.way(subject) for subject in declared.subjects))
        yield from trial.admitted(ways)
        yield from trial.refused(ways[0])


@dataclass(frozen=True)
class _Way:
    """An environment that is opened, the one that holds the login, and who opens."""

    current: str
    root: str
    opener: Opener


@dataclass(frozen=True)
class _Trial:
    sandbox: Sandbox
    declared: Declared
    environment: EnvironmentRef
    definition: str

    @property
    def organization(self) -> str:
        return self.environment.organization

    def way(self, text: str) -> _Way:
        """The way of opening that a subject stands for."""
        subject = read_subject(text)
        if isinstance(subject, DefaultSubject):
            return _Way(self.environment.path, _path(subject.environment), _ANYONE)
        values = dict(subject.attributes) if isinstance(subject, AttributeSubject) else {}
        current = _path(values.get(claims.CURRENT_ENVIRONMENT, self.environment.path))
        return _Way(current, _path(values.get(claims.ROOT_ENVIRONMENT, current)), self._opener(values))

    def _opener(self, values: Mapping[str, str]) -> Opener:
        team, login = values.get(claims.TEAM, ""), values.get(claims.USER, "")
        if team or values.get(claims.TOKEN_TYPE) == "team":
            return Opener(self.organization, "team", team or "any-team")
        if values.get(claims.TOKEN_TYPE) == "organization":
            return Opener(self.organization, "organization")
        return Opener(login) if login else _ANYONE

    def admitted(self, ways: list[_Way]) -> Iterator[Attempt]:
        """Everyone who is declared: by name, for a stack, and through an environment that imports the login."""
        own = self.environment.path
        for way in ways:
            yield self._open(way)
        for opener in dict.fromkeys(way.opener for way in ways):
            yield self._open_for_stack(_Way(own, own, opener))
        yield self._open(_Way(own, f"{self.environment.project}/esc-oidc-try-imports", ways[0].opener))

    def refused(self, way: _Way) -> Iterator[Attempt]:
        """Those who must not get in, unless the component says so; who is declared all the same is left out."""
        yield from (attempt for attempt in self._strangers(way) if not attempt.expected)
        token, who, audience = self._claims(way), str(way.opener), f"azure:{self.organization}"
        azure = {**token, "aud": audience}
        yield present(
            self.sandbox, self.declared, f"{who} presents a token for {audience}", azure, "another cloud's token"
        )
        deployment = deployment_claims(
            self.organization, self.environment.project, "dev", "update", issuer=self.sandbox.issuer_url
        )
        yield present(self.sandbox, self.declared, "Pulumi Deployments updates a stack", deployment, "not an ESC token")
        yield too_long(self.sandbox, self.declared, who, token)

    def _strangers(self, way: _Way) -> Iterator[Attempt]:
        own, stranger = self.environment.path, f"{self.environment.project}/esc-oidc-try-stranger"
        yield self._open(_Way(stranger, stranger, way.opener), "another environment with the same login")
        other = f"{self.organization}-stranger"
        elsewhere = _Way(own, own, way.opener.of(other))
        yield self._open(elsewhere, "the same name in another organization", organization=other)
        yield self._open(_Way(way.current, way.root, _STRANGER), "a user who is not listed")

    def _open(self, way: _Way, remark: str = "", *, organization: str | None = None) -> Attempt:
        if way.root == claims.STACK_CONFIGURATION:
            return self._open_for_stack(_Way(way.current, way.current, way.opener))
        organization = organization or self.organization
        opened, holder = (EnvironmentRef(organization, *path.split("/")) for path in (way.root, way.current))
        imports = self.definition if opened == holder else f"imports:\n- {holder.path}"
        with _written(self.sandbox, holder, self.definition), _written(self.sandbox, opened, imports):
            outcome = open_by_name(self.sandbox, self._token(way.opener, organization), opened)
        through = "" if opened == holder else f", which imports {holder}"
        who = f"{way.opener} opens {opened}{through}"
        return self.declared.attempt(who, self._claims(way, organization), outcome, remark)

    def _open_for_stack(self, way: _Way) -> Attempt:
        ref = EnvironmentRef(self.organization, *way.current.split("/"))
        outcome = open_for_stack(self.sandbox, self._token(way.opener, self.organization), ref)
        # The first environment that a stack lists is the root; without attributes the subject says <yaml>.
        token = self._claims(way, opened=claims.STACK_CONFIGURATION)
        return self.declared.attempt(f"{way.opener} runs `pulumi up` on a stack that lists {ref}", token, outcome)

    def _claims(self, way: _Way, organization: str | None = None, *, opened: str | None = None) -> dict[str, str]:
        block = yaml.safe_load(self.definition)["values"]["aws"]["login"]["fn::open::aws-login"]["oidc"]
        return login_claims(
            Opening(organization or self.organization, opened or way.root, way.opener),
            current_environment=way.current,
            root_environment=way.root,
            subject_attributes=block.get("subjectAttributes", []),
            issuer=self.sandbox.issuer_url,
        )

    def _token(self, opener: Opener, organization: str) -> str:
        return self.sandbox.access_token(opener, [organization] if opener.is_person else ())


def _path(value: str) -> str:
    """An environment as a subject names it, in full; a wildcard stands for one that nobody named."""
    value = value.replace("*", "esc-oidc-try-any")
    return value if "/" in value or value == claims.STACK_CONFIGURATION else f"{claims.LEGACY_PROJECT}/{value}"


@contextmanager
def _definition(sandbox: Sandbox, declared: Declared, ref: EnvironmentRef) -> Iterator[str]:
    """The definition of the component's environment; one made for the try where somebody else owns it."""
    try:
        yield sandbox.store.revision(ref).yaml
    except NotFound:
        subject = read_subject(declared.subjects[0])
        listed = subject.names if isinstance(subject, AttributeSubject) else ()
        login = Login("pulumi-esc", "1h", tuple(name for name in listed if name in claims.ATTRIBUTES))
        definition = environment_definition(login, declared.role_arn)
        with _written(sandbox, ref, definition):
            yield definition


@contextmanager
def _written(sandbox: Sandbox, ref: EnvironmentRef, definition: str) -> Iterator[None]:
    """An environment with this definition for as long as it takes; afterwards all is as it was."""
    store, editor = sandbox.store, "esc-oidc-try"
    try:
        before = store.revision(ref).yaml
    except NotFound:
        before = None
        store.create(ref, editor)
    store.update(ref, definition, editor)
    try:
        yield
    finally:
        if before is None:
            store.delete(ref)
        else:
            store.update(ref, before, editor)
