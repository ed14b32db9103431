"""Durations: steps (a number), epochs (``"5ep"``) or a percentage of the training (``"10%"``).

A ``Horizon`` converts the last two into steps.
"""

import math
import re
from dataclasses import dataclass, replace

from lrlab._checks import to_finite_float, to_int_if_whole
from lrlab.errors import ScheduleError

MAX_STEPS = 2**53
"""Beyond this, float64 cannot count single steps."""

ROUNDING_SLACK = 1 + 2.0**-51
"""Factor for t / period, which rounding may leave just below an integer (for a period such as
18 / 14): the product reaches the integer."""

_TOTAL_STEPS_REMEDY = "bind the schedule with `total_steps`"

_DURATION_PATTERN = re.compile(r"((?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*(ep|%)")


def convert_duration(value: object) -> float | str | None:
    """Return a duration in canonical form (``"10.0 %"`` -> ``"10%"``), None for anything else."""
    if isinstance(value, str):
        match = _DURATION_PATTERN.fullmatch(value.strip())
        if match is None or len(value) > 40:
            return None
        amount, unit = float(match[1]), match[2]
        max_amount = 100 if unit == "%" else 1e9
        return f"{to_int_if_whole(amount)!r}{unit}" if amount <= max_amount else None
    number = to_finite_float(value)
    return None if number is None or not 0 <= number <= MAX_STEPS else to_int_if_whole(number)


@dataclass(frozen=True)
class Horizon:
    """The length of a training, and where in it a schedule starts.

    Args:
        total_steps: steps of the whole training; needed by percentages and by schedules that fill
            the rest of the training.
        steps_per_epoch: steps per epoch; needed by durations in epochs.
        start: the step at which the schedule starts.
        exact_start: the same before rounding, so that the parts of a sequence, rounded where they
            meet, always add up to the whole.
        end: the step at which the rest of the training ends; ``total_steps`` if omitted.
    """

    total_steps: float | None = None
    steps_per_epoch: float | None = None
    start: float = 0
    exact_start: float = 0
    end: float | None = None

    def to_exact_steps(self, duration: float | str) -> float:
        """Return the steps in ``duration``, not rounded.

        Raises:
            ScheduleError: it needs ``total_steps`` or ``steps_per_epoch``, which are unknown.
        """
        if not isinstance(duration, str):
            return duration
        if duration.endswith("%"):
            if self.total_steps is None:
                raise ScheduleError(
                    f'"{duration}" is a percentage of the training, whose length is unknown: '
                    f"{_TOTAL_STEPS_REMEDY}."
                )
            return self.total_steps * float(duration[:-1]) / 100
        if self.steps_per_epoch is None:
            raise ScheduleError(
                f'"{duration}" counts epochs, whose length is unknown: bind the schedule with '
                "`steps_per_epoch`."
            )
        return self.steps_per_epoch * float(duration[:-2])

    def to_steps(self, duration: float | str) -> float:
        """Return the steps in a ``duration`` that begins at ``start``; its end is rounded."""
        if not isinstance(duration, str):
            return duration
        end = math.floor(self.exact_start + self.to_exact_steps(duration) + 0.5)  # ties go up
        return to_int_if_whole(float(max(0, end - self.start)))

    def to_period(self, duration: float | str) -> float:
        """Return the steps in a recurring ``duration``, rounded the same wherever it starts.

        Raises:
            ScheduleError: it rounds to 0.
        """
        steps = replace(self, start=0, exact_start=0).to_steps(duration)
        if not steps:
            raise ScheduleError(
                f'"{duration}" rounds to 0 steps here, but a period needs 1 or more.'
            )
        return steps

    def count_remaining_steps(self, owner: object) -> float:
        """Return the steps from ``start`` to the end of the training, never below 0."""
        end = self.total_steps if self.end is None else self.end
        if end is None:
            raise ScheduleError(
                f"{owner} fills the rest of the training, whose length is unknown: give it a "
                f"duration, or {_TOTAL_STEPS_REMEDY}."
            )
        return to_int_if_whole(float(max(0, end - self.start)))

    def advance(self, exact_steps: float, steps: float) -> "Horizon":
        """Return the horizon after ``steps`` steps (``exact_steps`` before rounding)."""
        return replace(self, start=self.start + steps, exact_start=self.exact_start + exact_steps)

    def scale_remaining(self, fraction: float) -> "Horizon":
        """Return this horizon with its remaining steps, if known, multiplied by ``fraction``."""
        if self.total_steps is None and self.end is None:
            return self
        return replace(self, end=self.start + fraction * self.count_remaining_steps("it"))
