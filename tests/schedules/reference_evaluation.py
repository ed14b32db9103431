"""Rates of combinators one step at a time, written as in their docstrings: the reference."""

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


def compute_rate(schedule: Schedule, t: float, base: float) -> float:
    """Return the rate of a bound schedule at step ``t`` for the base rate ``base``."""
    match schedule:
        case Sequential(schedules=parts):
            for part in parts[:-1]:
                if t < compute_length(part):
                    return compute_rate(part, t, base)
                t -= compute_length(part)
            return compute_rate(parts[-1], t, base)
        case Continued(first=first, second=second):
            end = compute_length(first)
            return (
                compute_rate(first, t, base)
                if t < end
                else compute_rate(second, t - end, compute_rate(first, end, base))
            )
        case Product(schedules=parts):
            rate = base if schedule.is_relative else 1.0
            for part in parts:
                rate *= compute_rate(part, t, 1.0 if part.is_relative else base)
            return rate
        case Sum(schedules=parts):
            return sum(compute_rate(part, t, base) for part in parts)
        case Until(schedule=a, at=at):
            return compute_rate(a, min(t, at), base)
        case Shift(schedule=a, by=by):
            return compute_rate(a, max(0.0, t - by), base)
        case Stretch(schedule=a, by=by):
            return compute_rate(a, t / by, base)
        case Staircase(schedule=a, every=every):
            return compute_rate(a, every * math.floor(t / every), base)
        case Repeat(schedule=a, times=times, growth=growth, decay=decay):
            n, start, period = 0, 0.0, compute_length(a)
            while (times is None or n < times - 1) and t >= start + period:
                n, start, period = n + 1, start + period, period * growth
            return decay**n * compute_rate(a, (t - start) / growth**n, base)
        case Clip(schedule=a, low=low, high=high):
            rate = compute_rate(a, t, base)
            rate = rate if low is None else max(rate, resolve_level(low, base))
            return rate if high is None else min(rate, resolve_level(high, base))
        case Affine(schedule=a, slope=slope, offset=offset):
            return resolve_level(offset, base) + slope * compute_rate(a, t, base)
        case CumulativeProduct(schedule=a):
            return base * math.prod(
                compute_rate(a, step, 1.0) for step in range(1, math.floor(t) + 1)
            )
    return float(schedule.evaluate(np.array([t], dtype=np.float64), base)[0])


def compute_length(schedule: Schedule) -> float:
    """Return the steps of a bound schedule."""
    return schedule.compute_length(Horizon())


def resolve_level(value: float | Absolute, base: float) -> float:
    """Return the rate of a level."""
    return value.value if isinstance(value, Absolute) else base * value
