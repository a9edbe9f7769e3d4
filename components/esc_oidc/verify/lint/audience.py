"""Rules about `aud`: which organization the token is from, and what it is for."""

from typing import Final

from ...claims import AttributeSubject, DefaultSubject
from ..providers import GITHUB_AUDIENCE
from .condition import is_misplaced
from .reading import ClaimValue, PulumiStatement, SubjectValue
from .rules import AUD, DEV, LOGIN, SUB, Breach, Problems, bad, equals, error, warning


@error("audience-missing", "The audience is not checked", fix="Add the audience, aws:ORGANIZATION, under StringEquals.")
@bad({"Condition": {"StringEquals": {SUB: DEV}}})
def audience_missing(statement: PulumiStatement) -> Problems:
    """A token that was made for another cloud, or for Pulumi Deployments, can be replayed here."""
    if statement.conditions and not statement.limits("aud") and not is_misplaced(statement, "aud"):
        audience = _audience_of_the_subjects(statement) or "aws:ORGANIZATION"
        yield Breach("nothing limits `aud`.", f'Add "{statement.path}:aud": "{audience}" under StringEquals.')


def _audience_of_the_subjects(statement: PulumiStatement) -> str | None:
    """The audience that every subject of the statement comes with; None if there is not one."""
    named = {value.minted_audience for value in statement.subjects}
    return named.pop() if len(named) == 1 else None


def _of_the_subjects(statement: PulumiStatement) -> str | None:
    audience = _audience_of_the_subjects(statement)
    return audience and f"Write {audience!r}."


@error("audience-wildcard", "A wildcard in the audience", fix="Write the one audience, with StringEquals.")
@bad({"Condition": {"StringEquals": {SUB: DEV}, "StringLike": {AUD: "aws:*"}}})
def audience_wildcard(value: ClaimValue) -> Problems:
    """Anyone can create an organization whose name matches; a token for another cloud can be replayed."""
    if value.form == "pattern":
        yield f"{value.text!r} has a wildcard, which lets in the audiences of other organizations or clouds."


@error("audience-form", "Not an audience of Pulumi Cloud", fix="Write aws: and the organization's login.")
@bad(equals(aud="aws:"))
def audience_form(value: ClaimValue) -> Problems:
    """Nobody gets in; the audience is aws:ORGANIZATION, or the organization alone in the legacy project `default`."""
    if value.text == GITHUB_AUDIENCE:
        message = f"{value.text!r} is the audience of GitHub Actions' tokens, not one that Pulumi Cloud writes."
        yield Breach(message, _of_the_subjects(value.statement))
    elif value.form == "exact" and not value.audience:
        yield f"{value.text!r} is not an audience that Pulumi Cloud writes."


@error("audience-cloud", "The audience of another cloud", fix="Write aws:ORGANIZATION.")
@bad(equals(aud=["aws:contoso", "azure:contoso"]))
def audience_cloud(value: ClaimValue) -> Problems:
    """Tokens that were handed to that cloud can be replayed here."""
    if value.audience and value.audience.cloud not in {None, "aws"}:
        yield Breach(f"{value.text!r} is the audience of logins to another cloud.", _of_the_subjects(value.statement))


@error("audience-organization", "Audience and subject differ in organization", fix="Write the same one in both.")
@bad(equals(aud="aws:fabrikam"))
def audience_organization(statement: PulumiStatement) -> Problems:
    """No token has both: nobody gets in, until somebody widens one of the two."""
    audiences = {audience.organization for audience in statement.minted_audiences}
    subjects = [value.organization for value in statement.subjects if value.form != "variable"]
    pairs = [(min(audiences), other) for other in subjects if other and audiences and other not in audiences]
    # A subject that fixes no organization breaks another rule; it comes with any audience.
    if fixed := sorted({other for other in subjects if other and None not in subjects}):
        pairs += [(audience, ", ".join(fixed)) for audience in sorted(audiences.difference(fixed))]
    for audience, subject in pairs:
        yield f"the audience is for {audience!r}, the subject for {subject!r}."


@error("audience-kind", "The wrong audience for the subject", fix="Write its audience, here and as a client ID.")
@bad(equals(aud="contoso"))
def audience_kind(value: SubjectValue) -> Problems:
    """Only Deployments and the legacy project `default` have the organization alone; others have aws:ORGANIZATION."""
    clouds = {audience.cloud for audience in value.statement.minted_audiences}
    if clouds and _is_of_an_audience(value) and not any(map(value.comes_with, clouds)):
        named = ", ".join(repr(audience.text) for audience in value.statement.audiences)
        fix, own = None, value.minted_audience
        if own and any(other.comes_with(cloud) for other in value.statement.subjects for cloud in clouds):
            fix = f"Give it a statement of its own, with the audience {own!r}."
        elif own:
            fix = f"Write {own!r}, here and as a client ID."
            if not own.startswith("aws:") and not value.text.startswith("pulumi:deploy"):
                # Whoever forgot the project must not be led to the legacy one, whose audience other tokens share.
                fix = (
                    "Name the environment with its project, PROJECT/ENV, in the subject; only if that is the legacy "
                    f"project `default`, write {own!r}, here and as a client ID."
                )
        yield Breach(f"{value.text!r} does not come with the audience {named}.", fix)


@warning("legacy-audience", "The audience of the legacy project", fix="Move the environment to another project.")
@bad(equals(f"{LOGIN}:currentEnvironment.name:dev", "contoso"))
def legacy_audience(value: SubjectValue) -> Problems:
    """One audience for many purposes does not keep them apart."""
    clouds = {audience.cloud for audience in value.statement.minted_audiences}
    is_login = value.organization and isinstance(value.subject, AttributeSubject | DefaultSubject)
    if is_login and None in clouds and _is_of_an_audience(value) and value.comes_with(None):
        yield (
            f"the audience of the legacy project `default` is {value.organization!r}, as it is for Pulumi Deployments "
            "and for other clouds' logins in that project: a token handed to those can be replayed here."
        )


@warning("audience-mixed", "Two audiences in one statement", fix="Write a statement for each, with its own subjects.")
@bad(equals(aud=["aws:contoso", "contoso"]))
def audience_mixed(statement: PulumiStatement) -> Problems:
    """Each subject gets in with either: also with a token that was handed to another cloud."""
    organization = statement.mixes_audiences_of
    if organization is None or not statement.limits("sub"):
        return  # `subject-missing` says so
    login, plain = f"aws:{organization}", organization
    message = (
        f"it admits each subject with {login!r} and with {plain!r}, which is also the audience of Pulumi Deployments "
        "and of other clouds' logins in the legacy project `default`."
    )
    subjects = statement.subjects
    for needed, cloud, needless in ((login, None, plain), (plain, "aws", login)):
        if not any(value.comes_with(cloud) for value in subjects):
            yield Breach(message, f"Leave {needless!r} out: these subjects come with {needed!r}.")
            return
    is_esc = all(isinstance(value.subject, AttributeSubject | DefaultSubject) for value in subjects)
    whose = "the legacy project's" if is_esc else "Deployments'"
    yield Breach(message, f"Write two statements: ESC's with {login!r}, {whose} with {plain!r}.")


def _is_of_an_audience(value: SubjectValue) -> bool:
    """Whether one of the audiences can be of the subject's organization."""
    organizations = {audience.organization for audience in value.statement.minted_audiences}
    return value.organization is None or value.organization in organizations


VALUES: Final = (audience_wildcard, audience_form, audience_cloud)
WITH_SUBJECTS: Final = (audience_kind, legacy_audience)
