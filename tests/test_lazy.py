"""Names that are imported when they are first used: all are there, and known to type checkers."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import lrlab
import lrlab.schedules
import lrlab.studies


@pytest.mark.parametrize("package", [lrlab, lrlab.schedules, lrlab.studies])
def test_every_name_is_there_and_is_no_module_by_chance(package: ModuleType) -> None:
    for name in dir(package):
        value = getattr(package, name)
        assert isinstance(value, ModuleType) == (name in package._modules)
    with pytest.raises(AttributeError, match=f"'{package.__name__}' has no attribute 'nowhere'"):
        package.nowhere  # noqa: B018


def test_type_checkers_know_the_same_names_of_studies() -> None:
    tree = ast.parse(Path(lrlab.studies.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    listed = {
        (node.module.removeprefix("lrlab.studies."), alias.asname)
        for node in block.body
        for alias in node.names
    }
    assert listed == {(room, n) for room, names in lrlab.studies.EXPORTS.items() for n in names}


def test_a_name_is_not_hidden_by_the_module_it_lives_in() -> None:
    code = "import lrlab.studies.plan.plan; from lrlab.studies import plan; print(plan.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "plan\n"


def test_of_a_name_in_two_rooms_the_last_is_taken() -> None:
    assert lrlab.parse is import_module("lrlab.dialects").parse
    assert lrlab.parse is not lrlab.schedules.parse
