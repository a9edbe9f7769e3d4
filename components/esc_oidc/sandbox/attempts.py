"""Attempts to get in: what a component declares is the yardstick, and what AWS answers is what is measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from .servers import Sandbox
from .sessions import Outcome, assume_role


@dataclass(frozen=True)
class Declared:
    """What a component declares.

    Args:
        kind: The component's type token.
        name: Its name in the program.
        outputs: What it registered.
    """

    kind: str
    name: str
    outputs: Mapping[str, Any]

    @property
    def role_arn(self) -> str:
        """The role."""
        return str(self.outputs["roleArn"])

    @property
    def issuer(self) -> str:
        """Who signs, by the provider that the role trusts."""
        return "https://" + str(self.outputs["oidcProviderArn"]).partition("/")[2]

    @property
    def subjects(self) -> tuple[str, ...]:
        """The subjects that must be admitted; `*` stands for any run of characters."""
        return tuple(self.outputs["subjects"])

    def admits(self, claims: Mapping[str, str]) -> bool:
        """Whether a token with these claims was declared. It knows no trust policy: that is what is measured."""
        same_audience = claims["aud"] == self.outputs["audience"]
        return same_audience and any(fnmatchcase(claims["sub"], declared) for declared in self.subjects)


@dataclass(frozen=True)
class Attempt:
    """One try.

    Args:
        component: Which component's role it was for.
        who: Who tried, and what.
        expected: Whether the component's declaration admits it.
        outcome: What happened.
    """

    component: str
    who: str
    expected: bool
    outcome: Outcome

    @property
    def as_expected(self) -> bool:
        """Whether what happened is what was declared."""
        return self.expected == self.outcome.admitted


def too_long(sandbox: Sandbox, declared: Declared, who: str, claims: Mapping[str, str]) -> Attempt:
    """Somebody who may get in, for a second longer than the role allows."""
    seconds = sandbox.max_session(declared.role_arn) + 1
    outcome = assume_role(sandbox, declared.role_arn, claims, seconds)
    what = f"{who}, a session of {seconds} seconds, longer than the role allows"
    return Attempt(declared.name, what, expected=False, outcome=outcome)
