"""What the tests of definitions share."""

import pytest

from esc_oidc.interpolation import escape
from tests.support.definitions import Case, random_texts, texts


@pytest.fixture(scope="session")
def random_cases() -> list[Case]:
    """Three hundred random texts, each escaped so that it means itself, as variable and as configuration."""
    drawn = random_texts(300)
    assert len(drawn) == 300
    return [texts((escape(text), text)) for text in drawn]
