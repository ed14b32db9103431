"""Runs of a user's own training function: the ``RunContext`` it gets, and how lrlab runs it."""

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
from lrlab.schedules import Constant, Schedule
from lrlab.training.loop import get_current_lr
from lrlab.training.result import EPOCH_COLUMNS, Curve, DummyScores, Epoch, Result
from lrlab.training.run import Run
from lrlab.training.settings import Settings, check_settings
from lrlab.user_code import describe_error, locate_error

_SETTING_NAMES = tuple(field.name for field in fields(Settings))


class RunContext:
    """One run, as a training function gets it; every setting is an attribute of it too.

    ``run.lr``, ``run.momentum``, ``run.weight_decay``, ``run.epochs``, ``run.batch_size``,
    ``run.validation_size`` and so on: see ``Settings``.

    Args:
        problem: the training function and its metric.
        run: schedule, settings and seed.
        device: device to train on, as torch names it.
        on_epoch_end: callback for every reported epoch; its ``lr_end`` is not known yet.

    Attributes:
        schedule: schedule of the learning rate, not yet bound.
        seed: fixes the split, the initial weights and the order of the batches; torch's own random
            numbers are seeded with it already.
        settings: the hyperparameters in one object.
        device: device to train on, as torch names it.
        reports: the epochs reported so far.
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
        attributes = ("schedule", "seed", "settings", "device", "create_scheduler", "report")
        known = (*_SETTING_NAMES, *attributes)
        raise AttributeError(
            f"a run has no attribute {name}"
            f"{format_suggestion(name, known) or '; it has ' + ', '.join(known)}"
        )

    def create_scheduler(
        self,
        optimizer: Optimizer,
        total_steps: int | None = None,
        steps_per_epoch: int | None = None,
    ) -> LRScheduler:
        """Create the scheduler of this run; the training function calls its ``step()``.

        Args:
            optimizer: an optimizer built with ``lr=run.lr``.
            total_steps: number of calls of ``scheduler.step()``; ``run.epochs`` times
                ``steps_per_epoch`` if omitted.
            steps_per_epoch: number of these calls per epoch; 1 if omitted.

        Raises:
            ScheduleError, SchedulerError: see ``LRScheduler``.
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
        """Report the results of an epoch; call it at the end of each, with 0, 1, 2, ...

        If a reported loss or score is infinite or NaN, the run has diverged: ``report`` then raises
        an exception that ends the training function and must not be caught.

        Args:
            epoch: number of the epoch, from 0.
            **metrics: the metric on the test rows, by its name; ``validation_<name>``, on the
                validation rows, required if ``run.validation_size`` is above 0; ``loss`` and
                ``validation_loss``; ``lr`` if ``run.create_scheduler`` does not set the learning
                rate; any other numbers, which are stored with them. Values are numbers, or what
                ``float`` converts to one.

        Raises:
            TrainingError: the epoch is not the next one, the metric is missing, or a value is not
                a number.
        """
        self.reports.add_epoch(epoch, metrics)


def run_training_function(
    problem: TrainingFunction,
    run: Run,
    on_epoch_end: Callable[[Epoch], None] = lambda epoch: None,
    device: str = "cpu",
) -> Result:
    """Run a training function once; its score is the metric of its last report.

    Args:
        problem: the training function and its metric.
        run: schedule, settings and seed.
        on_epoch_end: callback for every reported epoch; its ``lr_end`` is not known yet.
        device: device the function is asked to train on, as torch names it.

    Raises:
        TrainingError: the function fails, makes an invalid report, or does not report every epoch;
            or the settings have ``step_every="step"``.
    """
    check_settings(problem, run.settings)
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
        if not reports.diverged:  # errors after the divergence do not matter
            raise TrainingError(
                f"{problem.name} failed at {locate_error(error)} with seed {run.seed} and "
                f"{context.schedule}: {describe_error(error)}."
            ) from error
    if not reports.diverged:
        reports.check_complete()
    return reports.build_result(time.perf_counter() - started)


class RunDiverged(Exception):
    """Ends a training function whose run has diverged; if it catches this, the run still has."""


