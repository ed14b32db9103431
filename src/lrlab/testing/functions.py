"""Checks of a training function: it repeats itself, and obeys seed, schedule and settings."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from lrlab.problems import TrainingFunction
from lrlab.schedules import Constant, Schedule
from lrlab.testing.check import Check, call_all, demand
from lrlab.testing.problems import picklable
from lrlab.training import Curve, Result, Run, Settings, functions

_QUICK = Settings(epochs=2)
_FULL = Constant(1.0)


@dataclass(frozen=True)
class _Subject:
    """A training function, and the settings that it is checked with."""

    problem: TrainingFunction
    settings: Settings

    def result(self, schedule: Schedule = _FULL, seed: int = 0, **changed: Any) -> Result:
        """What comes of a run."""
        run = Run(schedule, replace(self.settings, **changed), seed)
        return functions.train(self.problem, run)

    def curve(self, schedule: Schedule = _FULL, seed: int = 0, **changed: Any) -> Curve:
        """All that is reported of a run."""
        return self.result(schedule, seed, **changed).epochs


def training_checks(
    train: TrainingFunction | Callable[[Any], object],
    settings: Settings = _QUICK,
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
    subject = _Subject(problem, settings)
    rules: dict[str, Callable[[_Subject], None]] = {
        "trains and reports every epoch": _trains,
        "can be sent to other processes": _picklable,
        "gives the same numbers for the same run": _repeats,
        "gives other numbers for another seed": _obeys_seed,
        "obeys the schedule": _obeys_schedule,
        "obeys the base rate": _obeys_rate,
        "trains as many epochs as it is told": _obeys_epochs,
        "holds rows out for validation": _holds_out,
    }
    return [Check(name, partial(rule, subject)) for name, rule in rules.items()]


def check_training(
    train: TrainingFunction | Callable[[Any], object],
    settings: Settings = _QUICK,
    **options: Any,
) -> None:
    """All of ``training_checks``.

    Raises:
        AssertionError: one fails.
    """
    call_all(training_checks(train, settings, **options))


def _trains(subject: _Subject) -> None:
    result = subject.result()
    demand(
        not result.diverged,
        f"a run at lr={subject.settings.lr:g} must not diverge for the checks to tell anything, "
        "but it did; give settings=Settings(lr=...) with a lower rate.",
    )


def _picklable(subject: _Subject) -> None:
    picklable(subject.problem)


def _repeats(subject: _Subject) -> None:
    one, other = subject.curve(), subject.curve()
    demand(
        one == other,
        f"the same run must give the same numbers, but {_differing(one, other)} of two runs of "
        "seed 0 differ; draw all random numbers by run.seed.",
    )


def _obeys_seed(subject: _Subject) -> None:
    demand(
        subject.curve() != subject.curve(seed=1),
        "another seed must give other numbers, but seeds 0 and 1 report the same; draw split, "
        "initial weights and order of batches by run.seed.",
    )


def _obeys_schedule(subject: _Subject) -> None:
    demand(
        _trained(subject.curve()) != _trained(subject.curve(Constant(0.3))),
        "a run must follow its schedule, but Constant(1.0) and Constant(0.3) report the same; "
        "train with scheduler = run.scheduler(optimizer) and step it, and report the loss too.",
    )


def _obeys_rate(subject: _Subject) -> None:
    lower = 0.3 * subject.settings.lr
    demand(
        _trained(subject.curve()) != _trained(subject.curve(lr=lower)),
        f"a run must train at run.lr, but {subject.settings.lr:g} and {lower:g} report the same; "
        "build the optimizer with lr=run.lr, and report the loss too.",
    )


def _obeys_epochs(subject: _Subject) -> None:
    more = subject.settings.epochs + 1
    found = len(subject.curve(epochs=more))
    demand(
        found == more,
        f"a run must train run.epochs epochs, {more}, got {found}; loop over range(run.epochs).",
    )


def _holds_out(subject: _Subject) -> None:
    held = subject.curve(validation=0.25)
    demand(
        _trained(held) != _trained(subject.curve(validation=0.0)),
        "rows held out for validation must not be trained on, but run.validation of 0.25 and 0 "
        "report the same; leave that share of the training rows out, by run.seed.",
    )


def _trained(curve: Curve) -> list[list[str]]:
    """What is reported of the network itself, which differs where training did."""
    kept = ("loss", "score", *curve.names[7:])
    return [[repr(v) for v in curve.column(name).tolist()] for name in kept]


def _differing(one: Curve, other: Curve) -> str:
    if one.names != other.names or len(one) != len(other):
        return "what is reported"
    names = [
        name
        for name in one.names
        if repr(one.column(name).tolist()) != repr(other.column(name).tolist())
    ]
    return " and ".join(names)
