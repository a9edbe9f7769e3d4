"""Values that break whoever looks at them: each is a violation that can be printed, and never another exception."""

from collections import UserDict
from enum import StrEnum

import pulumi
import pytest

from esc_oidc import InvalidInputs, PulumiDeploymentsOidc, PulumiEscOidc
from esc_oidc.inputs import EnvironmentPlan
from tests.support.deploying import deploy
from tests.support.inputs import ARGUMENTS
from tests.support.programs import DEPLOYMENTS, ESC, INLINE, esc_login


class Raises:
    """Raises an exception whatever is asked of it."""

    def __repr__(self, *_):
        raise RuntimeError("no repr")

    __str__ = __eq__ = __hash__ = __bool__ = __repr__


class Text(str):
    """A text whose methods raise exceptions."""

    __slots__ = ()

    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __format__ = __eq__ = __len__ = __iter__ = __str__
    __hash__ = str.__hash__


class List(list):
    def __iter__(self):
        raise RuntimeError("no items")

    __repr__ = __len__ = __iter__


class Dict(dict):
    def items(self):
        raise RuntimeError("no items")

    __repr__ = __len__ = __iter__ = items


class Class:
    @property
    def __class__(self):
        raise RuntimeError("no class")


class Forged:
    def __repr__(self):
        return "x\n  - organization = 'fabrikam'\x1b[2J\ud800"


def nested(depth, kind=lambda inner: [inner]):
    """A value inside so many others."""
    value = "deep"
    for _ in range(depth):
        value = kind(value)
    return value


def within_itself(value, put):
    """A collection that contains itself twice."""
    put(value)
    return value


EVERYWHERE = {
    "whose repr raises": Raises(),
    "whose methods raise": List(["a"]),
    "whose items raise": Dict(a="b"),
    "whose class raises": Class(),
    "whose repr forges lines": Forged(),
    "3,000 lists deep": nested(3000),
    "3,000 dicts deep": nested(3000, lambda inner: {"a": inner}),
    "a list within itself": within_itself([], lambda value: value.extend([value] * 3)),
    "a dict within itself": within_itself({}, lambda value: value.update({"a": value, "b": value})),
    "a set": {"a"},
    "bytes": b"a",
    "a surrogate": "\ud800",
    "a list of surrogates": ["\udfff"],
    "a key that is a surrogate": {"\ud800": "a"},
    "a value that is a surrogate": {"A": "\ud800"},
    "a key that is a tuple": {("a", "b"): "c"},
    "a key whose repr raises": {Class(): "a"},
    "an exception": Exception("a"),
    "a class": int,
}

NAMES = {
    "a surrogate": "\ud800",
    "lines": "a\n  - b = c\ud800",
    "long": "a" * 100_000,
    "whose methods raise": Text("a b"),
    "whose repr raises": Raises(),
    "of lines": "a\n  - b = c",
}


def is_clear(deployed, *said):
    """It is refused in words that any terminal, log and protocol can carry, of a length that somebody reads."""
    assert isinstance(deployed.error, InvalidInputs), deployed.error
    text = str(deployed.error)
    text.encode("utf-8")
    assert all(line.startswith("  - ") for line in text.split("\n")[1:])
    assert text.replace("\n", "").isprintable()
    assert len(text) < 20_000
    for each in said:
        assert each in text
    assert deployed.resources == []


@pytest.mark.parametrize("which", EVERYWHERE)
@pytest.mark.parametrize("name", ARGUMENTS[EnvironmentPlan])
def test_a_broken_value_is_refused_in_words(name, which):
    """The input is named, whichever it is."""
    is_clear(deploy(lambda: PulumiEscOidc("esc", **(ESC | {name: EVERYWHERE[which]})) and None), f"- {name}")


