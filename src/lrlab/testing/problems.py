"""Checks of a problem: what a seed fixes, what is tested, what the loss and the metric take."""

import pickle
from collections.abc import Callable
from functools import partial
from math import isfinite

import numpy as np
import torch
from torch import Tensor

from lrlab.errors import TrainingError
from lrlab.problems import Problem, Split, derive_seeds
from lrlab.problems.seeds import fork_seeded_rng
from lrlab.testing.check import Check, run_checks, require
from lrlab.training import Result, Run, Settings, ensemble, loop

_BATCH_ROWS, _TRAINING_STEPS = 32, 30


def list_problem_checks(problem: Problem) -> list[Check]:
    """The checks of a problem, each to be called.

    They train for a few steps, and once over all rows. That test rows are no training rows is told
    by their content: up to half of them may be alike, as in data with rows that recur.

    Args:
        problem: one of your own.
    """
    rules: dict[str, Callable[[Problem], None]] = {
        "can be sent to other processes": _check_problem_pickles,
        "a seed fixes the split": _check_split_repeats,
        "seeds draw splits as overlap says": _check_splits_differ,
        "a seed fixes the initial weights": _check_initial_weights,
        "tests rows that it does not train on": _check_no_leak,
        "has the training rows that it says": _check_row_counts,
        "the loss reaches the weights": _check_loss,
        "the metric goes the way it says": _check_metric_direction,
        "a guess has a score": _check_dummy_score,
        "the ensemble agrees with the loop, or says why it cannot": _check_engines_agree,
    }
    return [Check(name, partial(rule, problem)) for name, rule in rules.items()]


def check_problem(problem: Problem) -> None:
    """All of ``list_problem_checks``.

    Raises:
        AssertionError: one fails.
    """
    run_checks(list_problem_checks(problem))


def require_picklable(value: object) -> None:
    """Demands that a value can be pickled.

    Raises:
        AssertionError: it cannot.
    """
    try:
        pickle.loads(pickle.dumps(value))
    except Exception as error:
        raise AssertionError(
            f"what is trained must be picklable to reach worker processes, but {error}; define its "
            "functions and classes at the top of a module."
        ) from error


def _check_problem_pickles(problem: Problem) -> None:
    require_picklable(problem)


def _check_split_repeats(problem: Problem) -> None:
    require(
        _are_equal_splits(problem.split(0), problem.split(0)),
        "a seed must give the same split each time, but two splits of seed 0 differ; draw from "
        "np.random.default_rng(seed) and nothing else.",
    )


def _check_splits_differ(problem: Problem) -> None:
    first, second = problem.split(0), problem.split(1)
    is_same = _are_equal_splits(first, second)
    if problem.test_train_ratio is None:
        require(
            torch.equal(first.x_test, second.x_test),
            "overlap=None says that all seeds have the same test rows, but those of seeds 0 and 1 "
            "differ; give overlap=test rows / training rows.",
        )
    else:
        require(
            not is_same,
            f"overlap={problem.test_train_ratio:g} says that every seed draws its own test rows, but those "
            "of seeds 0 and 1 are the same; draw by the seed, or give overlap=None.",
        )
        ratio = len(first.x_test) / len(first.x_train)
        require(
            abs(problem.test_train_ratio - ratio) < 0.01,
            f"overlap is test rows for each row that is not tested, {ratio:.3g} here, got "
            f"{problem.test_train_ratio:.3g}; the intervals for new data follow from it.",
        )


def _check_initial_weights(problem: Problem) -> None:
    one, again, other = (loop.init_model(problem, derive_seeds(seed).weights) for seed in (0, 0, 1))
    pairs = list(zip(one.parameters(), again.parameters(), other.parameters(), strict=True))
    require(
        all(torch.equal(a, b) for a, b, _ in pairs),
        "a seed must give the same initial weights each time, but two networks of seed 0 differ; "
        "draw them from torch's random numbers alone.",
    )
    require(
        not all(torch.equal(a, c) for a, _, c in pairs),
        "another seed must give other initial weights, but those of seeds 0 and 1 are the same; "
        "build the network anew in model(), without a seed of its own.",
    )


def _check_no_leak(problem: Problem) -> None:
    split = problem.split(0)
    train_rows = set(_to_row_bytes(split.x_train, split.y_train))
    leaked = sum(row in train_rows for row in _to_row_bytes(split.x_test, split.y_test))
    require(
        leaked <= len(split.x_test) / 2,
        f"test rows must not be trained on, but {leaked} of {len(split.x_test)} are among the "
        "training rows; split by rows, each in one part only.",
    )


