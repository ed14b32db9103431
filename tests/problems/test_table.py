"""Problems from data frames: encoding, splits, the detected task, warnings and errors."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.metrics import (
    mean_absolute_error,
    r2_score,
    root_mean_squared_error,
    root_mean_squared_log_error,
)
from sklearn.model_selection import train_test_split
from torch import Tensor, nn

from lrlab.errors import ProblemError
from lrlab.problems import Metric, Problem, derive_seeds
from lrlab.training import Run, Settings, train_and_get_model
from lrlab.training.engines import EnsembleEngine, LoopEngine
from tests.raising import raises


def make_frame(rows: int = 100, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "size": rng.normal(5, 3, rows),
            "count": rng.integers(0, 9, rows).astype(float),
            "city": rng.choice(["Rome", "Oslo", "Lima"], rows),
            "label": rng.choice(["no", "yes"], rows, p=[0.3, 0.7]),
        }
    )
    frame.loc[rng.choice(rows, 10, replace=False), "size"] = np.nan
    frame.loc[rng.choice(rows, 10, replace=False), "city"] = None
    return frame


TABLE = Problem.from_table(make_frame())


@given(seed=st.integers(0, 10_000))
def test_numbers_are_standardized_by_the_training_rows_alone(seed: int) -> None:
    split = TABLE.split(seed)
    numbers = split.x_train[:, :2].double().numpy()
    assert_allclose(numbers.mean(axis=0), 0, atol=1e-6)
    assert_allclose(numbers.std(axis=0), 1, atol=1e-6)
    assert (np.abs(split.x_test[:, :2].double().numpy().mean(axis=0)) > 1e-6).any()


def test_test_rows_do_not_affect_the_encoding() -> None:
    frame = make_frame()
    before = Problem.from_table(frame).split(0)
    for row in range(len(frame)):  # find a test row by changing one after the other
        changed = frame.copy()
        changed.loc[row, "size"] = 1e6
        after = Problem.from_table(changed).split(0)
        if float(after.x_test.abs().max()) > 1e4:
            break
    assert torch.equal(after.x_train, before.x_train)


def test_split_is_stratified_disjoint_and_seventy_percent() -> None:
    frame = make_frame(200).assign(size=np.arange(200.0))
    problem = Problem.from_table(frame)
    split = problem.split(3)
    assert len(split.x_train) == 140 == problem.train_rows
    assert len(split.x_test) == 60
    fraction = (frame["label"] == "yes").mean()
    assert abs(float(split.y_train.mean()) - fraction) < 0.01
    sizes = torch.cat([split.x_train[:, 0], split.x_test[:, 0]])
    assert len(torch.unique(sizes)) == 200


def test_a_seed_fixes_the_split() -> None:
    problem = Problem.from_table(make_frame())
    assert torch.equal(problem.split(5).x_train, problem.split(5).x_train)
    assert not torch.equal(problem.split(5).x_train, problem.split(6).x_train)


def test_text_becomes_one_input_per_category_whatever_the_split() -> None:
    problem = Problem.from_table(make_frame())
    for seed in range(5):
        categories = problem.split(seed).x_train[:, 2:]
        assert categories.shape[1] == 4  # three cities and the missing one
        assert torch.equal(categories.sum(dim=1), torch.ones(len(categories)))


def test_a_column_of_numbers_with_a_text_cell_gives_a_warning() -> None:
    frame = make_frame()
    assert Problem.from_table(frame).data_warnings == ()
    with_text = frame.assign(count=["unknown", *frame["count"][1:].astype(str)])
    (warning,) = Problem.from_table(with_text).data_warnings
    assert_mentions(warning, "column count", "1 of its 100 cells", "unknown")
    money = frame.assign(count=[f"${i},017" for i in range(100)])
    (warning,) = Problem.from_table(money).data_warnings
    assert_mentions(warning, "column count", "100 of its 100 cells", "$0,017")


def test_a_column_of_identifiers_gives_a_warning() -> None:
    frame = make_frame().assign(city=[f"no {i}" for i in range(100)])
    (warning,) = Problem.from_table(frame).data_warnings
    assert_mentions(warning, "column city", 100, 32)


def assert_mentions(sentence: str, *mentions: object) -> None:
    assert all(str(text) in sentence for text in mentions), sentence


def test_rare_categories_have_no_input() -> None:
    rows = 400
    frame = pd.DataFrame({"name": [f"n{i % 50}" for i in range(rows)], "y": [0, 1] * (rows // 2)})
    assert Problem.from_table(frame).split(0).x_train.shape[1] == 32


def test_missing_numbers_become_the_median_of_the_training_rows() -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0, np.nan] * 20, "y": ["a", "b"] * 40})
    split = Problem.from_table(frame).split(0)
    assert len(torch.unique(split.x_train)) == 3


def test_constant_and_empty_columns_are_harmless() -> None:
    frame = pd.DataFrame({"x": np.arange(20.0), "same": 1, "none": np.nan, "y": ["a", "b"] * 10})
    split = Problem.from_table(frame).split(0)
    assert split.x_train.shape[1] == 2
    assert split.x_train.isfinite().all()


@pytest.mark.parametrize(
    ("target", "kind", "outputs"),
    [
        (["b", "a"] * 20, "classification", 1),
        (["b", "a", "c", "d"] * 10, "classification", 4),
        ([0, 1] * 20, "classification", 1),
        ([1.0, 2.0, 3.0, 4.0] * 10, "classification", 4),
        ([True, False] * 20, "classification", 1),
        (np.arange(40), "regression", 1),
        (np.arange(40) / 7, "regression", 1),
        ([*range(10), *range(10), *range(10), *range(9), 12], "regression", 1),
    ],
)
def test_the_target_determines_the_task(target: object, kind: str, outputs: int) -> None:
    problem = Problem.from_table(pd.DataFrame({"x": np.arange(40.0), "y": target}))
    assert problem.task.kind == kind
    assert problem.task.output_shape == (outputs,)
    assert problem.model()(problem.split(0).x_train).shape == (28, outputs)


def test_task_overrides_the_detection() -> None:
    frame = pd.DataFrame({"x": np.arange(40.0), "y": [3, 4, 5, 6] * 10})
    assert 'task="regression"' in Problem.from_table(frame).summary
    problem = Problem.from_table(frame, task="regression")
    assert problem.task.kind == "regression"
    assert "task=" not in problem.summary


def test_a_regression_target_is_standardized_and_scored_in_its_own_units() -> None:
    frame = pd.DataFrame({"x": np.arange(100.0), "y": 1000 + 50 * np.arange(100.0) ** 0.5})
    problem = Problem.from_table(frame)
    split = problem.split(0)
    assert_allclose(split.y_train.double().mean(), 0, atol=1e-6)
    assert_allclose(split.y_train.double().std(correction=0), 1, atol=1e-6)
    outputs = split.y_test + 0.5
    assert_allclose(
        problem.task.metric.fn(outputs, split.y_test) * split.target_scale, 0.5 * split.target_scale
    )


def test_target_names_the_column() -> None:
    assert Problem.from_table(make_frame().dropna(), target="size").task.kind == "regression"


@pytest.mark.parametrize("target", ["3", "nothing"])
def test_an_unknown_target_lists_the_columns(target: str) -> None:
    with raises(ProblemError, target, "size, count, city, label"):
        Problem.from_table(make_frame(), target=target)


@pytest.mark.parametrize(
    ("target", "task", "mentions"),
    [
        (["g"] * 20, None, ["column y is g", "`target`"]),
        ([2.5] * 20, None, ["column y is 2.5", "`target`"]),
        (["a", "b"] * 10, "regression", ["column y", "such as a ", '`task="classification"`']),
        (["a", "b"] * 9 + ["a", "c"], None, ["class c", "column y", "one row"]),
        ([f"{i}.5" for i in range(19)] + ["unknown"], None, ["column y", "unknown in 1 rows"]),
        ([f"{i}.5" for i in range(19)] + ["unknown"], "regression", ["column y", "unknown"]),
        ([f"${i},000" for i in range(20)], None, ["column y", "$0,000 in 20 rows"]),
        ([1.5, 1e101] * 10, None, ["below 1e+100", "column y", "1e+101"]),
        ([i / 3 for i in range(20)], "classification", ["column y", '`task="regression"`']),
        ([f"n{i // 2}" for i in range(20)], None, ["column y", "10 classes in 20 rows"]),
        ([1.0, None] * 10, None, ["column y is missing 10 values"]),
        ([1.5, np.inf] * 10, None, ["column y holds inf"]),
        (["a", "b"] * 10, "guessing", ["task", "classification or regression", "guessing"]),
    ],
)
def test_targets_that_cannot_be_predicted(
    target: list, task: str | None, mentions: list[str]
) -> None:
    with raises(ProblemError, *mentions):
        Problem.from_table(pd.DataFrame({"x": np.arange(20.0), "y": target}), task=task)


def test_inputs_that_cannot_be_used() -> None:
    frame = pd.DataFrame({"x": [np.inf, 1.0] * 10, "y": ["a", "b"] * 10})
    with raises(ProblemError, "column x", "below 1e+100"):
        Problem.from_table(frame)
    with raises(ProblemError, "input", "y"):
        Problem.from_table(frame.assign(x=np.nan))


def test_the_fingerprint_is_of_the_content() -> None:
    def compute(frame: pd.DataFrame, **options: str) -> str:
        return Problem.from_table(frame, **options).fingerprint

    frame = make_frame().dropna()
    assert compute(frame) == compute(frame.copy())
    assert compute(frame) != compute(frame.assign(count=frame["count"] + 1))
    assert compute(frame) != compute(frame.rename(columns={"size": "length"}))
    assert compute(frame) != compute(frame, target="count")
    assert Problem.from_table(frame, name="other").fingerprint == compute(frame)


def test_a_problem_can_be_sent_to_another_process() -> None:
    problem = Problem.from_table(make_frame())
    copy: Problem = pickle.loads(pickle.dumps(problem))
    assert torch.equal(copy.split(1).x_train, problem.split(1).x_train)


def test_given_test_rows_are_the_same_for_every_seed() -> None:
    train, test = make_frame(80, seed=1), make_frame(30, seed=2)
    problem = Problem.from_table(train, test=test)
    assert problem.test_train_ratio is None
    assert problem.train_rows == 80
    first, second = problem.split(0), problem.split(1)
    assert torch.equal(first.x_test, second.x_test)
    assert first.y_test.flatten().tolist() == (test["label"] == "yes").tolist()
    # Only training rows determine the encoding: other test rows do not change it.
    other = Problem.from_table(train, test=make_frame(25, seed=3).assign(size=1e6, city="Bonn"))
    assert torch.equal(other.split(0).x_train, first.x_train)
    assert other.split(0).x_test[:, 2:].sum() == 0  # a city that no training row has
    assert other.fingerprint != problem.fingerprint
    joined = pd.concat([train, test], ignore_index=True)
    assert Problem.from_table(joined).fingerprint != problem.fingerprint


@pytest.mark.parametrize(
    ("change", "mentions"),
    [
        (lambda test: test.drop(columns="size"), ["lack size", "`header=False`"]),
        (lambda test: test.assign(size="big"), ["column size", "such as big"]),
        (lambda test: test.assign(label="maybe"), ["class maybe", "column label"]),
        (lambda test: test.assign(label=None), ["column label is missing 30 values"]),
    ],
)
def test_test_rows_that_do_not_match(change: Callable, mentions: list[str]) -> None:
    with raises(ProblemError, *mentions):
        Problem.from_table(make_frame(80), test=change(make_frame(30)))


def test_column_names_may_be_numbers() -> None:
    frame = make_frame()
    numbered = frame.set_axis(range(frame.shape[1]), axis=1)
    assert torch.equal(Problem.from_table(numbered).split(0).x_train, TABLE.split(0).x_train)


def test_a_table_is_a_file_or_a_frame() -> None:
    with raises(ProblemError, "table", "[1, 2]", "from_arrays"):
        Problem.from_table([1, 2])
    with raises(ProblemError, "test", "[1, 2]", "from_arrays"):
        Problem.from_table(make_frame(), test=[1, 2])
    with raises(ProblemError, "`header`", "data frame"):
        Problem.from_table(make_frame(), header=True)


def test_files_and_frames_of_the_same_rows_are_the_same_problem(tmp_path: Path) -> None:
    frame, test = make_frame(80, seed=1), make_frame(30, seed=2)
    path, test_path = tmp_path / "cities.csv", tmp_path / "test.csv"
    frame.to_csv(path, index=False)
    test.to_csv(test_path, index=False)
    from_file = Problem.from_table(path, test=test_path)
    assert (from_file.name, Problem.from_table(frame).name) == ("cities", "table")
    for other in (
        Problem.from_table(path, test=str(test_path)),
        Problem.from_table(str(path), test=test, name="other"),
    ):
        assert other.fingerprint == from_file.fingerprint


QUANTITY_FRAME = make_frame().dropna().drop(columns="label")[["count", "city", "size"]]


def compute_rmsle(outputs: Tensor, targets: Tensor) -> float:
    """Compute the error of logarithms, which needs the sizes themselves, not standardized ones."""
    errors = outputs.abs().log1p() - targets.abs().log1p()
    return float(errors.square().mean().sqrt())


RMSLE = Metric("RMSLE", compute_rmsle, greater_is_better=False)


@pytest.mark.parametrize(
    ("metric", "compute"),
    [
        ("rmse", root_mean_squared_error),
        ("MAE", mean_absolute_error),
        ("r2", r2_score),
        (RMSLE, lambda y, outputs: root_mean_squared_log_error(np.abs(y), np.abs(outputs))),
    ],
    ids=["rmse", "mae", "r2", "a metric of your own"],
)
def test_scores_of_a_quantity_have_its_unit(metric: str | Metric, compute: Callable) -> None:
    problem = Problem.from_table(QUANTITY_FRAME, metric=metric)
    run = Run(None, Settings(epochs=2), seed=3)
    model, result = train_and_get_model(problem, run)
    # The standardization is undone by hand: both parts are known from the frame itself.
    sizes = QUANTITY_FRAME["size"].to_numpy()
    train_rows, test_rows = train_test_split(
        np.arange(len(sizes)), train_size=0.7, random_state=derive_seeds(3).split
    )
    mean, scale = sizes[train_rows].mean(), sizes[train_rows].std()
    outputs = scale * model(problem.split(3).x_test).detach().double().numpy().ravel() + mean
    assert result.test_score == pytest.approx(compute(sizes[test_rows], outputs), rel=1e-4)
    (in_ensemble,) = EnsembleEngine().train(problem, [run])
    assert in_ensemble.test_score == pytest.approx(result.test_score, rel=1e-4)
    # A diverged run is scored like a prediction of the mean.
    diverging = replace(run, settings=replace(run.settings, lr=1e30))
    expected = compute(sizes[test_rows], np.full(len(test_rows), mean))
    for engine in (LoopEngine(), EnsembleEngine()):
        (diverged,) = engine.train(problem, [diverging])
        assert diverged.diverged
        assert diverged.test_score == pytest.approx(expected, rel=1e-4)


def test_the_loss_is_that_of_the_standardized_quantity() -> None:
    problem = Problem.from_table(QUANTITY_FRAME, metric="loss")
    model, result = train_and_get_model(problem, Run(None, Settings(epochs=2, lr=0.01), seed=3))
    split = problem.split(3)
    expected = nn.functional.mse_loss(model(split.x_test), split.y_test)
    assert result.test_score == pytest.approx(expected.item())


def test_a_metric_changes_the_fingerprint_unless_it_is_the_default() -> None:
    def compute(metric: str | Metric | None) -> str:
        return Problem.from_table(QUANTITY_FRAME, metric=metric).fingerprint

    assert compute("rmse") == compute("RMSE") == compute(None)
    assert len({compute(metric) for metric in (None, "mae", "r2", "loss", RMSLE)}) == 5


def test_metrics_that_do_not_suit_the_target() -> None:
    with raises(ProblemError, "metric", "rmse", "mae", "r2", "loss", "accuracy"):
        Problem.from_table(QUANTITY_FRAME, metric="accuracy")
    broken = Metric("broken", lambda outputs, targets: outputs.nothing)
    with raises(ProblemError, "metric broken", "nothing"):
        Problem.from_table(QUANTITY_FRAME, metric=broken)
