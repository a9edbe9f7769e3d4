"""Who may import whom, as docs and design draw the house: read from the source, with nothing executed."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import esc_oidc

PACKAGE = Path(esc_oidc.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

CORE = {"claims", "durations", "interpolation", "trust", "environment", "inputs", "verify"}
"""Pure functions and frozen dataclasses."""
WIRING = {"args", "component", "deployments", "deployments_args", "errors", "outputs", "planning", "role"}
"""The components: the core and Pulumi."""
APPLICATIONS = {"sandbox", "cli"}
"""They may import everything, and nothing imports them."""

PULUMI = {"pulumi", "pulumi_aws", "pulumi_pulumiservice"}
OF_THE_CORE = {"yaml"}
OF_AN_EXTRA = {"jwt", "cryptography", "interegular"}
"""What the core may import inside a function: it is not in the base install."""
INPUT_AND_OUTPUT = {
    "asyncio", "concurrent", "ctypes", "fileinput", "ftplib", "glob", "http", "importlib", "io", "logging", "mmap",
    "multiprocessing", "os", "pathlib", "pickle", "platform", "runpy", "select", "selectors", "shelve", "shutil",
    "signal", "site", "smtplib", "socket", "socketserver", "sqlite3", "ssl", "subprocess", "sys", "tempfile",
    "threading", "urllib", "webbrowser",
}  # fmt: skip
"""Modules of the standard library that reach out of the process, or into its state."""
PURE = ("urllib.parse",)
"""Parts of these that are only functions on text."""
BUILTINS = {"open", "print", "input", "breakpoint", "exec", "eval", "__import__"}

LINES = 350


@dataclass(frozen=True)
class Import:
    """One imported name: from which line, what (inside the package without the package's name), and how."""

    line: int
    name: str
    inside: bool
    relative: bool
    lazy: bool

    @property
    def top(self) -> str:
        """The package, or the module of ours, that it begins with."""
        return self.name.partition(".")[0]


def imports(tree: ast.Module, path: tuple[str, ...]) -> Iterator[Import]:
    """Everything that the module at this path inside the package imports."""
    for node, lazy in walk(tree, lazy=False):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield imported(node.lineno, alias.name, relative=False, lazy=lazy)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            # `from esc_oidc import claims` names the module only in its list.
            names = [alias.name for alias in node.names] if node.module == "esc_oidc" else [None]
            for name in names:
                yield imported(node.lineno, ".".join(filter(None, [node.module, name])), relative=False, lazy=lazy)
        elif isinstance(node, ast.ImportFrom):
            base = path[: len(path) - node.level]
            for alias in node.names:
                name = ".".join(["esc_oidc", *base, *(node.module or alias.name).split(".")])
                yield imported(node.lineno, name, relative=True, lazy=lazy)


def walk(node: ast.AST, *, lazy: bool) -> Iterator[tuple[ast.AST, bool]]:
    """Every node, and whether it runs only later: in a function, or for the type checker alone."""
    yield node, lazy
    typing = isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    lazy = lazy or typing or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    for child in ast.iter_child_nodes(node):
        yield from walk(child, lazy=lazy)


def imported(line: int, name: str, *, relative: bool, lazy: bool) -> Import:
    """The import of this full name."""
    inside = name.partition(".")[0] == "esc_oidc"
    return Import(line, name.partition(".")[2] if inside else name, inside, relative, lazy)


def trespasses(source: str, path: str) -> list[str]:
    """The rules that a module of the package breaks."""
    tree = ast.parse(source)
    parts = tuple(path.removesuffix(".py").split("/"))
    room = parts[0]
    found = []
    for each in imports(tree, parts):
        broken = broken_rule(room, each)
        if broken:
            found.append(f"{path}:{each.line} imports {each.name}: {broken}")
    if room in CORE:
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
        found += [
            f"{path}:{call.lineno} calls {call.func.id}: the core does no input and output"
            for call in calls
            if call.func.id in BUILTINS
        ]
    return found


def broken_rule(room: str, each: Import) -> str | None:
    """The rule that this import breaks, if any."""
    if each.inside and not each.relative:
        return "inside the package imports are relative"
    if room in APPLICATIONS:
        return None
    if each.inside:
        return broken_inside(room, each.top)
    if room in CORE | {"__init__"} and each.top.startswith("pulumi"):
        return "this module knows nothing of Pulumi"
    if each.top in sys.stdlib_module_names:
        does = each.top in INPUT_AND_OUTPUT and not each.name.startswith(PURE)
        return "this module does no input and output" if does else None
    allowed = {"__init__": set(), **dict.fromkeys(CORE, OF_THE_CORE), **dict.fromkeys(WIRING, PULUMI)}[room]
    if each.lazy and room in CORE:
        allowed = allowed | OF_AN_EXTRA
    return None if each.top in allowed else "the base install has Pulumi for the components, PyYAML for the core"


def broken_inside(room: str, top: str) -> str | None:
    """The rule that an import of another module of the package breaks, if any."""
    if top in APPLICATIONS:
        return "nothing imports the sandbox or the command"
    if room in CORE and top not in CORE:
        return "the core imports the core alone"
    if room in WIRING and top not in CORE | WIRING:
        return "the components import the core and Pulumi"
    return None


def test_every_module_has_its_room():
    """A new module of the package is of the core, of the wiring or an application; there is no other kind."""
    rooms = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in FILES}
    assert rooms - {"__init__"} <= CORE | WIRING | APPLICATIONS
    assert rooms >= CORE | APPLICATIONS | {"__init__", "args", "component", "errors", "outputs", "planning", "role"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_imports_what_its_room_allows(path):
    """The core is pure, the components know the core and Pulumi, and nothing knows the sandbox or the command."""
    assert trespasses(path.read_text(encoding="utf-8"), path.relative_to(PACKAGE).as_posix()) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("claims.py", "import pulumi"),
        ("inputs/formats.py", "from pulumi.runtime import config"),
        ("inputs/formats.py", "from ..component import PulumiEscOidc"),
        ("inputs/formats.py", "from ..sandbox.names import x"),
        ("inputs/formats.py", "from ...sandbox import x"),
        ("inputs/formats.py", "from .. import planning"),
        ("trust.py", "from . import errors"),
        ("trust.py", "import os.path"),
        ("trust.py", "from socket import create_connection"),
        ("trust.py", "def f():\n    import subprocess"),
        ("trust.py", "def f():\n    import requests"),
        ("trust.py", "open('x')"),
        ("verify/prove.py", "import interegular"),
        ("verify/prove.py", "from esc_oidc.claims import ISSUER"),
        ("verify/prove.py", "from esc_oidc import claims"),
        ("component.py", "from .cli import main"),
        ("component.py", "import boto3"),
        ("component.py", "import esc_oidc.claims"),
        ("role.py", "from pathlib import Path"),
        ("__init__.py", "import pulumi"),
        ("__init__.py", "from .sandbox import stack"),
        ("cli/trying.py", "from esc_oidc.sandbox import stack"),
    ],
)
def test_a_trespass_is_found(path, source):
    """Every rule of the house is looked at: each of these modules breaks one."""
    if path.startswith("inputs") and "..." in source:
        path = "inputs/deeper/formats.py"
    assert len(trespasses(source, path)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("environment.py", "import re\nimport yaml\nfrom .interpolation import escape"),
        ("verify/prove.py", "def f():\n    import interegular\nfrom ..claims import ISSUER\nfrom .model import X"),
        ("verify/tokens.py", "if TYPE_CHECKING:\n    from jwt import PyJWK"),
        ("role.py", "import pulumi_aws as aws\nfrom .planning import Planned\nfrom .trust import render"),
        ("cli/trying.py", "import os\nimport typer\nfrom ..sandbox.stack import x\nfrom ..component import y"),
    ],
)
def test_what_is_allowed_is_no_trespass(path, source):
    """What each room is for stays possible."""
    assert trespasses(source, path) == []


