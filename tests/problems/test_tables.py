"""Encoding and splitting of tables, against scikit-learn and by hand."""

import pickle
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.errors import ProblemError
from lrlab.problems import Problem


def frame_of(rows: int = 100, seed: int = 0) -> pd.DataFrame:
    numbers = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "size": numbers.normal(5, 3, rows),
            "count": numbers.integers(0, 9, rows).astype(float),
            "city": numbers.choice(["Rome", "Oslo", "Lima"], rows),
            "label": numbers.choice(["no", "yes"], rows, p=[0.3, 0.7]),
        }
    )
    frame.loc[numbers.choice(rows, 10, replace=False), "size"] = np.nan
    frame.loc[numbers.choice(rows, 10, replace=False), "city"] = None
    return frame


@given(seed=st.integers(0, 10_000))
def test_numbers_are_standardised_by_the_training_rows_alone(seed: int) -> None:
    problem = Problem.from_frame(frame_of())
    split = problem.split(seed)
    numbers = split.x_train[:, :2].double().numpy()
    assert_allclose(numbers.mean(axis=0), 0, atol=1e-6)
    assert_allclose(numbers.std(axis=0), 1, atol=1e-6)
    assert (np.abs(split.x_test[:, :2].double().numpy().mean(axis=0)) > 1e-6).any()


def test_test_rows_have_no_say_in_the_encoding() -> None:
    frame = frame_of()
    before = Problem.from_frame(frame).split(0)
    changed = frame.copy()
    row = int(before.x_test.shape[0])  # find a test row by changing one after the other
    for row in range(len(frame)):
        changed = frame.copy()
        changed.loc[row, "size"] = 1e6
        after = Problem.from_frame(changed).split(0)
        if float(after.x_test.abs().max()) > 1e4:
            break
    assert torch.equal(after.x_train, before.x_train)


def test_split_is_stratified_disjoint_and_seventy_percent() -> None:
    frame = frame_of(200).assign(size=np.arange(200.0))
    problem = Problem.from_frame(frame)
    split = problem.split(3)
    assert len(split.x_train) == 140 == problem.train_rows
    assert len(split.x_test) == 60
    share = (frame["label"] == "yes").mean()
    assert abs(float(split.y_train.mean()) - share) < 0.01
    sizes = torch.cat([split.x_train[:, 0], split.x_test[:, 0]])
    assert len(torch.unique(sizes)) == 200


def test_equal_seeds_give_equal_splits_and_others_do_not() -> None:
    problem = Problem.from_frame(frame_of())
    assert torch.equal(problem.split(5).x_train, problem.split(5).x_train)
    assert not torch.equal(problem.split(5).x_train, problem.split(6).x_train)


def test_text_becomes_one_input_per_category_whatever_the_split() -> None:
    problem = Problem.from_frame(frame_of())
    for seed in range(5):
        categories = problem.split(seed).x_train[:, 2:]
        assert categories.shape[1] == 4  # three cities and the missing one
        assert torch.equal(categories.sum(dim=1), torch.ones(len(categories)))


def test_a_column_of_numbers_with_a_slip_is_doubted() -> None:
    frame = frame_of()
    assert Problem.from_frame(frame).data_warnings == ()
    slipped = frame.assign(count=["unknown", *frame["count"][1:].astype(str)])
    (doubt,) = Problem.from_frame(slipped).data_warnings
    assert "column count is taken for categories because 1 of its 100 cells" in doubt
    assert "such as unknown" in doubt
    money = frame.assign(count=[f"${i},017" for i in range(100)])
    (doubt,) = Problem.from_frame(money).data_warnings
    assert "100 of its 100 cells are no plain numbers, such as $0,017" in doubt


def test_a_column_that_names_the_rows_is_doubted() -> None:
    named = frame_of().assign(city=[f"no {i}" for i in range(100)])
    (doubt,) = Problem.from_frame(named).data_warnings
    assert "column city holds 100 different texts, of which the 32 most frequent" in doubt


def test_rare_categories_share_the_absence_of_all_others() -> None:
    rows = 400
    frame = pd.DataFrame({"name": [f"n{i % 50}" for i in range(rows)], "y": [0, 1] * (rows // 2)})
    assert Problem.from_frame(frame).split(0).x_train.shape[1] == 32


def test_missing_numbers_become_the_median_of_the_training_rows() -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0, np.nan] * 20, "y": ["a", "b"] * 40})
    split = Problem.from_frame(frame).split(0)
    assert len(torch.unique(split.x_train)) == 3


def test_constant_and_empty_columns_do_no_harm() -> None:
    frame = pd.DataFrame({"x": np.arange(20.0), "same": 1, "none": np.nan, "y": ["a", "b"] * 10})
    split = Problem.from_frame(frame).split(0)
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
def test_the_task_is_told_by_the_target(target: object, kind: str, outputs: int) -> None:
    problem = Problem.from_frame(pd.DataFrame({"x": np.arange(40.0), "y": target}))
    assert problem.task.kind == kind
    assert problem.task.output_size == outputs
    assert problem.model()(problem.split(0).x_train).shape == (28, outputs)


def test_the_task_may_be_said() -> None:
    frame = pd.DataFrame({"x": np.arange(40.0), "y": [3, 4, 5, 6] * 10})
    assert "--task regression" in Problem.from_frame(frame).summary
    problem = Problem.from_frame(frame, task="regression")
    assert problem.task.kind == "regression"
    assert "--task" not in problem.summary


