"""The values of every hyperparameter of every run, step by step, as a table made ahead.

Schedules are pure, so runs that share one share its column. One that reads a metric has a column
for each run, which is made again from the next step on when a metric moves it.
"""

from collections.abc import Callable, Mapping, Sequence
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
    OPTIMIZER_CLASSES,
    create_optimizer,
    create_scheduler,
    select_schedule_metric,
)
from lrlab.training.result import Epoch
from lrlab.training.run import Run
from lrlab.training.settings import OPTIMIZER_HYPERPARAMETERS, Settings

PRECOMPUTED_STEPS = 4096
"""Steps in a table: enough to make its making cheap, few enough to be small."""


@dataclass(frozen=True)
class BoundSchedule:
    """One hyperparameter of one run: a schedule, bound, and what it is a factor of."""

    schedule: Schedule
    base: float


@dataclass(frozen=True, eq=False)
class RunSchedules:
    """The tracks of a run by hyperparameter, and the metric that its schedules read."""

    by_hyperparameter: dict[str, BoundSchedule]
    read_metric: Callable[[Epoch], float] | None


def bind_schedules(problem: Problem, runs: Sequence[Run]) -> list[RunSchedules]:
    """The tracks of every run; those of equal settings and schedules are read once.

    Raises:
        ScheduleError, SchedulerError, TrainingError: what the loop raises for the run.
    """
    found: dict[tuple[object, ...], RunSchedules] = {}
    run_schedules = []
    for run in runs:
        key = (run.settings, *((name, _make_key(one)) for name, one in run.schedules.items()))
        if key not in found:
            found[key] = _bind_run_schedules(problem, run)
        run_schedules.append(found[key])
    return run_schedules


def _bind_run_schedules(problem: Problem, run: Run) -> RunSchedules:
    bound = run.bind(problem.train_rows)
    by_hyperparameter = {
        name: BoundSchedule(Constant(1.0), base) for name, base in _get_bases(run.settings).items()
    }
    known = _resolve_names_like_loop(run, bound) if run.hyperparameter_schedules else {}
    for name, schedule in bound.items():
        what = known.get(name, name)
        by_hyperparameter[what] = BoundSchedule(schedule, by_hyperparameter[what].base)
    metric = select_schedule_metric(run.schedules.values(), run.settings, problem)
    reactive = any(schedule.needs_metric for schedule in bound.values())
    return RunSchedules(by_hyperparameter, metric if reactive else None)


def _get_bases(settings: Settings) -> dict[str, float]:
    """The hyperparameters of an optimizer, as torch names them one by one."""
    bases: dict[str, float] = {}
    for name in ("lr", *OPTIMIZER_HYPERPARAMETERS[settings.optimizer]):
        value = getattr(settings, name)
        if value is None:
            value = signature(OPTIMIZER_CLASSES[settings.optimizer]).parameters[name].default
        if isinstance(value, tuple):
            bases |= {f"{name}[{i}]": one for i, one in enumerate(value)}
        elif not isinstance(value, bool):
            bases[name] = value
    return bases


def _resolve_names_like_loop(run: Run, bound_schedules: Mapping[str, Schedule]) -> dict[str, str]:
    """What names of hyperparameters mean to the loop's scheduler, which refuses what it must."""
    optimizer = create_optimizer(iter([torch.nn.Parameter(torch.zeros(()))]), run.settings)
    create_scheduler(optimizer, bound_schedules)
    return {name: str(find_hyperparameter(optimizer, name)) for name in bound_schedules}


class ScheduleTable:
    """What the runs of a block use at every step.

    Args:
        run_schedules: of every run.
        num_steps: the steps that are asked for, of ``scheduler.step()``.
    """

    def __init__(self, run_schedules: Sequence[RunSchedules], num_steps: int) -> None:
        self._run_schedules, self._num_steps = run_schedules, num_steps
        self._columns: list[BoundSchedule] = []
        self._states: dict[int, MetricState] = {}
        self._metric_driven_columns: dict[
            int, list[int]
        ] = {}  # the columns of a run that read its metric
        self.hyperparameters = tuple(run_schedules[0].by_hyperparameter)
        shared: dict[tuple[object, float], int] = {}
        places = np.empty((len(self.hyperparameters), len(run_schedules)), dtype=np.intp)
        for r, one in enumerate(run_schedules):
            for i, name in enumerate(self.hyperparameters):
                places[i, r] = self._add_column(one.by_hyperparameter[name], shared, r)
        self._column_indices = places
        self._first_step = 0
        self._values = self._evaluate(0)

    def _add_column(
        self, bound_schedule: BoundSchedule, shared: dict[tuple[object, float], int], run: int
    ) -> int:
        if bound_schedule.schedule.needs_metric:
            place = len(self._columns)
            self._states[place] = bound_schedule.schedule.init_state()
            self._metric_driven_columns.setdefault(run, []).append(place)
        elif (key := (_make_key(bound_schedule.schedule), bound_schedule.base)) in shared:
            return shared[key]
        else:
            place = shared[key] = len(self._columns)
        self._columns.append(bound_schedule)
        return place

    @property
    def metric_driven_runs(self) -> frozenset[int]:
        """The runs that read a metric."""
        return frozenset(self._metric_driven_columns)

    @property
    def nonzero(self) -> frozenset[str]:
        """The hyperparameters that are not 0 throughout in every run."""
        return frozenset(
            name
            for name in self.hyperparameters
            if any(
                one.by_hyperparameter[name].base != 0 or _is_scheduled(one.by_hyperparameter[name])
                for one in self._run_schedules
            )
        )

    @property
    def scheduled(self) -> frozenset[str]:
        """The hyperparameters that a schedule moves in some run."""
        return frozenset(
            name
            for name in self.hyperparameters
            if any(_is_scheduled(one.by_hyperparameter[name]) for one in self._run_schedules)
        )

    def get_values(self, steps: NDArray[np.intp]) -> dict[str, NDArray[np.float64]]:
        """Every hyperparameter at some steps, shape (steps, runs); they go up from call to call."""
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
        for place in range(len(self._columns)):
            values[:, place] = self._get_current_schedule(place)(t, base=self._columns[place].base)
        return values

    def _get_current_schedule(self, column: int) -> Schedule:
        schedule = self._columns[column].schedule
        return schedule.with_state(self._states[column]) if column in self._states else schedule

    def update_states(self, epochs: dict[int, Epoch], t: int, next_step: int) -> None:
        """Gives the runs that read a metric that of their epoch.

        Args:
            epochs: what was measured, by run.
            t: the step at which that was.
            next_step: the first step that it changes.
        """
        for run, epoch in epochs.items():
            metric = self._run_schedules[run].read_metric
            assert metric is not None
            for place in self._metric_driven_columns[run]:
                bound_schedule, before = self._columns[place], self._get_current_schedule(place)
                self._states[place] = bound_schedule.schedule.update_state(
                    self._states[place], t, metric(epoch), base=bound_schedule.base
                )
                now = self._get_current_schedule(place)
                rest = np.arange(next_step, self._first_step + len(self._values))
                if now != before and len(rest):
                    self._values[next_step - self._first_step :, place] = now(
                        rest, base=bound_schedule.base
                    )


def _is_scheduled(bound_schedule: BoundSchedule) -> bool:
    return bound_schedule.schedule != Constant(1.0)


def _make_key(schedule: Schedule) -> object:
    """What tells schedules apart; a user's function need not have a hash."""
    try:
        hash(schedule)
    except TypeError:
        return id(schedule)
    return schedule
