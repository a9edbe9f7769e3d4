"""What AWS leaves open: no answer is ever guessed."""

from dataclasses import dataclass


class UndefinedBehaviour(Exception):  # noqa: N818 - the contract's name; it is an answer, not an error of the caller
    """AWS does not document what happens here, or this evaluator does not implement it: there is no answer."""


@dataclass(frozen=True)
class Undefined:
    """A part of a policy that AWS leaves open for this request. Another part may still decide.

    Attributes:
        reason: What is open, in words.
    """

    reason: str


@dataclass(frozen=True)
class Depends:
    """A part of a policy that holds or not by what the request doesn't say. Another part may still decide.

    Attributes:
        keys: The condition keys that the request doesn't say, as the policy writes them.
    """

    keys: tuple[str, ...]


Verdict = bool | Undefined | Depends
"""Whether a condition or a statement holds, as far as AWS and the request say."""
