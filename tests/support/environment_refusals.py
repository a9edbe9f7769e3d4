"""What must be refused: the rule's name, the inputs that break it, the input that is named, and what is said.

Each case breaks one rule only, so that exactly one violation is right.
"""

from typing import Any

from esc_oidc.inputs import EnvironmentPlan
from tests.support.inputs import ARGUMENTS
from tests.support.programs import INLINE
from tests.support.shapes import ANY, ANY_IN_PROJECT, ANY_STACK, CURRENT, OMIT, ROOT, TEAM, TYPE, USER

BASE: dict[str, Any] = {"organization": "contoso", "project": "aws", "environment": "dev"}
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/api.pulumi.com/oidc"
POLICY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
GOOD_VALUES = {"inline_policies": INLINE, "named_policy_arns": POLICY}
LONG = [f"project-{index:02}-with-a-long-name/environment-{index:02}" for index in range(40)]


def _each(name: str, values: dict[str, Any], said: str) -> list[tuple[str, dict[str, Any], str, str]]:
    return [(f"{name} {rule}", {name: value}, name, said) for rule, value in values.items()]


def _item(name: str, value: str, rule: str, said: str) -> tuple[str, dict[str, Any], str, str]:
    return (f"{name} {rule}", {name: [value]}, f"{name}[0]", said)


