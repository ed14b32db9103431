"""Paddle's schedulers that decay without an end, or in stairs."""

from collections.abc import Sequence
from math import exp

from lrlab.dialects.arguments import absolute, read
from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Constant,
    Exponential,
    InverseSqrt,
    InverseTime,
    MultiStep,
    Piecewise,
    Schedule,
    Step,
    Warmup,
)
from lrlab.schedules.parameters import NotNegative, Positive


def NoamDecay(d_model: float, warmup_steps: float, learning_rate: float = 1.0) -> Schedule:
    """``learning_rate * d_model**-0.5 * min(t**-0.5, t * warmup_steps**-1.5)``.

    >>> NoamDecay(64, 4)
    Constant(Rate(0.0625)) * (Warmup(4, start=0.0) >> InverseSqrt(4))
    """
    width = read("NoamDecay", Positive, d_model=d_model)
    warmup = read("NoamDecay", Positive, warmup_steps=warmup_steps)
    rate = read("NoamDecay", NotNegative, learning_rate=learning_rate)
    peak = absolute("NoamDecay", learning_rate=rate * width**-0.5 * warmup**-0.5)
    return Constant(peak) * (Warmup(warmup, start=0.0) >> InverseSqrt(warmup))


def NaturalExpDecay(learning_rate: float, gamma: float) -> Schedule:
    """``learning_rate * exp(-gamma * t)``.

    >>> NaturalExpDecay(0.5, 0.1)
    Constant(Rate(0.5)) * Exponential(0.9048374180359595)
    """
    factor = exp(-read("NaturalExpDecay", Positive, gamma=gamma))
    if not 0 < factor < 1:
        raise ScheduleError(
            f"NaturalExpDecay: gamma must give an exp(-gamma) between 0 and 1, got {gamma!r}."
        )
    return Constant(absolute("NaturalExpDecay", learning_rate=learning_rate)) * Exponential(factor)


def InverseTimeDecay(learning_rate: float, gamma: float) -> Schedule:
    """``learning_rate / (1 + gamma * t)``.

    >>> InverseTimeDecay(0.5, 0.1)
    Constant(Rate(0.5)) * InverseTime(0.1)
    """
    return Constant(absolute("InverseTimeDecay", learning_rate=learning_rate)) * InverseTime(gamma)


def ExponentialDecay(learning_rate: float, gamma: float) -> Schedule:
    """Multiplied by ``gamma`` every step.

    >>> ExponentialDecay(0.5, 0.9)
    Constant(Rate(0.5)) * Exponential(0.9)
    """
    return Constant(absolute("ExponentialDecay", learning_rate=learning_rate)) * Exponential(gamma)


def PiecewiseDecay(boundaries: Sequence[int], values: Sequence[float]) -> Schedule:
    """One rate before each boundary, the last from the last boundary on.

    >>> PiecewiseDecay([100, 200], [1.0, 0.5, 0.1])
    Piecewise([100, 200], [Rate(1.0), Rate(0.5), Rate(0.1)])
    """
    if not isinstance(values, Sequence):
        raise ScheduleError(f"PiecewiseDecay: values must be a list of rates, got {values!r}.")
    return Piecewise(boundaries, [absolute("PiecewiseDecay", values=rate) for rate in values])


def MultiStepDecay(learning_rate: float, milestones: Sequence[int], gamma: float = 0.1) -> Schedule:
    """Multiplied by ``gamma`` from each milestone on.

    >>> MultiStepDecay(0.5, [30, 60])
    Constant(Rate(0.5)) * MultiStep([30, 60])
    """
    return Constant(absolute("MultiStepDecay", learning_rate=learning_rate)) * MultiStep(
        milestones, gamma
    )


def StepDecay(learning_rate: float, step_size: float, gamma: float = 0.1) -> Schedule:
    """Multiplied by ``gamma`` every ``step_size`` steps.

    >>> StepDecay(0.5, 30)
    Constant(Rate(0.5)) * Step(30)
    """
    return Constant(absolute("StepDecay", learning_rate=learning_rate)) * Step(step_size, gamma)
