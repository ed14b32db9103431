"""Checks of a problem: what a seed fixes, what is tested, what the loss and the metric take."""

import pickle
from collections.abc import Callable
from functools import partial
from math import isfinite

import numpy as np
import torch
from torch import Tensor

from lrlab.errors import TrainingError
from lrlab.problems import Problem, Split, streams
from lrlab.problems.seeds import drawing
from lrlab.testing.check import Check, call_all, demand
from lrlab.training import Result, Run, Settings, ensemble, loop

_ROWS, _STEPS = 32, 30


def problem_checks(problem: Problem) -> list[Check]:
    """The checks of a problem, each to be called.

    They train for a few steps, and once over all rows. That test rows are no training rows is told
    by their content: up to half of them may be alike, as in data with rows that recur.

    Args:
        problem: one of your own.
    """
    rules: dict[str, Callable[[Problem], None]] = {
        "can be sent to other processes": _picklable,
        "a seed fixes the split": _same_split,
        "seeds draw splits as overlap says": _other_splits,
        "a seed fixes the initial weights": _weights,
        "tests rows that it does not train on": _no_leak,
        "has the training rows that it says": _sizes,
        "the loss reaches the weights": _loss,
        "the metric goes the way it says": _direction,
        "a guess has a score": _guess,
        "the ensemble agrees with the loop, or says why it cannot": _engines,
    }
    return [Check(name, partial(rule, problem)) for name, rule in rules.items()]


def check_problem(problem: Problem) -> None:
    """All of ``problem_checks``.

    Raises:
        AssertionError: one fails.
    """
    call_all(problem_checks(problem))


def picklable(value: object) -> None:
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


def _picklable(problem: Problem) -> None:
    picklable(problem)


def _same_split(problem: Problem) -> None:
    demand(
        _alike(problem.split(0), problem.split(0)),
        "a seed must give the same split each time, but two splits of seed 0 differ; draw from "
        "np.random.default_rng(seed) and nothing else.",
    )


def _other_splits(problem: Problem) -> None:
    first, second = problem.split(0), problem.split(1)
    same = _alike(first, second)
    if problem.overlap is None:
        demand(
            torch.equal(first.x_test, second.x_test),
            "overlap=None says that all seeds have the same test rows, but those of seeds 0 and 1 "
            "differ; give overlap=test rows / training rows.",
        )
    else:
        demand(
            not same,
            f"overlap={problem.overlap:g} says that every seed draws its own test rows, but those "
            "of seeds 0 and 1 are the same; draw by the seed, or give overlap=None.",
        )
        share = len(first.x_test) / len(first.x_train)
        demand(
            abs(problem.overlap - share) < 0.01,
            f"overlap is test rows for each row that is not tested, {share:.3g} here, got "
            f"{problem.overlap:.3g}; the intervals for new data follow from it.",
        )


def _weights(problem: Problem) -> None:
    one, again, other = (loop.fresh(problem, streams(seed).weights) for seed in (0, 0, 1))
    pairs = list(zip(one.parameters(), again.parameters(), other.parameters(), strict=True))
    demand(
        all(torch.equal(a, b) for a, b, _ in pairs),
        "a seed must give the same initial weights each time, but two networks of seed 0 differ; "
        "draw them from torch's random numbers alone.",
    )
    demand(
        not all(torch.equal(a, c) for a, _, c in pairs),
        "another seed must give other initial weights, but those of seeds 0 and 1 are the same; "
        "build the network anew in model(), without a seed of its own.",
    )


def _no_leak(problem: Problem) -> None:
    split = problem.split(0)
    known = set(_rows(split.x_train, split.y_train))
    again = sum(row in known for row in _rows(split.x_test, split.y_test))
    demand(
        again <= len(split.x_test) / 2,
        f"test rows must not be trained on, but {again} of {len(split.x_test)} are among the "
        "training rows; split by rows, each in one part only.",
    )


