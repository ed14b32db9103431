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

from lrlab.optim.hyperparameters import named
from lrlab.problems import Problem
from lrlab.schedules import Constant, Schedule
from lrlab.schedules.reaction import State
from lrlab.training.loop import KINDS, optimizer_for, scheduler_for
from lrlab.training.result import Epoch
from lrlab.training.run import Run
from lrlab.training.settings import OPTIMIZERS, Settings
from lrlab.training.watching import watched

AHEAD = 4096
"""Steps in a table: enough to make its making cheap, few enough to be small."""


@dataclass(frozen=True)
class Track:
    """One hyperparameter of one run: a schedule, bound, and what it is a factor of."""

    schedule: Schedule
    base: float


@dataclass(frozen=True, eq=False)
class Tracks:
    """The tracks of a run by hyperparameter, and the metric that its schedules read."""

    of: dict[str, Track]
    metric: Callable[[Epoch], float] | None


def tracks_of(problem: Problem, runs: Sequence[Run]) -> list[Tracks]:
    """The tracks of every run; those of equal settings and schedules are read once.

    Raises:
        ScheduleError, SchedulerError, TrainingError: what the loop raises for the run.
    """
    found: dict[tuple[object, ...], Tracks] = {}
    tracks = []
    for run in runs:
        key = (run.settings, *((name, _key(one)) for name, one in run.scheduled.items()))
        if key not in found:
            found[key] = _tracks(problem, run)
        tracks.append(found[key])
    return tracks


def _tracks(problem: Problem, run: Run) -> Tracks:
    bound = run.bound(problem.train_rows)
    tracks = {name: Track(Constant(1.0), base) for name, base in _bases(run.settings).items()}
    known = _refused_as_in_the_loop(run, bound) if run.others else {}
    for name, schedule in bound.items():
        what = known.get(name, name)
        tracks[what] = Track(schedule, tracks[what].base)
    metric = watched(run.scheduled.values(), run.settings, problem)
    reactive = any(schedule.reactive for schedule in bound.values())
    return Tracks(tracks, metric if reactive else None)


def _bases(settings: Settings) -> dict[str, float]:
    """The hyperparameters of an optimizer, as torch names them one by one."""
    bases: dict[str, float] = {}
    for name in ("lr", *OPTIMIZERS[settings.optimizer]):
        value = getattr(settings, name)
        if value is None:
            value = signature(KINDS[settings.optimizer]).parameters[name].default
        if isinstance(value, tuple):
            bases |= {f"{name}[{i}]": one for i, one in enumerate(value)}
        elif not isinstance(value, bool):
            bases[name] = value
    return bases


def _refused_as_in_the_loop(run: Run, bound: Mapping[str, Schedule]) -> dict[str, str]:
    """What names of hyperparameters mean to the loop's scheduler, which refuses what it must."""
    optimizer = optimizer_for(iter([torch.nn.Parameter(torch.zeros(()))]), run.settings)
    scheduler_for(optimizer, bound)
    return {name: str(named(optimizer, name)) for name in bound}


class Table:
    """What the runs of a block use at every step.

    Args:
        tracks: of every run.
        horizon: the steps that are asked for, of ``scheduler.step()``.
    """

    def __init__(self, tracks: Sequence[Tracks], horizon: int) -> None:
        self._tracks, self._horizon = tracks, horizon
        self._columns: list[Track] = []
        self._states: dict[int, State] = {}
        self._reactive: dict[int, list[int]] = {}  # the columns of a run that read its metric
        self.names = tuple(tracks[0].of)
        shared: dict[tuple[object, float], int] = {}
        places = np.empty((len(self.names), len(tracks)), dtype=np.intp)
        for r, one in enumerate(tracks):
            for i, name in enumerate(self.names):
                places[i, r] = self._column(one.of[name], shared, r)
        self._places = places
        self._first = 0
        self._values = self._evaluated(0)

    def _column(self, track: Track, shared: dict[tuple[object, float], int], run: int) -> int:
        if track.schedule.reactive:
            place = len(self._columns)
            self._states[place] = track.schedule.initial()
            self._reactive.setdefault(run, []).append(place)
        elif (key := (_key(track.schedule), track.base)) in shared:
            return shared[key]
        else:
            place = shared[key] = len(self._columns)
        self._columns.append(track)
        return place

    @property
    def reading(self) -> frozenset[int]:
        """The runs that read a metric."""
        return frozenset(self._reactive)

    @property
    def used(self) -> frozenset[str]:
        """The hyperparameters that are not 0 throughout in every run."""
        return frozenset(
            name
            for name in self.names
            if any(one.of[name].base != 0 or _moves(one.of[name]) for one in self._tracks)
        )

    @property
    def moving(self) -> frozenset[str]:
        """The hyperparameters that a schedule moves in some run."""
        return frozenset(
            name for name in self.names if any(_moves(one.of[name]) for one in self._tracks)
        )

    def at(self, steps: NDArray[np.intp]) -> dict[str, NDArray[np.float64]]:
        """Every hyperparameter at some steps, shape (steps, runs); they go up from call to call."""
        ends = int(steps[-1]) + 1
        if ends > self._first + len(self._values):
            self._first = int(steps[0])
            self._values = self._evaluated(ends)
        rows = self._values[steps - self._first]
        return {name: rows[:, self._places[i]] for i, name in enumerate(self.names)}

    def _evaluated(self, ends: int) -> NDArray[np.float64]:
        last = max(ends, min(self._first + AHEAD, self._horizon))
        t = np.arange(self._first, last)
        values = np.empty((len(t), len(self._columns)))
        for place in range(len(self._columns)):
            values[:, place] = self._now(place)(t, base=self._columns[place].base)
        return values

    def _now(self, place: int) -> Schedule:
        schedule = self._columns[place].schedule
        return schedule.given(self._states[place]) if place in self._states else schedule

    def observe(self, epochs: dict[int, Epoch], t: int, then: int) -> None:
        """Gives the runs that read a metric that of their epoch.

        Args:
            epochs: what was measured, by run.
            t: the step at which that was.
            then: the first step that it changes.
        """
        for run, epoch in epochs.items():
            metric = self._tracks[run].metric
            assert metric is not None
            for place in self._reactive[run]:
                track, before = self._columns[place], self._now(place)
                self._states[place] = track.schedule.observe(
                    self._states[place], t, metric(epoch), base=track.base
                )
                now = self._now(place)
                rest = np.arange(then, self._first + len(self._values))
                if now != before and len(rest):
                    self._values[then - self._first :, place] = now(rest, base=track.base)


def _moves(track: Track) -> bool:
    return track.schedule != Constant(1.0)


def _key(schedule: Schedule) -> object:
    """What tells schedules apart; a user's function need not have a hash."""
    try:
        hash(schedule)
    except TypeError:
        return id(schedule)
    return schedule
