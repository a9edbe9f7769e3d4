"""Stacks in the sandbox's Pulumi Cloud, asked as the pulumi CLI asks."""

import base64
import json
import re
from itertools import count

import pytest
from pulumi.automation import CommandResult, ConcurrentUpdateError, StackAlreadyExistsError
from pulumi.automation.errors import create_command_error

from esc_oidc.sandbox import Sandbox
from esc_oidc.sandbox.esc import Cipher
from esc_oidc.tokens import Opener
from tests.support.stacks import RESOURCE, Cli, encoded, state

ROLE = {
    "urn": "urn:pulumi:dev::app::aws:iam/role:Role::role",
    "type": "aws:iam/role:Role",
    "custom": True,
    "parent": RESOURCE["urn"],
    "provider": "urn:pulumi:dev::app::pulumi:providers:aws::default::1b4e",
}
RUNNING = {"code": 409, "message": "Conflict: Another update is currently in progress."}


@pytest.fixture
def clock(sandbox):
    """The time of the sandbox's stacks, to be set forward."""
    before, now = sandbox.stacks.now, [1_700_000_000.0]
    sandbox.stacks.now = lambda: now[0]
    yield now
    sandbox.stacks.now = before


@pytest.fixture
def cli(sandbox, request):
    """Alice's CLI and a new stack; its project has the test's name."""
    token = sandbox.access_token(Opener("alice"), ["contoso", "fabrikam"])
    project = re.sub(r"[^A-Za-z0-9-]", "-", request.node.name)[:90]
    alice = Cli(sandbox.cloud_url, token, f"contoso/{project}/dev")
    assert alice.init() == (200, {})
    return alice


def test_a_stack_is_made_read_and_removed(cli):
    """It has the tags that it was made with, and is gone afterwards."""
    status, stack = cli.get()
    assert (status, stack["orgName"], stack["stackName"], stack["version"]) == (200, "contoso", "dev", 0)
    assert (stack["tags"], stack["activeUpdate"]) == ({"pulumi:project": "app"}, "")
    assert stack["id"]
    assert "currentOperation" not in stack
    assert cli.send("DELETE", cli.path)[0] == 204
    status, refusal = cli.get()
    assert (status, refusal["code"]) == (404, 404)


def test_a_name_is_taken_once(cli):
    """The CLI looks for `already exists`."""
    status, refusal = cli.init()
    assert (status, refusal["code"]) == (409, 409)
    assert "already exists" in refusal["message"]


@pytest.mark.parametrize(
    "body", [{"config": {"environment": "app/dev"}}, {"teams": ["ops"]}, {"state": {"version": 3}}]
)
def test_what_would_be_lost_is_refused(cli, body):
    """A stack with a configuration, teams or a state that the sandbox could not give back."""
    assert cli.send("PUT", f"{cli.path}/config", {"environment": "app/dev"})[0] == 400
    cli.stack += "-2"
    status, refusal = cli.init(**body)
    assert (status, refusal["code"]) == (400, 400)
    assert cli.get()[0] == 404


def test_a_stack_can_begin_with_a_state(cli):
    """It is exported before the first update."""
    cli.stack += "-2"
    assert cli.init(state=state(RESOURCE))[0] == 200
    assert cli.get("/export")[1] == state(RESOURCE)


@pytest.mark.parametrize("name", ["..", "a%20b", "x" * 101])
def test_names_are_checked(cli, name):
    """As those of environments are."""
    project = cli.path.rpartition("/")[0]
    assert cli.send("POST", project, {"stackName": name})[0] == 400
    if name != "..":
        assert cli.send("GET", f"{project}/{name}")[0] == 400


def test_a_project_exists_while_it_has_a_stack(cli):
    """`pulumi new` asks before it takes a name."""
    project = cli.path.rpartition("/")[0]
    assert cli.send("HEAD", project)[0] == 200
    assert cli.send("HEAD", f"{project}-2")[0] == 404


