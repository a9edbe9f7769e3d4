"""What doctor says to do, done with the real commands."""

import subprocess

import pytest

from tests.support.set_ups import SET_UPS, SetUp
from tests.support.workspaces import NEEDS_ENGINE

pytestmark = NEEDS_ENGINE

IN_THE_DEFINITION = [case for case in SET_UPS if set(case.get("repairs", ())) == {"pulumi env set"}]


@pytest.mark.parametrize("case", IN_THE_DEFINITION, ids=lambda case: case["name"])
def test_pulumi_env_set_repairs_it(sandbox, case):
    """The command as it is printed leaves a definition that opens."""
    set_up = SetUp(sandbox, case)
    for repair in set_up.examined().repairs:
        done = subprocess.run(repair.command, capture_output=True, text=True, check=False)  # noqa: S603 - what doctor says
        assert done.returncode == 0, done.stderr
    who = case.get("as", "alice")
    assert set_up.opens(who, for_stack=False)
    assert set_up.opens(who, for_stack=True)