FORMS = [
    *_each(
        "organization",
        {
            "with a colon": "con:toso",
            "with a slash": "con/toso",
            "with a space": "con toso",
            "with a star": "con*",
            "of 81 characters": "c" * 81,
            "with a final newline": "contoso\n",
            "outside ASCII": "contos\u043e",
        },
        "1 to 80 letters, digits",
    ),
    ("organization already prefixed", {"organization": "aws:contoso"}, "organization", "Leave the `aws:` out"),
    ("organization of another backend", {"organization": "organization"}, "organization", "get_organization()"),
    *_each("organization", {"empty": ""}, "can't be an empty string"),
    *_each("project", {"missing": None}, "required"),
    *_each("environment", {"missing": None}, "required"),
    *_each("organization", {"missing": None}, "required"),
    *[
        case
        for name in ("project", "environment")
        for case in (
            *_each(name, {"empty": ""}, "can't be an empty string"),
            *_each(
                name,
                {
                    "with a colon": "a:b",
                    "with a star": "a*",
                    "yaml": "<yaml>",
                    "a dot": ".",
                    "two dots": "..",
                    "with a space": "a b",
                    "with a dollar": "a$b",
                    "with a question mark": "a?",
                },
                "letters, digits, `.`, `_` and `-`",
            ),
            *_each(name, {"with a slash": "aws/dev"}, "project='aws', environment='dev'"),
            *_each(name, {"with a version": "dev@stable"}, "Leave the version out"),
            *_each(name, {"pasted whole": "contoso/aws/dev"}, "organization='contoso', project='aws'"),
        )
    ],
    *_each("project", {"default in another case": "Default"}, "lower case"),
    _item("subject_attributes", "currentEnviroment.name", "unknown", "Did you mean `currentEnvironment.name`?"),
    _item("subject_attributes", "nonsense", "nothing like it", "Use one of these"),
    _item(
        "subject_attributes", "currentenvironment.name", "in the wrong case", "Did you mean `currentEnvironment.name`?"
    ),
    _item("subject_attributes", "pulumi.token.name", "token name", "users choose the names of tokens"),
    _item("subject_attributes", "pulumi.organization.login", "organization login", "already begins every subject"),
    ("subject_attributes twice", {"subject_attributes": [CURRENT, CURRENT]}, "subject_attributes[1]", "twice"),
    *[
        _item(name, value, rule, said)
        for name in ("allowed_environments", "allowed_root_environments")
        for rule, value, said in (("with a version", "aws/prod@stable", "Leave the version out"),)
    ],
    _item("imports", "aws/prod@", "with no version", "'aws/prod@stable'"),
    _item("imports", "aws/prod@a@b", "with two versions", "'aws/prod@stable'"),
    *[
        _item(name, value, rule, said)
        for name in ("allowed_environments", "allowed_root_environments", "imports")
        for rule, value, said in (
            ("without a project", "prod", "'PROJECT/prod'"),
            ("with an organization", "contoso/aws/prod", "Leave the organization out: 'aws/prod'"),
            ("with a star", "aws/*", "letters, digits"),
            ("yaml", "<yaml>", "PROJECT/ENV"),
            ("of a miswritten default", "DEFAULT/prod", "lower case"),
        )
    ],
    *[
        _item(name, value, rule, "letters, digits and `._@+-`")
        for name in ("allowed_users", "allowed_teams")
        for rule, value in (("with a colon", "a:b"), ("with a star", "*"), ("with a space", "a b"), ("with ?", "a?"))
    ],
    _item("allowed_token_types", "Organization", "in another case", "Did you mean `organization`?"),
    _item("allowed_token_types", "robot", "unknown", "Use one of these"),
    *_each(
        "issuer",
        {
            "http": "http://api.pulumi.com/oidc",
            "port": "https://api.pulumi.com:443/oidc",
            "query": "https://api.pulumi.com/oidc?a=b",
            "fragment": "https://api.pulumi.com/oidc#a",
            "user": "https://a@api.pulumi.com/oidc",
            "trailing slash": "https://api.pulumi.com/oidc/",
            "no path": "https://api.pulumi.com",
            "v2": "https://api.pulumi.com/oidc/v2",
            "upper case": "https://API.pulumi.com/oidc",
            "an address": "https://127.0.0.1/oidc",
            "one label": "https://pulumi/oidc",
            "too long": "https://" + "a." * 130 + "com/oidc",
        },
        "exactly https://HOST/oidc",
    ),
    *_each("oidc_provider_arn", {"malformed": "arn:aws:iam::12:oidc-provider/api.pulumi.com/oidc"}, "arn:PARTITION"),
    *_each("oidc_provider_arn", {"a role": "arn:aws:iam::123456789012:role/esc"}, "arn:PARTITION"),
    *_each(
        "oidc_provider_arn",
        {"of another issuer": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},
        "not the provider of https://api.pulumi.com/oidc",
    ),
    _item("thumbprints", "a" * 39, "of 39 digits", "40 hexadecimal digits"),
    _item("thumbprints", "g" * 40, "not hexadecimal", "40 hexadecimal digits"),
    ("thumbprints six", {"thumbprints": [f"{i}" * 40 for i in range(6)]}, "thumbprints", "at most 5"),
    _item("additional_audiences", "azure:contoso", "of another cloud", "NAME or aws:NAME"),
    _item("additional_audiences", "aws:contoso", "its own", "has this audience anyway"),
    _item("additional_audiences", "sts.amazonaws.com", "of other issuers", "the audience that other issuers use"),
    ("thumbprints in two cases", {"thumbprints": ["a" * 40, "A" * 40]}, "thumbprints[1]", "in upper and in lower case"),
    *_each(
        "oidc_provider_arn",
        {"of no partition": PROVIDER.replace(":aws:", ":aws-us:")},
        "'aws-us' is not one of them",
    ),
    *_each("role_name", {"of 65": "r" * 65, "with a slash": "a/b", "outside ASCII": "rôle"}, "1 to 64 letters"),
    *_each(
        "role_path", {"open": "/esc", "bare": "esc", "with a space": "/a b/", "of 513": "/" + "a" * 511 + "/"}, "path"
    ),
    *_each("role_description", {"of 1001": "d" * 1001, "outside Latin-1": "日本"}, "up to 1000 printable Latin-1"),
    *_each("permissions_boundary_arn", {"not a policy": "arn:aws:iam::123456789012:role/esc"}, "managed policy's ARN"),
    _item("policy_arns", "ReadOnlyAccess", "a name", "managed policy's ARN"),
    (
        "a policy in both inputs",
        {"policy_arns": [POLICY], "named_policy_arns": {"own": POLICY}},
        "named_policy_arns['own']",
        "`policy_arns[0]` attaches it already",
    ),
    (
        "a policy under two keys",
        {"named_policy_arns": {"a": POLICY, "b": POLICY}},
        "named_policy_arns['b']",
        "`named_policy_arns['a']` attaches it already",
    ),
    (
        "the key of another attachment",
        {"policy_arns": [POLICY], "named_policy_arns": {"ReadOnlyAccess-2a3bda39": f"{POLICY}2"}},
        "named_policy_arns (a key)",
        "has this name",
    ),
    (
        "21 policies in two inputs",
        {"policy_arns": [POLICY], "named_policy_arns": {f"p{i}": f"{POLICY}{i}" for i in range(20)}},
        "named_policy_arns",
        "Leave out 1 of 21",
    ),
    ("the provider's own tag", {"tags": {"ESC-OIDC:created-by": "x"}}, "tags (a key)", "the component writes this tag"),
    (
        "50 tags and the provider's own",
        {"tags": {f"k{i}": "v" for i in range(50)}},
        "tags",
        "the provider gets one more",
    ),
    *[
        _item("policy_arns", f"arn:aws:iam::aws:policy/{value}", rule, "no wildcards and no variables")
        for rule, value in (
            ("with a star", "Read*"),
            ("with a question mark", "Rea?"),
            ("with a variable", "${aws:username}"),
            ("with an empty part", "a//b"),
            ("with an empty name", "a/"),
            ("with a space", "a b"),
            ("with a colon", "a:b"),
            ("with a final newline", "a\n"),
            ("of a name of 129", "a" * 129),
            ("of a path of 513", "a" * 511 + "/b"),
        )
    ],
    _item("policy_arns", POLICY.replace(":aws:", ":aws-moon:", 1), "of no partition", "'aws-moon' is not one of them"),
    (
        "policy_arns of two partitions",
        {"policy_arns": [POLICY, POLICY.replace(":aws:", ":aws-cn:", 1)]},
        "policy_arns[1]",
        "this is in aws-cn, and `policy_arns[0]` is in aws",
    ),
    (
        "permissions_boundary_arn of another partition than the provider's",
        {"oidc_provider_arn": PROVIDER, "permissions_boundary_arn": POLICY.replace(":aws:", ":aws-us-gov:", 1)},
        "permissions_boundary_arn",
        "this is in aws-us-gov, and `oidc_provider_arn` is in aws",
    ),
    (
        "named_policy_arns of another partition than the plain ones",
        {"policy_arns": [POLICY], "named_policy_arns": {"own": POLICY.replace(":aws:", ":aws-iso-b:", 1)}},
        "named_policy_arns['own']",
        "this is in aws-iso-b, and `policy_arns[0]` is in aws",
    ),
    (
        "session_policy_arns of another partition than the boundary's",
        {"session_policy_arns": [POLICY], "permissions_boundary_arn": POLICY.replace(":aws:", ":aws-iso:", 1)},
        "session_policy_arns[0]",
        "this is in aws, and `permissions_boundary_arn` is in aws-iso",
    ),
    ("policy_arns twice", {"policy_arns": [POLICY, POLICY]}, "policy_arns[1]", "twice"),
    ("policy_arns over 20", {"policy_arns": [f"{POLICY}{i}" for i in range(21)]}, "policy_arns", "at most 20"),
    ("inline_policies not JSON", {"inline_policies": {"a": "{"}}, "inline_policies['a']", "It is not JSON"),
    (
        "inline_policies too long",
        {"inline_policies": {"a": INLINE, "b": INLINE.replace("Get", "G" * 10_140), "c": INLINE}},
        "inline_policies['b']",
        "all together: these have 10,3",
    ),
    (
        "inline_policies far too long",
        {"inline_policies": {"a": INLINE + " " * 131_072}},
        "inline_policies['a']",
        "131,072",
    ),
    (
        "inline_policies with NaN in a dict",
        {"inline_policies": {"a": {"Statement": float("nan")}}},
        "inline_policies['a']",
        "it can't be written as JSON",
    ),
    (
        "inline_policies bad key",
        {"inline_policies": {"a b": INLINE}},
        "inline_policies (a key)",
        "1 to 128",
    ),
    *_each("duration", {"of 14m": "14m", "of 13h": "13h"}, "15m to 12h"),
    *_each(
        "duration", {"in days": "1d", "bare": "60", "negative": "-1h", "huge": "9" * 5000 + "h"}, "hours, minutes and"
    ),
    *_each("duration", {"empty": ""}, "can't be an empty string"),
    *_each("max_session_duration", {"of 59m": "59m", "of 13h": "13h"}, "1h to 12h"),
    ("duration over the maximum", {"duration": "3h", "max_session_duration": "2h"}, "duration", "Shorten it"),
    *_each(
        "session_name",
        {"of 1": "a", "of 65": "a" * 65, "with a space": "a b", "outside ASCII": "é" * 3},
        "2 to 64 letters",
    ),
    *_each(
        "session_name",
        {"with an open template": "esc-${context", "with another template": "esc-${aws.login.secretAccessKey}"},
        "no template but `${context.pulumi.user.login}`",
    ),
    (
        "session_policy_arns eleven",
        {"session_policy_arns": [f"{POLICY}{i}" for i in range(11)]},
        "session_policy_arns",
        "at most 10",
    ),
    ("session_policy_arns twice", {"session_policy_arns": [POLICY, POLICY]}, "session_policy_arns[1]", "twice"),
    *_each("region", {"a city": "Frankfurt", "a zone": "us-east-1a"}, "us-east-1"),
    *_each("tags", {"of 51": {f"key{i}": "v" for i in range(51)}}, "at most 50"),
    ("tags beginning aws:", {"tags": {"aws:name": "v"}}, "tags (a key)", "does not begin with `aws:`"),
    ("tags beginning AWS:", {"tags": {"AWS:name": "v"}}, "tags (a key)", "does not begin with `aws:`"),
    ("tags key of 129", {"tags": {"k" * 129: "v"}}, "tags (a key)", "1 to 128"),
    ("tags value of 257", {"tags": {"k": "v" * 257}}, "tags['k']", "up to 256"),
    ("tags value with a star", {"tags": {"k": "*"}}, "tags['k']", "up to 256"),
    ("tags value of 129 beyond the basic plane", {"tags": {"k": "\U00020bb7" * 129}}, "tags['k']", "up to 256"),
    ("tags value with a newline", {"tags": {"k": "a\n"}}, "tags['k']", "up to 256"),
    ("tags value with an emoji", {"tags": {"k": "\U0001f600"}}, "tags['k']", "up to 256"),
    ("tags key of no letter", {"tags": {"\u0301": "v"}}, "tags (a key)", "1 to 128"),
    ("tags alike but for case", {"tags": {"Team": "a", "team": "b"}}, "tags (a key)", "same key as 'Team'"),
    (
        "environment_variables with an open reference",
        {"environment_variables": {"A": "${aws.login"}},
        "environment_variables['A']",
        "missing closing brace",
    ),
    ("environment_variables with NUL", {"environment_variables": {"A": "a\0"}}, "environment_variables['A']", "U+0000"),
    ("pulumi_config with half a character", {"pulumi_config": {"a": "\ud800"}}, "pulumi_config['a']", "Unicode text"),
    ("pulumi_config with an open reference", {"pulumi_config": {"a:b": "${"}}, "pulumi_config['a:b']", "ESC text"),
    (
        "environment_variables bad key",
        {"environment_variables": {"1A": "a"}},
        "environment_variables (a key)",
        "begins with a letter or `_`",
    ),
    *[
        (f"pulumi_config {rule}", {"pulumi_config": {key: "a"}}, "pulumi_config (a key)", said)
        for rule, key, said in (
            ("bad key", "a b", "NAMESPACE:NAME"),
            ("key of three", "a:b:c", "NAMESPACE:NAME"),
            ("open path", "a:b[0", "NAMESPACE:NAME"),
            ("empty step", "a:b..c", "NAMESPACE:NAME"),
            ("list at the top", "a:[0]", "NAMESPACE:NAME"),
            ("negative index", "a:b[-1]", "NAMESPACE:NAME"),
            ("path of a ciphertext", "a:b.secure", "means something else"),
            ("path of a function", 'a:b["fn::open::x"]', "means something else"),
            ("list without a first item", "a:b[1]", "the list has no item 0"),
            ("list of far too many", f"a:b[{'9' * 5000}]", "the list has no item"),
        )
    ],
    *[
        (f"pulumi_config {rule}", {"pulumi_config": dict.fromkeys(keys, "a")}, "pulumi_config (a key)", said)
        for rule, keys, said in (
            ("value and path", ["a:b", "a:b.c"], "gives this value"),
            ("path into a text", ["a:b.c", "a:b.c.d"], "gives this value"),
            ("one path in two forms", ["a:b.c", 'a:b["c"]'], "gives this value"),
            ("list and map", ["a:b.c", "a:b[0]"], "a map and not a list"),
        )
    ],
    (
        "pulumi_config into aws:region",
        {"pulumi_config": {"aws:region.x": "a"}, "region": "us-east-1"},
        "pulumi_config (a key)",
        "`region` writes it",
    ),
    *[
        (
            f"environment_variables {key}",
            {"environment_variables": {key: "a"}},
            "environment_variables (a key)",
            "writes it",
        )
        for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    ],
    (
        "environment_variables AWS_REGION",
        {"environment_variables": {"AWS_REGION": "a"}, "region": "us-east-1"},
        "environment_variables (a key)",
        "`region` writes it",
    ),
    (
        "pulumi_config aws:region",
        {"pulumi_config": {"aws:region": "a"}, "region": "us-east-1"},
        "pulumi_config (a key)",
        "`region` writes it",
    ),
    _item("imports", "aws/dev", "itself", "can't import itself"),
    _item("imports", "aws/dev@stable", "itself at another version", "can't import itself"),
]