def test_tags_are_replaced_as_a_whole(cli):
    """The CLI sends all of them to set or to remove one."""
    assert cli.send("PATCH", f"{cli.path}/tags", {"a": "b"})[0] == 204
    assert cli.get()[1]["tags"] == {"a": "b"}
    assert cli.send("PATCH", f"{cli.path}/tags", {"a": 1})[0] == 400


def test_stacks_are_listed_by_organization_project_and_tag(cli):
    """Only those of the caller's organizations."""
    project = cli.stack.split("/")[1]

    def listed(**query):
        asked = "&".join(f"{key}={value}" for key, value in {"project": project, **query}.items())
        return [each["stackName"] for each in cli.send("GET", f"/api/user/stacks?{asked}")[1]["stacks"]]

    assert listed() == listed(organization="contoso") == listed(tagName="pulumi:project") == ["dev"]
    assert listed(tagName="pulumi:project", tagValue="app") == ["dev"]
    assert (
        listed(organization="fabrikam") == listed(tagName="x") == listed(tagName="pulumi:project", tagValue="x") == []
    )


def test_the_list_says_when_a_stack_was_updated(cli, clock):
    """Never, now, or when: 0 stands for an update in progress."""

    def entry():
        stacks = cli.send("GET", f"/api/user/stacks?project={cli.stack.split('/')[1]}")[1]["stacks"]
        return {key: stacks[0][key] for key in ("lastUpdate", "resourceCount") if key in stacks[0]}

    assert entry() == {"resourceCount": 0}
    update = cli.begin()
    update.checkpoint(RESOURCE)
    assert entry() == {"lastUpdate": 0, "resourceCount": 1}
    update.complete()
    assert entry() == {"lastUpdate": clock[0], "resourceCount": 1}


def test_secrets_are_encrypted(cli):
    """Differently each time; what no sandbox encrypted for a stack is an error of the whole call."""
    first, second = (cli.post("/encrypt", {"plaintext": encoded("s3cr3t")})[1]["ciphertext"] for _ in range(2))
    assert first != second
    assert b"s3cr3t" not in base64.b64decode(first)
    assert cli.post("/decrypt", {"ciphertext": first}) == (200, {"plaintext": encoded("s3cr3t")})
    both = {"ciphertexts": [first, second]}
    assert cli.post("/batch-decrypt", both, packed=True)[1]["plaintexts"] == dict.fromkeys(
        (first, second), encoded("s3cr3t")
    )
    many = cli.post("/batch-encrypt", {"plaintexts": [encoded("a"), encoded("")]}, packed=True)[1]["ciphertexts"]
    assert [cli.post("/decrypt", {"ciphertext": each})[1]["plaintext"] for each in many] == [encoded("a"), ""]
    environments = base64.b64encode(Cipher("environments").encrypt(b"x")).decode()
    for unknown in ([first, environments], [first, encoded("x")], [first, "?"], [first, 1]):
        assert cli.post("/batch-decrypt", {"ciphertexts": unknown})[0] == 400
    for body in ({"ciphertexts": first}, {}):
        assert cli.post("/batch-decrypt", body)[0] == 400
    for log in ("log-decryption", "log-batch-decryption"):
        assert cli.post(f"/decrypt/{log}", {"secretName": "pw"})[0] == 204


@pytest.mark.parametrize("later_name", ["contoso/app/prod", "contoso/shop/dev", "fabrikam/app/dev"])
def test_a_secret_outlives_the_sandbox(cli, later_name):
    """Its ciphertext stands in a stack's file, which the next sandbox reads, whatever the stack is called then."""
    ciphertext = cli.post("/encrypt", {"plaintext": encoded("s3cr3t")})[1]["ciphertext"]
    with Sandbox() as next_one:
        later = Cli(next_one.cloud_url, next_one.access_token(Opener("bob"), ["contoso", "fabrikam"]), later_name)
        later.init()
        assert later.post("/decrypt", {"ciphertext": ciphertext})[1] == {"plaintext": encoded("s3cr3t")}


def test_a_new_stack_exports_an_empty_state(cli):
    """Without `deployment` the CLI finds no JSON; without `version` it finds it too old."""
    assert cli.get("/export")[1] == {"version": 3, "deployment": {}}
    assert cli.get("/export/1")[0] == cli.get("/export/0")[0] == 404


