"""Writes docs/rules.md from the rules of `lint`: `python docs/make_rules.py`."""  # noqa: INP001 - a program, no package

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from esc_oidc.verify import RULES, Rule

PAGE: Final = Path(__file__).parent / "rules.md"
LONGEST_EXAMPLE: Final = 900
INTRODUCTION: Final = """\
# The rules of `lint`

`esc-oidc lint` and `esc_oidc.verify.lint` check every statement of a trust policy that is about tokens of Pulumi Cloud.
An **error** lets in more than named environments of one organization, or can't do what it was written for; a
**warning** is something that you should know. Rule ids are stable. Documents about other issuers are left alone, with
the note `other-issuer`.

Each example shows the elements of a statement, or of the document, that break the rule, and the same put right. This
page is made from `components/esc_oidc/verify/lint/` by `make docs`; a test compares the two.

| rule | severity | about |
|---|---|---|
"""


def page() -> str:
    """The whole page."""
    rows = [f"| [`{rule.id}`](#{rule.id}) | {rule.severity} | {rule.title} |\n" for rule in RULES.values()]
    return "".join([INTRODUCTION, *rows, *map(section, RULES.values())])


def section(rule: Rule) -> str:
    """One rule's section."""
    return f"""
## {rule.id}

**{rule.title}** ({rule.severity}). {rule.why}

Bad:

```json
{shown(rule.bad)}
```

Good:

```json
{shown({name: rule.good.get(name, "(leave it out)") for name in rule.bad})}
```

Fix: {rule.fix}

Source: <{rule.source}>
"""


def shown(elements: Mapping[str, object]) -> str:
    """An example as JSON; the middle of a long one is left out."""
    text = json.dumps(elements, indent=2)
    return text if len(text) <= LONGEST_EXAMPLE else f"{text[: LONGEST_EXAMPLE // 2]}\n...\n{text[-80:]}"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
