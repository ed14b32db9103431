"""What a training function reports, epoch by epoch, and what comes of it."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from itertools import pairwise
from math import isfinite, nan
from typing import Any

import numpy as np
from torch import Tensor
from torch.optim import Optimizer

from lrlab._checks import to_integer
from lrlab.errors import LrlabError, TrainingError, find_nearest_name, format_suggestion
from lrlab.optim import LRScheduler
from lrlab.problems import TrainingFunction, derive_seeds
from lrlab.problems.seeds import fork_seeded_rng
from lrlab.problems.user_code import describe_error, locate_error
from lrlab.schedules import Constant, Schedule
from lrlab.training.result import EPOCH_COLUMNS, Curve, Epoch, Result
from lrlab.training.run import Run
from lrlab.training.settings import Settings

_RESERVED_COLUMNS = {"lr_start", "lr_end", "test_score", "validation_score"}
"""Columns that are made here, from what is reported by other names."""


class RunDiverged(Exception):
    """Leaves a training function. One that catches it is taken to have diverged all the same."""


class EpochReports:
    """What a function has reported so far."""

    def __init__(
        self, problem: TrainingFunction, settings: Settings, on_epoch_end: Callable[[Epoch], None]
    ) -> None:
        self._problem = problem
        self._settings = settings
        self._on_epoch_end = on_epoch_end
        self._rows: list[dict[str, float]] = []
        self._optimizer: Optimizer | None = None
        self._lr_start: float | None = None
        self._optimizer_steps = 0
        self.diverged = False

    def track_optimizer(self, optimizer: Optimizer) -> None:
        """Notes the rate of the first step of every epoch."""

        def record_lr(optimizer: Optimizer, *_: object) -> None:
            self._optimizer_steps += not self.diverged
            if self._lr_start is None:
                self._lr_start = _get_current_lr(optimizer)

        if optimizer is not self._optimizer:
            self._optimizer = optimizer
            optimizer.register_step_pre_hook(record_lr)

    def add_epoch(self, epoch: int, metrics: Mapping[str, Any]) -> None:
        if self.diverged:
            raise RunDiverged
        self._check_epoch_number(epoch)
        values = {name: _to_float(name, value) for name, value in metrics.items()}
        self._check_metric_reported(values)
        name = self._problem.metric.name
        must_be_finite = (name, f"validation_{name}", "loss", "validation_loss")
        if not all(isfinite(values[one]) for one in must_be_finite if one in values):
            self.diverged = True
            raise RunDiverged
        row = {"epoch": float(epoch), "test_score": values.pop(name)}
        if f"validation_{name}" in values:
            row["validation_score"] = values.pop(f"validation_{name}")
        self._check_reserved_names(values)
        lr_start = values.pop("lr", nan if self._lr_start is None else self._lr_start)
        self._rows.append(values | row | {"lr_start": lr_start})
        self._lr_start = None
        self._on_epoch_end(_build_curve(self._rows[-1:])[0])

    def check_complete(self) -> None:
        reported, epochs = len(self._rows), self._settings.epochs
        name = self._problem.metric.name
        if not reported:
            raise TrainingError(
                "a training function must report every epoch, but it ended without a report; call "
                f"run.report(epoch, {name}=...) at the end of each."
            )
        if reported < epochs:
            raise TrainingError(
                f"a training function must train run.epochs epochs, {epochs} here, but it ended "
                f"after {reported}; schedules are compared over equal trainings."
            )

    def build_result(self, seconds: float) -> Result:
        """What came of the run."""
        if self._rows and self._optimizer:
            now = _get_current_lr(self._optimizer) if self._lr_start is None else self._lr_start
            self._rows[-1]["lr_end"] = now
        curve = _build_curve(self._rows)
        if self.diverged:
            steps = self._optimizer_steps if self._optimizer else None
            return Result(self._problem.dummy_score, True, curve, seconds, diverged_at_step=steps)
        return Result(curve[-1].test_score, False, curve, seconds)

    def _check_epoch_number(self, epoch: int) -> None:
        number, expected = to_integer(epoch), len(self._rows)
        if expected == self._settings.epochs:
            raise TrainingError(
                f"a training function trains run.epochs epochs, {expected} here, but epoch "
                f"{epoch!r} was reported too; end there."
            )
        if number != expected:
            raise TrainingError(
                f"epochs must be reported in order, once each and from 0, but epoch {epoch!r} was "
                f"reported where {expected} comes next."
            )

    def _check_metric_reported(self, values: Mapping[str, float]) -> None:
        name = self._problem.metric.name
        needed = [name, f"validation_{name}"] if self._settings.validation_size else [name]
        for one in needed:
            if one not in values:
                given = ", ".join(values) or "nothing"
                near = find_nearest_name(one, values)
                meant = f"; is {near} meant?" if near else self._suggest_fix(one)
                raise TrainingError(
                    f"run.report(...) must be given {one}, but was given {given}{meant}"
                )

    def _check_reserved_names(self, values: Mapping[str, float]) -> None:
        if reserved := _RESERVED_COLUMNS & values.keys():
            raise TrainingError(
                f"{min(reserved)} is the name of what lrlab keeps itself, here as "
                f"{self._problem.metric.name} reports it; report it by another name."
            )

    def _suggest_fix(self, missing: str) -> str:
        if missing == self._problem.metric.name:
            return "; name what is compared by metric (--metric)."
        fraction = self._settings.validation_size
        return (
            f": a share of {fraction:g} of the training rows (run.validation_size) is to be held out, "
            "which settings are chosen by."
        )


def _build_curve(rows: Sequence[dict[str, float]]) -> Curve:
    for row, following in pairwise(rows):
        row["lr_end"] = following["lr_start"]
    extra_columns = dict.fromkeys(name for row in rows for name in row if name not in EPOCH_COLUMNS)
    columns = (*EPOCH_COLUMNS, *extra_columns)
    values = [[row.get(name, nan) for name in columns] for row in rows]
    return Curve(np.array(values, dtype=np.float64).reshape(-1, len(columns)), columns)


def _get_current_lr(optimizer: Optimizer) -> float:
    return float(optimizer.param_groups[0]["lr"])


def _to_float(name: str, value: Any) -> float:
    try:
        return float(value.detach() if isinstance(value, Tensor) else value)
    except (TypeError, ValueError, RuntimeError):
        raise TrainingError(
            f"what is reported must be numbers, got {name}={value!r}; a mean of it, say."
        ) from None


_SETTING_NAMES = tuple(field.name for field in fields(Settings))


class RunContext:
    """A run as a training function is given it; each of the settings is an attribute of it too.

    ``run.lr``, ``run.momentum``, ``run.weight_decay``, ``run.epochs``, ``run.batch_size``,
    ``run.validation_size`` and so on: see ``Settings``.

    Args:
        problem: whose run it is.
        run: what is to be trained.
        device: where, by torch's name.
        on_epoch_end: called at the end of every epoch; the rate after it is not known then.

    Attributes:
        schedule: of the rate, with the durations it was written with.
        seed: what fixes the split, the initial weights and the order of batches; torch's own random
            numbers begin at it already.
        settings: the hyperparameters, all in one.
        device: where to train, by torch's name.
        reports: what was reported so far.
    """

    def __init__(
        self,
        problem: TrainingFunction,
        run: Run,
        device: str = "cpu",
        on_epoch_end: Callable[[Epoch], None] = lambda epoch: None,
    ) -> None:
        self.schedule: Schedule = run.schedule or Constant(1.0)
        self.seed = run.seed
        self.settings = run.settings
        self.device = device
        self._hyperparameter_schedules = run.hyperparameter_schedules
        self.reports = EpochReports(problem, run.settings, on_epoch_end)

    def __getattr__(self, name: str) -> Any:
        if name in _SETTING_NAMES:
            return getattr(self.settings, name)
        known = (
            *_SETTING_NAMES,
            "schedule",
            "seed",
            "settings",
            "device",
            "create_scheduler",
            "report",
        )
        raise AttributeError(
            f"a run has no {name}{format_suggestion(name, known) or '; it has ' + ', '.join(known)}"
        )

    def create_scheduler(
        self,
        optimizer: Optimizer,
        total_steps: int | None = None,
        steps_per_epoch: int | None = None,
    ) -> LRScheduler:
        """The scheduler of this run, to be stepped by the function as it is told here.

        Args:
            optimizer: built with ``lr=run.lr``.
            total_steps: how often ``scheduler.step()`` will be called; ``run.epochs`` times the
                steps of an epoch when left out.
            steps_per_epoch: how often in an epoch; once when left out.

        Raises:
            ScheduleError, SchedulerError: as ``LRScheduler`` does.
        """
        epoch_steps = 1 if steps_per_epoch is None else steps_per_epoch
        total = self.settings.epochs * epoch_steps if total_steps is None else total_steps
        hyperparameter_schedules: dict[str, Any] = dict(self._hyperparameter_schedules)
        scheduler = LRScheduler(
            optimizer,
            self.schedule,
            total_steps=total,
            steps_per_epoch=epoch_steps,
            **hyperparameter_schedules,
        )
        self.reports.track_optimizer(optimizer)
        return scheduler

    def report(self, epoch: int, **metrics: Any) -> None:
        """Says how an epoch has ended; called once at the end of each, 0, 1, 2, ...

        A loss or score that is infinite or no number means that the run has diverged: the function
        is left then, by an exception that it should let pass.

        Args:
            epoch: its number, from 0.
            **metrics: the metric by its name, measured on the test rows; ``validation_`` and its
                name, on the rows held out, needed where ``run.validation_size`` is above 0; ``loss`` and
                ``validation_loss``; ``lr`` where the rate is not set by ``run.create_scheduler``. Others
                are kept beside them. Each is a number, or what ``float`` makes one.

        Raises:
            TrainingError: the epoch is not the next one, the metric is missing, or a value is no
                number.
        """
        self.reports.add_epoch(epoch, metrics)


ENSEMBLE_UNSUPPORTED = "a training function trains one run at a time; use the loop (--engine loop)."
"""What is said where runs of one are to be trained together."""


def check_function_settings(settings: Settings) -> None:
    """Refuses settings that are a training function's own to say.

    Raises:
        TrainingError: they say how often it steps its scheduler.
    """
    if settings.step_every == "step":
        raise TrainingError(
            "a training function says itself how often it steps its scheduler, as in "
            "run.create_scheduler(optimizer, steps_per_epoch=100); leave out step_every (--step-every)."
        )


def run_training_function(
    problem: TrainingFunction,
    run: Run,
    on_epoch_end: Callable[[Epoch], None] = lambda epoch: None,
    device: str = "cpu",
) -> Result:
    """One run of a training function, scored by the metric that it reports last.

    Args:
        problem: the function.
        run: schedule, settings and seed.
        on_epoch_end: called at the end of every epoch; the rate after it is not known then.
        device: what the function is told to train on, by torch's name.

    Raises:
        TrainingError: the function fails, reports what it should not, or does not report every
            epoch; the settings say how often it steps, which is its own to say.
    """
    check_function_settings(run.settings)
    started = time.perf_counter()
    context = RunContext(problem, run, device, on_epoch_end)
    reports = context.reports
    try:
        with fork_seeded_rng(derive_seeds(run.seed).weights):
            problem.train(context)
    except RunDiverged:
        pass
    except LrlabError as error:
        raise TrainingError(f"{problem.name}, {locate_error(error)}: {error}") from error
    except (Exception, SystemExit) as error:
        if not reports.diverged:  # what a function does after that is of no account
            raise TrainingError(
                f"{problem.name} failed at {locate_error(error)} with seed {run.seed} and "
                f"{context.schedule}: {describe_error(error)}."
            ) from error
    if not reports.diverged:
        reports.check_complete()
    return reports.build_result(time.perf_counter() - started)
