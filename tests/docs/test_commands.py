"""README.md, docs/ and examples/: the commands do what the pages say, as far as they need no `pulumi`."""

import os
import re

import pytest

from esc_oidc.sandbox import Sandbox, surroundings
from esc_oidc.tokens import Opener
from tests.support.documents import (
    FAILING,
    NOT_DEPLOYED,
    NOT_RUN,
    PAGES,
    PROGRAMS,
    SUBSTITUTED,
    commands,
    folder_for,
    follow,
)
from tests.support.workspaces import ROOT

PULUMI = re.compile(r"\bpulumi\b(?!:)")
TYPED = {page: [command for block in commands(page) for command in block.commands] for page in PAGES}


def needs_no_pulumi(command):
    return not PULUMI.search(command)


def called(page):
    """A page by its path in this repository."""
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=called)
def test_every_command_is_one_that_the_tests_know(page):
    """Whoever writes a command that begins otherwise says how it is tested."""
    assert [command for command in TYPED[page] if command.split()[0] not in PROGRAMS] == []


def test_the_lists_of_commands_have_nothing_that_no_page_has():
    """Exceptions go with the commands that they are about."""
    assert (NOT_RUN.keys() | SUBSTITUTED.keys() | FAILING.keys()) - set().union(*TYPED.values()) == set()
    assert NOT_DEPLOYED.keys() <= set(map(called, PAGES))


@pytest.mark.parametrize("page", [page for page in PAGES if any(map(needs_no_pulumi, TYPED[page]))], ids=called)
def test_the_commands_work(page, tmp_path):
    """Those that need no `pulumi`, in order, in a sandbox; tests/engine runs them all."""
    with Sandbox() as sandbox:
        folder = folder_for(page, tmp_path, sandbox, with_engine=False)
        token = sandbox.access_token(Opener("alice"), ["contoso"])
        with surroundings(sandbox, token, os.environ) as around:
            environment = around.around(os.environ)
            follow(page, folder, environment, needs_no_pulumi)
