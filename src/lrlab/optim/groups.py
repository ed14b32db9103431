"""The parameter groups of an optimizer, and what schedules make them hold at each step."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

from lrlab.errors import SchedulerError
from lrlab.optim.hyperparameters import Group, Hyperparameter
from lrlab.optim.plan import Plan, Several
from lrlab.optim.table import NOTHING, Table, look_ahead
from lrlab.optim.track import Row, Track
from lrlab.schedules.numbers import real


class Groups:
    """What parameter groups hold, step by step.

    The groups themselves are given at each call: an optimizer makes new ones when it loads a state.

    Args:
        plan: which schedules they follow.
        groups: ``optimizer.param_groups``.
        t: the step to begin with.

    Attributes:
        table: the values of the steps around the current one, and the tracks that they are of.

    Raises:
        SchedulerError: a value that a schedule multiplies is 0, or is no number.
        ScheduleError: a schedule gives no value at the step.
    """

    def __init__(self, plan: Plan, groups: list[Group], t: int) -> None:
        self.table = NOTHING
        tracks = grown(plan.tracks(), groups, plan.apart)
        for track in tracks[1:]:
            if not any(track.bases) and all(schedule.relative for schedule in track.schedules):
                raise SchedulerError(
                    f"{track.what} must be above 0 to be scheduled by factors, but the optimizer's "
                    "is 0: give it one there, or absolute levels here, as in Linear(Rate(0.1), "
                    "Rate(0.01))."
                )
        self.go_to(t, tracks, None, groups)

    def __copy__(self) -> "Groups":
        # With base values of its own.
        other = object.__new__(type(self))
        tracks = tuple(track.grown([], list(track.bases)) for track in self.table.tracks)
        other.table = replace(self.table, tracks=tracks)
        return other

    def held_by(self, groups: list[Group], t: int) -> bool:
        """Whether the groups hold the values of step ``t``; those that are new do not count."""
        rows = self.at(t)
        return len(rows[0]) <= len(groups) and all(
            _is(track.what.read(group), value)
            for track, row in zip(self.table.tracks, rows, strict=True)
            for group, value in zip(groups, row, strict=False)
        )

    def tracks(self, groups: list[Group]) -> tuple[Track, ...]:
        """What each scheduled hyperparameter follows in every group; the rate's first."""
        return grown(self.table.tracks, groups)

    def at(self, t: int) -> list[Row]:
        """Of each track, the values of all groups at step ``t``: the next to be used by then."""
        return self._around(t).at(max(0, t))

    def used(self, t: int) -> list[Row]:
        """Of each track, the values of all groups that were used last when it is step ``t``."""
        return self._around(t).used(max(0, t))

    def _around(self, t: int) -> Table:
        """The table with step ``t``.

        To look at it changes nothing, unless a trainer has moved the scheduler's ``last_epoch``.
        """
        table, t = self.table, max(0, t)
        if not table.has(t):
            before = [track.values(max(0, t - 1)) for track in table.tracks]
            self.table = look_ahead(table.tracks, t, before, table)
        return self.table

    def go_to(
        self, t: int, tracks: tuple[Track, ...], before: list[Row] | None, groups: list[Group]
    ) -> None:
        """Makes the groups hold what ``tracks`` have at step ``t``; if that fails, nothing changes.

        Args:
            t: the step; below 0, as before the turn of a child of torch's SequentialLR, the groups
                are left to others.
            tracks: what to follow from now on.
            before: of each track, the values used before; None at the very beginning.
            groups: the parameter groups.
        """
        table, step = self.table, max(0, t)
        if table.covers(step) and table.used(step) == before and _same(tracks, table.tracks):
            # Most metrics change nothing, and then a step takes half the time.
            table = replace(table, tracks=tracks)
        else:
            table = look_ahead(tracks, step, before, table)
        if t >= 0:
            for track, row in zip(tracks, table.at(t), strict=True):
                for i, (value, base) in enumerate(zip(row, track.bases, strict=True)):
                    _settle(track.what, groups, i)
                    groups[i][track.what.initial] = base
                    track.what.write(groups[i], value)
        followed = {track.what for track in tracks}
        for track in self.table.tracks:
            if track.what not in followed:
                for group in groups:
                    track.what.end(group)
        self.table = table


