"""What PulumiDeploymentsOidc must refuse, in the form of `refusals`; what both components share is taken from there."""

from typing import Any

from tests.support.environment_refusals import PROVIDER, REFUSALS
from tests.support.inputs import SHARED as SHARED_INPUTS

BASE: dict[str, Any] = {"organization": "contoso", "project": "core"}
STACKS: dict[str, Any] = {"stacks": ["dev"]}
ANY_STACK, MANAGE = "dangerously_allow_any_stack_in_project", "manage_deployment_settings"
# There the audience is `aws:contoso`, here it is `contoso`; both have cases of their own below.
OWN_AUDIENCE = {"additional_audiences its own", "additional_audiences beside an adopted provider"}
SHARED = [
    (rule, STACKS | given, place, said)
    for rule, given, place, said in REFUSALS
    if given.keys() <= SHARED_INPUTS and rule not in OWN_AUDIENCE
]

BAD_NAMES = {
    "with a colon": "a:b", "with a star": "a*", "with a question mark": "a?", "with a space": "a b", "yaml": "<yaml>",
    "with a dollar": "a$b", "with a version": "dev@1", "outside ASCII": "dév", "of 101 characters": "s" * 101,
    "with a final newline": "dev\n", "a dot": ".", "two dots": "..",
}  # fmt: skip

NAMES = [
    *[
        case
        for rule, name in BAD_NAMES.items()
        for case in (
            (f"project {rule}", STACKS | {"project": name}, "project", "a project has 1 to 100"),
            (f"stacks {rule}", {"stacks": [name]}, "stacks[0]", "a stack has 1 to 100"),
        )
    ],
    ("project missing", STACKS | {"project": None}, "project", "required"),
    ("project empty", STACKS | {"project": ""}, "project", "can't be an empty string"),
    ("project with a slash", STACKS | {"project": "contoso/core"}, "project", "Give its name alone, as in Pulumi.yaml"),
    (
        "project pasted whole",
        STACKS | {"project": "contoso/core/dev"},
        "project",
        "organization='contoso', project='core', stacks=['dev']",
    ),
    ("stacks with a project", {"stacks": ["core/dev"]}, "stacks[0]", "Give its name alone: 'dev'."),
    (
        "stacks pasted whole",
        {"stacks": ["contoso/core/dev"]},
        "stacks[0]",
        "organization='contoso', project='core', stacks=['dev']",
    ),
    ("stacks the second of them", {"stacks": ["dev", "pro:d"]}, "stacks[1]", "a stack has 1 to 100"),
    ("stacks twice", {"stacks": ["dev", "dev"]}, "stacks[1]", "twice"),
    ("stacks an empty one", {"stacks": [""]}, "stacks[0]", "can't be an empty string"),
    ("stacks None", {"stacks": None}, "stacks", "silently drop"),
    ("stacks none", {"stacks": []}, "stacks", "silently drop"),
    ("stacks none beside the flag", {"stacks": [], ANY_STACK: True}, "stacks", "silently drop"),
    ("stacks not a list", {"stacks": "dev"}, "stacks", "Pass ['dev']"),
]  # fmt: skip

WHO = [
    *[
        (f"operations {rule}", STACKS | {"operations": [value]}, "operations[0]", said)
        for rule, value, said in (
            ("misspelled", "preveiw", "Did you mean `preview`?"),
            ("in the wrong case", "Update", "Did you mean `update`?"),
            ("in upper case", "DESTROY", "Did you mean `destroy`?"),
            ("as the command line has it", "up", "Did you mean `update`?"),
            ("of Git", "merge", "operations are `preview`, `update`, `refresh` and `destroy`. Use one of these."),
            ("a star", "*", "Use one of these"),
        )
    ],
    ("operations twice", STACKS | {"operations": ["update", "update"]}, "operations[1]", "twice"),
    ("operations None", STACKS | {"operations": None}, "operations", "silently drop"),
    ("operations none", STACKS | {"operations": []}, "operations", "silently drop"),
    ("operations none beside the flag", {ANY_STACK: True, "operations": []}, "operations", "silently drop"),
    ("operations empty", STACKS | {"operations": [""]}, "operations[0]", "can't be an empty string"),
    ("operations not a list", STACKS | {"operations": "preview"}, "operations", "Pass ['preview']"),
    ("neither stacks nor the flag", {}, "stacks", f"set `{ANY_STACK}`"),
    ("the flag false and no stacks", {ANY_STACK: False}, "stacks", f"set `{ANY_STACK}`"),
    ("both stacks and the flag", STACKS | {ANY_STACK: True}, ANY_STACK, "Leave out one of the two"),
    ("settings of any stack", {ANY_STACK: True, MANAGE: True}, MANAGE, "it changes nothing"),
    ("the flag not a boolean", STACKS | {ANY_STACK: "false"}, ANY_STACK, "True or False"),
    ("settings not a boolean", STACKS | {MANAGE: 1}, MANAGE, "True or False"),
    (
        "a subject of 256 characters",
        {
            "project": "p" * 90,
            "stacks": ["s" * (166 - len("pulumi:deploy:org:contoso:project::stack::operation:refresh:scope:write"))],
        },
        "stacks",
        "256 characters",
    ),
    ("more subjects than fit", {"stacks": [f"stack-{i:02}" for i in range(13)]}, "stacks", "subjects like these fit"),
    (
        "its own audience again",
        STACKS | {"additional_audiences": ["contoso"]},
        "additional_audiences[0]",
        "has this audience anyway",
    ),
    (
        "additional_audiences beside an adopted provider",
        STACKS | {"oidc_provider_arn": PROVIDER, "additional_audiences": ["aws:contoso"]},
        "additional_audiences",
        "adopts one",
    ),
]  # fmt: skip

REST = [
    *[
        (f"session_name {rule}", STACKS | {"session_name": value}, "session_name", said)
        for rule, value, said in (
            ("empty", "", "can't be an empty string"),
            ("of 1", "a", "2 to 64 letters"),
            ("of 65", "a" * 65, "2 to 64 letters"),
            ("with a space", "a b", "2 to 64 letters"),
            ("outside ASCII", "é" * 3, "2 to 64 letters"),
            ("with an open template", "a-${stack.name", "The templates' names are `organization.name`"),
            ("with a template of nothing", "a-${}", "The templates' names are"),
            ("with a reference of ESC", 'a-${aws["x"]}', "The templates' names are"),
            ("with a dollar", "a$b", "The templates' names are"),
            ("too long beside the deployment's ID", "a" * 29 + "${deployment.id}", "2 to 64 letters"),
            ("too long beside the operation", "a" * 59 + "${deployment.operation}", "2 to 64 letters"),
        )
    ],
    ("a misspelled name", STACKS | {"operation": ["update"]}, "operation", "Did you mean `operations`?"),
    ("a name in camel case", STACKS | {"roleName": "dep"}, "roleName", "Did you mean `role_name`?"),
    ("a name of the other component", STACKS | {"environment": "dev"}, "environment", "there is no such input"),
]  # fmt: skip

DEPLOYMENT_REFUSALS = NAMES + WHO + REST + SHARED
