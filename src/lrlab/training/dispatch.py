"""How a run of any problem is trained: the one place that asks what kind of problem it is."""

from collections.abc import Callable
from functools import singledispatch

from lrlab.errors import TrainingError
from lrlab.problems import Problem, Trainable, TrainingFunction
from lrlab.training import context, loop
from lrlab.training.result import Epoch, Result
from lrlab.training.run import Run


@singledispatch
def train(
    problem: Trainable,
    run: Run,
    on_epoch_end: Callable[[Epoch], None] = lambda epoch: None,
    device: str = "cpu",
) -> Result:
    """Train one run, and score it on its test rows after every epoch.

    A problem is trained by ``training/loop.py``, which defines a run; a training function trains
    itself. Register another kind of problem with ``train.register``.

    Args:
        problem: what is trained.
        run: schedule, settings and seed.
        on_epoch_end: callback for every epoch that ended; while a training function runs,
            ``lr_end`` is not known yet.
        device: device to train on, as torch names it.

    Raises:
        ScheduleError: the schedule cannot be bound to this training, or gives an invalid value.
        TrainingError: the schedule needs a metric that this training does not have, a training
            function fails, or nobody knows how to train such a problem.

    >>> from lrlab.problems import load_problem
    >>> from lrlab.training import Settings
    >>> result = train(load_problem("iris"), Run(None, Settings(epochs=2), seed=0))
    >>> result.diverged, len(result.curve)
    (False, 2)
    """
    raise TrainingError(
        f"{problem.name} must be a Problem or a TrainingFunction to be trained, got a "
        f"{type(problem).__name__}; say how to train it with lrlab.training.train.register."
    )


@train.register
def _train_problem(
    problem: Problem,
    run: Run,
    on_epoch_end: Callable[[Epoch], None] = lambda epoch: None,
    device: str = "cpu",
) -> Result:
    return loop.train(problem, run, on_epoch_end, device)


@train.register
def _train_function(
    problem: TrainingFunction,
    run: Run,
    on_epoch_end: Callable[[Epoch], None] = lambda epoch: None,
    device: str = "cpu",
) -> Result:
    return context.run_training_function(problem, run, on_epoch_end, device)


@singledispatch
def require_rows(problem: Trainable) -> Problem:
    """Return a problem whose rows lrlab has, as the ensemble and the measurement of time need.

    Raises:
        TrainingError: it has none.
    """
    raise TrainingError(
        f"{problem.name} must be a Problem, whose rows lrlab has, got a {type(problem).__name__}."
    )


@require_rows.register
def _return_problem(problem: Problem) -> Problem:
    return problem
