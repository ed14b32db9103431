"""Training rows held out for validation: which they are, and that nothing is trained on them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import integers
from torch import Tensor

from lrlab.problems import Problem, Split, load_problem
from lrlab.problems.metrics import make_multiclass_task
from lrlab.training import Run, Settings, train
from tests.training.factories import make_digits_problem, make_regression_problem


def rows_of(x: Tensor) -> list[tuple[float, ...]]:
    return sorted(map(tuple, x.flatten(1).tolist()))


@given(integers(0, 100), integers(1, 43))
def test_rows_are_parted_and_test_rows_stay(seed: int, held_out: int) -> None:
    problem = make_regression_problem(lambda: torch.nn.Linear(4, 1))
    whole, split = problem.split(seed), problem.split_rows(seed, held_out)
    assert split.x_validation is not None
    assert split.y_validation is not None
    assert len(split.x_validation) == len(split.y_validation) == held_out
    pairs = [
        torch.cat([x, y], dim=1)
        for x, y in (
            (split.x_train, split.y_train),
            (split.x_validation, split.y_validation),
            (whole.x_train, whole.y_train),
        )
    ]
    assert sorted(rows_of(pairs[0]) + rows_of(pairs[1])) == rows_of(pairs[2])
    assert split.x_test is whole.x_test
    assert split.target_scale == whole.target_scale


def test_a_seed_holds_out_the_same_rows_and_another_seed_others() -> None:
    # Of a problem whose rows are the same for every seed.
    problem = make_regression_problem(lambda: torch.nn.Linear(4, 1))
    fixed = replace(problem, split=lambda seed: problem.split(0))
    first, again, other = (fixed.split_rows(seed, 9).x_validation for seed in (1, 1, 2))
    assert first is not None
    assert other is not None
    assert again is not None
    assert torch.equal(first, again)
    assert rows_of(first) != rows_of(other)


@pytest.mark.parametrize("name", ["iris", "breast-cancer"])
@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
def test_classes_are_held_out_in_their_shares(name: str, share: float) -> None:
    problem = load_problem(name)
    held = round(share * problem.train_rows)
    whole, split = problem.split(0), problem.split_rows(0, held)
    assert split.y_validation is not None
    for label in whole.y_train.unique():
        expected = float((whole.y_train == label).double().mean()) * held
        assert abs(float((split.y_validation == label).sum()) - expected) <= 1


@pytest.mark.parametrize("labels", [[0] * 9 + [1], [0, 1, 2, 3, 4] * 2, [0] * 10])
def test_rare_and_many_classes_are_held_out_at_random(labels: list[int]) -> None:
    # scikit-learn refuses to stratify the first two: a class of one row, fewer rows than classes.
    x, y = torch.arange(10.0).reshape(10, 1), torch.tensor(labels)
    task = make_multiclass_task(5)
    problem = Problem("few", "few", lambda seed: Split(x, y, x, y), 10, None, task, True, "few")  # type: ignore[arg-type]
    for held_out in (1, 2, 9):
        split = problem.split_rows(0, held_out)
        assert split.y_validation is not None
        assert len(split.y_validation) == held_out
        assert len(split.y_train) == 10 - held_out


def test_nothing_is_trained_on_rows_held_out() -> None:
    problem = make_digits_problem()
    run = Run(None, Settings(epochs=3, validation_size=0.25, batch_size=16), seed=0)
    expected = train(problem, run)

    kept = problem.split_rows(0, 11)
    assert kept.x_validation is not None
    held = set(rows_of(kept.x_validation))

    def other_targets(seed: int) -> Split:
        rows = problem.split(seed)
        wrong = torch.tensor([tuple(row) in held for row in rows.x_train.tolist()])
        assert wrong.sum() == 11
        return replace(rows, x_train=torch.where(wrong[:, None], rows.x_train + 5, rows.x_train))

    result = train(replace(problem, split=other_targets), run)
    for name in ("loss", "test_score"):
        np.testing.assert_array_equal(
            result.curve.get_column(name), expected.curve.get_column(name)
        )
    for name in ("validation_loss", "validation_score"):
        assert np.isfinite(expected.curve.get_column(name)).all()
        assert not np.array_equal(result.curve.get_column(name), expected.curve.get_column(name))
    alone = train(
        replace(problem, split=lambda seed: Split(*_trained(kept)), train_rows=33),
        Run(None, Settings(epochs=3, batch_size=16), seed=0),
    )
    np.testing.assert_array_equal(alone.curve.get_column("loss"), expected.curve.get_column("loss"))


def _trained(split: Split) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return split.x_train, split.y_train, split.x_test, split.y_test
