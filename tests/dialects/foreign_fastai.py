"""fastai's formulas, as plain Python after fastai/callback/schedule.py, 2.8.12.

fastai is not a test dependency: it needs too many others. The functions are fastai's, but
``combine_scheds`` is in float64, and the ``fit_`` functions return the schedules they build.
"""

import math
from collections.abc import Callable
from typing import Any

Curve = Callable[[float], float]


def SchedLin(start: float, end: float) -> Curve:
    return lambda p: start + p * (end - start)


def SchedCos(start: float, end: float) -> Curve:
    return lambda p: start + (1 + math.cos(math.pi * (1 - p))) * (end - start) / 2


def SchedNo(start: float, end: float) -> Curve:
    return lambda p: start


def SchedExp(start: float, end: float) -> Curve:
    return lambda p: start * (end / start) ** p


def SchedPoly(start: float, end: float, power: float) -> Curve:
    return lambda p: start + (end - start) * p**power


def combine_scheds(pcts: list[float], scheds: list[Curve]) -> Curve:
    starts = [sum(pcts[:i]) for i in range(len(pcts) + 1)]

    def curve(p: float) -> float:
        i = min(max(i for i, start in enumerate(starts) if p >= start), len(pcts) - 1)
        return scheds[i]((p - starts[i]) / (starts[i + 1] - starts[i]))

    return curve


def combined_cos(pct: float, start: float, middle: float, end: float) -> Curve:
    return combine_scheds([pct, 1 - pct], [SchedCos(start, middle), SchedCos(middle, end)])


def fit_one_cycle(
    n_epoch: float,
    lr_max: Any = None,
    div: float = 25.0,
    div_final: float = 1e5,
    pct_start: float = 0.25,
    moms: Any = None,
) -> tuple[Curve, Curve]:
    rate = combined_cos(pct_start, lr_max / div, lr_max, lr_max / div_final)
    return rate, combined_cos(pct_start, *((0.95, 0.85, 0.95) if moms is None else moms))


def fit_flat_cos(
    n_epoch: float, lr: Any = None, div_final: float = 1e5, pct_start: float = 0.75
) -> Curve:
    return combined_cos(pct_start, lr, lr, lr / div_final)


def fit_sgdr(n_cycles: int, cycle_len: int, lr_max: Any = None, cycle_mult: int = 2) -> Curve:
    n_epoch = cycle_len * (cycle_mult**n_cycles - 1) // (cycle_mult - 1)
    pcts = [cycle_len * cycle_mult**i / n_epoch for i in range(n_cycles)]
    return combine_scheds(pcts, [SchedCos(lr_max, 0) for _ in range(n_cycles)])


def lr_find(start_lr: float = 1e-7, end_lr: float = 10, num_it: int = 100) -> Curve:
    """Return a function of the fraction of the iterations."""
    return SchedExp(start_lr, end_lr)
