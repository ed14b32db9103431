"""Combinators one step at a time, as their docstrings read: the slow twin of the fast ones."""

import math

import numpy as np

from lrlab.schedules import (
    Absolute,
    Affine,
    Clip,
    Continued,
    CumulativeProduct,
    Product,
    Repeat,
    Schedule,
    Sequential,
    Shift,
    Staircase,
    Stretch,
    Sum,
    Until,
)
from lrlab.schedules.durations import Horizon


def slow(schedule: Schedule, t: float, base: float) -> float:
    """The rate of a bound schedule at step ``t`` for the base rate ``base``."""
    match schedule:
        case Sequential(schedules=parts):
            for part in parts[:-1]:
                if t < length(part):
                    return slow(part, t, base)
                t -= length(part)
            return slow(parts[-1], t, base)
        case Continued(first=first, second=second):
            end = length(first)
            return (
                slow(first, t, base) if t < end else slow(second, t - end, slow(first, end, base))
            )
        case Product(schedules=parts):
            rate = base if schedule.is_relative else 1.0
            for part in parts:
                rate *= slow(part, t, 1.0 if part.is_relative else base)
            return rate
        case Sum(schedules=parts):
            return sum(slow(part, t, base) for part in parts)
        case Until(schedule=a, at=at):
            return slow(a, min(t, at), base)
        case Shift(schedule=a, by=by):
            return slow(a, max(0.0, t - by), base)
        case Stretch(schedule=a, by=by):
            return slow(a, t / by, base)
        case Staircase(schedule=a, every=every):
            return slow(a, every * math.floor(t / every), base)
        case Repeat(schedule=a, times=times, growth=growth, decay=decay):
            n, start, period = 0, 0.0, length(a)
            while (times is None or n < times - 1) and t >= start + period:
                n, start, period = n + 1, start + period, period * growth
            return decay**n * slow(a, (t - start) / growth**n, base)
        case Clip(schedule=a, low=low, high=high):
            rate = slow(a, t, base)
            rate = rate if low is None else max(rate, level(low, base))
            return rate if high is None else min(rate, level(high, base))
        case Affine(schedule=a, slope=slope, offset=offset):
            return level(offset, base) + slope * slow(a, t, base)
        case CumulativeProduct(schedule=a):
            return base * math.prod(slow(a, step, 1.0) for step in range(1, math.floor(t) + 1))
    return float(schedule.evaluate(np.array([t], dtype=np.float64), base)[0])


def length(schedule: Schedule) -> float:
    """Steps of a bound schedule."""
    return schedule.compute_length(Horizon())


def level(value: float | Absolute, base: float) -> float:
    """The rate of a level."""
    return value.value if isinstance(value, Absolute) else base * value
