"""What a training function reports, epoch by epoch, and what comes of it."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from math import isfinite, nan
from typing import Any

import numpy as np
from torch import Tensor
from torch.optim import Optimizer

from lrlab.errors import TrainingError, find_nearest_name
from lrlab.problems import TrainingFunction
from lrlab.schedules.numbers import to_integer
from lrlab.training.result import EPOCH_COLUMNS, Curve, Epoch, Result
from lrlab.training.settings import Settings

_RESERVED_COLUMNS = {"before", "after", "score", "validation_score"}
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
        row = {"epoch": float(epoch), "score": values.pop(name)}
        if f"validation_{name}" in values:
            row["validation_score"] = values.pop(f"validation_{name}")
        self._check_reserved_names(values)
        lr_start = values.pop("lr", nan if self._lr_start is None else self._lr_start)
        self._rows.append(values | row | {"before": lr_start})
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
            self._rows[-1]["after"] = now
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
            f": a share of {fraction:g} of the training rows (run.validation) is to be held out, "
            "which settings are chosen by."
        )


def _build_curve(rows: Sequence[dict[str, float]]) -> Curve:
    for row, following in pairwise(rows):
        row["after"] = following["before"]
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
