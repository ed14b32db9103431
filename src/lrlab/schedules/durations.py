"""Durations: steps (a number), epochs (``"5ep"``) or a share of the whole (``"10%"``).

A ``Horizon`` is what turns the last two into steps. Nothing here knows any schedule.
"""

import math
import re
from dataclasses import dataclass, replace

from lrlab.errors import ScheduleError
from lrlab.schedules.numbers import real, tidy

MOST_STEPS = 2**53
"""Beyond, float64 counts no single steps."""

LAST_BITS = 1 + 2.0**-51
"""A period such as 18 / 14 is off by its last bits, and so is t over it: times this, a step that is
as near to a multiple of the period is one."""

_WITH_UNIT = re.compile(r"((?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*(ep|%)")


def read_duration(value: object) -> float | str | None:
    """``value`` in its one spelling (``"10.0 %"`` -> ``"10%"``), or None if it is no duration."""
    if isinstance(value, str):
        match = _WITH_UNIT.fullmatch(value.strip())
        if match is None or len(value) > 40:
            return None
        amount, unit = float(match[1]), match[2]
        most = 100 if unit == "%" else 1e9
        return f"{tidy(amount)!r}{unit}" if amount <= most else None
    number = real(value)
    return None if number is None or not 0 <= number <= MOST_STEPS else tidy(number)


@dataclass(frozen=True)
class Horizon:
    """How long training is, and where in it a schedule starts.

    Args:
        total: steps of the whole training; needed by shares and by "the rest".
        epoch: steps per epoch; needed by durations in epochs.
        start: the step at which the schedule begins.
        exact: the same before rounding, so that the parts of a sequence, rounded where they
            meet, always add up to the whole.
        end: the step that "the rest" reaches to; the total when left out.
    """

    total: float | None = None
    epoch: float | None = None
    start: float = 0
    exact: float = 0
    end: float | None = None

    def length(self, duration: float | str) -> float:
        """Steps in ``duration``, not rounded.

        Raises:
            ScheduleError: it needs ``total`` or ``epoch``, which this horizon lacks.
        """
        if not isinstance(duration, str):
            return duration
        if duration.endswith("%"):
            if self.total is None:
                raise ScheduleError(
                    f'"{duration}" is a share of the whole training: say how many steps that has '
                    "with .bind(total=...), on a scheduler with total_steps=..., on the command "
                    "line with --steps."
                )
            return self.total * float(duration[:-1]) / 100
        if self.epoch is None:
            raise ScheduleError(
                f'"{duration}" counts epochs: say how many steps one has with .bind(epoch=...), '
                "on a scheduler with steps_per_epoch=..., on the command line with --epoch-steps."
            )
        return self.epoch * float(duration[:-2])

    def steps(self, duration: float | str) -> float:
        """Steps in a ``duration`` that begins at ``start``; units round where it ends, ties up."""
        if not isinstance(duration, str):
            return duration
        end = math.floor(self.exact + self.length(duration) + 0.5)
        return tidy(float(max(0, end - self.start)))

    def period(self, duration: float | str) -> float:
        """Steps in a ``duration`` that recurs: rounded by itself, wherever it begins.

        Raises:
            ScheduleError: that rounds to no step at all.
        """
        steps = replace(self, start=0, exact=0).steps(duration)
        if not steps:
            raise ScheduleError(f'"{duration}" rounds to 0 steps here, and what recurs needs 1.')
        return steps

    def rest(self, of: object) -> float:
        """Steps from ``start`` to the end of the whole, never below 0."""
        end = self.total if self.end is None else self.end
        if end is None:
            raise ScheduleError(
                f"{of} takes the rest of the training: give it a duration, or say how many steps "
                "the whole has with .bind(total=...), on a scheduler with total_steps=..., on the "
                "command line with --steps."
            )
        return tidy(float(max(0, end - self.start)))

    def after(self, exact: float, steps: float) -> "Horizon":
        """The horizon of what follows something of ``steps`` steps (``exact`` before rounding)."""
        return replace(self, start=self.start + steps, exact=self.exact + exact)

    def shared(self, share: float) -> "Horizon":
        """This horizon with ``share`` of its rest as the rest, if it has one."""
        if self.total is None and self.end is None:
            return self
        return replace(self, end=self.start + share * self.rest("it"))