@pytest.mark.parametrize("module", ["esc_oidc", "esc_oidc.verify"])
def test_importing_the_package_loads_no_extra(module):
    """The base install is enough, and importing a component does not pay for the sandbox or the command."""
    extras = (
        "boto3", "cryptography", "flask", "hypothesis", "interegular", "jwt", "moto", "pulumi_esc_sdk", "rich", "typer",
        "esc_oidc.cli", "esc_oidc.sandbox",
    )  # fmt: skip
    program = f"import sys, {module}; print([name for name in {extras!r} if name in sys.modules], {module}.__name__)"
    ran = subprocess.run(  # noqa: S603 - this Python, with a program of our own
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (ran.stdout, ran.stderr) == (f"[] {module}\n", "")


@pytest.mark.parametrize("name", ["esc_oidc", "esc_oidc.inputs", "esc_oidc.verify"])
def test_the_public_names_are_sorted_and_exist(name):
    """`__all__` is the whole list of what the rest of the world may call, in an order that shows what is missing."""
    module = __import__(name, fromlist=["__all__"])
    # As ruff sorts: constants, then classes, then functions.
    assert module.__all__ == sorted(module.__all__, key=lambda each: (not each.isupper(), not each[0].isupper(), each))
    assert len(set(module.__all__)) == len(module.__all__)
    assert [each for each in module.__all__ if not hasattr(module, each)] == []


def test_the_facade_is_imports_and_a_list_of_names():
    """`esc_oidc/__init__.py` does nothing but import what `__all__` names."""
    docstring, *statements = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8")).body
    assert isinstance(docstring, ast.Expr)
    assert [type(each) for each in statements] == [ast.ImportFrom] * (len(statements) - 1) + [ast.Assign]
    names = [alias.name for each in statements if isinstance(each, ast.ImportFrom) for alias in each.names]
    assert sorted(names) == esc_oidc.__all__


def test_files_fit_in_a_few_screens():
    """No file of the package has 350 lines or more; what grows so is two concerns."""
    lengths = {path.relative_to(PACKAGE).as_posix(): len(path.read_text("utf-8").splitlines()) for path in FILES}
    assert {name: lines for name, lines in lengths.items() if lines >= LINES} == {}
