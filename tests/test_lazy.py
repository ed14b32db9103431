"""Names imported on first use: all exist, type checkers know them, and imports are fast."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import lrlab
import lrlab.lab
import lrlab.schedules
import lrlab.studies
from lrlab.schedules.core import BUILDERS, is_builtin
from tests.raising import raises
from tests.schedules.builders import BUILTIN_BUILDERS

LAZY_PACKAGES = [lrlab, lrlab.lab, lrlab.studies]
HEAVY_LIBRARIES = ("torch", "pandas", "matplotlib", "scipy", "sklearn")


@pytest.mark.parametrize("package", LAZY_PACKAGES)
def test_every_name_exists_and_is_a_module_only_if_listed_as_one(package: ModuleType) -> None:
    assert dir(package) == package.__all__
    for name in dir(package):
        value = getattr(package, name)
        assert isinstance(value, ModuleType) == (name in package._modules)
    with raises(AttributeError, package.__name__, "nowhere"):
        package.nowhere  # noqa: B018


def list_typed_names(package: ModuleType) -> set[tuple[str, str]]:
    """Return (module, name) of the imports in the TYPE_CHECKING block of a package."""
    tree = ast.parse(Path(package.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    return {
        (node.module.removeprefix(f"{package.__name__}."), alias.asname or alias.name)
        for node in block.body
        for alias in node.names
    }


def test_type_checkers_know_the_same_names() -> None:
    for package in LAZY_PACKAGES:
        listed = {(module, name) for module, names in package._EXPORTS.items() for name in names}
        catalog = {(package._catalog_name, "*")} if package._catalog_name else set()
        assert list_typed_names(package) == listed | catalog


def test_the_catalog_has_everything_that_a_text_may_call() -> None:
    names = {name for name in vars(lrlab.schedules.catalog) if not name.startswith("_")}
    assert names == {*BUILTIN_BUILDERS, "Primitive", "Schedule"}
    assert names < set(lrlab.schedules.__all__)
    for name in names:
        assert getattr(lrlab, name) is getattr(lrlab.schedules, name)


def test_all_modules_of_schedules_are_in_the_catalog() -> None:
    for module in pkgutil.iter_modules(lrlab.schedules.__path__):
        importlib.import_module(f"lrlab.schedules.{module.name}")
    assert {name for name, builder in BUILDERS.items() if is_builtin(builder)} == set(
        BUILTIN_BUILDERS
    )


def test_lrlab_has_the_schedules_of_the_gallery_and_few_other_names() -> None:
    assert set(BUILTIN_BUILDERS) <= set(lrlab.__all__)
    assert len(set(lrlab.__all__) - set(BUILTIN_BUILDERS)) <= 30
    for name in lrlab.schedules.combinators.__all__:  # methods build them
        assert getattr(lrlab.schedules, name)
        assert not hasattr(lrlab, name)


def test_lrlab_can_be_imported_with_a_star() -> None:
    names: dict[str, object] = {}
    exec("from lrlab import *", names)
    assert set(lrlab.__all__) <= set(names)


def test_lrlab_parse_is_the_one_that_knows_other_libraries() -> None:
    assert lrlab.parse is importlib.import_module("lrlab.dialects").parse
    assert lrlab.parse is not lrlab.schedules.parse


@pytest.mark.integration
@pytest.mark.parametrize("first", ["", "import lrlab.schedules.lint; "])
def test_a_name_is_not_hidden_by_the_module_of_that_name(first: str) -> None:
    code = f"{first}from lrlab.schedules import lint; print(lint.__module__)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.stdout == "lrlab.schedules.lint\n", process.stderr


@pytest.mark.integration
@pytest.mark.parametrize(
    "code",
    [
        "import lrlab.schedules",
        "import lrlab.dialects",
        "import lrlab",
        "from lrlab.cli.app import app; app(['--help'], standalone_mode=False)",
        "from lrlab.cli.app import app; app(['compare', '--help'], standalone_mode=False)",
        "from lrlab.studies import StoreReader, StudySummary",
        "import lrlab.cli.status, lrlab.views.studies_table",
    ],
)
def test_imports_load_nothing_heavy(code: str) -> None:
    listing = f"import sys\n{code}\nprint([m for m in {HEAVY_LIBRARIES} if m in sys.modules])"
    process = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    assert process.stdout.splitlines()[-1] == "[]"


@pytest.mark.integration
@pytest.mark.parametrize("module", ["core", "combinators", "ramps", "fields"])
def test_modules_of_schedules_can_be_imported_first(module: str) -> None:
    code = f"import lrlab.schedules.{module} as m; from lrlab import Cosine; print(0.5 * Cosine(3))"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.stdout == "0.5 * Cosine(3)\n", process.stderr