def _sizes(problem: Problem) -> None:
    for seed in (0, 1):
        split = problem.split(seed)
        demand(
            len(split.x_train) == len(split.y_train) == problem.train_rows,
            f"train_rows must be the training rows of every seed, but it is {problem.train_rows} "
            f"and seed {seed} has {len(split.x_train)} with {len(split.y_train)} targets.",
        )
        demand(
            len(split.x_test) == len(split.y_test) > 0,
            f"every test row needs a target, but seed {seed} has {len(split.x_test)} rows and "
            f"{len(split.y_test)} targets.",
        )


def _loss(problem: Problem) -> None:
    split = problem.split(0)
    network = loop.fresh(problem, streams(0).weights)
    loss = problem.task.loss(network(split.x_train[:_ROWS]), split.y_train[:_ROWS])
    demand(
        loss.dim() == 0 and bool(loss.isfinite()),
        f"the loss must be one finite number, got {loss}; see whether the data is scaled, and take "
        "the mean over the rows.",
    )
    loss.backward()
    demand(
        any(p.grad is not None and bool(p.grad.any()) for p in network.parameters()),
        "the loss must have a gradient by some weight, but all are 0; compute it by torch's "
        "functions from the outputs.",
    )


def _direction(problem: Problem) -> None:
    split, metric = problem.split(0), problem.metric
    scores = []
    for sign in (1, -1):
        with drawing(0):
            network = problem.model()
        x, y = split.x_test[:_ROWS], split.y_test[:_ROWS]
        optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
        for _ in range(_STEPS):
            optimizer.zero_grad()
            (sign * problem.task.loss(network(x), y)).backward()
            optimizer.step()
        with torch.no_grad():
            scores.append(float(metric.of(network.eval()(x), y)))
    good, bad = scores
    better = good > bad if metric.more_is_better else good < bad
    way = "more" if metric.more_is_better else "less"
    demand(
        better,
        f"{way} {metric.name} is said to be better, but a network trained on {len(x)} rows has "
        f"{good:.4g} there and one trained against them {bad:.4g}; turn more_is_better, or see "
        "what the metric takes outputs and targets for.",
    )


def _guess(problem: Problem) -> None:
    score = loop.score_of_a_guess(problem, problem.split(0))
    demand(
        isfinite(score),
        f"a diverged run scores as a constant guess, which must be finite, got {score}; see "
        "task.guess.",
    )


def _engines(problem: Problem) -> None:
    settings = Settings(lr=1e-3, epochs=2, batch_size=max(1, problem.train_rows // 4))
    runs = [Run(None, settings, seed) for seed in (0, 1)]
    try:
        together = ensemble.train(problem, runs)
    except TrainingError:  # which says why
        return
    for run, ours in zip(runs, together, strict=True):
        theirs = loop.train(problem, run)
        demand(
            _agree(ours, theirs),
            f"the ensemble must give the loop's numbers, but with seed {run.seed} the loss is "
            f"{_last(ours)} and {_last(theirs)}; the network keeps something beside its parameters "
            "and buffers: use the loop (--engine loop).",
        )


def _agree(ours: Result, theirs: Result) -> bool:
    if ours.diverged or theirs.diverged:
        return ours.diverged == theirs.diverged
    return np.allclose(ours.epochs.column("loss"), theirs.epochs.column("loss"), rtol=1e-3)


def _last(result: Result) -> str:
    return "diverged" if result.diverged else f"{result.epochs[-1].loss:.6g}"


def _alike(one: Split, other: Split) -> bool:
    return all(
        torch.equal(getattr(one, name), getattr(other, name))
        for name in ("x_train", "y_train", "x_test", "y_test")
    )


def _rows(x: Tensor, y: Tensor) -> list[bytes]:
    """Every row with its target, as bytes."""
    pairs = zip(x.flatten(1) if x.dim() > 1 else x, y, strict=True)
    return [a.numpy().tobytes() + b.numpy().tobytes() for a, b in pairs]
