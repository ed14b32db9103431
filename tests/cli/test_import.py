"""``--import MODULE``: schedules of a user's own, in every command that reads a schedule."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lrlab.studies import Store
from tests.cli.conftest import Lrlab, assert_refused
from tests.cli.database import query
from tests.cli.scripts import PROBLEM
from tests.schedules.definitions import DEFINITION, forget_schedule

IMPORT = ["--import", "my_schedules.py"]
STUDY = [
    "iris", "--schedule", "Warmup(1) >> MyDecay(0.3)", "--no-tune", "--epochs", 2, "--seeds", 2,
    "--engine", "loop",
]  # fmt: skip


@pytest.fixture
def module(scripts: Path) -> Iterator[Path]:
    """A user's file with a schedule, as in a new process."""
    file = scripts / "my_schedules.py"
    file.write_text(f"{DEFINITION}\nprint('imported')\n")
    yield file
    forget_module()


def forget_module() -> None:
    """Forget the user's module, as a new process does."""
    sys.modules.pop("my_schedules", None)
    forget_schedule("MyDecay")


@pytest.mark.parametrize("name", ["my_schedules.py", "my_schedules"])
def test_show_draws_a_users_schedule(lrlab: Lrlab, module: Path, name: str) -> None:
    result = lrlab("show", "MyDecay(0.3)", "--total-steps", 9, "--import", name)
    assert (result.code, result.err) == (0, "imported\n")
    assert "MyDecay(0.3)" in result.out


def test_the_gallery_has_a_users_schedule(lrlab: Lrlab, module: Path) -> None:
    assert "MyDecay" not in lrlab("gallery").out
    assert "MyDecay(0.1)" in lrlab("gallery", *IMPORT).out


def test_train_follows_a_users_schedule(lrlab: Lrlab, module: Path) -> None:
    result = lrlab("train", "iris", "--epochs", 2, "--schedule", "MyDecay(1)", *IMPORT)
    assert result.code == 0
    assert "lr 0.05" in result.out


@pytest.mark.parametrize(
    "command",
    [["show", "MyDecay(0.3)"], ["train", "iris", "--schedule", "MyDecay(0.3)"],
     ["compare", *STUDY], ["plan", *STUDY]],
    ids=lambda command: command[0],
)  # fmt: skip
def test_without_the_option_the_error_names_it(
    lrlab: Lrlab, module: Path, command: list[object]
) -> None:
    assert_refused(lrlab(*command), "unknown schedule MyDecay", "--import my_schedules.py")


@pytest.mark.parametrize(
    ("name", "mentions"),
    [
        ("nothing.py", ["nothing.py"]),
        ("nothing", ["nothing", "my_schedules.py"]),
        ("failing.py", ["failing.py:2", "ZeroDivisionError"]),
        ("taken.py", ["taken.py:11", "Cosine", "rename"]),
    ],
)
def test_modules_that_cannot_be_imported(
    lrlab: Lrlab, module: Path, name: str, mentions: list[str]
) -> None:
    (module.parent / "failing.py").write_text("x = 1\n1 / 0\n")
    (module.parent / "taken.py").write_text(DEFINITION.replace("MyDecay", "Cosine"))
    assert_refused(lrlab("show", "Step(3)", "--import", name), *mentions)


@pytest.mark.slow
@pytest.mark.integration
def test_a_study_of_a_users_schedule(lrlab: Lrlab, module: Path) -> None:
    study = ["compare", *STUDY, *IMPORT, "--workers", 2]
    first = lrlab(*study)
    assert first.code == 0
    assert "Warmup(1) >> MyDecay(0.3)" in first.out
    again = lrlab(*study)
    assert again.out == first.out
    assert "4 of 4 runs are already stored" in again.err

    # An edited class makes new runs; those of the constant rate stay.
    module.write_text(DEFINITION.replace("1 / (1 + x)", "1 / (2 + x)"))
    forget_module()
    edited = lrlab(*study)
    assert edited.code == 0
    assert "2 of 4 runs are already stored" in edited.err
    ((count,),) = query(module.parent / "lrlab.db", "SELECT count(*) FROM run")
    assert count == 6


@pytest.mark.slow
def test_resume_needs_the_module_as_it_was(lrlab: Lrlab, module: Path) -> None:
    lrlab("compare", *STUDY, *IMPORT, "--workers", 1)
    forget_module()
    assert_refused(lrlab("resume"), "unknown schedule MyDecay", "--import my_schedules.py")
    resumed = lrlab("resume", *IMPORT)
    assert resumed.code == 0
    assert "MyDecay(0.3)" in resumed.out

    module.write_text(DEFINITION.replace("1 / (1 + x)", "1 / (2 + x)"))
    forget_module()
    assert lrlab("resume", *IMPORT).out == resumed.out  # nothing has to be trained
    with closing(sqlite3.connect(module.parent / "lrlab.db")) as connection, connection:
        connection.execute("DELETE FROM run WHERE rowid = 1")
    assert_refused(lrlab("resume", *IMPORT), "MyDecay", "changed")


@pytest.mark.slow
def test_the_file_of_the_problem_may_define_the_schedule(
    lrlab: Lrlab, module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module.write_text(DEFINITION + PROBLEM)
    options = ["--epochs", 1, "--schedule", "MyDecay(0.3)"]
    assert lrlab("train", "my_schedules.py:problem", *options).code == 0
    study = [*options, "--no-tune", "--seeds", 2, "--engine", "loop", "--workers", 1]
    with monkeypatch.context() as patched:
        patched.setattr(Store, "add_results", _raise_interrupt)
        assert lrlab("compare", "my_schedules.py:problem", *study).code == 130
    forget_module()
    assert lrlab("resume").code == 0


def _raise_interrupt(*arguments: object) -> None:
    raise KeyboardInterrupt