def test_a_regression_target_is_standardised_and_scored_in_its_own_units() -> None:
    frame = pd.DataFrame({"x": np.arange(100.0), "y": 1000 + 50 * np.arange(100.0) ** 0.5})
    problem = Problem.from_frame(frame)
    split = problem.split(0)
    assert_allclose(split.y_train.double().mean(), 0, atol=1e-6)
    assert_allclose(split.y_train.double().std(correction=0), 1, atol=1e-6)
    outputs = split.y_test + 0.5
    assert_allclose(
        problem.task.metric.fn(outputs, split.y_test) * split.target_scale, 0.5 * split.target_scale
    )


@pytest.mark.parametrize("target", ["size", "3", "nothing"])
def test_an_unknown_target_lists_the_columns(target: str) -> None:
    if target == "size":
        assert Problem.from_frame(frame_of().dropna(), target=target).task.kind == "regression"
        return
    with pytest.raises(ProblemError, match=r"the columns are size, count, city, label"):
        Problem.from_frame(frame_of(), target=target)


@pytest.mark.parametrize(
    ("target", "task", "said"),
    [
        (["g"] * 20, None, "column y is g in every row"),
        ([2.5] * 20, None, "column y is 2.5 in every row"),
        (["a", "b"] * 10, "regression", "holds text such as a"),
        (["a", "b"] * 9 + ["a", "c"], None, "class c in column y has one row"),
        ([f"{i}.5" for i in range(19)] + ["unknown"], None, "holds text such as unknown in 1 rows"),
        ([f"{i}.5" for i in range(19)] + ["unknown"], "regression", "text such as unknown"),
        ([f"${i},000" for i in range(20)], None, "holds text such as $0,000 in 20 rows"),
        ([1.5, 1e101] * 10, None, "a target must be below 1e+100"),
        ([i / 3 for i in range(20)], "classification", "use --task regression"),
        ([f"n{i // 2}" for i in range(20)], None, "10 classes in 20 rows"),
        ([1.0, None] * 10, None, "column y lacks 10"),
        ([1.5, np.inf] * 10, None, "but column y holds inf"),
        (["a", "b"] * 10, "guessing", "classification or regression, got guessing"),
    ],
)
def test_targets_that_cannot_be_predicted(target: list, task: str | None, said: str) -> None:
    with pytest.raises(ProblemError) as caught:
        Problem.from_frame(pd.DataFrame({"x": np.arange(20.0), "y": target}), task=task)
    assert said in str(caught.value)


def test_inputs_that_cannot_be_used() -> None:
    frame = pd.DataFrame({"x": [np.inf, 1.0] * 10, "y": ["a", "b"] * 10})
    with pytest.raises(ProblemError, match=r"column x must hold numbers below 1e\+100"):
        Problem.from_frame(frame)
    with pytest.raises(ProblemError, match="there is no input"):
        Problem.from_frame(frame.assign(x=np.nan))


def test_the_fingerprint_is_of_the_content() -> None:
    def print_of(frame: pd.DataFrame, **words: str) -> str:
        return Problem.from_frame(frame, name="name", **words).fingerprint

    frame = frame_of().dropna()
    assert print_of(frame) == print_of(frame.copy())
    assert print_of(frame) != print_of(frame.assign(count=frame["count"] + 1))
    assert print_of(frame) != print_of(frame.rename(columns={"size": "length"}))
    assert print_of(frame) != print_of(frame, target="count")
    assert Problem.from_frame(frame, name="other").fingerprint == print_of(frame)


def test_a_problem_can_be_sent_to_another_process() -> None:
    problem = Problem.from_frame(frame_of())
    other: Problem = pickle.loads(pickle.dumps(problem))
    assert torch.equal(other.split(1).x_train, problem.split(1).x_train)


def test_given_test_rows_are_those_of_every_seed() -> None:
    train, test = frame_of(80, seed=1), frame_of(30, seed=2)
    problem = Problem.from_frame(train, test_frame=test)
    assert problem.test_train_ratio is None
    assert problem.train_rows == 80
    first, second = problem.split(0), problem.split(1)
    assert torch.equal(first.x_test, second.x_test)
    assert first.y_test.flatten().tolist() == (test["label"] == "yes").tolist()
    # Encoded by the training rows alone: any other test rows leave these as they are.
    other = Problem.from_frame(train, test_frame=frame_of(25, seed=3).assign(size=1e6, city="Bonn"))
    assert torch.equal(other.split(0).x_train, first.x_train)
    assert other.split(0).x_test[:, 2:].sum() == 0  # a city that no training row has
    assert other.fingerprint != problem.fingerprint
    joined = pd.concat([train, test], ignore_index=True)
    assert Problem.from_frame(joined).fingerprint != problem.fingerprint


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (lambda test: test.drop(columns="size"), "lack size"),
        (lambda test: test.assign(size="big"), "column size holds numbers .* such as big"),
        (
            lambda test: test.assign(label="maybe"),
            "maybe of column label is in the test rows alone",
        ),
        (lambda test: test.assign(label=None), "every row needs a target"),
    ],
)
def test_test_rows_that_do_not_suit(changed: Callable, said: str) -> None:
    with pytest.raises(ProblemError, match=said):
        Problem.from_frame(frame_of(80), test_frame=changed(frame_of(30)))
