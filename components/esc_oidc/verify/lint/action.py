"""Rules about the Action: what a token may be used for."""

from typing import Final

from ...trust import ACTION
from ..policy import matches
from .reading import PulumiStatement
from .rules import DEPLOYMENTS, IAM, Problems, bad, error, warning

_FIX: Final = f'Write "Action": "{ACTION}".'
_OTHER: Final = frozenset({"sts:assumerole", "sts:assumerolewithsaml", "sts:setcontext"})
# Tokens with session tags or a source identity need these two beside the action itself.
_COMPANIONS: Final = frozenset({"sts:tagsession", "sts:setsourceidentity"})
_KNOWN: Final = (ACTION.lower(), *_OTHER, *_COMPANIONS)


@error("action-wide", "More actions than needed", fix=_FIX)
@bad({"Action": "sts:*"}, see=f"{IAM}reference_policies_elements_action.html")
def action_wide(statement: PulumiStatement) -> Problems:
    """Tokens need one action. A wildcard also covers what AWS adds later, and other ways to assume the role."""
    actions = statement.written.actions
    if not statement.allows:
        return
    if statement.written.excluding_actions:
        actions = (f"everything but {', '.join(actions) or 'nothing'}",)
    for action in actions:
        if statement.written.excluding_actions or "*" in action or "?" in action:
            yield f"the action {action!r} allows more than {ACTION}."


@error("action-unknown", "No such action", fix=_FIX)
@bad(
    {"Action": "sts:AssumeRoleWithWebIdentiy"},
    see="https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html",
)
def action_unknown(statement: PulumiStatement) -> Problems:
    """A misspelled action covers nothing: the statement does not do what it was written for."""
    if statement.allows and statement.written.excluding_actions:
        return
    for action in statement.written.actions:
        # In an Allow, a wildcard is too wide, whatever it covers.
        is_pattern = statement.allows and ("*" in action or "?" in action)
        if action != ACTION and not is_pattern and not any(matches(action.lower(), known) for known in _KNOWN):
            yield f"STS has no action {action!r}."


@warning("action-other", "An action that tokens do not use", fix=_FIX)
@bad({"Action": [ACTION, "sts:AssumeRole"]}, see=DEPLOYMENTS)
def action_other(statement: PulumiStatement) -> Problems:
    """ESC and Deployments call sts:AssumeRoleWithWebIdentity and nothing else."""
    if statement.allows and not statement.written.excluding_actions:
        for action in statement.written.actions:
            if action.lower() in _OTHER:
                yield f"Pulumi Cloud's tokens are not used with {action!r}."


CHECKS: Final = (action_wide, action_unknown, action_other)