def test_an_update_saves_the_state_step_by_step(cli, clock):
    """The newest checkpoint counts, also while the update runs; each version can be exported afterwards."""
    first = cli.begin(message="one", config={"app:pw": {"string": "x", "secret": True, "object": False}})
    assert first.version == 1
    assert first.checkpoint(RESOURCE)[0] == 204
    assert cli.get("/export")[1] == state(RESOURCE)
    assert first.checkpoint(RESOURCE, ROLE)[0] == 204
    operation = {"kind": "update", "author": "alice", "started": clock[0]}
    assert cli.get()[1]["currentOperation"] == operation
    assert first.complete()[0] == 204
    second = cli.begin("destroy")
    assert (second.version, cli.get("/export")[1]) == (2, state(RESOURCE, ROLE))
    second.checkpoint()
    second.complete()
    assert cli.get("/export")[1] == cli.get("/export/2")[1] == state()
    assert cli.get("/export/1")[1] == state(RESOURCE, ROLE)
    assert cli.begin().complete("failed")[0] == 204
    assert cli.get("/export/3")[1] == state()
    assert cli.send("DELETE", cli.path)[0] == 204


def test_a_preview_takes_no_lock_and_leaves_nothing(cli):
    """Neither a version nor tags nor history, and two may run beside an update."""
    update = cli.begin()
    previews = [cli.begin("preview", dry_run=True), cli.begin("refresh", dry_run=True)]
    assert [each.version for each in previews] == [1, 1]
    for preview in previews:
        assert preview.checkpoint(RESOURCE)[0] == 400
        assert preview.record({"sequence": 0, "timestamp": 1, "preludeEvent": {}})[0] == 204
        assert preview.complete()[0] == 204
        assert preview.all_four() == {403}
    update.complete()
    assert [each["version"] for each in cli.get("/updates")[1]["updates"]] == [1]


def test_one_update_at_a_time(cli):
    """Others get a 409 in the words that the CLI and the Automation API know."""
    update, waiting = cli.begin(), cli.create()
    assert cli.start(waiting) == (409, RUNNING)
    assert cli.post("/import", state()) == (409, RUNNING)
    assert cli.send("DELETE", f"{cli.path}?force=true") == (409, RUNNING)
    assert cli.post("/rename", {"newName": "prod"}) == (409, RUNNING)
    update.complete()
    assert cli.start(waiting)[0] == 200
    assert cli.start(waiting)[0] == 409


@pytest.mark.parametrize("how", ["over", "cancelled", "another's", "completed", "nobody's", "deleted"])
def test_a_lost_lease_is_a_403_on_all_four_calls(cli, clock, how):
    """Never 401, which the CLI takes for a network error."""
    update = cli.begin()
    if how == "over":
        clock[0] += 300
    elif how == "cancelled":
        assert cli.post(f"{update.update}/cancel")[0] == 204
    elif how == "another's":
        cli.stack += "-2"
        cli.init()
        update.lease = cli.begin().lease
        cli.stack = cli.stack.removesuffix("-2")
    elif how == "completed":
        update.complete()
    elif how == "nobody's":
        update.lease = "x"
    else:
        clock[0] += 300
        assert cli.send("DELETE", cli.path)[0] == 204
    assert update.all_four() == {403}


def test_a_lease_lasts_while_it_is_renewed(cli, clock):
    """For 300 seconds at most each time; then the update counts as failed and blocks nobody."""
    update = cli.begin()
    for _ in range(3):
        clock[0] += 299
        status, renewed = update.renew(3000)
        assert (status, renewed["token"], renewed["tokenExpiration"]) == (200, update.lease, clock[0] + 300)
    for duration in (0, -5, True, 1.5, "9"):
        assert update.renew(duration)[0] == 400
    assert update.renew()[0] == 200
    clock[0] += 300
    assert update.all_four() == {403}
    latest = cli.get("/updates/latest")[1]["info"]
    assert (latest["result"], latest["endTime"]) == ("failed", clock[0])
    assert "currentOperation" not in cli.get()[1]
    assert cli.post(f"{update.update}/cancel")[0] == 409
    assert cli.begin().version == 2


