"""The parameter groups of an optimizer, and what a plan makes them hold at each step."""

from dataclasses import replace

from torch.optim import Optimizer

from lrlab.errors import SchedulerError
from lrlab.optim.plan import Plan
from lrlab.optim.table import NOTHING, Table, look_ahead
from lrlab.optim.track import Row, Track


class Groups:
    """The parameter groups of an optimizer, and the table of what they hold around a step.

    Args:
        optimizer: whose groups they are; those that it gets later are found when they are there.
        plan: which schedules they follow.
        t: the step to begin with.

    Attributes:
        table: the values of the steps around the current one, and the tracks that they are of.

    Raises:
        SchedulerError: a value that a schedule multiplies is 0, or is no number.
        ScheduleError: a schedule gives no value at the step.
    """

    def __init__(self, optimizer: Optimizer, plan: Plan, t: int) -> None:
        self._optimizer = optimizer
        self._plan = plan
        self.table = NOTHING
        tracks = self._grown(tuple(Track(what) for what in plan.hyperparameters()))
        for track in tracks[1:]:
            if not any(track.bases) and all(schedule.relative for schedule in track.schedules):
                raise SchedulerError(
                    f"{track.what} must be above 0 to be scheduled by factors, but the optimizer's "
                    "is 0: give it one there, or absolute levels here, as in Linear(Rate(0.1), "
                    "Rate(0.01))."
                )
        self.go_to(t, tracks, None)

    @property
    def tracks(self) -> tuple[Track, ...]:
        """What each scheduled hyperparameter follows in every group; the rate's first."""
        return self._grown(self.table.tracks)

    def around(self, t: int) -> Table:
        """The table with step ``t``, of the groups and base rates that there were at the last step.

        To look at it changes nothing, unless a trainer has moved the scheduler's ``last_epoch``.
        """
        table, t = self.table, max(0, t)
        if not table.has(t):
            self.table = look_ahead(table.tracks, t, table.at(t - 1), table)
        return self.table

    def go_to(self, t: int, tracks: tuple[Track, ...], before: list[Row] | None) -> None:
        """Makes the groups hold what ``tracks`` have at step ``t``; if that fails, nothing changes.

        Args:
            t: the step.
            tracks: what to follow from now on.
            before: of each track, the values used before; None at the very beginning.
        """
        table = self.table
        if table.covers(t) and table.used(t) == before and _same(tracks, table.tracks):
            table = replace(table, tracks=tracks)  # most metrics change nothing
        else:
            table = look_ahead(tracks, t, before, table)
        groups = self._optimizer.param_groups
        for track, row in zip(tracks, table.at(t), strict=True):
            for i, (value, base) in enumerate(zip(row, track.bases, strict=True)):
                if tracks is not self.table.tracks:
                    track.what.settle(groups, i)
                groups[i][track.what.initial] = base
                track.what.write(groups[i], value)
        followed = {track.what for track in tracks}
        for track in self.table.tracks:
            if track.what not in followed:
                for group in groups:
                    track.what.end(group)
        self.table = table

    def _grown(self, tracks: tuple[Track, ...]) -> tuple[Track, ...]:
        """The tracks with the groups that are new to them."""
        groups = self._optimizer.param_groups
        known = len(tracks[0].bases)
        if known == len(groups):
            return tracks
        if known > len(groups):
            raise SchedulerError(
                f"the optimizer must keep its parameter groups, but of {known} it has "
                f"{len(groups)}: build a new scheduler."
            )
        grown = []
        for track in tracks:
            new = range(known, len(groups))
            bases = [track.what.base(groups, i) for i in new]
            schedules = [self._plan.schedule(track.what, i) for i in new]
            grown.append(track.grown(schedules, bases))
        return tuple(grown)


def _same(tracks: tuple[Track, ...], others: tuple[Track, ...]) -> bool:
    """Whether they have the same values at every step."""
    pairs = zip(tracks, others, strict=False)
    return len(tracks) == len(others) and all(
        one.what == other.what and one.bases == other.bases and one.ruling == other.ruling
        for one, other in pairs
    )