@pytest.mark.parametrize("which", EVERYWHERE)
def test_a_broken_value_inside_another_is_refused_in_words(which):
    """So is one that stands deeper: in a list, in a dict and in a policy."""
    value = EVERYWHERE[which]
    inputs = {"allowed_users": [value], "tags": {"a": value}, "inline_policies": {"a": {"Statement": value}}}
    deployed = deploy(lambda: PulumiEscOidc("esc", ESC | inputs) and None)
    is_clear(deployed, "- allowed_users[0]", "- tags['a']", "- inline_policies['a']")


@pytest.mark.parametrize("which", EVERYWHERE)
def test_arguments_that_break_are_refused_in_words(which):
    """They may break as a whole, too."""
    is_clear(deploy(lambda: PulumiEscOidc("esc", EVERYWHERE[which]) and None))


@pytest.mark.parametrize("which", NAMES)
@pytest.mark.parametrize("more", [{}, {"role_name": "esc", "duration": "1d"}], ids=["role unnamed", "role named"])
def test_a_broken_component_name_is_refused_in_words(which, more):
    """Pulumi's engine takes no surrogates, and the message shows the name on its first line."""
    is_clear(deploy(lambda: PulumiDeploymentsOidc(NAMES[which], **DEPLOYMENTS, **more) and None))


@pytest.mark.parametrize("name", ["a\n  - organization = 'x'", "\ud800", "a" * 100_000, 5, ("a",), None])
def test_a_name_of_no_input_forges_no_line(name):
    """It is cut and escaped, and so is the value."""
    is_clear(deploy(lambda: PulumiEscOidc("esc", ESC | {name: "b" * 100_000}) and None), "there is no such input")


@pytest.mark.parametrize(
    "inputs",
    [
        {"organization": "aws:" + "a" * 100_000},
        {"project": "a/" * 100_000},
        {"environment": "a/b/" + "c" * 100_000},
        {"allowed_environments": ["c" * 100_000]},
        {"allowed_users": [f"{i} " for i in range(20_000)]},
        {"allowed_users": ["alice"] * 20_000},
        {"tags": {"a" * 100_000: "b" * 100_000}},
        {"environment": "e" * 100_000},
        {"environment_variables": {"A": "${" + "a" * 100_000 + "}"}},
        {"environment_variables": {"A" * 100_000: "${a}"}},
        {"pulumi_config": {'a["' + "b" * 100_000 + '"].secure': "c"}},
        {"inline_policies": {"a": INLINE.replace("Effect", "E" * 100_000)}},
        {"policy_arns": ["arn:" + "x" * 100_000 + ":iam::aws:policy/a"]},
        {"additional_audiences": ["x" * 100_000 + ".amazonaws.com"]},
        {"imports": ["x" * 100_000 + "@"]},
        {"duration": "9" * 100_000},
        {"session_name": "${" * 100_000},
    ],
    ids=lambda inputs: next(iter(inputs)),
)
def test_a_message_about_a_long_value_is_short(inputs):
    """Values are cut, and so are long lists of violations."""
    is_clear(deploy(lambda: PulumiEscOidc("esc", **(ESC | inputs)) and None))


def test_subclasses_are_taken_for_what_they_hold():
    """An enumeration's member is its text, and any mapping is a dict."""

    class Region(StrEnum):
        FRANKFURT = "eu-central-1"

    tags = UserDict({Text("team"): Text("x")})
    deployed = deploy(esc_login(region=Region.FRANKFURT, allowed_users=(Text("alice"),), tags=tags))
    assert deployed.error is None
    assert deployed.one("Role").inputs["tags"] == {"team": "x"}
    assert deployed.exports["subjects"][0].endswith(":alice")


@pytest.mark.parametrize("which", ["a surrogate", "a list of surrogates", "a value that is a surrogate", "bytes"])
def test_an_output_that_comes_to_a_broken_value_is_refused_in_words(which):
    """Outputs can hold what no program passes at once."""
    deployed = deploy(esc_login(region=lambda: pulumi.Output.from_input("x").apply(lambda _: EVERYWHERE[which])))
    assert isinstance(deployed.error, InvalidInputs)
    str(deployed.error).encode("utf-8")
