"""A sandbox with a folder: what the next one finds there, whatever happened to the first."""

import json
import signal
import stat
import subprocess
import sys

import pytest

from esc_oidc.sandbox import EnvironmentRef, Sandbox, StateError
from esc_oidc.sandbox.esc import NotFound
from esc_oidc.tokens import Opener
from tests.support.stacks import RESOURCE, Cli, encoded, state

DEV = EnvironmentRef("contoso", "aws", "dev")
NOBODY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }
)
SERVE = """
import sys
from pathlib import Path
from esc_oidc.sandbox import Sandbox
from esc_oidc.tokens import Opener
with Sandbox(state=Path(sys.argv[1])) as sandbox:
    print(sandbox.cloud_url, sandbox.aws_url, sandbox.access_token(Opener("alice"), ["contoso"]), flush=True)
    sys.stdin.read()
"""


def cli_of(sandbox, stack="contoso/app/dev"):
    """Alice's CLI."""
    return Cli(sandbox.cloud_url, sandbox.access_token(Opener("alice"), ["contoso"]), stack)


@pytest.fixture
def folder(tmp_path):
    """A folder that is not there yet."""
    return tmp_path / "a" / "state"


def test_environments_survive(folder, esc):
    """With every revision, tag and setting, and without what was deleted."""
    with Sandbox(state=folder) as first:
        store = first.store
        store.create(DEV, "alice")
        for number in range(3):
            store.update(DEV, f"values: {{a: {number}}}", "alice")
        with store.edit(DEV) as held:
            held.tags.create("created", "2026", "alice")
            held.tag_revision("stable", 2, "alice")
            held.deletion_protected = True
            before = held
        store.clone(DEV, EnvironmentRef("contoso", "aws", "copy"), "bob", {"history", "tags", "revision tags"})
        store.create(gone := EnvironmentRef("contoso", "aws", "gone"), "alice")
        store.delete(gone)
    with Sandbox(state=folder) as second:
        with second.store.edit(DEV) as held:
            assert held == before
        with second.store.edit(EnvironmentRef("contoso", "aws", "copy")) as copy:
            assert (copy.revisions, copy.tags) == (before.revisions, before.tags)
        with pytest.raises(NotFound):
            second.store.revision(gone)
        assert esc(second).open_and_read_environment("contoso", "aws", "dev")[1] == {"a": 2}


def test_stacks_survive(folder):
    """With their history, every version, and secrets that can be read; what was removed is gone."""
    with Sandbox(state=folder) as first:
        cli = cli_of(first)
        cli.init()
        cli.post("/import", state(RESOURCE))
        update = cli.begin("destroy", message="m")
        update.checkpoint()
        update.complete()
        ciphertext = cli.post("/encrypt", {"plaintext": encoded("s")})[1]["ciphertext"]
        cli.post("/rename", {"newName": "prod"})
        cli.stack = "contoso/app/prod"
        seen = [cli.get(path) for path in ("", "/updates", "/export", "/export/1")]
        cli.stack = "contoso/app/gone"
        cli.init(state=state(RESOURCE))
        cli.send("DELETE", f"{cli.path}?force=true")
    with Sandbox(state=folder) as second:
        cli = cli_of(second, "contoso/app/prod")
        assert [cli.get(path) for path in ("", "/updates", "/export", "/export/1")] == seen
        assert cli.post("/decrypt", {"ciphertext": ciphertext})[1] == {"plaintext": encoded("s")}
        assert len(cli.send("GET", "/api/user/stacks")[1]["stacks"]) == 1
    assert len(list(folder.glob("stack-*"))) == 1
    assert len(list(folder.glob("state-*"))) == 2