class EpochReports:
    """The epochs that a training function has reported so far.

    Args:
        problem: the training function and its metric.
        settings: the hyperparameters.
        on_epoch_end: callback for every reported epoch.
    """

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
        """Record the learning rate of the first step of every epoch from now on."""

        def record_lr(optimizer: Optimizer, *_: object) -> None:
            self._optimizer_steps += not self.diverged
            if self._lr_start is None:
                self._lr_start = get_current_lr(optimizer)

        if optimizer is not self._optimizer:
            self._optimizer = optimizer
            optimizer.register_step_pre_hook(record_lr)

    def add_epoch(self, epoch: int, metrics: Mapping[str, Any]) -> None:
        """Add a reported epoch; see ``RunContext.report``."""
        if self.diverged:
            raise RunDiverged
        self._check_epoch_number(epoch)
        values = {name: _to_float(name, value) for name, value in metrics.items()}
        self._check_metric_reported(values)
        metric = self._problem.metric.name
        must_be_finite = (metric, f"validation_{metric}", "loss", "validation_loss")
        if not all(isfinite(values[name]) for name in must_be_finite if name in values):
            self.diverged = True
            raise RunDiverged
        row = {"epoch": float(epoch), "test_score": values.pop(metric)}
        if f"validation_{metric}" in values:
            row["validation_score"] = values.pop(f"validation_{metric}")
        self._check_reserved_names(values)
        lr_start = values.pop("lr", nan if self._lr_start is None else self._lr_start)
        self._rows.append(values | row | {"lr_start": lr_start})
        self._lr_start = None
        self._on_epoch_end(_build_curve(self._rows[-1:])[0])

    def check_complete(self) -> None:
        """Check that every epoch was reported.

        Raises:
            TrainingError: fewer were.
        """
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
                f"after {reported}; all runs of a study must be equally long."
            )

    def build_result(self, seconds: float) -> Result:
        """Build the result of the run."""
        if self._rows and self._optimizer:
            lr_end = get_current_lr(self._optimizer) if self._lr_start is None else self._lr_start
            self._rows[-1]["lr_end"] = lr_end
        curve = _build_curve(self._rows)
        if self.diverged:
            steps = self._optimizer_steps if self._optimizer else None
            score = self._problem.dummy_score
            dummy_scores = DummyScores(score, score if self._settings.validation_size else None)
            return Result.from_diverged(dummy_scores, curve, seconds, steps)
        return Result(curve[-1].test_score, False, curve, seconds)

    def _check_epoch_number(self, epoch: int) -> None:
        number, expected = to_integer(epoch), len(self._rows)
        if expected == self._settings.epochs:
            raise TrainingError(
                f"a training function must train run.epochs epochs, {expected} here, but it also "
                f"reported epoch {epoch!r}; end the training there."
            )
        if number != expected:
            raise TrainingError(
                f"epochs must be reported once each, in order and from 0, but the report of epoch "
                f"{epoch!r} came where {expected} is next."
            )

    def _check_metric_reported(self, values: Mapping[str, float]) -> None:
        metric = self._problem.metric.name
        required = [metric, f"validation_{metric}"] if self._settings.validation_size else [metric]
        for name in required:
            if name not in values:
                given = ", ".join(values) or "nothing"
                nearest = find_nearest_name(name, values)
                remedy = f"; is {nearest} meant?" if nearest else self._suggest_fix(name)
                raise TrainingError(f"run.report(...) must get {name}, but it got {given}{remedy}")

    def _check_reserved_names(self, values: Mapping[str, float]) -> None:
        if reserved := _RESERVED_COLUMNS & values.keys():
            raise TrainingError(
                f"run.report(...) cannot take {min(reserved)}: lrlab itself writes the column of "
                "that name; report it by another name."
            )

    def _suggest_fix(self, missing: str) -> str:
        if missing == self._problem.metric.name:
            return "; name the metric that it reports with `metric`."
        fraction = self._settings.validation_size
        return (
            f"; settings are selected on validation rows: leave a fraction of {fraction:g} of the "
            "training rows (run.validation_size) out of training, and report the metric on them."
        )


_RESERVED_COLUMNS = {"lr_start", "lr_end", "test_score", "validation_score"}
"""Columns that are made here from what is reported by other names."""


def _build_curve(rows: Sequence[dict[str, float]]) -> Curve:
    for row, following in pairwise(rows):
        row["lr_end"] = following["lr_start"]
    extra_columns = dict.fromkeys(name for row in rows for name in row if name not in EPOCH_COLUMNS)
    columns = (*EPOCH_COLUMNS, *extra_columns)
    values = [[row.get(name, nan) for name in columns] for row in rows]
    return Curve(np.array(values, dtype=np.float64).reshape(-1, len(columns)), columns)


def _to_float(name: str, value: Any) -> float:
    try:
        return float(value.detach() if isinstance(value, Tensor) else value)
    except (TypeError, ValueError, RuntimeError):
        raise TrainingError(
            f"reported values must be numbers, got {name}={value!r}; report its mean, for example."
        ) from None
