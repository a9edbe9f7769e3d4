"""Texts that one reader of YAML or another takes for a number, a date, a boolean or nothing, and their neighbours."""

import random

SHAPES = (
    "0", "815", "08_15", "1_0e3", "-.5_", "+1", "0x1F", "0X1f", "0o17", "0b11", "017", "1e3", "1E+3", "1.5", ".5", "1.",
    "-1.5e-3", "1,000", "0x1p-2", "190:20:30", "1:30.15", "2001-12-14", "2001-1-1", "2001-12-14t21:59:43.10-05:00",
    "2001-12-14 21:59:43.10 -5", "2001-12-14T21:59:43Z", ".inf", "-.INF", "+Infinity", ".NaN", "nan", "true", "False",
    "yes", "NO", "on", "Off", "y", "N", "null", "Null", "nil", "~", "<<", "=", "1h", "1h30m", "10.0.0.1", "1.2.3",
    "10.0.0.0/8", "eu-west-1", "a_b", "_1", "e1", "x0", "-v", ":a", "aws:region", "list[0]", "123e4567-e89b",
)  # fmt: skip
LETTERS = "00112789__++--..::eExXoObBaAfFpPtTzZyYnN,~<=#/ hms'\"?!&*|>%@`[]{}"


def scalars(count: int, shortest: int = 1) -> list[str]:
    """Different texts, the same ones every time: random ones, and known shapes with up to three changes."""
    chosen = random.Random(815)
    found = dict.fromkeys(shape for shape in SHAPES if len(shape) >= shortest)
    while len(found) < count:
        if chosen.random() < 0.5:
            text = "".join(chosen.choices(LETTERS, k=chosen.randint(1, 8)))
        else:
            text = changed(chosen.choice(SHAPES), chosen)
        if len(text) >= shortest:
            found[text] = None
    return list(found)[:count]


def changed(text: str, chosen: random.Random) -> str:
    """The text in another case, or with letters put in, taken out or replaced."""
    for _ in range(chosen.randint(0, 3)):
        at = chosen.randint(0, len(text))
        text = text[:at] + chosen.choice(("", *LETTERS)) + text[at + chosen.randint(0, 1) :]
    return chosen.choice((text, text, text.upper(), text.title(), text.swapcase()))
