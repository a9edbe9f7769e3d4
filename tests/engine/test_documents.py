"""README.md, docs/ and examples/, with the real engine: every command, in order, does what the pages say."""

import os
import shutil

import pytest

from tests.support.documents import PAGES, commands, folder_for, follow
from tests.support.workspaces import NEEDS_ENGINE, ROOT

pytestmark = NEEDS_ENGINE


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_work(page, sandbox, tmp_path):
    """In a fresh copy and a sandbox of its own, each ends as it should and prints what the page says."""
    if page.parent.name == "typescript" and not all(map(shutil.which, ("npm", "pulumi-language-nodejs"))):
        pytest.skip("there is no npm, or no language host for Node.js")
    assert commands(page)
    follow(page, folder_for(page, tmp_path, sandbox, with_engine=True), dict(os.environ))
