"""Validation rows: which training rows are held out, and that no run trains on them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import integers
from torch import Tensor

from lrlab.problems import Problem, Split, load_problem
from lrlab.problems import split as split_module
from lrlab.problems.metrics import OutputKind, make_task
from lrlab.training import Run, Settings, train
from tests.training.factories import make_digits_problem, make_regression_problem


def sort_rows(x: Tensor) -> list[tuple[float, ...]]:
    return sorted(map(tuple, x.flatten(1).tolist()))


@given(integers(0, 100), integers(1, 43))
def test_rows_are_divided_and_test_rows_stay(seed: int, validation_rows: int) -> None:
    problem = make_regression_problem(lambda: torch.nn.Linear(4, 1))
    whole, split = problem.split(seed), problem.split_rows(seed, validation_rows)
    assert split.x_validation is not None
    assert split.y_validation is not None
    assert len(split.x_validation) == len(split.y_validation) == validation_rows
    train_rows, held_out_rows, all_rows = [
        sort_rows(torch.cat([x, y], dim=1))
        for x, y in (
            (split.x_train, split.y_train),
            (split.x_validation, split.y_validation),
            (whole.x_train, whole.y_train),
        )
    ]
    assert sorted(train_rows + held_out_rows) == all_rows
    assert split.x_test is whole.x_test
    assert split.target_scale == whole.target_scale


def test_a_seed_fixes_the_validation_rows() -> None:
    problem = make_regression_problem(lambda: torch.nn.Linear(4, 1))
    same_rows = replace(problem, split=lambda seed: problem.split(0))
    first, repeated, other = (same_rows.split_rows(seed, 9).x_validation for seed in (1, 1, 2))
    assert first is not None
    assert other is not None
    assert repeated is not None
    assert torch.equal(first, repeated)
    assert sort_rows(first) != sort_rows(other)


@pytest.mark.parametrize("name", ["iris", "breast-cancer"])
@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.5])
def test_validation_rows_are_stratified_by_class(name: str, fraction: float) -> None:
    problem = load_problem(name)
    validation_rows = round(fraction * problem.train_rows)
    whole, split = problem.split(0), problem.split_rows(0, validation_rows)
    assert split.y_validation is not None
    for label in whole.y_train.unique():
        expected = float((whole.y_train == label).double().mean()) * validation_rows
        assert abs(float((split.y_validation == label).sum()) - expected) <= 1


@pytest.mark.parametrize("labels", [[0] * 9 + [1], [0, 1, 2, 3, 4] * 2, [0] * 10])
def test_rare_and_many_classes_are_held_out_at_random(labels: list[int]) -> None:
    # scikit-learn refuses to stratify the first two: a class of one row, fewer rows than classes.
    x, y = torch.arange(10.0).reshape(10, 1), torch.tensor(labels)
    task = make_task(OutputKind.CLASS_SCORES, (5,))
    problem = Problem("few", "few", lambda seed: Split(x, y, x, y), 10, None, task, True, "few")  # type: ignore[arg-type]
    for validation_rows in (1, 2, 9):
        split = problem.split_rows(0, validation_rows)
        assert split.y_validation is not None
        assert len(split.y_validation) == validation_rows
        assert len(split.y_train) == 10 - validation_rows


def test_large_rows_are_evaluated_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = load_problem("iris")
    run = Run(None, Settings(epochs=2, validation_size=0.2), seed=0)
    expected = train(problem, run)
    monkeypatch.setattr(split_module, "_MAX_PART_BYTES", 7 * 4 * 4)  # seven rows of four float32
    whole = problem.split_rows(0, 21)
    for batches, x, y in (
        (list(whole.iter_test_batches(24)), whole.x_test, whole.y_test),
        (list(whole.iter_validation_batches(24)), whole.x_validation, whole.y_validation),
    ):
        assert [len(part) for part, _ in batches[:-1]] == [7] * (len(batches) - 1)
        assert torch.equal(torch.cat([part for part, _ in batches]), x)
        assert torch.equal(torch.cat([part for _, part in batches]), y)
    in_parts = train(problem, run)
    assert np.allclose(in_parts.curve.values, expected.curve.values, rtol=1e-5)


def test_nothing_is_trained_on_validation_rows() -> None:
    problem = make_digits_problem()
    run = Run(None, Settings(epochs=3, validation_size=0.25, batch_size=16), seed=0)
    expected = train(problem, run)

    split = problem.split_rows(0, 11)
    assert split.x_validation is not None
    validation_rows = set(sort_rows(split.x_validation))

    def change_validation_rows(seed: int) -> Split:
        rows = problem.split(seed)
        changed = torch.tensor([tuple(row) in validation_rows for row in rows.x_train.tolist()])
        assert changed.sum() == 11
        return replace(rows, x_train=torch.where(changed[:, None], rows.x_train + 5, rows.x_train))

    result = train(replace(problem, split=change_validation_rows), run)
    for name in ("loss", "test_score"):
        np.testing.assert_array_equal(
            result.curve.get_column(name), expected.curve.get_column(name)
        )
    for name in ("validation_loss", "validation_score"):
        assert np.isfinite(expected.curve.get_column(name)).all()
        assert not np.array_equal(result.curve.get_column(name), expected.curve.get_column(name))
    train_rows = Split(split.x_train, split.y_train, split.x_test, split.y_test)
    without_validation = train(
        replace(problem, split=lambda seed: train_rows, train_rows=33),
        Run(None, Settings(epochs=3, batch_size=16), seed=0),
    )
    np.testing.assert_array_equal(
        without_validation.curve.get_column("loss"), expected.curve.get_column("loss")
    )
