import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text()
FILES = dict(re.findall(r"`(\w+\.py)`:\n\n```python\n(.*?)```", PAGE, re.DOTALL))
TESTS = re.findall(r"^(?:async )?def (test_\w+)", FILES["test_login.py"], re.MULTILINE)


def verdicts(folder: Path, files: dict[str, str]) -> dict[str, str]:
    """Pytest's verdict on each of the page's tests, run as a user would, away from this repository."""
    for name, text in files.items():
        (folder / name).write_text(text)
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "--tb=short"]
    done = subprocess.run(  # noqa: S603 - our own page
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )
    found = dict(re.findall(r"^test_login\.py::(\w+) (\w+)", done.stdout, re.MULTILINE))
    assert found, done.stdout + done.stderr
    return found


def test_every_block_of_the_page_is_a_file():
    """Every block of Python has a file name, so nothing on the page goes untested."""
    assert PAGE.count("```python") == len(FILES)
    assert set(FILES) == {"login.py", "__main__.py", "conftest.py", "test_login.py"}


def test_the_recipe_passes(tmp_path):
    """Every test on the page passes as it is."""
    assert verdicts(tmp_path, FILES) == dict.fromkeys(TESTS, "PASSED")


@pytest.mark.parametrize(
    ("right", "wrong", "failing"),
    [
        (
            "allowed_users=operators,",
            "",
            {
                "test_operators_get_in_and_nobody_else",
                "test_no_subject_is_a_pattern",
                "test_the_login_asks_for_the_subject_that_the_role_admits",
                "test_a_stack_without_operators_is_refused",
            },
        ),
        (
            "allowed_users=operators,",
            "dangerously_allow_any_environment=True,",
            set(TESTS)
            - {
                "test_an_existing_provider_is_adopted",
                "test_a_provider_without_the_audience_is_refused",
                "test_the_program_declares_one_login",
            },
        ),
        (
            "oidc_provider_arn=provider_arn,",
            "",
            {"test_an_existing_provider_is_adopted", "test_a_provider_without_the_audience_is_refused"},
        ),
        (
            "    pulumi.export(",
            "    declare('prod', ['alice'])\n    pulumi.export(",
            {"test_the_program_declares_one_login"},
        ),
    ],
    ids=["anyone", "any environment", "own provider", "a second login"],
)
def test_the_recipe_finds_a_mistake(right, wrong, failing, tmp_path):
    """When the program makes a mistake, the tests that should find it fail, and no others."""
    assert right in FILES["login.py"]
    found = verdicts(tmp_path, {**FILES, "login.py": FILES["login.py"].replace(right, wrong)})
    assert {name for name, verdict in found.items() if verdict == "FAILED"} == failing
