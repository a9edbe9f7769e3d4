"""A program's project and stack files."""

import pytest

from esc_oidc.sandbox.deploy import StackError, load_stack


@pytest.fixture
def files(tmp_path):
    """Writes a program's files and gives its folder."""

    def write(**contents):
        for name, text in contents.items():
            (tmp_path / f"Pulumi{'.' + name if name != 'project' else ''}.yaml").write_text(text)
        return tmp_path

    return write


PROJECT = """
name: trial
runtime: {name: python}
config:
  duration: {type: string, default: 1h}
  create: {default: true}
  plain: text
  required: {type: string}
  aws:region: {value: us-east-1}
"""


def test_configuration_is_defaults_then_stack_then_overrides(files):
    """As with Pulumi, the stack wins over the project; the command line wins over both."""
    stack = load_stack(
        files(project=PROJECT, dev="config: {trial:duration: 2h, trial:users: [alice], aws:region: x}"),
        None,
        {"plain": "other", "aws:region": "y"},
    )
    assert (stack.project, stack.stack) == ("trial", "dev")
    assert stack.config == {
        "trial:duration": "2h",
        "trial:create": "true",
        "trial:plain": "other",
        "trial:users": '["alice"]',
        "aws:region": "y",
    }


def test_the_stack_is_the_one_named_sandbox_or_the_only_one(files):
    """If there is no doubt, nobody has to name it."""
    folder = files(project=PROJECT, dev="{}")
    assert load_stack(folder, None, {}).stack == "dev"
    files(sandbox="{}", prod="")
    assert load_stack(folder, None, {}).stack == "sandbox"
    assert load_stack(folder, "prod", {}).stack == "prod"


def test_a_stack_may_list_environments(files):
    """In the order in which Pulumi merges them; most stacks list none."""
    assert load_stack(files(project=PROJECT, dev="environment: [aws/dev, shop/common]"), None, {}).environments == (
        "aws/dev",
        "shop/common",
    )
    assert load_stack(files(dev="{}"), None, {}).environments == ()


def test_the_program_may_be_in_another_folder(files):
    """`main` in Pulumi.yaml says where."""
    folder = files(project="name: a\nruntime: python\nmain: src/\n", dev="{}")
    assert load_stack(folder, None, {}).main == folder / "src"


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        ({"dev": "{}"}, "Pulumi.yaml: there is no such file"),
        ({"project": "runtime: python", "dev": "{}"}, "`name` is missing"),
        ({"project": "name: a\nruntime: nodejs", "dev": "{}"}, "runtime 'nodejs'"),
        ({"project": "[]", "dev": "{}"}, "this is not a mapping"),
        ({"project": "a: [", "dev": "{}"}, "Pulumi.yaml"),
        ({"project": PROJECT}, "there is none"),
        ({"project": PROJECT, "a": "{}", "b": "{}"}, "there are a, b"),
        ({"project": PROJECT, "a": "environment: {values: {}}"}, "a list of environments, PROJECT/ENV each"),
        ({"project": PROJECT, "a": "config: {trial:x: {secure: AAA}}"}, "Pass it with --config trial:x=VALUE"),
    ],
)
def test_unusable_files_say_why(files, contents, said):
    """Each has its own message, with the file and the way out."""
    with pytest.raises(StackError) as raised:
        load_stack(files(**contents), None, {})
    assert said in str(raised.value)
