"""Trust policies to begin with, and policies that must not pass."""
# ruff: noqa: E501 - a table of cases, one a line

PROVIDER = "arn:aws:iam::123456789012:oidc-provider/api.pulumi.com/oidc"
AUD = "api.pulumi.com/oidc:aud"
SUB = "api.pulumi.com/oidc:sub"
LOGIN = "pulumi:environments:pulumi.organization.login:contoso"
DEV = f"{LOGIN}:currentEnvironment.name:aws/dev"
ORGANIZATION = "pulumi:environments:org:contoso:env"
DEPLOY = "pulumi:deploy:org:contoso"


def conditions(sub=DEV, aud="aws:contoso", like=None):
    """A statement's Condition: this audience, and these subjects under StringEquals or, as `like`, StringLike."""
    if like is None:
        return {"Condition": {"StringEquals": {AUD: aud, SUB: sub}}}
    return {"Condition": {"StringEquals": {AUD: aud}, "StringLike": {SUB: like}}}


STATEMENT = {
    "Effect": "Allow",
    "Principal": {"Federated": PROVIDER},
    "Action": "sts:AssumeRoleWithWebIdentity",
    **conditions(),
}


def example(elements):
    """The sound trust policy, in which these elements of the statement or of the document are replaced."""
    document = {name: value for name, value in elements.items() if name in {"Version", "Statement"}}
    statement = {name: value for name, value in elements.items() if name not in document}
    return {"Version": "2012-10-17", "Statement": [{**STATEMENT, **statement}], **document}


def aud(operator, value):
    """A condition on `aud` by this operator, beside a sound one on `sub`."""
    return {"Condition": {"StringEquals": {SUB: DEV}, operator: {AUD: value}}}


def sub(operator, value):
    """A condition on `sub` by this operator, beside a sound one on `aud`."""
    return {"Condition": {"StringEquals": {AUD: "aws:contoso"}, operator: {SUB: value}}}


def by_recursion(pattern, value):
    """AWS's wildcards by their definition: `*` is any run, `?` is one character."""
    if not pattern:
        return not value
    if pattern[0] == "*":
        return by_recursion(pattern[1:], value) or (bool(value) and by_recursion(pattern, value[1:]))
    return bool(value) and pattern[0] in {"?", value[0]} and by_recursion(pattern[1:], value[1:])