WHO = [
    (
        "allowed_environments of the legacy project",
        {"allowed_environments": ["default/x"]},
        "allowed_environments[0]",
        "legacy",
    ),
    (
        "allowed_environments beside the legacy project",
        {"project": "default", "allowed_environments": ["aws/x"]},
        "allowed_environments[0]",
        "legacy",
    ),
    *[
        (f"{name} without its attribute", {name: [value], "subject_attributes": [CURRENT]}, name, attribute)
        for name, value, attribute in (
            ("allowed_root_environments", "aws/x", ROOT),
            ("allowed_users", "alice", USER),
            ("allowed_teams", "ops", TEAM),
            ("allowed_token_types", "team", TYPE),
        )
    ],
    *[
        (f"{attribute} without values", {"subject_attributes": [CURRENT, attribute]}, "subject_attributes[1]", source)
        for attribute, source in ((USER, "allowed_users"), (TEAM, "allowed_teams"), (TYPE, "allowed_token_types"))
    ],
    (
        "the organization as a user",
        {"allowed_users": ["Contoso"], "subject_attributes": [CURRENT, USER]},
        "allowed_users[0]",
        f"with `{TYPE}` among them",
    ),
    (
        "type personal beside users",
        {"allowed_users": ["alice"], "allowed_token_types": ["personal"]},
        "allowed_token_types",
        "name them all",
    ),
    (
        "type team beside teams",
        {"allowed_teams": ["ops"], "allowed_token_types": ["team"]},
        "allowed_token_types",
        "includes theirs",
    ),
    ("current environment left out", {"subject_attributes": [ROOT]}, "subject_attributes", OMIT),
    ("no attributes", {"subject_attributes": []}, "subject_attributes", OMIT),
    (f"{OMIT} for nothing", {OMIT: True}, OMIT, "it changes nothing"),
    (
        "environments without their attribute",
        {"subject_attributes": [ROOT], OMIT: True, "allowed_environments": ["aws/x"]},
        "allowed_environments",
        "does not say which environment",
    ),
    (f"{ANY_STACK} for nothing", {ANY_STACK: True}, ANY_STACK, "it changes nothing"),
    (f"{ANY_IN_PROJECT} in the legacy project", {"project": "default", ANY_IN_PROJECT: True}, ANY_IN_PROJECT, "legacy"),
    (
        f"{ANY_IN_PROJECT} for nothing",
        {ANY_IN_PROJECT: True, OMIT: True, "subject_attributes": [ROOT]},
        ANY_IN_PROJECT,
        "it changes nothing",
    ),
    *[
        (f"{ANY} beside {name}", {ANY: True, name: value}, name, "would change nothing")
        for name, value in (
            ("allowed_environments", ["aws/x"]),
            ("allowed_root_environments", ["aws/x"]),
            ("allowed_users", ["alice"]),
            ("allowed_teams", ["ops"]),
            ("allowed_token_types", ["organization"]),
            ("subject_attributes", [CURRENT]),
            (ANY_IN_PROJECT, True),
        )
    ],
    (
        "a subject of 256 characters",
        {
            "environment": "e"
            * (256 - len("pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name:aws/"))
        },
        "environment",
        "256 characters",
    ),
    (
        "far more subjects than fit",
        {
            "allowed_users": [f"user{i}" for i in range(1000)],
            "allowed_root_environments": [f"aws/e{i}" for i in range(1001)],
        },
        "allowed_root_environments",
        "make 1001000 subjects",
    ),
    ("inline_policies nested too deep", {"inline_policies": {"a": "[" * 100_000}}, "inline_policies['a']", "not JSON"),
    ("more subjects than fit", {"allowed_environments": LONG}, "allowed_environments", "31 subjects like these fit"),
    *[
        (f"{name} beside an adopted provider", {"oidc_provider_arn": PROVIDER, name: value}, name, "adopts one")
        for name, value in (
            ("thumbprints", ["a" * 40]),
            ("additional_audiences", ["contoso"]),
            ("retain_oidc_provider", True),
        )
    ],
]

