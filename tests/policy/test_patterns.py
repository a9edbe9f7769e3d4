"""Whether two patterns have a text in common."""

import re
from itertools import product

from hypothesis import given
from hypothesis import strategies as st
from policy.esc_oidc_policy.patterns import Wild, glob, meet, opened

PATTERNS = st.text("ab:*", max_size=6)


@given(PATTERNS, PATTERNS)
def test_patterns_meet_when_a_text_matches_both(value, wanted):
    """The text that is found matches both; if none is found, no text of up to four characters does."""
    login_pattern = opened(value.replace("*", "\0"))
    ours = re.compile(re.escape(value).replace(r"\*", "[^:]*"))
    theirs = re.compile(re.escape(wanted).replace(r"\*", ".*"))
    found = meet(login_pattern, glob(wanted))
    if found is None:
        texts = ("".join(text) for length in range(5) for text in product("ab:", repeat=length))
        assert not any(ours.fullmatch(text) and theirs.fullmatch(text) for text in texts)
    else:
        assert ours.fullmatch(found)
        assert theirs.fullmatch(found)


def test_a_question_mark_is_exactly_one_character():
    """StringLike knows it beside the asterisk."""
    assert meet(tuple("ab"), glob("a?")) == "ab"
    assert meet((Wild.VALUE,), glob("??")) == "xx"
    assert meet(tuple("a"), glob("a?")) is None
    assert meet(tuple("abc"), glob("a?")) is None
    assert meet((Wild.VALUE,), (Wild.RUN,)) == ""
