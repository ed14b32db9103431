"""A problem, a training function and test rows of the user's own on the command line."""

import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

QUICK = ["--no-tune", "--epochs", "2", "--seeds", "3", "--schedule", "Cosine()"]

PROBLEM = """
import lrlab
from sklearn.datasets import load_wine
from torch import nn

def model():
    return nn.Sequential(nn.BatchNorm1d(13), nn.Linear(13, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 3))

def problem():
    return lrlab.Problem.from_arrays(*load_wine(return_X_y=True), model, name="my-wine")

WIDTH = 8
"""

TRAINING = """
import torch
from torch import nn

def train(run):
    draw = torch.Generator().manual_seed(run.seed)
    x = torch.randn(60, 3, generator=draw)
    y = x.sum(1, keepdim=True)
    kept = 40 - round(40 * run.validation_size)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=run.lr)
    scheduler = run.create_scheduler(optimizer)
    for epoch in range(run.epochs):
        loss = nn.functional.mse_loss(model(x[:kept]), y[:kept])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        held = nn.functional.mse_loss(model(x[kept:41]), y[kept:41])
        error = nn.functional.mse_loss(model(x[40:]), y[40:])
        run.report(epoch, error=error, validation_error=held, loss=loss)
"""


@pytest.fixture
def folder(scripts: Path) -> Path:
    (scripts / "own_cli_problem.py").write_text(PROBLEM)
    (scripts / "own_cli_training.py").write_text(TRAINING)
    return scripts


def engines(db: Path) -> list[str]:
    with closing(sqlite3.connect(db)) as connection:
        return [row[0] for row in connection.execute("SELECT DISTINCT engine FROM run")]


def test_a_problem_of_ones_own(lrlab: Callable, folder: Path) -> None:
    said = lrlab("compare", "own_cli_problem.py:problem", *QUICK, "--workers", 2)
    assert said.code == 0
    assert said.out.startswith("my-wine · 2 schedules · ")
    assert "accuracy" in said.out
    assert "178 rows of shape (13,), classification, 3 classes; 53 are tested" in said.err
    assert (folder / "my-wine.png").exists()


def test_a_model_that_is_edited_is_trained_anew(lrlab: Callable, folder: Path) -> None:
    first = lrlab("compare", "own_cli_problem.py:problem", *QUICK, "--engine", "loop")
    again = lrlab("compare", "own_cli_problem.py:problem", *QUICK, "--engine", "loop")
    assert again.out == first.out
    assert "6 of 6 runs are stored already" in again.err
    (folder / "own_cli_problem.py").write_text(PROBLEM.replace("WIDTH = 8", "WIDTH = 9"))
    del sys.modules["own_cli_problem"]
    edited = lrlab("compare", "own_cli_problem.py:problem", *QUICK, "--engine", "loop")
    assert "already" not in edited.err


def test_a_training_function_in_worker_processes(lrlab: Callable, folder: Path) -> None:
    said = lrlab(
        "compare", "own_cli_training.py:train", *QUICK, "--metric", "error", "--lower-is-better",
        "--dummy-score", 3, "--tune", "--lr", "0.01,0.1,0.3", "--momentum", 0, "--tuning-seeds", 2,
        "--widen", 1, "--workers", 2,
    )  # fmt: skip
    assert said.code == 0
    assert said.out.startswith("own_cli_training · 2 schedules · 3 settings each · ")
    assert "a share of 0.2 of its rows held out" in said.out
    assert engines(folder / "lrlab.db") == ["loop"]


def test_what_a_function_prints_is_no_part_of_the_table(lrlab: Callable, scripts: Path) -> None:
    talking = TRAINING.replace("    model = ", "    print('I train')\n    model = ")
    (scripts / "own_cli_talking.py").write_text(talking)
    said = lrlab(
        "compare", "own_cli_talking.py:train", *QUICK, "--metric", "error", "--lower-is-better",
        "--dummy-score", 3, "--workers", 1,
    )  # fmt: skip
    assert said.code == 0
    assert said.err.count("I train") == 6
    assert said.out.startswith("own_cli_talking · 2 schedules · ")
    assert "I train" not in said.out


def test_one_run_of_a_training_function(lrlab: Callable, folder: Path) -> None:
    function = [
        "own_cli_training.py:train",
        "--metric",
        "error",
        "--lower-is-better",
        "--dummy-score",
        3,
    ]
    said = lrlab("train", *function, "--epochs", 2, "--schedule", "Linear(1, 0.5, over=1)")
    lines = said.out.splitlines()
    assert lines[0].startswith("Epoch 0: error ")
    assert lines[1].endswith(", lr 0.05")
    assert lines[2].startswith("Model error: ")


def test_test_rows_in_a_file_of_their_own(lrlab: Callable, tmp_path: Path) -> None:
    for name, rows in (("train", range(40)), ("test", range(40, 60))):
        text = "".join(f"{i % 7},{'ab'[i % 2]}\n" for i in rows)
        (tmp_path / f"{name}.csv").write_text("x,y\n" + text)
    said = lrlab("compare", "train.csv", "--test", "test.csv", *QUICK)
    assert said.code == 0
    assert "60 rows" in said.err
    assert "the last 20 rows are the test file's" in said.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["own_cli_training.py:train"], "given score, but was given error, validation_error, loss"),
        (["own_cli_training.py:train", "--lower-is-better"], "(--dummy-score)"),
        (["own_cli_training.py:train", "--metric", "error", "--engine", "ensemble"],
         "use the loop (--engine loop)"),
        (["own_cli_training.py:train", "--metric", "error", "--per", "step"], "leave out per"),
        (["own_cli_training.py:train", "--metric", "error", "--per", "step", "--tune"],
         "leave out per"),
        (["own_cli_training.py"], "behind a colon"),
        (["own_cli_training.py:trian"], "did you mean train?"),
        (["own_cli_problem.py:problem", "--metric", "error"], "--metric is for a plain function"),
        (["own_cli_problem.py:problem", "--test", "x.csv"], "--test is for a table of your own"),
        (["iris", "--dummy-score", "0"], "--dummy-score is for a training function of your own"),
        (["iris", "--test", "x.csv"], "--test is for a table of your own"),
    ],
)  # fmt: skip
def test_mistakes(lrlab: Callable, folder: Path, arguments: list[str], said: str) -> None:
    outcome = lrlab("compare", *arguments, *QUICK, "--workers", 1)
    assert outcome.code == 2
    assert said in outcome.err
    assert "Traceback" not in outcome.err
