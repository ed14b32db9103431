"""The values of every scheduled hyperparameter over the next steps, computed at once.

One evaluation of a schedule costs much the same for one step as for hundreds, so stepping through
a table costs next to nothing. Every value has the bits that an evaluation at its step would have.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from lrlab.errors import LrlabError, SchedulerError
from lrlab.optim.hyperparameters import Hyperparameter
from lrlab.optim.track import Row, Track

FEWEST_STEPS = 64
MOST_STEPS = 2_048
"""Of a table: a scheduler begins at once, and one that goes on for long seldom needs another."""


Cell = tuple[int, str, list[float], float, Hyperparameter]
"""One hyperparameter of one parameter group: the place of the group, the key, a number for each
step, what to multiply it by, and the hyperparameter."""


@dataclass(frozen=True, slots=True)
class Table:
    """The values of some tracks from step ``first`` on.

    Args:
        tracks: what the values are of, the rate's first.
        first: the step at which it begins.
        length: how many steps it has.
        groups: how many parameter groups there are.
        cells: the values, those of the first track first. Many share one list of numbers.
        bases: the base rates that they were computed for.
        before: of each track, the values that were used before the first.
    """

    tracks: tuple[Track, ...]
    first: int
    length: int
    groups: int
    cells: list[Cell]
    bases: Row
    before: list[Row]

    def has(self, t: int) -> bool:
        """Whether it has step ``t``."""
        return 0 <= t - self.first < self.length

    def covers(self, t: int) -> bool:
        """Whether it has step ``t`` as the base rates are by now."""
        return self.has(t) and self.bases == self.tracks[0].bases

    def at(self, t: int) -> list[Row]:
        """Of each track, the values at step ``t``, which the table must have."""
        i = t - self.first
        values = [numbers[i] * scale for _, _, numbers, scale, _ in self.cells]
        return [values[i : i + self.groups] for i in range(0, len(values), self.groups)]

    def used(self, t: int) -> list[Row]:
        """Of each track, the values that were used last when it is step ``t``."""
        return self.at(t - 1) if t > self.first else [[*row] for row in self.before]


NOTHING = Table((), 0, 0, 1, [], [], [])
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
        SchedulerError: it gives one that its hyperparameter cannot have, or a base value is none.
    """
    length = FEWEST_STEPS
    if t == last.first + last.length > last.first:
        length = min(2 * max(last.length, FEWEST_STEPS), MOST_STEPS)
    if any(track.one_by_one for track in tracks):
        length = 1
    try:
        cells = [cell for track in tracks for cell in _cells(track, t, length)]
    except LrlabError:
        if length == 1:
            raise
        length = 1
        cells = [cell for track in tracks for cell in _cells(track, t, length)]
    bases = list(tracks[0].bases)
    table = Table(tracks, t, length, len(bases), cells, bases, [])
    return replace(table, before=table.at(t) if before is None else _padded(before, tracks))


def _padded(before: list[Row], tracks: tuple[Track, ...]) -> list[Row]:
    """The values used before; of groups that were not there, those that they came with."""
    pairs = zip(before, tracks, strict=True)
    return [[*row, *track.bases[len(row) :]] for row, track in pairs]


def _cells(track: Track, t: int, length: int) -> Iterator[Cell]:
    steps = np.arange(t, t + length)
    what = track.what
    highest_bases: dict[int, float] = {}
    for schedule, base in zip(track.ruling, track.bases, strict=True):
        highest_bases[id(schedule)] = max(base, highest_bases.get(id(schedule), base))
    known: dict[tuple[int, float | None], list[float]] = {}
    for place, (schedule, base) in enumerate(zip(track.ruling, track.bases, strict=True)):
        if not 0 <= base < np.inf:  # as only a person can have made it since
            raise SchedulerError(
                f"the base value of {what} must be 0 or more, got {base!r} in group {place}."
            )
        # One list for each schedule is enough where its values are factors times the base value.
        key = id(schedule), None if schedule.relative else base
        if key not in known:
            highest_base = highest_bases[id(schedule)]
            values = schedule(steps) if schedule.relative else schedule(steps, base=base)
            highest = float(values.max()) * (highest_base if schedule.relative else 1.0)
            if highest == np.inf:  # beyond float64, which this says in so many words
                schedule(steps, base=highest_base)
            if what.below_one and highest >= 1:
                raise SchedulerError(
                    f"{what} must stay below 1, but {schedule} gives {highest:g} at step {t}; "
                    "levels are factors of the optimizer's own value, Rate(0.95) is an absolute "
                    "one."
                )
            known[key] = values.tolist()
        yield place, what.key, known[key], base if schedule.relative else 1.0, what