def test_deployment_settings_and_teams_survive(folder):
    """They are resources in somebody's state, which survives too."""
    grant = {"envName": "dev", "projectName": "aws", "permission": "open"}
    with Sandbox(state=folder) as first:
        cli = cli_of(first)
        secret = {"operationContext": {"environmentVariables": {"A": {"secret": "s"}}}}
        settings = cli.send("PUT", f"{cli.path}/deployments/settings", secret)
        cli.send("PATCH", "/api/orgs/contoso/teams/ops", {"addEnvironmentPermission": grant})
    with Sandbox(state=folder) as second:
        cli = cli_of(second)
        assert cli.get("/deployments/settings") == settings
        assert cli.send("PUT", f"{cli.path}/deployments/settings", secret) == settings
        assert cli.send("GET", "/api/orgs/contoso/teams/ops")[1]["environments"] == [grant]


def test_aws_survives(folder, aws_client):
    """Every account, with the ids that AWS made up, and without what was removed again."""

    def seen(sandbox, iam, other):
        roles = [(each["RoleName"], each["RoleId"]) for client in (iam, other) for each in client.list_roles()["Roles"]]
        providers = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
        ids = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=providers[0]["Arn"])["ClientIDList"]
        buckets = aws_client(sandbox, "s3").get_object(Bucket="bucket", Key="k")["Body"].read()
        return roles, providers, ids, buckets, iam.list_access_keys(UserName="u")["AccessKeyMetadata"][0]["AccessKeyId"]

    def clients(sandbox):
        other = aws_client(sandbox, "iam")
        other.meta.events.register(
            "before-send", lambda request, **_: request.headers.update(Authorization=_signed_by("210987654321"))
        )
        return sandbox, aws_client(sandbox, "iam"), other

    with Sandbox(state=folder) as first:
        _, iam, other = clients(first)
        for client in (iam, other):
            for name in ("stays", "goes"):
                client.create_role(RoleName=name, AssumeRolePolicyDocument=NOBODY)
            client.delete_role(RoleName="goes")
        arn = iam.create_open_id_connect_provider(Url="https://api.pulumi.com/oidc", ClientIDList=["a"])
        iam.add_client_id_to_open_id_connect_provider(
            OpenIDConnectProviderArn=arn["OpenIDConnectProviderArn"], ClientID="b"
        )
        with pytest.raises(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName="stays", AssumeRolePolicyDocument=NOBODY)
        iam.create_user(UserName="u")
        iam.create_access_key(UserName="u")
        aws_client(first, "s3").create_bucket(Bucket="bucket")
        aws_client(first, "s3").put_object(Bucket="bucket", Key="k", Body=b"\x00\xff")
        aws_client(first, "sts").get_caller_identity()
        before = seen(first, iam, other)
    lines = (folder / "aws.jsonl").read_text().splitlines()
    assert len(lines) == 12
    for _ in range(2):
        with Sandbox(state=folder) as later:
            assert seen(*clients(later)) == before
    assert (folder / "aws.jsonl").read_text().splitlines() == lines


def _signed_by(key):
    return f"AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0"


def test_a_kill_in_mid_update_loses_nothing(folder):
    """Whatever was answered is there afterwards, and the lease is still good at the next sandbox."""
    with _Child(folder) as (cli, process):
        cli.init()
        update = cli.begin()
        assert update.checkpoint(RESOURCE)[0] == 204
        process.send_signal(signal.SIGKILL)
    (folder / "stack-x.json.unfinished").write_text("{")
    with Sandbox(state=folder) as second:
        later = cli_of(second)
        assert later.get("/export")[1] == state(RESOURCE)
        assert later.start(later.create())[0] == 409
        update.cli = later
        assert [update.renew()[0], update.checkpoint(RESOURCE, RESOURCE)[0], update.complete()[0]] == [200, 204, 204]
        assert later.get("/updates/latest")[1]["info"]["resourceCount"] == 2
    assert not list(folder.glob("*.unfinished"))


