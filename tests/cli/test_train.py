"""``lrlab train`` prints what the tutorial prints."""

import re
from pathlib import Path

import pytest

from tests.cli.conftest import Lrlab

TUTORIAL_SCHEDULES = {
    "constant": None,
    "linear": "torch.LinearLR(start_factor=1.0, end_factor=0.5, total_iters=30)",
    "exponential": "torch.ExponentialLR(gamma=0.99)",
    "lambda_double": "Formula('0.1/(1+0.01*t)')",
}


@pytest.mark.parametrize("name", TUTORIAL_SCHEDULES)
def test_the_lines_of_the_tutorial(lrlab: Lrlab, tutorial: dict, name: str) -> None:
    schedule = TUTORIAL_SCHEDULES[name]
    result = lrlab("train", "ionosphere", *(["--schedule", schedule] if schedule else []))
    assert result.code == 0
    lines = result.out.splitlines()
    assert set(tutorial["printed_lines"][name]) <= set(lines)
    assert len(lines) == 51
    assert re.fullmatch(r"Model accuracy: \d\d\.\d\d%", lines[-1])
    assert ("twice" in result.err) == (name == "lambda_double")  # the base rate


def test_the_corrected_schedule(lrlab: Lrlab, ionosphere_folder: Path) -> None:
    result = lrlab("train", "ionosphere", "--schedule", "InverseTime(0.01)")
    lines = result.out.splitlines()
    assert lines[0] == "Epoch 0: SGD lr 0.1000 -> 0.0990"
    assert lines[49] == "Epoch 49: SGD lr 0.0671 -> 0.0667"
    assert "warning" not in result.err


def test_the_ionosphere_file_option(
    lrlab: Lrlab, ionosphere_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = lrlab("train", "ionosphere", "--epochs", 1)
    monkeypatch.delenv("LRLAB_DATA")
    file = ionosphere_folder / "ionosphere.csv"
    assert lrlab("train", "ionosphere", "--epochs", 1, "--ionosphere-file", file) == expected


def test_regression_ends_with_the_rmse(lrlab: Lrlab) -> None:
    result = lrlab("train", "diabetes", "--lr", 0.01, "--epochs", 3)
    assert re.fullmatch(r"Model RMSE: \d\d\.\d{4}", result.out.splitlines()[-1])


@pytest.mark.parametrize(
    ("optimizer", "start"),
    [("Adam", "Adam lr=0.00100"), ("adamw", "AdamW"), ("rmsprop", "RMSprop lr=0.00100")],
)
def test_other_optimizers(lrlab: Lrlab, optimizer: str, start: str) -> None:
    result = lrlab("train", "iris", "--optimizer", optimizer, "--epochs", 2)
    assert start in result.out.splitlines()[0]


def test_a_schedule_stepped_every_step(lrlab: Lrlab) -> None:
    result = lrlab(
        "train", "iris", "--step-every", "step", "--epochs", 2, "--schedule", "Linear(1, 0)"
    )
    assert result.out.splitlines()[:2] == [
        "Epoch 0: SGD lr 0.1000 -> 0.0500",
        "Epoch 1: SGD lr 0.0500 -> 0.0000",
    ]


def train_diabetes(lrlab: Lrlab, *options: object) -> str:
    """Return the last line of a short training."""
    result = lrlab("train", "diabetes", "--lr", 0.01, "--epochs", 3, *options)
    return result.out.splitlines()[-1]


def test_seed_and_shuffling_change_the_result(lrlab: Lrlab) -> None:
    default = train_diabetes(lrlab)
    assert default == train_diabetes(lrlab, "--seed", 0) == train_diabetes(lrlab, "--shuffle")
    others = {train_diabetes(lrlab, "--seed", 1), train_diabetes(lrlab, "--no-shuffle")}
    assert len({default, *others}) == 3


def test_weight_decay_and_clipping_change_the_result(lrlab: Lrlab) -> None:
    lines = {
        train_diabetes(lrlab),
        train_diabetes(lrlab, "--weight-decay", 0.5),
        train_diabetes(lrlab, "--max-grad-norm", 0.1),
    }
    assert len(lines) == 3


def test_a_table(lrlab: Lrlab, tmp_path: Path) -> None:
    rows = "".join(f"{i / 7};{'xyz'[i % 3]};{i % 2 * 3.5 + i / 100};n\n" for i in range(60))
    (tmp_path / "mine.txt").write_text("size;kind;cost;unused\n" + rows)
    result = lrlab("train", "mine.txt", "--target", "cost", "--epochs", 2)
    assert result.code == 0
    summary = "mine: 60 rows, 3 columns as 5 inputs, target column 'cost': regression"
    assert result.err.startswith(summary)
    assert result.out.splitlines()[-1].startswith("Model RMSE:")


def test_a_likely_mistake_in_a_table_gives_a_warning(lrlab: Lrlab, tmp_path: Path) -> None:
    rows = "".join(f"{'unknown' if i == 3 else i},{'ab'[i % 2]}\n" for i in range(40))
    (tmp_path / "mistake.csv").write_text("x,y\n" + rows)
    result = lrlab("train", "mistake.csv", "--epochs", 1)
    (warning,) = [line for line in result.err.splitlines() if line.startswith("warning: ")]
    assert "column x" in warning
    assert "40" in warning


def test_a_diverged_run_names_its_step_and_the_remedy(lrlab: Lrlab) -> None:
    result = lrlab("train", "diabetes", "--lr", 1e30)
    assert result.code == 0
    assert re.search(r"diverged in epoch 0.* step \d+.*--lr", result.out)


def test_validation_rows_are_scored_after_every_epoch(lrlab: Lrlab) -> None:
    result = lrlab(
        "train", "iris", "--epochs", 3, "--validation-size", 0.2,
        "--schedule", 'Plateau(mode="max")',
    )  # fmt: skip
    lines = result.out.splitlines()
    assert len(lines) == 4
    for line in lines[:3]:
        assert re.fullmatch(
            r"Epoch \d: SGD lr 0\.1000 -> 0\.1000, validation accuracy \d+\.\d\d%", line
        )
    assert re.fullmatch(r"Model accuracy: \d+\.\d\d%", lines[3])