def _is(held: Any, value: float) -> bool:
    """Whether a group holds a value, as precisely as it can."""
    if isinstance(held, torch.Tensor):
        return bool(held == torch.tensor(value, dtype=held.dtype, device=held.device))
    return bool(held == value)


def grown(
    tracks: tuple[Track, ...], groups: list[Group], apart: Mapping[int, Several] | None = None
) -> tuple[Track, ...]:
    """The tracks with the groups that are new to each of them.

    Args:
        tracks: what the groups so far follow.
        groups: all of them.
        apart: what single ones follow that is not for all, by place.

    Raises:
        SchedulerError: groups are gone, or a base value is no number.
    """
    if all(len(track.schedules) == len(track.bases) == len(groups) for track in tracks):
        return tracks
    return tuple(_grown(track, groups, apart or {}) for track in tracks)


def _grown(track: Track, groups: list[Group], apart: Mapping[int, Several]) -> Track:
    known, bases = len(track.schedules), track.bases
    if known > len(groups):
        raise SchedulerError(
            f"the optimizer must keep its parameter groups, but of {known} it has {len(groups)}: "
            "build a new scheduler."
        )
    if not known <= len(bases) <= len(groups):
        raise SchedulerError(
            f"base_lrs must have one rate for each of the {len(groups)} parameter groups, got "
            f"{bases}."
        )
    schedules = [apart.get(i, {}).get(track.what, track.common) for i in range(known, len(groups))]
    missing = [_base(track.what, groups, i) for i in range(len(bases), len(groups))]
    return track.grown(schedules, [*bases, *missing])


def _base(what: Hyperparameter, groups: list[Group], place: int) -> float:
    """The base value of a group that is new.

    It is what the group says of its beginning, as loaded ones do, or else what it holds; if that
    is a tensor that another group holds too, the base value of the other.
    """
    group, held = groups[place], what.read(groups[place])
    if isinstance(held, torch.Tensor):
        others = (other for other in groups[:place] if what.read(other) is held)
        held = next(others, group).get(what.initial, held)
    given = group.get(what.initial, held)
    if isinstance(held, torch.Tensor) and not held.is_floating_point():
        raise SchedulerError(
            f"{what} of parameter group {place} must be a tensor of floats, got {held!r}."
        )
    try:
        base = real(float(given))
    except (TypeError, ValueError, RuntimeError):  # the last is torch's
        base = None
    if base is None or base < 0:
        raise SchedulerError(
            f"{what} of parameter group {place} must be a number of 0 or more, got {given!r}."
        )
    return base


def _settle(what: Hyperparameter, groups: list[Group], place: int) -> None:
    """Gives a group a tensor of its own, if it needs one.

    Groups that take an optimizer's default hold one tensor in common, and could not have values of
    their own. A captured graph keeps a number as it was captured, one in a tensor of the CPU too,
    and reads a tensor of its device again each time, so where a group is ``capturable`` its rate
    becomes one.
    """
    group, held = groups[place], what.read(groups[place])
    is_tensor = isinstance(held, torch.Tensor)
    if is_tensor and any(what.read(other) is held for other in groups[:place]):
        held = held.clone()
        what.replace(group, held)
    if what.key == "lr" and group.get("capturable") and group["params"]:
        device = group["params"][0].device
        if not is_tensor:
            what.replace(group, torch.tensor(float(held), device=device))
        elif held.device != device:
            what.replace(group, held.to(device))


def _same(tracks: tuple[Track, ...], others: tuple[Track, ...]) -> bool:
    """Whether they have the same values at every step."""
    pairs = zip(tracks, others, strict=False)
    return len(tracks) == len(others) and all(
        one.what == other.what and one.bases == other.bases and one.ruling == other.ruling
        for one, other in pairs
    )