class _Child:
    """A sandbox in a process of its own."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", SERVE, str(self.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        cloud, self.aws_url, token = self.process.stdout.readline().split()
        return Cli(cloud, token), self.process

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def test_a_line_that_was_cut_off_is_dropped(folder, aws_client):
    """It was never answered."""
    with Sandbox(state=folder) as first:
        aws_client(first, "iam").create_role(RoleName="one", AssumeRolePolicyDocument=NOBODY)
    log = folder / "aws.jsonl"
    whole = log.read_bytes()
    log.write_bytes(whole + whole[:-9])
    with Sandbox(state=folder) as second:
        assert [each["RoleName"] for each in aws_client(second, "iam").list_roles()["Roles"]] == ["one"]
    assert log.read_bytes() == whole


def test_a_state_that_nobody_names_is_removed(folder):
    """The sandbox was killed between the state's file and the stack's own: there was no answer."""
    with Sandbox(state=folder) as first:
        cli = cli_of(first)
        cli.init()
        cli.post("/import", state(RESOURCE))
    (kept,) = folder.glob("state-*")
    orphan = kept.with_name(kept.name.replace("-1.gz", "-2.gz"))
    orphan.write_bytes(kept.read_bytes())
    with Sandbox(state=folder) as second:
        cli = cli_of(second)
        cli.begin()
        assert cli.get("/export/2")[1] == state(RESOURCE)
    assert not orphan.exists()


def test_only_its_owner_may_read_it(folder):
    """Files are 0600, folders 0700."""
    with Sandbox(state=folder) as sandbox:
        sandbox.store.create(DEV, "alice")
        cli_of(sandbox).init(state=state(RESOURCE))
    assert {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_others_may_read_is_closed_to_them(folder):
    """It was made before, or its permissions were changed."""
    folder.mkdir(parents=True)
    for _ in range(2):
        folder.chmod(0o755)
        with Sandbox(state=folder):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_one_sandbox_at_a_time(folder):
    """The second one says whose turn it is, and the folder is free afterwards."""
    refusal = f"{folder}: another sandbox uses it. Stop that one"
    with Sandbox(state=folder), pytest.raises(StateError, match=refusal), Sandbox(state=folder):
        pass
    with Sandbox(state=folder):
        pass


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("sandbox.json", '{"format": 2}'),
        ("sandbox.json", "x"),
        ("environment-x.json", "{"),
        ("environment-x.json", '{"ref": {}}'),
        ("stack-x.json", "[]"),
        ("state-x-1.gz", "x"),
        ("aws.jsonl", "{}\n"),
        ("aws.jsonl", "\n"),
        ("teams.json", "1"),
        ("deployment-settings.json", "\xff"),
    ],
)
def test_a_damaged_file_is_named(folder, name, content):
    """And nothing is changed."""
    with Sandbox(state=folder) as sandbox:
        cli = cli_of(sandbox)
        cli.init(state=state(RESOURCE))
    (kept,) = folder.glob("state-*")
    target = kept if name.startswith("state-") else folder / name
    target.write_text(content, "latin-1")
    with pytest.raises(StateError) as raised, Sandbox(state=folder):
        pass
    assert str(raised.value).startswith(str(target))
    assert str(raised.value).endswith((".", "esc-oidc."))
    assert target.read_text("latin-1") == content


def test_somebody_elses_folder_is_left_alone(tmp_path):
    """A folder with other files in it, a file, a folder that can't be made."""
    (tmp_path / "file").write_text("mine")
    for path in (tmp_path, tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StateError, match=str(path)), Sandbox(state=path):
            pass
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_without_a_folder_nothing_is_written():
    """No file is opened for writing, wherever it may be."""
    program = """
import os, sys
from esc_oidc.sandbox import EnvironmentRef, Sandbox
from esc_oidc.tokens import Opener
from tests.support.stacks import RESOURCE, Cli
def heard(event, args):
    if event == "open" and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        print(args)
with Sandbox() as sandbox:
    sys.addaudithook(heard)
    cli = Cli(sandbox.cloud_url, sandbox.access_token(Opener("alice"), ["contoso"]))
    assert cli.init()[0] == 200
    assert cli.begin().checkpoint(RESOURCE)[0] == 204
    sandbox.store.create(EnvironmentRef("contoso", "aws", "dev"), "alice")
"""
    child = [sys.executable, "-B", "-c", program]
    assert subprocess.run(child, capture_output=True, text=True, check=True).stdout == ""  # noqa: S603 - our own
