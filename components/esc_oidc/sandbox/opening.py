"""What Pulumi Cloud does with a definition: check it, open it for somebody, find what it imports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..tokens import Opening
from .access_tokens import Caller
from .credentials import AwsLogin
from .evaluator import Evaluation, Login, evaluate
from .names import InvalidRequest, NotFound, Reference
from .store import EnvironmentStore


@dataclass(frozen=True)
class Definitions:
    """Evaluates definitions of one Pulumi Cloud.

    Attributes:
        store: Where imports are found.
        aws_login: What opens login blocks.
    """

    store: EnvironmentStore
    aws_login: AwsLogin

    def check(
        self, organization: str, name: str, yaml: str, caller: Caller, overrides: Mapping[str, str] | None = None
    ) -> Evaluation:
        """Evaluate a definition without logging in anywhere.

        Args:
            organization: Whose environments it imports.
            name: ``PROJECT/ENV``, or `evaluator.STACK_CONFIGURATION`.
            yaml: The definition.
            caller: Who asks.
            overrides: Environments to import in place of others, by ``PROJECT/ENV``.
        """
        return self._evaluate(_Scope(self.store, organization, caller, overrides or {}), name, yaml, None)

    def open(
        self, organization: str, name: str, yaml: str, caller: Caller, overrides: Mapping[str, str] | None = None
    ) -> Evaluation:
        """Evaluate a definition and log in for the caller; the arguments are those of `check`."""
        opening = Opening(organization, name, caller.opener)
        scope = _Scope(self.store, organization, caller, overrides or {})
        return self._evaluate(scope, name, yaml, opening)

    def _evaluate(self, scope: "_Scope", name: str, yaml: str, opening: Opening | None) -> Evaluation:
        def login(block: Login) -> Mapping[str, Any]:
            return self.aws_login.open(opening, block) if opening else {}

        return evaluate(name, yaml, load=scope.load, context=scope.context, login=login if opening else None)


@dataclass(frozen=True)
class _Scope:
    """What a definition can reach."""

    store: EnvironmentStore
    organization: str
    caller: Caller
    overrides: Mapping[str, str] = field(default_factory=dict)

    @property
    def context(self) -> dict[str, Any]:
        return {
            "pulumi": {
                "user": {"login": self.caller.opener.login},
                "organization": {"login": self.organization},
            }
        }

    def load(self, name: str) -> str:
        """The definition behind the text of an import."""
        try:
            reference, version = Reference.parse(self.organization, self.overrides.get(name, name))
        except InvalidRequest as error:
            raise NotFound(str(error)) from error
        return self.store.revision(reference, version).yaml
