"""Problems and training functions in a user's Python file, and test rows in a file."""

import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Lrlab, assert_refused
from tests.cli.database import query
from tests.cli.scripts import METRIC_OPTIONS, PROBLEM, TRAINING

pytestmark = pytest.mark.slow

QUICK = ["--no-tune", "--epochs", "2", "--seeds", "3", "--schedule", "Cosine()"]


@pytest.fixture
def folder(scripts: Path) -> Path:
    """A folder with a problem and a training function."""
    (scripts / "cli_problem.py").write_text(PROBLEM)
    (scripts / "cli_training.py").write_text(TRAINING)
    return scripts


@pytest.mark.integration
def test_a_problem_in_worker_processes(lrlab: Lrlab, folder: Path) -> None:
    result = lrlab("compare", "cli_problem.py:problem", *QUICK, "--workers", 2)
    assert result.code == 0
    assert result.out.startswith("my-wine · 2 schedules · ")
    assert result.err.startswith("my-wine: 178 rows of shape (13,), classification, 3 classes")
    ((study_id,),) = query(folder / "lrlab.db", "SELECT id FROM study")
    assert (folder / f"my-wine-{study_id}.png").exists()


def test_an_edited_model_is_trained_again(lrlab: Lrlab, folder: Path) -> None:
    study = ["compare", "cli_problem.py:problem", *QUICK, "--engine", "loop"]
    first = lrlab(*study)
    again = lrlab(*study)
    assert again.out == first.out
    assert "6 of 6 runs are already stored" in again.err
    (folder / "cli_problem.py").write_text(PROBLEM.replace("WIDTH = 8", "WIDTH = 9"))
    del sys.modules["cli_problem"]
    edited = lrlab(*study)
    assert edited.code == 0
    assert "already stored" not in edited.err


@pytest.mark.integration
def test_a_training_function_in_worker_processes(lrlab: Lrlab, folder: Path) -> None:
    result = lrlab(
        "compare", "cli_training.py:train", *QUICK, *METRIC_OPTIONS, "--tune",
        "--lr", "0.01,0.1,0.3", "--momentum", 0, "--tuning-seeds", 2, "--grid-extensions", 1,
        "--workers", 2,
    )  # fmt: skip
    assert result.code == 0
    assert result.out.startswith("cli_training · 2 schedules · 3 settings each · ")
    assert query(folder / "lrlab.db", "SELECT DISTINCT engine FROM run") == [("loop",)]


def test_output_of_a_training_function_goes_to_stderr(lrlab: Lrlab, scripts: Path) -> None:
    printing = TRAINING.replace("    model = ", "    print('I train')\n    model = ")
    (scripts / "cli_printing.py").write_text(printing)
    result = lrlab("compare", "cli_printing.py:train", *QUICK, *METRIC_OPTIONS, "--workers", 1)
    assert result.code == 0
    assert result.err.count("I train") == 6
    assert result.out.startswith("cli_printing · 2 schedules · ")
    assert "I train" not in result.out


def test_one_run_of_a_training_function(lrlab: Lrlab, folder: Path) -> None:
    result = lrlab(
        "train", "cli_training.py:train", *METRIC_OPTIONS, "--epochs", 2,
        "--schedule", "Linear(1, 0.5, over=1)",
    )  # fmt: skip
    lines = result.out.splitlines()
    assert lines[0].startswith("Epoch 0: error ")
    assert lines[1].endswith(", lr 0.05")
    assert lines[2].startswith("Model error: ")


def test_test_rows_in_a_file(lrlab: Lrlab, tmp_path: Path) -> None:
    for name, rows in (("train", range(40)), ("test", range(40, 60))):
        text = "".join(f"{i % 7},{'ab'[i % 2]}\n" for i in rows)
        (tmp_path / f"{name}.csv").write_text("x,y\n" + text)
    result = lrlab("compare", "train.csv", "--test-file", "test.csv", *QUICK)
    assert result.code == 0
    assert result.err.startswith("train: 60 rows")
    assert "20" in result.err.splitlines()[0]


@pytest.mark.parametrize(
    ("arguments", "mentions"),
    [
        (["cli_training.py:train"], ["score", "error, validation_error, loss"]),
        (["cli_training.py:train", "--lower-is-better"], ["--dummy-score"]),
        (["cli_training.py:train", "--metric", "error", "--engine", "ensemble"], ["--engine loop"]),
        (["cli_training.py:train", "--metric", "error", "--step-every", "step"], ["--step-every"]),
        (["cli_training.py:train", "--metric", "error", "--step-every", "step", "--tune"],
         ["--step-every"]),
        (["cli_training.py"], ["cli_training.py:problem"]),
        (["cli_training.py:trian"], ["trian", "train?"]),
        (["cli_problem.py:problem", "--metric", "error"], ["--metric", "cli_problem.py:problem"]),
        (["cli_problem.py:problem", "--test-file", "x.csv"], ["--test-file"]),
        (["iris", "--dummy-score", "0"], ["--dummy-score", "iris"]),
        (["iris", "--greater-is-better"], ["--greater-is-better", "iris"]),
    ],
)  # fmt: skip
def test_mistakes(lrlab: Lrlab, folder: Path, arguments: list[str], mentions: list[str]) -> None:
    assert_refused(lrlab("compare", *arguments, *QUICK, "--workers", 1), *mentions)
