"""What studies and single trainings take alike: a problem, or where to load it, and warnings."""

from collections.abc import Iterable
from itertools import chain
from os import PathLike, fspath

from lrlab.errors import ProblemError, shorten_repr
from lrlab.problems import Metric, Trainable
from lrlab.problems import ProblemSource as ProblemSource
from lrlab.schedules import Schedule, lint
from lrlab.training import Settings

ProblemInput = Trainable | ProblemSource | str | PathLike[str]
"""A problem, or its name or file."""


def find_warnings(
    problem: Trainable, grid: Iterable[Settings], schedules: Iterable[Schedule]
) -> tuple[str, ...]:
    """Return warnings of likely mistakes in the data and in some schedules.

    Args:
        problem: what is trained.
        grid: the settings to train it with, one or more.
        schedules: the schedules that the user named; default schedules need no warnings.
    """
    settings, *others = grid
    steps_per_epoch = settings.count_steps_per_epoch(problem.train_rows)
    total_steps = settings.epochs * steps_per_epoch
    lrs = dict.fromkeys(s.lr for s in (settings, *others))
    findings = (
        # Findings at several learning rates are much the same: the longest list is enough.
        max(
            (
                lint(schedule, lr, total_steps=total_steps, steps_per_epoch=steps_per_epoch)
                for lr in lrs
            ),
            key=len,
        )
        for schedule in schedules
    )
    return tuple(dict.fromkeys((*problem.data_warnings, *chain.from_iterable(findings))))


def load_problem_input(
    problem: ProblemInput,
    *,
    target: str | None = None,
    task: str | None = None,
    metric: str | Metric | None = None,
) -> tuple[Trainable, ProblemSource | None]:
    """Return the problem, and how to load it again; None if a database cannot store that.

    Args:
        problem, target, task, metric: see ``compare``.

    Raises:
        ProblemError: the problem cannot be loaded, or is a value and an option is given.
    """
    options = {"target": target, "task": task, "metric": metric}
    if isinstance(problem, str | PathLike):
        source = ProblemSource(fspath(problem), options)
        return source.load(), None if isinstance(metric, Metric) else source
    for name, value in options.items():
        if value is not None:
            raise ProblemError(
                f"`{name}` is for the name of a data set or a file, got {shorten_repr(problem)}, "
                f"which has its own; make the problem with it, as Problem.from_table(file, "
                f"{name}=...) does."
            )
    if isinstance(problem, ProblemSource):
        return problem.load(), problem
    if not isinstance(problem, Trainable):
        remedy = (
            "wrap a function of your own: `TrainingFunction(train, metric=...)`"
            if callable(problem) and not isinstance(problem, Schedule)
            else "the order is `lrlab.compare(problem, schedules)`"
        )
        raise ProblemError(
            "`problem` must be a Problem, a TrainingFunction or the name of a data set or file, "
            f"got {shorten_repr(problem)}; {remedy}."
        )
    return problem, None
