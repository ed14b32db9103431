"""The values of every scheduled hyperparameter over the next steps, computed at once.

One evaluation of a schedule costs much the same for one step as for hundreds, so stepping through
a table costs next to nothing. Every value has the bits that an evaluation at its step would have.
"""

from dataclasses import dataclass

import numpy as np

from lrlab.errors import LrlabError, SchedulerError
from lrlab.optim.hyperparameters import Hyperparameter
from lrlab.optim.track import Row, Track

FEWEST_STEPS = 64
MOST_STEPS = 2_048
"""Of a table: a scheduler begins at once, and one that goes on for long seldom needs another."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The values of one hyperparameter in every parameter group.

    Args:
        what: the hyperparameter.
        key: its key.
        factors: of each group, a number for each step; groups with the same have one list of them.
        scales: of each group, what to multiply by.
    """

    what: Hyperparameter
    key: str
    factors: list[list[float]]
    scales: Row

    def row(self, i: int) -> Row:
        """The values at step ``i`` of the table."""
        pairs = zip(self.factors, self.scales, strict=True)
        return [factors[i] * scale for factors, scale in pairs]


@dataclass(frozen=True, slots=True)
class Table:
    """The values of some tracks from step ``first`` on.

    Args:
        tracks: what the values are of, the rate's first.
        first: the step at which it begins.
        length: how many steps it has.
        columns: the values of each track.
        before: of each track, the values that were used before the first.
        bases: the base rates that it was computed for.
    """

    tracks: tuple[Track, ...]
    first: int
    length: int
    columns: tuple[Columns, ...]
    before: list[Row]
    bases: Row

    def covers(self, t: int) -> bool:
        """Whether it has step ``t`` as the base rates are by now."""
        return 0 <= t - self.first < self.length and self.tracks[0].bases == self.bases

    def at(self, t: int) -> list[Row]:
        """Of each track, the values at step ``t``: the next to be used by then."""
        i = min(max(0, t - self.first), self.length - 1)
        return [columns.row(i) for columns in self.columns]

    def used(self, t: int) -> list[Row]:
        """Of each track, the values that were used last when it is step ``t``."""
        return self.before if t <= self.first else self.at(t - 1)

    def cut(self, t: int) -> "Table":
        """What is needed of it when it is step ``t``."""
        columns = (
            Columns(one.what, one.key, [[value] for value in row], [1.0] * len(row))
            for one, row in zip(self.columns, self.at(t), strict=True)
        )
        return Table(self.tracks, t, 1, tuple(columns), self.used(t), self.bases)


NOTHING = Table((), 0, 0, (), [], [])
"""The table before the first."""


def look_ahead(tracks: tuple[Track, ...], t: int, before: list[Row] | None, last: Table) -> Table:
    """The table of step ``t`` and some that follow.

    One that goes on where the last ended is longer than that. A function of the user's own is
    never called ahead of its time, and where a step ahead gives an error, the table has one step.

    Args:
        tracks: the rate's first.
        t: the first step.
        before: of each track, the values that were used before it; None if it is the beginning,
            where those of ``t`` stand for them.
        last: the table before.

    Raises:
        ScheduleError: a schedule gives no value at ``t``.
        SchedulerError: it gives one that its hyperparameter cannot have.
    """
    length = FEWEST_STEPS
    if t == last.first + last.length > last.first:
        length = min(2 * max(last.length, FEWEST_STEPS), MOST_STEPS)
    if any(track.one_by_one for track in tracks):
        length = 1
    try:
        columns = tuple(_columns(track, t, length) for track in tracks)
    except LrlabError:
        if length == 1:
            raise
        length = 1
        columns = tuple(_columns(track, t, length) for track in tracks)
    if before is None:
        before = [one.row(0) for one in columns]
    return Table(tracks, t, length, columns, before, list(tracks[0].bases))


def _columns(track: Track, t: int, length: int) -> Columns:
    steps = np.arange(t, t + length)
    known: dict[tuple[int, float | None], list[float]] = {}
    factors: list[list[float]] = []
    scales: Row = []
    for schedule, base in zip(track.ruling, track.bases, strict=True):
        # A list for each schedule is enough where the values are its factors times the base value.
        key = id(schedule), None if schedule.relative else base
        if key not in known:
            values = schedule(steps) if schedule.relative else schedule(steps, base=base)
            highest = float(values.max()) * (max(track.bases) if schedule.relative else 1.0)
            if highest == np.inf:  # beyond float64, which this says in so many words
                schedule(steps, base=max(track.bases))
            if track.what.below_one and highest >= 1:
                raise SchedulerError(
                    f"{track.what} must stay below 1, but {schedule} gives {highest:g} at step "
                    f"{t + values.argmax()}; levels are factors of the optimizer's own value, "
                    "Rate(0.95) is an absolute one."
                )
            known[key] = values.tolist()
        factors.append(known[key])
        scales.append(base if schedule.relative else 1.0)
    return Columns(track.what, track.what.key, factors, scales)
