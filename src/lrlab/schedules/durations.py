"""Durations: steps (a number), epochs (``"5ep"``) or a share of the whole (``"10%"``).

A ``Horizon`` is what turns the last two into steps. Nothing here knows any schedule.
"""

import math
import re
from dataclasses import dataclass, replace

from lrlab._checks import to_finite_float, to_int_if_whole
from lrlab.errors import ScheduleError

MAX_STEPS = 2**53
"""Beyond, float64 counts no single steps."""

ROUNDING_SLACK = 1 + 2.0**-51
"""A period such as 18 / 14 is off by its last bits, and so is t over it: times this, a step that is
as near to a multiple of the period is one."""

_DURATION_PATTERN = re.compile(r"((?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*(ep|%)")


def convert_duration(value: object) -> float | str | None:
    """``value`` in its one spelling (``"10.0 %"`` -> ``"10%"``), or None if it is no duration."""
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
    """How long training is, and where in it a schedule starts.

    Args:
        total_steps: steps of the whole training; needed by shares and by "the rest".
        steps_per_epoch: steps per epoch; needed by durations in epochs.
        start: the step at which the schedule begins.
        exact_start: the same before rounding, so that the parts of a sequence, rounded where they
            meet, always add up to the whole.
        end: the step that "the rest" reaches to; the total when left out.
    """

    total_steps: float | None = None
    steps_per_epoch: float | None = None
    start: float = 0
    exact_start: float = 0
    end: float | None = None

    def to_exact_steps(self, duration: float | str) -> float:
        """Steps in ``duration``, not rounded.

        Raises:
            ScheduleError: it needs ``total_steps`` or ``steps_per_epoch``, which this horizon lacks.
        """
        if not isinstance(duration, str):
            return duration
        if duration.endswith("%"):
            if self.total_steps is None:
                raise ScheduleError(
                    f'"{duration}" is a share of the whole training: say how many steps that has '
                    "with .bind(total_steps=...), on a scheduler with total_steps=..., on the command "
                    "line with --steps."
                )
            return self.total_steps * float(duration[:-1]) / 100
        if self.steps_per_epoch is None:
            raise ScheduleError(
                f'"{duration}" counts epochs: say how many steps one has with .bind(steps_per_epoch=...), '
                "on a scheduler with steps_per_epoch=..., on the command line with --steps-per-epoch."
            )
        return self.steps_per_epoch * float(duration[:-2])

    def to_steps(self, duration: float | str) -> float:
        """Steps in a ``duration`` that begins at ``start``; units round where it ends, ties up."""
        if not isinstance(duration, str):
            return duration
        end = math.floor(self.exact_start + self.to_exact_steps(duration) + 0.5)
        return to_int_if_whole(float(max(0, end - self.start)))

    def to_period(self, duration: float | str) -> float:
        """Steps in a ``duration`` that recurs: rounded by itself, wherever it begins.

        Raises:
            ScheduleError: that rounds to no step at all.
        """
        steps = replace(self, start=0, exact_start=0).to_steps(duration)
        if not steps:
            raise ScheduleError(f'"{duration}" rounds to 0 steps here, and what recurs needs 1.')
        return steps

    def count_remaining_steps(self, owner: object) -> float:
        """Steps from ``start`` to the end of the whole, never below 0."""
        end = self.total_steps if self.end is None else self.end
        if end is None:
            raise ScheduleError(
                f"{owner} takes the rest of the training: give it a duration, or say how many steps "
                "the whole has with .bind(total_steps=...), on a scheduler with total_steps=..., on the "
                "command line with --steps."
            )
        return to_int_if_whole(float(max(0, end - self.start)))

    def advance(self, exact_steps: float, steps: float) -> "Horizon":
        """The horizon of what follows something of ``steps`` steps (``exact_steps`` before rounding)."""
        return replace(self, start=self.start + steps, exact_start=self.exact_start + exact_steps)

    def scale_remaining(self, fraction: float) -> "Horizon":
        """This horizon with ``fraction`` of its rest as the rest, if it has one."""
        if self.total_steps is None and self.end is None:
            return self
        return replace(self, end=self.start + fraction * self.count_remaining_steps("it"))
