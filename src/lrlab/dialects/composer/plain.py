"""Composer's schedulers without a warm-up."""

from collections.abc import Sequence

from lrlab.dialects.composer.times import _parse_time, _parse_times, _parse_end
from lrlab.schedules import (
    Constant,
    Cosine,
    Exponential,
    Linear,
    MultiStep,
    Polynomial,
    Schedule,
    Step,
)


def StepScheduler(step_size: str, gamma: float = 0.1) -> Schedule:
    """Multiplied by ``gamma`` after every ``step_size``.

    >>> StepScheduler("30ep")
    Step("30ep")
    """
    return Step(_parse_time(step_size), gamma)


def MultiStepScheduler(milestones: Sequence[str], gamma: float = 0.1) -> Schedule:
    """Multiplied by ``gamma`` at each milestone.

    >>> MultiStepScheduler(["0.5dur", "0.75dur"])
    MultiStep(["50%", "75%"])
    """
    return MultiStep(_parse_times(milestones), gamma)


def ConstantScheduler(alpha: float = 1.0, t_max: str = "1dur") -> Schedule:
    """The factor ``alpha`` until ``t_max``, then the base rate.

    >>> ConstantScheduler(0.5, "10ep")
    Constant(0.5, over="10ep") >> Constant(1.0)
    """
    over = _parse_end(t_max)
    return Constant(alpha) if over is None else Constant(alpha, over=over) >> Constant(1.0)


def LinearScheduler(alpha_i: float = 1.0, alpha_f: float = 0.0, t_max: str = "1dur") -> Schedule:
    """A line between two factors.

    >>> LinearScheduler(t_max="100ba")
    Linear(1.0, 0.0, over=100)
    """
    return Linear(alpha_i, alpha_f, over=_parse_end(t_max))


def ExponentialScheduler(gamma: float, decay_period: str = "1ep") -> Schedule:
    """Multiplied by ``gamma`` over every ``decay_period``.

    >>> ExponentialScheduler(0.9)
    Exponential(0.9, every="1ep")
    """
    return Exponential(gamma, every=_parse_time(decay_period))


def CosineAnnealingScheduler(t_max: str = "1dur", alpha_f: float = 0.0) -> Schedule:
    """Half a cosine to a factor.

    >>> CosineAnnealingScheduler(alpha_f=0.1)
    Cosine(end=0.1)
    """
    return Cosine(_parse_end(t_max), end=alpha_f)


def CosineAnnealingWarmRestartsScheduler(
    t_0: str, t_mult: float = 1.0, alpha_f: float = 0.0
) -> Schedule:
    """Half a cosine to a factor again and again, each time ``t_mult`` times as long.

    >>> CosineAnnealingWarmRestartsScheduler("10ep", t_mult=2)
    Cosine("10ep").repeat(growth=2.0)
    """
    return Cosine(_parse_time(t_0), end=alpha_f).repeat(growth=t_mult)


def PolynomialScheduler(power: float, t_max: str = "1dur", alpha_f: float = 0.0) -> Schedule:
    """A power of the time that is left, to a factor.

    >>> PolynomialScheduler(2, "50ep")
    Polynomial(2.0, over="50ep")
    """
    return Polynomial(power, over=_parse_end(t_max), end=alpha_f)
