"""Changing who gets in while somebody keeps opening the environment: docs/changing.md, step by step."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread

import pytest
from pulumi_esc_sdk import Configuration, EscClient
from pulumi_esc_sdk.exceptions import ApiException

from esc_oidc.sandbox import Sandbox
from esc_oidc.sandbox.aws import sts
from esc_oidc.tokens import Opener
from tests.support.workspaces import NEEDS_ENGINE, up, written

pytestmark = NEEDS_ENGINE

PROGRAM = """
from esc_oidc import PulumiEscOidc

PulumiEscOidc("login", organization="contoso", project="aws", environment="dev", {inputs})
"""
OLD = "subject_attributes=[], dangerously_omit_current_environment=True"
NEW = 'allowed_users=["alice"]'
OLD_SUBJECT = "pulumi:environments:org:contoso:env:aws/dev"
NEW_SUBJECT = (
    "pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name:aws/dev:pulumi.user.login:alice"
)
STEPS = [
    f'{OLD}, transitional_subjects=["{NEW_SUBJECT}"]',
    f'{NEW}, transitional_subjects=["{OLD_SUBJECT}"]',
    NEW,
]


@dataclass
class Late:
    """AWS, where a trust policy counts only some seconds after it was first seen."""

    seconds: float
    seen: list[tuple[float, str]] = field(default_factory=list)

    def decide(self, policy, request):
        """What AWS answers by the policy that counts now."""
        if not self.seen or self.seen[-1][1] != policy:
            self.seen.append((time.monotonic(), policy))
        return DECIDE(self.counting, request)

    @property
    def counting(self) -> str:
        """The latest policy that is old enough; the first one was there before."""
        old = [policy for since, policy in self.seen[1:] if since <= time.monotonic() - self.seconds]
        return old[-1] if old else self.seen[0][1]


DECIDE = sts.decide


@contextmanager
def opening(sandbox: Sandbox) -> Iterator[list[str]]:
    """Alice opens the environment every 25 ms until the end of the block; gives what she was told each time."""
    client = EscClient(
        Configuration(host=sandbox.cloud_url, access_token=sandbox.access_token(Opener("alice"), ["contoso"]))
    )
    answers: list[str] = []
    ended = Event()

    def run() -> None:
        while not ended.wait(0.025):
            try:
                client.open_environment("contoso", "aws", "dev")
                answers.append("opened")
            except ApiException as error:
                answers.append(str(error))

    thread = Thread(target=run)
    thread.start()
    try:
        yield answers
    finally:
        ended.set()
        thread.join()


def change(sandbox, folder, late, steps):
    """Bring the login from OLD through these steps, waiting after each until AWS has settled; what alice was told."""
    program = folder / "__main__.py"
    written(folder, PROGRAM.format(inputs=OLD))
    up(folder)
    operations = []
    with opening(sandbox) as answers:
        for step in steps:
            program.write_text(PROGRAM.format(inputs=step))
            operations.append(up(folder))
            time.sleep(late.seconds + 1)
        assert late.counting == late.seen[-1][1]
    return answers, operations


@pytest.fixture(params=[0, 3], ids=["at once", "3 s later"])
def late(request, monkeypatch):
    """When a changed trust policy counts."""
    late = Late(request.param)
    monkeypatch.setattr(sts, "decide", late.decide)
    return late


def test_three_updates_refuse_nobody(sandbox, tmp_path, late):
    """Alice opens the environment every 25 ms, and gets in each time; the second update leaves the role alone."""
    answers, operations = change(sandbox, tmp_path / "login", late, STEPS)
    assert set(answers) == {"opened"}
    assert len(answers) > 100
    assert [each.get("login-role") for each in operations] == [{"update"}, {"same"}, {"update"}]
    assert [each.get("login-environment") for each in operations] == [{"same"}, {"update"}, {"same"}]


def test_one_update_refuses_her_meanwhile(sandbox, tmp_path, late):
    """The control: the role changes before the environment does, and AWS takes its time."""
    answers, _ = change(sandbox, tmp_path / "login", late, [NEW])
    assert answers[-1] == "opened"
    assert any("Not authorized" in answer for answer in answers)
