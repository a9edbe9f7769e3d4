"""Writes docs/rules.md from the table of rules: `python tests/verify/rules_page.py`."""

import json
from pathlib import Path

from esc_oidc.verify.rules import RULES

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
LONGEST_EXAMPLE = 900
INTRODUCTION = """\
# The rules of `lint`

`esc-oidc lint` and `esc_oidc.verify.lint` judge every statement of a trust policy for tokens of Pulumi Cloud. An
**error** lets in more than named environments of one organization, or cannot do what it was written for; a **warning**
should be known. Ids are stable. Documents about other issuers are left alone, with the note `other-issuer`.

Each example shows the elements of a statement, or of the document, that break the rule, and the same put right. Written
by `python tests/verify/rules_page.py` from `components/esc_oidc/verify/rules.py`; a test compares the two.

| rule | severity | about |
|---|---|---|
"""


def page():
    """The whole page."""
    rows = [f"| [`{rule.id}`](#{rule.id}) | {rule.severity} | {rule.title} |\n" for rule in RULES.values()]
    return "".join([INTRODUCTION, *rows, *map(section, RULES.values())])


def section(rule):
    """One rule's section."""
    fix = rule.fix.replace("{{", "{").replace("}}", "}").replace("{right}", "the right key").replace("{key}", "the key")
    return f"""
## {rule.id}

**{rule.title}** ({rule.severity}). {rule.why}

Bad:

```json
{shown(rule.bad)}
```

Good:

```json
{shown(rule.good) if rule.good else shown({name: good_element(name) for name in rule.bad})}
```

Fix: {fix}

Source: <{rule.source}>
"""


def good_element(name):
    """What stands in a statement that breaks no rule."""
    from esc_oidc.verify.model_rules import STATEMENT  # noqa: PLC0415 - only some rules need it

    return STATEMENT.get(name, "(leave it out)")


def shown(elements):
    """An example as JSON, its middle left out when it is long."""
    text = json.dumps(elements, indent=2)
    return text if len(text) <= LONGEST_EXAMPLE else f"{text[: LONGEST_EXAMPLE // 2]}\n...\n{text[-80:]}"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
