"""Schedules of your own, for Python and the command line.

    python custom_schedule.py
    lrlab show 'HyperbolicDecay(0.1)' --total-steps 100 --import custom_schedule.py
    lrlab compare iris --schedule 'Warmup(5) >> QuarterCircle()' --import custom_schedule.py

One is a formula of the step, the other a curve between two levels.
"""

from dataclasses import KW_ONLY, dataclass

import numpy as np

import lrlab
from lrlab.schedules import Primitive, Ramp
from lrlab.schedules.core import Array
from lrlab.schedules.fields import DurationOrRemaining, Level, Positive


@dataclass(frozen=True, repr=False)
class HyperbolicDecay(Primitive):
    """Falls from the base rate without end: base / sqrt(1 + (scale * t)**2)."""

    gallery_example = "HyperbolicDecay(0.1)"
    scale: Positive

    def evaluate(self, t: Array, base: float) -> Array:
        return base / np.sqrt(1 + (self.scale * t) ** 2)


@dataclass(frozen=True, repr=False)
class QuarterCircle(Ramp):
    """Falls from start to end along a quarter of a circle: slowly, then ever faster."""

    gallery_example = "QuarterCircle()"
    over: DurationOrRemaining = None
    _: KW_ONLY
    start: Level = 1.0
    end: Level = 0.0

    def decay(self, remaining: Array) -> Array:
        return np.sqrt(1 - (1 - remaining) ** 2)


def main() -> None:
    """Combine them, read one from text, and compare both with the constant rate."""
    schedule = lrlab.Warmup(5) >> QuarterCircle()
    assert lrlab.parse("Warmup(5) >> QuarterCircle()") == schedule
    print(schedule.bind(total_steps=10)([0, 5, 8, 9], base=0.1).round(3))

    study = lrlab.compare(
        "iris", [schedule, HyperbolicDecay(0.1)], tune=False, lr=0.3, epochs=10, seeds=5
    )
    print(study.answer)


if __name__ == "__main__":
    main()
