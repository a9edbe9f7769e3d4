"""docs/trust.md says of each part of a token where it comes from."""

import re
from pathlib import Path

from esc_oidc.claims import (
    ATTRIBUTES,
    DRIFT_OPERATIONS,
    KEYS_HEAD,
    OPERATIONS,
    ORGANIZATION_LOGIN,
    SUBJECT_HEADS,
    TOKEN_TYPES,
)

PAGE = Path(__file__).parents[2] / "docs" / "trust.md"
PRODUCTS = ("aws", "azure", "gcp", "doppler", "infisical", "snowflake")


def test_each_part_of_a_token_has_its_source():
    """Whatever `prove` takes into account stands in the table, and each row has a page."""
    _, _, table = PAGE.read_text("utf-8").partition("| part of a token |")
    rows = table.partition("\n\n")[0].splitlines()[2:]
    assert all(re.search(r"\]\(https://", row) for row in rows)
    parts = {*PRODUCTS, *OPERATIONS, *DRIFT_OPERATIONS, *TOKEN_TYPES, *ATTRIBUTES[2:], ORGANIZATION_LOGIN, "<yaml>"}
    parts |= {*SUBJECT_HEADS[:2], KEYS_HEAD}
    assert {part for part in parts if part not in "\n".join(rows)} == set()