def _check_row_counts(problem: Problem) -> None:
    for seed in (0, 1):
        split = problem.split(seed)
        require(
            len(split.x_train) == len(split.y_train) == problem.train_rows,
            f"train_rows must be the training rows of every seed, but it is {problem.train_rows} "
            f"and seed {seed} has {len(split.x_train)} with {len(split.y_train)} targets.",
        )
        require(
            len(split.x_test) == len(split.y_test) > 0,
            f"every test row needs a target, but seed {seed} has {len(split.x_test)} rows and "
            f"{len(split.y_test)} targets.",
        )


def _check_loss(problem: Problem) -> None:
    split = problem.split(0)
    network = loop.init_model(problem, derive_seeds(0).weights)
    loss = problem.task.loss(network(split.x_train[:_BATCH_ROWS]), split.y_train[:_BATCH_ROWS])
    require(
        loss.dim() == 0 and bool(loss.isfinite()),
        f"the loss must be one finite number, got {loss}; see whether the data is scaled, and take "
        "the mean over the rows.",
    )
    loss.backward()
    require(
        any(p.grad is not None and bool(p.grad.any()) for p in network.parameters()),
        "the loss must have a gradient by some weight, but all are 0; compute it by torch's "
        "functions from the outputs.",
    )


def _check_metric_direction(problem: Problem) -> None:
    split, metric = problem.split(0), problem.metric
    scores = []
    for sign in (1, -1):
        with fork_seeded_rng(0):
            network = problem.model()
        x, y = split.x_test[:_BATCH_ROWS], split.y_test[:_BATCH_ROWS]
        optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
        for _ in range(_TRAINING_STEPS):
            optimizer.zero_grad()
            (sign * problem.task.loss(network(x), y)).backward()
            optimizer.step()
        with torch.no_grad():
            scores.append(float(metric.fn(network.eval()(x), y)))
    good, bad = scores
    is_better = good > bad if metric.greater_is_better else good < bad
    direction = "more" if metric.greater_is_better else "less"
    require(
        is_better,
        f"{direction} {metric.name} is said to be better, but a network trained on {len(x)} rows has "
        f"{good:.4g} there and one trained against them {bad:.4g}; turn more_is_better, or see "
        "what the metric takes outputs and targets for.",
    )


def _check_dummy_score(problem: Problem) -> None:
    score = loop.compute_dummy_score(problem, problem.split(0))
    require(
        isfinite(score),
        f"a diverged run scores as a constant guess, which must be finite, got {score}; see "
        "task.guess.",
    )


def _check_engines_agree(problem: Problem) -> None:
    settings = Settings(lr=1e-3, epochs=2, batch_size=max(1, problem.train_rows // 4))
    runs = [Run(None, settings, seed) for seed in (0, 1)]
    try:
        ensemble_results = ensemble.train(problem, runs)
    except TrainingError:  # which says why
        return
    for run, ensemble_result in zip(runs, ensemble_results, strict=True):
        loop_result = loop.train(problem, run)
        require(
            _results_agree(ensemble_result, loop_result),
            f"the ensemble must give the loop's numbers, but with seed {run.seed} the loss is "
            f"{_describe_last_loss(ensemble_result)} and {_describe_last_loss(loop_result)}; the network keeps something beside its parameters "
            "and buffers: use the loop (--engine loop).",
        )


def _results_agree(ensemble_result: Result, loop_result: Result) -> bool:
    if ensemble_result.diverged or loop_result.diverged:
        return ensemble_result.diverged == loop_result.diverged
    return np.allclose(ensemble_result.curve.get_column("loss"), loop_result.curve.get_column("loss"), rtol=1e-3)


def _describe_last_loss(result: Result) -> str:
    return "diverged" if result.diverged else f"{result.curve[-1].loss:.6g}"


def _are_equal_splits(first: Split, second: Split) -> bool:
    return all(
        torch.equal(getattr(first, name), getattr(second, name))
        for name in ("x_train", "y_train", "x_test", "y_test")
    )


def _to_row_bytes(x: Tensor, y: Tensor) -> list[bytes]:
    """Every row with its target, as bytes."""
    pairs = zip(x.flatten(1) if x.dim() > 1 else x, y, strict=True)
    return [a.numpy().tobytes() + b.numpy().tobytes() for a, b in pairs]
