"""Objects in users' Python files, and the places of errors in user code."""

import importlib
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch
from torch import nn

from lrlab import Warmup, parse
from lrlab.errors import LrlabError, ProblemError
from lrlab.user_code import (
    describe_error,
    import_user_module,
    is_library_file,
    load_object,
    locate_error,
)
from tests.raising import raises
from tests.schedules.definitions import DEFINITION


@pytest.fixture
def script(scripts: Path) -> str:
    (scripts / "user_script.py").write_text("def model():\n    return 3\n")
    return str(scripts / "user_script.py")


def test_a_file_is_imported_by_its_own_name(script: str) -> None:
    model = load_object(f"{script}:model")
    assert (model.__module__, model.__name__) == ("user_script", "model")
    assert load_object(f"{script}:model") is model


@pytest.mark.parametrize(
    ("name", "mentions"),
    [
        (":modle", ["modle", "user_script.py", "model"]),
        (":", ["user_script.py:problem"]),
        ("", ["user_script.py:problem"]),
    ],
)
def test_names_that_do_not_exist(script: str, name: str, mentions: list[str]) -> None:
    with raises(ProblemError, *mentions):
        load_object(script + name)


@pytest.mark.parametrize(
    ("file", "text", "mentions"),
    [
        ("broken.py", "x = 1\ndef f(:\n", ["broken.py:2: SyntaxError"]),
        ("failing.py", "\n\n1 / 0\n", ["failing.py:3: ZeroDivisionError"]),
        ("lacking.py", "import not_there_at_all\n", ["lacking.py:1: ModuleNotFoundError"]),
        ("stopping.py", "import sys; sys.exit(3)\n", ["stopping.py:1: SystemExit: 3"]),
        ("refused.py", "import lrlab; lrlab.Cosine(-1)", ["refused.py:1): Cosine"]),
        ("json.py", "x = 1\n", ["json is ", "rename your file"]),
        ("two.dots.py", "x = 1\n", ["two.dots.py", "rename"]),
    ],
)
def test_files_that_cannot_be_imported(
    scripts: Path, file: str, text: str, mentions: list[str]
) -> None:
    (scripts / file).write_text(text)
    with raises(LrlabError, *mentions):
        load_object(f"{scripts / file}:x")


def test_a_file_that_does_not_exist(scripts: Path) -> None:
    with raises(ProblemError, "nothing.py"):
        load_object(f"{scripts / 'nothing.py'}:x")


def test_a_module_is_imported_by_its_file_or_its_name(
    script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert import_user_module(script).model() == 3
    assert import_user_module("json") is importlib.import_module("json")
    monkeypatch.chdir(Path(script).parent)
    (Path(script).parent / "package").mkdir()
    (Path(script).parent / "package" / "inner_module.py").write_text("x = 4")
    assert import_user_module("package.inner_module").x == 4


@pytest.mark.parametrize("name", ["not_there", "not_there.inside", "json.not_there"])
def test_a_module_that_does_not_exist(scripts: Path, name: str) -> None:
    with raises(ProblemError, name, "my_schedules.py"):
        import_user_module(name)


@pytest.mark.parametrize("name", ["", "a b", "../user_script", "script.py:model"])
def test_names_that_are_no_modules(name: str) -> None:
    with raises(ProblemError, "file or name", name or "nothing"):
        import_user_module(name)


def test_a_module_that_fails(scripts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (scripts / "failing_module.py").write_text("\n1 / 0\n")
    monkeypatch.chdir(scripts)
    (scripts / "inner").mkdir()
    (scripts / "inner" / "__init__.py").write_text("import failing_module")
    for name in ("failing_module", "failing_module.py", "inner.module"):
        with raises(ProblemError, name, "failing_module.py:2", "ZeroDivisionError"):
            import_user_module(name)


@pytest.mark.integration
def test_a_schedule_of_an_imported_module_reaches_other_processes(scripts: Path) -> None:
    (scripts / "my_schedules.py").write_text(DEFINITION)
    module = import_user_module(str(scripts / "my_schedules.py"))
    schedule = Warmup(3) >> module.MyDecay(0.3)
    with get_context("spawn").Pool(1) as pool:
        assert pool.apply(repr, (schedule,)) == repr(schedule)
        assert pool.apply(parse, (repr(schedule),)) == schedule


def test_locate_error_returns_the_users_line() -> None:
    def fail() -> None:
        nn.Linear(3, 2)(torch.ones(4))

    with pytest.raises(RuntimeError) as runtime:
        fail()
    line = fail.__code__.co_firstlineno + 1
    assert locate_error(runtime.value) == f"test_user_code.py:{line}"
    with pytest.raises(SyntaxError) as syntax:
        compile("x = 1\ndef f(:", "mine.py", "exec")
    assert locate_error(syntax.value) == "mine.py:2"


def test_an_error_is_described_by_class_and_first_line() -> None:
    assert describe_error(ValueError("first.\nsecond")) == "ValueError: first"
    assert describe_error(KeyError()) == "KeyError"


def test_library_files() -> None:
    assert not is_library_file(__file__)
    for name in ("json", "torch", "lrlab.errors"):
        assert is_library_file(str(importlib.import_module(name).__file__))
