"""Paddle's schedulers that decay without an end, or in stairs."""

from collections.abc import Sequence
from math import exp

from lrlab.dialects.arguments import check_absolute, check_argument
from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Constant,
    Exponential,
    InverseSqrt,
    InverseTime,
    MultiStep,
    PiecewiseConstant,
    Schedule,
    Step,
    Warmup,
)
from lrlab.schedules.parameters import NonNegative, Positive


def NoamDecay(d_model: float, warmup_steps: float, learning_rate: float = 1.0) -> Schedule:
    """``learning_rate * d_model**-0.5 * min(t**-0.5, t * warmup_steps**-1.5)``.

    >>> NoamDecay(64, 4)
    Constant(Absolute(0.0625)) * (Warmup(4, start=0.0) >> InverseSqrt(4))
    """
    width = check_argument("NoamDecay", Positive, d_model=d_model)
    warmup = check_argument("NoamDecay", Positive, warmup_steps=warmup_steps)
    rate = check_argument("NoamDecay", NonNegative, learning_rate=learning_rate)
    peak = check_absolute("NoamDecay", learning_rate=rate * width**-0.5 * warmup**-0.5)
    return Constant(peak) * (Warmup(warmup, start=0.0) >> InverseSqrt(warmup))


def NaturalExpDecay(learning_rate: float, gamma: float) -> Schedule:
    """``learning_rate * exp(-gamma * t)``.

    >>> NaturalExpDecay(0.5, 0.1)
    Constant(Absolute(0.5)) * Exponential(0.9048374180359595)
    """
    factor = exp(-check_argument("NaturalExpDecay", Positive, gamma=gamma))
    if not 0 < factor < 1:
        raise ScheduleError(
            f"NaturalExpDecay: gamma must give an exp(-gamma) between 0 and 1, got {gamma!r}."
        )
    return Constant(check_absolute("NaturalExpDecay", learning_rate=learning_rate)) * Exponential(factor)


def InverseTimeDecay(learning_rate: float, gamma: float) -> Schedule:
    """``learning_rate / (1 + gamma * t)``.

    >>> InverseTimeDecay(0.5, 0.1)
    Constant(Absolute(0.5)) * InverseTime(0.1)
    """
    return Constant(check_absolute("InverseTimeDecay", learning_rate=learning_rate)) * InverseTime(gamma)


def ExponentialDecay(learning_rate: float, gamma: float) -> Schedule:
    """Multiplied by ``gamma`` every step.

    >>> ExponentialDecay(0.5, 0.9)
    Constant(Absolute(0.5)) * Exponential(0.9)
    """
    return Constant(check_absolute("ExponentialDecay", learning_rate=learning_rate)) * Exponential(gamma)


def PiecewiseDecay(boundaries: Sequence[int], values: Sequence[float]) -> Schedule:
    """One rate before each boundary, the last from the last boundary on.

    >>> PiecewiseDecay([100, 200], [1.0, 0.5, 0.1])
    PiecewiseConstant([100, 200], [Absolute(1.0), Absolute(0.5), Absolute(0.1)])
    """
    if not isinstance(values, Sequence):
        raise ScheduleError(f"PiecewiseDecay: values must be a list of rates, got {values!r}.")
    return PiecewiseConstant(boundaries, [check_absolute("PiecewiseDecay", values=rate) for rate in values])


def MultiStepDecay(learning_rate: float, milestones: Sequence[int], gamma: float = 0.1) -> Schedule:
    """Multiplied by ``gamma`` from each milestone on.

    >>> MultiStepDecay(0.5, [30, 60])
    Constant(Absolute(0.5)) * MultiStep([30, 60])
    """
    return Constant(check_absolute("MultiStepDecay", learning_rate=learning_rate)) * MultiStep(
        milestones, gamma
    )


def StepDecay(learning_rate: float, step_size: float, gamma: float = 0.1) -> Schedule:
    """Multiplied by ``gamma`` every ``step_size`` steps.

    >>> StepDecay(0.5, 30)
    Constant(Absolute(0.5)) * Step(30)
    """
    return Constant(check_absolute("StepDecay", learning_rate=learning_rate)) * Step(step_size, gamma)
