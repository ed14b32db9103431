"""``ScheduleTable``: precomputed values of every hyperparameter of every run at every step.

Schedules are pure, so runs with the same one share its column. A metric-driven schedule has a
column per run, which is recomputed from the next step on when a metric changes its state.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature

import numpy as np
import torch
from numpy.typing import NDArray

from lrlab.optim.hyperparameters import find_hyperparameter
from lrlab.problems import Problem
from lrlab.schedules import Constant, Schedule
from lrlab.schedules.core import MetricState
from lrlab.training.loop import (
    create_optimizer,
    create_scheduler,
    get_optimizer_class,
    select_schedule_metric,
)
from lrlab.training.result import Epoch
from lrlab.training.run import Run
from lrlab.training.settings import OPTIMIZERS, Settings

PRECOMPUTED_STEPS = 4096
"""Steps per table: many enough to compute fast, few enough to stay small."""


@dataclass(frozen=True)
class BoundSchedule:
    """One hyperparameter of one run: its bound schedule, and the base that this multiplies."""

    schedule: Schedule
    base: float


@dataclass(frozen=True, eq=False)
class RunSchedules:
    """The schedules of a run by hyperparameter, and the metric for metric-driven ones."""

    by_hyperparameter: dict[str, BoundSchedule]
    read_metric: Callable[[Epoch], float] | None


def bind_schedules(problem: Problem, runs: Sequence[Run]) -> list[RunSchedules]:
    """Bind the schedules of every run; equal settings and schedules are bound once.

    Raises:
        ScheduleError, SchedulerError, TrainingError: what the loop raises for the run.
    """
    cache: dict[tuple[object, ...], RunSchedules] = {}
    run_schedules = []
    for run in runs:
        schedule_keys = ((name, _make_key(schedule)) for name, schedule in run.schedules.items())
        key = (run.settings, *schedule_keys)
        if key not in cache:
            cache[key] = _bind_run_schedules(problem, run)
        run_schedules.append(cache[key])
    return run_schedules


def _bind_run_schedules(problem: Problem, run: Run) -> RunSchedules:
    bound = run.bind(problem.train_rows)
    by_hyperparameter = {
        name: BoundSchedule(Constant(1.0), base) for name, base in _get_bases(run.settings).items()
    }
    resolved = _resolve_names_like_loop(run, bound) if run.hyperparameter_schedules else {}
    for name, schedule in bound.items():
        hyperparameter = resolved.get(name, name)
        base = by_hyperparameter[hyperparameter].base
        by_hyperparameter[hyperparameter] = BoundSchedule(schedule, base)
    read_metric = select_schedule_metric(run.schedules.values(), run.settings, problem)
    needs_metric = any(schedule.needs_metric for schedule in bound.values())
    return RunSchedules(by_hyperparameter, read_metric if needs_metric else None)


def _get_bases(settings: Settings) -> dict[str, float]:
    """Return the base values of an optimizer, named one by one, such as ``betas[0]``."""
    bases: dict[str, float] = {}
    for name in ("lr", *OPTIMIZERS[settings.optimizer].hyperparameters):
        value = getattr(settings, name)
        if value is None:
            value = signature(get_optimizer_class(settings)).parameters[name].default
        if isinstance(value, tuple):
            bases |= {f"{name}[{i}]": element for i, element in enumerate(value)}
        elif not isinstance(value, bool):
            bases[name] = value
    return bases


def _resolve_names_like_loop(run: Run, bound_schedules: Mapping[str, Schedule]) -> dict[str, str]:
    """Resolve names of hyperparameters as the loop's scheduler does, with its errors."""
    optimizer = create_optimizer(iter([torch.nn.Parameter(torch.zeros(()))]), run.settings)
    create_scheduler(optimizer, bound_schedules)
    return {name: str(find_hyperparameter(optimizer, name)) for name in bound_schedules}


