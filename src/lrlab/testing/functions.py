"""Checks of a training function: it repeats itself, and obeys seed, schedule and settings."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from lrlab.problems import TrainingFunction
from lrlab.schedules import Constant, Schedule
from lrlab.testing.check import Check, run_checks, require
from lrlab.testing.problems import require_picklable
from lrlab.training import Curve, Result, Run, Settings, functions

_DEFAULT_SETTINGS = Settings(epochs=2)
_CONSTANT_RATE = Constant(1.0)


@dataclass(frozen=True)
class _TrainingSubject:
    """A training function, and the settings that it is checked with."""

    problem: TrainingFunction
    settings: Settings

    def train_run(self, schedule: Schedule = _CONSTANT_RATE, seed: int = 0, **changes: Any) -> Result:
        """What comes of a run."""
        run = Run(schedule, replace(self.settings, **changes), seed)
        return functions.run_training_function(self.problem, run)

    def train_curve(self, schedule: Schedule = _CONSTANT_RATE, seed: int = 0, **changes: Any) -> Curve:
        """All that is reported of a run."""
        return self.train_run(schedule, seed, **changes).curve


def list_training_checks(
    train: TrainingFunction | Callable[[Any], object],
    settings: Settings = _DEFAULT_SETTINGS,
    **options: Any,
) -> list[Check]:
    """The checks of a training function, each to be called; most train one or two runs.

    Args:
        train: the function, or one that is a ``TrainingFunction`` already.
        settings: of the runs; two epochs at the tutorial's settings when left out.
        **options: what a plain function is made a ``TrainingFunction`` with, such as ``metric``.

    Raises:
        TrainingError: it cannot be made one.
    """
    problem = train if isinstance(train, TrainingFunction) else TrainingFunction(train, **options)
    subject = _TrainingSubject(problem, settings)
    rules: dict[str, Callable[[_TrainingSubject], None]] = {
        "trains and reports every epoch": _check_reports,
        "can be sent to other processes": _check_function_pickles,
        "gives the same numbers for the same run": _check_repeatable,
        "gives other numbers for another seed": _check_follows_seed,
        "obeys the schedule": _check_follows_schedule,
        "obeys the base rate": _check_follows_lr,
        "trains as many epochs as it is told": _check_follows_epochs,
        "holds rows out for validation": _check_validation_rows,
    }
    return [Check(name, partial(rule, subject)) for name, rule in rules.items()]


def check_training(
    train: TrainingFunction | Callable[[Any], object],
    settings: Settings = _DEFAULT_SETTINGS,
    **options: Any,
) -> None:
    """All of ``list_training_checks``.

    Raises:
        AssertionError: one fails.
    """
    run_checks(list_training_checks(train, settings, **options))


def _check_reports(subject: _TrainingSubject) -> None:
    result = subject.train_run()
    require(
        not result.diverged,
        f"a run at lr={subject.settings.lr:g} must not diverge for the checks to tell anything, "
        "but it did; give settings=Settings(lr=...) with a lower rate.",
    )


def _check_function_pickles(subject: _TrainingSubject) -> None:
    require_picklable(subject.problem)


def _check_repeatable(subject: _TrainingSubject) -> None:
    one, other = subject.train_curve(), subject.train_curve()
    require(
        one == other,
        f"the same run must give the same numbers, but {_describe_difference(one, other)} of two runs of "
        "seed 0 differ; draw all random numbers by run.seed.",
    )


def _check_follows_seed(subject: _TrainingSubject) -> None:
    require(
        subject.train_curve() != subject.train_curve(seed=1),
        "another seed must give other numbers, but seeds 0 and 1 report the same; draw split, "
        "initial weights and order of batches by run.seed.",
    )


def _check_follows_schedule(subject: _TrainingSubject) -> None:
    require(
        _get_training_columns(subject.train_curve()) != _get_training_columns(subject.train_curve(Constant(0.3))),
        "a run must follow its schedule, but Constant(1.0) and Constant(0.3) report the same; "
        "train with scheduler = run.scheduler(optimizer) and step it, and report the loss too.",
    )


def _check_follows_lr(subject: _TrainingSubject) -> None:
    lower = 0.3 * subject.settings.lr
    require(
        _get_training_columns(subject.train_curve()) != _get_training_columns(subject.train_curve(lr=lower)),
        f"a run must train at run.lr, but {subject.settings.lr:g} and {lower:g} report the same; "
        "build the optimizer with lr=run.lr, and report the loss too.",
    )


def _check_follows_epochs(subject: _TrainingSubject) -> None:
    more = subject.settings.epochs + 1
    found = len(subject.train_curve(epochs=more))
    require(
        found == more,
        f"a run must train run.epochs epochs, {more}, got {found}; loop over range(run.epochs).",
    )


def _check_validation_rows(subject: _TrainingSubject) -> None:
    with_validation = subject.train_curve(validation=0.25)
    require(
        _get_training_columns(with_validation) != _get_training_columns(subject.train_curve(validation=0.0)),
        "rows held out for validation must not be trained on, but run.validation of 0.25 and 0 "
        "report the same; leave that share of the training rows out, by run.seed.",
    )


def _get_training_columns(curve: Curve) -> list[list[str]]:
    """What is reported of the network itself, which differs where training did."""
    names = ("loss", "score", *curve.columns[7:])
    return [[repr(v) for v in curve.get_column(name).tolist()] for name in names]


def _describe_difference(first: Curve, second: Curve) -> str:
    if first.columns != second.columns or len(first) != len(second):
        return "what is reported"
    names = [
        name
        for name in first.columns
        if repr(first.get_column(name).tolist()) != repr(second.get_column(name).tolist())
    ]
    return " and ".join(names)
