"""Names imported on first use: all exist, type checkers know them, and imports are fast."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import lrlab
import lrlab.schedules
import lrlab.studies
from lrlab.schedules.parser import BUILTIN_BUILDERS
from tests.raising import raises

LAZY_PACKAGES = [lrlab, lrlab.schedules, lrlab.studies]
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
        (node.module.removeprefix(f"{package.__name__}."), alias.asname)
        for node in block.body
        for alias in node.names
    }


def test_type_checkers_know_the_same_names() -> None:
    for package, exports in ((lrlab, lrlab._EXPORTS), (lrlab.studies, lrlab.studies.EXPORTS)):
        listed = {(module, name) for module, names in exports.items() for name in names}
        assert list_typed_names(package) == listed


@pytest.mark.parametrize("module_name", lrlab.schedules.EXPORTS)
def test_schedules_export_all_public_names_of_their_modules(module_name: str) -> None:
    module = importlib.import_module(f"lrlab.schedules.{module_name}")
    assert sorted(module.__all__) == sorted(lrlab.schedules.EXPORTS[module_name])
    for name in module.__all__:
        assert getattr(lrlab.schedules, name) is getattr(module, name)
    assert f"    from lrlab.schedules.{module_name} import *" in (
        Path(lrlab.schedules.__file__).read_text().splitlines()
    )


def test_lrlab_has_the_schedules_of_the_gallery_and_few_other_names() -> None:
    assert set(BUILTIN_BUILDERS) <= set(lrlab.__all__)
    assert len(set(lrlab.__all__) - set(BUILTIN_BUILDERS)) <= 30
    for name in lrlab._EXPORTS["schedules"]:
        assert getattr(lrlab, name) is getattr(lrlab.schedules, name)
    for name in lrlab.schedules.EXPORTS["combinators"]:  # methods build them
        assert not hasattr(lrlab, name)


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