class ScheduleTable:
    """The hyperparameters of the runs of a block at every step.

    Args:
        run_schedules: the schedules of every run.
        num_steps: number of steps of the training, as ``scheduler.step()`` counts them.
    """

    def __init__(self, run_schedules: Sequence[RunSchedules], num_steps: int) -> None:
        self._run_schedules, self._num_steps = run_schedules, num_steps
        self._columns: list[BoundSchedule] = []
        self._states: dict[int, MetricState] = {}
        self._metric_driven_columns: dict[int, list[int]] = {}  # by run
        self.hyperparameters = tuple(run_schedules[0].by_hyperparameter)
        shared: dict[tuple[object, float], int] = {}
        columns = np.empty((len(self.hyperparameters), len(run_schedules)), dtype=np.intp)
        for run, schedules in enumerate(run_schedules):
            for i, name in enumerate(self.hyperparameters):
                columns[i, run] = self._add_column(schedules.by_hyperparameter[name], shared, run)
        self._column_indices = columns
        self._first_step = 0
        self._values = self._evaluate(0)

    def _add_column(
        self, bound_schedule: BoundSchedule, shared: dict[tuple[object, float], int], run: int
    ) -> int:
        if bound_schedule.schedule.needs_metric:
            column = len(self._columns)
            self._states[column] = bound_schedule.schedule.init_state()
            self._metric_driven_columns.setdefault(run, []).append(column)
        elif (key := (_make_key(bound_schedule.schedule), bound_schedule.base)) in shared:
            return shared[key]
        else:
            column = shared[key] = len(self._columns)
        self._columns.append(bound_schedule)
        return column

    @property
    def metric_driven_runs(self) -> frozenset[int]:
        """The runs with a metric-driven schedule."""
        return frozenset(self._metric_driven_columns)

    @property
    def nonzero(self) -> frozenset[str]:
        """The hyperparameters that are not 0 at every step of every run."""
        return frozenset(
            name
            for name in self.hyperparameters
            if any(
                bound_schedule.base != 0 or _is_scheduled(bound_schedule)
                for bound_schedule in self._get_bound_schedules(name)
            )
        )

    @property
    def scheduled(self) -> frozenset[str]:
        """The hyperparameters that have a schedule in some run."""
        return frozenset(
            name
            for name in self.hyperparameters
            if any(map(_is_scheduled, self._get_bound_schedules(name)))
        )

    def _get_bound_schedules(self, hyperparameter: str) -> Iterator[BoundSchedule]:
        return (schedules.by_hyperparameter[hyperparameter] for schedules in self._run_schedules)

    def get_values(self, steps: NDArray[np.intp]) -> dict[str, NDArray[np.float64]]:
        """Return hyperparameters, shape (steps, runs); steps must not decrease between calls."""
        end = int(steps[-1]) + 1
        if end > self._first_step + len(self._values):
            self._first_step = int(steps[0])
            self._values = self._evaluate(end)
        rows = self._values[steps - self._first_step]
        return {
            name: rows[:, self._column_indices[i]] for i, name in enumerate(self.hyperparameters)
        }

    def _evaluate(self, end: int) -> NDArray[np.float64]:
        last = max(end, min(self._first_step + PRECOMPUTED_STEPS, self._num_steps))
        t = np.arange(self._first_step, last)
        values = np.empty((len(t), len(self._columns)))
        for column, bound_schedule in enumerate(self._columns):
            values[:, column] = self._get_current_schedule(column)(t, base=bound_schedule.base)
        return values

    def _get_current_schedule(self, column: int) -> Schedule:
        schedule = self._columns[column].schedule
        return schedule.with_state(self._states[column]) if column in self._states else schedule

    def update_states(self, epochs: dict[int, Epoch], t: int, next_step: int) -> None:
        """Update the states of metric-driven schedules.

        Args:
            epochs: the last epoch of each run with such a schedule.
            t: the step at which it was measured.
            next_step: the first step that it affects.
        """
        for run, epoch in epochs.items():
            read_metric = self._run_schedules[run].read_metric
            assert read_metric is not None
            for column in self._metric_driven_columns[run]:
                bound_schedule, before = self._columns[column], self._get_current_schedule(column)
                self._states[column] = bound_schedule.schedule.update_state(
                    self._states[column], t, read_metric(epoch), base=bound_schedule.base
                )
                after = self._get_current_schedule(column)
                rest = np.arange(next_step, self._first_step + len(self._values))
                if after != before and len(rest):
                    self._values[next_step - self._first_step :, column] = after(
                        rest, base=bound_schedule.base
                    )


def _is_scheduled(bound_schedule: BoundSchedule) -> bool:
    return bound_schedule.schedule != Constant(1.0)


def _make_key(schedule: Schedule) -> object:
    """Return a key of a schedule: itself, or its id if a user's function has no hash."""
    try:
        hash(schedule)
    except TypeError:
        return id(schedule)
    return schedule
