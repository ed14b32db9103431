"""Precomputed values of every scheduled hyperparameter over the next steps, to make steps fast.

Evaluating a schedule takes about as long for one step as for hundreds, so a step through a table
takes almost no time. Each value is bit-identical to an evaluation at its step.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from lrlab.errors import LrlabError, SchedulerError
from lrlab.optim.hyperparameters import GroupValues, Hyperparameter, ScheduledHyperparameter

MIN_TABLE_STEPS, MAX_TABLE_STEPS = 64, 2_048
"""Steps in a table: few at first, so that a scheduler starts fast, then twice as many each time."""

Cell = tuple[int, str, list[float], float, Hyperparameter]
"""One hyperparameter of one parameter group: the index of the group, the key, a number for each
step, what to multiply it by, and the hyperparameter."""


@dataclass(frozen=True, slots=True)
class ValueTable:
    """The values of scheduled hyperparameters from step ``first_step`` on.

    Args:
        hyperparameters: the scheduled hyperparameters, the learning rate first.
        first_step: the first step of the table.
        length: the number of steps.
        group_count: the number of parameter groups.
        cells: the values, by hyperparameter and group; many share one list of numbers.
        base_lrs: the base learning rates that the values were computed for.
        initial_used_values: for each hyperparameter, the values used before the first step.
    """

    hyperparameters: tuple[ScheduledHyperparameter, ...]
    first_step: int
    length: int
    group_count: int
    cells: list[Cell]
    base_lrs: GroupValues
    initial_used_values: list[GroupValues]

    def has_step(self, t: int) -> bool:
        """Whether the table has step ``t``."""
        return 0 <= t - self.first_step < self.length

    def is_valid_at(self, t: int) -> bool:
        """Whether the table has step ``t``, for the current base learning rates."""
        return self.has_step(t) and self.base_lrs == self.hyperparameters[0].bases

    def get_values(self, t: int) -> list[GroupValues]:
        """Return the values at step ``t`` of the table, by hyperparameter and group."""
        i = t - self.first_step
        values = [numbers[i] * scale for _, _, numbers, scale, _ in self.cells]
        size = self.group_count
        return [values[start : start + size] for start in range(0, len(values), size)]

    def get_used_values(self, t: int) -> list[GroupValues]:
        """Return the values used last before step ``t``, by hyperparameter and group."""
        return (
            self.get_values(t - 1)
            if t > self.first_step
            else [[*row] for row in self.initial_used_values]
        )


EMPTY_TABLE = ValueTable((), 0, 0, 1, [], [], [])
"""The table before the first step."""


def precompute(
    hyperparameters: tuple[ScheduledHyperparameter, ...],
    t: int,
    used_values: list[GroupValues] | None,
    previous_table: ValueTable,
) -> ValueTable:
    """Compute the table of step ``t`` and some steps after it.

    A table that continues the previous one is twice as long. It has a single step if a later step
    fails, or if it calls a user's function, which must not be called ahead of its time.

    Args:
        hyperparameters: the scheduled hyperparameters, the learning rate first.
        t: the first step.
        used_values: for each hyperparameter, the values used before ``t``; None at the beginning,
            for those of ``t``.
        previous_table: the table before.

    Raises:
        ScheduleError: a schedule has no value at ``t``.
        SchedulerError: the hyperparameter cannot have that value, or a base value is not a number.
    """
    length = MIN_TABLE_STEPS
    if t == previous_table.first_step + previous_table.length > previous_table.first_step:
        length = min(2 * max(previous_table.length, MIN_TABLE_STEPS), MAX_TABLE_STEPS)
    if any(scheduled.forbids_precompute for scheduled in hyperparameters):
        length = 1
    try:
        cells = _compute_cells(hyperparameters, t, length)
    except LrlabError:
        if length == 1:
            raise
        length = 1
        cells = _compute_cells(hyperparameters, t, length)
    base_lrs = list(hyperparameters[0].bases)
    table = ValueTable(hyperparameters, t, length, len(base_lrs), cells, base_lrs, [])
    return replace(
        table,
        initial_used_values=table.get_values(t)
        if used_values is None
        else _pad_used_values(used_values, hyperparameters),
    )


def _pad_used_values(
    used_values: list[GroupValues], hyperparameters: tuple[ScheduledHyperparameter, ...]
) -> list[GroupValues]:
    """Add the base values of groups that are new to the values used before."""
    pairs = zip(used_values, hyperparameters, strict=True)
    return [[*row, *scheduled.bases[len(row) :]] for row, scheduled in pairs]


def _compute_cells(
    hyperparameters: tuple[ScheduledHyperparameter, ...], t: int, length: int
) -> list[Cell]:
    return [cell for scheduled in hyperparameters for cell in _iter_cells(scheduled, t, length)]


def _iter_cells(scheduled: ScheduledHyperparameter, t: int, length: int) -> Iterator[Cell]:
    steps = np.arange(t, t + length)
    hyperparameter = scheduled.hyperparameter
    highest_bases: dict[int, float] = {}
    for schedule, base in zip(scheduled.schedules_with_state, scheduled.bases, strict=True):
        highest_bases[id(schedule)] = max(base, highest_bases.get(id(schedule), base))
    values_by_schedule: dict[tuple[int, float | None], list[float]] = {}
    for group_index, (schedule, base) in enumerate(
        zip(scheduled.schedules_with_state, scheduled.bases, strict=True)
    ):
        if not 0 <= base < np.inf:  # the user may have changed it
            raise SchedulerError(
                f"the base value of {hyperparameter} must be 0 or more, got {base!r} in parameter "
                f"group {group_index}."
            )
        # Groups with the same schedule share one list if its values are factors of the base.
        key = id(schedule), None if schedule.is_relative else base
        if key not in values_by_schedule:
            highest_base = highest_bases[id(schedule)]
            values = schedule(steps) if schedule.is_relative else schedule(steps, base=base)
            highest = float(values.max()) * (highest_base if schedule.is_relative else 1.0)
            if highest == np.inf:
                schedule(steps, base=highest_base)  # raises the error about the overflow
            if hyperparameter.must_be_below_one and highest >= 1:
                raise SchedulerError(
                    f"{hyperparameter} must stay below 1, but {schedule} gives {highest:g} at step "
                    f"{t}: levels are factors of the optimizer's value, so write an absolute one "
                    "as Absolute(0.95)."
                )
            values_by_schedule[key] = values.tolist()
        yield (
            group_index,
            hyperparameter.key,
            values_by_schedule[key],
            base if schedule.is_relative else 1.0,
            hyperparameter,
        )
