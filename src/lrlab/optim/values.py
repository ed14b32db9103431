"""The values of every scheduled hyperparameter over the next steps, computed at once.

One evaluation of a schedule costs much the same for one step as for hundreds, so stepping through
a table costs next to nothing. Every value has the bits that an evaluation at its step would have.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from lrlab.errors import LrlabError, SchedulerError
from lrlab.optim.hyperparameters import GroupValues, Hyperparameter, ScheduledHyperparameter

MIN_TABLE_STEPS = 64
MAX_TABLE_STEPS = 2_048
"""Of a table: a scheduler begins at once, and one that goes on for long seldom needs another."""


Cell = tuple[int, str, list[float], float, Hyperparameter]
"""One hyperparameter of one parameter group: the place of the group, the key, a number for each
step, what to multiply it by, and the hyperparameter."""


@dataclass(frozen=True, slots=True)
class ValueTable:
    """The values of some tracks from step ``first_step`` on.

    Args:
        hyperparameters: what the values are of, the rate's first.
        first_step: the step at which it begins.
        length: how many steps it has.
        group_count: how many parameter groups there are.
        cells: the values, those of the first track first. Many share one list of numbers.
        base_lrs: the base rates that they were computed for.
        initial_used_values: of each track, the values that were used before the first.
    """

    hyperparameters: tuple[ScheduledHyperparameter, ...]
    first_step: int
    length: int
    group_count: int
    cells: list[Cell]
    base_lrs: GroupValues
    initial_used_values: list[GroupValues]

    def has_step(self, t: int) -> bool:
        """Whether it has step ``t``."""
        return 0 <= t - self.first_step < self.length

    def is_valid_at(self, t: int) -> bool:
        """Whether it has step ``t`` as the base rates are by now."""
        return self.has_step(t) and self.base_lrs == self.hyperparameters[0].bases

    def get_values(self, t: int) -> list[GroupValues]:
        """Of each track, the values at step ``t``, which the table must have."""
        i = t - self.first_step
        values = [numbers[i] * scale for _, _, numbers, scale, _ in self.cells]
        return [values[i : i + self.group_count] for i in range(0, len(values), self.group_count)]

    def get_used_values(self, t: int) -> list[GroupValues]:
        """Of each track, the values that were used last when it is step ``t``."""
        return (
            self.get_values(t - 1)
            if t > self.first_step
            else [[*row] for row in self.initial_used_values]
        )


EMPTY_TABLE = ValueTable((), 0, 0, 1, [], [], [])
"""The table before the first."""


def precompute(
    hyperparameters: tuple[ScheduledHyperparameter, ...],
    t: int,
    used_values: list[GroupValues] | None,
    previous_table: ValueTable,
) -> ValueTable:
    """The table of step ``t`` and some that follow.

    One that goes on where the last ended is longer than that. A function of the user's own is
    never called ahead of its time, and where a step ahead gives an error, the table has one step.

    Args:
        hyperparameters: the rate's first.
        t: the first step.
        used_values: of each track, the values that were used before it; None if it is the beginning,
            where those of ``t`` stand for them.
        previous_table: the table before.

    Raises:
        ScheduleError: a schedule gives no value at ``t``.
        SchedulerError: it gives one that its hyperparameter cannot have, or a base value is none.
    """
    length = MIN_TABLE_STEPS
    if t == previous_table.first_step + previous_table.length > previous_table.first_step:
        length = min(2 * max(previous_table.length, MIN_TABLE_STEPS), MAX_TABLE_STEPS)
    if any(scheduled.forbids_precompute for scheduled in hyperparameters):
        length = 1
    try:
        cells = [
            cell for scheduled in hyperparameters for cell in _compute_cells(scheduled, t, length)
        ]
    except LrlabError:
        if length == 1:
            raise
        length = 1
        cells = [
            cell for scheduled in hyperparameters for cell in _compute_cells(scheduled, t, length)
        ]
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
    """The values used before; of groups that were not there, those that they came with."""
    pairs = zip(used_values, hyperparameters, strict=True)
    return [[*row, *scheduled.bases[len(row) :]] for row, scheduled in pairs]


def _compute_cells(scheduled: ScheduledHyperparameter, t: int, length: int) -> Iterator[Cell]:
    steps = np.arange(t, t + length)
    hyperparameter = scheduled.hyperparameter
    highest_bases: dict[int, float] = {}
    for schedule, base in zip(scheduled.schedules_with_state, scheduled.bases, strict=True):
        highest_bases[id(schedule)] = max(base, highest_bases.get(id(schedule), base))
    values_by_schedule: dict[tuple[int, float | None], list[float]] = {}
    for group_index, (schedule, base) in enumerate(
        zip(scheduled.schedules_with_state, scheduled.bases, strict=True)
    ):
        if not 0 <= base < np.inf:  # as only a person can have made it since
            raise SchedulerError(
                f"the base value of {hyperparameter} must be 0 or more, got {base!r} in group {group_index}."
            )
        # One list for each schedule is enough where its values are factors times the base value.
        key = id(schedule), None if schedule.is_relative else base
        if key not in values_by_schedule:
            highest_base = highest_bases[id(schedule)]
            values = schedule(steps) if schedule.is_relative else schedule(steps, base=base)
            highest = float(values.max()) * (highest_base if schedule.is_relative else 1.0)
            if highest == np.inf:  # beyond float64, which this says in so many words
                schedule(steps, base=highest_base)
            if hyperparameter.must_be_below_one and highest >= 1:
                raise SchedulerError(
                    f"{hyperparameter} must stay below 1, but {schedule} gives {highest:g} at step {t}; "
                    "levels are factors of the optimizer's own value, Absolute(0.95) is an absolute "
                    "one."
                )
            values_by_schedule[key] = values.tolist()
        yield (
            group_index,
            hyperparameter.key,
            values_by_schedule[key],
            base if schedule.is_relative else 1.0,
            hyperparameter,
        )
