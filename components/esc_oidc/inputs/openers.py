"""Who may open: users, teams and kinds of tokens, and what a token of theirs says of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..claims import TEAM, TOKEN_TYPE, USER
from .violations import Violation

OPENER_ATTRIBUTES: Final = (USER, TOKEN_TYPE, TEAM)
"""The attributes that say something of who opens, not of what is opened."""


@dataclass(frozen=True)
class Opener:
    """What a token says of whoever opens: None is any value, an empty team is none.

    Team and organization tokens carry the organization's name as their login. Sources: design facts from
    https://www.pulumi.com/docs/esc/guides/configuring-oidc/; that the team of other tokens stands in the
    subject as an empty value is inferred from source code, never observed.
    """

    given_by: str
    login: str | None
    token_type: str
    team: str | None

    def values(self) -> Mapping[str, str | None]:
        """The value of each attribute."""
        return {USER: self.login, TOKEN_TYPE: self.token_type, TEAM: self.team}


def openers(organization: str, users: Sequence[str], teams: Sequence[str], types: Sequence[str]) -> list[Opener]:
    """Everyone who may open: any of the users, or of the teams, or of the kinds of tokens."""
    by_type = {
        "personal": Opener("allowed_token_types", None, "personal", ""),
        "team": Opener("allowed_token_types", organization, "team", None),
        "organization": Opener("allowed_token_types", organization, "organization", ""),
    }
    return [
        *(Opener("allowed_users", user, "personal", "") for user in users),
        *(Opener("allowed_teams", organization, "team", team) for team in teams),
        *(by_type[name] for name in types),
    ]


def open_ended(everyone: Sequence[Opener], attributes: Sequence[str]) -> Iterator[Violation]:
    """Openers for whom a listed attribute could have any value: no exact subject says that."""
    for opener in everyone:
        for attribute, value in opener.values().items():
            if value is None and attribute in attributes:
                what, instead = (
                    ("login", "name them all in `allowed_users`, or leave `allowed_users` out")
                    if attribute == USER
                    else ("team", "leave `allowed_teams` out: every team token includes theirs")
                )
                yield Violation(
                    opener.given_by,
                    opener.token_type,
                    f"`{attribute}` is in the subject, and a {opener.token_type} token may have any {what} there.",
                    f"Then {instead}; and leave `{attribute}` out of `subject_attributes`.",
                )