def test_a_start_with_wrong_tags_starts_nothing(cli):
    """The next one finds no update under way."""
    update = cli.create()
    assert cli.post(update, {"tags": {"a": 1}})[0] == 400
    assert cli.start(update)[0] == 200
    assert cli.get()[1]["tags"] == {"pulumi:project": "app"}


def test_a_lease_is_good_for_nothing_else(cli):
    """And an access token is no lease."""
    update = cli.begin()
    lease = f"update-token {update.lease}"
    assert cli.send("GET", f"{cli.path}/export", authorization=lease)[0] == 401
    assert cli.send("POST", f"{cli.path}{update.update}/cancel", authorization=lease)[0] == 401
    assert cli.post(f"{update.update}/complete", {"status": "succeeded"})[0] == 401


def test_an_update_can_be_cancelled_once(cli):
    """The stack's `activeUpdate` names it, also when it has ended."""
    update = cli.begin()
    active = f"/update/{cli.get()[1]['activeUpdate']}"
    assert active == update.update
    assert cli.post(f"{active}/cancel")[0] == 204
    message = "Conflict: The Update has already completed"
    assert cli.post(f"{active}/cancel") == (409, {"code": 409, "message": message})
    assert cli.get()[1]["activeUpdate"] in active
    assert cli.get("/updates/latest")[1]["info"]["result"] == "failed"


def test_the_history_is_newest_first(cli):
    """With pages, the numbers of the summary, and the configuration as it was sent."""
    config = {"app:pw": {"string": "v1:x", "secret": True, "object": False}}
    for number, kind in enumerate(("update", "refresh", "destroy")):
        update = cli.begin(kind, message=f"m{number}", config=config)
        update.checkpoint(*[RESOURCE] * number)
        summary = {"maybeCorrupt": False, "durationSeconds": 1, "resourceChanges": {"create": number}}
        update.record({"sequence": 9, "timestamp": 2, "summaryEvent": summary})
        update.complete("failed" if number == 1 else "succeeded")
    updates = cli.get("/updates")[1]["updates"]
    assert [(each["version"], each["kind"], each["message"]) for each in updates] == [
        (3, "destroy", "m2"),
        (2, "refresh", "m1"),
        (1, "update", "m0"),
    ]
    assert [each["result"] for each in updates] == ["succeeded", "failed", "succeeded"]
    assert [(each["resourceChanges"], each["resourceCount"]) for each in updates] == [
        ({"create": 2}, 2),
        ({"create": 1}, 1),
        ({"create": 0}, 0),
    ]
    assert updates[0]["config"] == config
    assert updates[0]["environment"] == {"exec.kind": "cli"}
    assert cli.get("/updates", pageSize=2, page=1)[1]["updates"] == updates[:2]
    assert cli.get("/updates", pageSize=2, page=2)[1]["updates"] == updates[2:]
    assert cli.get("/updates/latest")[1]["info"] == updates[0]


def test_the_automation_api_knows_the_refusals(cli):
    """By the words of the CLI, which has them from the sandbox."""
    cli.begin()

    def shown(refused):
        status, refusal = refused
        return create_command_error(
            CommandResult(stdout="", stderr=f"error: [{status}] {refusal['message']}", code=255)
        )

    assert isinstance(shown(cli.start(cli.create())), ConcurrentUpdateError)
    assert isinstance(shown(cli.init()), StackAlreadyExistsError)


def test_there_is_no_latest_update_before_the_first(cli):
    """The CLI then says that there is none."""
    assert cli.get("/updates/latest")[0] == 404


def test_events_come_out_of_order(cli):
    """They are given back in order, and once."""
    update = cli.begin()
    later, earlier = ({"sequence": number, "timestamp": 1, "stdoutEvent": {"message": "x"}} for number in (7, 3))
    update.record(later)
    update.record(earlier, later)
    assert cli.get(f"{update.update}/events")[1] == {"events": [earlier, later], "continuationToken": None}
    assert cli.get(f"{update.update}/events", type=3)[0] == 400
    assert update.record({"timestamp": 1})[0] == 400


