import re
from pathlib import Path

import pytest

from esc_oidc import PulumiEscOidc, PulumiEscOidcArgs
from esc_oidc.inputs import EnvironmentPlan
from tests.deploying import deploy

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PROGRAMS = [block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "PulumiEscOidc(" in block]


@pytest.mark.parametrize("program", PROGRAMS, ids=range(len(PROGRAMS)))
def test_the_programs_of_the_readme_run(program):
    """What a newcomer copies deploys as it stands."""
    start = "" if "import PulumiEscOidc" in program else "from esc_oidc import PulumiEscOidc\n"
    deployed = deploy(lambda: exec(start + program, {"__name__": "__main__"}))  # noqa: S102 - our own README
    assert deployed.error is None
    assert deployed.of("PulumiEscOidc")
    assert deployed.warnings == []


def test_the_readme_lists_every_input():
    """The table has each input once, with a mark on those that narrow."""
    table = README.partition("## Inputs")[2].partition("## Outputs")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    listed = [(name, "▽" in cell) for cell in cells for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(listed) == sorted(
        (name, EnvironmentPlan.formats()[name].narrows) for name in PulumiEscOidcArgs.__annotations__
    )


def test_the_readme_lists_every_output():
    """So does the paragraph on outputs."""
    paragraph = README.partition("## Outputs")[2].partition("##")[0]
    assert re.findall(r"`([a-z_]+)`", paragraph) == list(PulumiEscOidc.__annotations__)


def test_links_lead_somewhere():
    """Every relative link names a file of this repository."""
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", ROOT / "CHANGELOG.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