# What is wrong, the elements of the statement, and the rule that says so.
BAD = [
    ("no condition", {"Condition": {}}, "condition-missing"),
    ("aud missing", {"Condition": {"StringEquals": {SUB: DEV}}}, "audience-missing"),
    ("sub missing", {"Condition": {"StringEquals": {AUD: "aws:contoso"}}}, "subject-missing"),
    *[(f"aud {value}", aud("StringLike", value), "audience-wildcard") for value in ("*", "aws:*", "aws:con*", "*:contoso", "aws:contos?")],
    *[(f"aud {value}", conditions(aud=value), "audience-cloud") for value in ("azure:contoso", "gcp:contoso", "vault:contoso")],
    *[(f"aud {value!r}", conditions(aud=value), "audience-form") for value in ("aws:", "", "https://github.com/contoso", "aws:con toso")],
    ("aud of another organization", conditions(aud="aws:fabrikam"), "audience-organization"),
    ("aud in another case", conditions(aud="aws:Contoso"), "audience-organization"),
    *[(f"sub {value}", conditions(like=value), "subject-any") for value in ("*", "**", "*?*")],
    *[
        (f"sub {value}", conditions(like=value), "organization-open")
        for value in ("pulumi:*", "p*", "pulumi:environments:*", "pulumi:environments:org:*", "pulumi:environments:org:con*:env:aws/dev",
                      "pulumi:environments:pulumi.organization.login:*", "pulumi:environments:pulumi.organization.login:contoso*",
                      "pulumi:environments:pulumi.organization.login:*:currentEnvironment.name:aws/dev", "pulumi:deploy:org:*")
    ],
    *[
        (f"sub {value}", conditions(like=value), "organization-wide")
        for value in (f"{LOGIN}:*", f"{LOGIN}:currentEnvironment.name:*", f"{ORGANIZATION}:*", f"{ORGANIZATION}*", "pulumi:environments:org:contoso:*",
                      f"{LOGIN}:currentEnvironment.name:*/dev", f"{ORGANIZATION}:*/dev", f"{ORGANIZATION}:a*")
    ],
    *[(f"sub {value}", conditions(like=value), "project-wide") for value in (f"{LOGIN}:currentEnvironment.name:aws/*", f"{ORGANIZATION}:aws/*")],
    *[
        (f"sub {value}", conditions(like=value, aud="contoso"), "stacks-wide")
        for value in (f"{DEPLOY}:*", f"{DEPLOY}:project:*", f"{DEPLOY}:project:Core:*", f"{DEPLOY}:project:Core:stack:*", f"{DEPLOY}:project:Core:stack:de*")
    ],
    *[(f"sub {value}", conditions(like=value), "partial-segment") for value in (f"{DEV}*", f"{DEV[:-1]}?", f"{LOGIN}:currentEnvironment.name:aws/d*")],
    *[(f"sub {value}", conditions(like=value), "subject-leading-wildcard") for value in ("*:contoso:env:aws/dev", "?ulumi:x", f"*{DEV}")],
    *[(f"sub {value}", conditions(like=value), "middle-wildcard") for value in (f"{LOGIN}:*:currentEnvironment.name:aws/dev", f"{DEV}:*:pulumi.user.login:alice")],
    ("sub * under StringEquals", conditions("*"), "wildcard-literal"),
    ("sub pattern under StringEquals", conditions(f"{DEV}:*"), "wildcard-literal"),
    *[
        (f"{operator} on sub", sub(operator, "false" if "Null" in operator else DEV), rule)
        for rule, operators in {
            "set-operator": ["ForAllValues:StringEquals", "ForAnyValue:StringLike", "ForAllValues:StringNotEquals"],
            "if-exists": ["StringEqualsIfExists", "StringLikeIfExists"],
            "negated-operator": ["StringNotEquals", "StringNotLike", "StringNotEqualsIgnoreCase"],
            "ignore-case": ["StringEqualsIgnoreCase"],
            "null-operator": ["Null", "ForAnyValue:Null"],
            "operator-unknown": ["stringEquals", "StringEqual", "StringMatch", "ForEachValue:StringEquals"],
            "operator-type": ["ArnLike", "NumericEquals"],
        }.items()
        for operator in operators
    ],
    *[
        (f"{operator} on aud", aud(operator, "false" if operator == "Null" else "aws:contoso"), rule)
        for operator, rule in {
            "ForAllValues:StringEquals": "set-operator", "StringEqualsIfExists": "if-exists", "StringNotEquals": "negated-operator",
            "StringEqualsIgnoreCase": "ignore-case", "Null": "null-operator",
        }.items()
    ],
    ("keys with https://", {"Condition": {"StringEquals": {f"https://{AUD}": "aws:contoso", f"https://{SUB}": DEV}}}, "key-scheme"),
    *[
        (f"keys of {path}", {"Condition": {"StringEquals": {f"{path}:aud": "aws:contoso", f"{path}:sub": DEV}}}, "key-issuer")
        for path in ("token.actions.githubusercontent.com", "api.pulumi.com", "api.pulumi.com/oidc/v2", "app.pulumi.com/oidc", "api.pulumi.com/oidc/")
    ],
    ("a key that AWS does not show", {"Condition": {"StringEquals": {AUD: "aws:contoso", SUB: DEV, "api.pulumi.com/oidc:iss": "x"}}}, "key-claim"),
    ("yaml", conditions(f"{ORGANIZATION}:<yaml>"), "yaml-subject"),
    ("user only", conditions(f"{LOGIN}:pulumi.user.login:alice"), "current-environment-missing"),
    ("root only", conditions(f"{LOGIN}:rootEnvironment.name:aws/dev"), "current-environment-missing"),
    ("user only, as a pattern", conditions(like=f"{LOGIN}:pulumi.user.login:alice:*"), "current-environment-missing"),
    ("the organization as user", conditions(f"{DEV}:pulumi.user.login:contoso"), "user-is-organization"),
    ("the organization as user in another case", conditions(f"{DEV}:pulumi.user.login:Contoso"), "user-is-organization"),
    ("principal *", {"Principal": "*"}, "principal-wide"),
    ("principal AWS *", {"Principal": {"AWS": "*"}}, "principal-wide"),
    ("principal AWS * beside", {"Principal": {"Federated": PROVIDER, "AWS": ["*"]}}, "principal-wide"),
    ("principal Federated *", {"Principal": {"Federated": "*"}}, "principal-wide"),
    ("another principal", {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}, "principal-not-provider"),
    ("the v2 issuer", {"Principal": {"Federated": f"{PROVIDER}/v2"}}, "principal-issuer"),
    ("the provider without a path", {"Principal": {"Federated": PROVIDER.removesuffix("/oidc")}}, "principal-issuer"),
    *[(f"action {action}", {"Action": action}, "action-wide") for action in ("sts:*", "*", "sts:AssumeRole*", "STS:assume*")],
    *[(f"action {action}", {"Action": action}, "action-unknown") for action in ("sts:AssumeRoleWithWebIdentiy", "sts:AssumeRoleWithWebidentityy", "AssumeRoleWithWebIdentity")],
    ("only another action", {"Action": "sts:AssumeRole"}, "never-matches"),
    ("no action", {"Action": []}, "never-matches"),
    ("no values", conditions([]), "never-matches"),
    ("two operators on sub", {"Condition": {"StringEquals": {AUD: "aws:contoso", SUB: DEV}, "StringLike": {SUB: f"{DEV}:*"}}}, "two-operators"),
    ("two operators that never meet", {"Condition": {"StringEquals": {AUD: "aws:contoso", SUB: DEV}, "StringLike": {SUB: "x*"}}}, "never-matches"),
    *[(f"variable {value}", conditions(value), "policy-variable") for value in ("${aws:username}", f"{DEV}${{*}}")],
    ("variable in aud", conditions(aud="aws:${aws:PrincipalTag/org}"), "policy-variable"),
    *[
        (f"sub {value!r}", conditions(value), "subject-form")
        for value in ("", "repo:contoso/app:ref:refs/heads/main", "pulumi:environment:org:contoso:env:aws/dev", f"{LOGIN}", f"{DEV}:pulumi.user.login",
                      f"{LOGIN}:currentEnvironment.name:aws/de v", "pulumi:environments:org:contoso:aws/dev", f"{DEPLOY}:project:Core")
    ],
    *[(f"attribute {name}", conditions(f"{DEV}:{name}:x"), "subject-attribute") for name in ("pulumi.token.name", "pulumi.organization.login", "currentenvironment.name", "currentEnvironment.name")],
    ("Deployments under the audience of ESC", conditions(f"{DEPLOY}:project:Core:stack:dev:operation:update:scope:write"), "audience-kind"),
    ("a pattern for no deployment", conditions(aud="contoso", like=f"{DEPLOY}:project:Core:stack:dev:opration:*"), "subject-form"),
    ("a pattern for no form", conditions(like="repo:contoso/*"), "subject-form"),
    ("a pattern for an organization that cannot be", conditions(like="pulumi:deploy:org:con toso:*"), "subject-form"),
    ("ESC under the legacy audience", conditions(aud="contoso"), "audience-kind"),
]  # fmt: skip  # one case a line