MAY_BE_EMPTY = [name for name, form in EnvironmentPlan.formats().items() if form.may_be_empty]
NARROWING = [name for name, form in EnvironmentPlan.formats().items() if form.narrows]

NAMES_AND_TYPES = [
    ("a misspelled name", {"alowed_users": ["alice"]}, "alowed_users", "Did you mean `allowed_users`?"),
    ("a name in camel case", {"allowedUsers": ["alice"]}, "allowedUsers", "Did you mean `allowed_users`?"),
    ("a name like no other", {"colour": "blue"}, "colour", "The inputs are `organization`"),
    ("a string where a list belongs", {"allowed_users": "alice"}, "allowed_users", "Pass ['alice']"),
    (
        "a list where a string belongs",
        {"organization": ["contoso"]},
        "organization",
        "this input is a string, not a list",
    ),
    ("a number where a string belongs", {"region": 3600}, "region", "this input is a string, not an int"),
    ("a name that is a number", {"environment": 7}, "environment", "Pass '7'."),
    *[
        (f"seconds {value!r} for {name}", {name: value}, name, "Pass '1h'.")
        for name in ("duration", "max_session_duration")
        for value in (3600, 3600.0, "3600")
    ],
    ("minutes as a number", {"duration": 90}, "duration", "Write it like 1h30m."),
    ("no number", {"duration": float("nan")}, "duration", "Pass one."),
    ("a boolean where a string belongs", {"duration": True}, "duration", "Pass one."),
    ("a string where a boolean belongs", {"create_environment": "false"}, "create_environment", "True or False"),
    ("a number where a boolean belongs", {ANY: 1}, ANY, "True or False"),
    ("a list where a dict belongs", {"tags": ["a"]}, "tags", "a dict of strings"),
    ("a number in a list", {"allowed_users": [7]}, "allowed_users[0]", "this is a string, not an int"),
    ("None in a list", {"allowed_users": [None]}, "allowed_users[0]", "this is a string, not a NoneType"),
    ("a number in a dict", {"tags": {"a": 7}}, "tags['a']", "this is a string, not an int"),
    ("a number as a key", {"tags": {7: "a"}}, "tags (a key)", "this is a string, not an int"),
    *[(f"None for {name}", {name: None}, name, "silently drop") for name in NARROWING],
    *[
        (f"an empty list for {name}", {name: []}, name, "silently drop")
        for name in NARROWING
        if name not in ("subject_attributes", "permissions_boundary_arn")
    ],
    *[
        (f"an empty string for {name}", {name: value}, place, "can't be an empty string")
        for name, argument in ARGUMENTS[EnvironmentPlan].items()
        for value, place in {
            "str": [("", name)],
            "list": [([""], f"{name}[0]")],
            "dict": [
                ({"": GOOD_VALUES.get(name, "v")}, f"{name} (a key)"),
                *([] if name in MAY_BE_EMPTY else [({"K": ""}, f"{name}['K']")]),
            ],
            "bool": [],
        }[argument.kind]
    ],
]

REFUSALS = FORMS + WHO + NAMES_AND_TYPES
