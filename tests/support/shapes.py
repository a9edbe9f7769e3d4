"""Shapes of a PulumiEscOidc's inputs, and whom the contract lets in for each."""

from itertools import combinations, product

ORG, ISSUER, ACCOUNT = "contoso", "https://api.pulumi.com/oidc", "123456789012"
CURRENT, ROOT, USER = "currentEnvironment.name", "rootEnvironment.name", "pulumi.user.login"
TYPE, TEAM = "pulumi.token.type", "pulumi.token.team"
ANY, ANY_IN_PROJECT = "dangerously_allow_any_environment", "dangerously_allow_any_environment_in_project"
OMIT, ANY_STACK = "dangerously_omit_current_environment", "dangerously_allow_any_stack_configuration"


def up_to_two(*values):
    """Nothing, each value, and each pair."""
    return [list(chosen) for size in (0, 1, 2) for chosen in combinations(values, size)]


def shapes():
    """Every shape without a `dangerously_` input, of lists of up to two values, in both kinds of project."""
    for project in ("aws", "default"):
        for environments, roots, who in product(
            up_to_two(f"{project}/prod", f"{project}/stage"), up_to_two("aws/prod", "default/prod"), openings_by()
        ):
            lists = {"allowed_environments": environments, "allowed_root_environments": roots, **who}
            yield {
                "organization": ORG,
                "project": project,
                "environment": "dev",
                **{name: values for name, values in lists.items() if values},
            }


def openings_by():
    for users, teams, types in product(
        up_to_two("alice", "bob"), up_to_two("ops", "dev"), up_to_two("personal", "team", "organization")
    ):
        if not (users and "personal" in types) and not (teams and "team" in types):
            yield {"allowed_users": users, "allowed_teams": teams, "allowed_token_types": types}


def may_open(inputs, opener):
    """Whether any of the users, teams or token types fits; anyone may open if none is named."""
    named = [inputs.get(name) for name in ("allowed_users", "allowed_teams", "allowed_token_types")]
    if not any(named):
        return True
    users, teams, types = (values or [] for values in named)
    personal = opener.token_type == "personal" and opener.login in users
    return personal or (opener.team != "" and opener.team in teams) or opener.token_type in types


def expected(inputs, listed, organization, current, root, opener):
    """Whether the contract admits this opening, `listed` being the attributes of the login."""
    own = f"{inputs['project']}/{inputs['environment']}"
    environments = {own, *inputs.get("allowed_environments", ())}
    roots = set(inputs.get("allowed_root_environments", environments)) if ROOT in listed else {root}
    in_project = inputs.get(ANY_IN_PROJECT) and current.startswith(f"{inputs['project']}/")
    return (
        organization == ORG
        and (current in environments or in_project or (OMIT in inputs and current.split("/")[0] != "default"))
        and root in roots
        and may_open(inputs, opener)
    )
