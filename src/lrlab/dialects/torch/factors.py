"""Schedulers that are factors of the base rate: torch's eight simplest."""

from collections.abc import Callable, Iterable

from lrlab.dialects.arguments import check_function, shorten
from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Constant,
    Exponential,
    Linear,
    MultiStep,
    Polynomial,
    Schedule,
    Step,
)


def LambdaLR(lr_lambda: Callable[[int], float]) -> Schedule:
    """The base rate times ``lr_lambda(t)``, t an int.

    A list of functions, one per parameter group, is several schedules and is refused.

    >>> LambdaLR(lambda epoch: 0.95**epoch)(2)
    0.9025
    """
    return check_function("LambdaLR", lr_lambda=lr_lambda)


def MultiplicativeLR(lr_lambda: Callable[[int], float]) -> Schedule:
    """Multiplied by ``lr_lambda(t)`` at every step t from 1 on.

    >>> MultiplicativeLR(lambda epoch: 0.5)([0, 1, 2])
    array([1.  , 0.5 , 0.25])
    """
    return check_function("MultiplicativeLR", lr_lambda=lr_lambda).cumprod()


def ConstantLR(factor: float = 1 / 3, total_iters: int = 5) -> Schedule:
    """``factor`` (0 or more) for ``total_iters`` steps, then the base rate.

    With ``total_iters`` 0 it never ends, as in torch.

    >>> ConstantLR(factor=0.5, total_iters=4)
    Constant(0.5, over=4) >> Constant(1.0)
    """
    if _is_zero(total_iters):
        return Constant(factor)
    return Constant(factor, over=total_iters) >> Constant(1.0)


def LinearLR(
    start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5
) -> Schedule:
    """A straight line between two factors (0 or more) over ``total_iters`` steps, then the second.

    With ``total_iters`` 0 it stays at the first, as in torch.

    >>> LinearLR(start_factor=1.0, end_factor=0.5, total_iters=30)
    Linear(1.0, 0.5, over=30)
    """
    if _is_zero(total_iters):
        return Constant(start_factor)
    return Linear(start_factor, end_factor, over=total_iters)


def PolynomialLR(total_iters: int = 5, power: float = 1.0) -> Schedule:
    """From the base rate to 0 over ``total_iters`` steps, as a power (above 0) of what is left.

    With ``total_iters`` 0 it stays at the base rate, as in torch.

    >>> PolynomialLR(total_iters=30, power=0.9)
    Polynomial(0.9, over=30)
    """
    return Constant(1.0) if _is_zero(total_iters) else Polynomial(power, over=total_iters)


def ExponentialLR(gamma: float) -> Schedule:
    """Multiplied by ``gamma`` (above 0) every step.

    >>> ExponentialLR(gamma=0.99)
    Exponential(0.99)
    """
    return Exponential(gamma)


def StepLR(step_size: int, gamma: float = 0.1) -> Schedule:
    """Multiplied by ``gamma`` (above 0) every ``step_size`` steps (above 0).

    >>> StepLR(step_size=30)
    Step(30)
    """
    return Step(step_size, gamma)


def MultiStepLR(milestones: Iterable[int], gamma: float = 0.1) -> Schedule:
    """Multiplied by ``gamma`` (above 0) at each milestone; they may come in any order.

    >>> MultiStepLR([80, 30])
    MultiStep([30, 80])
    """
    try:
        times = sorted(milestones)
    except TypeError:
        raise ScheduleError(
            f"MultiStepLR: milestones must be a list of steps, got {shorten(milestones)}."
        ) from None
    return MultiStep(times, gamma) if times else Constant(1.0)


def _is_zero(iterations: object) -> bool:
    return iterations == 0 and not isinstance(iterations, bool)
