"""``lrlab train`` prints what the tutorial prints."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

SPECS = {
    "constant": None,
    "linear": "torch.LinearLR(start_factor=1.0, end_factor=0.5, total_iters=30)",
    "exponential": "torch.ExponentialLR(gamma=0.99)",
    "lambda_double": "Formula('0.1/(1+0.01*t)')",
}


@pytest.mark.parametrize("name", SPECS)
def test_every_line_the_tutorial_prints(lrlab: Callable, tutorial: dict, name: str) -> None:
    said = lrlab("train", "ionosphere", *(["--schedule", SPECS[name]] if SPECS[name] else []))
    lines = said.out.splitlines()
    expected = tutorial["printed_lines"][name]
    for line in expected:
        assert line in lines
    assert len(lines) == 51
    assert re.fullmatch(r"Model accuracy: \d\d\.\d\d%", lines[-1])
    assert ("applied twice" in said.err) == (name == "lambda_double")
    assert said.code == 0


def test_the_corrected_schedule(lrlab: Callable, ionosphere_folder: Path) -> None:
    said = lrlab("train", "ionosphere", "--schedule", "InverseTime(0.01)")
    lines = said.out.splitlines()
    assert lines[0] == "Epoch 0: SGD lr 0.1000 -> 0.0990"
    assert lines[49] == "Epoch 49: SGD lr 0.0671 -> 0.0667"
    assert "warning" not in said.err


def test_regression_ends_with_the_rmse(lrlab: Callable) -> None:
    said = lrlab("train", "diabetes", "--lr", 0.01, "--epochs", 3)
    assert re.fullmatch(r"Model RMSE: \d\d\.\d{4}", said.out.splitlines()[-1])


@pytest.mark.parametrize(
    ("optimizer", "line"),
    [("Adam", "Adam lr=0.00100"), ("adamw", "AdamW"), ("rmsprop", "RMSprop lr=0.00100")],
)
def test_other_optimizers(lrlab: Callable, optimizer: str, line: str) -> None:
    said = lrlab("train", "iris", "--optimizer", optimizer, "--epochs", 2)
    assert line in said.out.splitlines()[0]


def test_per_step(lrlab: Callable) -> None:
    said = lrlab("train", "iris", "--per", "step", "--epochs", 2, "--schedule", "Linear(1, 0)")
    assert said.out.splitlines()[:2] == [
        "Epoch 0: SGD lr 0.1000 -> 0.0500",
        "Epoch 1: SGD lr 0.0500 -> 0.0000",
    ]


def test_seeds_and_shuffling_make_a_difference(lrlab: Callable) -> None:
    def last(*words: object) -> str:
        return lrlab("train", "diabetes", "--lr", 0.01, "--epochs", 3, *words).out.splitlines()[-1]

    assert last() == last("--seed", 0) == last("--shuffle")
    assert len({last(), last("--seed", 1), last("--no-shuffle")}) == 3


def test_a_table_of_ones_own(lrlab: Callable, tmp_path: Path) -> None:
    rows = "".join(f"{i / 7};{'xyz'[i % 3]};{i % 2 * 3.5 + i / 100};n\n" for i in range(60))
    (tmp_path / "mine.txt").write_text("size;kind;cost;unused\n" + rows)
    said = lrlab("train", "mine.txt", "--target", "cost", "--epochs", 2)
    assert said.code == 0
    assert "60 rows, 3 columns as 5 inputs, target cost: regression" in said.err
    assert said.out.splitlines()[-1].startswith("Model RMSE:")


def test_what_looks_like_a_mistake_in_a_table_is_warned_of(lrlab: Callable, tmp_path: Path) -> None:
    rows = "".join(f"{'unknown' if i == 3 else i},{'ab'[i % 2]}\n" for i in range(40))
    (tmp_path / "slip.csv").write_text("x,y\n" + rows)
    said = lrlab("train", "slip.csv", "--epochs", 1)
    assert "warning: column x is taken for categories because 1 of its 40 cells" in said.err


def test_a_diverged_run_says_so(lrlab: Callable) -> None:
    said = lrlab("train", "diabetes", "--lr", 1e30)
    assert re.search(r"diverged in epoch 0, left at step \d+: scored as a constant", said.out)


def test_held_out_rows_are_scored_after_every_epoch(lrlab: Callable) -> None:
    said = lrlab(
        "train", "iris", "--epochs", 3, "--validation", 0.2, "--schedule", 'Plateau(mode="max")'
    )
    lines = said.out.splitlines()
    assert len(lines) == 4
    for line in lines[:3]:
        assert re.fullmatch(
            r"Epoch \d: SGD lr 0\.1000 -> 0\.1000, validation accuracy \d+\.\d\d%", line
        )
    assert re.fullmatch(r"Model accuracy: \d+\.\d\d%", lines[3])


def test_weight_decay_and_clipping_change_what_is_trained(lrlab: Callable) -> None:
    def last(*words: object) -> str:
        return lrlab("train", "diabetes", "--lr", 0.01, "--epochs", 3, *words).out.splitlines()[-1]

    assert len({last(), last("--weight-decay", 0.5), last("--clip", 0.1)}) == 3