def test_an_import_is_an_update_that_has_ended(cli):
    """The CLI polls it once."""
    status, imported = cli.post("/import", {"features": ["taint"], **state(RESOURCE)}, packed=True)
    assert status == 200
    assert cli.get(f"/update/{imported['updateId']}")[1] == {"status": "succeeded", "events": []}
    assert cli.get("/export")[1] == {"features": ["taint"], **state(RESOURCE)}
    latest = cli.get("/updates/latest")[1]["info"]
    assert (latest["kind"], latest["version"], latest["resourceCount"]) == ("import", 1, 1)


@pytest.mark.parametrize(
    "body",
    [
        *({}, {"version": 3}, {"deployment": {}}, [], b"{"),
        *({"version": version, "deployment": {}} for version in ("x", True, None, 3.5)),
        *({"version": 3, "deployment": deployment} for deployment in ("x", [], 0, False)),
        *({"version": 3, "deployment": {"resources": resources}} for resources in ("abc", "", {}, 0)),
        *({"version": 3, "deployment": {"secrets_providers": manager}} for manager in ("x", "", [], False)),
        *(state(secrets_providers={"type": "service", "state": inner}) for inner in ("x", "", [], 1)),
        *(json.dumps(state()).encode(coding) for coding in ("utf-16", "utf-8-sig", "utf-32-be")),
        *(json.dumps(state(x=0)).replace("0}", number + "}").encode() for number in ("NaN", "-Infinity", "1e999")),
        b'{"version": 1e999, "deployment": {}}',
        b'{"version": 3, "deployment": {"x": "\\ud800"}}',
        b'{"version": 3, "deployment": {"x": "\xff"}}',
        b'{"version": %s, "deployment": {}}' % (b"9" * 5000),
        b'{"version": 3, "deployment": ' + b"[" * 100_000,
    ],
    ids=count(),
)
def test_what_is_no_state_is_refused(cli, body):
    """It would break every later command."""
    update = cli.begin()
    assert update.send("PATCH", "checkpoint", body)[0] == 400
    assert update.complete()[0] == 204
    assert cli.post("/import", body)[0] == 400
    assert cli.get("/export") == (200, {"version": 3, "deployment": {}})


@pytest.mark.parametrize(
    "deployment", [None, {}, {"resources": None, "secrets_providers": None}, {"secrets_providers": {"state": None}}]
)
def test_a_state_may_leave_its_parts_out(cli, deployment):
    """As an empty one does. It is exported as it came."""
    assert cli.post("/import", {"version": 3, "deployment": deployment})[0] == 200
    assert cli.get("/export") == (200, {"version": 3, "deployment": deployment})


def test_a_stack_with_resources_is_removed_by_force_only(cli):
    """The CLI knows the refusal by its words."""
    cli.post("/import", state(RESOURCE))
    message = "Bad Request: Stack still contains resources."
    assert cli.send("DELETE", cli.path) == (400, {"code": 400, "message": message})
    assert cli.send("DELETE", f"{cli.path}?force=true")[0] == 204


def test_an_export_leads_to_this_sandbox(cli, sandbox):
    """The CLI decrypts at the URL in the state, which may be yesterday's."""
    old = {"type": "service", "state": {"url": "http://127.0.0.1:1", "owner": "x", "project": "x", "stack": "x"}}
    cli.post("/import", state(RESOURCE, secrets_providers=old))
    _, project, name = cli.stack.split("/")
    here = {"url": sandbox.cloud_url, "owner": "contoso", "project": project, "stack": name}
    assert cli.get("/export")[1]["deployment"]["secrets_providers"]["state"] == here
    passphrase = {"type": "passphrase", "state": {"salt": "v1:x"}}
    cli.post("/import", state(RESOURCE, secrets_providers=passphrase))
    assert cli.get("/export")[1]["deployment"]["secrets_providers"] == passphrase


