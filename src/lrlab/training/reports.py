"""What a training function reports, epoch by epoch, and what comes of it."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from math import isfinite, nan
from typing import Any

import numpy as np
from torch import Tensor
from torch.optim import Optimizer

from lrlab.errors import TrainingError, nearest
from lrlab.problems import TrainingFunction
from lrlab.schedules.numbers import whole
from lrlab.training.result import COLUMNS, Curve, Epoch, Result
from lrlab.training.settings import Settings

_KEPT = {"before", "after", "score", "validation_score"}
"""Columns that are made here, from what is reported by other names."""


class Diverged(Exception):
    """Leaves a training function. One that catches it is taken to have diverged all the same."""


class Reports:
    """What a function has reported so far."""

    def __init__(
        self, problem: TrainingFunction, settings: Settings, report: Callable[[Epoch], None]
    ) -> None:
        self._problem = problem
        self._settings = settings
        self._report = report
        self._rows: list[dict[str, float]] = []
        self._optimizer: Optimizer | None = None
        self._first: float | None = None
        self._steps = 0
        self.diverged = False

    def follow(self, optimizer: Optimizer) -> None:
        """Notes the rate of the first step of every epoch."""

        def note(optimizer: Optimizer, *_: object) -> None:
            self._steps += not self.diverged
            if self._first is None:
                self._first = _rate(optimizer)

        if optimizer is not self._optimizer:
            self._optimizer = optimizer
            optimizer.register_step_pre_hook(note)

    def add(self, epoch: int, metrics: Mapping[str, Any]) -> None:
        if self.diverged:
            raise Diverged
        self._refuse_epoch(epoch)
        values = {name: _number(name, value) for name, value in metrics.items()}
        self._refuse_missing(values)
        name = self._problem.metric.name
        judged = (name, f"validation_{name}", "loss", "validation_loss")
        if not all(isfinite(values[one]) for one in judged if one in values):
            self.diverged = True
            raise Diverged
        row = {"epoch": float(epoch), "score": values.pop(name)}
        if f"validation_{name}" in values:
            row["validation_score"] = values.pop(f"validation_{name}")
        self._refuse_taken(values)
        rate = values.pop("lr", nan if self._first is None else self._first)
        self._rows.append(values | row | {"before": rate})
        self._first = None
        self._report(_curve(self._rows[-1:])[0])

    def refuse_too_few(self) -> None:
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

    def result(self, seconds: float) -> Result:
        """What came of the run."""
        if self._rows and self._optimizer:
            now = _rate(self._optimizer) if self._first is None else self._first
            self._rows[-1]["after"] = now
        curve = _curve(self._rows)
        if self.diverged:
            steps = self._steps if self._optimizer else None
            return Result(self._problem.guess, True, curve, seconds, left_at=steps)
        return Result(curve[-1].score, False, curve, seconds)

    def _refuse_epoch(self, epoch: int) -> None:
        number, expected = whole(epoch), len(self._rows)
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

    def _refuse_missing(self, values: Mapping[str, float]) -> None:
        name = self._problem.metric.name
        needed = [name, f"validation_{name}"] if self._settings.validation else [name]
        for one in needed:
            if one not in values:
                given = ", ".join(values) or "nothing"
                near = nearest(one, values)
                meant = f"; is {near} meant?" if near else self._remedy(one)
                raise TrainingError(
                    f"run.report(...) must be given {one}, but was given {given}{meant}"
                )

    def _refuse_taken(self, values: Mapping[str, float]) -> None:
        if taken := _KEPT & values.keys():
            raise TrainingError(
                f"{min(taken)} is the name of what lrlab keeps itself, here as "
                f"{self._problem.metric.name} reports it; report it by another name."
            )

    def _remedy(self, missing: str) -> str:
        if missing == self._problem.metric.name:
            return "; name what is compared by metric (--metric)."
        share = self._settings.validation
        return (
            f": a share of {share:g} of the training rows (run.validation) is to be held out, "
            "which settings are chosen by."
        )


def _curve(rows: Sequence[dict[str, float]]) -> Curve:
    for row, following in pairwise(rows):
        row["after"] = following["before"]
    others = dict.fromkeys(name for row in rows for name in row if name not in COLUMNS)
    names = (*COLUMNS, *others)
    values = [[row.get(name, nan) for name in names] for row in rows]
    return Curve(np.array(values, dtype=np.float64).reshape(-1, len(names)), names)


def _rate(optimizer: Optimizer) -> float:
    return float(optimizer.param_groups[0]["lr"])


def _number(name: str, value: Any) -> float:
    try:
        return float(value.detach() if isinstance(value, Tensor) else value)
    except (TypeError, ValueError, RuntimeError):
        raise TrainingError(
            f"what is reported must be numbers, got {name}={value!r}; a mean of it, say."
        ) from None
