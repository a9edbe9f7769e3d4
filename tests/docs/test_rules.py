"""docs/rules.md lists the rules of `lint`."""

import re

from docs.make_rules import PAGE, page

from esc_oidc.verify import RULES


def test_the_page_is_made_from_the_rules():
    """It has a section for each rule and nothing else, with the rule's own words."""
    text = PAGE.read_text("utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == list(RULES)
    assert text == page()