def test_a_rename_reaches_every_urn_and_the_secrets(cli):
    """Of every version; the secrets stay readable, and the old name is free."""
    project = cli.stack.split("/")[1]
    old, new = f"urn:pulumi:dev::{project}::", "urn:pulumi:prod::shop::"
    text = json.dumps(state(RESOURCE, ROLE)).replace("urn:pulumi:dev::app::", old).replace("app-dev", f"{project}-dev")
    cli.post("/import", text.encode())
    ciphertext = cli.post("/encrypt", {"plaintext": encoded("s")})[1]["ciphertext"]
    assert cli.post("/rename", {"newName": "prod", "newProject": "shop"})[0] == 204
    assert cli.get()[0] == 404
    assert cli.init()[0] == 200
    assert cli.post("/rename", {"newName": "prod", "newProject": "shop"})[0] == 409
    cli.stack = "contoso/shop/prod"
    assert cli.get()[1]["stackName"] == "prod"
    for path in ("/export", "/export/1"):
        root, role = cli.get(path)[1]["deployment"]["resources"]
        assert root["urn"] == role["parent"] == f"{new}pulumi:pulumi:Stack::shop-prod"
        assert role["provider"] == f"{new}pulumi:providers:aws::default::1b4e"
    assert cli.post("/decrypt", {"ciphertext": ciphertext})[1] == {"plaintext": encoded("s")}
    assert cli.post("/rename", {"newName": "a b"})[0] == 400
    assert cli.post("/rename", {})[0] == 400


@pytest.mark.parametrize("value", [1, "x", [1], True, 1.5])
def test_what_has_another_type_is_refused(cli, value):
    """In every member of a request that is read."""
    for kind in ("update", "refresh", "destroy", "preview"):
        for key in ("options", "config", "metadata"):
            assert cli.post(f"/{kind}", {key: value})[0] == 400
    assert cli.post("/rename", {"newName": "b", "newProject": [value]})[0] == 400
    for key in ("state", "tags", "stackName"):
        project, _, name = cli.path.rpartition("/")
        assert cli.send("POST", project, {"stackName": f"{name}-2", key: [value]})[0] == 400
    update = cli.begin()
    assert update.record({"sequence": 0, "summaryEvent": value})[0] == 400
    assert update.record({"sequence": 0, "summaryEvent": {"resourceChanges": value}})[0] == 400
    assert cli.get("/updates")[0] == 200


@pytest.mark.parametrize("path", ["/updates?pageSize={}", "/updates?pageSize=1&page={}", "/export/{}"])
def test_a_number_that_is_too_long_is_refused(cli, path):
    """Python would not even read it."""
    status, refusal = cli.get(path.format("9" * 5000))
    assert (status, refusal["code"]) == (400, 400)


def test_there_are_no_policies(cli):
    """`pulumi policy ls` needs the empty lists."""
    assert cli.send("GET", "/api/orgs/contoso/policypacks")[1]["policyPacks"] == []
    assert cli.send("GET", "/api/orgs/contoso/policygroups")[1]["policyGroups"] == []
    assert cli.get("/policypacks")[1]["requiredPolicies"] == []


def test_nobody_sees_another_organizations_stack(cli, sandbox):
    """It does not exist for them."""
    eve = Cli(sandbox.cloud_url, sandbox.access_token(Opener("eve"), ["fabrikam"]), cli.stack)
    assert eve.get()[0] == eve.get("/export")[0] == eve.init()[0] == 404
    assert eve.send("GET", "/api/user/stacks")[1] == {"stacks": []}


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/hooks", 404, "/hooks"),
        ("PATCH", "/update/x/journalentries", 404, "/update/x/journalentries"),
        ("PATCH", "/export", 405, "takes GET"),
        ("GET", "/encrypt", 405, "takes POST"),
    ],
)
def test_unknown_calls_are_named(cli, method, path, status, words):
    """Not in the words of a web server that asks to check the spelling."""
    got, refusal = cli.send(method, f"{cli.path}{path}")
    assert (got, refusal["code"]) == (status, status)
    assert refusal["message"].startswith(f"The sandbox has no call {method} {cli.path}{path}.")
    assert words in refusal["message"]
