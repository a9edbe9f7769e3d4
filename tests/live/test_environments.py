"""Which logins opening an environment leads to, and what stands in the way."""

import pytest

from esc_oidc.live import CloudError, Environments

LOGIN = (
    "values:\n  aws:\n    login:\n      fn::open::aws-login: {oidc: {roleArn: 'arn:aws:iam::123456789012:role/esc'}}\n"
)


class Stored:
    """A Pulumi Cloud with these definitions, which counts what is read."""

    def __init__(self, **definitions: str) -> None:
        self.definitions = {name.replace("_", "/"): text for name, text in definitions.items()}
        self.read: list[str] = []

    def environments(self, _organization: str) -> list[str]:
        return sorted(name for name in self.definitions if "@" not in name)

    def definition(self, organization: str, environment: str, version: str | None = None) -> str:
        name = environment + (f"@{version}" if version else "")
        self.read.append(name)
        if name not in self.definitions:
            raise CloudError(f"{organization}/{name}: HTTP 404: not found.", 404)
        return self.definitions[name]


def reached(opened: str, **definitions: str):
    """What opening an environment leads to."""
    return Environments(Stored(**definitions), "contoso").reached_from(opened)


def imports(*names: str) -> str:
    """A definition that imports these."""
    return "imports:\n" + "".join(f"- {name}\n" for name in names)


def test_a_login_is_reached_through_imports():
    """The chain says which import leads there; the holder is named as the import spells it."""
    found = reached("app/prod", app_prod=imports("app/base"), app_base=imports("aws/dev"), aws_dev=LOGIN)
    assert [each.chain for each in found.logins] == [("app/prod", "app/base", "aws/dev")]
    assert found.logins[0].holder == "aws/dev"
    assert found.environments == {"app/prod", "app/base", "aws/dev"}
    assert found.obstacles == []


def test_an_own_login_comes_after_those_of_imports():
    """As ESC evaluates them."""
    found = reached("app/prod", app_prod=imports("aws/dev") + LOGIN, aws_dev=LOGIN)
    assert [each.chain[-1] for each in found.logins] == ["aws/dev", "app/prod"]


def test_a_diamond_of_fifty_imports_is_one_login():
    """Each environment is read and evaluated once, however many import it."""
    layers = {f"app_e{index}": imports(f"app/e{index + 1}", f"app/f{index + 1}") for index in range(25)}
    others = {f"app_f{index}": imports(f"app/e{index + 1}", f"app/f{index + 1}") for index in range(25)}
    cloud = Stored(**layers, **others, app_e25=imports("aws/dev"), app_f25=imports("aws/dev"), aws_dev=LOGIN)
    found = Environments(cloud, "contoso").reached_from("app/e0")
    assert len(found.logins) == 1
    assert found.obstacles == []
    assert len(cloud.read) == len(set(cloud.read)) == 52


def test_an_import_of_the_legacy_project_has_no_project():
    """The holder is spelled as the import spells it."""
    cloud = Stored(**{"app_prod": imports("old"), "default/old": LOGIN})
    cloud.definitions["default/old"] = LOGIN
    (login,) = Environments(cloud, "contoso").reached_from("app/prod").logins
    assert login.holder == "old"


def test_a_pinned_import_is_read_at_its_version():
    """And it is another environment to the token."""
    cloud = Stored(app_prod=imports("aws/dev@stable"), aws_dev="values: {}")
    cloud.definitions["aws/dev@stable"] = LOGIN
    found = Environments(cloud, "contoso").reached_from("app/prod")
    assert [each.holder for each in found.logins] == ["aws/dev@stable"]
    assert found.environments == {"app/prod", "aws/dev"}


@pytest.mark.parametrize(
    ("definitions", "chain", "said", "certain"),
    [
        ({"app_prod": imports("app/prod")}, ("app/prod", "app/prod"), "in a circle: app/prod → app/prod.", True),
        (
            {"app_prod": imports("a/a", "b/b"), "a_a": imports("b/b"), "b_b": imports("a/a")},
            ("app/prod", "a/a", "b/b", "a/a"),
            "in a circle: a/a → b/b → a/a.",
            True,
        ),
        (
            {"app_prod": imports("aws/none")},
            ("app/prod", "aws/none"),
            "app/prod imports aws/none, which does not",
            False,
        ),
        ({"app_prod": imports("${name}")}, ("app/prod",), "the import '${name}' is known only when", False),
        ({"app_prod": imports("a/a"), "a_a": "values: ["}, ("app/prod", "a/a"), "a/a can't be read, by Pulumi", True),
        ({}, ("app/prod",), "app/prod can't be read: contoso/app/prod: HTTP 404", False),
    ],
    ids=["itself", "circle", "missing", "unknown", "broken", "nothing"],
)
def test_what_stands_in_the_way_is_said(definitions, chain, said, certain):
    """With where it is; what Pulumi Cloud refuses for everybody is told apart from what this token may not see."""
    (obstacle,) = reached("app/prod", **definitions).obstacles
    assert (obstacle.chain, obstacle.is_certain) == (chain, certain)
    assert said in obstacle.reason


def test_a_chain_without_end_is_cut():
    """It says so rather than guess."""
    definitions = {f"app_e{index}": imports(f"app/e{index + 1}") for index in range(200)}
    (obstacle,) = reached("app/e0", **definitions).obstacles
    assert obstacle.reason == "over 100 imports in a row are not followed."


def test_all_definitions_are_read_once():
    """Whatever is asked afterwards; one that can't be read stops nothing."""
    cloud = Stored(app_prod=imports("aws/dev"), aws_dev=LOGIN, app_bad="values: [")
    environments, seen = Environments(cloud, "contoso", at_once=3), []
    assert environments.all(lambda done, of: seen.append((done, of))) == ["app/bad", "app/prod", "aws/dev"]
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert environments.reached_from("app/prod").logins
    assert sorted(cloud.read) == ["app/bad", "app/prod", "aws/dev"]
