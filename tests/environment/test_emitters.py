"""A definition is the same text with and without PyYAML's C emitter."""

import importlib.util
import sys
from typing import Any

import pytest
import yaml

from esc_oidc import environment
from tests.support.definitions import CASES, ROLE, each_case


@pytest.fixture(scope="module")
def in_python() -> Any:
    """The module that emits definitions, loaded as if PyYAML had no C emitter."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(yaml, "CSafeDumper")
        name = "esc_oidc.environment_in_python"
        spec = importlib.util.spec_from_file_location(name, environment.__file__)
        module = importlib.util.module_from_spec(spec)
        patch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
    return module


@each_case
def test_both_emitters_write_the_same_bytes(name, in_python):
    """Another machine, without PyYAML's C emitter, changes nothing."""
    assert in_python.environment_definition(CASES[name].plan.login, ROLE + CASES[name].role) == CASES[name].definition


def test_two_different_emitters_are_compared(in_python):
    """This machine has the C emitter, and the other module doesn't use it."""
    assert issubclass(environment._Dumper, yaml.CSafeDumper)  # noqa: SLF001 - which one it picked is the question
    assert not issubclass(in_python._Dumper, yaml.CSafeDumper)  # noqa: SLF001 - the same


def test_both_emitters_write_random_texts_alike(random_cases, in_python):
    """No text makes the two emitters differ."""
    emitted = [(in_python.environment_definition(case.plan.login, ROLE + case.role), case) for case in random_cases]
    assert [case.variables["V0"] for text, case in emitted if text != case.definition] == []
