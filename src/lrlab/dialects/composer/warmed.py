"""Composer's schedulers that begin with a warm-up from 0."""

from collections.abc import Sequence

from lrlab.dialects.composer.times import _subtract_warmup, _parse_time, _parse_times, _is_positive, _select_later
from lrlab.schedules import Constant, Cosine, Linear, MultiStep, Polynomial, Schedule, Warmup


def MultiStepWithWarmupScheduler(
    t_warmup: str, milestones: Sequence[str], gamma: float = 0.1
) -> Schedule:
    """A warm-up from 0, then multiplied by ``gamma`` at each milestone, counted from the start.

    >>> MultiStepWithWarmupScheduler("5ep", ["30ep", "60ep"])
    Warmup("5ep", start=0.0) * MultiStep(["30ep", "60ep"])
    """
    warmup = _parse_time(t_warmup)
    stairs = MultiStep([_select_later(at, warmup) for at in _parse_times(milestones)], gamma)
    return Warmup(warmup, start=0.0) * stairs if _is_positive(warmup) else stairs


def ConstantWithWarmupScheduler(t_warmup: str, alpha: float = 1.0, t_max: str = "1dur") -> Schedule:
    """A line from 0 to the factor ``alpha``, which holds, after ``t_max`` too.

    >>> ConstantWithWarmupScheduler("5ep")
    Warmup("5ep", start=0.0) >> Constant(1.0)
    """
    _subtract_warmup(t_warmup, t_max)
    return _add_warmup(t_warmup, Constant(alpha), alpha)


def LinearWithWarmupScheduler(
    t_warmup: str, alpha_i: float = 1.0, alpha_f: float = 0.0, t_max: str = "1dur"
) -> Schedule:
    """A line from 0 to the factor ``alpha_i``, then one to ``alpha_f`` at ``t_max``.

    >>> LinearWithWarmupScheduler("5ep", t_max="90ep")
    Warmup("5ep", start=0.0) >> Linear(1.0, 0.0, over="85ep")
    """
    return _add_warmup(t_warmup, Linear(alpha_i, alpha_f, over=_subtract_warmup(t_warmup, t_max)), alpha_i)


def CosineAnnealingWithWarmupScheduler(
    t_warmup: str, t_max: str = "1dur", alpha_f: float = 0.0
) -> Schedule:
    """A warm-up from 0, then half a cosine to the factor ``alpha_f`` at ``t_max``.

    >>> CosineAnnealingWithWarmupScheduler("0.1dur")
    Warmup("10%", start=0.0) >> Cosine()
    """
    return _add_warmup(t_warmup, Cosine(_subtract_warmup(t_warmup, t_max), end=alpha_f))


def PolynomialWithWarmupScheduler(
    t_warmup: str, power: float = 2.0, t_max: str = "1dur", alpha_f: float = 0.0
) -> Schedule:
    """A warm-up from 0, then a power of the time that is left until ``t_max``, to a factor.

    >>> PolynomialWithWarmupScheduler("100ba")
    Warmup(100, start=0.0) >> Polynomial(2.0)
    """
    return _add_warmup(t_warmup, Polynomial(power, over=_subtract_warmup(t_warmup, t_max), end=alpha_f))


def _add_warmup(t_warmup: str, schedule: Schedule, level: float = 1.0) -> Schedule:
    """``schedule`` after a line from 0 to ``level``."""
    over = _parse_time(t_warmup)
    if not _is_positive(over):
        return schedule
    if level == 1:
        return Warmup(over, start=0.0) >> schedule
    return Linear(0.0, level, over=over) >> schedule
